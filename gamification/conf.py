"""The project's settings: one ``GAMIFICATION`` dict, read at use, so that ``override_settings`` works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import NoneType
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from gamification.domain import flag_rules
from gamification.domain.activity_types import DERIVED_COUNTERS, SHIPPED, ActivityType
from gamification.domain.levels import DEFAULT_TITLES, LevelTable, level_table
from gamification.domain.limits import LIMITS, Limits

#: Metrics that follow from the streak and the ledger, beside the counters.
STATE_METRICS = ("current_streak", "longest_streak", "active_days", "total_xp_earned", "level")
METRIC_MAX_LENGTH = 150
#: What becomes of achievements that stood on an activity that is voided.
VOID_POLICIES = ("keep", "revoke")

_KIND_KEYS = {"counters", "xp", "schema", "is_multiplied", "label", *LIMITS}
_SHIPPED_BY_NAME = {kind.name: kind for kind in SHIPPED}


@dataclass(frozen=True)
class GamificationSettings:
    """Every setting with its default. Hooks are dotted paths to callables, or None."""

    BASE_XP: int = 100
    LEVEL_MULTIPLIER: str = "1.15"
    MAX_LEVEL: int = 100
    TITLES: tuple[tuple[int, str], ...] = DEFAULT_TITLES
    ACTIVITY_TYPES: Mapping[str, Any] = field(default_factory=dict)
    METRICS: Mapping[str, Any] = field(default_factory=dict)
    SELF_REPORTED_KINDS: tuple[str, ...] = ()
    DEFAULT_TIMEZONE: str = "UTC"
    BACKDATE_DAYS: int = 7
    STREAK_FREEZES: int = 3
    STREAK_FREEZES_MAX: int = 3
    STREAK_FREEZE_EARNED_EVERY: int = 7
    STREAK_AUTO_FREEZE: bool = True
    STREAK_BONUS_PER_DAY: int = 5
    STREAK_BONUS_MAX: int = 50
    VOID_ACHIEVEMENTS: str = "keep"
    LEADERBOARD_BACKEND: str = "gamification.backends.database.DatabaseBackend"
    LEADERBOARD_OPTIONS: Mapping[str, Any] = field(default_factory=dict)
    LEADERBOARD_TTL: int = 900
    LEADERBOARD_MAX_STALENESS: float = 5
    LEADERBOARD_COUNTERS: tuple[str, ...] = ("scenarios_completed",)
    DISPLAY_NAME: str | None = None
    AVATAR_URL: str | None = None
    USER_TIMEZONE: str | None = None
    IS_EXCLUDED: str | None = None
    SCOPES: str | None = None
    APPEND_ONLY_TRIGGERS: bool = False
    FLAG_LIMITS: Mapping[str, int | None] = field(default_factory=dict)
    WEBHOOKS_ALLOW_PRIVATE: bool = False
    WEBHOOKS_TIMEOUT: int = 15

    @property
    def levels(self) -> LevelTable:
        """Return the table of levels that the settings describe; built once for each combination."""
        return level_table(self.BASE_XP, str(self.LEVEL_MULTIPLIER), self.MAX_LEVEL, self.TITLES)

    @property
    def activity_types(self) -> dict[str, ActivityType]:
        """Return the shipped kinds and the project's own, by name."""
        return cast("dict[str, ActivityType]", self.__dict__["_activity_types"])

    @property
    def flag_limits(self) -> dict[str, int | None]:
        """Return the limits of the rules for flags: the shipped ones and the project's own over them."""
        return {**flag_rules.DEFAULT_LIMITS, **self.FLAG_LIMITS}

    @property
    def counters(self) -> frozenset[str]:
        """Return the names of all counters that some kind raises."""
        return frozenset(name for kind in self.activity_types.values() for name in kind.counters)

    @property
    def distinct_counters(self) -> frozenset[str]:
        """Return the counters that count distinct facts, each fact being a counter ``name:fact`` too."""
        return frozenset(name for kind in self.activity_types.values() for name in kind.distinct_counters)

    @property
    def metrics(self) -> frozenset[str]:
        """Return the names that a condition may use; each fact of a distinct counter is one more."""
        return frozenset({*STATE_METRICS, *DERIVED_COUNTERS, *self.counters, *self.METRICS})

    def is_known_metric(self, name: str) -> bool:
        """Tell whether a condition may use ``name``, which can be a fact such as ``languages_practised:es``."""
        counter, separator, fact = name.partition(":")
        if separator:
            is_text = bool(fact) and fact.isprintable() and len(name) <= METRIC_MAX_LENGTH
            return is_text and counter in self.distinct_counters
        return name in self.metrics

    def metric(self, name: str) -> Callable[[Any], int]:
        """Return the project's function from a user to the value of the metric ``name``."""
        found = self.METRICS[name]
        return cast("Callable[[Any], int]", found if callable(found) else import_string(found))

    def hook(self, name: str) -> Callable[..., Any] | None:
        """Return the callable that the hook ``name`` points to, or None."""
        path = getattr(self, name)
        return cast("Callable[..., Any] | None", path if path is None or callable(path) else import_string(path))


