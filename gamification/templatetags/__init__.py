"""Template tags for the pages, and for any page of the host."""
