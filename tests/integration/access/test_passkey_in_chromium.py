"""A passkey in a real browser: made with a set-up link, then the way in, then the proof before a dangerous act.

Chromium's own virtual authenticator (WebDriver's, over the DevTools protocol) stands for the finger on the sensor.
"""

import json
import socket
import threading
import time

import pytest
import uvicorn

from hub.identity import service
from policies.principal import Role
from tests.chromium import needs_chromium
from tests.databases import address_of
from tests.integration.access.conftest import HUB
from tests.integration.hub.conftest import MadeUpHub, browser  # noqa: F401 (a fixture)

pytestmark = [pytest.mark.pages, needs_chromium]
AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture
def served(home, clock):
    """A hub over HTTP at localhost, a name to which a browser binds passkeys, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hub = MadeUpHub(home, address_of(home), clock, public_url=f"http://localhost:{port}")
    server = uvicorn.Server(uvicorn.Config(hub.app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield hub, f"http://localhost:{port}"
    server.should_exit = True
    thread.join()
    hub.close()


def press(page, words, *, then):
    """Press the button of these words; wait until a new page stands at an address."""
    found = f"[...document.querySelectorAll('button')].find(one => one.textContent.trim() === {json.dumps(words)})"
    page.wait(f"!!{found} && !{found}.hidden")
    page.run(f"window.before = true; {found}.click()")
    page.wait(f"!window.before && document.readyState === 'complete' && location.pathname === {json.dumps(then)}")


def ask_for_an_act(page, base):
    """Fill in the form for a new steward and send it; the words of the page that comes."""
    page.open(f"{base}/acts?kind=person.add")
    told = json.dumps({"organisation": "novato", "roles": "steward", "why": "A new steward."})
    page.run(
        f"""for (const [name, value] of Object.entries({told})) {{
          document.querySelector(`form[method=post] input[name=${{name}}]`).value = value;
        }}
        window.before = true; document.querySelector('main form[method=post].ask button').click()"""
    )
    page.wait("!window.before && document.readyState === 'complete'")
    return page.run("document.querySelector('main').innerText")


def test_an_administrator_makes_a_passkey_signs_in_by_it_and_proves_it_before_a_dangerous_act(served, browser):  # noqa: F811
    hub, base = served
    with hub.database.transaction() as session:
        person = service.add_person(session, organisation=HUB, roles=frozenset({Role.ADMINISTRATOR}), audit=hub.trail)
        link = service.make_set_up_link(session, person, audit=hub.trail)
    browser.send("WebAuthn.enable")
    kept = browser.send("WebAuthn.addVirtualAuthenticator", options=AUTHENTICATOR)["authenticatorId"]

    browser.open(f"{base}/sign-in?link={link}")
    browser.run("document.querySelector('main button').click()")
    browser.wait("location.pathname === '/account/set-up'")
    press(browser, "Make a passkey", then="/sign-in")
    made = browser.send("WebAuthn.getCredentials", authenticatorId=kept)["credentials"]
    press(browser, "Sign in with a passkey", then="/")
    hub.clock.advance(minutes=11)
    late = ask_for_an_act(browser, base)
    browser.open(f"{base}/account")
    press(browser, "Prove it with a passkey", then="/account")
    asked = ask_for_an_act(browser, base)

    assert [(one["rpId"], one["isResidentCredential"]) for one in made] == [("localhost", True)]
    assert "Show your second factor again first." in late
    assert "(waiting)" in asked
    told = hub.events()
    assert (told.count("passkey.added"), told.count("sign_in.proved"), told.count("act.asked")) == (1, 1, 1)
