"""Webhooks by the rules of Standard Webhooks 1.0: what can be told, how it is signed, when it is tried again."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

#: Every type of event that an endpoint can ask for, in the order of lists.
EVENT_TYPES = (
    "activity.recorded",
    "activity.voided",
    "xp.awarded",
    "xp.reversed",
    "level.up",
    "achievement.unlocked",
    "achievement.revoked",
    "streak.started",
    "streak.increased",
    "streak.broken",
    "streak.frozen",
    "freeze.used",
)
#: What staff send to see that an endpoint listens; every endpoint gets it when it is asked for.
TEST = "webhook.test"

SECRET_PREFIX = "whsec_"  # nosec B105  # noqa: S105 -- how a secret is known as one
SECRET_BYTES = 32

#: Seconds to wait after the first failure, the second ...; as many tries are left as there are waits.
WAITS = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
#: Each wait is made up to this much longer, so that what failed together does not come back together.
JITTER = 0.2
#: An endpoint without one success for as long is switched off: before the last try of any event, so that none is given
#: up because of it.
FAILING_FOR = timedelta(hours=72)
#: How long a whole endpoint rests at most, whatever it asks for, and an event.
PAUSE_MAX = timedelta(minutes=5)
RETRY_AFTER_MAX = timedelta(hours=1)
#: Answers that say that the endpoint is in trouble, and not that something is wrong with one event.
TROUBLED = frozenset({429, 502, 503, 504})
GONE = 410


def secret_of(random: bytes) -> str:
    """Return 32 random bytes in the form that a secret is handed over in."""
    return SECRET_PREFIX + base64.b64encode(random).decode()


def signatures(secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header ``webhook-signature``: one signature for each of the secrets in force, the newest first."""
    content = f"{message_id}.{timestamp}.".encode() + body
    keys = (base64.b64decode(secret.removeprefix(SECRET_PREFIX)) for secret in secrets)
    signed = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(each).decode()}" for each in signed)


def wait(attempts: int, chance: float) -> timedelta | None:
    """Return how long to wait after so many failed attempts; None when that was the last.

    ``chance`` is from 0 to 1, and says how much longer than the schedule.
    """
    if attempts > len(WAITS):
        return None
    return timedelta(seconds=WAITS[attempts - 1] * (1 + JITTER * chance))


def pause(troubles: int) -> timedelta:
    """Return how long an endpoint rests that was in trouble so often in a row: 1 second, 2, 4 ... up to 5 minutes."""
    return min(timedelta(seconds=2 ** min(troubles - 1, 20)), PAUSE_MAX)


def retry_after(header: str, now: datetime) -> timedelta:
    """Return what the header ``Retry-After`` asks for, seconds or a date, between nothing and an hour."""
    try:
        asked = timedelta(seconds=int(header)) if header.isdecimal() else parsedate_to_datetime(header) - now
    except (ValueError, TypeError, OverflowError):
        return timedelta(0)
    return min(max(asked, timedelta(0)), RETRY_AFTER_MAX)


def is_success(status: int | None) -> bool:
    """Tell whether an answer with ``status`` says that the event was taken."""
    return status is not None and 200 <= status < 300


def is_trouble(status: int | None) -> bool:
    """Tell whether ``status``, None without an answer, is about the endpoint and not about one event."""
    return status is None or status in TROUBLED
