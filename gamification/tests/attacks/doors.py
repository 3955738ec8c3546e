"""Every route and method of the site, and who may pass: a route that is not listed here fails a test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from gamification.tests.api.conftest import BASE
from gamification.tests.api.table import TABLE, filled
from gamification.tests.attacks.world import NOON

ANYBODY, USER, STAFF, NOBODY = "anybody", "user", "staff", "nobody"
API = BASE.lstrip("/")
APP = "gamification."
#: Of a model that has more pages than Django's own.
OWN_PAGE = re.compile(r"admin/gamification/\w+/(?!add/)[a-z-]+/")


@dataclass(frozen=True)
class Door:
    """A method of a route. ``who`` may pass is one of the four above, or permissions of which any is enough.

    Of permissions with ``+`` between all are needed. Who passes is answered ``status``, and ``signed_in`` where that
    is something else for those who are. Who does not is answered ``refused``; left out, what is usual there.
    ``path`` and ``body``, and names in them, are as in the table of the API; other bodies are forms.
    """

    method: str
    route: str
    who: str | tuple[str, ...]
    status: int
    path: str = ""
    body: Any = None
    key: str | None = None
    refused: int | None = None
    signed_in: int | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def is_of_api(self) -> bool:
        return self.route.startswith(API)

    @property
    def is_of_admin(self) -> bool:
        return self.route.startswith("admin/")

    def address(self, names: dict[str, Any]) -> str:
        return f"/{filled(self.path or self.route, names)}"

    def lets_in(self, user: Any) -> bool:
        """Tell whether ``user``, or nobody in particular as None, may pass."""
        if self.who == ANYBODY:
            return True
        if user is None or not user.is_active or self.who == NOBODY:
            return False
        if self.is_of_admin and not user.is_staff:
            return False
        if self.who in (USER, STAFF):
            return True
        return any(all(map(user.has_perm, one.split("+"))) for one in self.who)

    def expected(self, user: Any) -> int:
        """Return the status that ``user`` gets."""
        is_known = user is not None and user.is_active
        if self.lets_in(user):
            is_inside = is_known and (user.is_staff or not self.is_of_admin)
            return self.signed_in if self.signed_in and is_inside else self.status
        if self.is_of_api:
            return 403 if is_known else 401
        if not is_known or (self.is_of_admin and not user.is_staff):
            return 302
        return self.refused or 403


def routes(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[str]:
    """Yield every route of the site."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            assert isinstance(pattern, URLPattern)
            yield route


def _api() -> Iterator[Door]:
    for row in TABLE:
        route = API + re.sub(r"\{(\w+)\}", r"<str:\1>", row.route)
        is_for_all = row.statuses[1] != 403
        who = USER if is_for_all else (APP + row.permission,)
        yield Door(row.method, route, who, row.statuses[-1], API + (row.path or row.route), row.body, row.key)


def _both(route: str, who: str | tuple[str, ...], get: int, post: int, body: Any = None, **others: Any) -> list[Door]:
    return [
        Door("GET", route, who, get, **others),
        Door("POST", route, who, post, body=body if body is not None else {}, **others),
    ]


PAGES = [
    *_both("", ANYBODY, 200, 405),
    *_both("gamification", USER, 200, 405),
    *_both("gamification/", ANYBODY, 302, 302),
    *_both("gamification/achievements", USER, 200, 405),
    *_both("gamification/touch", USER, 405, 302),
    *_both("gamification/freeze", USER, 405, 302),
    *_both("gamification/settings", USER, 200, 302, {"timezone": "UTC"}),
    *_both("gamification/settings/data", USER, 200, 405),
    *_both("gamification/settings/profile", USER, 405, 302, {"is_public": "on"}),
    *_both("gamification/settings/profile/renew", USER, 405, 302),
    *_both("gamification/settings/erase", USER, 405, 302, {"confirmation": "{password}"}),
    *_both("gamification/people/<slug:slug>", ANYBODY, 200, 405, path="gamification/people/{slug}"),
    *_both("gamification/people/<slug:slug>/card.png", ANYBODY, 200, 405, path="gamification/people/{slug}/card.png"),
    *_both("gamification/people/<slug:slug>/card.svg", ANYBODY, 200, 405, path="gamification/people/{slug}/card.svg"),
    *_both("accounts/login/", ANYBODY, 200, 200, {"username": "nobody", "password": "wrong"}, signed_in=302),
    *_both("accounts/logout/", ANYBODY, 405, 302),
    *_both("api/schema/", ANYBODY, 200, 405),
    *_both("api/docs/", ANYBODY, 200, 405),
    *_both("i18n/setlang/", ANYBODY, 302, 302, {"language": "de"}),
    # A host's own page for trying the tags: there while DEBUG is on only.
    *_both("widgets", USER, 404, 405),
    *_both("favicon.ico", ANYBODY, 302, 302),
    *_both("healthz", ANYBODY, 200, 405),
    *_both("metrics", ANYBODY, 404, 405),  # without a token in the settings there is no such page
]


