"""Progress on the terminal, and silence where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from tqdm import tqdm

if TYPE_CHECKING:
    from django.core.management.base import OutputWrapper


class Bars:
    """One bar after the other: a step that is named for the first time ends the bar of the step before."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._bar: tqdm[Any] | None = None
        self._step = ""
        self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """Show that ``done`` of ``total`` are through; None where nobody knows how many there are."""
        bar = self._bar
        if bar is None or self._step != step:
            if bar is not None:
                bar.close()
            bar = tqdm(desc=step, total=total, unit=self._unit, disable=None, leave=False)
            self._bar, self._step, self._done = bar, step, 0
        bar.update(done - self._done)
        self._done = done

    def write(self, stream: OutputWrapper, line: str) -> None:
        """Write a line without leaving a part of the bar before it."""
        with tqdm.external_write_mode():
            stream.write(line)
