"""The form of a definition in a browser: rows, words, icons and the card, by mouse, by keyboard, without a script."""

from __future__ import annotations

import pytest
from django.urls import reverse

from gamification.models import Achievement
from gamification.services import achievements
from gamification.tests.admin.conftest import achievement_url
from gamification.tests.looks import problems_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def clause(metric, value):
    return {"metric": metric, "op": "gte", "value": value}


NESTED = {
    "v": 1,
    "all": [
        clause("scenarios_completed", 10),
        {"any": [clause("words_learned", 50), clause("languages_practised:es", 3)]},
    ],
}


@pytest.fixture
def open_form(live_server, page, sign_in, root):
    """Return a function that opens the form of a definition that has the shipped rule, or those conditions."""
    achievements.initialize()
    sign_in(root)
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # the project's business

    def _open_form(conditions=None):
        row = Achievement.objects.get(achievement_id="scenario_master")
        if conditions:
            Achievement.objects.filter(pk=row.pk).update(conditions=conditions)
        page.goto(live_server.url + achievement_url(row))
        return page

    return _open_form


def stored(name="scenario_master"):
    return Achievement.objects.get(achievement_id=name).conditions


def sentence_becomes(page, text):
    page.locator("#gamification-sentence", has_text=text).wait_for()


def save(page):
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator(".messagelist").wait_for()


def test_a_nested_rule_is_built_with_the_mouse(open_form, page_problems):
    page = open_form()

    page.get_by_label("Condition 1: at least").fill("10")
    page.get_by_role("button", name="Add a group to Conditions").click()
    page.get_by_label("Condition 2.1: what counts").select_option(label="Words learned")
    page.get_by_label("Condition 2.1: at least").fill("50")
    page.get_by_role("button", name="Add a condition to Group 2").click()
    page.get_by_label("Condition 2.2: what counts").select_option(label="Languages practised")
    page.get_by_label("Condition 2.2: only this one").fill("es")
    page.get_by_label("Condition 2.2: at least").fill("3")

    sentence_becomes(
        page,
        "Complete 10 scenarios in any language, and either learn 50 words or complete 3 scenarios in Spanish.",
    )
    save(page)
    assert stored() == NESTED
    assert page_problems == []


def test_the_same_rule_is_built_by_keyboard_alone(open_form, page_problems):
    page = open_form()
    keys = page.keyboard

    page.get_by_label("Condition 1: at least").focus()
    keys.press("Control+a")
    keys.type("10")
    keys.press("Tab")  # Remove
    keys.press("Tab")  # Add a condition
    keys.press("Tab")  # Add a group
    keys.press("Enter")
    keys.type("Words")  # the new row has the focus
    keys.press("Tab")
    keys.type("50")
    for _ in range(2):
        keys.press("Tab")  # Remove, Add a condition
    keys.press("Enter")
    keys.type("Languages")
    keys.press("Tab")
    keys.type("es")
    keys.press("Tab")
    keys.type("3")
    keys.press("Enter")

    page.locator(".messagelist").wait_for()
    assert stored() == NESTED
    assert page_problems == []


def test_what_was_saved_is_shown_in_rows_again(open_form):
    page = open_form(NESTED)

    assert page.get_by_label("Conditions: how many must hold").input_value() == "all"
    assert page.get_by_label("Group 2: how many must hold").input_value() == "any"
    assert page.get_by_label("Condition 2.2: what counts").input_value() == "languages_practised"
    assert page.get_by_label("Condition 2.2: only this one").input_value() == "es"
    assert page.get_by_label("Condition 2.2: at least").input_value() == "3"
    assert "raised by: Words learned" in page.locator(".gamification-editor").inner_text()
    assert not page.locator("#id_conditions").is_visible()


def test_to_open_and_save_changes_nothing(open_form):
    page = open_form(NESTED)

    save(page)

    assert stored() == NESTED


