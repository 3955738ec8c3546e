"""Rows that are written once: corrections are new rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Never, TypeVar

from django.db import models, router

from gamification.exceptions import AppendOnly
from gamification.models.erasing import erasing

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
        using = self._written_to()
        with erasing(using):
            return models.QuerySet.delete(self.using(using))[0]

    def forget(self, column: str) -> int:
        """Empty a column that names another person, because that one is being erased; no other change is allowed."""
        using = self._written_to()
        with erasing(using):
            return models.QuerySet.update(self.using(using), **{column: None})

    def _written_to(self) -> str:
        return getattr(self, "_db", None) or router.db_for_write(self.model)


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
