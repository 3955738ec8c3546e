"""A site full of invented people, for a first look."""
