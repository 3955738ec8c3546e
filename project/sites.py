"""The admin's configuration: the admin itself, behind the app's throttle."""

from django.contrib.admin import apps


class ThrottledAdminConfig(apps.AdminConfig):
    default = False  # of this package; settings name it
    default_site = "gamification.login.ThrottledAdminSite"
