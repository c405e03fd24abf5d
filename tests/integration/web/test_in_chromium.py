"""The pages in a real browser: nobody is shut out by them, and the analyst's question takes at most five clicks.

Screenshots of what was looked at lie in build/screenshots.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policies.principal import Role
from tests.integration.web.test_explorer import TWO_SPLITS
from tests.playwright_browser import started_browser

pytestmark = pytest.mark.pages
SHOTS = Path(__file__).parents[3] / "build" / "screenshots"
RULES = "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
WIDTHS = (320, 1280)
PAGE_BYTES_MAX = 150_000
CLICKS_MAX = 5
REFUSED = (403, 422)
"""A question of the explorer that is refused is a page too."""
PUBLIC = ("/", "/report", "/explorer", "/explorer?by=race", "/pathway", "/definitions", "/sign-in?link=none")
OWN = {
    Role.STEWARD: ("/submissions", "/requests", "/reviews"),
    Role.PARTNER: ("/explorer?by=preschool&first=&last=", "/explorer?by=gender,race", "/requests"),
    Role.COMPLIANCE: ("/requests", "/access-log"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started_browser() as found:
        yield found


@pytest.fixture(scope="module")
def axe(browser: Any) -> str:
    import axe_playwright_python

    return Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")


def looked_at(page: Any, address: str, *, axe: str, name: str, also: tuple[int, ...] = ()) -> list[str]:
    """Faults of one page at both widths: what axe finds, what overflows, what asks another origin; one screenshot."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer = page.goto(address)
    faults = [] if answer.status in (200, *also) else [f"{name}: {answer.status}"]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        faults += [f"{name} {width}: {one['id']}" for one in page.evaluate(f"{axe};{RULES}")["violations"]]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(f"{name} {width}: wider than the window")
    if len(gzip.compress(page.content().encode())) > PAGE_BYTES_MAX:
        faults.append(f"{name}: too large")
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
    origin = "/".join(address.split("/")[:3])
    return faults + [f"{name}: asks elsewhere" for url in asked if not url.startswith((origin, "data:"))]


def slug(text: str) -> str:
    return "".join(mark if mark.isalnum() else "-" for mark in text).strip("-") or "home"


def test_no_public_page_shuts_anybody_out(browser: Any, axe: str, served: Any) -> None:
    page = browser.new_page()

    faults = [
        fault
        for path in PUBLIC
        for fault in looked_at(page, f"{served.url}{path}", axe=axe, name=f"public-{slug(path)}")
    ]

    page.close()
    assert faults == []


@pytest.mark.parametrize("role", list(OWN), ids=str)
def test_no_page_of_a_role_shuts_anybody_out(browser: Any, axe: str, served: Any, role: Role) -> None:
    page = browser.new_context().new_page()
    page.goto(f"{served.url}/sign-in?link={served.link(role)}")
    page.click("main button")
    page.wait_for_selector("header .who button")

    faults = [
        fault
        for path in ("/", *OWN[role])
        for fault in looked_at(page, f"{served.url}{path}", axe=axe, name=f"{role}-{slug(path)}", also=REFUSED)
    ]

    page.context.close()
    assert faults == []


def test_reading_by_income_for_preschool_children_with_a_citation_takes_at_most_five_clicks(
    browser: Any, served: Any
) -> None:
    link = served.link_under(
        TWO_SPLITS.replace("DUL-TWO", "DUL-CLICKS").replace("ten-thousand-degrees", "marin-promise-school"),
        "marin-promise-school",
        Role.PARTNER,
    )
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{served.url}/sign-in?link={link}")
    clicks = [
        lambda: page.click("main button"),
        lambda: page.click("main a[href='/explorer']"),
        lambda: page.select_option("select[name=only]", "preschool:any"),
        lambda: page.click("form.ask button"),
    ]

    for click in clicks:
        click()

    assert len(clicks) <= CLICKS_MAX
    rows = page.locator("#rows tbody tr").all_inner_texts()
    assert len([row for row in rows if "Socioeconomically disadvantaged" in row]) == 3
    assert "release 2026-11-22.1 (log entry" in page.inner_text("p.cite")
    page.screenshot(path=SHOTS / "the-question.png", full_page=True)
    page.context.close()


def test_the_explorer_is_asked_by_keyboard_alone(browser: Any, served: Any) -> None:
    page = browser.new_page()
    page.goto(f"{served.url}/explorer")
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("r")
    chosen = page.evaluate("document.activeElement.value")
    while page.evaluate("document.activeElement.tagName") != "BUTTON":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**by=race**")

    assert first == "Skip to the content"
    assert chosen == "race"
    assert "race and ethnicity" in page.inner_text("h2")
    page.close()
