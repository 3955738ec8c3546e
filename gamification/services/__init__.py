"""The public API: each function locks, calls the steps in order, and announces after commit."""
