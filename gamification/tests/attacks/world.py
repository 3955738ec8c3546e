"""A site with a row in every table, and in every text whatever the attack wants to stand there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from rest_framework.authtoken.models import Token

from gamification import models
from gamification.domain import flag_rules
from gamification.domain.webhooks import EVENT_TYPES
from gamification.models.webhooks import DeliveryStatus, Failure
from gamification.services import (
    achievements,
    activities,
    backfills,
    exclusions,
    excuses,
    flags,
    leaderboards,
    profiles,
    streaks,
    webhooks,
    xp,
)
from gamification.services.activities import Event
from gamification.tests.attacks.declared import NOTE
from gamification.tests.factories import condition

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
Text = Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class World:
    """Who is attacked, and the keys of rows that belong to them, by the names that addresses have for them."""

    bob: Any
    names: dict[str, Any]


def members(name: str, viewer: Any) -> Any:
    """Return who is in a group, as the setting ``SCOPES`` has it."""
    return get_user_model()._default_manager.all() if name.startswith("class") else None


def plain(field: str, length: int) -> str:
    return f"some {field}"[:length]


def build(text: Text = plain, *, is_public: bool = True, number: int = 0) -> World:
    """Make a user with rows in every table; ``text`` returns what stands in a field, of so many characters at most.

    Keys are ASCII whatever ``text`` says, and rules and zones are what they can be. Worlds of another ``number`` can
    stand beside each other, where their texts differ.
    """
    achievements.initialize()
    ids = {"achievement_id": f"own{number or ''}", "retired_id": f"retired{number or ''}"}
    users = get_user_model()._default_manager
    bob: Any = users.create_user(text("username", 150), email=text("email", 200), password=PASSWORD)
    bob.first_name, bob.last_name = text("first name", 150), text("last name", 150)
    bob.save()
    endpoint = _endpoint(text)
    names = _definitions(text, **ids) | _history(bob, text, ids["achievement_id"])
    names |= _of_staff(bob, text, **ids) | _by_staff(bob, text, number) | _guarded(bob, text, number)
    profiles.share(bob, is_public=is_public, showcase=[ids["achievement_id"]])
    leaderboards.refresh(now=NOON)
    leaderboards.top("xp_all_time", viewer=bob, scope="class 1", now=NOON)
    figure = models.DailyFigure.objects.create(
        date=NOON.date(), name="xp", label=text("label", 300), value=7, computed_at=NOON
    )
    models.BoardReader.objects.get_or_create(user=bob, date=NOON.date())
    models.RequestCount.objects.create(ident=f"gamification_write:{bob.pk}", ends_at=NOON, requests=3)
    names |= {"endpoint": endpoint.pk, "delivery": _given_up(bob, endpoint)}
    own = {"bob": bob.pk, "figure": figure.pk, "slug": models.PublicProfile.objects.get(user=bob).slug}
    return World(bob, {"metric": "xp_all_time", "password": PASSWORD, **ids, **names, **own})


def _definitions(text: Text, achievement_id: str, retired_id: str) -> dict[str, Any]:
    """Make a definition that bob meets, and one to be retired once it was back-filled."""
    common = {"category": "special", "rarity": "epic"}
    own = models.Achievement.objects.create(
        achievement_id=achievement_id,
        name=text("name", 200),
        description=text("description", 1000),
        icon=text("icon", 50),
        conditions=condition("tags", 1),
        order=-1,
        **common,
    )
    retired = models.Achievement.objects.create(
        achievement_id=retired_id, name=text("name", 200), conditions=condition("tags", 9), **common
    )
    return {"achievement": own.pk, "retired": retired.pk}


def _history(bob: Any, text: Text, achievement_id: str) -> dict[str, Any]:
    """Have bob act on four days, with a freeze between; return the keys of what was written."""
    tag = "".join(letter for letter in text("tag", 50) if letter.isprintable())  # as a fact has to be
    data = {"tag": tag, "note": text("note", 500), text("member", 100): [text("item", 100)]}
    events = [
        Event(bob, NOTE, f"{_ascii(text('key', 200))}-{days}", data=data, occurred_at=NOON - timedelta(days=days))
        for days in (4, 3, 1, 0)
    ]
    activities.import_events(events, now=NOON)
    perfect = {"difficulty": "advanced", "minutes": 50, "perfect": True, "language": "es"}
    activities.record(bob, "scenario_completed", key="scenario", data=perfect, occurred_at=NOON, now=NOON)
    award = xp.award(
        bob,
        120,
        reason=text("reason", 255),
        key=f"award-{_ascii(text('key', 200))}",
        reference_id=text("reference", 255),
        metadata={text("member", 100): text("metadata", 500)},
        now=NOON,
    ).transaction
    again = xp.award(bob, 30, reason=text("reason", 255), key="again", now=NOON).transaction
    xp.reverse(again, reason=text("reversal", 255), now=NOON)
    streaks.freeze(bob, now=NOON + timedelta(days=1))
    counted = models.Activity.objects.filter(user=bob).latest("pk")
    activities.record(bob, NOTE, key="voided", data=data, occurred_at=NOON, now=NOON)
    fake = models.Activity.objects.filter(user=bob).latest("pk")
    activities.void(fake, reason=text("void reason", 255), actor=bob, now=NOON)
    unlock = models.UserAchievement.objects.get(user=bob, achievement=achievement_id)
    day = models.UserDay.objects.filter(user=bob).latest("date")
    return {
        "activity": counted.pk,
        "transaction": award.pk,
        "unlock": unlock.pk,
        "notice": models.Notice.objects.filter(user=bob).latest("pk").pk,
        "day": day.pk,
        "counter": models.UserCounter.objects.filter(user=bob).latest("pk").pk,
    }


def _of_staff(bob: Any, text: Text, achievement_id: str, retired_id: str) -> dict[str, Any]:
    """Grant and revoke with reasons, and back-fill; return the keys of what was written."""
    achievements.unlock(bob, "scenario_master", actor=bob, reason=text("grant", 255), now=NOON)
    achievements.unlock(bob, "polyglot", actor=bob, reason=text("grant", 255), now=NOON)
    achievements.revoke(bob, "polyglot", actor=bob, reason=text("revocation", 255), now=NOON)
    run = backfills.start(retired_id, actor=bob, in_background=False, now=NOON)
    models.Achievement.objects.filter(achievement_id=retired_id).update(is_active=False)
    own = models.Achievement.objects.get(achievement_id=achievement_id)
    LogEntry.objects.create(
        user=bob,
        content_type=ContentType.objects.get_for_model(own),
        object_id=own.pk,
        object_repr=text("object", 200),
        action_flag=CHANGE,
        change_message=text("message", 500),
    )
    return {"run": run.pk}


def _by_staff(bob: Any, text: Text, number: int) -> dict[str, Any]:
    """Excuse dates with reasons, have an event refused and a board of a group; return the keys of what was written."""
    on = NOON.date() - timedelta(days=9 + 2 * number)
    excused = excuses.excuse_date(on, reason=text("excuse", 255), actor=bob, now=NOON)
    undone = on + timedelta(days=1)
    excuses.excuse_date(undone, reason=text("excuse", 255), actor=bob, now=NOON)
    excuses.unexcuse_date(undone, reason=text("undo reason", 255), actor=bob, now=NOON)
    queued = models.QueuedActivity.objects.create(
        user=bob,
        kind=text("kind", 100),
        key=_ascii(text("key", 200)),
        data=text("data", 1000),
        at=NOON,
        enqueued_at=NOON,
        refused_at=NOON,
        code="idempotency_conflict",
        reason=text("refusal", 500),
    )
    board = models.LeaderboardCache.objects.create(metric=f"xp_weekly@{text('scope', 100)}", cached_at=NOON)
    return {
        "excused": excused.pk,
        "queued": queued.pk,
        "board": board.pk,
        "group": Group.objects.create(name=text("group", 150)).pk,
        "token": Token.objects.create(user=bob).pk,
    }


def _guarded(bob: Any, text: Text, number: int) -> dict[str, Any]:
    """Flag bob, decide on it, exclude and readmit him, and exclude somebody else for good; return the keys."""
    flag = models.Flag.objects.create(
        user=bob, rule=flag_rules.XP_A_DAY, date=NOON.date(), figure=9000, expected=5000, found_at=NOON
    )
    flags.decide(flag, "open", note=text("decision", 255), actor=bob, now=NOON)
    exclusions.exclude(bob, reason=text("exclusion", 255), actor=bob, now=NOON)
    exclusions.lift(bob, reason=text("readmission", 255), actor=bob, now=NOON)
    other: Any = get_user_model()._default_manager.create_user(f"excluded{number or ''}")
    exclusion = exclusions.exclude(other, reason=text("exclusion", 255), actor=bob, now=NOON)
    return {"flag": flag.pk, "exclusion": exclusion.pk}


def _endpoint(text: Text) -> models.WebhookEndpoint:
    """Make an endpoint that is told of everything; its address is any text, though no form would take it."""
    endpoint = models.WebhookEndpoint(
        url=text("URL", 500), description=text("endpoint", 255), event_types=list(EVENT_TYPES)
    )
    webhooks.begin(endpoint)
    endpoint.save()
    return endpoint


def _given_up(bob: Any, endpoint: models.WebhookEndpoint) -> int:
    """Have the newest delivery about bob given up, and return its key."""
    delivery = models.WebhookDelivery.objects.filter(endpoint=endpoint, user=bob).latest("pk")
    delivery.status, delivery.last_failure, delivery.attempts = DeliveryStatus.FAILED, Failure.TIMEOUT, 8
    delivery.save()
    return delivery.pk


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return every row of the app's tables and of those that say who may do what, by table.

    How often and when somebody asked or signed in is nobody's secret, and left out.
    """
    incidental = {"RequestCount", "BoardReader", "LeaderboardCache", "DailyFigure"}
    found = [each for each in apps.get_app_config("gamification").get_models() if each.__name__ not in incidental]
    found += [*apps.get_app_config("auth").get_models(), LogEntry, Token]
    own = {each.__name__: list(each._default_manager.order_by("pk").values()) for each in found}
    for user in own[get_user_model().__name__]:
        del user["last_login"]
    for entry in own[LogEntry.__name__]:
        del entry["action_time"]
    through = (each.through for model in apps.get_app_config("auth").get_models() for each in _many(model))
    return own | {each.__name__: list(each._default_manager.order_by("pk").values()) for each in through}


def _many(model: Any) -> list[Any]:
    return [getattr(model, field.name) for field in model._meta.many_to_many]


def _ascii(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii() and letter.isprintable()) or "key"
