"""Rows that are written once: corrections are new rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Never, TypeVar

from django.db import models

from gamification.exceptions import AppendOnly

ModelT = TypeVar("ModelT", bound=models.Model)


class AppendOnlyQuerySet(models.QuerySet[ModelT]):
    """Refuses what would change or remove rows; ``privacy.erase`` goes past it on purpose."""

    def update(self, **kwargs: Any) -> Never:
        raise AppendOnly

    def delete(self) -> Never:
        raise AppendOnly

    def bulk_create(self, objs: Iterable[ModelT], *args: Any, **kwargs: Any) -> list[ModelT]:
        """Insert rows; never overwrite those that are there."""
        if kwargs.get("update_conflicts"):
            raise AppendOnly
        return super().bulk_create(objs, *args, **kwargs)

    def erase(self) -> int:
        """Delete the rows all the same, because a person is being erased, and return how many."""
        return super().delete()[0]


class AppendOnlyModel(models.Model):
    """A row that can be inserted and read."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        raise AppendOnly
