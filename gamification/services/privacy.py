"""A person's data: to take away, to be forgotten, to be seen by others or not."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models, transaction

from gamification.backends import get_backend
from gamification.backends.reads import tally
from gamification.engine import announcing, cards, mentions, players, saving
from gamification.models import (
    Activity,
    BackfillRun,
    BoardExclusion,
    BoardReader,
    ExcusedDate,
    Flag,
    Notice,
    PublicProfile,
    QueuedActivity,
    RequestCount,
    UserAchievement,
    UserCounter,
    UserDay,
    UserStreak,
    UserXP,
    VoidedActivity,
    WebhookDelivery,
    XPTransaction,
)
from gamification.models.append_only import AppendOnlyQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

#: Every table that holds rows of a person, with the order they are told in. Rows refer only to tables above
#: their own, so that they are erased from the last table to the first.
TABLES: dict[str, tuple[type[models.Model], str]] = {
    "streak": (UserStreak, "user_id"),
    "xp": (UserXP, "user_id"),
    "counters": (UserCounter, "name"),
    "days": (UserDay, "date"),
    "achievements": (UserAchievement, "achievement_id"),
    "activities": (Activity, "id"),
    "voided_activities": (VoidedActivity, "id"),
    "xp_transactions": (XPTransaction, "id"),
    "backlog": (QueuedActivity, "id"),
    "notices": (Notice, "id"),
    "board_reads": (BoardReader, "date"),
    "profile": (PublicProfile, "slug"),
    "flags": (Flag, "id"),
    "board_exclusions": (BoardExclusion, "id"),
    "webhooks": (WebhookDelivery, "id"),
}
IDS_AT_ONCE = 1000
#: What only serves us, and who of the staff decided.
INTERNAL = {"user", "content_hash", "outcome", "version", "actor", "decided_by", "excluded_by", "lifted_by"}


def export(user: AbstractBaseUser) -> dict[str, list[dict[str, Any]]]:
    """Return every row of ``user`` by table, ready to be written as JSON with Django's encoder.

    How far somebody is with a hidden achievement stays a secret until it is unlocked.
    """
    told = {
        name: model._default_manager.filter(user_id=user.pk).order_by(order) for name, (model, order) in TABLES.items()
    }
    told["achievements"] = told["achievements"].exclude(achievement__is_hidden=True, unlocked_at__isnull=True)
    return {name: [_plain(row) for row in rows] for name, rows in told.items()}


def erase(user: AbstractBaseUser, *, actor: AbstractBaseUser | None = None) -> dict[str, int]:
    """Delete everything that is kept about ``user`` and return how many rows of each table; the account itself stays.

    Snapshots of boards are dropped, and the texts of admin log entries about the person emptied; out of the others, and
    of reasons of excused dates, their name is taken. ``actor`` is who asked.
    """
    with transaction.atomic():
        players.lock([user])
        _empty_texts(user)
        slugs = list(PublicProfile.objects.filter(user_id=user.pk).values_list("slug", flat=True))
        transaction.on_commit(lambda: cards.forget(slugs), robust=True)
        erased = {name: _erase(model, user) for name, (model, _) in reversed(TABLES.items())}
        XPTransaction.objects.filter(actor_id=user.pk).forget_actor()
        VoidedActivity.objects.filter(actor_id=user.pk).forget_actor()
        ExcusedDate.objects.filter(excused_by_id=user.pk).update(excused_by=None)
        BackfillRun.objects.filter(started_by_id=user.pk).update(started_by=None)
        BackfillRun.objects.filter(undone_by_id=user.pk).update(undone_by=None)
        ExcusedDate.objects.filter(undone_by_id=user.pk).update(undone_by=None)
        Flag.objects.filter(decided_by_id=user.pk).update(decided_by=None)
        BoardExclusion.objects.filter(excluded_by_id=user.pk).update(excluded_by=None)
        BoardExclusion.objects.filter(lifted_by_id=user.pk).update(lifted_by=None)
        RequestCount.objects.filter(ident__endswith=f":{user.pk}").delete()
        tally.forget(user.pk)
        get_backend().forget(user.pk)
    return erased


def _erase(model: type[models.Model], user: AbstractBaseUser) -> int:
    rows = model._default_manager.filter(user_id=user.pk)
    return rows.erase() if isinstance(rows, AppendOnlyQuerySet) else rows.delete()[0]


def set_visibility(user: AbstractBaseUser, visible: bool) -> None:
    """Show ``user`` on leaderboards, or hide them at once; they still see a rank of their own."""
    with transaction.atomic():
        player = players.lock([user])[user.pk]
        if player.xp.is_visible != visible:
            player.xp.is_visible = visible
            saving.save({user.pk: player})
            announcing.after_commit([player])


def is_visible(user: AbstractBaseUser) -> bool:
    """Tell whether ``user`` chose to be shown on leaderboards, which is the case until they choose otherwise."""
    return not UserXP.objects.filter(user_id=user.pk, is_visible=False).exists()


def why_unlisted(user: AbstractBaseUser) -> str:
    """Return why others do not see ``user`` on leaderboards: ``choice``, ``excluded``, or an empty text: they do."""
    row = UserXP.objects.hidden().filter(user_id=user.pk).values_list("is_visible", flat=True).first()
    return "" if row is None else "excluded" if row else "choice"


def _plain(row: models.Model) -> dict[str, Any]:
    """Return a row's own columns, without what only serves us."""
    names = [column.name for column in row._meta.concrete_fields if column.name not in INTERNAL]
    values = {column.name: column.value_from_object(row) for column in row._meta.concrete_fields}
    return {name: values[name] for name in names}


def _empty_texts(user: AbstractBaseUser) -> None:
    """Empty the texts of what staff wrote about ``user``, and take the name out of all others."""
    mentions.redact(mentions.names_of(user))
    if not apps.is_installed("django.contrib.admin"):
        return
    mentions.empty_log(get_user_model(), [user.pk])
    for model, _ in TABLES.values():
        ids = model._default_manager.filter(user_id=user.pk).values_list("pk", flat=True).iterator()
        while part := list(islice(ids, IDS_AT_ONCE)):
            mentions.empty_log(model, part)
