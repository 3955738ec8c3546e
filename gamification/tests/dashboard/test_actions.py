"""The two buttons: what they do, what they say, and that nobody else can press them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from gamification.models import Activity, UserStreak
from gamification.services import streaks
from gamification.tests.dashboard.conftest import act_on, words

if TYPE_CHECKING:
    from django.contrib.auth.models import User

BUTTONS = ["/gamification/touch", "/gamification/freeze"]


def press(client: Client, user: User, button: str) -> str:
    """Post ``button`` as ``user`` and return what the page says then."""
    client.force_login(user)
    response = client.post(f"/gamification/{button}", follow=True)
    assert response.redirect_chain == [("/gamification", 302)]
    return words(response.content.decode())


def test_the_first_day_starts_a_streak(client, ada):
    text = press(client, ada, "touch")

    assert "Day 1 of your streak! You earned 5 XP." in text
    assert streaks.status(ada).current == 1


def test_the_next_day_goes_on(client, ada):
    act_on(ada, [1, 2])

    text = press(client, ada, "touch")

    assert "3 days in a row! You earned 15 XP." in text


def test_only_what_is_worth_it_is_celebrated(client, ada):
    client.force_login(ada)

    first = client.post("/gamification/touch", follow=True).content.decode()
    second = client.post("/gamification/touch", follow=True).content.decode()

    assert "gx-celebrate" in first
    assert "gx-celebrate" not in second


def test_pressed_twice_it_counts_once(client, ada):
    press(client, ada, "touch")

    text = press(client, ada, "touch")

    assert "Today already counts. See you tomorrow!" in text
    assert Activity.objects.filter(user=ada).count() == 1


def test_without_a_bonus_no_xp_is_promised(client, ada, settings):
    settings.GAMIFICATION = {"STREAK_BONUS_PER_DAY": 0}

    text = press(client, ada, "touch")

    assert "Day 1 of your streak!" in text
    assert "You earned" not in text


def test_a_message_is_shown_once(client, ada):
    client.force_login(ada)
    html = client.post("/gamification/touch", follow=True).content.decode()

    assert html.count("Day 1 of your streak!") == 1
    assert "Day 1 of your streak!" not in client.get("/gamification").content.decode()


def test_today_can_be_frozen(client, ada):
    act_on(ada, [1, 2])

    text = press(client, ada, "freeze")

    assert "Today is frozen. Your streak is safe." in text
    assert streaks.status(ada).freezes == 2


def test_freezing_twice_uses_one_freeze(client, ada):
    act_on(ada, [1, 2])
    press(client, ada, "freeze")

    text = press(client, ada, "freeze")

    assert "Today was frozen already." in text
    assert streaks.status(ada).freezes == 2


def test_a_refused_freeze_says_why(client, ada):
    assert "There is no running streak to freeze yet." in press(client, ada, "freeze")

    act_on(ada, [1])
    UserStreak.objects.filter(user=ada).update(streak_freezes_available=0)
    assert "You have no freeze left." in press(client, ada, "freeze")

    press(client, ada, "touch")
    assert "Today already counts, so there is nothing to freeze." in press(client, ada, "freeze")


@pytest.mark.parametrize("button", BUTTONS)
def test_a_link_presses_nothing(client, ada, button):
    client.force_login(ada)

    assert client.get(button).status_code == 405


@pytest.mark.parametrize("button", BUTTONS)
def test_another_site_presses_nothing(ada, button):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)

    assert client.post(button).status_code == 403
    assert not Activity.objects.exists()


def test_the_forms_of_the_page_carry_the_token(ada):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    client.get("/gamification")
    token = client.cookies["csrftoken"].value

    response = client.post("/gamification/touch", {"csrfmiddlewaretoken": token})

    assert response.status_code == 302
    assert streaks.status(ada).current == 1
