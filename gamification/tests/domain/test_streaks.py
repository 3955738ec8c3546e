"""The tables of the rules, row by row, through the pure machine."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gamification.domain import calendar, streaks
from gamification.domain.days import DayReason, DayStatus
from gamification.domain.streaks import Change, Policy, Streak
from gamification.exceptions import AlreadyActiveToday, GamificationError, NoActiveStreak, NoFreezesLeft

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
AUCKLAND = ZoneInfo("Pacific/Auckland")
HONOLULU = ZoneInfo("Pacific/Honolulu")
NO_EARNING = Policy(earned_every=0)
BY_HAND = Policy(auto_freeze=False, earned_every=0)


class Person:
    """A streak with the days behind it. Days are numbers of June 2026; everything happens at noon UTC."""

    def __init__(self, *days: int, freezes: int = 3, policy: Policy = NO_EARNING, zone: ZoneInfo = UTC) -> None:
        self.policy, self.zone = policy, zone
        self.streak = Streak(freezes=freezes)
        self.days: dict[int, str] = {}
        for day in days:
            self.act(noon(day))

    def act(self, at: datetime) -> Change:
        day = calendar.local_date(at, self.zone)
        known = {date(2026, 6, number): status for number, status in self.days.items()}
        return self._keep(streaks.act(self.streak, day, at, self.zone, self.policy, known))

    def freeze(self, at: datetime) -> Change:
        return self._keep(streaks.freeze(self.streak, at, self.zone, self.policy))

    def read(self, at: datetime) -> tuple[str, int, int, int]:
        reading = streaks.read(self.streak, at, self.zone, self.policy)
        return reading.status.value, reading.current, reading.longest, reading.freezes

    def _keep(self, change: Change) -> Change:
        self.streak = change.streak
        self.days |= {mark.date.day: mark.status.value for mark in change.days}
        return change


def noon(day: int) -> datetime:
    return datetime(2026, 6, day, 12, tzinfo=UTC)


def summary(change: Change) -> tuple[str | None, tuple[str, ...], int, int]:
    return change.action, change.transitions, change.streak.current, change.streak.freezes


# An activity on day d


def test_without_history_a_streak_starts():
    person = Person()

    change = person.act(noon(1))

    assert summary(change) == ("started", ("started",), 1, 3)
    assert person.days == {1: "active"}


def test_on_an_active_last_row_everything_is_maintained():
    person = Person(1, 2)

    change = person.act(noon(2) + timedelta(hours=3))

    assert summary(change) == ("maintained", ("maintained",), 2, 3)
    assert (change.days, change.streak.total_active_days) == ((), 2)


def test_on_a_last_row_frozen_by_the_endpoint_the_token_comes_back():
    person = Person(1)
    person.freeze(noon(2))

    change = person.act(noon(2) + timedelta(hours=1))

    assert summary(change) == ("increased", ("increased",), 2, 3)
    assert change.days[0].returned == 1
    assert person.days == {1: "active", 2: "active"}


def test_with_nothing_missed_the_streak_is_increased():
    person = Person(1, 2)

    change = person.act(noon(3))

    assert summary(change) == ("increased", ("increased",), 3, 3)


@pytest.mark.parametrize("missed", [1, 2, 3])
def test_missed_days_are_frozen_one_token_each_oldest_first(missed):
    person = Person(1, 2)

    change = person.act(noon(3 + missed))

    assert summary(change) == ("frozen", ("frozen",) * missed + ("increased",), 3, 3 - missed)
    assert [(mark.date.day, mark.used) for mark in change.days[:-1]] == [(3 + n, 1) for n in range(missed)]
    assert {mark.reason for mark in change.days[:-1]} == {DayReason.AUTOMATIC}


@pytest.mark.parametrize(("tokens", "missed"), [(0, 1), (1, 2), (2, 5), (3, 4), (3, 20)])
def test_with_too_few_tokens_all_are_used_and_the_streak_is_broken(tokens, missed):
    person = Person(1, 2, freezes=tokens)

    change = person.act(noon(3 + missed))

    assert summary(change) == ("broken", ("frozen",) * tokens + ("broken", "started"), 1, 0)
    assert change.streak.longest == 2
    assert [mark.date.day for mark in change.days[:-1]] == [3 + n for n in range(tokens)]


def test_by_hand_no_token_is_used_and_one_missed_day_breaks():
    person = Person(1, 2, policy=BY_HAND)

    change = person.act(noon(4))

    assert summary(change) == ("broken", ("broken", "started"), 1, 3)
    assert person.days == {1: "active", 2: "active", 4: "active"}


def test_a_late_activity_on_an_active_day_maintains():
    person = Person(1, 2, 3)

    change = person.act(noon(2))

    assert summary(change) == ("maintained", ("maintained",), 3, 3)
    assert change.streak.total_active_days == 3


def test_a_late_activity_on_a_frozen_day_gives_the_token_back_and_increases():
    person = Person(1, 2, 5)
    assert person.streak.freezes == 1

    change = person.act(noon(3))

    assert summary(change) == ("increased", ("increased",), 4, 2)
    assert person.days == {1: "active", 2: "active", 3: "active", 4: "frozen", 5: "active"}


def test_a_late_activity_that_fills_a_break_joins_the_runs():
    person = Person(1, 2, 4, freezes=0)
    assert person.streak.current == 1

    change = person.act(noon(3))

    assert summary(change) == ("increased", ("increased",), 4, 0)
    assert change.streak.longest == 4


def test_a_late_activity_that_touches_no_running_streak_is_kept_for_the_calendar():
    person = Person(1, 10, freezes=0)

    change = person.act(noon(5))

    assert summary(change) == (None, (), 1, 0)
    assert person.days == {1: "active", 5: "active", 10: "active"}
    assert change.streak.total_active_days == 3


def test_a_late_activity_can_make_an_older_run_the_longest():
    person = Person(1, 2, 4, 5, 10, freezes=0)

    change = person.act(noon(3))

    assert (change.action, change.streak.current, change.streak.longest) == (None, 1, 5)


def test_a_late_activity_before_everything_lengthens_the_run():
    person = Person(2, 3)

    assert summary(person.act(noon(1))) == ("increased", ("increased",), 3, 3)


def test_a_late_activity_gives_the_token_of_an_older_broken_run_back():
    person = Person(1, 10, freezes=2)
    assert (person.streak.freezes, person.days[2], person.days[3]) == (0, "frozen", "frozen")

    change = person.act(noon(3))

    assert (change.action, change.streak.current, change.streak.freezes) == (None, 1, 1)


def test_a_token_that_comes_back_does_not_pass_the_maximum():
    person = Person(1, 3, 4, 5, 6, 7, 8, 9, policy=Policy(earned_every=7, freezes_max=3))
    assert person.streak.freezes == 3

    change = person.act(noon(2))

    assert (change.streak.freezes, change.days[-1].returned) == (3, 0)


def test_moving_west_the_same_date_again_never_breaks():
    person = Person(zone=AUCKLAND, freezes=0)
    person.act(datetime(2026, 6, 2, 15, tzinfo=UTC))  # 3 June in Auckland
    person.zone = HONOLULU

    change = person.act(datetime(2026, 6, 3, 1, tzinfo=UTC))  # 2 June in Honolulu

    assert summary(change) == ("increased", ("increased",), 2, 0)
    assert person.act(datetime(2026, 6, 3, 20, tzinfo=UTC)).action == "maintained"


def test_moving_east_dates_are_missed_only_after_24_real_hours_each():
    person = Person(zone=HONOLULU, freezes=0)
    start = datetime(2026, 6, 2, 9, 59, tzinfo=UTC)  # the last minute of 1 June in Honolulu
    person.act(start)
    person.zone = ZoneInfo("Pacific/Kiritimati")  # where it is 2 June, and 24 hours later 3 June

    change = person.act(start + timedelta(hours=23, minutes=59))

    assert summary(change) == ("increased", ("increased",), 2, 0)


def test_the_24_hour_guarantee_covers_the_later_dates_and_the_oldest_are_missed():
    person = Person(zone=HONOLULU, freezes=1)
    start = datetime(2026, 6, 2, 9, 59, tzinfo=UTC)  # 1 June in Honolulu
    person.act(start)
    person.zone = ZoneInfo("Pacific/Kiritimati")

    change = person.act(start + timedelta(hours=24, minutes=2))  # 4 June 00:01 there: 2 and 3 June lie between

    assert summary(change) == ("frozen", ("frozen", "increased"), 2, 0)
    assert [(mark.date.day, mark.status, mark.reason) for mark in change.days[:-1]] == [
        (2, DayStatus.FROZEN, DayReason.AUTOMATIC),
        (3, DayStatus.SKIPPED, DayReason.GUARANTEE),
    ]


def test_exactly_24_hours_are_enough_for_a_day_to_be_missed():
    person = Person(zone=BERLIN, freezes=0)
    person.act(datetime(2026, 3, 28, 22, 30, tzinfo=UTC))  # 23:30 before the night of the change
    almost = Person(zone=BERLIN, freezes=0)
    almost.streak = person.streak

    # 30 March begins at 22:00Z, which is 23.5 hours later.
    assert almost.act(datetime(2026, 3, 29, 22, 29, 59, tzinfo=UTC)).action == "increased"
    assert person.act(datetime(2026, 3, 29, 22, 30, tzinfo=UTC)).action == "broken"


def test_a_date_that_never_was_is_skipped():
    person = Person(zone=ZoneInfo("Pacific/Apia"), freezes=0)
    person.act(datetime(2011, 12, 29, 20, tzinfo=UTC))

    change = person.act(datetime(2012, 1, 1, 9, tzinfo=UTC))  # the evening of 1 January: the 31st was missed

    assert change.action == "broken"
    assert [(mark.date, mark.reason) for mark in change.days[:-1]] == [(date(2011, 12, 30), DayReason.NEVER_WAS)]


def test_an_excused_date_costs_nobody_anything():
    policy = Policy(earned_every=0, excused=frozenset({date(2026, 6, 2), date(2026, 6, 4)}))
    person = Person(1, freezes=1, policy=policy)

    change = person.act(noon(5))

    assert summary(change) == ("frozen", ("frozen", "increased"), 2, 0)
    assert person.days == {1: "active", 2: "skipped", 3: "frozen", 4: "skipped", 5: "active"}


def test_an_activity_on_an_excused_date_counts():
    policy = Policy(earned_every=0, excused=frozenset({date(2026, 6, 2)}))
    person = Person(1, 2, 3, policy=policy)

    assert (person.streak.current, person.days) == (3, {1: "active", 2: "active", 3: "active"})


def test_runs_join_over_an_excused_date_when_the_day_beside_it_comes_late():
    policy = Policy(earned_every=0, excused=frozenset({date(2026, 6, 3)}))
    person = Person(1, 4, 5, freezes=0, policy=policy)
    assert person.streak.current == 2

    change = person.act(noon(2))

    assert summary(change) == ("increased", ("increased",), 4, 0)


def test_the_time_of_the_last_activity_is_the_greatest():
    person = Person(1, 2)

    person.act(noon(1) + timedelta(hours=5))
    assert person.streak.last_at == noon(2)
    person.act(noon(2) + timedelta(hours=5))
    assert person.streak.last_at == noon(2) + timedelta(hours=5)


def test_an_earlier_activity_of_the_last_day_does_not_take_the_time_back():
    person = Person(1, 2)

    change = person.act(noon(2) - timedelta(hours=5))

    assert (change.action, change.streak.last_at) == ("maintained", noon(2))


# Earning tokens


def test_a_token_is_earned_back_for_every_seven_days_of_a_run():
    person = Person(*range(1, 7), freezes=0, policy=Policy())
    assert person.streak.freezes == 0

    change = person.act(noon(7))

    assert (change.streak.freezes, change.days[-1].earned) == (1, 1)
    assert Person(*range(1, 15), freezes=0, policy=Policy()).streak.freezes == 2


def test_nothing_is_earned_past_the_maximum():
    person = Person(*range(1, 15), policy=Policy())

    assert person.streak.freezes == 3


def test_nothing_is_earned_when_it_is_turned_off():
    assert Person(*range(1, 29), freezes=0).streak.freezes == 0


def test_a_new_run_earns_from_its_own_seventh_day_on():
    policy = Policy(earned_every=3)
    person = Person(1, 2, 5, 6, 7, freezes=0, policy=policy)

    assert (person.streak.current, person.streak.freezes) == (3, 1)


def test_frozen_days_do_not_count_towards_a_token():
    policy = Policy(earned_every=3)
    person = Person(1, 3, freezes=1, policy=policy)
    assert person.streak.freezes == 0

    assert person.act(noon(4)).streak.freezes == 1


def test_a_late_day_earns_when_the_joined_run_passes_a_multiple():
    person = Person(1, 2, 4, 5, freezes=0, policy=Policy(earned_every=5))
    assert person.streak.freezes == 0

    change = person.act(noon(3))

    assert (change.streak.current, change.streak.freezes) == (5, 1)


def test_a_multiple_that_a_run_has_earned_is_not_earned_again_by_joining():
    person = Person(1, 2, 3, 5, 6, 7, freezes=0, policy=Policy(earned_every=3))
    assert (person.streak.current, person.streak.freezes) == (6, 1)  # day 4 cost the token of day 3


def test_seven_days_with_a_freeze_and_its_return_earn_one_token():
    person = Person(1, 2, 3, freezes=1, policy=Policy(earned_every=4))
    person.freeze(noon(4))

    change = person.act(noon(4))

    assert (change.streak.current, change.streak.freezes) == (4, 2)
    assert (change.days[-1].returned, change.days[-1].earned) == (1, 1)


# The freeze endpoint


def test_freezing_a_day_on_which_one_acted_is_refused():
    person = Person(1)

    with pytest.raises(AlreadyActiveToday):
        person.freeze(noon(1))


def test_freezing_a_frozen_day_uses_no_second_token():
    person = Person(1)
    person.freeze(noon(2))

    change = person.freeze(noon(2) + timedelta(hours=1))

    assert (change.transitions, change.days, change.streak.freezes) == ((), (), 2)


@pytest.mark.parametrize(
    ("days", "freezes", "today"), [((), 3, 1), ((1,), 0, 3), ((1,), 1, 4), ((1, 2), 3, 7)], ids=str
)
def test_freezing_is_refused_when_current_reads_zero(days, freezes, today):
    person = Person(*days, freezes=freezes)

    with pytest.raises(NoActiveStreak):
        person.freeze(noon(today))


@pytest.mark.parametrize(("freezes", "today"), [(0, 2), (1, 3), (2, 4), (3, 5)])
def test_freezing_is_refused_without_a_token_left_after_covering_lapsed_days(freezes, today):
    person = Person(1, freezes=freezes)

    with pytest.raises(NoFreezesLeft):
        person.freeze(noon(today))


def test_freezing_today_uses_a_token():
    person = Person(1, 2)

    change = person.freeze(noon(3))

    assert summary(change) == ("frozen", ("frozen",), 2, 2)
    assert [(mark.date.day, mark.status, mark.reason) for mark in change.days] == [
        (3, DayStatus.FROZEN, DayReason.REQUESTED)
    ]
    assert change.streak.last_at == noon(2)


def test_freezing_today_covers_lapsed_days_too():
    person = Person(1)

    change = person.freeze(noon(3))

    assert (change.action, change.streak.current, change.streak.freezes) == ("frozen", 1, 1)
    assert person.days == {1: "active", 2: "frozen", 3: "frozen"}


def test_freezing_several_days_in_a_row_keeps_the_streak():
    person = Person(1)
    for day in (2, 3, 4):
        person.freeze(noon(day))

    change = person.act(noon(5))

    assert summary(change) == ("increased", ("increased",), 2, 0)


def test_by_hand_a_frozen_day_saves_the_streak():
    person = Person(1, 2, policy=BY_HAND)
    person.freeze(noon(3))

    change = person.act(noon(4))

    assert summary(change) == ("increased", ("increased",), 3, 2)


def test_a_refused_freeze_changes_nothing():
    person = Person(1, freezes=0)
    before = person.streak

    with pytest.raises(GamificationError):
        person.freeze(noon(2))

    assert person.streak == before


# Reading


def test_a_read_of_somebody_who_never_acted_is_none():
    assert Person().read(noon(1)) == ("none", 0, 0, 3)


def test_a_read_after_acting_today_is_active():
    assert Person(1, 2).read(noon(2) + timedelta(hours=11, minutes=59)) == ("active", 2, 2, 3)


def test_a_read_on_the_day_after_is_at_risk():
    assert Person(1, 2).read(noon(3)) == ("at_risk", 2, 2, 3)


def test_a_read_on_a_day_frozen_by_the_endpoint_is_frozen():
    person = Person(1, 2)
    person.freeze(noon(3))

    assert person.read(noon(3)) == ("frozen", 2, 2, 2)
    assert person.read(noon(4)) == ("at_risk", 2, 2, 2)


@pytest.mark.parametrize(("day", "tokens"), [(4, 2), (5, 1), (6, 0)])
def test_a_read_of_covered_lapsed_days_is_frozen_and_shows_the_tokens_less_those(day, tokens):
    assert Person(1, 2).read(noon(day)) == ("frozen", 2, 2, tokens)


@pytest.mark.parametrize("day", [7, 8, 30])
def test_a_read_past_the_tokens_is_broken_with_longest_kept(day):
    assert Person(1, 2).read(noon(day)) == ("broken", 0, 2, 0)


def test_by_hand_a_lapsed_streak_is_broken_and_keeps_its_tokens():
    person = Person(1, 2, policy=BY_HAND)

    assert person.read(noon(3)) == ("at_risk", 2, 2, 3)
    assert person.read(noon(4)) == ("broken", 0, 2, 3)


# When it expires


@pytest.mark.parametrize(("tokens", "day"), [(0, 3), (1, 4), (2, 5), (3, 6)])
def test_a_streak_expires_at_the_midnight_after_as_many_days_as_there_are_tokens(tokens, day):
    person = Person(1, freezes=tokens)

    assert streaks.expires_at(person.streak, UTC, NO_EARNING) == datetime(2026, 6, day, tzinfo=UTC)


def test_by_hand_tokens_put_nothing_off():
    person = Person(1, policy=BY_HAND)

    assert streaks.expires_at(person.streak, UTC, BY_HAND) == datetime(2026, 6, 3, tzinfo=UTC)


def test_a_streak_does_not_expire_before_24_hours_for_each_day_have_gone_by():
    person = Person(zone=BERLIN, freezes=0)
    person.act(datetime(2026, 3, 28, 22, 59, tzinfo=UTC))

    assert streaks.expires_at(person.streak, BERLIN, NO_EARNING) == datetime(2026, 3, 29, 22, 59, tzinfo=UTC)


def test_excused_dates_put_the_expiry_off():
    policy = Policy(earned_every=0, excused=frozenset({date(2026, 6, 2), date(2026, 6, 3)}))
    person = Person(1, freezes=0, policy=policy)

    assert streaks.expires_at(person.streak, UTC, policy) == datetime(2026, 6, 5, tzinfo=UTC)


def test_moving_changes_when_a_streak_expires_but_not_its_days():
    person = Person(zone=AUCKLAND, freezes=0)
    person.act(datetime(2026, 6, 2, 15, tzinfo=UTC))

    assert streaks.expires_at(person.streak, HONOLULU, NO_EARNING) == datetime(2026, 6, 5, 10, tzinfo=UTC)


def test_nothing_expires_without_a_day():
    assert streaks.expires_at(Streak(freezes=3), UTC, NO_EARNING) is None
