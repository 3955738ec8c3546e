"""The pages of the admin in a browser: nothing that the policy refuses, nothing from elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.urls import reverse

from gamification.models import ExcusedDate, UserAchievement, XPTransaction
from gamification.models.xp import Source
from gamification.services import achievements, leaderboards, xp
from gamification.tests.admin.conftest import NOON

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LISTS = ["achievement", "userachievement", "xptransaction", "userxp", "userstreak", "leaderboardcache", "activity"]
LISTS += ["excuseddate", "queuedactivity"]
#: Where to keep pictures to be looked at.
PICTURES = os.environ.get("ADMIN_PICTURES", "")


@pytest.fixture
def signed_in(live_server, page, sign_in, root, ada):
    """Return the page with a superuser signed in and something to see."""
    row = xp.award(ada, 120, reason="helped others", key="k1", actor=root, now=NOON).transaction
    xp.reverse(row, reason="the wrong person", actor=root, now=NOON)
    achievements.unlock(ada, "scenario_master", actor=root, reason="won a contest", now=NOON)
    achievements.revoke(ada, "first_steps", actor=root, reason="a mistake", now=NOON)
    leaderboards.refresh()
    ExcusedDate.objects.create(date=NOON.date(), reason="an outage", excused_by=root)
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # the project's business
    sign_in(root)
    return page


def addresses():
    unlocked = UserAchievement.objects.get(achievement="scenario_master")
    award = XPTransaction.objects.filter(source=Source.CLIENT).first()
    row = {"userxp": unlocked.user_id, "userstreak": unlocked.user_id, "xptransaction": award.pk}
    return {
        **{f"list-{model}": reverse(f"admin:gamification_{model}_changelist") for model in LISTS},
        **{f"row-{model}": reverse(f"admin:gamification_{model}_change", args=[pk]) for model, pk in row.items()},
        "row-achievement": reverse("admin:gamification_achievement_change", args=[unlocked.achievement.pk]),
        "delete-achievement": reverse("admin:gamification_achievement_delete", args=[unlocked.achievement.pk]),
        "add-achievement": reverse("admin:gamification_achievement_add"),
        "import": reverse("admin:gamification_achievement_import"),
        "export": reverse("admin:gamification_achievement_export"),
        "grant": reverse("admin:gamification_userachievement_grant"),
        "revoke": f"{reverse('admin:gamification_userachievement_revoke')}?ids={unlocked.pk}",
        "set-timezone": f"{reverse('admin:gamification_userstreak_set_timezone')}?users={unlocked.user_id}",
        "grant-for-one": f"{reverse('admin:gamification_userachievement_grant')}?users={unlocked.user_id}",
        "excuse": reverse("admin:gamification_excuseddate_excuse"),
        "undo": f"{reverse('admin:gamification_excuseddate_undo')}?ids={ExcusedDate.objects.get().pk}",
        "row-user": reverse("admin:auth_user_change", args=[unlocked.user_id]),
        "award": reverse("admin:gamification_xptransaction_award"),
        "reverse": f"{reverse('admin:gamification_xptransaction_reverse')}?ids={award.pk}",
    }


def test_every_page_keeps_to_the_policy(signed_in, live_server, page_problems):
    for name, address in addresses().items():
        signed_in.goto(live_server.url + address)
        for scheme in ("dark", "light") if PICTURES else ():
            signed_in.emulate_media(color_scheme=scheme)
            signed_in.screenshot(path=Path(PICTURES) / f"{name}-{scheme}.png", full_page=True, animations="disabled")

    assert page_problems == []


def test_a_user_is_picked_and_awarded(signed_in, live_server, page_problems, ada):
    before = xp.level(ada).total_xp
    signed_in.goto(live_server.url + addresses()["award"])

    signed_in.locator(".field-user .select2-selection").click()
    signed_in.locator(".select2-search__field").fill("ad")
    signed_in.locator(".select2-results__option", has_text="ada").click()
    signed_in.locator("#id_amount").fill("25")
    signed_in.locator("#id_reason").fill("helped others again")
    signed_in.get_by_role("button", name="Award").click()

    assert "+25 XP were booked for ada" in signed_in.locator(".messagelist").inner_text()
    assert xp.level(ada).total_xp == before + 25
    assert page_problems == []


def test_one_click_seeds(signed_in, live_server, page_problems):
    signed_in.goto(live_server.url + addresses()["list-achievement"])

    signed_in.get_by_role("button", name="Seed the shipped achievements").click()

    assert "0 created, 0 updated, 27 unchanged." in signed_in.locator(".messagelist").inner_text()
    assert page_problems == []
