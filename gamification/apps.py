"""The app's configuration."""

from importlib import import_module

from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _

from gamification import checks


class GamificationConfig(AppConfig):
    name = "gamification"
    verbose_name = _("Gamification")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, and the tasks with those whose outcome they wait for."""
        register(checks.check_settings)
        register(checks.check_databases)
        register(checks.check_replica)
        import_module("gamification.tasks")
