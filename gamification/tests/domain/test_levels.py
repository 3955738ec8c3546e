from __future__ import annotations

import hashlib
from bisect import bisect_right
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gamification.domain.levels import LevelTable, level_table

TABLE = level_table()
TOP_XP = 680_760_758

FIRST_COSTS = [100, 115, 132, 152, 175, 201, 231, 266, 306, 352, 405, 465, 535, 615, 708, 814, 936, 1076, 1238, 1423]
FIRST_THRESHOLDS = [
    *(0, 100, 215, 347, 499, 674, 875, 1106, 1372, 1678),
    *(2030, 2435, 2900, 3435, 4050, 4758, 5572, 6508, 7584, 8822),
]


def digest(numbers: tuple[int, ...]) -> str:
    return hashlib.sha256(",".join(map(str, numbers)).encode()).hexdigest()


def test_the_first_costs_and_thresholds_are_those_of_the_rules():
    assert list(TABLE.costs[:20]) == FIRST_COSTS
    assert list(TABLE.thresholds[:20]) == FIRST_THRESHOLDS


def test_the_whole_table_is_the_one_of_the_rules():
    assert (len(TABLE.costs), len(TABLE.thresholds)) == (99, 100)
    assert digest(TABLE.costs).startswith("e555f78af35c9e14")
    assert digest(TABLE.thresholds).startswith("61a60a142d2e3c8a")
    assert TABLE.thresholds[-1] == TOP_XP


def test_costs_agree_with_the_formula_in_whole_numbers():
    formula = [(200 * 23**n + 20**n) // (2 * 20**n) for n in range(99)]

    assert list(TABLE.costs) == formula


@pytest.mark.parametrize(
    ("total", "level", "title", "to_next", "percent"),
    [
        (0, 1, "Novice", 100, "0"),
        (99, 1, "Novice", 1, "99.00"),
        (100, 2, "Novice", 115, "0"),
        (214, 2, "Novice", 1, "99.13"),
        (348, 4, "Novice", 151, "0.65"),
        (1_677, 9, "Novice", 1, "99.67"),
        (1_678, 10, "Apprentice", 352, "0"),
        (8_821, 19, "Apprentice", 1, "99.91"),
        (627_541, 50, "Grandmaster", 94_231, "0"),
        (680_760_757, 99, "Mythic", 1, "99.99"),
        (680_760_758, 100, "Mythic", 0, "100"),
        (680_760_759, 100, "Mythic", 0, "100"),
        (2**63 - 1, 100, "Mythic", 0, "100"),
    ],
)
def test_a_total_has_its_level_title_and_progress(total, level, title, to_next, percent):
    info = TABLE.describe(total)

    assert (info.total_xp, info.current_level, info.title, info.xp_to_next_level) == (total, level, title, to_next)
    assert info.level_progress_percentage == Decimal(percent)


@pytest.mark.parametrize(
    ("first", "last", "title"),
    [
        (1, 9, "Novice"),
        (10, 19, "Apprentice"),
        (20, 29, "Adept"),
        (30, 39, "Expert"),
        (40, 49, "Master"),
        (50, 69, "Grandmaster"),
        (70, 89, "Legend"),
        (90, 100, "Mythic"),
    ],
)
def test_every_level_of_a_band_has_its_title(first, last, title):
    titles = {TABLE.title_of(level) for level in range(first, last + 1)}

    assert titles == {title}


@pytest.mark.parametrize("level", range(2, 101))
def test_a_level_begins_exactly_at_its_threshold(level):
    threshold = TABLE.thresholds[level - 1]

    assert TABLE.level_of(threshold) == level
    assert TABLE.level_of(threshold - 1) == level - 1
    assert TABLE.describe(threshold - 1).level_progress_percentage < 100


@given(st.integers(0, TOP_XP + 10**9))
@example(TOP_XP - 1)
def test_level_and_progress_agree_with_plain_arithmetic(total):
    info = TABLE.describe(total)

    level = bisect_right(TABLE.thresholds, total)
    assert info.current_level == level
    if level < 100:
        gone, cost = total - TABLE.thresholds[level - 1], TABLE.costs[level - 1]
        exact = Fraction(100 * gone, cost)
        shown = Fraction(info.level_progress_percentage)
        assert info.xp_to_next_level == cost - gone > 0
        assert 0 <= exact - shown < Fraction(1, 100)
        assert shown < 100


@given(st.lists(st.integers(0, TOP_XP), min_size=2, max_size=2))
def test_more_xp_is_never_a_lower_level(totals):
    low, high = sorted(totals)

    assert TABLE.level_of(low) <= TABLE.level_of(high)


def test_the_highest_level_stays_when_the_total_falls():
    info = TABLE.describe(50, highest_level=7)

    assert (info.current_level, info.highest_level) == (1, 7)


def test_the_highest_level_is_at_least_the_current_one():
    assert TABLE.describe(1_678, highest_level=3).highest_level == 10


def test_base_multiplier_and_top_level_build_another_table():
    table = level_table(10, "2", 5, ((1, "A"), (3, "B")))

    assert table.costs == (10, 20, 40, 80)
    assert table.thresholds == (0, 10, 30, 70, 150)
    assert [table.title_of(level) for level in range(1, 6)] == ["A", "A", "B", "B", "B"]
    assert table.max_level == 5


def test_half_a_point_is_rounded_up():
    assert level_table(5, "1.5", 3).costs == (5, 8)  # 7.5


def test_the_table_is_built_once_for_each_combination():
    assert level_table() is TABLE
    assert isinstance(level_table(100, "1.16"), LevelTable)
    assert level_table(100, "1.16") is not TABLE


def test_costs_are_exact_where_floating_point_is_not():
    steps = range(449)
    with localcontext() as context:
        context.prec = 2000
        costs = [(3 * Decimal("1.1") ** step).quantize(Decimal(1), ROUND_HALF_UP) for step in steps]

    table = level_table(3, "1.1", len(steps) + 1)

    assert table.costs == tuple(map(int, costs))
    assert level_table(3, "1.5", 3).costs == (3, 5)  # 4.5, which rounds up
