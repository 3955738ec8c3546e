"""Attacks on the whole site: who gets in, what gets out, what runs, what breaks it."""
