"""The admin: a module a topic. Importing it registers everything."""

from django.core.checks import Tags, register

from gamification.admin import (
    achievements,
    activities,
    backfills,
    backlog,
    deliveries,
    excuses,
    guards,
    leaderboards,
    monitoring,
    streaks,
    unlocks,
    webhooks,
    xp,
)
from gamification.admin.logins import check_admin_login
from gamification.admin.users import GamificationUserAdminMixin, check_user_admin

__all__ = [
    "GamificationUserAdminMixin",
    "achievements",
    "activities",
    "backfills",
    "backlog",
    "deliveries",
    "excuses",
    "guards",
    "leaderboards",
    "monitoring",
    "streaks",
    "unlocks",
    "webhooks",
    "xp",
]

register(check_user_admin, Tags.admin)
register(check_admin_login, Tags.security, deploy=True)