def _stock(
    model: str,
    row: str,
    *,
    app: str = "gamification",
    add: str | tuple[str, ...] = NOBODY,
    change: str | tuple[str, ...] = NOBODY,
    delete: str | tuple[str, ...] = NOBODY,
    view: tuple[str, ...] = (),
    changed: int = 200,
) -> list[Door]:
    """Return the admin's own pages of a model, whose row is ``row`` of the names."""
    base, one = f"admin/{app}/{model}/", f"admin/{app}/{model}/<path:object_id>/"
    view = view or (f"{app}.view_{model}", f"{app}.change_{model}")
    here: dict[str, Any] = {"path": f"admin/{app}/{model}/{{{row}}}/"}
    return [
        *_both(base, view, 200, 200),
        Door("GET", f"{base}add/", add, 200),
        Door("POST", f"{base}add/", add, 200, body={}),
        *_both(f"{one}history/", view, 200, 200, path=f"{here['path']}history/"),
        Door("GET", f"{one}delete/", delete, 200, path=f"{here['path']}delete/"),
        Door(
            "POST", f"{one}delete/", delete, 200 if delete == NOBODY else 302, f"{here['path']}delete/", {"post": "yes"}
        ),
        Door("GET", f"{one}change/", view, 200, path=f"{here['path']}change/"),
        Door("POST", f"{one}change/", change, changed, f"{here['path']}change/", {}),
        *_both(one, STAFF, 302, 302, **here),
    ]


def _page(
    model: str, page: str, who: tuple[str, ...], get: int, post: int, query: str = "", body: Any = None
) -> list[Door]:
    """Return a page of our own; permissions without an app are ours."""
    route = f"admin/gamification/{model}/{page}/"
    return _both(route, tuple(one if "." in one else APP + one for one in who), get, post, body, path=route + query)


def _perms(app: str, verb: str, model: str) -> tuple[str, ...]:
    return (f"{app}.{verb}_{model}",)


DEFINITION = {
    "name": "Another",
    "achievement_id": "another",
    "category": "special",
    "rarity": "common",
    "xp_reward": "10",
    "order": "1",
    "conditions": '{"v": 1, "all": [{"metric": "level", "op": "gte", "value": 90}]}',
}
ANY_DEFINITION = ("view_achievement", "change_achievement")
PICKING = ("auth.view_user", "grant_achievement", "award_xp", "exclude_from_boards")
OWN_ENDPOINT = ("change_webhookendpoint",)
#: Sending again is for those who may see, too, what is sent.
REPLAY_ONE = ("gamification.replay_webhook+gamification.view_webhookdelivery",)
REPLAY = tuple(f"gamification.replay_webhook+gamification.{verb}_webhookendpoint" for verb in ("view", "change"))
AWARD = {"user": "{bob}", "amount": "10", "reason": "a test", "key": "by-hand"}
GRANT = {"user": "{bob}", "achievement": "flawless_master", "reason": "a test"}
REASON = {"reason": "a test"}
DECISION = {"state": "confirmed", **REASON}
SINCE = {"since_0": NOON.date().isoformat(), "since_1": "00:00:00"}
MOVE = {"timezone": "Asia/Tokyo", **REASON}
ON = (NOON.date()).isoformat()

