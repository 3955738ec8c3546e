"""What comes in (``inputs``), and what goes out (the others, a module a topic)."""
