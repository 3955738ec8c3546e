"""The page that Prometheus scrapes: there for whoever brings the token."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gamification.services import figures

pytestmark = pytest.mark.django_db

TOKEN = "a long secret"


@pytest.fixture
def _token(settings):
    settings.METRICS_TOKEN = TOKEN


def test_without_a_token_in_the_settings_there_is_no_such_page(client):
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


@pytest.mark.usefixtures("_token")
@pytest.mark.parametrize("header", [None, "", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \u00fc"])
def test_whoever_does_not_bring_it_is_told_nothing(client, header):
    response = client.get("/metrics", headers={"authorization": header} if header is not None else {})

    assert (response.status_code, response.content) == (401, b"")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.usefixtures("_token")
def test_whoever_brings_it_reads_the_figures(client):
    figures.refresh(days=1)

    response = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})

    names = {family.name for family in text_string_to_metric_families(response.content.decode())}
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    assert "no-store" in response["Cache-Control"]
    assert {"gamification_active_people_today", "gamification_players"} <= names


@pytest.mark.usefixtures("_token")
def test_it_is_only_read(client):
    assert client.post("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 405
