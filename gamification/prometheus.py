"""The figures of the monitoring page for Prometheus. Needs the extra ``metrics``.

Register :class:`FiguresCollector` with a registry of ``prometheus_client``; each scrape reads the rollup alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gamification.services import figures
from gamification.services.figures import Day, Figures

PREFIX = "gamification"


class FiguresCollector(Collector):
    """Today's figures (by UTC), and how things stand; nothing of a date that was not computed."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = figures.read(1)
        yield from _reads(found.days[-1])
        if found.computed_at is None:
            return
        yield from _of_today(found.days[-1])
        yield from _standing(found)
        yield _gauge("figures_timestamp_seconds", "When they were computed.", found.computed_at.timestamp())

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name nothing ahead, so that registering asks no database."""
        return iter(())


def _reads(today: Day) -> Iterator[GaugeMetricFamily]:
    reads = {"hit": today.hits, "miss": today.misses}
    yield _labelled("board_reads_today", "Reads of leaderboards, by whether the cache answered.", "result", reads)
    if today.hit_rate is not None:
        yield _gauge("board_hit_ratio", "Today's reads that the cache answered, from 0 to 1.", today.hit_rate)


def _of_today(today: Day) -> Iterator[GaugeMetricFamily]:
    for name, help_text, values in (
        ("xp_today", "XP earned today.", today.xp),
        ("xp_bookings_today", "How often XP was booked today.", today.bookings),
    ):
        family = GaugeMetricFamily(f"{PREFIX}_{name}", help_text, labels=["source", "kind"])
        for label, value in sorted(values.items()):
            source, _colon, kind = label.partition(":")
            family.add_metric([source, kind], value)
        yield family
    yield _gauge("freezes_used_today", "Freezes that covered today.", today.freezes)
    yield _gauge("active_people_today", "People who did something today.", today.active)
    yield _gauge("active_people_week", "People who did something in the last 7 days.", today.active_in_week)
    yield _gauge("board_readers_today", "People who looked at leaderboards today.", today.board_readers)
    yield _gauge("week_streak_people_today", "Active today, on a streak of 7 or more.", today.on_week_streak)
    for name, help_text, share in (
        ("week_streak_ratio", "Share of those active today on a streak of 7 or more.", today.week_streak_share),
        (
            "unlocks_per_active_person_week",
            "Unlocks of 7 days for each person active in them.",
            today.unlocks_per_person,
        ),
        ("board_readers_per_active_person", "People who looked at boards for each active one.", today.reader_share),
    ):
        if share is not None:
            yield _gauge(name, help_text, share)


def _standing(found: Figures) -> Iterator[GaugeMetricFamily]:
    yield _gauge("players", "People with XP or a level.", found.players)
    levels = {str(level): people for level, people in found.levels}
    yield _labelled("level_people", "People on each level.", "level", levels)
    unlocks = {each.achievement_id: each.unlocks for each in found.definitions}
    yield _labelled("unlocks_today", "Achievements unlocked today.", "achievement", unlocks)
    holders = {each.achievement_id: each.holders for each in found.definitions}
    yield _labelled("achievement_holders", "People who have the achievement.", "achievement", holders)
    rarity = {each.achievement_id: each.rarity for each in found.definitions if each.rarity is not None}
    yield _labelled("achievement_rarity_ratio", "Share of players who have it.", "achievement", rarity)
    yield _gauge("achievements_never_unlocked", "Definitions in force that nobody has.", len(found.never_unlocked))


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", help_text, value=value)


def _labelled(name: str, help_text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", help_text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
