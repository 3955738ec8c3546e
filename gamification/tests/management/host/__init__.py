"""Projects of somebody else, with user models of their own."""
