"""The figures for Prometheus: what a scrape reads."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from gamification.backends.reads import tally
from gamification.models import DailyFigure
from gamification.prometheus import FiguresCollector
from gamification.services import achievements, activities, figures, leaderboards, xp
from gamification.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def scraped():
    """Return every sample by its name and the values of its labels, in the order of their names."""
    registry = CollectorRegistry()
    registry.register(FiguresCollector())
    families = text_string_to_metric_families(generate_latest(registry).decode())
    samples = [sample for family in families for sample in family.samples]
    assert len({(sample.name, str(sample.labels)) for sample in samples}) == len(samples)
    return {
        (
            sample.name.removeprefix("gamification_"),
            *(value for _, value in sorted(sample.labels.items())),
        ): sample.value
        for sample in samples
    }


def test_a_scrape_says_what_today_came_to_and_how_things_stand():
    achievements.initialize()
    ada, bob = UserFactory(), UserFactory()
    data = {"difficulty": "advanced", "minutes": 50, "perfect": True, "language": "es"}
    activities.record(ada, "scenario_completed", key="one", data=data)
    xp.award(bob, 70, reason="helped", key="k")
    for _ in range(4):
        leaderboards.rank(ada, "xp_all_time")
    tally.flush()
    figures.refresh()

    found = scraped()

    assert found["xp_today", "scenario_completed", "activity"] == 300
    assert found["xp_today", "", "client"] == 70
    assert found["xp_bookings_today", "", "client"] == 1
    assert (found["board_reads_today", "hit"], found["board_reads_today", "miss"]) == (3, 1)
    assert (found["board_hit_ratio",], found["board_readers_today",]) == (0.75, 1)
    assert found["board_readers_per_active_person",] == 1
    assert (found["active_people_today",], found["active_people_week",]) == (1, 1)
    assert (found["week_streak_people_today",], found["week_streak_ratio",]) == (0, 0)
    assert (found["players",], found["freezes_used_today",]) == (2, 0)
    assert found["achievement_holders", "first_steps"] == 1
    assert found["achievement_rarity_ratio", "first_steps"] == 0.5
    assert found["unlocks_today", "first_steps"] == 1
    unlocked = sum(value for name, value in found.items() if name[0] == "unlocks_today")
    assert found["unlocks_per_active_person_week",] == unlocked
    assert found["achievements_never_unlocked",] == 27 - unlocked
    assert sum(value for name, value in found.items() if name[0] == "level_people") == 2
    assert found["figures_timestamp_seconds",] == pytest.approx(timezone.now().timestamp(), abs=60)


def test_before_anything_was_computed_there_are_only_the_reads_that_were_counted():
    assert scraped() == {("board_reads_today", "hit"): 0, ("board_reads_today", "miss"): 0}


def test_yesterdays_figures_do_not_pass_for_todays():
    figures.refresh(days=1, now=timezone.now() - timedelta(days=1))

    assert DailyFigure.objects.exists()
    assert ("active_people_today",) not in scraped()


def test_labels_with_anything_in_them_are_read_back_as_they_were():
    figures.refresh(days=1)
    today = timezone.now().date()
    label = 'activity:a "quoted"\\ kind\nof two lines: ü'
    DailyFigure.objects.create(date=today, name="xp", label=label, value=-7, computed_at=timezone.now())

    assert scraped()["xp_today", label.partition(":")[2], "activity"] == -7


def test_a_scrape_takes_two_queries_and_registering_none(django_assert_num_queries):
    with django_assert_num_queries(0):
        registry = CollectorRegistry()
        registry.register(FiguresCollector())

    with django_assert_num_queries(2):
        generate_latest(registry)
