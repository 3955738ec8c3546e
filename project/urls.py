"""The project's addresses."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from gamification.login import ThrottledLoginView
from project import views

login = ThrottledLoginView.as_view(redirect_authenticated_user=True, extra_context={"is_demo": settings.DEBUG})
icon = RedirectView.as_view(url=f"{settings.STATIC_URL}project/favicon.svg")

handler500 = "gamification.outages.server_error"

urlpatterns = [
    path("", views.home, name="home"),
    path("gamification", include("gamification.dashboard.urls")),
    path("accounts/login/", login, name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path(settings.ADMIN_URL, admin.site.urls),
    path("api/v1/gamification/", include("gamification.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    # The split view keeps its script in a file of its own: the plain one is inline and the policy would refuse it.
    path("api/docs/", SpectacularSwaggerSplitView.as_view(http_method_names=["get", "head"]), name="api-docs"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("widgets", views.widgets, name="widgets"),
    path("favicon.ico", icon),
    path("healthz", views.health, name="health"),
    path("metrics", views.metrics, name="metrics"),
]
