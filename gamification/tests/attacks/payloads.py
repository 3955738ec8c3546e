"""Texts that would be scripts where a page took them for markup, and how to see that one was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x>",
    '" autofocus onfocus=alert(1) x="',
    "' onmouseover=alert(1) x='",
    "` onload=alert(1) `",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<iframe src=javascript:alert(1)>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)//<a href=javascript:alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<math><mi xlink:href=javascript:alert(1)>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</style><style>gx-evil{x:y}</style>",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    "<x-gx>{{ 71910000|add:7 }}{% now 'Y' %}</x-gx>",
    "{{ 71910000|add:7 }}${alert(1)}#{alert(1)}",
    '{"a":"</script><script>alert(1)</script>"}',
    '\\"};alert(1);//',
    "\u2028alert(1)//\u2029<x-gx>",
    "\u202e<script>alert(1)</script>\u202c",
    "＜script＞alert(1)＜/script＞<x-gx>",
    "%3Cscript%3Ealert(1)%3C/script%3E<x-gx>",
    "&lt;script&gt;alert(1)&lt;/script&gt;<x-gx>",
    '=HYPERLINK("javascript:alert(1)")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "<base href=//evil.example><meta http-equiv=refresh>",
)
#: Run before any script of a page: what was called is written down.
WATCH = """window.__ran = []; for (const name of ["alert", "confirm", "prompt", "print"]) {
    window[name] = (...said) => { window.__ran.push(name); };
}"""
#: What no page of ours has, and each of the texts above would make.
MARKS = """[onerror], [onload], [onfocus], [onmouseover], [onbegin], [ontoggle], [srcdoc], [href^="javascript:" i],
[src^="javascript:" i], iframe, base, math, x-gx, meta[http-equiv="refresh" i],
script:not([src]):not([type="application/json"])"""
PROBE = f"""() => {{
    const found = [...document.querySelectorAll(`{MARKS}`)].map((mark) => mark.outerHTML.slice(0, 200));
    const styles = [...document.querySelectorAll("style")].filter((one) => one.textContent.includes("gx-evil"));
    const text = document.documentElement.textContent;
    return [
        ...(window.__ran ?? []).map((name) => "ran " + name),
        ...found.map((mark) => "became " + mark),
        ...styles.map(() => "became a style sheet"),
        ...(text.includes("71910007") ? ["a template was filled in"] : []),
    ];
}}"""


def in_turn(start: int = 0) -> Any:
    """Return a function that gives each field another of the texts, beginning with number ``start``."""
    given: dict[str, int] = {}

    def text(field: str, length: int) -> str:
        number = given.setdefault(field, start + len(given))
        return PAYLOADS[number % len(PAYLOADS)][:length]

    return text


def visit(page: Page, url: str) -> Response | None:
    """Go to an address; a page that was just about to send a form of its own is asked to once more."""
    try:
        return page.goto(url, wait_until="domcontentloaded")
    except Error:
        return page.goto(url, wait_until="domcontentloaded")


def found_on(page: Page) -> list[str]:
    """Return what ran on a page, and what it made of a text that is none; each with the address."""
    told: list[str] = page.evaluate(PROBE)
    return [f"{page.url}: {each}" for each in told]
