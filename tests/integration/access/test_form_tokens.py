"""Every form of a session carries a token that is bound to it, and a change without it is refused."""

import re

import pytest

from policies.principal import Role
from policies.roles import extent_of
from tests.integration.access.conftest import NOVATO, REED, ROLES
from tests.integration.access.test_routes_by_role import address, routes

pytestmark = pytest.mark.access
FORM = re.compile(r'<form\b[^>]*\bmethod="post"[^>]*>(.*?)</form>', re.DOTALL)
FIELD = re.compile(r'<input type="hidden" name="form_token" value="([\w-]+)">')


def token_of(people, cookie):
    return FIELD.search(people.ask("GET", "/account", cookie).text)[1]


@pytest.mark.parametrize("who", ROLES)
def test_every_form_on_every_page_of_a_role_carries_the_token_of_its_session(crowd, who, record_property):
    cookie = crowd.cookie(*ROLES[who], name="forms")
    token, forms, missing = token_of(crowd, cookie), 0, []

    for method, path, _ in routes():
        if method != "GET" or "{" in path or path.startswith(("/v1", "/static")):
            continue
        page = crowd.ask("GET", path, cookie).text
        for form in FORM.findall(page):
            forms += 1
            if FIELD.findall(form) != [token]:
                missing.append(path)

    record_property("cells", forms)
    assert (missing, forms >= 10) == ([], True)


@pytest.mark.parametrize("who", ROLES)
def test_every_change_by_a_session_without_its_token_is_refused(crowd, who, record_property):
    cookie = crowd.cookie(*ROLES[who], name="changes")
    other = token_of(crowd, crowd.cookie(Role.STEWARD, REED, name="another"))
    tried, taken = 0, []

    for method, path, action in routes():
        if method in ("GET", "HEAD") or action == "session.open":
            continue
        for token in ("", other):
            tried += 1
            answer = crowd.ask(method, address(path), cookie, content=b"{}", headers={"x-form-token": token})
            if (answer.status_code, answer.json().get("code")) != (403, "form-token"):
                taken.append((method, path, answer.status_code))

    record_property("cells", tried)
    assert (taken, tried >= 60) == ([], True)


def test_the_token_is_taken_from_the_form_of_a_browser_without_scripts(people):
    cookie = people.cookie(Role.ADMINISTRATOR)
    token = token_of(people, cookie)
    told = {"kind": "person.add", "organisation": NOVATO, "roles": "steward", "why": "A new steward."}
    sent = {"x-form-token": ""}

    without = people.ask("POST", "/acts", cookie, data=told, headers=sent)
    asked = people.ask("POST", "/acts", cookie, data={**told, "form_token": token}, headers=sent)

    assert (without.status_code, asked.status_code) == (403, 303)
    assert people.hub.events().count("act.asked") == 1


def test_the_token_is_taken_from_a_form_with_a_file(people):
    cookie = people.cookie(Role.STEWARD, NOVATO)
    file = {"file": ("submission.json", b"{}")}
    sent = {"x-form-token": ""}

    without = people.ask("POST", "/submissions/upload", cookie, files=file, headers=sent)
    taken = people.ask(
        "POST", "/submissions/upload", cookie, files=file, data={"form_token": token_of(people, cookie)}, headers=sent
    )

    assert (without.json()["code"], taken.json()["code"] != "form-token") == ("form-token", True)


def test_signing_in_needs_no_token_since_there_is_no_session_yet(people):
    assert bool(extent_of("session.open", frozenset({Role.PUBLIC})))
    assert people.hub.client.post("/sign-in", content="link=x").json()["code"] == "link-used"
