"""Somebody who has lived through everything that leaves rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps

from gamification.models import BoardReader, Flag, QueuedActivity, WebhookEndpoint
from gamification.services import achievements, activities, exclusions, profiles, streaks, webhooks, xp
from gamification.services.activities import Event
from gamification.tests.backends.people import person

NOW = datetime(2026, 6, 30, 20, tzinfo=UTC)
SCENARIO = {"difficulty": "advanced", "minutes": 30, "perfect": True, "language": "es"}


def lively(**columns: Any) -> Any:
    """Return a user with a broken and a running streak, freezes of both kinds, awards, reversals, achievements,
    a voided activity, a public profile, a flag, an exclusion that was lifted, an event that the backlog keeps because
    it was refused, one that a webhook is still to be told of, and a look at the leaderboards.

    Active on 8 days up to 9 June, and on the 10 days from the 20th to the 29th; the 4th and the 10th to 12th were
    frozen by themselves, the 30th on request. The 15th was reported too late to count.
    """
    user = person(**columns)
    streaks.set_timezone(user, "Europe/Berlin", now=NOW - timedelta(days=40))
    history = []
    for day in (1, 2, 3, *range(5, 10), *range(20, 30)):
        at = datetime(2026, 6, day, 4 if day % 2 else 21, 30, tzinfo=UTC)
        history.append(Event(user, "scenario_completed", f"scenario-{day}", data=SCENARIO, occurred_at=at))
    history.append(Event(user, "words_learned", "words", 60, occurred_at=NOW - timedelta(days=1)))
    activities.import_events(history, now=NOW)
    activities.import_events([Event(user, "daily_visit", "long-ago", occurred_at=NOW - timedelta(days=300))], now=NOW)
    activities.record(user, "words_learned", key="old", occurred_at=NOW - timedelta(days=15), now=NOW)
    faked = activities.record(
        user, "words_learned", key="faked", quantity=5, occurred_at=NOW - timedelta(days=1), now=NOW
    )
    activities.void(faked.activity, reason="nobody learned them", now=NOW)
    streaks.freeze(user, now=NOW)
    award = xp.award(user, 50, reason="a prize", key="prize", now=NOW - timedelta(days=3))
    xp.award(user, -20, reason="a fine", key="fine", now=NOW - timedelta(days=2))
    endpoint = webhooks.add("https://[2606:4700::1111]/", ["xp.reversed"])
    xp.reverse(award.transaction, reason="a mistake", now=NOW)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(is_active=False)
    achievements.unlock(user, "night_owl", reason="as a present", now=NOW)
    achievements.revoke(user, "night_owl", reason="taken back", now=NOW)
    achievements.unlock(user, "night_owl", reason="after all", now=NOW)
    achievements.revoke(user, "first_scenario", reason="taken back", now=NOW)
    profiles.share(user, is_public=True, showcase=["first_steps"])
    exclusions.exclude(user, reason="a script", now=NOW)
    exclusions.lift(user, reason="it was not", now=NOW)
    Flag.objects.create(user=user, rule="xp_a_day", date=NOW.date(), figure=6_000, expected=5_000, found_at=NOW)
    BoardReader.objects.create(user=user, date=NOW.date())
    QueuedActivity.objects.create(
        user=user,
        kind="words_learned",
        key="words",
        at=NOW,
        enqueued_at=NOW,
        refused_at=NOW,
        code="idempotency_conflict",
    )
    return user


def rows(user: Any = None, *, without: tuple[str, ...] = ("id", "version")) -> dict[str, list[dict[str, Any]]]:
    """Return what all tables of the app hold, of ``user`` or of everybody, in order."""
    found = {}
    for model in apps.get_app_config("gamification").get_models():
        names = [column.attname for column in model._meta.concrete_fields if column.name not in without]
        mine = model._base_manager.all()
        if user is not None:
            if "user_id" not in names:
                continue
            mine = mine.filter(user=user)
        found[model.__name__] = sorted(mine.values(*names), key=repr)
    return found
