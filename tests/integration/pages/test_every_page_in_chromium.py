"""Every page of the route table, as every role, at both widths: open to all, by keyboard too, nothing from elsewhere.

The cases are made from the routes: a new page is looked at without anybody adding it here. Screenshots of all lie in
build/screenshots.
"""

import gzip
import re
from collections import Counter
from contextlib import closing

import pytest
from fastapi.routing import APIRoute

from hub.app import ROUTED, routers_of
from hub.http import declaration_of
from policies.principal import Role
from policies.roles import extent_of
from tests.integration.access.conftest import ROLES
from tests.integration.pages.conftest import SHOTS
from tests.slow_line import SECONDS_TO_CONTENT, best_of

pytestmark = pytest.mark.pages
CALLERS = {"anonymous": (Role.PUBLIC, None), **ROLES}
NO_PAGE = ("/v1/", "/static/", "/.well-known/")
WIDTHS = (320, 1280)
RULES = "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
PAGE_BYTES_MAX = {"/explorer": 450_000}
BYTES_MAX = 150_000
CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
WATCH = """() => {
  window.seen = []; window.bare = [];
  document.addEventListener('focusin', event => {
    const one = event.target, look = getComputedStyle(one);
    window.seen.push(one);
    if (look.outlineStyle === 'none' || parseFloat(look.outlineWidth) < 2) window.bare.push(one.outerHTML.slice(0, 80));
  });
}"""
LEFT_OUT = f"""() => [...document.querySelectorAll("{CONTROLS}")]
  .filter(one => one.checkVisibility({{visibilityProperty: true}}) && !one.disabled && one.tabIndex >= 0)
  .filter(one => !window.seen.includes(one)).map(one => one.outerHTML.slice(0, 80))"""
DISORDER = """() => { const first = window.seen.slice(0, new Set(window.seen).size);
  return first.filter((one, at) => at && !(first[at - 1].compareDocumentPosition(one) & 4)).length }"""


def pages():
    """The path and action of every route that answers a browser with a page."""
    for router in routers_of(ROUTED):
        for route in router.routes:
            if isinstance(route, APIRoute) and "GET" in route.methods and not route.path.startswith(NO_PAGE):
                yield route.path, declaration_of(route.endpoint).action


def cases():
    """Each page for each caller who may open it, and each caller's first refusal."""
    for caller, (role, _) in CALLERS.items():
        roles = frozenset({role, Role.PUBLIC})
        found = [(path, bool(extent_of(action, roles))) for path, action in pages()]
        yield from ((caller, path) for path, may in found if may)
        yield from [(caller, path) for path, may in found if not may][:1]


def slug(text):
    return re.sub(r"\W+", "-", text).strip("-") or "home"


@pytest.fixture(scope="module")
def contexts(chromium, filled):
    """One signed-in browser for each caller, made when it is first asked for."""
    found = {}

    def context(caller):
        if caller not in found:
            role, organisation = CALLERS[caller]
            found[caller] = chromium.new_context()
            if organisation is not None:
                found[caller].add_cookies([filled.cookie(role, organisation)])
        return found[caller]

    yield context
    for one in found.values():
        one.close()


@pytest.mark.parametrize(("caller", "path"), list(cases()))
def test_a_page_shuts_nobody_out_and_asks_nothing_from_elsewhere(contexts, filled, axe, caller, path):
    page, asked = contexts(caller).new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    unwritten = [one for one in re.findall(r"\{(\w+)", path) if one not in filled.examples]
    assert not unwritten, f"give an example of {unwritten} in tests/integration/pages/conftest.py"
    named = re.sub(r"\{(\w+)(?::\w+)?\}", lambda one: str(filled.examples[one[1]]), path)
    if is_file(page, filled.url + named):
        page.close()
        return
    answer = page.goto(filled.url + named)

    faults = list(of_answer(answer, path, caller))
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        faults += [f"{width}: {found}" for found in of_axe(page, axe)]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(f"{width}: wider than the window")
        page.screenshot(path=SHOTS / f"{caller}-{slug(path)}-{width}.png", full_page=True)
    faults += of_keyboard(page)
    faults += [f"asks elsewhere: {url}" for url in asked if not url.startswith((filled.url, "data:"))]
    limit = PAGE_BYTES_MAX.get(path, BYTES_MAX)
    if len(gzip.compress(page.content().encode())) > limit:
        faults.append("too large")
    page.close()

    assert faults == []