ADMIN = [
    *_both("admin/", STAFF, 200, 200),
    Door("GET", "admin/login/", ANYBODY, 200, signed_in=302),
    Door("POST", "admin/login/", ANYBODY, 200, body={"username": "nobody", "password": "wrong"}),
    *_both("admin/logout/", STAFF, 405, 302),
    *_both("admin/password_change/", STAFF, 200, 200),
    *_both("admin/password_change/done/", STAFF, 200, 405),
    *_both("admin/autocomplete/", STAFF, 403, 405),
    *_both("admin/jsi18n/", STAFF, 200, 405),
    *_both("admin/r/<path:content_type_id>/<path:object_id>/", STAFF, 404, 404, path="admin/r/1/1/"),
    *_both("admin/(?P<url>.*)$", STAFF, 404, 404, path="admin/nothing/at/all/"),
    # What an app holds is shown to who may see any of it.
    *_both("admin/^(?P<app_label>auth|gamification|authtoken)/$", NOBODY, 404, 404, path="admin/nothing/", refused=404),
    *_stock(
        "achievement",
        "retired",
        add=_perms("gamification", "add", "achievement"),
        change=_perms("gamification", "change", "achievement"),
        delete=_perms("gamification", "delete", "achievement"),
    ),
    *_page("achievement", "import", ("gamification.add_achievement+gamification.change_achievement",), 200, 200),
    *_page("achievement", "export", ANY_DEFINITION, 200, 200, body={"format": "csv"}),
    *_page("achievement", "activation", ("change_achievement",), 200, 302, "?ids={retired}"),
    *_page("achievement", "backfill", ("run_backfill",), 200, 302, "?ids={achievement}"),
    *_page("achievement", "check", ("add_achievement", "change_achievement"), 405, 200),
    *_page("achievement", "seed", ("initialize_achievements",), 405, 302),
    *_stock("activity", "activity"),
    *_page("activity", "export", ("view_activity", "change_activity"), 200, 200),
    *_page("activity", "void", ("void_activity",), 200, 302, "?ids={activity}", {"achievements": "keep", **REASON}),
    *_stock("usercounter", "counter"),
    *_stock("userachievement", "unlock"),
    *_page("userachievement", "revoke", ("grant_achievement",), 200, 302, "?ids={unlock}", REASON),
    *_page("userachievement", "grant", ("grant_achievement",), 200, 302, body=GRANT),
    *_page("userachievement", "pick-user", PICKING, 200, 200),
    *_page("userachievement", "pick-achievement", ("view_achievement", "grant_achievement"), 200, 200),
    *_stock("backfillrun", "run"),
    *_page("backfillrun", "go-on", ("run_backfill",), 405, 302, "?ids={run}"),
    *_page("backfillrun", "undo", ("run_backfill",), 200, 302, "?ids={run}"),
    *_stock("queuedactivity", "queued"),
    *_page("queuedactivity", "discard", ("record_activity",), 200, 302, "?ids={queued}", REASON),
    *_stock("excuseddate", "excused"),
    *_page("excuseddate", "undo", ("excuse_date",), 200, 302, "?ids={excused}", REASON),
    *_page("excuseddate", "excuse", ("excuse_date",), 200, 302, body={"date": ON, "confirmed": ON, **REASON}),
    *_page("excuseddate", "resume", ("excuse_date",), 405, 302, "?ids={excused}"),
    *_stock("leaderboardcache", "board"),
    *_page("leaderboardcache", "refresh-all", ("change_leaderboardcache",), 405, 302),
    *_stock("dailyfigure", "figure", view=("gamification.view_dailyfigure",)),
    *_page("dailyfigure", "refresh", ("view_dailyfigure",), 405, 302),
    *_stock("userstreak", "bob"),
    *_page(
        "userstreak",
        "set-timezone",
        ("change_userstreak",),
        200,
        302,
        "?users={bob}",
        {"timezone": "Asia/Tokyo", **REASON},
    ),
    *_stock("userday", "day"),
    *_stock("xptransaction", "transaction"),
    *_page("xptransaction", "reverse", ("reverse_xp",), 200, 302, "?ids={transaction}", REASON),
    *_page("xptransaction", "export", ("view_xptransaction", "change_xptransaction"), 200, 200),
    *_page("xptransaction", "award", ("award_xp",), 200, 302, body=AWARD),
    *_stock("userxp", "bob"),
    *_stock("flag", "flag"),
    *_page("flag", "decide", ("review_flag",), 200, 302, "?ids={flag}", DECISION),
    *_stock("boardexclusion", "exclusion"),
    *_page("boardexclusion", "exclude", ("exclude_from_boards",), 200, 302, body={"user": "{bob}", **REASON}),
    *_page("boardexclusion", "lift", ("exclude_from_boards",), 200, 302, "?ids={exclusion}", REASON),
    *_stock(
        "webhookendpoint",
        "endpoint",
        add=_perms("gamification", "add", "webhookendpoint"),
        change=_perms("gamification", "change", "webhookendpoint"),
        delete=_perms("gamification", "delete", "webhookendpoint"),
    ),
    *_page("webhookendpoint", "secret", OWN_ENDPOINT, 405, 200, "?ids={endpoint}"),
    *_page("webhookendpoint", "rotate", OWN_ENDPOINT, 200, 302, "?ids={endpoint}", {"overlap_hours": "24"}),
    *_page("webhookendpoint", "test", OWN_ENDPOINT, 405, 302, "?ids={endpoint}"),
    *_page("webhookendpoint", "replay", REPLAY, 200, 302, "?ids={endpoint}", SINCE),
    *_stock("webhookdelivery", "delivery", view=("gamification.view_webhookdelivery",)),
    *_page("webhookdelivery", "again", REPLAY_ONE, 405, 302, "?ids={delivery}"),
]
for _app, _model, _row in (("auth", "group", "group"), ("auth", "user", "bob"), ("authtoken", "tokenproxy", "bob")):
    ADMIN += _stock(
        _model,
        _row,
        app=_app,
        add=("auth.add_user+auth.change_user",) if _model == "user" else _perms(_app, "add", _model),
        change=_perms(_app, "change", _model),
        delete=_perms(_app, "delete", _model),
    )
ADMIN += _both(
    "admin/auth/user/<id>/password/", ("auth.change_user",), 200, 200, path="admin/auth/user/{bob}/password/"
)
DOORS = [*PAGES, *_api(), *ADMIN]
