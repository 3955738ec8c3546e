"""The app's configuration."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _

from gamification import checks


class GamificationConfig(AppConfig):
    name = "gamification"
    verbose_name = _("Gamification")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, and let new connections know of erasures."""
        register(checks.check_settings)
        register(checks.check_databases)
        register(checks.check_replica)
        register(checks.check_deployment, Tags.security, deploy=True)
        from gamification.engine.sql import triggers  # noqa: PLC0415 -- what needs models waits for this moment
        from gamification.models import erasing  # noqa: PLC0415

        register(triggers.check, Tags.database)
        connection_created.connect(erasing.know_erasures, dispatch_uid="gamification.know_erasures")
