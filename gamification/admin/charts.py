"""What the monitoring page draws, in words and plots."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format, number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from gamification.conf import get_settings
from gamification.engine.texts import translated
from gamification.models.xp import Source
from gamification.plots import Plot, Series, bars, lines, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gamification.services.figures import Day, Definition, Figures

#: So many lines of reasons, the rest together.
REASONS = 5
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a sentence that says what is counted, and the plot."""

    note: str
    plot: Plot


@dataclass(frozen=True, slots=True)
class Key:
    """A number that sums a range up, with what it is."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Unlocks:
    """A definition as a row: ``share`` is the length of its bar in percent."""

    definition: Definition
    unlocks: str
    holders: str
    rarity: str
    share: str


def percent(value: float) -> str:
    """Return a number from 0 to 100 as people write it."""
    number = number_format(value, decimal_pos=0 if value == round(value) else 1)
    return _("{number} %").format(number=number)


def decimal(value: float) -> str:
    return number_format(value, decimal_pos=2)


def reason(label: str) -> str:
    """Return where XP comes from, in words."""
    source, _colon, kind = label.partition(":")
    if kind:
        known = get_settings().activity_types.get(kind)
        return translated(known.label if known else "") or capfirst(kind.replace("_", " "))
    if label == OTHER:
        return _("Other")
    return capfirst(str(Source(source).label)) if source in Source.values else source


def keys(found: Figures) -> list[Key]:
    """Return the answers to what staff ask first."""
    days = found.days
    bookings, reads = sum(sum(day.bookings.values()) for day in days), sum(day.reads for day in days)
    hits, today = sum(day.hits for day in days), days[-1]
    share = today.reader_share
    looked = _("{share} of those active").format(share=percent(min(100, 100 * share))) if share is not None else ""
    return [
        Key(
            _("XP awarded"),
            whole(sum(sum(day.xp.values()) for day in days)),
            _("in {number} bookings").format(number=whole(bookings)),
        ),
        Key(
            _("Achievements unlocked"),
            whole(sum(day.unlocks for day in days)),
            _("{number} held by nobody").format(number=whole(len(found.never_unlocked))),
        ),
        Key(_("Freezes used"), whole(sum(day.freezes for day in days))),
        Key(
            _("Leaderboard reads from the cache"),
            percent(100 * hits / reads) if reads else "-",
            _("of {number} reads").format(number=whole(reads)),
        ),
        Key(_("Active today"), whole(today.active), _("of {number} players").format(number=whole(found.players))),
        Key(_("Looked at a leaderboard today"), whole(today.board_readers), looked),
    ]


def sections(found: Figures) -> list[Section]:
    """Return the plots in the order of the page."""
    drawer = _Drawer(found.days)
    return [*_about_xp(drawer), *_about_people(drawer), *_about_boards(drawer), *_levels(found)]


class _Drawer:
    """Draws over the dates of the page."""

    def __init__(self, days: Sequence[Day]) -> None:
        self.days = days
        self.labels = [date_format(day.date, pgettext("date on a plot", "M j")) for day in days]
        self.counted_from = next((day.date for day in days if day.reads), None)

    def lines(self, title: str, note: str, *series: Series, **options: Any) -> Section:
        return Section(note, lines(title, _("Date"), self.labels, series, **options))

    def bars(self, title: str, note: str, series: Series) -> Section:
        return Section(note, bars(title, _("Date"), self.labels, series))

    def values(self, name: str, factor: int = 1) -> list[float | None]:
        """Return one number a date; None where it was not computed, or there is nothing to have a share of."""
        found = (getattr(day, name) if day.computed_at else None for day in self.days)
        return [None if value is None else factor * value for value in found]

    def looks(self, name: str) -> list[float | None]:
        """Return one number a date of what is counted as it happens; None on dates before anything was."""
        first = self.counted_from
        return [getattr(day, name) if first is not None and day.date >= first else None for day in self.days]


def _about_xp(drawer: _Drawer) -> list[Section]:
    groups = _reasons(drawer.days)
    return [
        drawer.lines(
            _("XP per day, by reason"),
            _("By the date that it was earned on. What was taken back counts against that date, as a reason below 0."),
            *_by_reason(drawer.days, groups, [day.xp for day in drawer.days]),
        ),
        drawer.lines(
            _("Bookings of XP per day, by reason"),
            _("How often XP was booked, whatever the amount."),
            *_by_reason(drawer.days, groups, [day.bookings for day in drawer.days]),
        ),
    ]


def _about_people(drawer: _Drawer) -> list[Section]:
    return [
        drawer.lines(
            _("People per day"),
            _("Who did something on the date, and who looked at a leaderboard (of those who take part)."),
            Series(_("Active"), drawer.values("active")),
            Series(_("Looked at a leaderboard"), drawer.looks("board_readers")),
        ),
        drawer.lines(
            _("On a streak of 7 or more"),
            _("The share of those active on the date for whom it was at least the seventh day of a streak."),
            Series(_("Share"), drawer.values("week_streak_share", 100)),
            show=percent,
            least=10,
        ),
        drawer.bars(
            _("Freezes used per day"),
            _("Dates that a freeze covered. A missed date shows only when the person is back."),
            Series(_("Freezes"), drawer.values("freezes")),
        ),
        drawer.lines(
            _("Achievements per active person and week"),
            _("Unlocked in the seven days up to the date, for each person who was active in them."),
            Series(_("Achievements"), drawer.values("unlocks_per_person")),
            show=decimal,
            least=0.1,
        ),
    ]


def _about_boards(drawer: _Drawer) -> list[Section]:
    return [
        drawer.lines(
            _("Leaderboard reads per day"),
            _("By UTC date; some seconds pass until a read is counted."),
            Series(_("From the cache"), drawer.looks("hits")),
            Series(_("Rebuilt"), drawer.looks("misses")),
        ),
        drawer.lines(
            _("Leaderboard reads answered from the cache"),
            _("The share of reads that found a snapshot to use and built none."),
            Series(_("Hit rate"), drawer.values("hit_rate", 100)),
            show=percent,
            least=100,
        ),
    ]


def _reasons(days: Sequence[Day]) -> dict[str, set[str]]:
    """Return the reasons that brought or took most XP, each alone, and the rest together; one at least."""
    sizes: Counter[str] = Counter()
    for day in days:
        sizes.update({label: abs(number) for label, number in day.xp.items()})
    top = [label for label, _size in sizes.most_common(REASONS)]
    rest = sizes.keys() - set(top)
    return {label: {label} for label in top} | ({OTHER: rest} if rest or not top else {})


def _by_reason(
    days: Sequence[Day], groups: Mapping[str, set[str]], values: Sequence[Mapping[str, int]]
) -> list[Series]:
    """Return a line for each group of reasons."""
    rows = list(zip(days, values, strict=True))
    return [
        Series(
            reason(label),
            [sum(of_day.get(each, 0) for each in group) if day.computed_at else None for day, of_day in rows],
        )
        for label, group in groups.items()
    ]


def _levels(found: Figures) -> list[Section]:
    """Return how many people are on each level up to the highest that anybody is on; nothing without people."""
    if not found.levels:
        return []
    people = dict(found.levels)
    levels = range(1, found.levels[-1][0] + 1)
    counts = Series(_("People"), [people.get(level, 0) for level in levels])
    drawn = bars(_("Levels"), _("Level"), [str(level) for level in levels], counts)
    return [Section(_("How many people are on each level now."), drawn)]


def unlocks(found: Figures) -> list[Unlocks]:
    """Return a row for each definition, the most unlocked first."""
    most = max((each.unlocks for each in found.definitions), default=0) or 1
    return [
        Unlocks(
            each,
            whole(each.unlocks),
            whole(each.holders),
            "-" if each.rarity is None else percent(100 * each.rarity),
            f"{100 * each.unlocks / most:.1f}",
        )
        for each in sorted(found.definitions, key=lambda each: -each.unlocks)
    ]
