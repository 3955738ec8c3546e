"""Toasts: what they say, that they come once, and to whom."""

from __future__ import annotations

import pytest

from gamification.models import Notice
from gamification.services import activities, xp
from gamification.tests.dashboard.conftest import words
from gamification.tests.factories import AchievementFactory


@pytest.fixture
def unlocked(ada):
    """Have ``ada`` unlock one achievement."""
    AchievementFactory(achievement_id="a_word", name="First <Word>", icon="📝", metric="words_learned", xp_reward=70)
    activities.record(ada, "words_learned", key="a")
    return ada


def toasts(html: str) -> list[str]:
    """Return the words of each toast."""
    parts = html.split('class="gx-toast ')[1:]
    return [words("<" + part.partition("<button")[0]) for part in parts]


def test_an_unlock_is_shown_on_the_next_page_and_never_again(read, unlocked):
    first, second = read(unlocked).html(), read(unlocked).html()

    assert toasts(first) == ["📝 Achievement unlocked First <Word> +70 XP"]
    assert 'role="status"' in first
    assert toasts(second) == []


def test_it_is_shown_in_the_answer_to_what_was_done(client, ada):
    AchievementFactory(achievement_id="here", name="Here", icon="", metric="active_days", xp_reward=0)
    client.force_login(ada)

    response = client.post("/gamification/touch", follow=True)

    assert toasts(response.content.decode()) == ["Achievement unlocked Here"]


@pytest.mark.parametrize("path", ["/", "/gamification/achievements", "/gamification/settings"])
def test_every_page_of_the_site_shows_them(read, unlocked, path):
    assert len(toasts(read(unlocked).html(path))) == 1


def test_only_the_highest_of_several_levels_is_told(read, ada):
    xp.award(ada, 2_000, reason="a prize", key="a")

    assert toasts(read(ada).html()) == ["Level 10 reached Apprentice"]


def test_many_are_summed_up(read, ada):
    for number in range(6):
        AchievementFactory(name=f"Number {number}", icon="🏅", metric="words_learned", xp_reward=10)
    activities.record(ada, "words_learned", key="a")

    told = toasts(read(ada).html())

    assert len(told) == 4
    assert told[-1] == "Achievements unlocked and 3 more +30 XP"


def test_of_what_is_gone_nothing_is_said(read, unlocked):
    Notice.objects.update(subject="gone")

    assert toasts(read(unlocked).html()) == []


def test_they_wait_for_somebody_to_look(client, unlocked):
    client.force_login(unlocked)

    client.head("/gamification")
    client.get("/gamification", headers={"Sec-Purpose": "prefetch;prerender"})
    client.get("/gamification", headers={"HX-Request": "true", "HX-Target": "gx-board"})

    assert Notice.objects.count() == 1


def test_visitors_see_none(client, unlocked):
    assert toasts(client.get("/").content.decode()) == []
    assert Notice.objects.count() == 1
