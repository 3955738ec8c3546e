"""The admin of users, as the app wants it: who is deleted there is erased."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User

from gamification.admin.users import GamificationUserAdminMixin

admin.site.unregister(User)


@admin.register(User)
class ErasingUserAdmin(GamificationUserAdminMixin, UserAdmin):  # type: ignore[type-arg]
    """Django's own, which alone would refuse to delete anybody with XP."""
