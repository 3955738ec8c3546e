"""What the views ask of a request, and the shell that their answers stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import select_template

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

#: The host's own page with the blocks ``title``, ``extra_head``, ``content`` and ``scripts``, or else a plain one.
SHELLS = ("base.html", "gamification/standalone.html")


class UserRequest(HttpRequest):
    """A request behind the login: ``user`` is somebody."""

    user: AbstractBaseUser  # type: ignore[assignment]


def wants_part(request: HttpRequest, element_id: str) -> bool:
    """Tell whether htmx asks for one element of the page; a step back in the history asks for all of it."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Target") == element_id
        and headers.get("HX-History-Restore-Request") != "true"
    )


def render_page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Return a whole page, in the host's shell where there is one; messages are shown in the page, not in the shell."""
    around = {"shell": select_template(SHELLS), "gx_messages": list(get_messages(request)), "messages": ()}
    return render(request, f"gamification/{name}", {**context, **around}, status=status)
