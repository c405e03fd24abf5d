"""Every answer, page or not, carries what tells a browser to trust nothing else; over HTTPS it says to stay there."""

import pytest

from hub.app import create_app, hub_parts
from hub.log import Log
from policies.principal import Role
from tests.integration.hub.conftest import AppTransport

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
ANSWERS = ("/", "/sign-in", "/v1/ready", "/v1/releases", "/no/such/page", "/v1/submissions/none")


@pytest.mark.parametrize("path", ANSWERS)
def test_an_answer_has_every_header_and_a_closed_policy(sqlite_hub, path):
    answer = sqlite_hub.client.get(path, headers={"accept": "text/html"})
    policy = answer.headers["content-security-policy"]

    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS
    assert all(part in policy for part in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"))
    assert "unsafe" not in policy
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert "server" not in answer.headers


def test_a_hub_behind_tls_tells_browsers_to_stay_there(sqlite_hub):
    import httpx

    settings = sqlite_hub.settings.model_copy(update={"public_url": "https://hub.test"})
    parts = hub_parts(settings, clock=sqlite_hub.clock, log=Log(clock=sqlite_hub.clock))
    client = httpx.Client(transport=AppTransport(create_app(parts)), base_url="https://hub.test")

    over_tls = client.get("/v1/ready").headers["strict-transport-security"]
    parts.database.close()

    assert over_tls == "max-age=63072000; includeSubDomains"
    assert "strict-transport-security" not in sqlite_hub.client.get("/v1/ready").headers


@pytest.mark.parametrize("path", ["/account", "/submissions"])
def test_what_is_told_to_somebody_signed_in_is_not_kept_by_a_browser(sqlite_hub, path):
    cookie = sqlite_hub.sign_in("novato", Role.STEWARD)

    answer = sqlite_hub.client.get(path, headers={"cookie": cookie, "accept": "text/html"})

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW"])
def test_methods_that_no_route_names_are_refused(sqlite_hub, method):
    assert sqlite_hub.client.request(method, "/v1/ready").status_code in (400, 404, 405, 409)
