"""Loaded once by the server from which racing processes are forked: all that they would load one by one."""

from importlib import import_module

import django

django.setup()

for module in ("gamification.tests.races.processes", "gamification.tests.races.workers", "project.urls"):
    import_module(module)
for engine in ("postgresql", "sqlite3"):
    import_module(f"django.db.backends.{engine}.base")
