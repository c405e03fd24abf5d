"""Signing in by the certified oidc-provider under Node, on loopback: the whole way, rotation, a second factor again.

Its libraries lie in .cache/oidc-provider, installed by `.ci/run` from the lock beside its server; without them these
tests are skipped, and in CI they fail.
"""

import contextlib
import datetime as dt
import html
import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from hub.db import utc_now
from hub.identity import service
from hub.identity.provider_sign_in import bind
from policies.principal import Role
from tests.databases import address_of
from tests.integration.access.made_up_provider import CLIENT, SECRET
from tests.integration.access.test_provider_answers import Office, write_file
from tests.integration.hub.conftest import BASE, MadeUpHub

SERVER = Path(__file__).with_name("oidc_provider") / "server.mjs"
MODULES = Path(__file__).parents[3] / ".cache" / "oidc-provider" / "node_modules"
NODE = shutil.which("node")
HERE = NODE is not None and (MODULES / "oidc-provider").is_dir()
pytestmark = [
    pytest.mark.access,
    pytest.mark.skipif(not HERE and "REQUIRE_NODE" not in os.environ, reason="node or oidc-provider is not here"),
]


class RealProvider:
    """The provider's process; started again it has another key, as after a rotation."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.issuer, self.kid = f"http://127.0.0.1:{self.port}", 0
        self.start()

    def start(self):
        self.kid += 1
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        told = {
            "port": self.port, "modules": str(MODULES), "client": CLIENT, "secret": SECRET, "key": key.decode(),
            "kid": f"key-{self.kid}", "back": f"{BASE}/sign-in/provider/novato/answer", "after": f"{BASE}/",
        }  # fmt: skip
        self.process = subprocess.Popen(
            [NODE, str(SERVER), json.dumps(told)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout.readline() == "ready\n"

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.process.stdout.close()


class Browser:
    """Somebody's browser at the provider: it fills in the provider's form and follows where it is sent."""

    def __init__(self, client):
        self.client = client

    def visit(self, address, *, name, factor="mfa"):
        """What is brought back to the hub; the form is not shown to whom the provider knows already."""
        answer = self._follow(self.client.get(address))
        if answer.status_code == 200:
            filled = {"login": name, "factor": factor}
            answer = self._follow(self.client.post(answer.url, data=filled))
        return dict(httpx.URL(answer.headers["location"]).params)

    def _follow(self, answer):
        while answer.has_redirect_location and not answer.headers["location"].startswith(BASE):
            answer = self.client.get(answer.url.join(answer.headers["location"]))
        return answer


@pytest.fixture(scope="module")
def provider():
    started = RealProvider()
    yield started
    started.stop()


class Later:
    """The time, and what a test adds to it."""

    ahead = dt.timedelta(0)

    def __call__(self):
        return utc_now() + self.ahead


@pytest.fixture
def browsers():
    """Makes browsers that are closed after the test."""
    with contextlib.ExitStack() as opened:
        yield lambda: Browser(opened.enter_context(httpx.Client(trust_env=False)))


@pytest.fixture
def office(home, tmp_path, provider):
    file = write_file(tmp_path / "providers", issuer=provider.issuer)
    with httpx.Client(trust_env=False) as http:
        address = address_of(home)
        hub = MadeUpHub(home, address, Later(), http=http, sign_in_providers=str(file))
        yield Office(hub, provider)
        hub.close()


def bound(office, name, role=Role.PARTNER, organisation="canal-alliance"):
    with office.hub.database.transaction() as session:
        person = service.add_person(session, organisation=organisation, roles=frozenset({role}), audit=office.hub.trail)
        bind(session, person, issuer=office.provider.issuer, subject=name, audit=office.hub.trail)
    return person


def come_back(office, browser, *, path="/sign-in/provider/novato", **filled):
    brought = browser.visit(office.go(path), **filled)
    return office.ask("GET", "/sign-in/provider/novato/answer", params=brought)


def test_the_whole_way_signs_in_who_was_bound_and_nobody_else(office, browsers):
    bound(office, "qorvax")

    stranger = come_back(office, browsers(), name="zyblen")
    declined = come_back(office, browsers(), name="nobody")
    weak = come_back(office, browsers(), name="qorvax", factor="password")
    right = come_back(office, browsers(), name="qorvax")

    assert [one.status_code for one in (stranger, declined, weak, right)] == [401, 401, 401, 200]
    assert office.rules() == ["OIDC-009", "OIDC-003", "OIDC-007"]
    assert office.ask("GET", "/v1/table-requests").status_code == 200


def test_a_code_serves_once_and_only_with_its_own_verifier(office, browsers):
    bound(office, "qorvax")
    browser = browsers()
    theirs = browser.visit(office.go(), name="qorvax")
    state = dict(httpx.URL(office.go()).params)["state"]

    injected = office.ask("GET", "/sign-in/provider/novato/answer", params={**theirs, "state": state})

    assert (injected.status_code, office.rules()) == (401, ["OIDC-004"])


def test_a_second_factor_is_shown_again_at_the_provider_even_where_it_knows_the_browser(office, browsers):
    bound(office, "qorvax")
    browser = browsers()
    come_back(office, browser, name="qorvax")

    known = come_back(office, browser, name="another name that is never asked for")
    again = come_back(office, browser, path="/account/prove/provider/novato", name="qorvax")
    other = come_back(office, browsers(), path="/account/prove/provider/novato", name="zyblen")

    assert [one.status_code for one in (known, again, other)] == [200, 200, 401]
    assert office.hub.events().count("sign_in.proved") == 1


def test_the_provider_rotates_its_key_and_people_go_on_signing_in(office, provider, browsers):
    bound(office, "qorvax")
    before = come_back(office, browsers(), name="qorvax").status_code
    provider.stop()
    provider.start()
    office.hub.clock.ahead = dt.timedelta(seconds=40)

    after = come_back(office, browsers(), name="qorvax").status_code

    assert (before, after) == (200, 200)


def test_signing_out_ends_at_the_provider_too(office, browsers):
    bound(office, "qorvax")
    come_back(office, browsers(), name="qorvax")

    page = office.ask("POST", "/sign-out").text
    way_out = html.unescape(re.search(r'href="(http://127[^"]+)"', page)[1])

    assert httpx.get(way_out, trust_env=False).status_code == 200
    assert office.ask("GET", "/v1/table-requests").status_code == 401
