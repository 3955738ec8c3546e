"""Random people with random histories: the board, the profile and ``rank`` agree with a count by hand."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model

from gamification.models import Activity, UserAchievement, UserXP, XPTransaction
from gamification.services import achievements, activities, integrity, leaderboards, privacy, streaks, xp
from gamification.services.activities import Event
from gamification.tests.backends.people import DAY, NOON, give, person, walk

ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Pacific/Kiritimati", "America/Los_Angeles", "Pacific/Apia"]
PEOPLE = 16


def populate(dice):
    """Return people with activities, awards, reversals and achievements of the last 45 days, some of them hidden."""
    achievements.initialize()
    users = [person() for _ in range(PEOPLE)]
    for user in users:
        streaks.set_timezone(user, dice.choice(ZONES), now=NOON - 60 * DAY)
        moments = [NOON - timedelta(hours=dice.randrange(45 * 24)) for _ in range(dice.choice([0, 1, 4, 15]))]
        moments += [NOON - n * DAY for n in range(dice.choice([0, 0, 5, 12]))]
        activities.import_events([_event(dice, user, number, at) for number, at in enumerate(moments)], now=NOON)
        for _ in range(dice.choice([0, 0, 2])):
            _award(dice, user)
    for user in dice.sample(users, 4):
        kept = achievements.for_user(user)
        if kept:
            achievements.revoke(user, dice.choice(kept).achievement.achievement_id, now=NOON)
    for user in dice.sample(users, 3):
        privacy.set_visibility(user, visible=False)
    banned = dice.sample(users, 2)
    get_user_model()._default_manager.filter(pk__in=[user.pk for user in banned]).update(is_active=False)
    return users


def _event(dice, user, number, at):
    kind = dice.choice(["scenario_completed", "scenario_completed", "words_learned", "daily_visit"])
    data = {"difficulty": dice.choice(["beginner", "advanced"]), "minutes": dice.choice([0, 10])}
    return Event(user, kind, f"e{number}", data=data if kind == "scenario_completed" else None, occurred_at=at)


def _award(dice, user):
    earned = NOON - dice.randrange(40) * DAY
    booked = give(user, dice.choice([50, 50, 100, 777]), now=earned).transaction
    if dice.random() < 0.3:
        xp.reverse(booked, reason="a mistake", now=NOON)
    elif dice.random() < 0.3:
        give(user, -50, now=NOON)


def scores_by_hand(users, metric):
    """Return everybody's score, straight from the log and the ledger."""
    scores = Counter()
    if metric in {"xp_all_time", "xp_weekly", "xp_monthly"}:
        days = {"xp_weekly": 6, "xp_monthly": 29}.get(metric)
        for row in XPTransaction.objects.all():
            if days is None or (row.earned_on and row.earned_on >= NOON.date() - days * DAY):
                scores[row.user_id] += row.xp_amount
    elif metric == "scenarios_completed":
        scores.update(Activity.objects.filter(kind="scenario_completed").values_list("user_id", flat=True))
    elif metric == "achievements_unlocked":
        scores.update(UserAchievement.objects.unlocked().values_list("user_id", flat=True))
    else:
        field = {"streak_current": "current", "streak_longest": "longest"}[metric]
        scores.update({user.pk: getattr(streaks.status(user, now=NOON), field) for user in users})
    return scores


class Populations:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_list_profile_and_rank_agree_with_a_count_by_hand_on_every_board(self, seed, configure):
        dice = random.Random(seed)
        users = populate(dice)
        configure(
            LEADERBOARD_OPTIONS={"depth": dice.choice([5, 1000])}, IS_EXCLUDED=lambda user: user.pk == users[7].pk
        )
        self.catch_up()
        hidden = set(UserXP.objects.filter(is_visible=False).values_list("user_id", flat=True))
        hidden |= set(get_user_model()._default_manager.filter(is_active=False).values_list("pk", flat=True))
        hidden.add(users[7].pk)
        assert len(leaderboards.metrics()) == 7

        for metric in leaderboards.metrics():
            scores = scores_by_hand(users, metric)
            visible = {pk: score for pk, score in scores.items() if score > 0 and pk not in hidden}
            in_order = sorted(visible, key=lambda pk: (-visible[pk], pk))

            def rank(pk, scores=scores, visible=visible):
                if scores[pk] <= 0:
                    return None
                return 1 + sum(score > scores[pk] for other, score in visible.items() if other != pk)

            def next_rank(pk, scores=scores, visible=visible):
                ahead = [score for other, score in visible.items() if other != pk and score > scores[pk] > 0]
                return min(ahead) - scores[pk] if ahead else None

            seen = walk(metric, limit=7)
            by_hand = [(rank(pk), pk, visible[pk]) for pk in in_order]
            assert [(row.rank, row.user_id, row.score) for row in seen] == by_hand, metric
            for user in users:
                mine = leaderboards.rank(user, metric, now=NOON)
                board = leaderboards.top(metric, limit=1, viewer=user, now=NOON)
                found = (mine.rank, max(0, mine.score), mine.to_next_rank)
                assert found == (rank(user.pk), max(0, scores[user.pk]), next_rank(user.pk)), (metric, user.pk)
                assert (board.me, board.total) == (mine, len(visible)), (metric, user.pk)
        assert list(integrity.verify(now=NOON)) == []
