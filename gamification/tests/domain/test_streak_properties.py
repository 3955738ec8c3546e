"""The streak machine against a naive day-by-day telling of the same rules, and what must hold whatever happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gamification.domain import calendar, streaks
from gamification.domain.streaks import Policy, Streak
from gamification.exceptions import GamificationError
from gamification.tests.domain.naive import Naive, Refused
from gamification.tests.properties import PURE

# Each with a day on which its clocks do something unusual, or a date that it never had.
PLACES = {
    "UTC": "2028-02-27",
    "Europe/Berlin": "2026-03-27",
    "America/New_York": "2026-10-30",
    "Asia/Kolkata": "2026-06-01",
    "Asia/Kathmandu": "2026-06-01",
    "Australia/Lord_Howe": "2026-04-03",
    "Pacific/Apia": "2011-12-27",
    "Pacific/Kiritimati": "2026-06-01",
    "Pacific/Honolulu": "2026-06-01",
    "Africa/Cairo": "2026-04-21",
    "America/Nuuk": "2026-03-26",
    "America/Havana": "2026-10-30",
}


@dataclass
class Machine:
    """The rules under test, with their days kept the way the services keep rows."""

    zone: ZoneInfo
    policy: Policy
    streak: Streak
    days: dict[date, str] = field(default_factory=dict)

    def act(self, at: datetime) -> list[str]:
        day = calendar.local_date(at, self.zone)
        needed = self.days if streaks.is_late(self.streak, day) else None
        return self._become(streaks.act(self.streak, day, at, self.zone, self.policy, needed))

    def freeze(self, at: datetime) -> bool:
        return bool(self._become(streaks.freeze(self.streak, at, self.zone, self.policy)))

    def read(self, at: datetime) -> tuple[int, int, int, str]:
        reading = streaks.read(self.streak, at, self.zone, self.policy)
        return reading.current, reading.longest, reading.freezes, reading.status.value

    def of_status(self, status: str) -> set[date]:
        return {day for day, known in self.days.items() if known == status}

    def _become(self, change: streaks.Change) -> list[str]:
        self.streak = change.streak
        for mark in change.days:
            self.days[mark.date] = mark.status.value
        return list(change.transitions)


minutes_to_wait = st.one_of(
    st.integers(0, 600),
    st.integers(1440 - 90, 1440 + 90),
    st.integers(2 * 1440 - 90, 2 * 1440 + 90),
    st.integers(0, 6 * 1440),
)
minutes_back = st.one_of(st.just(0), st.just(0), st.integers(0, 300), st.integers(0, 10 * 1440))
acts = st.tuples(st.just("act"), minutes_to_wait, minutes_back)
freezes = st.tuples(st.just("freeze"), minutes_to_wait, st.just(0))
moves = st.tuples(st.just("move"), minutes_to_wait, st.integers(0, len(PLACES) - 1))
policies = st.tuples(st.booleans(), st.integers(0, 4), st.sampled_from([0, 1, 2, 3, 7]))


def start_of(place: str, minute: int) -> datetime:
    return datetime.fromisoformat(PLACES[place]).replace(tzinfo=UTC) + timedelta(minutes=minute)


def both(place: str, rules: tuple[bool, int, int], excused: frozenset[date] = frozenset()) -> tuple[Machine, Naive]:
    auto, most, every = rules
    tokens, zone = min(3, most), ZoneInfo(place)
    machine = Machine(zone, Policy(auto, most, every, excused), Streak(freezes=tokens))
    return machine, Naive(zone, tokens, auto, most, every, excused)


def freeze_both(machine: Machine, naive: Naive, at: datetime) -> None:
    answers: list[Any] = []
    for one in (machine, naive):
        try:
            answers.append(one.freeze(at))
        except (GamificationError, Refused) as refused:
            answers.append(getattr(refused, "code", str(refused)))
    assert answers[0] == answers[1]


def assert_alike(machine: Machine, naive: Naive, at: datetime) -> None:
    streak = machine.streak
    assert machine.of_status("active") == {day for day, status in naive.days.items() if status == "active"}
    assert machine.of_status("frozen") == {day for day, status in naive.days.items() if status == "frozen"}
    assert streak.current == naive.stored_current
    assert streak.longest == naive.longest
    assert streak.freezes == naive.tokens
    assert streak.total_active_days == naive.active_days
    assert (streak.last_day, streak.last_at) == (naive.last_row, naive.last_at)
    deadline = streaks.expires_at(streak, machine.zone, machine.policy)
    assert deadline == naive.first_broken_second()
    for minutes in (0, 500, 1440, 2 * 1440, 4 * 1440, 9 * 1440):
        moment = at + timedelta(minutes=minutes)
        assert machine.read(moment) == naive.read(moment)


@PURE
@given(
    st.sampled_from(sorted(PLACES)), st.integers(0, 2000), policies, st.lists(acts | freezes, min_size=1, max_size=25)
)
def test_the_machine_agrees_with_walking_through_every_day(place, minute, rules, steps):
    machine, naive = both(place, rules)
    now = start_of(place, minute)

    for op, wait, back in steps:
        now += timedelta(minutes=wait)
        if op == "freeze":
            freeze_both(machine, naive, now)
        else:
            at = now - timedelta(minutes=back)
            assert machine.act(at) == naive.act(at)

        assert_alike(machine, naive, now)


@PURE
@given(st.integers(0, 2000), policies, st.lists(acts | acts | freezes | moves, min_size=1, max_size=25))
def test_the_machine_agrees_with_walking_through_every_day_of_a_traveller(minute, rules, steps):
    machine, naive = both("Europe/Berlin", rules)
    now = start_of("Europe/Berlin", minute)
    zones = [ZoneInfo(place) for place in sorted(PLACES)]

    for op, wait, extra in steps:
        now += timedelta(minutes=wait)
        if op == "move":
            machine.zone = naive.zone = zones[extra]
        elif op == "freeze":
            freeze_both(machine, naive, now)
        else:
            at = now - timedelta(minutes=extra)
            assert machine.act(at) == naive.act(at)

        assert_alike(machine, naive, now)


@PURE
@given(
    st.integers(0, 2000),
    policies,
    st.sets(st.integers(0, 20), max_size=8),
    st.lists(acts | freezes, min_size=1, max_size=20),
)
def test_the_machine_agrees_with_walking_through_every_day_when_dates_are_excused(minute, rules, excused, steps):
    first = date.fromisoformat(PLACES["Europe/Berlin"])
    machine, naive = both("Europe/Berlin", rules, frozenset(first + timedelta(days=n) for n in excused))
    now = start_of("Europe/Berlin", minute)

    for op, wait, back in steps:
        now += timedelta(minutes=wait)
        if op == "freeze":
            freeze_both(machine, naive, now)
        else:
            at = now - timedelta(minutes=back)
            assert machine.act(at) == naive.act(at)

        assert_alike(machine, naive, now)


@PURE
@given(
    st.sampled_from(sorted(PLACES)),
    st.integers(0, 2000),
    policies,
    st.lists(acts | acts | freezes | moves, min_size=1, max_size=40),
)
def test_whatever_happens_the_numbers_stay_in_their_bounds(place, minute, rules, steps):
    machine, _ = both(place, rules)
    now = start_of(place, minute)
    zones = [ZoneInfo(name) for name in sorted(PLACES)]
    history = [machine.streak]

    for op, wait, extra in steps:
        now += timedelta(minutes=wait)
        before = machine.streak
        if op == "move":
            machine.zone = zones[extra]
        elif op == "act":
            machine.act(now - timedelta(minutes=extra))
        else:
            try:
                machine.freeze(now)
            except GamificationError:
                assert machine.streak == before
        history.append(machine.streak)

    for streak in history:
        assert streak.longest >= streak.current >= 0
        assert 0 <= streak.freezes <= machine.policy.freezes_max
    for before, after in pairwise(history):
        assert after.longest >= before.longest
        assert 0 <= after.total_active_days - before.total_active_days <= 1
        assert before.last_at is None or (after.last_at is not None and after.last_at >= before.last_at)
    assert machine.streak.total_active_days == len(machine.of_status("active"))


@PURE
@given(st.sampled_from(sorted(PLACES)), policies, st.lists(acts | freezes, min_size=1, max_size=12), st.data())
def test_reading_changes_nothing_and_needs_nothing_else_to_be_read(place, rules, steps, data):
    machine, _ = both(place, rules)
    now = start_of(place, 0)
    for op, wait, back in steps:
        now += timedelta(minutes=wait)
        if op == "act":
            machine.act(now - timedelta(minutes=back))

    moments = data.draw(st.lists(st.integers(0, 15 * 1440), min_size=1, max_size=8))
    before = machine.streak
    once = [machine.read(now + timedelta(minutes=minutes)) for minutes in moments]
    again = [machine.read(now + timedelta(minutes=minutes)) for minutes in reversed(moments)]

    assert once == again[::-1]
    assert machine.streak == before


@PURE
@given(
    st.sampled_from(sorted(PLACES)), st.integers(0, 2000), policies, st.lists(acts | freezes, min_size=1, max_size=20)
)
def test_a_streak_stands_just_before_it_expires_and_is_broken_from_then_on(place, minute, rules, steps):
    machine, _ = both(place, rules)
    now = start_of(place, minute)
    for op, wait, back in steps:
        now += timedelta(minutes=wait)
        if op == "act":
            machine.act(now - timedelta(minutes=back))

    deadline = streaks.expires_at(machine.streak, machine.zone, machine.policy)

    if machine.streak.last_day is None:
        assert deadline is None
        return
    assert deadline is not None
    assert deadline.tzinfo is UTC
    assert machine.read(deadline - timedelta(microseconds=1))[3] != "broken"
    assert machine.read(deadline - timedelta(microseconds=1))[0] == machine.streak.current
    assert [machine.read(deadline + timedelta(days=n))[::3] for n in (0, 1, 400)] == [(0, "broken")] * 3


@PURE
@given(st.sampled_from(sorted(PLACES)), st.integers(0, 2000), policies, st.lists(acts, min_size=1, max_size=12))
def test_what_a_read_promises_is_what_the_next_activity_finds(place, minute, rules, steps):
    machine, _ = both(place, rules)
    now = start_of(place, minute)

    for _, wait, _ in steps:
        now += timedelta(minutes=wait)
        current, _, _, status = machine.read(now)
        transitions = machine.act(now)

        assert ("broken" in transitions) is (status == "broken")
        assert (transitions == ["maintained"]) is (status == "active")
        if status in ("at_risk", "frozen"):
            assert machine.streak.current == current + 1


@PURE
@given(st.sampled_from(sorted(PLACES)), st.integers(0, 1439), st.lists(st.integers(1, 1440), min_size=1, max_size=30))
def test_nobody_loses_a_day_who_comes_back_within_24_real_hours(place, minute, waits):
    machine, _ = both(place, (True, 0, 0))
    now = start_of(place, minute)
    machine.act(now)

    for wait in waits:
        now += timedelta(minutes=wait, microseconds=-1)

        assert "broken" not in machine.act(now)


@PURE
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=25, unique=True),
    st.lists(st.integers(0, 40 * 24), min_size=2, max_size=10),
    policies,
    st.randoms(use_true_random=False),
)
def test_the_order_in_which_late_activities_arrive_does_not_matter(days, late_hours, rules, random):
    start = datetime(2026, 3, 1, 9, tzinfo=UTC)
    last = max(*days, max(late_hours) // 24 + 2)
    ends = []
    shuffled = list(late_hours)
    for _ in range(3):
        machine, _ = both("Europe/Berlin", rules)
        for day in sorted({*days, last}):
            machine.act(start + timedelta(days=day))
        for hours in shuffled:
            machine.act(start + timedelta(hours=hours))
        ends.append((machine.streak, {day: status for day, status in machine.days.items() if status != "skipped"}))
        random.shuffle(shuffled)

    assert ends[0] == ends[1] == ends[2]


@PURE
@given(
    st.sampled_from(sorted(PLACES)),
    policies,
    st.lists(st.integers(1, 40), min_size=1, max_size=25, unique=True),
    st.lists(st.integers(0, 40 * 24), min_size=1, max_size=10),
)
def test_a_late_activity_uses_no_token_and_lowers_nothing(place, rules, days, late_hours):
    start = start_of(place, 600)
    machine, _ = both(place, rules)
    for day in sorted({*days, 42}):
        machine.act(start + timedelta(days=day))

    for hours in late_hours:
        before, status = machine.streak, dict(machine.days)
        transitions = machine.act(start + timedelta(hours=hours))

        after = machine.streak
        assert after.current >= before.current
        assert after.longest >= before.longest
        assert after.freezes >= before.freezes
        assert (after.last_day, after.last_at) == (before.last_day, before.last_at)
        assert transitions in ([], ["increased"], ["maintained"])
        assert all(machine.days[day] in (known, "active") for day, known in status.items())
