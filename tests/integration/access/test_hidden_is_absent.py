"""Every route with an identifier in its path, by every caller from whom the thing is hidden: it is as if it were not
there, byte for byte, headers included but for those of the request itself."""

import datetime as dt

import pytest

from hub.audit.tables import SavedSearch
from hub.identity import service
from hub.identity.two_persons import ask_act
from hub.release.tables import ReleaseRow, TableRequestRow, VoiceRow
from policies.principal import Role
from tests.integration.access.conftest import HUB, NOVATO, REED, ROLES
from tests.integration.access.test_routes_by_role import Statements, ask, routes, told

pytestmark = pytest.mark.access
OPEN = {
    "/sign-in/provider/{name}": "the providers stand on the page for signing in",
    "/account/prove/provider/{name}": "the same",
    "/sign-in/provider/{name}/answer": "the same",
    "/v1/log/tile/{path:path}": "the log's tiles are public",
    "/v1/epochs/{number}": "the epochs are for everybody who is signed in, and agents",
    "/v1/epochs/{number}/commitments": "the same",
    "/v1/epochs/{number}/envelopes": "the same",
    "/v1/epochs/{number}/acceptances": "the same",
    "/v1/indicators/{indicator}": "the indicators are public",
    "/v1/agreements/{agreement}": "held by tests/integration/agreements, by party and licensee",
    "/v1/agreements/{agreement}/versions/{number}": "the same",
    "/v1/agreements/{agreement}/versions/{number}/words": "the same",
    "/v1/agreements/{agreement}/versions/{number}/changes": "the same",
}
CALLERS = (*ROLES, "anonymous", "agent", "person of another organisation")
ABSENT = {
    "submission": "f" * 64,
    "act": 4711,
    "token": "f" * 16,
    "session": "f" * 16,
    "search": "nobody's",
    "release": "2020-01-01.9",
}
SEES = {
    "act": {"compliance", "administrator"},
    "table request": {"steward", "compliance", "administrator", "signatory", "person of another organisation"},
    "voice": {"compliance", "steward", "administrator", "signatory", "person of another organisation"},
}
"""Who may see a thing of another's; to everybody else it is absent."""
BODIES = {"approve": b'{"payload_sha256": "%s"}' % (b"0" * 64), "comments": b'{"stance": "support", "text": "Yes."}'}
MEANT = (
    ("/submissions/", "submission"), ("/acts/", "act"), ("/account/tokens/", "token"),
    ("/account/sessions/", "session"), ("/audit/searches/", "search"),
    ("releases/", "release"), ("requests/", "table request"), ("/voices/", "voice"),
)  # fmt: skip


def kind_of(path):
    return next(kind for part, kind in MEANT if part in path)


def with_name(path, name):
    """The path with its first identifier, and any further one naming nothing."""
    return "/".join(
        part if not part.startswith("{") else str(name) if at == path.index("{") else "0" * 64
        for part, at in _parts(path)
    )


def _parts(path):
    at = 0
    for part in path.split("/"):
        yield part, at
        at += len(part) + 1


@pytest.fixture(scope="module")
def world(crowd):
    """A thing of each kind that belongs to people or an organisation whom no caller of the tests is of."""
    hub = crowd.hub
    sent = hub.enrol("kentfield").deliver(range(12))
    asker = crowd.principal(Role.ADMINISTRATOR, name="asker")
    when = hub.clock()
    with hub.database.transaction() as session:
        stranger = service.add_person(
            session, organisation="kentfield", roles=frozenset({Role.PARTNER}), audit=hub.trail
        )
        act = ask_act(
            session, "data.destroy", {"agreement": "DSA-K12"}, organisations=frozenset({"kentfield"}),
            why="The agreement ended.", principal=asker, audit=hub.trail,
        )  # fmt: skip
        token = service.hash_of(service.make_token(session, stranger, agreement="DUL-7", audit=hub.trail))[:16]
        opened = service.open_session(session, stranger, hours=8, audit=hub.trail)
        session.add(SavedSearch(person=f"person:{stranger}", name="nobody's-else", query="R-12"))
        request = TableRequestRow(
            indicator="third-grade-reading", dimensions=["race"], agreement="DUL-7", purpose="tutoring", why="To plan.",
            actor=f"person:{stranger}", organisation="kentfield", requested_at=when, note="",
            comments_until=when + dt.timedelta(days=5), state="open",
        )  # fmt: skip
        voice = VoiceRow(
            indicator="third-grade-reading", speaker="partner", english="Made up.", spanish="", actor="person:x",
            organisation="kentfield", written_at=when, state="waiting", reason="",
        )  # fmt: skip
        waiting = ReleaseRow(
            id="2026-01-01.1", state="pending", prepared_at=when, published_at=None, snapshot="s", catalogue_version=1,
            rules="{}", content_sha256="a" * 64, content=b"{}", shown=1, withheld=0,
        )  # fmt: skip
        session.add_all([request, voice, waiting])
        session.flush()
        things = {
            "submission": sent.id, "act": act, "token": token, "search": "nobody's-else", "release": waiting.id,
            "table request": request.id, "voice": voice.id, "session": service.hash_of(opened.secret)[:16],
        }  # fmt: skip
    return crowd, things


def test_every_route_with_an_identifier_is_tried_or_is_open_with_a_reason():
    named = {path for _, path, _ in routes() if "{" in path}

    assert [path for path in sorted(named - OPEN.keys()) if not any(part in path for part, _ in MEANT)] == []
    assert sorted(OPEN.keys() - named) == []


@pytest.mark.parametrize("who", CALLERS)
def test_what_is_hidden_is_answered_as_what_is_absent(world, who, record_property):
    crowd, things = world
    tried, differing, slower = 0, [], []
    ask(crowd, who, "GET", "/")
    for method, path, _ in routes():
        kind = "" if "{" not in path or path in OPEN else kind_of(path)
        if not kind or who in SEES.get(kind, ()):
            continue
        answers, counts = [], []
        for name in (things[kind], ABSENT.get(kind, 4711)):
            with Statements(crowd.hub.parts.database.engine) as statements:
                answers.append(told(ask(crowd, who, method, with_name(path, name))))
            counts.append(len(statements.seen))
        tried += 2
        if answers[0] != answers[1] or answers[0][0] < 400:
            differing.append((method, path, answers[0][0], answers[1][0]))
        if abs(counts[0] - counts[1]) > 4:
            slower.append((method, path, *counts))

    record_property("cells", tried)
    assert (differing, slower) == ([], [])
    assert tried >= 20


def test_the_places_of_these_tests_are_what_they_say():
    assert with_name("/v1/submissions/{submission}/chunks/{sha256}", "x") == f"/v1/submissions/x/chunks/{'0' * 64}"
    assert "kentfield" not in {HUB, NOVATO, REED}
