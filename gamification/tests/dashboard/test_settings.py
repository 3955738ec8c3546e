"""The settings page: time zone, visibility, my data."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from gamification.models import Activity, UserStreak, UserXP
from gamification.services import privacy, streaks
from gamification.tests.dashboard.conftest import act_on, words
from gamification.tests.factories import UserFactory

SETTINGS = "/gamification/settings"


@pytest.fixture
def bob(db):
    """Return somebody with a password."""
    user = UserFactory.create(username="bob")
    user.set_password("correct horse")
    user.save()
    return user


@pytest.fixture
def carla(db):
    """Return somebody without a password, who signs in elsewhere."""
    user = UserFactory.create(username="carla")
    user.set_unusable_password()
    user.save()
    return user


def save(client, user, **data):
    client.force_login(user)
    return client.post(SETTINGS, {"timezone": "UTC", "is_visible": "on"} | data)


def test_it_shows_what_holds(read, ada):
    streaks.set_timezone(ada, "America/Argentina/Buenos_Aires")
    privacy.set_visibility(ada, visible=False)

    html = read(ada).html(SETTINGS)

    assert '<option value="America/Argentina/Buenos_Aires" selected>Argentina, Buenos Aires</option>' in html
    assert "checked" not in html


def test_looking_at_it_writes_nothing(read, ada):
    read(ada).html(SETTINGS)

    assert not UserStreak.objects.exists()


def test_a_zone_is_saved(client, ada):
    response = save(client, ada, timezone="Asia/Tokyo")

    assert response["Location"] == SETTINGS
    assert streaks.timezone(ada) == "Asia/Tokyo"
    assert "Your settings are saved." in words(client.get(SETTINGS).content.decode())


def test_a_second_zone_on_one_day_is_refused_in_words(client, ada):
    save(client, ada, timezone="Asia/Tokyo")

    response = save(client, ada, timezone="Europe/Paris")

    assert response.status_code == 422
    assert "You changed your time zone less than 24 hours ago." in words(response.content.decode())
    assert streaks.timezone(ada) == "Asia/Tokyo"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "+02:00", "../../etc/passwd", "localtime"])
def test_what_is_no_zone_is_refused(client, ada, zone):
    response = save(client, ada, timezone=zone)

    assert response.status_code == 422
    assert streaks.timezone(ada) == "UTC"


def test_an_old_name_of_a_zone_can_be_kept(client, ada):
    streaks.set_timezone(ada, "US/Eastern")

    response = save(client, ada, timezone="US/Eastern", is_visible="")

    assert response.status_code == 302


def test_people_can_leave_the_boards_and_come_back(client, ada):
    save(client, ada, is_visible="")
    assert not privacy.is_visible(ada)

    save(client, ada)
    assert privacy.is_visible(ada)


def test_what_was_not_changed_is_not_written(client, ada):
    save(client, ada)

    assert not UserXP.objects.exists()


def test_my_data_comes_as_a_file(client, ada):
    act_on(ada, [0])
    client.force_login(ada)

    response = client.get(f"{SETTINGS}/data")

    assert response["Content-Disposition"] == 'attachment; filename="my-progress.json"'
    assert "no-store" in response["Cache-Control"]
    assert json.loads(response.content)["activities"][0]["kind"] == "scenario_completed"


def test_erasing_takes_the_password(client, bob):
    act_on(bob, [0])
    client.force_login(bob)

    response = client.post(f"{SETTINGS}/erase", {"confirmation": "correct horse"}, follow=True)

    assert "Your progress was erased." in words(response.content.decode())
    assert not Activity.objects.exists()
    bob.refresh_from_db()


@pytest.mark.parametrize("typed", ["", "wrong", "erase", "correct horse "])
def test_without_the_password_nothing_is_erased(client, bob, typed):
    act_on(bob, [0])
    client.force_login(bob)

    response = client.post(f"{SETTINGS}/erase", {"confirmation": typed})

    assert response.status_code == 422
    assert Activity.objects.count() == 1


def test_a_wrong_password_is_not_sent_back(client, bob):
    client.force_login(bob)

    response = client.post(f"{SETTINGS}/erase", {"confirmation": "hunter2"})

    assert b"hunter2" not in response.content
    assert "This is not your password. Nothing was erased." in words(response.content.decode())


def test_people_without_a_password_type_a_word(client, carla):
    act_on(carla, [0])
    client.force_login(carla)
    assert "Type “erase” to confirm" in words(client.get(SETTINGS).content.decode())

    wrong = client.post(f"{SETTINGS}/erase", {"confirmation": "delete"})
    assert "The word does not match. Nothing was erased." in words(wrong.content.decode())
    assert Activity.objects.exists()

    client.post(f"{SETTINGS}/erase", {"confirmation": " Erase "})
    assert not Activity.objects.exists()


def test_guessing_the_password_there_ends_after_five_attempts_however_they_are_sent(client, bob):
    client.force_login(bob)
    streaks.touch(bob)
    api, page = "/api/v1/gamification/me/data", f"{SETTINGS}/erase"

    answers = [client.post(page, {"confirmation": "wrong"}).status_code for _ in range(3)]
    answers += [client.delete(api, {"password": "wrong"}, "application/json").status_code for _ in range(2)]
    refused = client.post(page, {"confirmation": "correct horse"})

    assert answers == [422, 422, 422, 403, 403]
    assert refused.status_code == client.delete(api, {}, "application/json").status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert "Too many attempts. Nothing was erased. Try again in" in words(refused.content.decode())
    assert UserStreak.objects.exists()


@pytest.mark.parametrize("path", [SETTINGS, f"{SETTINGS}/erase"])
def test_another_site_changes_nothing(bob, path):
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)

    response = client.post(path, {"timezone": "Asia/Tokyo", "confirmation": "correct horse"})

    assert response.status_code == 403
    assert streaks.timezone(bob) == "UTC"


def test_a_link_erases_nothing(client, bob):
    client.force_login(bob)

    assert client.get(f"{SETTINGS}/erase").status_code == 405


def test_the_page_takes_few_queries(read, lively, django_assert_max_num_queries):
    page = read(lively)
    page.html(SETTINGS)  # which shows what there was to celebrate

    with django_assert_max_num_queries(12):
        page.html(SETTINGS)
