"""The pages' addresses, for ``path("gamification", include("gamification.dashboard.urls"))``: without a slash."""

from django.urls import include, path
from django.views.generic import RedirectView

from gamification.dashboard import actions, preferences, sharing, views

app_name = "gamification"

_below = [
    path("", RedirectView.as_view(pattern_name="gamification:dashboard")),
    path("achievements", views.achievement_list, name="achievements"),
    path("touch", actions.touch, name="touch"),
    path("freeze", actions.freeze, name="freeze"),
    path("settings", preferences.edit, name="settings"),
    path("settings/data", preferences.download, name="download"),
    path("settings/profile", sharing.edit, name="share"),
    path("settings/profile/renew", sharing.renew, name="renew"),
    path("people/<slug:slug>", sharing.profile, name="profile"),
    path("people/<slug:slug>/card.png", sharing.card_png, name="card-png"),
    path("people/<slug:slug>/card.svg", sharing.card_svg, name="card-svg"),
    path("settings/erase", preferences.erase, name="erase"),
]

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("/", include(_below)),
]
