"""How staff sign in."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.sites import all_sites
from django.core.checks import CheckMessage, Warning  # noqa: A004 -- Django's own name


def check_admin_login(**kwargs: Any) -> list[CheckMessage]:
    """Warn, before it is deployed, of an admin where passwords can be guessed at any speed.

    A site with a form of its own to sign in has thought of it, or asks somebody else.
    """
    return [
        Warning(
            f"At the admin site {site.name!r} passwords can be guessed at any speed.",
            hint="Let default_site of its AdminConfig be gamification.login.ThrottledAdminSite, or put "
            "ThrottledAdminMixin in front of a site of your own.",
            id="gamification.W022",
        )
        for site in all_sites
        if site.login_form is None
    ]
