"""Caches that count, that do not answer, that forget."""

from __future__ import annotations

from typing import ClassVar

from django.core.cache.backends.base import BaseCache

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
SHARED = f"{__name__}.SharedCache"
BROKEN = f"{__name__}.BrokenCache"
FORGETFUL = f"{__name__}.ForgetfulCache"
FILES = "django.core.cache.backends.filebased.FileBasedCache"
DUMMY = "django.core.cache.backends.dummy.DummyCache"


class SharedCache(BaseCache):
    """Stands in for a server that all processes share: it counts in one step."""

    counts: ClassVar[dict[str, int]] = {}

    def __init__(self, location, params):
        super().__init__(params)

    def add(self, key, value, timeout=None, version=None):
        return self.counts.setdefault(key, value) == value

    def incr(self, key, delta=1, version=None):
        if key not in self.counts:
            raise ValueError(key)
        self.counts[key] += delta
        return self.counts[key]

    def clear(self):
        self.counts.clear()


class BrokenCache(BaseCache):
    """A server that does not answer."""

    def __init__(self, location, params):
        super().__init__(params)

    def add(self, *args, **kwargs):
        raise ConnectionError("No route to host")

    get = set = delete = incr = clear = add


class ForgetfulCache(SharedCache):
    """A server that has dropped the count between two steps."""

    def add(self, *args, **kwargs):
        return True
