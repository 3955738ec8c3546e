"""Public profiles: the page, the card, and the switch in the settings."""

from __future__ import annotations

import re
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
from django.test import Client, override_settings
from django.utils.translation import override
from PIL import Image

from gamification.dashboard import share_card, share_png
from gamification.services import achievements, privacy, profiles, streaks, xp
from gamification.tests.api.caches import BROKEN
from gamification.tests.dashboard.conftest import SECRET, act_on, words
from gamification.tests.factories import UserFactory

SHARE = "/gamification/settings/profile"


@pytest.fixture
def shared(ada, catalogue):
    """Return ``ada``, who has a profile with two achievements, and its address."""
    act_on(ada, [0, 1, 2, 4, 5])
    achievements.unlock(ada, SECRET["achievement_id"])
    slug = profiles.share(ada, is_public=True, showcase=["first_scenario", "quick_learner"]).slug
    return ada, f"/gamification/people/{slug}"


def card_of(path):
    return share_card.build(profiles.find(path.rpartition("/")[2]))


# The page


def test_everybody_may_look(client, shared):
    level = xp.level(shared[0]).current_level

    text = words(client.get(shared[1]).content.decode())

    assert f"Level {level} ada Novice" in text
    assert "First Scenario Complete your first scenario" in text
    assert "Quick Learner" in text
    assert "5 active days" in text


@pytest.mark.parametrize("path", ["", "/card.png", "/card.svg"])
def test_nothing_leaks(client, shared, path):
    ada, page = shared
    streaks.set_timezone(ada, "America/Nuuk")
    ada.email = "countess@example.org"
    ada.save()

    with override_settings(GAMIFICATION={}):
        response = client.get(page + path)

    told = response.content
    for secret in (ada.username, ada.email, "Nuuk", "Greenland", "50 XP", "activities", "frozen", "Frozen"):
        assert secret.encode() not in re.sub(rb"/static/[^\"]*", b"", told), secret


def test_it_tells_how_busy_days_were_and_not_what_was_done(client, shared):
    html = client.get(shared[1]).content.decode()

    cells = set(re.findall(r'title="[^"]+: ([^"]+)"', html))
    assert cells <= {"no activity", "a little", "some", "much", "a lot"}
    assert len(cells) > 1
    assert "gx-day--today" not in html
    assert "gx-day--frozen" not in html


def test_it_is_kept_out_of_search_engines_and_its_address_to_itself(client, shared):
    response = client.get(shared[1])

    assert response["X-Robots-Tag"] == "noindex"
    assert response["Referrer-Policy"] == "same-origin"
    assert '<meta name="robots" content="noindex">' in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_other_sites_find_a_card_with_absolute_addresses(client, shared):
    html = client.get(shared[1]).content.decode()

    tags = dict(re.findall(r'<meta property="(og:[^"]+)" content="([^"]+)">', html))
    assert tags["og:url"] == f"http://testserver{shared[1]}"
    assert re.fullmatch(rf"http://testserver{shared[1]}/card\.png\?v=[0-9a-f]{{8}}", tags["og:image"])
    assert (tags["og:image:width"], tags["og:image:height"]) == ("1200", "630")
    assert tags["og:image:alt"].startswith("ada: level ")
    assert client.get(tags["og:image"]).status_code == 200


@pytest.mark.parametrize("path", ["", "/card.png", "/card.svg"])
def test_a_profile_that_is_off_renewed_banned_or_erased_is_not_found(client, shared, path):
    ada, page = shared
    assert client.get(page + path).status_code == 200

    profiles.share(ada, is_public=False)
    assert client.get(page + path).status_code == 404

    profiles.share(ada, is_public=True)
    new = profiles.renew(ada).slug
    assert client.get(page + path).status_code == 404
    assert client.get(f"/gamification/people/{new}{path}").status_code == 200

    ada.is_active = False
    ada.save()
    assert client.get(f"/gamification/people/{new}{path}").status_code == 404

    ada.is_active = True
    ada.save()
    privacy.erase(ada)
    assert client.get(f"/gamification/people/{new}{path}").status_code == 404


@pytest.mark.parametrize("slug", ["nonsense", "a" * 300, "%00", "..%2Fsettings", "-"])
def test_what_is_no_address_is_not_found(client, db, slug):
    assert client.get(f"/gamification/people/{slug}").status_code == 404


def test_names_are_text_and_not_markup(client, shared):
    shared[0].__class__.objects.filter(pk=shared[0].pk).update(username='"><script>alert(1)</script>')

    for path in ("", "/card.svg"):
        assert b"<script>alert" not in client.get(shared[1] + path).content


