"""The tables. The log, the ledger and the freezes are the source of truth; everything else can be rebuilt from them."""

from gamification.models.achievements import Achievement, UserAchievement
from gamification.models.activities import Activity, UserCounter, VoidedActivity
from gamification.models.backfills import BackfillRun
from gamification.models.backlog import QueuedActivity
from gamification.models.figures import BoardReader, DailyFigure
from gamification.models.guards import BoardExclusion, Flag
from gamification.models.leaderboards import LeaderboardCache
from gamification.models.notices import Notice
from gamification.models.profiles import PublicProfile
from gamification.models.streaks import ExcusedDate, UserDay, UserStreak
from gamification.models.throttles import RequestCount
from gamification.models.webhooks import WebhookDelivery, WebhookEndpoint
from gamification.models.xp import UserXP, XPTransaction

__all__ = [
    "Achievement",
    "Activity",
    "BackfillRun",
    "BoardExclusion",
    "BoardReader",
    "DailyFigure",
    "ExcusedDate",
    "Flag",
    "LeaderboardCache",
    "Notice",
    "PublicProfile",
    "QueuedActivity",
    "RequestCount",
    "UserAchievement",
    "UserCounter",
    "UserDay",
    "UserStreak",
    "UserXP",
    "VoidedActivity",
    "WebhookDelivery",
    "WebhookEndpoint",
    "XPTransaction",
]
