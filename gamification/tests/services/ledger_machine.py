"""A machine that does to one user whatever can be done, in any order, and looks at everything after each step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gamification.exceptions import AlreadyVoided, GamificationError, IdempotencyConflict
from gamification.models import Activity, UserAchievement, UserStreak, XPTransaction
from gamification.services import achievements, activities, privacy, streaks, xp
from gamification.services.activities import Event
from gamification.tests.domain.naive import Refused
from gamification.tests.factories import UserFactory
from gamification.tests.helpers import at
from gamification.tests.services.ledger_model import KINDS, Model, Told, check, rows_of

START = at("2026-03-20T12:00")
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Honolulu", "Africa/Cairo"]
GRANTED = ["first_steps", "word_collector", "week_warrior", "first_scenario"]
names = count()

waits = st.one_of(st.integers(0, 600), st.integers(1300, 1600), st.integers(1300, 1600), st.integers(0, 5 * 1440))
kinds = st.integers(0, len(KINDS) - 1)
backs = st.one_of(st.just(0), st.just(0), st.integers(0, 600), st.integers(0, 9 * 1440))
picks = st.integers(0, 99)


class LedgerMachine(RuleBasedStateMachine):
    """Ada's life: ``now`` goes forward, ``sent`` are events and receipts, ``looked`` is how often all was looked at."""

    @initialize()
    def begin(self) -> None:
        self.ada: Any = UserFactory(username=f"machine-{next(names)}")
        self.now = START
        self.model = Model()
        self.longest = self.looked = 0
        self.may_fall = False
        self.sent: list[tuple[Event, Any]] = []

    # What people do

    @rule(wait=waits, kind=kinds, back=backs, quantity=st.integers(1, 60))
    def record(self, wait: int, kind: int, back: int, quantity: int) -> None:
        self._pass(wait)
        event = self._event(kind, back, quantity)
        receipt = activities.record(
            self.ada,
            event.kind,
            key=event.key,
            quantity=event.quantity,
            data=event.data,
            occurred_at=event.occurred_at,
            now=self.now,
        )
        assert not receipt.is_replay
        self._tell(event, receipt, kind)

    @rule(wait=waits, items=st.lists(st.tuples(kinds, backs), min_size=1, max_size=4))
    def record_many(self, wait: int, items: list[tuple[int, int]]) -> None:
        self._pass(wait)
        events = [self._event(kind, back, 1) for kind, back in items]
        receipts = activities.record_many(events, now=self.now)
        order = sorted(range(len(items)), key=lambda index: events[index].occurred_at or self.now)
        for index in order:
            self._tell(events[index], receipts[index], items[index][0])

    @precondition(lambda self: self.sent)
    @rule(wait=waits, pick=picks)
    def replay(self, wait: int, pick: int) -> None:
        self._pass(wait)
        event, receipt = self.sent[pick % len(self.sent)]
        before = rows_of(self.ada)
        (again,) = activities.record_many([event], now=self.now)
        assert again.is_replay
        assert (again.xp_awarded, again.streak, again.level) == (receipt.xp_awarded, receipt.streak, receipt.level)
        try:
            activities.record_many([replace(event, quantity=event.quantity + 1)], now=self.now)
        except GamificationError as error:
            assert isinstance(getattr(error, "errors", {0: error})[0], IdempotencyConflict)
        assert rows_of(self.ada) == before

    @rule(wait=waits)
    def touch(self, wait: int) -> None:
        self._pass(wait)
        change = streaks.touch(self.ada, now=self.now)
        if not change.is_replay:
            self._tell_row(Activity.objects.filter(user=self.ada).latest("pk"), 0)

    @rule(wait=waits)
    def freeze(self, wait: int) -> None:
        self._pass(wait)
        with self._nothing_if_refused() as refused:
            streaks.freeze(self.ada, now=self.now)
        naive = self.model.streak
        if naive is not None:
            try:
                naive.freeze(self.now)
            except Refused as error:
                assert refused == [str(error)]
            else:
                assert refused == []

    @rule(wait=waits, zone=st.sampled_from(ZONES))
    def move(self, wait: int, zone: str) -> None:
        self._pass(wait)
        streaks.set_timezone(self.ada, zone, now=self.now)
        self.model.zone = ZoneInfo(zone)
        if self.model.streak is not None:
            self.model.streak.zone = self.model.zone

    # What staff do

    @rule(wait=waits, amount=st.integers(-400, 400).filter(bool))
    def award(self, wait: int, amount: int) -> None:
        self._pass(wait)
        key, before = f"award-{next(names)}", UserStreak.objects.filter(user=self.ada).exists()
        with self._nothing_if_refused() as refused:
            xp.award(self.ada, amount, reason="test", key=key, now=self.now)
        if refused:
            assert refused == ["insufficient_xp"]
            assert amount < 0 or not before
            return
        self.model.awarded += amount
        kept = rows_of(self.ada)
        assert xp.award(self.ada, amount, reason="test", key=key, now=self.now).is_replay
        assert rows_of(self.ada) == kept

    @rule(wait=waits, pick=picks)
    def reverse(self, wait: int, pick: int) -> None:
        self._pass(wait)
        ledger = list(XPTransaction.objects.filter(user=self.ada).order_by("pk"))
        if ledger:
            with self._nothing_if_refused() as refused:
                xp.reverse(ledger[pick % len(ledger)], reason="test", now=self.now)
            assert set(refused) <= {"already_reversed", "not_reversible", "insufficient_xp"}

    @rule(wait=waits, pick=picks, policy=st.sampled_from(["keep", "revoke", None]))
    def void(self, wait: int, pick: int, policy: str | None) -> None:
        self._pass(wait)
        if not self.model.told:
            return
        told = self.model.told[pick % len(self.model.told)]
        held = self._held()
        with self._nothing_if_refused() as refused:
            activities.void(told.row, reason="test", achievements=policy, now=self.now)
        if refused:
            assert refused == [AlreadyVoided.code if told.is_void else "insufficient_xp"]
            return
        assert not told.is_void
        assert policy == "revoke" or self._held() == held
        assert self._held() <= held
        told.is_void, self.may_fall = True, True
        if told.row.is_in_streak:
            self.model.streak = None

    @rule(wait=waits, name=st.sampled_from(GRANTED))
    def grant(self, wait: int, name: str) -> None:
        self._pass(wait)
        achievements.unlock(self.ada, name, reason="test", now=self.now)

    @rule(wait=waits, pick=picks)
    def revoke(self, wait: int, pick: int) -> None:
        self._pass(wait)
        held = sorted(self._held()) or GRANTED
        with self._nothing_if_refused() as refused:
            achievements.revoke(self.ada, held[pick % len(held)], reason="test", now=self.now)
        assert set(refused) <= {"not_unlocked", "insufficient_xp"}

    @rule(wait=waits)
    def check(self, wait: int) -> None:
        self._pass(wait)
        achievements.check(self.ada, now=self.now)

    @precondition(lambda self: len(self.model.told) > 3)
    @rule(wait=waits)
    def erase(self, wait: int) -> None:
        self._pass(wait)
        privacy.erase(self.ada)
        assert not any(rows_of(self.ada).values())
        self.model, self.sent, self.longest = Model(), [], 0

    # What holds

    @invariant()
    def everything_holds(self) -> None:
        self.looked += 1
        check(self.ada, self.model, self.now)
        row = UserStreak.objects.filter(user=self.ada).first()
        longest = row.longest_streak if row else 0
        assert self.may_fall or longest >= self.longest
        self.longest, self.may_fall = longest, False

    # Steps

    def _pass(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    def _held(self) -> set[str]:
        return set(UserAchievement.objects.of(self.ada).unlocked().values_list("achievement_id", flat=True))

    def _event(self, kind: int, back: int, quantity: int) -> Event:
        name, data, *_ = KINDS[kind]
        number = quantity if name == "words_learned" else 1
        return Event(self.ada, name, f"key-{next(names)}", number, data, self.now - timedelta(minutes=back))

    def _tell(self, event: Event, receipt: Any, kind: int) -> None:
        self.sent.append((event, receipt))
        self._tell_row(receipt.activity, kind)

    def _tell_row(self, row: Any, kind: int) -> None:
        _, _, pays, raises = KINDS[kind]
        raised = {name: value * row.quantity for name, value in raises.items()}
        assert row.local_date == row.occurred_at.astimezone(self.model.zone).date()
        assert row.is_in_streak == (self.now - row.occurred_at <= timedelta(days=7))
        self.model.told.append(Told(row, pays, raised, self.model.zone))
        if self.model.streak is not None and row.is_in_streak:
            self.model.streak.act(row.occurred_at)

    @contextmanager
    def _nothing_if_refused(self) -> Iterator[list[str]]:
        """Give the list that the code of a refusal is put in; what is refused changes nothing but a beginner's rows."""
        before, refused = rows_of(self.ada), []
        try:
            yield refused
        except GamificationError as error:
            refused.append(error.code)
            assert rows_of(self.ada) == before
