"""Deleting users in the project's admin: what is kept about them is erased."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path, reverse

from gamification.admin.users import GamificationUserAdminMixin, check_user_admin
from gamification.models import UserAchievement, UserXP, XPTransaction
from gamification.services import xp
from gamification.tests.admin.conftest import NOON


class ErasingUserAdmin(GamificationUserAdminMixin, UserAdmin):
    pass


site = admin.AdminSite(name="admin")
site._registry.update({model: listed for model, listed in admin.site._registry.items() if model is not User})
site.register(get_user_model(), ErasingUserAdmin)

urlpatterns = [path("admin/", site.urls), path("", include("project.urls"))]

pytestmark = pytest.mark.urls(__name__)


def delete_url(user):
    return reverse("admin:auth_user_delete", args=[user.pk])


@pytest.fixture
def client_who_deletes(client_with):
    client = client_with()
    codenames = ("delete_user", "view_user")
    User.objects.get(username="grace").user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return client


def test_the_page_names_what_goes_without_listing_it(ada, client_who_deletes):
    content = client_who_deletes.get(delete_url(ada)).content.decode()

    assert "Everything that is kept about XP" in content
    assert "achievement_unlocked" not in content
    assert 'type="submit"' in content


def test_the_page_does_not_load_the_history(ada, client_who_deletes):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            client_who_deletes.get(delete_url(ada))
        assert not any("gamification_xptransaction" in query["sql"] for query in captured)
        return len(captured)

    queries()
    short = queries()
    for number in range(20):
        xp.award(ada, 1, reason="again", key=f"k{number}", now=NOON)

    assert queries() == short


def test_deleting_erases_and_keeps_no_name_in_the_log(ada, award, client_who_deletes, root):
    LogEntry.objects.log_actions(root.pk, [award], 2, change_message="for ada's birthday", single_object=True)

    response = client_who_deletes.post(delete_url(ada), {"post": "yes"})

    entry = LogEntry.objects.get(action_flag=DELETION)
    assert response.status_code == 302
    assert not User.objects.filter(username="ada").exists()
    assert not any(model.objects.exists() for model in (XPTransaction, UserXP, UserAchievement))
    assert entry.object_repr == "erased user"
    assert not LogEntry.objects.filter(change_message__contains="ada").exists()


def test_several_are_deleted_in_one_go(ada, client_who_deletes):
    bea = User.objects.create_user("bea")
    xp.award(bea, 10, reason="a start", key="start", now=NOON)

    client_who_deletes.post(
        reverse("admin:auth_user_changelist"),
        {"action": "delete_selected", "_selected_action": [ada.pk, bea.pk], "post": "yes"},
    )

    assert not User.objects.filter(username__in=["ada", "bea"]).exists()
    assert not XPTransaction.objects.exists()
    assert LogEntry.objects.filter(action_flag=DELETION).count() == 2


def test_who_awarded_can_be_deleted_and_the_awards_stay(ada, client_who_deletes, root):
    row = xp.award(ada, 10, reason="a gift", key="gift", actor=root, now=NOON).transaction

    client_who_deletes.post(delete_url(root), {"post": "yes"})

    row.refresh_from_db()
    assert row.actor is None


def test_a_failed_deletion_erases_nothing(ada, client_who_deletes, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(User, "delete", broken)

    with pytest.raises(RuntimeError):
        client_who_deletes.post(delete_url(ada), {"post": "yes"})

    assert UserXP.objects.filter(user=ada).exists()
    assert not LogEntry.objects.exists()


def test_deleting_needs_the_project_s_permission(ada, client_with):
    assert client_with("view_userxp").post(delete_url(ada), {"post": "yes"}).status_code == 403


def test_what_hangs_on_a_user_elsewhere_is_still_asked_for(ada, client_who_deletes, root):
    LogEntry.objects.log_actions(ada.pk, [ada], 2, change_message="x", single_object=True)

    content = client_who_deletes.get(delete_url(ada)).content.decode()

    assert "Log entr" in content


def test_an_admin_of_users_without_the_mixin_is_warned_of(monkeypatch):
    plain = admin.AdminSite(name="plain")
    plain.register(User, UserAdmin)
    monkeypatch.setattr("gamification.admin.users.all_sites", [plain])

    assert [message.id for message in check_user_admin()] == ["gamification.W010"]


@pytest.mark.parametrize("registered", [ErasingUserAdmin, None])
def test_one_with_it_or_none_at_all_is_not(monkeypatch, registered):
    other = admin.AdminSite(name="other")
    if registered:
        other.register(User, registered)
    monkeypatch.setattr("gamification.admin.users.all_sites", [other])

    assert check_user_admin() == []


# The way to the page for support


def change_url(user):
    return reverse("admin:auth_user_change", args=[user.pk])


def test_the_page_of_a_user_leads_to_the_page_for_support(ada, root_client):
    content = root_client.get(change_url(ada)).content.decode()

    assert reverse("admin:gamification_userstreak_change", args=[ada.pk]) in content


def test_a_user_without_rows_has_nothing_yet(root, root_client):
    assert "Nothing yet." in root_client.get(change_url(root)).content.decode()


def test_the_way_is_not_shown_to_those_who_may_not_go_it(ada, make_staff):
    client = Client()
    staff = make_staff("view_userstreak")
    staff.user_permissions.add(Permission.objects.get(codename="view_user"))
    client.force_login(staff)

    response = client.get(change_url(ada))

    assert response.status_code == 200
    assert b"Gamification</h2>" not in response.content
    assert reverse("admin:gamification_userstreak_change", args=[ada.pk]) not in response.content.decode()


def test_a_user_is_added_and_changed_as_before(root_client, ada):
    assert root_client.get(reverse("admin:auth_user_add")).status_code == 200
    response = root_client.post(
        change_url(ada), {"username": "ada2", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    )

    ada.refresh_from_db()
    assert (response.status_code, ada.username) == (302, "ada2")


def test_a_plain_admin_of_users_shows_it_once(ada, root_client, rf, root):
    class Plain(GamificationUserAdminMixin, admin.ModelAdmin):
        pass

    request = rf.get("/")
    request.user = root
    groups = Plain(User, site).get_fieldsets(request, ada)

    assert str(groups).count("gamification_support") == 1
