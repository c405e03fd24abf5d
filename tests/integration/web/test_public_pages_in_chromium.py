"""The public pages in a real browser, in both languages: small, quick on a slow machine, whole on a small screen.

Screenshots at 320 and 1,280 pixels lie in build/screenshots/public.
"""

from pathlib import Path

import pytest

from tests.playwright_browser import started_browser

pytestmark = pytest.mark.pages
SHOTS = Path(__file__).parents[3] / "build" / "screenshots" / "public"
RULES = "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
WIDTHS = (320, 1280)
PAGES = ("/", "/report", "/evidence", "/explorer", "/explorer?by=race", "/pathway", "/link-quality", "/definitions")
BYTES_MAX = 150_000
"""Of all that a page loads, as sent over a line that packs it (gzip)."""
SLOWER, BYTES_A_SECOND, DELAY_MILLISECONDS = 6, 10_000_000 / 8, 40
SECONDS_TO_CONTENT = 2.0
TRIES = 3


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
    told = {path: best_of(TRIES, browser, f"{served.url}{path}") for path in PAGES}

    print("\n" + "\n".join(f"{path}: {size:,} bytes, content after {one:.2f} s" for path, (size, one) in told.items()))
    assert {path: size for path, (size, _) in told.items() if size > BYTES_MAX} == {}
    assert {path: round(one, 2) for path, (_, one) in told.items() if one > SECONDS_TO_CONTENT} == {}


def best_of(tries, browser, address):
    """Size and seconds of the quickest of some loads: what else runs on this machine is not the page's."""
    found = []
    while len(found) < tries and not (found and found[-1][1] <= SECONDS_TO_CONTENT):
        found.append(slow_load(browser, address))
    return min(found, key=lambda one: one[1])


def slow_load(browser, address):
    page = browser.new_context().new_page()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    line = {"downloadThroughput": BYTES_A_SECOND, "uploadThroughput": BYTES_A_SECOND, "latency": DELAY_MILLISECONDS}
    session.send("Network.emulateNetworkConditions", {"offline": False, **line})
    page.goto(address)
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    seconds = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000
    size = packed_bytes(page)
    page.context.close()
    return size, seconds


def packed_bytes(page):
    """The size of a page and of all that it loads, packed as a line would."""
    return page.evaluate(
        """async () => {
            const names = [location.href, ...performance.getEntriesByType('resource').map(one => one.name)];
            let bytes = 0;
            for (const name of new Set(names.filter(one => one.startsWith('http')))) {
                const read = name === location.href
                    ? new Blob([document.documentElement.outerHTML])
                    : new Blob([[...document.styleSheets].filter(one => one.href === name)
                        .flatMap(one => [...one.cssRules]).map(one => one.cssText).join('\\n')]);
                const packed = read.stream().pipeThrough(new CompressionStream('gzip'));
                bytes += (await new Response(packed).arrayBuffer()).byteLength;
            }
            return bytes;
        }"""
    )


def test_a_reader_changes_the_language_by_keyboard(browser, served):
    page = browser.new_page()
    page.goto(f"{served.url}/evidence?lang=en")
    page.focus(".switch a")
    page.keyboard.press("Enter")
    page.wait_for_url("**lang=es**")

    assert page.get_attribute("html", "lang") == "es"
    assert page.inner_text("h1") == "¿Qué se mantuvo o mejoró, y qué brechas se redujeron?"
    page.close()
