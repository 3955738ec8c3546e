"""Every route and method, and everybody who may knock there: who may pass does, and who may not changes nothing.

The script ``benchmarks.faults.roles`` tries each permission at each door, and methods that no route lists.
"""

from __future__ import annotations

import pytest

from gamification.tests.attacks import callers, doors, roles, world
from gamification.tests.attacks.doors import DOORS

#: The API, and the pages of our own: each asks for a permission that Django would not ask for.
OWN = [
    door for door in DOORS if isinstance(door.who, tuple) and (door.is_of_api or doors.OWN_PAGE.fullmatch(door.route))
]
HERE = "List it with who may pass in gamification/tests/attacks/doors.py; a route of the API in tests/api/table.py."


def test_every_route_is_listed_for_getting_and_posting():
    listed = {(door.method, door.route) for door in DOORS}
    found = {route for route in doors.routes() if not route.startswith(doors.API)}

    missing = {(method, route) for method in ("GET", "POST") for route in found} - listed
    gone = {route for _, route in listed} - set(doors.routes())

    assert not missing, f"Nobody says who may pass {sorted(missing)}. {HERE}"
    assert not gone, f"There is no {sorted(gone)} any more."


@pytest.mark.slow
@pytest.mark.parametrize("role", sorted(set(callers.ROLES) - {"superuser"}))
def test_each_role_passes_where_it_may_and_nowhere_else(role, site):
    user = callers.user_of(role)
    before = world.rows()

    found = roles.wrong(user, DOORS, site.names)

    assert not found, "\n".join(found)
    assert world.rows() == before


@pytest.mark.parametrize("who", sorted({door.who for door in OWN}), ids=" or ".join)
def test_a_permission_opens_its_doors_and_all_the_others_do_not(who, site):
    behind = [door for door in OWN if door.who == who]
    asked = {one for each in who for one in each.split("+")}
    clerks = [callers.with_permissions(*each.split("+")) for each in who]
    clerks.append(callers.with_permissions(*({f"gamification.{one.codename}" for one in callers.OWN} - asked)))
    before = world.rows()

    found = [each for clerk in clerks for each in roles.wrong(clerk, behind, site.names)]

    assert not found, "\n".join(found)
    assert world.rows() == before
