"""The app's configuration."""

from importlib import import_module

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
        """Register the system checks, and the tasks with those whose outcome they wait for."""
        register(checks.check_settings)
        register(checks.check_databases)
        register(checks.check_replica)
        register(checks.check_deployment, Tags.security, deploy=True)
        import_module("gamification.tasks")
        triggers = import_module("gamification.engine.sql.triggers")  # what needs models waits for this moment
        register(triggers.check, Tags.database)
        erasing = import_module("gamification.models.erasing")
        connection_created.connect(erasing.know_erasures, dispatch_uid="gamification.know_erasures")
