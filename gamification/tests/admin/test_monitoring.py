"""The monitoring page: who may open it, what it shows, and what it costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from gamification.models import Achievement, DailyFigure
from gamification.services import achievements, activities, figures, leaderboards, xp
from gamification.tests.admin.conftest import achievement_url, list_url, said

URL = "/admin/gamification/dailyfigure/"
REFRESH = f"{URL}refresh/"


@pytest.fixture
def busy(root, ada):
    """Have activities, awards, a reversal and reads of boards on several dates up to today, and their figures."""
    now = timezone.now()
    for ago in range(9, -1, -1):
        at = now - timedelta(days=ago)
        activities.record(ada, "scenario_completed", key=f"s{ago}", data={"difficulty": "beginner"}, now=at)
    row = xp.award(ada, 70, reason="helped", key="k", actor=root, now=now).transaction
    xp.reverse(row, reason="a mistake", actor=root, now=now)
    leaderboards.rank(ada, "xp_all_time")
    figures.refresh()
    return ada


def text_of(response):
    return " ".join(response.content.decode().split())


# Who


def test_staff_find_it_in_the_index_when_they_may(client_with):
    client = client_with("view_dailyfigure")

    index = text_of(client.get(reverse("admin:index")))

    assert f'<a href="{URL}">Monitoring</a>' in index
    assert client.get(URL).status_code == 200


def test_others_neither_see_it_nor_have_it_computed(client_with, client):
    staff = client_with("view_userxp", "view_achievement")

    assert [staff.get(URL).status_code, staff.post(REFRESH).status_code] == [403, 403]
    assert "/admin/login/" in client.get(URL)["Location"]
    assert "/admin/login/" in client.post(REFRESH)["Location"]
    assert not DailyFigure.objects.exists()


def test_nobody_adds_changes_or_deletes_a_figure(root_client):
    figures.refresh(days=1)
    row = DailyFigure.objects.first()

    answers = [
        root_client.post(reverse("admin:gamification_dailyfigure_add"), {}),
        root_client.post(reverse("admin:gamification_dailyfigure_change", args=[row.pk]), {"value": 7}),
        root_client.post(reverse("admin:gamification_dailyfigure_delete", args=[row.pk]), {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert DailyFigure.objects.get(pk=row.pk).value == row.value


# What


def test_it_answers_what_staff_ask_first(busy, root_client):
    found = figures.read(30)

    shown = text_of(root_client.get(URL))

    total = sum(sum(day.xp.values()) for day in found.days)
    assert f"<dt>XP awarded</dt><dd><strong>{total:,}</strong> in " in shown
    for title in (
        "XP per day, by reason",
        "Bookings of XP per day, by reason",
        "People per day",
        "On a streak of 7 or more",
        "Freezes used per day",
        "Achievements per active person and week",
        "Leaderboard reads per day",
        "Leaderboard reads answered from the cache",
        "Levels",
        "Unlocks and rarity by achievement",
    ):
        assert f">{title}<" in shown


def test_the_numbers_of_a_plot_stand_in_a_table_below_it_newest_first(busy, root_client):
    today = figures.read(7).days[-1]

    shown = text_of(root_client.get(URL, {"days": "7"}))

    table = shown.partition("<caption>XP per day, by reason</caption>")[2].partition("</table>")[0]
    assert table.count("<tr>") == 8
    newest = table.partition("<tbody>")[2].partition("</tr>")[0]
    assert today.xp["client"] == 70
    assert all(f"<td>{amount:,}</td>" in newest for amount in today.xp.values())
    for reason in ("Scenario completed", "Streak bonus", "Awarded", "Reversal"):
        assert f'<th scope="col">{reason}</th>' in table


def test_a_plot_says_its_gist_to_those_who_do_not_see_it(busy, root_client):
    response = root_client.get(URL, {"days": "7"})

    (people,) = [section for section in response.context["sections"] if section.plot.title == "People per day"]
    assert people.plot.summary.startswith("People per day. Active: from 1 to 1, 1 at ")
    assert f'role="img" aria-label="{people.plot.summary}"' in text_of(response)


@pytest.mark.parametrize("days", [7, 30, 90])
def test_the_ranges_are_links_and_the_one_that_is_shown_says_so(busy, root_client, days):
    response = root_client.get(URL, {"days": days})

    assert len(response.context["figures"].days) == days
    assert f'<a href="?days={days}" aria-current="page">{days} days</a>' in text_of(response)
    others = {7, 30, 90} - {days}
    assert all(f'<a href="?days={other}">{other} days</a>' in text_of(response) for other in others)


@pytest.mark.parametrize("days", ["", "8", "-7", "abc", "7.0", "9" * 30, "\u0667", "7;"])
def test_a_range_that_there_is_not_is_said_and_thirty_days_are_shown(root_client, days):
    response = root_client.get(URL, {"days": days})

    assert response.status_code == 400
    assert said(response) == "days must be one of 7, 30, 90; these are the last 30."
    assert len(response.context["figures"].days) == 30


def test_definitions_that_nobody_has_are_named_with_links(busy, client_with):
    figures.refresh()
    never = Achievement.objects.get(achievement_id="unstoppable_force")

    shown = text_of(client_with("view_dailyfigure", "view_achievement").get(URL))

    names = shown.partition("<h3>Never unlocked</h3>")[2].partition("</ul>")[0]
    assert f'<li><a href="{achievement_url(never)}">Unstoppable Force</a></li>' in names
    assert "First Steps" not in names
    table = shown.partition("Unlocks and rarity by achievement</caption>")[2]
    row = table.partition("First Steps</a></th>")[2].partition("</tr>")[0]
    assert row.strip().startswith("<td>0</td>")  # ada has had it for months
    assert row.strip().endswith("<td>1</td> <td>100 %</td>")


def test_who_may_not_open_definitions_reads_their_names_without_links(busy, client_with):
    shown = text_of(client_with("view_dailyfigure").get(URL))

    assert "<li>Unstoppable Force</li>" in shown
    assert "/admin/gamification/achievement/" not in shown


def test_a_name_cannot_bring_markup_along(root_client):
    achievements.initialize()
    Achievement.objects.filter(achievement_id="first_steps").update(name="<script>1</script>")
    figures.refresh(days=1)

    shown = text_of(root_client.get(URL))

    assert "<script>1" not in shown
    assert "&lt;script&gt;1" in shown


def test_an_empty_site_shows_empty_plots_and_how_to_fill_them(root_client):
    response = root_client.get(URL)

    shown = text_of(response)
    assert response.status_code == 200
    assert "Today was not computed yet." in shown
    assert "30 dates were never computed." in shown
    assert "<code>python manage.py refresh_figures</code>" in shown
    assert "There are no achievements yet." in shown
    assert "Compute them now" in shown


# Computing


def test_the_button_computes_and_is_gone(ada, root_client):
    response = root_client.post(f"{REFRESH}?days=90")

    assert response["Location"] == f"{URL}?days=90"
    page = root_client.get(response["Location"])
    assert said(response) == "The figures are up to date."
    assert page.context["figures"].missing == 0
    assert "Compute them now" not in text_of(page)


def test_old_figures_say_as_of_when_and_offer_the_button(root_client):
    figures.refresh()
    DailyFigure.objects.update(computed_at=timezone.now() - timedelta(minutes=20))

    shown = text_of(root_client.get(URL))

    assert "As of <strong>" in shown
    assert "Compute them now" in shown


def test_where_a_queue_computes_the_page_says_to_come_back(root_client, settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}

    response = root_client.post(REFRESH)

    assert said(response) == "The figures are being computed. Load the page again in a minute."
    assert not DailyFigure.objects.exists()


@pytest.mark.parametrize("days", ["abc", "//example.com", "7%0d%0aX: y"])
def test_the_way_back_leads_to_the_page_alone(root_client, days):
    assert root_client.post(f"{REFRESH}?days={days}")["Location"] == URL


def test_asking_for_it_with_a_get_computes_nothing(root_client):
    assert root_client.get(REFRESH).status_code == 405
    assert not DailyFigure.objects.exists()


# How much


@pytest.mark.parametrize("days", [7, 90])
def test_the_page_takes_four_queries(busy, root_client, django_assert_max_num_queries, days):
    root_client.get(URL)

    with django_assert_max_num_queries(4):  # session, user, figures, definitions
        assert root_client.get(URL, {"days": days}).status_code == 200


def test_the_list_of_figures_is_this_page(root_client):
    assert list_url("dailyfigure") == URL