NAMES = frozenset(entry.name for entry in fields(GamificationSettings))
_latest: tuple[dict[str, Any], GamificationSettings] | None = None


def get_settings() -> GamificationSettings:
    """Return the settings in force; built again only when ``GAMIFICATION`` has changed."""
    global _latest  # noqa: PLW0603 -- one remembered value, replaced whole
    raw = getattr(settings, "GAMIFICATION", {})
    if _latest is None or _latest[0] != raw:
        _latest = (dict(raw), _build(raw))
    return _latest[1]


def _build(raw: Mapping[str, Any]) -> GamificationSettings:
    known = {name: value for name, value in raw.items() if name in NAMES}
    for name in ("SELF_REPORTED_KINDS", "LEADERBOARD_COUNTERS"):
        if name in known:
            known[name] = tuple(known[name])
    if "TITLES" in known:
        titles = known["TITLES"]
        known["TITLES"] = tuple((int(level), str(title)) for level, title in dict(titles).items())
    built = GamificationSettings(**known)
    if not all(isinstance(known.get(name, {}), Mapping) for name in ("METRICS", "ACTIVITY_TYPES", "FLAG_LIMITS")):
        raise ImproperlyConfigured("GAMIFICATION['METRICS'], ['ACTIVITY_TYPES'] and ['FLAG_LIMITS'] must be dicts.")
    declared = {name: _activity_type(name, spec) for name, spec in built.ACTIVITY_TYPES.items()}
    built.__dict__["_activity_types"] = {**_SHIPPED_BY_NAME, **declared}
    return built


def _activity_type(name: str, spec: Any) -> ActivityType:
    """Return the kind that a project declared as a dict, an ``ActivityType`` or a dotted path to one.

    A dict that holds nothing but limits puts them on the shipped kind of that name.
    """
    if isinstance(spec, str):
        spec = import_string(spec)
    if isinstance(spec, ActivityType):
        return spec
    if not isinstance(spec, Mapping) or not spec.keys() <= _KIND_KEYS:
        raise ImproperlyConfigured(
            f"GAMIFICATION['ACTIVITY_TYPES'][{name!r}] must be a dict with some of {', '.join(sorted(_KIND_KEYS))}."
        )
    if not isinstance(spec.get("counters", {}), Mapping) or not isinstance(spec.get("schema", {}), Mapping | NoneType):
        raise ImproperlyConfigured(f"'counters' and 'schema' of the kind {name!r} must be dicts.")
    limits = Limits(**{limit: spec[limit] for limit in LIMITS if limit in spec})
    if limits and spec.keys() <= set(LIMITS) and name in _SHIPPED_BY_NAME:
        return replace(_SHIPPED_BY_NAME[name], limits=limits)
    xp = spec.get("xp", 0)
    rest = {key: value for key, value in spec.items() if key not in LIMITS}
    return ActivityType(name=name, **{**rest, "xp": import_string(xp) if isinstance(xp, str) else xp}, limits=limits)
