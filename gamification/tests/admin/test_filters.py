"""Filters and search: through an index, or among the newest rows."""

from __future__ import annotations

import pytest

from gamification.models import XPTransaction
from gamification.services import xp
from gamification.tests.admin.conftest import LARGE, NOON, list_url


@pytest.mark.parametrize(
    ("model", "query", "is_windowed"),
    [
        ("xptransaction", {"source__exact": "client"}, True),
        ("xptransaction", {"source__exact": "client", "user__exact": "1"}, False),
        ("xptransaction", {"q": "ada", "source__exact": "client"}, False),
        ("xptransaction", {"q": " ", "source__exact": "client"}, True),
        ("xptransaction", {}, False),
        ("activity", {"kind": "daily_visit"}, True),
        ("userday", {"date__gte": "2026-06-01"}, False),
        ("userday", {"status__exact": "active"}, True),
        ("userachievement", {"state": "unlocked"}, True),
        ("userachievement", {"state": "unlocked", "achievement": "first_steps"}, False),
        ("userachievement", {"state": "revoked", "achievement": "first_steps"}, True),
        ("userachievement", {"achievement": "first_steps"}, True),
        ("usercounter", {"name": "study_minutes"}, False),
        ("userxp", {"title": "10"}, False),
        ("userstreak", {"streak": "lapsed"}, False),
    ],
)
def test_filters_without_an_index_look_at_the_newest_rows_only(award, root_client, model, query, is_windowed):
    response = root_client.get(list_url(model), query)

    assert response.status_code == 200
    assert response.context["cl"].is_windowed is is_windowed
    assert (b"newest 100000 rows" in response.content) is is_windowed


def test_the_window_ends_at_the_newest_row(award, root_client, monkeypatch):
    monkeypatch.setattr("gamification.admin.base.ROWS_SEARCHED", 1)

    rows = root_client.get(list_url("xptransaction"), {"source__exact": "client"}).context["cl"].queryset
    older = root_client.get(list_url("xptransaction"), {"source__exact": "streak"}).context["cl"].queryset

    assert (list(rows), list(older)) == ([award], [])


@pytest.mark.parametrize(
    ("model", "query", "found"),
    [
        ("userxp", {"title": "1"}, 1),
        ("userxp", {"title": "10"}, 0),
        ("userxp", {"title": "90"}, 0),
        ("userxp", {"title": "forged"}, 1),
        ("userstreak", {"streak": "lapsed"}, 1),
        ("userstreak", {"streak": "1"}, 0),
        ("userachievement", {"state": "unlocked", "achievement": "first_steps"}, 1),
        ("userachievement", {"state": "revoked"}, 0),
        ("usercounter", {"name": "study_minutes"}, 1),
        ("activity", {"kind": "scenario_completed"}, 1),
        ("activity", {"kind": "words_learned"}, 0),
    ],
)
def test_filters_find_what_they_name(ada, root_client, model, query, found):
    assert root_client.get(list_url(model), query).context["cl"].result_count == found


@pytest.mark.parametrize("model", LARGE)
@pytest.mark.parametrize(
    "query",
    [{"o": "-1.2"}, {"o": "x"}, {"p": "99"}, {"p": "-1"}, {"q": "\x00"}, {"user__exact": "nobody"}, {"e": "1"}],
)
def test_odd_questions_get_an_answer(ada, root_client, model, query):
    assert root_client.get(list_url(model), query, follow=True).status_code == 200


def test_columns_without_an_index_do_not_sort_even_when_asked_by_hand(award, root_client):
    reasons = root_client.get(list_url("xptransaction"), {"o": "3"}).context["cl"]

    assert set(reasons.queryset.query.order_by) == {"-pk"}


# Search


@pytest.mark.parametrize("term", ["ada", "ad", "AD", " ada ", "ten", "ada ten", "ada  ten"])
def test_the_ledger_is_searched_by_name_and_by_key(award, root_client, django_user_model, term):
    other = django_user_model.objects.create_user("bea")
    xp.award(other, 5, reason="other", key="five", now=NOON)

    found = root_client.get(list_url("xptransaction"), {"q": term}).context["cl"].queryset

    assert award in found
    assert {row.user.username for row in found} == {"ada"}


def test_the_ledger_is_searched_by_id(award, ada, root_client):
    found = root_client.get(list_url("xptransaction"), {"q": str(ada.pk)}).context["cl"].queryset

    assert found.count() == XPTransaction.objects.filter(user=ada).count()


@pytest.mark.parametrize("term", ["nobody", "9" * 400, "9" * 5000, "٣", "' OR 1=1", "ada nothing", "%", "_"])
def test_a_search_for_nothing_finds_nothing(award, root_client, term):
    response = root_client.get(list_url("xptransaction"), {"q": term})

    assert response.status_code == 200
    assert response.context["cl"].result_count == 0


def test_a_whole_name_means_that_user_alone(award, root_client, django_user_model):
    adam = django_user_model.objects.create_user("adam")
    xp.award(adam, 5, reason="other", key="five", now=NOON)

    found = root_client.get(list_url("xptransaction"), {"q": "ada"}).context["cl"].queryset

    assert {row.user.username for row in found} == {"ada"}


def test_counters_are_searched_by_their_name(ada, root_client):
    found = root_client.get(list_url("usercounter"), {"q": "languages_practised:es"}).context["cl"].queryset

    assert [(row.name, row.value) for row in found] == [("languages_practised:es", 1)]
