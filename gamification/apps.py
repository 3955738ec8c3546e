"""The app's configuration."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy as _

from gamification import checks


class GamificationConfig(AppConfig):
    name = "gamification"
    verbose_name = _("Gamification")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        register(checks.check_settings)
        register(checks.check_databases)
        register(checks.check_replica)
        register(checks.check_deployment, Tags.security, deploy=True)
