"""Typical mistakes, made on purpose in a copy of the code: the tests of streaks and ledger have to catch each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults.outcomes import Outcome
from gamification.tests.servers import ROOT

COPIED = ("gamification", "project", "templates", "conftest.py", "manage.py", "pytest.ini", "pyproject.toml")
QUICK = 3

STREAK_RULES = ("domain/test_streaks.py", "domain/test_streak_vectors.py", "domain/test_tokens_of_a_run.py")
CLOCKS = ("services/test_clocks.py",)
STREAKS = ("services/test_streaks.py",)
ACTIVITIES = ("services/test_activities.py",)
XP = ("services/test_xp.py",)
LEVELS = ("domain/test_levels.py",)
RACES = ("races/test_totals.py", "-k", "lose_nothing and postgres")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mistake: in ``file`` of the app ``new`` stands for ``old``; ``tests`` are those that have to catch it."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


LOCAL_DATE = "return at.astimezone(zone).date()"
MUTANTS = (
    Mutant("days of UTC", "domain/calendar.py", LOCAL_DATE, "return at.astimezone(UTC).date()", STREAK_RULES),
    Mutant(
        "a fixed offset", "domain/calendar.py", LOCAL_DATE,
        "return (at + datetime(2026, 1, 1, tzinfo=zone).utcoffset()).date()", CLOCKS,
    ),
    Mutant(
        "offsets of whole hours", "domain/calendar.py", LOCAL_DATE,
        "return (at + at.astimezone(zone).utcoffset() // timedelta(hours=1) * timedelta(hours=1)).date()", CLOCKS,
    ),
    Mutant(
        "midnight belongs to the day before", "domain/calendar.py", LOCAL_DATE,
        "return (at - timedelta(microseconds=1)).astimezone(zone).date()", CLOCKS,
    ),
    Mutant(
        "dates that never were are missed", "domain/calendar.py",
        "return day not in dates_that_never_were(day.year, zone)", "return True", STREAK_RULES,
    ),
    Mutant(
        "24 hours instead of dates", "domain/streaks.py", "return max(calendar.ends_at(deadline, zone), ",
        "return max(streak.last_at, ", STREAK_RULES,
    ),
    Mutant(
        "no 24-hour guarantee", "domain/gaps.py", "hours_allow = max(0, (at - (last_at or at)) // timedelta(hours=24))",
        "hours_allow = 10**6", STREAK_RULES,
    ),
    Mutant(
        "no refund for a frozen day that was acted on late", "domain/streaks.py",
        "returned=int(days.get(day) == DayStatus.FROZEN)", "returned=0", STREAK_RULES,
    ),
    Mutant(
        "no refund for a frozen day that was acted on", "domain/streaks.py", "transitions=(INCREASED,), returned=1",
        "transitions=(INCREASED,), returned=0", STREAK_RULES,
    ),
    Mutant(
        "a freeze for a broken streak", "domain/streaks.py", "if streak.last_day is None or not reading.current:",
        "if streak.last_day is None:", STREAK_RULES,
    ),
    Mutant(
        "no tokens used where they are too few", "domain/streaks.py", "used = min(missed, usable)",
        "used = missed if missed <= usable else 0", STREAK_RULES,
    ),
    Mutant(
        "tokens without a maximum", "domain/streaks.py", "room = max(0, policy.freezes_max - streak.freezes)",
        "room = 10**6", STREAK_RULES,
    ),
    Mutant(
        "tokens for active days of all runs", "domain/streaks.py",
        "earned = _multiples([current], policy) - _multiples([current - 1], policy)",
        "earned = int((streak.total_active_days + 1) % (policy.earned_every or 10**6) == 0)", STREAK_RULES,
    ),
    Mutant(
        "the longest streak falls", "domain/streaks.py", "longest=max(streak.longest, current)", "longest=current",
        STREAK_RULES,
    ),
    Mutant(
        "a late activity starts anew", "domain/streaks.py",
        "return _act_late(after, day, zone, policy, days or {})",
        "return _arrive(after, day, policy, current=1, transitions=(BROKEN, STARTED))", STREAK_RULES,
    ),
    Mutant("excused dates are missed", "domain/gaps.py", "if day in excused:", "if not day:", STREAK_RULES),
    Mutant(
        "a late activity pays the bonus", "engine/days.py",
        "if not is_first or (streak_before_day is not None and day < streak_before_day):", "if not is_first:", CLOCKS,
    ),
    Mutant(
        "a bonus twice a day", "engine/days.py",
        "is_first = any(mark.date == day and mark.status == DayStatus.ACTIVE for mark in change.days)",
        "is_first = True", CLOCKS,
    ),
    Mutant(
        "the window of late reports is open", "engine/events.py",
        "is_in_window=not rules.backdate_limit or rules.now - at <= timedelta(days=settings.BACKDATE_DAYS)",
        "is_in_window=True", CLOCKS,
    ),
    Mutant(
        "acts of the future are taken", "engine/events.py",
        "if sent_at is not None and sent_at > rules.now + inputs.FUTURE_TOLERANCE:", "if False:", CLOCKS,
    ),
    Mutant(
        "levels by floating point", "domain/levels.py", "_round_half_up(base * ratio**step)",
        "round(base * float(ratio) ** step)", LEVELS,
    ),
    Mutant(
        "a reversal dated today", "engine/ledger.py", "earned_on=paid.earned_on, reverses=paid",
        "earned_on=date.today(), reverses=paid", XP,
    ),
    Mutant(
        "a total below 0", "engine/ledger.py", "if player.xp.total_xp + booking.amount < 0:", "if False:", XP,
    ),
    Mutant(
        "what was earned stays after a reversal", "engine/ledger.py",
        "row.total_xp_earned -= max(0, booking.reverses.xp_amount)", "pass", XP,
    ),
    Mutant(
        "XP on the date of the report", "engine/recording.py", "on = activity.local_date", "on = now.date()", ACTIVITIES
    ),
    Mutant(
        "a key pays twice", "services/xp.py",
        "if before is not None:\n            return _again(before, content)\n        today", "today", XP,
    ),
    Mutant("totals without the lock", "engine/sql/reading.py", " FOR UPDATE", "", RACES),
)  # fmt: skip


def run(*, is_quick: bool) -> Iterator[Outcome]:
    """Yield one outcome: lost is what no test caught."""
    chosen = MUTANTS[:QUICK] if is_quick else MUTANTS
    with tempfile.TemporaryDirectory(prefix="gamification-mutants-") as folder:
        copy = Path(folder)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, copy)
        for tests in {mutant.tests for mutant in chosen}:
            if not _passes(copy, tests):
                raise SystemExit(f"{' '.join(tests)} fails without any mistake.")
        survived = [mutant.name for mutant in chosen if _survives(copy, mutant)]
    where = "a copy of the code"
    yield Outcome(
        "wrong implementations", where, len(chosen), len(survived), {"survived": ", ".join(survived) or "none"}
    )


def mutated(mutant: Mutant, root: Path) -> str:
    """Return the file with the mistake in it.

    Raises:
        LookupError: the code reads otherwise by now.
    """
    text = (root / "gamification" / mutant.file).read_text()
    if mutant.old not in text:
        raise LookupError(f"{mutant.name}: {mutant.file} has no {mutant.old!r} any more.")
    return text.replace(mutant.old, mutant.new)


def _survives(copy: Path, mutant: Mutant) -> bool:
    path = copy / "gamification" / mutant.file
    before, wrong = path.read_text(), mutated(mutant, copy)
    path.write_text(wrong)
    try:
        is_alive = _passes(copy, mutant.tests)
    finally:
        path.write_text(before)
    sys.stdout.write(f"{'survived' if is_alive else 'caught'}: {mutant.name}\n")
    return is_alive


def _passes(copy: Path, tests: tuple[str, ...]) -> bool:
    paths = [f"gamification/tests/{name}" if name.endswith(".py") else name for name in tests]
    # Without kept bytecode: a file that is changed and changed back within a second would be taken for the other.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "DJANGO_SETTINGS_MODULE": "project.settings"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *paths]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:  # neither passed nor failed: nothing was tried
        is_broken = "error" in done.stdout.lower()
        if not is_broken:
            raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    return done.returncode == 0
