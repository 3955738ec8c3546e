"""Every page of ours in the admin, empty and full: for everybody, on every width, in light and dark."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from gamification.domain.webhooks import EVENT_TYPES
from gamification.models import (
    Achievement,
    BoardExclusion,
    ExcusedDate,
    Flag,
    QueuedActivity,
    UserAchievement,
    WebhookDelivery,
    WebhookEndpoint,
    XPTransaction,
)
from gamification.models.xp import Source
from gamification.services import (
    achievements,
    activities,
    backfills,
    exclusions,
    figures,
    leaderboards,
    streaks,
    webhooks,
    xp,
)
from gamification.tests.admin.conftest import NOON
from gamification.tests.factories import AchievementFactory, UserFactory
from gamification.tests.looks import problems_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LISTS = ["achievement", "userachievement", "xptransaction", "userxp", "userstreak", "leaderboardcache", "activity"]
LISTS += ["excuseddate", "queuedactivity", "backfillrun", "userday", "usercounter", "dailyfigure"]
LISTS += ["boardexclusion", "flag"]
LISTS += ["webhookendpoint", "webhookdelivery"]
#: Django's own, wherever it stands: links in the dark that colour alone tells apart, lists to pick from, and
#: the second half of a moment without a label.
STOCK = (".breadcrumbs", ".select2-container", "#changelist-search", ".selector", ".datetime")


def page_of(name, *args, **query):
    return reverse(f"admin:gamification_{name}", args=args, query=query)


def lists():
    return {model: page_of(f"{model}_changelist") for model in LISTS}


def definitions():
    unlocked = UserAchievement.objects.unlocked().first()
    definition = Achievement.objects.get(achievement_id="scenario_master")
    idle = AchievementFactory(achievement_id="idle", is_active=False)
    return {
        "add": page_of("achievement_add"),
        "change": page_of("achievement_change", definition.pk),
        "delete": page_of("achievement_delete", idle.pk),
        "delete a held one": page_of("achievement_delete", unlocked.achievement.pk),
        "import": page_of("achievement_import"),
        "export": page_of("achievement_export"),
        "preview": page_of("achievement_backfill", ids=definition.pk),
        "activation": page_of("achievement_activation", ids=idle.pk),
    }


def people():
    unlocked = UserAchievement.objects.unlocked().select_related("user").first()
    booked = XPTransaction.objects.filter(source=Source.CLIENT).first()
    refused = QueuedActivity.objects.get()
    excused = ExcusedDate.objects.get()
    flag, excluded = Flag.objects.get(), BoardExclusion.objects.get()
    newcomer = UserFactory(username="newcomer")
    streaks.set_timezone(newcomer, "Asia/Tokyo")
    return {
        "support": page_of("userstreak_change", unlocked.user_id),
        "support by level": page_of("userxp_change", unlocked.user_id),
        "support, empty": page_of("userstreak_change", newcomer.pk),
        "user": reverse("admin:auth_user_change", args=[unlocked.user_id]),
        "grant": page_of("userachievement_grant"),
        "revoke": page_of("userachievement_revoke", ids=unlocked.pk),
        "award": page_of("xptransaction_award", users=unlocked.user_id),
        "reverse": page_of("xptransaction_reverse", ids=booked.pk),
        "booking": page_of("xptransaction_change", booked.pk),
        "zone": page_of("userstreak_set_timezone", users=unlocked.user_id),
        "excuse": page_of("excuseddate_excuse"),
        "excused": page_of("excuseddate_change", excused.pk),
        "take back": page_of("excuseddate_undo", ids=excused.pk),
        "flag": page_of("flag_change", flag.pk),
        "decide": page_of("flag_decide", ids=flag.pk),
        "exclude": page_of("boardexclusion_exclude"),
        "excluded": page_of("boardexclusion_change", excluded.pk),
        "lift": page_of("boardexclusion_lift", ids=excluded.pk),
        "queued": page_of("queuedactivity_change", refused.pk),
        "discard": page_of("queuedactivity_discard", ids=refused.pk),
    }


def hooks():
    endpoint = WebhookEndpoint.objects.first()
    delivery = endpoint.deliveries.order_by("-pk").first()
    return {
        "endpoint, new": page_of("webhookendpoint_add"),
        "endpoint": page_of("webhookendpoint_change", endpoint.pk),
        "new secret": page_of("webhookendpoint_rotate", ids=endpoint.pk),
        "send again": page_of("webhookendpoint_replay", ids=endpoint.pk),
        "delivery": page_of("webhookdelivery_change", delivery.pk),
    }


@pytest.fixture
def signed_in(page, sign_in, root):
    """Return the page with a superuser signed in."""
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # the project's business
    sign_in(root)
    return page


@pytest.fixture
def full(ada, root):
    """Have something on every page."""
    tell_of_webhooks(ada)
    row = xp.award(ada, 120, reason="helped others", key="k1", actor=root, now=NOON).transaction
    xp.reverse(row, reason="the wrong person", actor=root, now=NOON)
    achievements.unlock(ada, "scenario_master", actor=root, reason="won a contest", now=NOON)
    achievements.revoke(ada, "first_steps", actor=root, reason="a mistake", now=NOON)
    leaderboards.refresh()
    ExcusedDate.objects.create(date=NOON.date(), reason="an outage", excused_by=root)
    refusal = {"refused_at": NOON, "code": "idempotency_conflict", "reason": "The key was used for something else."}
    QueuedActivity.objects.create(user=ada, kind="daily_visit", key="k", at=NOON, enqueued_at=NOON, **refusal)
    exclusions.exclude(ada, reason="a script", actor=root)
    Flag.objects.create(user=ada, rule="xp_a_day", date=NOON.date(), figure=6_000, expected=5_000, found_at=NOON)
    xp.award(ada, 30, reason="today", key="k2", now=timezone.now())
    figures.refresh()
    run = backfills.start("scenario_master", in_background=False)
    backfills.go_on(run, seconds=1)


def tell_of_webhooks(ada):
    """Have endpoints in every state, and events that ended in every way."""
    endpoint = webhooks.add("https://hooks.example/gamification", EVENT_TYPES, description="the newsletter")
    webhooks.add("https://crm.example/in", ["level.up", "achievement.unlocked"], description="customers' manager")
    data = {"difficulty": "beginner", "minutes": 10, "perfect": False, "language": "de"}
    activities.record(ada, "scenario_completed", key="hook", data=data, occurred_at=NOON, now=NOON)
    webhooks.send_test(endpoint)
    ends = ({"status": "delivered", "last_status": 204, "delivered_at": NOON}, {"status": "failed", "last_status": 500})
    waits = {"last_failure": "timeout", "due_at": NOON}
    for row, end in zip(WebhookDelivery.objects.all(), (*ends, waits), strict=False):
        WebhookDelivery.objects.filter(pk=row.pk).update(attempts=2, last_attempt_at=NOON, **end)
    off = {"is_active": False, "off_reason": "gone"}
    WebhookEndpoint.objects.filter(url__contains="crm").update(**off)


def found_on(page, live_server, addresses):
    found = []
    for name, address in addresses.items():
        response = page.goto(live_server.url + address)
        assert response.ok, name
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        found += problems_of(page, name, without=STOCK)
    return found


@pytest.mark.parametrize("addresses", [lists, definitions, people, hooks], ids=lambda pages: pages.__name__)
def test_everybody_can_use_what_is_full(signed_in, live_server, page_problems, full, addresses):
    found = found_on(signed_in, live_server, addresses())

    assert found == []
    assert page_problems == []


def test_everybody_can_use_what_is_empty(signed_in, live_server, page_problems):
    found = found_on(signed_in, live_server, lists())

    assert found == []
    assert page_problems == []


def test_everybody_can_copy_a_secret(signed_in, live_server, page_problems, full):
    page = signed_in
    page.goto(live_server.url + hooks()["endpoint"])
    page.get_by_role("button", name="Show the secret").click()
    page.locator(".gamification-secret").wait_for()

    assert problems_of(page, "secret", without=STOCK) == []
    assert page_problems == []


def test_everybody_can_read_what_is_asked_before_and_told_after(signed_in, live_server, page_problems, full):
    page = signed_in
    page.goto(live_server.url + page_of("excuseddate_excuse"))
    page.locator("#id_date").fill((timezone.now() - timedelta(days=5)).date().isoformat())
    page.get_by_role("button", name="Preview").click()
    page.locator(".errorlist").wait_for()
    found = problems_of(page, "excuse, refused", without=STOCK)
    page.locator("#id_reason").fill("a second outage")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Excuse this date").wait_for()
    found += problems_of(page, "excuse, previewed", without=STOCK)

    page.get_by_role("button", name="Excuse this date").click()
    page.locator(".messagelist").wait_for()

    assert found + problems_of(page, "excused", without=STOCK) == []
    assert page_problems == []
