"""The pictures of README and docs, taken of a demonstration that is made anew each time: ``make screenshots``."""
