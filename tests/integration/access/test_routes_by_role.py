"""Every route asked by every kind of caller: the answer is what the role table says, and hidden is as absent."""

import re

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import event

from hub.app import ROUTED, _own_router, check_declared, routers_of
from hub.audit.answers import EVENTLESS
from hub.errors import SettingError
from hub.http import declaration_of
from policies.principal import Role
from policies.roles import ROLE_TABLE, extent_of
from tests.integration.access.conftest import NOVATO, REED, ROLES

pytestmark = pytest.mark.access
OTHERS = ("anonymous", "agent", "expired session", "person of another organisation")
FILLED = {"number": "4711", "sha256": "0" * 64, "name": "none", "release": "2020-01-01.1"}


def routes():
    """Every (method, path, action) of the hub."""
    routers = [_own_router(), *routers_of(ROUTED)]
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                for method in sorted(route.methods - {"HEAD"}):
                    yield method, route.path, declaration_of(route.endpoint).action


def address(path):
    """The path with parameters that name nothing there is."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: FILLED.get(found[1], "0" * 64), path)


def ask(crowd, caller, method, path):
    body = b"{}" if method in ("POST", "PUT") else b""
    if caller == "agent":
        edge = crowd.cookies.setdefault("edge", None) or crowd.hub.enrol(NOVATO)
        crowd.cookies["edge"] = edge
        return edge.ask(method, path, body)
    if caller == "anonymous":
        return crowd.hub.client.request(method, path, content=body)
    if caller == "expired session":
        return crowd.ask(method, path, crowd.cookies["expired"], content=body)
    if caller == "person of another organisation":
        return crowd.ask(method, path, crowd.cookie(Role.STEWARD, REED), content=body)
    return crowd.ask(method, path, crowd.cookie(*ROLES[caller]), content=body)


def roles_of(caller):
    known = {"agent": Role.AGENT, "person of another organisation": Role.STEWARD}
    if caller in ROLES:
        return frozenset({ROLES[caller][0], Role.PUBLIC})
    return frozenset({known[caller], Role.PUBLIC} if caller in known else {Role.PUBLIC})


def refused_by_table(answer):
    """Whether the answer is the table's own refusal: R-01, before the route ran."""
    kind = answer.headers.get("content-type", "")
    return (
        answer.status_code in (401, 403)
        and kind.startswith("application/problem")
        and answer.json().get("rule") == "R-01"
    )


@pytest.fixture(scope="module")
def expired(crowd):
    """A session that was idle too long."""
    crowd.cookies["expired"] = crowd.cookie(Role.COMPLIANCE, name="expired")
    crowd.hub.clock.advance(minutes=16)
    return crowd


@pytest.mark.parametrize("caller", [*ROLES, *OTHERS])
def test_every_route_answers_a_caller_as_the_role_table_says(expired, caller, record_property):
    tried, differing = 0, []
    for method, path, action in routes():
        if path == "/sign-out":
            continue
        answer = ask(expired, caller, method, address(path))
        may = bool(extent_of(action, roles_of(caller)))
        tried += 1
        if refused_by_table(answer) == may or answer.status_code >= 500:
            differing.append((method, path, action, answer.status_code))
        if not may and answer.status_code != (401 if roles_of(caller) == {Role.PUBLIC} else 403):
            differing.append((method, path, action, answer.status_code))

    record_property("cells", tried)
    assert differing == []
    assert tried >= 80


def test_no_route_that_tells_something_answers_one_signature_twice(crowd):
    """Whatever way a route reads, the nonce of a signed reading is used up with its answer; a refusal uses it too."""
    answered = []
    for method, path, _ in routes():
        if method == "GET" and path not in EVENTLESS:
            first = ask(crowd, "agent", method, address(path))
            again = crowd.hub.client.send(first.request)
            if again.status_code != 401:
                answered.append((path, first.status_code, again.status_code))

    assert answered == []


def test_every_route_has_a_row_and_a_route_without_one_stops_the_start():
    from fastapi import APIRouter

    router = APIRouter()
    router.add_api_route("/nobody/declared/this", lambda: None)

    assert {action for _, _, action in routes()} <= set(ROLE_TABLE)
    with pytest.raises(SettingError, match="/nobody/declared/this"):
        check_declared([router])


def told(answer):
    """All that an answer tells: status, every header but the request's own name, every byte of the body."""
    headers = sorted(
        (name, value) for name, value in answer.headers.items() if name not in ("x-request-id", "ratelimit")
    )
    return answer.status_code, headers, answer.content


class Statements:
    """Counts what is asked of the database."""

    def __init__(self, engine):
        self.engine, self.seen = engine, []

    def __enter__(self):
        event.listen(self.engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *found):
        event.remove(self.engine, "before_cursor_execute", self._note)

    def _note(self, connection, cursor, statement, *rest):
        if "audit_" not in statement:  # the tree of the log grows by the same rule for every event
            self.seen.append(statement)


@pytest.fixture(scope="module")
def hidden(crowd):
    """Things of one organisation, and who may not see them: (method, path of the thing, path of an absent one)."""
    from hub.identity.two_persons import ask_act

    edge = crowd.hub.enrol("kentfield")
    sent = edge.deliver(range(12))
    administrator = crowd.principal(Role.ADMINISTRATOR)
    with crowd.hub.database.transaction() as session:
        act = ask_act(
            session, "data.destroy", {"agreement": "DSA-K12"}, organisations=frozenset({"kentfield"}),
            why="The agreement ended.", principal=administrator, audit=crowd.hub.trail,
        )  # fmt: skip
    stranger, analyst = crowd.cookie(Role.STEWARD, REED), crowd.cookie(Role.PARTNER, "canal-alliance")
    things = [("GET", f"/v1/submissions/{{}}{end}", sent.id, "f" * 64) for end in ("",)]
    things += [
        ("POST", f"/v1/submissions/{{}}/{end}", sent.id, "f" * 64)
        for end in ("certify", "withdraw", "approve", "discard")
    ]
    things += [("GET", "/submissions/{}", sent.id, "f" * 64), ("POST", "/submissions/{}/certify", sent.id, "f" * 64)]
    things += [("GET", "/v1/acts/{}", act, 4711), ("POST", "/v1/acts/{}/decline", act, 4711)]
    return crowd, [(*thing, stranger) for thing in things] + [(*thing, analyst) for thing in things[-2:]]


def test_a_refusal_for_a_hidden_thing_and_for_an_absent_one_are_the_same_byte_for_byte(hidden, record_property):
    crowd, cases = hidden
    crowd.hub.clock.advance(minutes=-16)
    differing = []
    for method, path, thing, absent, cookie in cases:
        answers, asked = [], []
        crowd.ask("GET", "/v1/submissions", cookie)
        for name in (thing, absent):
            with Statements(crowd.hub.parts.database.engine) as statements:
                answers.append(told(crowd.ask(method, path.format(name), cookie)))
            asked.append(statements.seen)
        if answers[0] != answers[1] or answers[0][0] != 404:
            differing.append((method, path, "answers"))
        if "submissions" in path and asked[0] != asked[1]:
            differing.append((method, path, "statements"))

    record_property("cells", 2 * len(cases))
    assert differing == []