def test_the_focus_stays_near_what_was_added_or_removed(open_form):
    page = open_form(NESTED)
    focused = "document.activeElement.getAttribute('aria-label')"

    page.get_by_role("button", name="Add a condition to Conditions").click()
    assert page.evaluate(focused) == "Condition 3: what counts"
    assert page.get_by_role("status").filter(has_text="Condition 3 was added.").count() == 1
    page.get_by_role("button", name="Remove condition 3").click()
    assert page.evaluate(focused) == "Group 2: how many must hold"
    page.get_by_role("button", name="Remove group 2").click()
    assert page.evaluate(focused) == "Condition 1: what counts"
    assert page.get_by_role("status").filter(has_text="Group 2 was removed.").count() == 1
    page.get_by_role("button", name="Remove condition 1").click()
    assert page.evaluate(focused) == "Add a condition to Conditions"


def test_groups_go_three_deep_and_rows_up_to_twenty(open_form):
    page = open_form({"v": 1, "all": [clause("level", 2)] * 19})

    page.get_by_role("button", name="Add a group to Conditions").click()

    assert page.get_by_role("button", name="Add a condition to Conditions").is_disabled()
    page.get_by_role("button", name="Remove condition 1", exact=True).click()
    page.get_by_role("button", name="Add a group to Group 19", exact=True).click()
    assert page.get_by_role("button", name="Add a group to Group 19.2").count() == 0


def test_a_row_that_the_server_refuses_says_why(open_form):
    page = open_form(NESTED)
    value = page.get_by_label("Condition 2.1: at least")

    value.fill("many")

    problem = page.get_by_text("Must be a whole number from 1 to 1,000,000,000,000.", exact=True)
    problem.wait_for()
    assert value.get_attribute("aria-invalid") == "true"
    assert value.get_attribute("aria-describedby") == problem.get_attribute("id")
    value.fill("51")
    sentence_becomes(page, "learn 51 words")
    assert not problem.is_visible()
    assert value.get_attribute("aria-invalid") is None


def test_a_form_that_is_sent_with_a_gap_comes_back_with_the_row_marked(open_form):
    page = open_form(NESTED)
    page.get_by_role("button", name="Add a condition to Group 2").click()
    page.get_by_label("Condition 2.3: what counts").select_option(label="Level")
    sentence_becomes(page, "Fill in every row to see it in words.")
    assert page.locator("[aria-invalid]").count() == 0, "who is still at it is not told off"

    page.get_by_role("button", name="Save", exact=True).click()

    page.locator(".errornote").wait_for()
    page.locator(".gamification-editor [aria-invalid]").wait_for()
    assert page.get_by_label("Condition 2.3: at least").get_attribute("aria-invalid") == "true"
    assert stored() == NESTED


def test_whoever_wants_writes_json(open_form, page_problems):
    page = open_form()
    page.get_by_role("button", name="Edit as JSON").click()
    text = page.get_by_label("Conditions", exact=False).and_(page.locator("textarea"))
    assert page.evaluate("document.activeElement.id") == "id_conditions"

    text.fill('{"v": 1, "any": [oops')
    sentence_becomes(page, "is not JSON")
    page.get_by_role("button", name="Edit as rows").click()
    assert page.get_by_text("This JSON cannot be shown as rows").is_visible()
    text.fill('{"v": 1, "any": [{"metric": "level", "op": "gte", "value": 7}]}')
    page.get_by_role("button", name="Edit as rows").click()

    assert page.get_by_label("Condition 1: at least").input_value() == "7"
    sentence_becomes(page, "Reach level 7.")
    save(page)
    assert stored() == {"v": 1, "any": [clause("level", 7)]}
    assert page_problems == []


def test_a_metric_that_is_gone_stays_until_it_is_replaced(open_form):
    page = open_form({"v": 1, "all": [clause("gone", 3)]})

    metric = page.get_by_label("Condition 1: what counts")

    assert metric.locator("option:checked").inner_text() == "gone (not known)"
    metric.select_option(label="Level")
    sentence_becomes(page, "Reach level 3.")


