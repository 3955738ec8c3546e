"""What the form of a definition asks while somebody types."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from gamification.models import Achievement
from gamification.tests.admin.conftest import achievement_url

CONDITIONS = {"v": 1, "all": [{"metric": "words_learned", "op": "gte", "value": 50}]}
TYPED = {"name": "Bookworm", "description": "Read a lot", "icon": "🐛", "rarity": "epic", "xp_reward": "120"}


def check_url():
    return reverse("admin:gamification_achievement_check")


def checked(client, conditions=CONDITIONS, **changes):
    text = conditions if isinstance(conditions, str) else json.dumps(conditions)
    response = client.post(check_url(), {**TYPED, "conditions": text, **changes})
    assert response.status_code == 200
    return response.json()


def test_what_is_typed_comes_back_in_words_and_as_cards(root_client):
    answer = checked(root_client)

    assert (answer["is_valid"], answer["sentence"]) == (True, "Learn 50 words.")
    assert answer["cards"].count("gx-badge--epic") == 2
    assert "gx-badge--locked" in answer["cards"]
    assert "gx-badge--unlocked" in answer["cards"]
    assert all(text in answer["cards"] for text in ("Bookworm", "Read a lot", "🐛", "+120", "0/50"))


def test_a_hidden_one_is_masked_while_locked(root_client):
    cards = checked(root_client, is_hidden="on")["cards"]

    assert "gx-badge--masked" in cards
    assert cards.count("Bookworm") == 1


def test_what_is_typed_is_escaped(root_client):
    cards = checked(root_client, name="<script>alert(1)</script>", icon="<b>", rarity='"><img>')["cards"]

    assert "<script>" not in cards
    assert "<b>" not in cards
    assert "<img>" not in cards


@pytest.mark.parametrize(
    ("conditions", "place", "rule"),
    [
        (
            {"v": 1, "any": [CONDITIONS["all"][0], {"metric": "level", "op": "gte", "value": 0}]},
            "any[1].value",
            "whole",
        ),
        ({"v": 1, "all": [{"any": [{"metric": "gone", "op": "gte", "value": 1}]}]}, "all[0].any[0].metric", "known"),
        ({"v": 1, "all": []}, "all", "at least one clause"),
        ("{", "", "Line 1, column 2 is not JSON"),
        ("", "", "must be an object"),
        ("[" * 100_000, "", "longer than a condition may be"),
        ("[" * 5_000, "", ""),  # how deep a text can be read depends on the interpreter
        ('{"v": 1, "all": [{"metric": "\\ud800", "op": "gte", "value": 1}]}', "all[0].metric", "known"),
        ('{"v": 1, "all": [{"metric": "level", "op": "gte", "value": 1e400}]}', "all[0].value", "whole"),
    ],
)
def test_what_is_wrong_comes_back_with_its_place(root_client, conditions, place, rule):
    answer = checked(root_client, conditions)

    assert not answer["is_valid"]
    assert answer["error"]["place"] == place
    assert rule in answer["error"]["rule"]
    assert rule in answer["sentence"]


@pytest.mark.parametrize("reward", ["", "-1", "x", "1e9", "9" * 5000, "²"])
def test_a_reward_that_is_none_yet_is_left_out(root_client, reward):
    assert "gx-badge__xp" not in checked(root_client, xp_reward=reward)["cards"]


def test_long_texts_are_cut(root_client):
    assert len(checked(root_client, name="x" * 100_000)["cards"]) < 15_000


def test_nothing_is_saved(root_client):
    checked(root_client)

    assert not Achievement.objects.exists()


@pytest.mark.parametrize("permission", ["add_achievement", "change_achievement"])
def test_who_may_edit_may_ask(client_with, permission):
    assert checked(client_with(permission))["is_valid"]


def test_who_may_only_look_may_not(client_with):
    assert client_with("view_achievement").post(check_url(), TYPED).status_code == 403


def test_who_is_no_staff_is_sent_to_sign_in(client, ada):
    client.force_login(ada)

    assert client.post(check_url(), TYPED).status_code == 302


def test_a_token_is_needed(root):
    client = Client(enforce_csrf_checks=True)
    client.force_login(root)

    assert client.post(check_url(), TYPED).status_code == 403


def test_it_is_asked_by_post_alone(root_client):
    assert root_client.get(check_url()).status_code == 405


def test_asking_takes_two_queries(root_client, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):  # session and user
        checked(root_client)


# The page without a script


def test_the_form_shows_sentence_and_cards_without_a_script(unheld, root_client):
    content = root_client.get(achievement_url(unheld)).content.decode()

    assert "Complete 50 scenarios in any language." in content
    assert content.count("gx-badge--epic") == 2
    assert "0/50" in content


def test_a_new_one_begins_with_a_card_to_fill(root_client):
    content = root_client.get(reverse("admin:gamification_achievement_add")).content.decode()

    assert "Name of the achievement" in content
    assert "Choose what counts to see it in words." in content


def test_a_refused_form_shows_the_card_as_it_was_typed(unheld, root_client):
    data = {**TYPED, "category": "special", "order": "1", "conditions": "{"}

    content = root_client.post(achievement_url(unheld), data).content.decode()

    assert content.count("Bookworm") >= 3  # in the field and on both cards


def test_who_may_only_look_sees_the_card(unheld, client_with):
    content = client_with("view_achievement").get(achievement_url(unheld)).content.decode()

    assert content.count("gx-badge--epic") == 2


def test_what_a_page_holds_for_scripts_cannot_end_it(settings, unheld, root_client):
    settings.GAMIFICATION = {"METRICS": {"</script><b>": "builtins.len"}}

    content = root_client.get(achievement_url(unheld)).content.decode()

    assert "</script><b>" not in content


def test_the_form_takes_no_query_for_the_editor(unheld, root_client, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):  # session, user, row
        root_client.get(achievement_url(unheld))