def test_the_page_takes_few_queries(client, shared, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        client.get(shared[1])


# The card


def test_the_card_is_a_png_of_the_size_that_was_promised(client, shared):
    response = client.get(f"{shared[1]}/card.png")

    image = Image.open(BytesIO(response.content))
    assert response["Content-Type"] == "image/png"
    assert (image.format, image.size, image.mode) == ("PNG", (1200, 630), "RGB")
    assert image.text["Title"] == card_of(shared[1]).alt
    assert len(response.content) < 300_000


def test_name_level_honours_and_days_are_drawn(shared):
    card = card_of(shared[1])
    empty = Image.open(BytesIO(share_png.draw(card.__class__(**fields(card, name="", title="", level="", days="")))))
    full = Image.open(BytesIO(share_png.draw(card)))

    for box in ((312, 110, 700, 190), (312, 200, 700, 250), (110, 140, 200, 220), (72, 412, 500, 440)):
        assert full.crop(box).getcolors(10**6) != empty.crop(box).getcolors(10**6)
    assert len(full.crop((72, 296, 408, 372)).getcolors(10**6)) > 50, "an achievement"
    assert len(full.crop((72, 456, 1128, 590)).getcolors(10**6)) > 50, "the year"


def fields(card, **changed):
    return {name: getattr(card, name) for name in card.__slots__} | changed


def test_a_card_that_somebody_has_is_not_sent_again(client, shared):
    first = client.get(f"{shared[1]}/card.png")

    again = client.get(f"{shared[1]}/card.png", headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert "max-age=300" in again["Cache-Control"]
    assert "public" in again["Cache-Control"]


def test_a_card_changes_with_what_it_shows(client, shared):
    before = client.get(f"{shared[1]}/card.png")["ETag"]

    profiles.share(shared[0], is_public=True, showcase=["first_scenario"])

    assert client.get(f"{shared[1]}/card.png")["ETag"] != before


def test_a_card_is_drawn_once(client, shared, monkeypatch):
    drawn = []
    monkeypatch.setattr(share_png, "draw", lambda card: drawn.append(card) or b"drawn")

    for _ in range(3):
        assert client.get(f"{shared[1]}/card.png").content == b"drawn"

    assert len(drawn) == 1


def test_without_a_cache_it_is_drawn_all_the_same(client, shared, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
    settings.CACHES = {"default": {"BACKEND": BROKEN}}

    assert client.get(f"{shared[1]}/card.png").status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "محمد علي",
        "שלום עולם",
        "日本語の名前",
        "Ὀδυσσεύς",
        "👩‍👩‍👧‍👦🎉",
        "W" * 5_000,
        "i" * 5_000,
        "a\x00b\nc\td\u202ee\ufeff",
        "\ud800",
        "\uffff\U0010ffff",
        "Z̷͝a̸l̶g̷o̶" * 50,
        "<b>&amp;'\"",
    ],
)
def test_no_name_breaks_the_card(shared, name):
    card = card_of(shared[1])
    honour = share_card.Honour(name, "nonsense")

    drawn = share_png.draw(card.__class__(**fields(card, name=name, title=name, honours=(honour,) * 3, alt=name)))

    assert Image.open(BytesIO(drawn)).size == (1200, 630)


def test_letters_that_no_font_can_write_are_left_out(monkeypatch):
    monkeypatch.setattr(share_png, "SYSTEM_FONTS", ())

    assert share_png._writable("ada 日本 🎉", share_png.BOLD)[0] == "ada"
    assert share_png._writable("日本", share_png.BOLD)[0] == ""
    assert share_png._writable("Zoë Čapek", share_png.BOLD)[0] == "Zoë Čapek"


def test_where_pillow_is_missing_the_card_is_an_svg(client, shared, monkeypatch):
    monkeypatch.setattr(share_png, "HAS_PILLOW", False)

    html = client.get(shared[1]).content.decode()
    drawing = client.get(f"{shared[1]}/card.svg")

    assert f"{shared[1]}/card.svg?v=" in html
    assert '"og:image:type" content="image/svg+xml"' in html
    assert client.get(f"{shared[1]}/card.png").status_code == 404
    assert drawing["Content-Type"] == "image/svg+xml"
    root = ET.fromstring(drawing.content)
    assert (root.attrib["width"], root.attrib["height"]) == ("1200", "630")
    assert "ada" in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_svg_has_whole_numbers_in_every_language(client, shared):
    with override("de"):
        drawing = client.get(f"{shared[1]}/card.svg", headers={"Accept-Language": "de"}).content

    ET.fromstring(drawing)
    assert not re.search(rb'(?:x|y|translate\()="?[^"]*\d,\d', drawing)


# The switch


def share(client, user, **data):
    client.force_login(user)
    return client.post(SHARE, {"first": "", "second": "", "third": ""} | data)


def test_people_switch_it_on_choose_and_switch_it_off(client, lively):
    response = share(client, lively, is_public="on", first="first_scenario", third="week_warrior")

    sharing = profiles.sharing(lively)
    assert response["Location"] == "/gamification/settings#gx-profile"
    assert (sharing.is_public, sharing.showcase) == (True, ("first_scenario", "week_warrior"))
    html = client.get("/gamification/settings").content.decode()
    assert f"http://testserver/gamification/people/{sharing.slug}" in html
    assert '<option value="first_scenario" selected>' in html
    assert "Your profile is public now." in html

    share(client, lively, first="week_warrior")
    assert profiles.sharing(lively).is_public is False
    assert "/gamification/people/" not in client.get("/gamification/settings").content.decode()


def test_only_what_one_has_can_be_chosen(client, lively):
    response = share(client, lively, is_public="on", first="polyglot")

    assert response.status_code == 422
    assert profiles.sharing(lively) == profiles.Sharing()


def test_one_cannot_be_chosen_twice(client, lively):
    response = share(client, lively, is_public="on", first="first_scenario", second="first_scenario")

    assert response.status_code == 422
    assert "You chose this one already." in words(response.content.decode())
    assert profiles.sharing(lively) == profiles.Sharing()


def test_secrets_are_not_among_the_choices(client, lively):
    client.force_login(lively)

    assert SECRET["name"] not in client.get("/gamification/settings").content.decode()


def test_a_link_is_renewed(client, shared):
    ada, old = shared
    client.force_login(ada)

    client.post(f"{SHARE}/renew")

    assert client.get(old).status_code == 404
    assert f"/gamification/people/{profiles.sharing(ada).slug}" in client.get("/gamification/settings").content.decode()


@pytest.mark.parametrize("path", [SHARE, f"{SHARE}/renew"])
def test_another_site_and_visitors_change_nothing(db, path):
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory.create())

    assert client.post(path, {"is_public": "on"}).status_code == 403
    assert client.get(path).status_code == 405
    assert Client().post(path).status_code == 302
    assert not profiles.PublicProfile.objects.exists()
