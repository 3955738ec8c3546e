from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamification.domain.conditions import Group, Progress, compile_condition
from gamification.exceptions import InvalidCondition

KNOWN = {"words", "level", "days"}


def clause(metric: Any = "words", value: Any = 10, op: Any = "gte") -> dict[str, Any]:
    return {"metric": metric, "op": op, "value": value}


def compiled(raw: object) -> Group:
    return compile_condition(raw, is_known=KNOWN.__contains__)


def refusal(raw: object) -> str:
    with pytest.raises(InvalidCondition) as refused:
        compiled(raw)
    assert (refused.value.code, refused.value.status_code) == ("invalid_condition", 400)
    return refused.value.message


def nested(depth: int) -> dict[str, Any]:
    """Return a condition of ``depth`` groups, one in the other."""
    inner: dict[str, Any] = {"any": [clause()]}
    for _ in range(depth - 1):
        inner = {"any": [inner]}
    return {"v": 1, **inner}


# What is refused


@pytest.mark.parametrize(
    "raw", [None, [], "x", 1, True, [{"v": 1}]], ids=["null", "list", "text", "number", "truth", "list of one"]
)
def test_a_condition_that_is_no_object_is_refused(raw):
    assert "must be an object" in refusal(raw)


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ({"all": [clause()]}, "conditions.v"),
        ({"v": 2, "all": [clause()]}, "conditions.v"),
        ({"v": "1", "all": [clause()]}, "conditions.v"),
        ({"v": True, "all": [clause()]}, "conditions.v"),
        ({"v": 1.0, "all": [clause()]}, "conditions.v"),
        ({"v": 1}, "conditions:"),
        ({"v": 1, "all": [clause()], "any": [clause()]}, "conditions:"),
        ({"v": 1, "none": [clause()]}, "conditions:"),
        ({"v": 1, "all": [clause()], "extra": 1}, "conditions:"),
        ({"v": 1, "all": []}, "conditions.all"),
        ({"v": 1, "any": {}}, "conditions.any"),
        ({"v": 1, "any": clause()}, "conditions.any"),
        ({"v": 1, "all": [clause(), "words >= 10"]}, "conditions.all[1]"),
        ({"v": 1, "all": [None]}, "conditions.all[0]"),
        ({"v": 1, "all": [{}]}, "conditions.all[0]"),
        ({"v": 1, "all": [{"metric": "words", "value": 1}]}, "conditions.all[0]"),
        ({"v": 1, "all": [{**clause(), "unless": 1}]}, "conditions.all[0]"),
        ({"v": 1, "all": [{**clause(), "all": [clause()]}]}, "conditions.all[0]"),
        ({"v": 1, "all": [{"any": [clause()], "all": [clause()]}]}, "conditions.all[0]"),
        ({"v": 1, "all": [{"any": [clause()], "v": 1}]}, "conditions.all[0]"),
        ({"v": 1, "all": [{"any": []}]}, "conditions.all[0].any"),
        ({"v": 1, "all": [clause(), {"any": [clause(), clause("gold")]}]}, "conditions.all[1].any[1].metric"),
        ({"v": 1, "all": [clause("gold")]}, "conditions.all[0].metric"),
        ({"v": 1, "all": [clause("__class__")]}, "conditions.all[0].metric"),
        ({"v": 1, "all": [clause("user__password")]}, "conditions.all[0].metric"),
        ({"v": 1, "all": [clause("{0.__class__}")]}, "conditions.all[0].metric"),
        ({"v": 1, "all": [clause("words\x00")]}, "conditions.all[0].metric"),
        ({"v": 1, "all": [clause("Words")]}, "conditions.all[0].metric"),
        ({"v": 1, "all": [clause("")]}, "conditions.all[0].metric"),
        ({"v": 1, "all": [clause(None)]}, "conditions.all[0].metric"),
        ({"v": 1, "all": [clause(["words"])]}, "conditions.all[0].metric"),
        ({"v": 1, "all": [clause(op="lte")]}, "conditions.all[0].op"),
        ({"v": 1, "all": [clause(op=None)]}, "conditions.all[0].op"),
        ({"v": 1, "all": [clause(op=["gte"])]}, "conditions.all[0].op"),
        ({"v": 1, "all": [clause(value=0)]}, "conditions.all[0].value"),
        ({"v": 1, "all": [clause(value=-1)]}, "conditions.all[0].value"),
        ({"v": 1, "all": [clause(value=10**12 + 1)]}, "conditions.all[0].value"),
        ({"v": 1, "all": [clause(value=True)]}, "conditions.all[0].value"),
        ({"v": 1, "all": [clause(value=1.0)]}, "conditions.all[0].value"),
        ({"v": 1, "all": [clause(value=1.5)]}, "conditions.all[0].value"),
        ({"v": 1, "all": [clause(value=float("nan"))]}, "conditions.all[0].value"),
        ({"v": 1, "all": [clause(value=float("inf"))]}, "conditions.all[0].value"),
        ({"v": 1, "all": [clause(value="10")]}, "conditions.all[0].value"),
        ({"v": 1, "all": [clause(value=None)]}, "conditions.all[0].value"),
    ],
)
def test_a_refusal_names_the_place(raw, place):
    assert refusal(raw).startswith(place)


def test_a_refusal_holds_place_and_rule_for_forms_to_show():
    with pytest.raises(InvalidCondition) as refused:
        compiled({"v": 1, "all": [clause(), {"any": [clause(value=0)]}]})

    assert refused.value.place == "all[1].any[0].value"
    assert refused.value.rule == "must be a whole number from 1 to 1,000,000,000,000"


