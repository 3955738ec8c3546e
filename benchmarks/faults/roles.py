"""Every route and method, and everybody who may knock there: roles, each permission alone, methods that none lists."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model

from benchmarks.faults.inside import inside
from benchmarks.faults.outcomes import Outcome
from benchmarks.faults.served import databases
from gamification.tests.attacks import callers, roles, world
from gamification.tests.attacks.doors import DOORS


def run(*, is_quick: bool) -> Iterator[Outcome]:
    with databases("SQLite") as urls:
        told = inside(urls["SQLite"], f"{__name__}:knocked", permissions=3 if is_quick else len(roles.PERMISSIONS))
    for name, (tried, found, figures) in told.items():
        if found:
            sys.stderr.write("\n".join(found) + "\n")
        yield Outcome(name, "SQLite", tried, len(found), figures)


def knocked(permissions: int) -> dict[str, tuple[int, list[str], dict[str, Any]]]:
    """Return what was tried, what went wrong, and figures, by the name of the attack."""
    names = world.build().names
    before = world.rows()
    found = [wrong for role in callers.ROLES for wrong in roles.wrong(_made(role), DOORS, names)]
    facts: dict[str, Any] = {"routes": len({door.route for door in DOORS}), "roles": len(callers.ROLES)}
    told = {"roles": (len(callers.ROLES) * len(DOORS), found, facts)}
    clerks = [callers.with_permissions(name) for name in roles.PERMISSIONS[:permissions]]
    # Of what needs several no one of them is enough, which the table says too.
    alone = [wrong for clerk in clerks for wrong in roles.wrong(clerk, DOORS, names)]
    told["each permission alone"] = (len(clerks) * len(DOORS), alone, {"permissions": len(clerks)})
    root = get_user_model()._default_manager.get(username="root")
    others = roles.broken_by_other_methods(root, names, roles.OTHER_METHODS)
    after = world.rows()
    changed = [name for name, rows in before.items() if not _holds(after[name], rows)]
    told["other methods"] = (len({door.route for door in DOORS}) * len(roles.OTHER_METHODS), others + changed, {})
    return told


def _made(role: str) -> Any:
    return callers.user_of(role)


def _holds(rows: list[dict[str, Any]], before: list[dict[str, Any]]) -> bool:
    """Tell whether all that was there before is there as it was; those who knock have rows of their own since."""
    return all(row in rows for row in before)