def test_an_icon_is_chosen_and_the_card_follows(open_form, page_problems):
    page = open_form()
    cards = page.locator("#gamification-cards .gx-badge")

    page.get_by_text("Choose an icon").click()
    page.get_by_role("radio", name="Owl", exact=True).check()
    page.get_by_label("Name:").fill("Wise one")

    cards.first.get_by_text("Wise one").wait_for()
    assert page.locator("#id_icon").input_value() == "🦉"
    assert cards.locator(".gx-badge__icon").all_inner_texts() == ["🦉", "🦉"]
    page.locator("#id_icon").fill("🐧")
    cards.first.get_by_text("🐧").wait_for()
    assert page.get_by_role("radio", checked=True).count() == 0
    save(page)
    assert Achievement.objects.get(achievement_id="scenario_master").icon == "🐧"
    assert page_problems == []


def test_icons_are_chosen_by_keyboard(open_form):
    page = open_form()

    page.locator("#id_icon").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")

    assert page.locator("#id_icon").input_value() == page.get_by_role("radio", checked=True).input_value() != "🏆"


LOOKS = ["backgroundColor", "border", "borderRadius", "color", "display", "fontFamily", "fontSize", "fontWeight"]
LOOKS += ["letterSpacing", "lineHeight", "marginTop", "padding", "textAlign", "textTransform"]
LOOK = """() => [...document.querySelectorAll('#gx-achievements .gx-badge, #gamification-cards .gx-badge')]
  .filter((card) => card.textContent.includes('Scenario Master') && card.className.includes('locked'))
  .slice(0, 1).flatMap((card) => [card, ...card.querySelectorAll('*')])
  .filter((each) => !(each instanceof SVGElement) && each.tagName !== 'PROGRESS')
  .map((each) => [each.className, ...LOOKS.map((name) => getComputedStyle(each)[name])].join('|'))""".replace(
    "LOOKS", str(LOOKS)
)


def test_the_card_looks_as_on_the_page(open_form, live_server):
    page = open_form()
    here = page.evaluate(LOOK)

    page.goto(f"{live_server.url}/gamification/achievements")

    assert len(here) > 7
    assert page.evaluate(LOOK) == here


def test_everybody_can_use_it_on_every_width(open_form, page_problems):
    page = open_form(NESTED)
    page.get_by_text("Choose an icon").click()
    page.get_by_label("Condition 2.1: at least").fill("0")
    page.locator("[aria-invalid]").wait_for()

    found = problems_of(page)

    assert found == []
    assert page_problems == []


def test_without_a_script_the_text_is_edited(open_form, browser, live_server, client, root):
    open_form()
    client.force_login(root)
    context = browser.new_context(java_script_enabled=False)
    cookie = client.cookies["sessionid"]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page = context.new_page()
    page.goto(live_server.url + reverse("admin:gamification_achievement_add"))

    page.locator("#id_achievement_id").fill("by_hand")
    page.locator("#id_name").fill("By hand")
    page.locator("#id_category").select_option("special")
    page.locator("#id_conditions").fill('{"v": 1, "all": [{"metric": "level", "op": "gte", "value": 0}]}')
    page.get_by_role("button", name="Save", exact=True).click()
    assert "conditions.all[0].value: must be a whole number" in page.locator(".errorlist").first.inner_text()
    page.locator("#id_conditions").fill('{"v": 1, "all": [{"metric": "level", "op": "gte", "value": 4}]}')
    save(page)

    assert stored("by_hand") == {"v": 1, "all": [clause("level", 4)]}
    context.close()


def test_a_preview_that_fails_says_so(open_form):
    page = open_form()
    page.route("**/check/", lambda route: route.fulfill(status=500, body="no"))

    page.get_by_label("Condition 1: at least").fill("11")

    sentence_becomes(page, "The preview could not be loaded. What you typed is still here.")
