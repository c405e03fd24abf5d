"""The public pages in a real browser, in both languages: small, quick on a slow machine, whole on a small screen.

Screenshots at 320 and 1,280 pixels lie in build/screenshots/public.
"""

from pathlib import Path

import pytest

from tests.playwright_browser import started_browser
from tests.slow_line import SECONDS_TO_CONTENT, best_of

pytestmark = pytest.mark.pages
SHOTS = Path(__file__).parents[3] / "build" / "screenshots" / "public"
RULES = "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
WIDTHS = (320, 1280)
PAGES = ("/", "/report", "/evidence", "/explorer", "/explorer?by=race", "/pathway", "/link-quality", "/definitions")
BYTES_MAX = 150_000
"""Of all that a page loads, as sent over a line that packs it (gzip)."""


@pytest.fixture(scope="module")
def browser():
    SHOTS.mkdir(parents=True, exist_ok=True)
    with started_browser() as found:
        yield found


def spoken(path, code):
    return f"{path}{'&' if '?' in path else '?'}lang={code}"


def slug(path):
    return "".join(mark if mark.isalnum() else "-" for mark in path).strip("-") or "home"


@pytest.mark.parametrize("code", ["en", "es"])
def test_a_public_page_shuts_nobody_out_in_either_language(browser, served, code):
    import axe_playwright_python

    axe = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")
    page, faults, asked = browser.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))

    for path in PAGES:
        page.goto(f"{served.url}{spoken(path, code)}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found = page.evaluate(f"{axe};{RULES}")["violations"]
            faults += [f"{path} {width}: {one['id']} {one['nodes'][0]['target']}" for one in found]
            if page.evaluate("document.documentElement.scrollWidth") > width:
                faults.append(f"{path} {width}: wider than the window")
            page.screenshot(path=SHOTS / f"{slug(path)}-{code}-{width}.png", full_page=True)
    page.close()

    assert faults == []
    assert [url for url in asked if not url.startswith((served.url, "data:"))] == []


def test_a_public_page_is_small_and_shows_its_content_soon_on_a_slow_machine_and_line(browser, served):
    told = {path: best_of(browser.new_context, f"{served.url}{path}") for path in PAGES}

    print("\n" + "\n".join(f"{path}: {size:,} bytes, content after {one:.2f} s" for path, (size, one) in told.items()))
    assert {path: size for path, (size, _) in told.items() if size > BYTES_MAX} == {}
    assert {path: round(one, 2) for path, (_, one) in told.items() if one > SECONDS_TO_CONTENT} == {}


def test_a_reader_changes_the_language_by_keyboard(browser, served):
    page = browser.new_page()
    page.goto(f"{served.url}/evidence?lang=en")
    page.focus(".switch a")
    page.keyboard.press("Enter")
    page.wait_for_url("**lang=es**")

    assert page.get_attribute("html", "lang") == "es"
    assert page.inner_text("h1") == "¿Qué se mantuvo o mejoró, y qué brechas se redujeron?"
    page.close()