@pytest.mark.parametrize("path", sorted(path for path, _ in pages()))
def test_a_page_is_small_and_shows_its_content_soon_on_a_slow_machine_and_line(chromium, filled, path):
    role, organisation = opener(path)

    def context():
        found = chromium.new_context()
        if organisation is not None:
            found.add_cookies([filled.cookie(role, organisation)])
        return found

    named = re.sub(r"\{(\w+)(?::\w+)?\}", lambda one: str(filled.examples[one[1]]), path)
    with closing(context()) as first:
        if is_file(first.new_page(), filled.url + named):
            return
    size, seconds = best_of(context, filled.url + named)

    print(f"\n{path}: {size:,} bytes, content after {seconds:.2f} s")
    assert size <= PAGE_BYTES_MAX.get(path, BYTES_MAX)
    assert seconds <= SECONDS_TO_CONTENT


def opener(path):
    """The first caller who may open a page."""
    action = dict(pages())[path]
    return next(one for one in CALLERS.values() if extent_of(action, frozenset({one[0], Role.PUBLIC})))


def is_file(page, address):
    """Whether the address gives a file to keep, no page."""
    answer = page.request.get(address, headers={"accept": "text/html"}, max_redirects=0)
    return answer.status == 200 and not answer.headers.get("content-type", "").startswith("text/html")


def of_answer(answer, path, caller):
    """Faults of the answer itself: its status, and a policy that lets nothing else in."""
    roles = frozenset({CALLERS[caller][0], Role.PUBLIC})
    may = bool(extent_of(dict(pages())[path], roles))
    wanted = {200} if may else {401 if caller == "anonymous" else 403}
    if "{name}" in path:
        wanted = {404}  # an identity provider, of which this hub has none
    if answer.status not in wanted:
        yield f"status {answer.status}"
    policy = answer.headers.get("content-security-policy", "")
    if not policy.startswith("default-src 'none'") or "unsafe" in policy or "*" in policy or "http" in policy:
        yield f"policy: {policy}"


def of_axe(page, axe):
    """What the rules of WCAG 2.1 A and AA find, with the first place of each."""
    found = page.evaluate(f"{axe};{RULES}")["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]


def of_keyboard(page):
    """What a person without a mouse cannot reach, see or leave."""
    page.evaluate("window.scrollTo(0, 0); document.activeElement.blur()")
    page.evaluate(WATCH)
    for _ in range(page.evaluate(f'document.querySelectorAll("{CONTROLS}").length') + 3):
        page.keyboard.press("Tab")
    faults = [f"no key reaches {one}" for one in page.evaluate(LEFT_OUT)]
    faults += [f"focus cannot be seen on {one}" for one in page.evaluate("window.bare")]
    if page.evaluate(DISORDER):
        faults.append("the tab order is not the order of reading")
    navigates = page.evaluate("document.querySelector('header nav') !== null")
    skips = page.evaluate("window.seen.length && window.seen[0].getAttribute('href')")
    if (navigates and skips != "#main") or page.evaluate("document.querySelector('main') === null"):
        faults.append("the first key stop is no skip link to the content")
    return faults


def test_every_caller_has_pages_and_every_route_of_a_page_is_looked_at():
    looked_at = Counter(path for _, path in cases())

    assert {path for path, _ in pages()} == set(looked_at)
    assert set(Counter(caller for caller, _ in cases())) == set(CALLERS)
