"""What people chose to show of themselves to everybody."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

#: 128 bits: nobody guesses an address, and no two are alike.
SLUG_BYTES = 16
SHOWCASE_MAX = 3


def new_slug() -> str:
    """Return an address that nobody can guess; 22 characters, safe in a URL."""
    return secrets.token_urlsafe(SLUG_BYTES)


class PublicProfile(models.Model):
    """Somebody's page for everybody: there only while ``is_public``, under an address that can be renewed.

    ``showcase`` holds up to three ids of achievements, in the order chosen; what was taken back since is not shown.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    is_public = models.BooleanField(_("public"), default=False)
    slug = models.CharField(_("address"), max_length=43, unique=True, default=new_slug, editable=False)
    showcase = models.JSONField(_("showcase"), default=list, blank=True)

    class Meta:
        verbose_name = _("public profile")
        verbose_name_plural = _("public profiles")

    def __str__(self) -> str:
        return self.slug
