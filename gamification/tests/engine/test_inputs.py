from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamification.domain.activity_types import SHIPPED
from gamification.engine import inputs
from gamification.exceptions import InvalidInput, KeyRequired, UnknownTimezone
from gamification.tests.properties import PURE

# Too long to be written out, even by pytest.
HUGE = pytest.param(10**5000, id="huge")
KINDS = {kind.name: kind for kind in SHIPPED}


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"in": value}
    return value


# Keys


@pytest.mark.parametrize("key", ["a", "a" * 255, "visit:2026-06-01", "~!@ #", "0"])
def test_a_key_is_1_to_255_printable_ascii_characters(key):
    assert inputs.clean_key(key) == key


@pytest.mark.parametrize("key", [None, ""])
def test_a_missing_key_is_asked_for(key):
    with pytest.raises(KeyRequired) as refused:
        inputs.clean_key(key)

    assert (refused.value.code, refused.value.status_code, refused.value.field) == ("key_required", 400, "key")


@pytest.mark.parametrize("key", ["a" * 256, "ä", "a\n", "a\x00", "a\t", "\x7f", "\ud800", "🔑", 5, True, b"a", ["a"]])
def test_a_key_of_another_form_is_refused(key):
    with pytest.raises(InvalidInput) as refused:
        inputs.clean_key(key)

    assert (refused.value.code, refused.value.field) == ("invalid", "key")


# Whole numbers


@pytest.mark.parametrize("value", [1, 5, 10])
def test_a_whole_number_in_range_is_taken(value):
    assert inputs.clean_whole(value, "amount", low=1, high=10) == value


@pytest.mark.parametrize(
    "value",
    [0, 11, True, "5", 5.0, 10.5, float("nan"), float("inf"), 2**63, -(2**63), None, [5], b"5", HUGE],
)
def test_anything_but_a_whole_number_in_range_is_refused(value):
    with pytest.raises(InvalidInput) as refused:
        inputs.clean_whole(value, "amount", low=1, high=10)

    assert refused.value.field == "amount"


# Texts


def test_a_text_loses_the_white_space_around_it():
    assert inputs.clean_text("  for helping \n", "reason") == "for helping"


@pytest.mark.parametrize("value", ["", "   ", "\n"])
def test_a_required_text_must_not_be_empty(value):
    with pytest.raises(InvalidInput):
        inputs.clean_text(value, "reason")

    assert inputs.clean_text(value, "reason", required=False) == ""


@pytest.mark.parametrize("value", ["a" * 256, "a\x00", "\ud800", None, 5, True, ["a"]])
def test_a_text_that_cannot_be_stored_is_refused(value):
    with pytest.raises(InvalidInput) as refused:
        inputs.clean_text(value, "reason", required=False)

    assert refused.value.field == "reason"


# Objects


def test_no_object_stands_for_an_empty_one():
    assert inputs.clean_object(None, "data") == {}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ([], "data"),
        ("x", "data"),
        (5, "data"),
        ({"a": "\x00"}, "data.a"),
        ({"a": ["x", "\ud800"]}, "data.a[1]"),
        ({"a": {"b\x00": 1}}, "data.a"),
        ({"a": float("nan")}, "data.a"),
        ({"a": float("inf")}, "data.a"),
        ({"a": 2**63 + 1}, "data.a"),
        ({"a": 10**5000}, "data.a"),
        ({"a": object()}, "data.a"),
        ({"a": b"x"}, "data.a"),
        ({"a": {1: 2}}, "data.a"),
        ({"a": "x" * 5000}, "data"),
        ({"a": "ä" * 2500}, "data"),
    ],
)
def test_an_object_that_cannot_be_stored_is_refused_with_the_place(value, place):
    with pytest.raises(InvalidInput) as refused:
        inputs.clean_object(value, "data")

    assert refused.value.field == place


def test_an_object_may_be_eight_deep_and_not_nine():
    assert inputs.clean_object(nested(8), "data")

    with pytest.raises(InvalidInput):
        inputs.clean_object(nested(9), "data")
    with pytest.raises(InvalidInput):
        inputs.clean_object(nested(100_000), "data")


def test_an_object_that_holds_itself_is_refused():
    value: dict[str, Any] = {}
    value["me"] = value

    with pytest.raises(InvalidInput):
        inputs.clean_object(value, "data")


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.binary(max_size=2)


@PURE
@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=4), inner), max_leaves=20))
def test_whatever_comes_in_is_taken_as_it_is_or_refused_with_a_sentence(value):
    try:
        cleaned = inputs.clean_object(value, "data")
    except InvalidInput as refused:
        assert refused.field.startswith("data")
        assert refused.message.endswith(".")
    else:
        assert cleaned == (value or {})
        assert inputs.canonical(cleaned) == inputs.canonical(value or {})


