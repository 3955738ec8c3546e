"""A key makes a write happen once."""

from __future__ import annotations

from typing import Any

import pytest

from gamification.models import Activity, XPTransaction
from gamification.services import xp
from gamification.tests.api.conftest import assert_problem, errors_of


@pytest.fixture(params=["xp/award", "activities", "reverse"])
def write(request, trusted, bob):
    """Return a function that sends a write under a key, in the header or in the body."""
    cases: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
        "xp/award": ("xp/award", {"user": bob.user.pk, "amount": 5, "reason": "x"}, {"amount": 6}),
        "activities": ("activities", {"user": bob.user.pk, "kind": "daily_visit"}, {"kind": "study_session"}),
        "reverse": ("", {"reason": "x"}, {"reason": "y"}),
    }
    path, body, other = cases[request.param]
    if not path:
        path = f"xp/transactions/{xp.award(bob.user, 5, reason='x', key='to reverse').transaction.pk}/reverse"

    def _write(key: str | None = None, *, in_body: object = None, is_other: bool = False):
        sent = {**body, **(other if is_other else {}), **({} if in_body is None else {"key": in_body})}
        return trusted.post(path, sent, key=key)

    return _write


def written() -> int:
    return Activity.objects.count() + XPTransaction.objects.count()


def test_the_first_time_is_201_and_no_replay(write):
    response = write("k")

    assert response.status_code == 201
    assert "Idempotent-Replayed" not in response.headers


def test_a_replayed_key_answers_the_same_and_changes_nothing(write):
    first, before = write("k"), written()

    again = write("k")

    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert {**again.json(), "is_replay": None} == {**first.json(), "is_replay": None}
    assert written() == before


def test_the_key_may_stand_in_the_body(write):
    assert write(in_body="k").status_code == 201
    assert write("k").status_code == 200
    assert write("k", in_body="k").status_code == 200


def test_a_key_in_the_header_that_differs_from_the_bodys_is_refused(write):
    before = written()

    response = write("k", in_body="l")

    assert_problem(response, 400, "key_mismatch")
    assert errors_of(response) == [(None, "key", "key_mismatch")]
    assert written() == before


@pytest.mark.parametrize(("header", "body"), [(None, None), ("", None), (None, ""), ("", "")])
def test_without_a_key_nothing_is_written(header, body, write):
    before = written()

    response = write(header, in_body=body)

    assert_problem(response, 400, "key_required")
    assert errors_of(response) == [(None, "key", "key_required")]
    assert written() == before


def test_the_same_key_for_something_else_is_refused(write):
    write("k")
    before = written()

    response = write("k", is_other=True)

    assert response.status_code in {409, 422}
    assert response.json()["code"] in {"idempotency_conflict", "already_reversed"}
    assert written() == before


@pytest.mark.parametrize("key", ["k" * 255, "a b", "~!@#$%^&*()", '"quoted"', "0"])
def test_printable_ascii_is_a_key(key, write):
    assert write(key).status_code == 201
    assert write(in_body=key).status_code == 200


@pytest.mark.parametrize("key", ["k" * 256, "schlüssel", "tab\there", "\x7f"])
def test_anything_else_is_not(key, write):
    response = write(in_body=key)

    assert_problem(response, 400, "invalid")
    assert errors_of(response)[0][1] == "key"


@pytest.mark.parametrize("key", [1, True, None, ["k"], {"k": 1}])
def test_a_key_is_a_text(key, trusted, bob):
    response = trusted.post("xp/award", {"user": bob.user.pk, "amount": 5, "reason": "x", "key": key})

    assert_problem(response, 400, "invalid")
    assert errors_of(response)[0][1] == "key"


def test_keys_of_two_users_do_not_meet(trusted, bob, ada):
    first = trusted.post("xp/award", {"user": bob.user.pk, "amount": 5, "reason": "x"}, key="k")
    second = trusted.post("xp/award", {"user": ada.user.pk, "amount": 5, "reason": "x"}, key="k")

    assert (first.status_code, second.status_code) == (201, 201)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "streaks/update"), ("POST", "achievements/check"), ("GET", "me")]
)
def test_elsewhere_a_key_is_ignored(method, path, ada):
    answers = [ada.call(method, path, key=key) for key in ("k", "k", "\u00e9", "x" * 5000)]

    assert [response.status_code for response in answers] == [200] * 4
    assert not any("Idempotent-Replayed" in response.headers for response in answers)
