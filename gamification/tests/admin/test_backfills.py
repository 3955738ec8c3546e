"""Rules that come into force: previewed before they are saved, back-filled, and undone as one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from gamification import tasks
from gamification.models import Achievement, BackfillRun, UserAchievement
from gamification.services import activities, backfills, xp
from gamification.tests.admin.conftest import achievement_url, list_url, said
from gamification.tests.factories import AchievementFactory, UserFactory, condition

ADD = reverse("admin:gamification_achievement_add")
EDITOR = ("view_achievement", "add_achievement", "change_achievement", "view_backfillrun", "view_userxp")
MAY_ALL = (*EDITOR, "run_backfill")


@pytest.fixture
def three(db):
    """Return three people who have learned 20, 10 and 9 words."""
    people = [UserFactory(username=name) for name in ("ada", "bob", "eve")]
    for user, number in zip(people, (20, 10, 9), strict=True):
        activities.record(user, "words_learned", key="words", quantity=number)
    return people


def sent(value: int = 10, **changes: Any) -> dict[str, Any]:
    """Return what the form of a definition sends."""
    return {
        "achievement_id": "ten_words",
        "name": "Ten Words",
        "description": "Learn 10 words",
        "category": "vocabulary",
        "rarity": "common",
        "icon": "📝",
        "xp_reward": "70",
        "conditions": json.dumps(condition("words_learned", value)),
        "order": "3",
        "is_active": "on",
        "_save": "Save",
    } | changes


def page(row: BackfillRun, name: str = "change") -> str:
    if name == "change":
        return reverse("admin:gamification_backfillrun_change", args=[row.pk])
    return reverse(f"admin:gamification_backfillrun_{name}") + f"?ids={row.pk}"


# Before it is saved


def test_a_new_rule_is_previewed_before_it_is_saved(client_with, three):
    response = client_with(*MAY_ALL).post(ADD, sent())

    (told,) = response.context["previewed"]
    assert (told.preview.people, told.preview.xp) == (2, 140)
    assert [name for name, _ in told.people] == ["ada", "bob"]
    assert told.words in response.content.decode()
    assert not Achievement.objects.exists()


def test_what_was_typed_goes_along(client_with, three):
    client = client_with(*MAY_ALL)
    posted = dict(client.post(ADD, sent(name="<b>Ten</b>", _save="", _continue="on")).context["posted"])

    client.post(ADD, {**posted, "_seen": "Save only"})

    assert posted.keys() == sent(_continue="on").keys()
    assert Achievement.objects.get().name == "<b>Ten</b>"
    assert not BackfillRun.objects.exists()


def test_saved_with_a_back_fill_it_unlocks_for_them_all(client_with, three, django_capture_on_commit_callbacks):
    client = client_with(*MAY_ALL)

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(ADD, sent(_unlock="Save and unlock"))

    run = BackfillRun.objects.get()
    assert response.url == page(run)
    assert (run.status, run.unlocked, run.started_by.username) == ("finished", 2, "grace")
    assert "Finished: unlocked for 2 people." in client.get(page(run)).content.decode()
    assert "Back-fill" in "".join(LogEntry.objects.values_list("change_message", flat=True))


def test_a_lower_threshold_is_previewed(client_with, three):
    row = AchievementFactory(achievement_id="ten_words", conditions=condition("words_learned", 50))

    response = client_with(*MAY_ALL).post(achievement_url(row), sent())

    assert response.context["previewed"][0].preview.people == 2
    row.refresh_from_db()
    assert row.conditions == condition("words_learned", 50)


@pytest.mark.parametrize(
    "changes",
    [{"value": 50}, {"is_active": ""}, {"name": ""}, {"conditions": "{"}],
    ids=["nobody meets it", "inactive", "refused", "no json"],
)
def test_what_unlocks_for_nobody_now_is_not_asked_about(client_with, three, changes):
    response = client_with(*MAY_ALL).post(ADD, sent(**changes))

    assert not (response.context or {}).get("previewed")


def test_a_change_that_is_none_of_the_rule_is_not_asked_about(client_with, three):
    row = AchievementFactory(achievement_id="ten_words", conditions=condition("words_learned", 10))

    client_with(*MAY_ALL).post(achievement_url(row), sent(name="Another name"))

    row.refresh_from_db()
    assert row.name == "Another name"


def test_one_can_go_back_to_the_form_with_what_was_typed(client_with, three):
    response = client_with(*MAY_ALL).post(ADD, sent(name="Not yet", _reopen="Back"))

    html = response.content.decode()
    assert 'value="Not yet"' in html
    assert "errornote" not in html
    assert not Achievement.objects.exists()


def test_without_the_permission_it_is_shown_and_not_offered(client_with, three):
    client = client_with(*EDITOR)

    shown = client.post(ADD, sent())
    forced = client.post(ADD, sent(_unlock="on"))

    assert shown.context["previewed"]
    assert "_unlock" not in shown.content.decode()
    assert forced.status_code == 403
    assert not Achievement.objects.exists()


def test_while_a_run_is_open_no_other_is_offered(client_with, three):
    row = AchievementFactory(achievement_id="ten_words", conditions=condition("words_learned", 15))
    backfills.start("ten_words", in_background=False)

    response = client_with(*MAY_ALL).post(achievement_url(row), sent())

    assert "has not ended yet" in response.content.decode()
    assert "_unlock" not in response.content.decode()


# Activating, and back-filling what is active


def test_a_second_click_on_unlock_begins_no_second_run(client_with, three):
    row = AchievementFactory(achievement_id="ten_words", metric="words_learned", value=10)
    begun = backfills.start("ten_words", in_background=False)

    response = client_with(*MAY_ALL).post(reverse("admin:gamification_achievement_backfill") + f"?ids={row.pk}")

    assert said(response) == f"Back-fill {begun.pk} of this achievement has not ended yet: let it go on first."
    assert BackfillRun.objects.count() == 1
    assert not LogEntry.objects.exists()


def test_activating_what_is_still_being_undone_changes_nothing_and_says_so(client_with, three):
    row = AchievementFactory(achievement_id="ten_words", metric="words_learned", value=10)
    backfills.start("ten_words", in_background=False)
    Achievement.objects.update(is_active=False)
    page = reverse("admin:gamification_achievement_activation") + f"?ids={row.pk}"

    response = client_with(*MAY_ALL).post(page, {"_unlock": "Unlock"})

    assert said(response).endswith("has not ended yet: let it go on first.")
    assert "activated" not in said(response)
    assert not Achievement.objects.get().is_active


def test_activating_shows_for_whom_it_would_unlock(client_with, three, django_capture_on_commit_callbacks):
    row = AchievementFactory(is_active=False, conditions=condition("words_learned", 10))
    client = client_with(*MAY_ALL)

    asked = client.post(list_url("achievement"), {"action": "activate", "_selected_action": [row.pk]}, follow=True)
    (url, _) = asked.redirect_chain[0]
    with django_capture_on_commit_callbacks(execute=True):
        client.post(url, {"_unlock": "on"})

    row.refresh_from_db()
    assert asked.context["previewed"][0].preview.people == 2
    assert (row.is_active, BackfillRun.objects.get().unlocked) == (True, 2)


def test_activating_only_unlocks_for_nobody(client_with, three):
    row = AchievementFactory(is_active=False, conditions=condition("words_learned", 10))

    client_with(*MAY_ALL).post(reverse("admin:gamification_achievement_activation") + f"?ids={row.pk}", {"_seen": "on"})

    row.refresh_from_db()
    assert (row.is_active, BackfillRun.objects.exists()) == (True, False)


def test_an_active_one_can_be_back_filled_from_its_page(client_with, three, django_capture_on_commit_callbacks):
    row = AchievementFactory(conditions=condition("words_learned", 10))
    client = client_with(*MAY_ALL)
    url = reverse("admin:gamification_achievement_backfill") + f"?ids={row.pk}"

    shown = client.get(achievement_url(row)).content.decode()
    assert url in shown
    assert client.get(url).context["previewed"][0].preview.people == 2
    with django_capture_on_commit_callbacks(execute=True):
        client.post(url, {"_unlock": "on"})

    assert BackfillRun.objects.get().unlocked == 2


@pytest.mark.parametrize("name", ["activation", "backfill"])
def test_nothing_chosen_is_told(client_with, db, name):
    client = client_with(*MAY_ALL)

    response = client.get(reverse(f"admin:gamification_achievement_{name}") + "?ids=0,x")

    assert said(response) == "Nothing was chosen."


@pytest.mark.parametrize("name", ["activation", "backfill"])
def test_these_pages_are_for_those_who_may(client_with, db, name):
    assert client_with("view_achievement").get(reverse(f"admin:gamification_achievement_{name}")).status_code == 403


# Runs


@pytest.fixture
def run(three):
    """Return a finished run."""
    AchievementFactory(achievement_id="ten_words", conditions=condition("words_learned", 10), xp_reward=70)
    return backfills.go_on(backfills.start("ten_words", actor=three[2], in_background=False))


def test_the_list_says_who_when_and_what(client_with, run, django_assert_max_num_queries):
    client = client_with(*MAY_ALL)

    with django_assert_max_num_queries(8):
        html = client.get(list_url("backfillrun")).content.decode()

    assert 'class="field-by">eve<' in html
    assert 'class="field-unlocked_shown">2<' in html
    assert 'class="field-xp_shown">140<' in html


def test_an_open_run_goes_on_a_moment_at_a_time(client_with, three):
    AchievementFactory(achievement_id="ten_words", conditions=condition("words_learned", 10))
    run = backfills.start("ten_words", in_background=False)
    client = client_with(*MAY_ALL)

    assert "<progress" in client.get(page(run)).content.decode()
    response = client.post(page(run, "go_on"))

    run.refresh_from_db()
    assert response.url == page(run)
    assert (run.status, run.unlocked) == ("finished", 2)


def test_with_workers_its_page_only_looks_again(client_with, three, monkeypatch):
    AchievementFactory(achievement_id="ten_words", conditions=condition("words_learned", 10))
    run = backfills.start("ten_words", in_background=False)
    monkeypatch.setattr(tasks, "has_workers", lambda: True)

    html = client_with(*MAY_ALL).get(page(run)).content.decode()

    assert 'http-equiv="refresh"' in html
    assert "backfill.js" not in html


def test_a_run_in_force_is_undone_with_its_rule_retired(client_with, run, django_capture_on_commit_callbacks):
    client = client_with(*MAY_ALL)

    asked = client.get(page(run, "undo")).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page(run, "undo"))

    run.refresh_from_db()
    assert "so it is retired too" in asked
    assert (run.status, run.undone_for, run.undone_by.username) == ("undone", 2, "grace")
    assert not Achievement.objects.get().is_active
    assert not UserAchievement.objects.unlocked().exists()
    assert "Undone for 2 people." in client.get(page(run)).content.decode()


def test_who_was_passed_over_is_listed(client_with, run, three, django_capture_on_commit_callbacks):
    xp.award(three[0], -70, reason="spent", key="shop")
    client = client_with(*MAY_ALL)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page(run, "undo"))

    html = client.get(page(run)).content.decode()

    assert f'{reverse("admin:gamification_userxp_change", args=[three[0].pk])}">ada</a>' in html


def test_undoing_again_is_refused(client_with, run):
    client = client_with(*MAY_ALL)
    client.post(page(run, "undo"))

    response = client.post(page(run, "undo"))

    assert said(response).endswith("This back-fill was undone before.")


def test_a_rule_in_force_is_not_retired_by_those_who_may_not(client_with, run):
    client = client_with("view_backfillrun", "run_backfill")

    response = client.post(page(run, "undo"))

    run.refresh_from_db()
    assert "still in force" in said(response)
    assert run.status == "finished"


@pytest.mark.parametrize("name", ["undo", "go_on"])
def test_runs_are_worked_on_by_those_who_may(client_with, run, name):
    client = client_with("view_backfillrun")

    assert client.post(page(run, name)).status_code == 403
    assert client.get(page(run)).status_code == 200


@pytest.mark.parametrize("name", ["undo", "go_on"])
def test_a_run_that_is_not_there_is_not_found(client_with, db, name):
    assert client_with(*MAY_ALL).post(reverse(f"admin:gamification_backfillrun_{name}") + "?ids=7").status_code == 404
