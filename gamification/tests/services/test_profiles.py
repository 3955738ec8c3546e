"""Public profiles: only what was chosen, only while it is switched on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings

from gamification.exceptions import InvalidInput
from gamification.models import PublicProfile
from gamification.services import achievements, activities, privacy, profiles, streaks, xp
from gamification.tests.backends.people import person
from gamification.tests.services.lives import rows

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 30, 20, tzinfo=UTC)


@pytest.fixture
def ada():
    """Return somebody with three achievements and a fourth that is a secret."""
    achievements.initialize()
    user = person()
    for name in ("first_scenario", "week_warrior", "word_collector", "polyglot"):
        achievements.unlock(user, name, now=NOW)
    achievements.Achievement.objects.filter(achievement_id="word_collector").update(is_hidden=True)
    return user


def names(profile):
    return [definition.achievement_id for definition in profile.showcase]


def test_nobody_has_a_page_until_they_ask_for_one(ada):
    assert profiles.sharing(ada) == profiles.Sharing(is_public=False, slug="", showcase=())
    assert not PublicProfile.objects.exists()


def test_a_page_shows_name_level_showcase_and_days_and_nothing_else(ada):
    activities.record(ada, "daily_visit", key="visit", now=NOW)
    slug = profiles.share(ada, is_public=True, showcase=["polyglot", "first_scenario"]).slug

    profile = profiles.find(slug, now=NOW)

    assert profile.name == ada.username
    assert profile.level == xp.level(ada)
    assert names(profile) == ["polyglot", "first_scenario"]
    assert (len(profile.days), profile.days[-1].date, profile.days[-1].activities) == (365, NOW.date(), 1)
    assert set(profile.__slots__) == {"slug", "name", "level", "showcase", "days"}


def test_a_secret_is_shown_to_nobody(ada):
    with pytest.raises(InvalidInput, match="no secret"):
        profiles.share(ada, is_public=True, showcase=["word_collector"])


def test_what_became_a_secret_is_shown_no_longer(ada):
    slug = profiles.share(ada, is_public=True, showcase=["first_scenario"]).slug

    achievements.Achievement.objects.filter(achievement_id="first_scenario").update(is_hidden=True)

    assert names(profiles.find(slug)) == []


@pytest.mark.parametrize(
    ("showcase", "said"),
    [
        (["first_scenario", "week_warrior", "word_collector", "polyglot"], "At most 3"),
        (["first_scenario", "first_scenario"], "once"),
        (["night_owl"], "unlocked"),
        (["nonsense"], "unlocked"),
        (["\x00"], "unlocked"),
        (["\ud800"], "unlocked"),
    ],
)
def test_only_three_that_were_unlocked_can_be_chosen(ada, showcase, said):
    profiles.share(ada, is_public=False, showcase=["week_warrior"])
    before = rows(ada, without=())

    with pytest.raises(InvalidInput, match=said) as caught:
        profiles.share(ada, is_public=True, showcase=showcase)

    assert caught.value.field == "showcase"
    assert rows(ada, without=()) == before


def test_what_is_taken_back_leaves_the_showcase_and_returns_when_granted_again(ada):
    slug = profiles.share(ada, is_public=True, showcase=["week_warrior", "polyglot"]).slug

    achievements.revoke(ada, "week_warrior", now=NOW)
    assert (names(profiles.find(slug)), profiles.sharing(ada).showcase) == (["polyglot"], ("polyglot",))

    achievements.unlock(ada, "week_warrior", now=NOW)
    assert names(profiles.find(slug)) == ["week_warrior", "polyglot"]


def test_a_switch_takes_the_page_away_and_brings_it_back_where_it_was(ada):
    slug = profiles.share(ada, is_public=True).slug

    assert profiles.share(ada, is_public=False).slug == slug
    assert profiles.find(slug) is None
    assert profiles.share(ada, is_public=True).slug == slug
    assert profiles.find(slug) is not None


def test_an_old_address_leads_nowhere(ada):
    old = profiles.share(ada, is_public=True, showcase=["polyglot"]).slug

    new = profiles.renew(ada)

    assert new.slug != old
    assert (new.is_public, new.showcase) == (True, ("polyglot",))
    assert profiles.find(old) is None
    assert names(profiles.find(new.slug)) == ["polyglot"]


def test_renewing_before_anything_was_shared_shows_nothing(ada):
    assert profiles.find(profiles.renew(ada).slug) is None


def test_addresses_cannot_be_guessed():
    slugs = {profiles.renew(person()).slug for _ in range(50)}

    assert len(slugs) == 50
    assert {len(slug) for slug in slugs} == {22}


@pytest.mark.parametrize("slug", ["", "nonsense", "\x00", "\ud800", "a" * 5000])
def test_other_addresses_lead_nowhere(ada, slug):
    profiles.share(ada, is_public=True)

    assert profiles.find(slug) is None


def test_banned_people_have_no_page(ada):
    slug = profiles.share(ada, is_public=True).slug
    ada.is_active = False
    ada.save()

    assert profiles.find(slug) is None


def test_people_whom_the_project_excludes_have_no_page(ada):
    slug = profiles.share(ada, is_public=True).slug

    with override_settings(GAMIFICATION={"IS_EXCLUDED": lambda user: user.pk == ada.pk}):
        assert profiles.find(slug) is None


def test_being_on_no_board_hides_no_page(ada):
    slug = profiles.share(ada, is_public=True).slug
    privacy.set_visibility(ada, visible=False)

    assert profiles.find(slug) is not None


def test_erased_people_have_no_page(ada):
    slug = profiles.share(ada, is_public=True).slug

    assert privacy.erase(ada)["profile"] == 1

    assert profiles.find(slug) is None
    assert profiles.sharing(ada) == profiles.Sharing()


def test_the_name_is_the_one_that_the_project_gives(ada):
    slug = profiles.share(ada, is_public=True).slug

    with override_settings(GAMIFICATION={"DISPLAY_NAME": lambda user: "Countess"}):
        assert profiles.find(slug).name == "Countess"


def test_days_end_with_the_same_date_in_every_zone(ada):
    evening = NOW + timedelta(hours=3)
    streaks.set_timezone(ada, "Pacific/Auckland", now=NOW - timedelta(days=9))
    activities.record(ada, "daily_visit", key="visit", now=evening)
    slug = profiles.share(ada, is_public=True).slug

    days = profiles.find(slug, now=evening).days

    assert (days[-1].date, days[-1].activities) == (evening.date(), 0), "there it is tomorrow already"


def test_looking_writes_nothing(ada):
    slug = profiles.share(ada, is_public=True, showcase=["polyglot"]).slug
    before = rows(without=())

    profiles.find(slug)
    profiles.sharing(ada)

    assert rows(without=()) == before


def test_a_page_takes_few_queries(ada, django_assert_max_num_queries):
    slug = profiles.share(ada, is_public=True, showcase=["polyglot"]).slug

    with django_assert_max_num_queries(6):
        profiles.find(slug)
