"""Webhooks in the admin: adding an endpoint, its secret, the log, sending again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from gamification.admin.webhook_forms import EndpointForm
from gamification.domain.webhooks import EVENT_TYPES
from gamification.models import WebhookDelivery, WebhookEndpoint
from gamification.services import webhooks, xp
from gamification.tests.admin.conftest import NOON, list_url, said

URL = "https://[2606:4700::1111]/hooks"
CHANGE = ("view_webhookendpoint", "add_webhookendpoint", "change_webhookendpoint")


@pytest.fixture
def endpoint(db):
    return webhooks.add(URL, EVENT_TYPES, description="the newsletter")


@pytest.fixture
def events(ada, endpoint):
    """Have three events in the outbox: one that waits, one that was delivered, one that was given up."""
    for number in range(3):
        xp.award(ada, 10, reason="helped", key=f"{number}", now=NOON)
    rows = list(WebhookDelivery.objects.filter(event_type="xp.awarded").order_by("pk"))
    WebhookDelivery.objects.exclude(pk__in=[row.pk for row in rows]).delete()
    _waiting, delivered, failed = rows
    now = timezone.now()
    past = {"attempts": 1, "last_attempt_at": now}
    WebhookDelivery.objects.filter(pk=delivered.pk).update(
        status="delivered", last_status=204, delivered_at=now, **past
    )
    WebhookDelivery.objects.filter(pk=failed.pk).update(status="failed", last_failure="timeout", **past)
    return rows


def page(name, row):
    return f"{reverse(f'admin:gamification_webhookendpoint_{name}')}?ids={row.pk}"


def change_url(row):
    return reverse(f"admin:gamification_{row._meta.model_name}_change", args=[row.pk])


def statuses():
    return list(WebhookDelivery.objects.order_by("pk").values_list("status", flat=True))


# Endpoints


def test_staff_add_an_endpoint_and_see_its_secret_once(client_with):
    client = client_with(*CHANGE)
    data = {"url": URL, "description": "", "event_types": ["level.up", "xp.awarded"], "is_active": "on"}

    added = client.post(reverse("admin:gamification_webhookendpoint_add"), data)
    row = WebhookEndpoint.objects.get()
    before = client.get(added["Location"]).content.decode()
    shown = client.post(page("secret", row))
    again = client.post(page("secret", row), follow=True)
    after = client.get(change_url(row)).content.decode()

    assert (row.event_types, row.is_active) == (["level.up", "xp.awarded"], True)
    assert "Show the secret" in before
    assert row.secret.startswith("whsec_")
    assert row.secret in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert "shown before" in said(again)
    assert "Show the secret" not in after
    assert [text for text in (before, again.content.decode(), after) if row.secret in text] == []
    assert row.secret not in str(list(LogEntry.objects.values()))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"url": "http://8.8.8.8/"}, "begin with https://"),
        ({"url": "https://127.0.0.1/"}, "not public"),
        ({"url": "https://localhost/"}, "not public"),
        ({"url": "https://user@8.8.8.8/"}, "neither a user"),
        ({"url": "no url"}, "begin with https://"),
        ({"event_types": []}, "This field is required"),
        ({"event_types": ["level.down"]}, "Select a valid choice"),
    ],
)
def test_an_endpoint_that_makes_no_sense_is_refused_with_the_reason(client_with, wrong, told):
    data = {"url": URL, "event_types": ["level.up"], "is_active": "on", **wrong}

    response = client_with(*CHANGE).post(reverse("admin:gamification_webhookendpoint_add"), data)

    assert response.status_code == 200
    assert told in response.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_without_the_package_for_requests_it_is_told_at_once(client_with, monkeypatch):
    monkeypatch.setattr("gamification.admin.webhook_forms.HAS_URLLIB3", False)

    response = client_with(*CHANGE).post(
        reverse("admin:gamification_webhookendpoint_add"), {"url": URL, "event_types": ["level.up"]}
    )

    assert "urllib3" in response.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_a_new_secret_leaves_the_old_one_some_hours(endpoint, client_with):
    client = client_with(*CHANGE)
    old = webhooks.reveal_secret(endpoint)

    client.post(page("rotate", endpoint), {"overlap_hours": "2"})

    endpoint.refresh_from_db()
    assert endpoint.secrets_at(timezone.now()) == [endpoint.secret, old]
    assert endpoint.secrets_at(timezone.now() + timedelta(hours=3)) == [endpoint.secret]
    assert endpoint.secret != old
    assert "signs until" in client.get(change_url(endpoint)).content.decode()
    assert endpoint.secret in client.post(page("secret", endpoint)).content.decode()


@pytest.mark.parametrize("hours", ["", "-1", "169", "x", "9" * 30])
def test_an_overlap_out_of_range_changes_nothing(endpoint, client_with, hours):
    response = client_with(*CHANGE).post(page("rotate", endpoint), {"overlap_hours": hours})

    assert response.status_code == 200
    assert WebhookEndpoint.objects.get().secret == endpoint.secret


def test_an_endpoint_that_was_switched_off_says_why_and_goes_on_where_it_was(events, endpoint, client_with):
    WebhookEndpoint.objects.update(is_active=False, off_reason="gone", failing_since=NOON)
    client = client_with(*CHANGE)
    listed = client.get(list_url("webhookendpoint")).content.decode()

    response = client.post(change_url(endpoint), {"url": URL, "event_types": ["level.up"], "is_active": "on"})

    endpoint.refresh_from_db()
    assert "410 Gone" in listed
    assert (endpoint.is_active, endpoint.off_reason, endpoint.failing_since) == (True, "", None)
    assert "1 event that waited is sent now." in said(response)


def test_what_happened_to_an_endpoint_while_it_was_changed_stays(endpoint, client_with, monkeypatch):
    clean = EndpointForm.clean

    def clean_slowly(form):
        webhooks.rotate_secret(WebhookEndpoint.objects.get())
        WebhookEndpoint.objects.update(is_active=False, off_reason="gone")
        return clean(form)

    monkeypatch.setattr(EndpointForm, "clean", clean_slowly)
    data = {"url": URL, "description": "changed", "event_types": list(EVENT_TYPES), "is_active": "on"}

    client_with(*CHANGE).post(change_url(endpoint), data)

    row = WebhookEndpoint.objects.get()
    assert (row.description, row.is_active, row.off_reason) == ("changed", False, "gone")
    assert row.secret != endpoint.secret


def test_an_endpoint_that_is_gone_by_the_time_it_is_saved_is_not_found(endpoint, client_with, monkeypatch):
    clean = EndpointForm.clean

    def clean_too_late(form):
        WebhookEndpoint.objects.all().delete()
        return clean(form)

    monkeypatch.setattr(EndpointForm, "clean", clean_too_late)
    data = {"url": URL, "description": "changed", "event_types": list(EVENT_TYPES), "is_active": "on"}

    response = client_with(*CHANGE).post(change_url(endpoint), data)

    assert response.status_code == 404


def test_a_test_event_is_put_into_the_outbox_and_told_when_it_leaves(endpoint, client_with):
    response = client_with(*CHANGE).post(page("test", endpoint))

    assert [row.event_type for row in WebhookDelivery.objects.all()] == ["webhook.test"]
    assert "deliver_webhooks" in said(response)


def test_an_endpoint_that_is_off_gets_no_test(endpoint, client_with):
    WebhookEndpoint.objects.update(is_active=False)

    assert "Switch it on first" in said(client_with(*CHANGE).post(page("test", endpoint)))
    assert not WebhookDelivery.objects.exists()


def test_an_endpoint_that_was_used_is_deleted_with_what_was_sent_to_it_and_the_page_lists_none_of_that(
    events, endpoint, client_with, django_assert_max_num_queries
):
    client = client_with("view_webhookendpoint", "delete_webhookendpoint")
    url = reverse("admin:gamification_webhookendpoint_delete", args=[endpoint.pk])

    with django_assert_max_num_queries(6):
        asked = client.get(url).content.decode()
    deleted = client.post(url, {"post": "yes"})

    assert URL in asked
    assert events[0].message_id not in asked
    assert deleted.status_code == 302
    assert not WebhookEndpoint.objects.exists()
    assert not WebhookDelivery.objects.exists()


def test_chosen_endpoints_are_deleted(events, endpoint, client_with):
    client = client_with("view_webhookendpoint", "delete_webhookendpoint")
    chosen = {"action": "delete_selected", "_selected_action": [endpoint.pk]}

    asked = client.post(list_url("webhookendpoint"), chosen).content.decode()
    client.post(list_url("webhookendpoint"), {**chosen, "post": "yes"})

    assert URL in asked
    assert not WebhookEndpoint.objects.exists()
    assert not WebhookDelivery.objects.exists()


# The log


def test_the_log_tells_what_waits_what_was_delivered_and_what_was_given_up(events, ada, client_with):
    text = client_with("view_webhookdelivery").get(list_url("webhookdelivery")).content.decode()

    for told in ("xp.awarded", "delivered", "given up", "waiting", "204", "no answer in time", ada.get_username()):
        assert told in text


@pytest.mark.parametrize(
    ("query", "number"),
    [({"status": "failed"}, 1), ({"status": "x"}, 3), ({"event_type": "level.up"}, 0), ({"q": "ada"}, 3)],
)
def test_the_log_is_filtered_and_searched(events, client_with, query, number):
    response = client_with("view_webhookdelivery").get(list_url("webhookdelivery"), query)

    assert len(response.context["cl"].result_list) == number


def test_a_delivery_is_found_by_its_id(events, client_with):
    response = client_with("view_webhookdelivery").get(list_url("webhookdelivery"), {"q": events[1].message_id})

    assert list(response.context["cl"].result_list) == [events[1]]


def test_a_payload_is_shown_as_a_reader_wants_it_and_runs_nothing(ada, endpoint, client_with):
    xp.award(ada, 10, reason="<script>alert(1)</script>", key="k", now=NOON)
    row = WebhookDelivery.objects.get()

    text = client_with("view_webhookdelivery").get(change_url(row)).content.decode()

    assert "&quot;xp_amount&quot;: 10" in text
    assert "<script>alert(1)" not in text


def test_one_event_is_sent_again(events, client_with):
    client = client_with("view_webhookdelivery", "replay_webhook")

    response = client.post(f"{reverse('admin:gamification_webhookdelivery_again')}?ids={events[1].pk}")

    assert response["Location"] == change_url(events[1])
    assert statuses() == ["pending", "pending", "failed"]
    assert LogEntry.objects.get().change_message == "Sent again."


def test_chosen_events_are_sent_again_save_those_that_wait(events, client_with):
    client = client_with("view_webhookdelivery", "replay_webhook")

    response = client.post(
        list_url("webhookdelivery"), {"action": "send_again", "_selected_action": [row.pk for row in events]}
    )

    assert "2 events are sent again." in said(response)
    assert statuses() == ["pending"] * 3
    assert set(LogEntry.objects.values_list("object_id", flat=True)) == {str(row.pk) for row in events[1:]}


@pytest.mark.parametrize(("only_failed", "expected"), [("", 2), ("on", 1)])
def test_all_since_a_moment_are_sent_again(events, endpoint, client_with, only_failed, expected):
    client = client_with("view_webhookendpoint", "replay_webhook")
    day = (timezone.localtime() - timedelta(days=1)).date().isoformat()

    response = client.post(
        page("replay", endpoint), {"since_0": day, "since_1": "00:00:00", "only_failed": only_failed}
    )

    assert f"{expected} event" in said(response)
    assert statuses().count("pending") == 1 + expected


# Who


@pytest.mark.parametrize("name", ["secret", "rotate", "test", "replay"])
def test_each_page_of_an_endpoint_takes_its_permission(events, endpoint, client_with, name):
    client = client_with("view_webhookendpoint", "view_webhookdelivery")

    assert client.post(page(name, endpoint), {"overlap_hours": 0}).status_code == 403
    assert WebhookEndpoint.objects.get().secret_shown_at is None
    assert statuses() == ["pending", "delivered", "failed"]


def test_sending_again_takes_its_permission(events, client_with):
    client = client_with("view_webhookdelivery", "change_webhookendpoint")

    answer = client.post(f"{reverse('admin:gamification_webhookdelivery_again')}?ids={events[1].pk}")
    client.post(list_url("webhookdelivery"), {"action": "send_again", "_selected_action": [events[1].pk]})

    assert answer.status_code == 403
    assert statuses() == ["pending", "delivered", "failed"]


def test_sending_again_takes_seeing_what_is_sent(events, endpoint, client_with):
    client = client_with("replay_webhook")
    since = {"since_0": "2026-01-01", "since_1": "00:00:00"}

    answers = [
        client.get(page("replay", endpoint)),
        client.post(page("replay", endpoint), since),
        client.post(f"{reverse('admin:gamification_webhookdelivery_again')}?ids={events[1].pk}"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3
    assert statuses() == ["pending", "delivered", "failed"]


def test_whoever_may_only_add_an_endpoint_is_led_to_a_page_that_they_may_see(client_with):
    data = {"url": URL, "event_types": ["level.up"], "is_active": "on"}

    response = client_with("add_webhookendpoint").post(
        reverse("admin:gamification_webhookendpoint_add"), data, follow=True
    )

    assert WebhookEndpoint.objects.exists()
    assert response.status_code == 200


@pytest.mark.parametrize("name", ["secret", "test"])
def test_what_changes_something_is_never_asked_for_by_a_link(endpoint, client_with, name):
    client = client_with(*CHANGE)

    assert client.get(page(name, endpoint)).status_code == 405
    assert client.post(page(name, WebhookEndpoint(pk=999))).status_code == 404


def test_whoever_may_only_look_sees_the_endpoint_and_no_buttons(endpoint, client_with):
    text = client_with("view_webhookendpoint").get(change_url(endpoint)).content.decode()

    assert "the newsletter" in text
    assert "New secret" not in text
    assert endpoint.secret not in text
