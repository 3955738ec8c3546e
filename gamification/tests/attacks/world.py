"""A site with a row in every table, and in every text whatever the attack wants to stand there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from rest_framework.authtoken.models import Token

from gamification import models
from gamification.models.notices import NoticeKind
from gamification.models.xp import Source
from gamification.services import achievements, activities, backfills, excuses, leaderboards, profiles, streaks, xp
from gamification.services.activities import Event
from gamification.tests.factories import condition

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
#: A kind whose data are the project's own affair, and which counts distinct texts.
NOTE = "note"
GAMIFICATION = {
    **settings.GAMIFICATION,
    "ACTIVITY_TYPES": {NOTE: {"counters": {"tags": {"distinct": "tag"}}, "label": "Note"}},
    "LEADERBOARD_COUNTERS": ["scenarios_completed", "tags"],
    "SCOPES": lambda name, viewer: get_user_model()._default_manager.all() if name.startswith("class") else None,
}
Text = Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class World:
    """Who is attacked, and the keys of rows that belong to them, by the names that addresses have for them."""

    bob: Any
    names: dict[str, Any]


def plain(field: str, length: int) -> str:
    return f"some {field}"[:length]


def build(text: Text = plain, *, is_public: bool = True, name: str = "bob") -> World:
    """Make a user with rows in every table; ``text`` returns what stands in a field, of so many characters at most.

    Keys are ASCII whatever ``text`` says, and rules and zones are what they can be.
    """
    achievements.initialize()
    bob = get_user_model()._default_manager.create_user(
        text("username", 150) if name == "bob" else name, email=text("email", 200), password=PASSWORD
    )
    bob.first_name, bob.last_name = text("first name", 150), text("last name", 150)
    bob.save()
    _definition(text)
    own = _history(bob, text)
    own |= _by_staff(bob, text)
    profiles.share(bob, is_public=is_public, showcase=["own"])
    leaderboards.refresh(now=NOON)
    leaderboards.top("xp_all_time", viewer=bob, scope="class 1", now=NOON)
    models.DailyFigure.objects.create(date=NOON.date(), name="xp", label=text("label", 300), value=7, computed_at=NOON)
    models.BoardReader.objects.get_or_create(user=bob, date=NOON.date())
    models.RequestCount.objects.create(ident=f"gamification_write:{bob.pk}", ends_at=NOON, requests=3)
    own["slug"] = models.PublicProfile.objects.get(user=bob).slug
    return World(bob, {"bob": bob.pk, "achievement_id": "own", "metric": "xp_all_time", "password": PASSWORD, **own})


def _definition(text: Text) -> None:
    models.Achievement.objects.create(
        achievement_id="own",
        name=text("name", 200),
        description=text("description", 1000),
        icon=text("icon", 50),
        category="special",
        rarity="epic",
        conditions=condition("tags", 1),
        order=-1,
    )
    models.Achievement.objects.create(
        achievement_id="retired", name=text("name", 200), conditions=condition("tags", 9), is_active=False
    )


def _history(bob: Any, text: Text) -> dict[str, Any]:
    """Have bob act on four days, with a freeze between; return the keys of what was written."""
    data = {"tag": text("tag", 50), "note": text("note", 500), text("member", 100): [text("item", 100)]}
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
    day = models.UserDay.objects.filter(user=bob).latest("date")
    return {
        "activity": models.Activity.objects.filter(user=bob).latest("pk").pk,
        "transaction": award.pk,
        "day": day.pk,
        "counter": models.UserCounter.objects.filter(user=bob).latest("pk").pk,
    }


def _by_staff(bob: Any, text: Text) -> dict[str, Any]:
    """Do for bob all that staff can do, each with a reason; return the keys of what was written."""
    achievements.unlock(bob, "scenario_master", actor=bob, reason=text("grant", 255), now=NOON)
    achievements.unlock(bob, "polyglot", actor=bob, reason=text("grant", 255), now=NOON)
    achievements.revoke(bob, "polyglot", actor=bob, reason=text("revocation", 255), now=NOON)
    excused = excuses.excuse_date(NOON.date() - timedelta(days=9), reason=text("excuse", 255), actor=bob, now=NOON)
    undone = NOON.date() - timedelta(days=8)
    excuses.excuse_date(undone, reason=text("excuse", 255), actor=bob, now=NOON)
    excuses.unexcuse_date(undone, reason=text("undo reason", 255), actor=bob, now=NOON)
    run = backfills.start("centurion", actor=bob, in_background=False, now=NOON)
    models.Achievement.objects.filter(achievement_id="centurion").update(is_active=False)
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
    achievement = models.Achievement.objects.get(achievement_id="own")
    log = LogEntry.objects.create(
        user=bob,
        content_type=ContentType.objects.get_for_model(achievement),
        object_id=achievement.pk,
        object_repr=text("object", 200),
        action_flag=CHANGE,
        change_message=text("message", 500),
    )
    retired = models.Achievement.objects.get(achievement_id="retired")
    unlock = models.UserAchievement.objects.get(user=bob, achievement="own")
    notice = models.Notice.objects.filter(user=bob, kind=NoticeKind.ACHIEVEMENT).latest("pk")
    board = models.LeaderboardCache.objects.create(metric=f"xp_weekly@{text('scope', 100)}", cached_at=NOON)
    return {
        "excused": excused.pk,
        "run": run.pk,
        "queued": queued.pk,
        "achievement": achievement.pk,
        "retired": retired.pk,
        "log": log.pk,
        "unlock": unlock.pk,
        "notice": notice.pk,
        "board": board.pk,
        "figure": 1,
        "group": Group.objects.create(name=text("group", 150)).pk,
        "token": Token.objects.create(user=bob).pk,
        "source": Source.CLIENT.value,
    }


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
    through = (each.through for model in apps.get_app_config("auth").get_models() for each in _many(model))
    return own | {each.__name__: list(each._default_manager.order_by("pk").values()) for each in through}


def _many(model: Any) -> list[Any]:
    return [getattr(model, field.name) for field in model._meta.many_to_many]


def _ascii(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii() and letter.isprintable()) or "key"
