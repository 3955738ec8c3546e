"""The project's addresses, and a page that breaks."""

from typing import Any, Never

from django.urls import include, path


def broken(request: Any) -> Never:
    """Fail with a person at hand."""
    email, name = request.user.email, request.user.get_full_name()
    raise RuntimeError(f"Something broke for somebody whose address has {len(email) + len(name)} characters.")


urlpatterns = [path("broken", broken), path("", include("project.urls"))]
