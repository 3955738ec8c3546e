"""The demonstration project: one way to run the app, and no part of it."""