# Moments


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 6, 1, 14, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2026, 6, 1, 12, tzinfo=UTC),
        datetime(2026, 6, 1, 17, 45, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    ],
)
def test_a_moment_is_taken_in_utc(value):
    moment = inputs.clean_moment(value)

    assert moment == datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert moment is not None
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 6, 1),  # noqa: DTZ001 -- without an offset is the point
        "2026-06-01T12:00:00Z",
        1_780_000_000,
        datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=1))),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        datetime(9000, 1, 1, tzinfo=UTC),
    ],
)
def test_a_moment_without_offset_or_out_of_all_bounds_is_refused(value):
    with pytest.raises(InvalidInput) as refused:
        inputs.clean_moment(value)

    assert refused.value.field == "occurred_at"


# Zones


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Argentina/Ushuaia"])
def test_a_zone_goes_by_its_iana_name(name):
    assert inputs.clean_timezone(name).key == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "+02:00", "UTC+2", "CEST", "europe/berlin", "Europe/", "../../etc/passwd", "/etc/localtime", "a\x00"),
        *("\ud800", "Mars/Olympus", "localtime", "posixrules", None, 2, True, ["UTC"], {}),
    ],
)
def test_anything_else_is_an_unknown_timezone(name):
    with pytest.raises(UnknownTimezone) as refused:
        inputs.clean_timezone(name)

    assert (refused.value.code, refused.value.status_code) == ("unknown_timezone", 422)
    refused.value.message.encode()


# The data of the shipped kinds


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("scenario_completed", {}),
        ("scenario_completed", {"difficulty": "advanced", "minutes": 1440, "perfect": False, "language": "zh-Hant-TW"}),
        ("conversation_completed", {"minutes": 0}),
        ("study_session", {"minutes": 1440}),
        ("words_learned", {}),
        ("daily_visit", {}),
    ],
)
def test_data_that_fits_its_kind_is_taken(kind, data):
    inputs.check_data(KINDS[kind], data)


@pytest.mark.parametrize(
    ("kind", "data", "place"),
    [
        ("scenario_completed", {"difficulty": "hard"}, "data.difficulty"),
        ("scenario_completed", {"difficulty": None}, "data.difficulty"),
        ("scenario_completed", {"difficulty": ["advanced"]}, "data.difficulty"),
        ("scenario_completed", {"minutes": -1}, "data.minutes"),
        ("scenario_completed", {"minutes": 1441}, "data.minutes"),
        ("scenario_completed", {"minutes": True}, "data.minutes"),
        ("scenario_completed", {"minutes": 10.0}, "data.minutes"),
        ("scenario_completed", {"minutes": "10"}, "data.minutes"),
        ("scenario_completed", {"minutes": None}, "data.minutes"),
        ("scenario_completed", {"perfect": 1}, "data.perfect"),
        ("scenario_completed", {"perfect": "true"}, "data.perfect"),
        ("scenario_completed", {"language": ""}, "data.language"),
        ("scenario_completed", {"language": "español"}, "data.language"),
        ("scenario_completed", {"language": "es_MX"}, "data.language"),
        ("scenario_completed", {"language": "e"}, "data.language"),
        ("scenario_completed", {"language": "es-" + "a" * 40}, "data.language"),
        ("scenario_completed", {"language": 5}, "data.language"),
        ("scenario_completed", {"languages": "es"}, "data"),
        ("conversation_completed", {"difficulty": "advanced"}, "data"),
        ("words_learned", {"quantity": 5}, "data"),
        ("daily_visit", {"minutes": 5}, "data"),
    ],
)
def test_data_that_does_not_fit_its_kind_is_refused_with_the_place(kind, data, place):
    with pytest.raises(InvalidInput) as refused:
        inputs.check_data(KINDS[kind], data)

    assert refused.value.field == place
    assert refused.value.message.startswith(place)


# What counts as the same request


def test_the_order_of_names_and_what_is_absent_make_no_difference():
    given_whole = inputs.content_hash(kind="a", data={"x": 1, "y": [1, 2]}, occurred_at=None, reference_id="")

    assert given_whole == inputs.content_hash(data={"y": [1, 2], "x": 1}, kind="a")
    assert inputs.content_hash(kind="a", data={}) == inputs.content_hash(kind="a", data=None)


@pytest.mark.parametrize("other", [{"amount": 0}, {"amount": False}, {"amount": "0"}, {"amount": [0]}])
def test_what_is_not_absent_makes_a_difference(other):
    hashes = {inputs.content_hash(kind="a"), inputs.content_hash(kind="a", **other)}

    assert len(hashes) == 2


def test_the_same_instant_in_another_zone_is_the_same_content():
    berlin = datetime(2026, 6, 1, 14, tzinfo=ZoneInfo("Europe/Berlin"))

    assert inputs.content_hash(at=berlin) == inputs.content_hash(at=datetime(2026, 6, 1, 12, tzinfo=UTC))


@PURE
@given(
    st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3)),
    st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3)),
)
def test_other_data_is_other_content(one, other):
    assert (inputs.content_hash(data=one) == inputs.content_hash(data=other)) is (one == other)