@pytest.mark.parametrize("metric", ["\ud800", "words\udfff", "\udc00words"])
def test_a_lone_surrogate_is_refused_with_its_place(metric):
    message = refusal({"v": 1, "all": [clause(), clause(metric)]})

    assert message.startswith("conditions.all[1].metric")
    message.encode()


@pytest.mark.parametrize("name", ["\x00", "\ud800", "ключ"])
def test_an_unknown_name_is_shown_in_a_form_that_can_be_printed(name):
    message = refusal({"v": 1, "all": [{**clause(), name: 1}]})

    message.encode("ascii")


def test_three_groups_in_one_another_are_accepted_and_a_fourth_is_refused():
    assert compiled(nested(3)).metrics() == {"words"}

    assert refusal(nested(4)).startswith("conditions.any[0].any[0].any[0]: is nested more than 3 deep")


@pytest.mark.parametrize("depth", [100, 5_000, 100_000])
def test_a_very_deep_condition_is_refused_and_not_a_crash(depth):
    assert refusal(nested(depth))


def test_twenty_clauses_are_accepted_and_twenty_one_refused():
    assert compiled({"v": 1, "all": [clause()] * 20})

    assert "more than 20 clauses" in refusal({"v": 1, "all": [clause()] * 21})


def test_clauses_are_counted_through_all_groups():
    groups = [{"any": [clause()] * 7} for _ in range(3)]

    assert "more than 20 clauses" in refusal({"v": 1, "all": groups})


def test_more_than_four_kilobytes_are_refused_and_somewhat_less_accepted():
    def is_known(name: str) -> bool:
        return name.isalpha()

    def of_size(letters: int) -> dict[str, Any]:
        return {"v": 1, "all": [clause("ä" * letters, 1)]}

    assert len(json.dumps(of_size(1990), ensure_ascii=False).encode()) < 4096
    assert compile_condition(of_size(1990), is_known=is_known)
    with pytest.raises(InvalidCondition, match="4096 bytes"):
        compile_condition(of_size(2048), is_known=is_known)


def test_the_greatest_value_is_a_million_millions():
    group = compiled({"v": 1, "all": [clause(value=10**12)]})

    assert group.is_met({"words": 10**12})
    assert not group.is_met({"words": 10**12 - 1})


def test_a_condition_that_holds_itself_is_refused():
    raw: dict[str, Any] = {"v": 1, "all": [clause()]}
    raw["all"].append({"any": raw["all"]})

    assert refusal(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(clause()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["v", "all", "any", "metric", "op", "value", "\x00"]) | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_comes_in_is_compiled_or_refused_with_a_sentence(raw):
    try:
        group = compiled(raw)
    except InvalidCondition as refused:
        assert refused.message.endswith(".")
        refused.message.encode()
    else:
        assert group.metrics() <= KNOWN


# What holds, and how far


@pytest.mark.parametrize(
    ("joined_by", "values", "is_met"),
    [
        ("all", {"words": 10, "days": 5}, True),
        ("all", {"words": 9, "days": 5}, False),
        ("all", {"words": 10}, False),
        ("any", {"words": 10}, True),
        ("any", {"days": 99}, True),
        ("any", {"words": 9, "days": 4}, False),
        ("any", {}, False),
    ],
)
def test_all_needs_every_part_and_any_needs_one(joined_by, values, is_met):
    group = compiled({"v": 1, joined_by: [clause("words", 10), clause("days", 5)]})

    assert group.is_met(values) is is_met


def test_groups_can_be_mixed():
    group = compiled({"v": 1, "all": [clause("level", 3), {"any": [clause("words", 10), clause("days", 5)]}]})

    assert group.is_met({"level": 3, "days": 5})
    assert not group.is_met({"level": 3})
    assert not group.is_met({"words": 10, "days": 5})
    assert group.metrics() == {"level", "words", "days"}


@pytest.mark.parametrize(
    ("current", "percent"), [(0, 0), (1, 0), (2, 0), (3, 1), (299, 99), (298, 99), (300, 100), (5000, 100)]
)
def test_progress_is_the_whole_percent_floored(current, percent):
    group = compiled({"v": 1, "all": [clause("words", 300)]})

    assert group.progress({"words": current}) == Progress(percent, current, 300)


def test_progress_does_not_lose_a_percent_to_floats():
    group = compiled({"v": 1, "all": [clause("words", 100)]})

    assert [group.progress({"words": n}).percent for n in (28, 29, 57, 58)] == [28, 29, 57, 58]


def test_progress_of_all_is_that_of_the_smallest_part_and_of_any_of_the_largest():
    parts = [clause("words", 10), clause("days", 5)]
    values = {"words": 9, "days": 1}

    assert compiled({"v": 1, "all": parts}).progress(values) == Progress(20, 1, 5)
    assert compiled({"v": 1, "any": parts}).progress(values) == Progress(90, 9, 10)


def test_progress_of_nested_groups_follows_the_same_rule():
    group = compiled({"v": 1, "all": [clause("level", 2), {"any": [clause("words", 10), clause("days", 5)]}]})

    assert group.progress({"level": 2, "words": 3, "days": 2}) == Progress(40, 2, 5)


@given(st.integers(1, 10**12), st.integers(0, 10**13))
def test_progress_is_full_exactly_when_the_condition_holds(value, current):
    group = compiled({"v": 1, "all": [clause("words", value)]})

    progress = group.progress({"words": current})

    assert (progress.percent == 100) is group.is_met({"words": current})
    assert 0 <= progress.percent <= 100
