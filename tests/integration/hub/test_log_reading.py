"""The officer's reading: search, facets, kept questions, exports with proof, watch, check, reconciliation."""

import datetime as dt
import json

import numpy as np
import pytest
from sqlalchemy import delete, update

from hub.audit.answers import AnswerBook, reconcile
from hub.audit.columns import LogIndex, out_of_hours
from hub.audit.events import AuditTrail, EventType
from hub.audit.export import export_log
from hub.audit.service import append
from hub.audit.signer import signer_of
from hub.audit.tables import Detail, Head
from hub.audit.watch import at_night, dormant, unusual
from hub.audit.words import LogQuery, Term, read_query
from hub.errors import Invalid
from policies.principal import Role
from policies.translog.bundle import Trust, verify_bundle, verify_selection
from policies.translog.note import read_vkey


def tell(database, clock, events):
    """Events of (actor, organisation, event, resource), one after another."""
    for actor, organisation, event, resource in events:
        trail = AuditTrail(actor, organisation, f"request-{resource}", "GET /x", clock, agreement="DUL-7")
        with database.transaction() as session:
            append(session, trail, event, resource=resource, decision="permitted")


EVENTS = [
    ("person:a", "novato", EventType.PAGE_READ, "page:1"),
    ("person:a", "novato", EventType.QUERY_ANSWERED, "observations/Reading/race"),
    ("person:b", "reed", EventType.QUERY_ANSWERED, "observations/math/race"),
    ("refresh", None, EventType.RELEASE_PUBLISHED, "release/1"),
    ("person:b", "reed", EventType.REQUEST_REFUSED, "submission:77"),
]


@pytest.fixture
def index(database, clock):
    tell(database, clock, EVENTS)
    made = LogIndex()
    with database.reading() as session:
        made.follow(session)
    return made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (4, 3, 2, 1, 0)), ("event:query.answered", (2, 1)), ("event:re*", (4, 3)), ("district:novato", (1, 0)),
        ("-actor:person:a -refresh", (4, 2)), ("READING", (1,)), ("race math", (2,)), ('"observations/math"', (2,)),
        ("submission:77", (4,)), ("nothing", ()), ("event:nothing", ()), ("agreement:DUL-7 resource:page:1", (0,)),
        ("on:2026-11-22", (4, 3, 2, 1, 0)), ("before:2026-11-22", ()), ("after:2026-11-23", ()),
        ("hours:out page", (0,)),
    ],
)  # fmt: skip
def test_questions_find_their_events_newest_first(index, text, expected):
    assert index.search(read_query(text), own=None, limit=10).sequences == expected


def test_facets_count_what_was_found_and_pages_go_on_below(index):
    found = index.search(LogQuery(), own=Term("organisation", "reed", False), below=4, limit=1)

    assert (found.total, found.sequences) == (2, (2,))
    assert found.facets["event"] == [("query.answered", 1), ("request.refused", 1)]
    assert found.facets["organisation"] == [("reed", 2)]


def test_columns_that_are_not_shown_are_not_searched(index):
    found = index.search(read_query("Reading"), own=None, columns=("event",), limit=10)
    asked = index.search(LogQuery((Term("actor", "person:a", False),)), own=None, columns=("event",), limit=10)

    assert (found.total, asked.total, list(found.facets)) == (0, 0, ["event"])


def test_the_index_follows_the_log_and_begins_again_when_the_log_is_shorter(index, database, clock):
    tell(database, clock, EVENTS[:1] * 1100)
    with database.reading() as session:
        grown = index.follow(session)
    with database.transaction() as session:
        session.execute(update(Head).values(size=2))
        session.execute(delete(Detail).where(Detail.sequence >= 2))
    with database.reading() as session:
        shorter = index.follow(session)

    assert (grown, shorter) == (1105, 2)
    assert index.search(LogQuery(), own=None, limit=9).sequences == (1, 0)


@pytest.mark.parametrize("text", ["colour:red", "after:tomorrow", "x" * 401, "a " * 31])
def test_a_question_that_cannot_be_read_says_what_may_be_asked(text):
    with pytest.raises(Invalid) as refused:
        read_query(text)

    assert refused.value.code == "search-wrong"
    assert refused.value.next_step


def test_hours_are_those_of_the_partnership():
    times = [
        dt.datetime(2026, 11, 20, 18, 0, tzinfo=dt.UTC),  # Friday 10 in the morning
        dt.datetime(2026, 11, 20, 14, 59, tzinfo=dt.UTC),  # Friday before 7
        dt.datetime(2026, 7, 1, 14, 0, tzinfo=dt.UTC),  # Wednesday 7 in summer
        dt.datetime(2026, 11, 21, 18, 0, tzinfo=dt.UTC),  # Saturday
    ]

    found = out_of_hours(np.array([int(at.timestamp()) for at in times]))

    assert found.tolist() == [False, True, False, True]


def test_unused_access_night_work_and_unusual_days_are_noticed(database, clock):
    clock.now = dt.datetime(2026, 11, 2, 18, 0, tzinfo=dt.UTC)
    for _ in range(5):
        tell(database, clock, [EVENTS[1]] * 4)
        clock.advance(days=1)
    clock.now = dt.datetime(2026, 11, 19, 6, 0, tzinfo=dt.UTC)
    tell(database, clock, [EVENTS[1]] * 60)
    index = LogIndex()
    with database.reading() as session:
        index.follow(session)
    now = clock() + dt.timedelta(hours=2)

    present = {"person:a": now - dt.timedelta(days=200), "person:gone": now - dt.timedelta(days=91)}
    assert [(one.actor, one.count) for one in dormant(index, present, now=now)] == [("person:gone", 91)]
    assert [(one.actor, one.count) for one in at_night(index, now=now)] == [("person:a", 60)]
    assert [(one.actor, one.count, str(one.day)) for one in unusual(index, now=now)] == [("person:a", 60, "2026-11-18")]
    later = now + dt.timedelta(days=100)
    assert [one.actor for one in dormant(index, present, now=later)] == ["person:a", "person:gone"]


def officer(hub, role=Role.COMPLIANCE, organisation="promise-partnership"):
    cookie = hub.sign_in(organisation, role)

    def ask(method, path, **how):
        answer = hub.client.request(method, path, headers={"cookie": cookie}, **how)
        hub.client.cookies.clear()
        return answer

    return ask


def sign(hub):
    signer = signer_of(hub.settings, clock=hub.clock)
    signer.sign()
    signer.database.close()


def test_the_officer_searches_by_the_api_and_takes_an_export_that_proves_itself(sqlite_hub):
    ask = officer(sqlite_hub)
    sign(sqlite_hub)

    found = ask("GET", "/v1/audit/events", params={"q": "event:agreement.loaded", "limit": 2}).json()
    exported = ask("GET", "/v1/audit/export", params={"q": "event:agreement.loaded"})
    table = ask("GET", "/v1/audit/export", params={"q": "event:agreement.loaded", "format": "csv"}).text

    log = read_vkey(sqlite_hub.facts["log_verifier"])
    verdict = verify_selection(exported.content, Trust(log))
    assert (len(found["lines"]), found["total"]) == (2, verdict.events)
    assert found["facets"]["event"] == [["agreement.loaded", found["total"]]]
    assert (verdict.whole, verdict.events) == (True, len(table.splitlines()) - 1)
    assert sqlite_hub.events()[-2:] == ["audit.exported", "audit.exported"]


def test_a_request_is_found_by_its_id(sqlite_hub):
    ask = officer(sqlite_hub)
    name = sqlite_hub.client.get("/v1/indicators").headers["x-request-id"]

    found = ask("GET", "/v1/audit/events", params={"q": f"request:{name}"}).json()

    assert [line["event"] for line in found["lines"]] == ["catalogue.read"]


def test_each_role_reads_its_part_of_the_log_and_no_more(sqlite_hub):
    sqlite_hub.enrol("novato").deliver(range(12))
    steward = officer(sqlite_hub, Role.STEWARD, "novato")
    analyst = officer(sqlite_hub, Role.PARTNER, "canal-alliance")
    administrator = officer(sqlite_hub, Role.ADMINISTRATOR)

    own = steward("GET", "/v1/audit/events", params={"limit": 500}).json()
    acts = analyst("GET", "/v1/audit/events").json()
    metadata = administrator("GET", "/v1/audit/events").json()

    assert {line["organisation"] for line in own["lines"]} == {"novato"}
    assert {line["actor"] for line in acts["lines"]} <= {acts["lines"][0]["actor"]} if acts["lines"] else True
    assert {line["resource"] + line["actor"] + line["rule"] for line in metadata["lines"]} == {""}
    assert set(metadata["facets"]) == {"event", "decision"}
    assert administrator("GET", "/v1/audit/events", params={"q": "actor:person:a"}).json()["code"] == "search-hidden"
    assert administrator("GET", "/v1/audit/export").status_code == 403
    assert steward("GET", "/v1/audit/watch").status_code == 403


def test_questions_are_kept_by_name_for_who_kept_them(sqlite_hub):
    ask, other = officer(sqlite_hub), officer(sqlite_hub)

    kept = ask("PUT", "/v1/audit/searches/mine", content=json.dumps({"query": "decision:refused"}))
    again = ask("PUT", "/v1/audit/searches/mine", content=json.dumps({"query": "rule:R-12"}))
    wrong = ask("PUT", "/v1/audit/searches/mine", content=b"[]")
    own = ask("GET", "/v1/audit/searches").json()["searches"]
    page = ask("GET", "/access-log").text
    theirs = other("GET", "/v1/audit/searches").json()["searches"]
    removed = ask("DELETE", "/v1/audit/searches/mine")

    assert (kept.status_code, again.status_code, wrong.status_code, removed.status_code) == (204, 204, 422, 204)
    assert {"name": "mine", "query": "rule:R-12"} in own
    assert "mine" in page
    assert {"name": "mine", "query": "rule:R-12"} not in theirs
    assert ask("DELETE", "/v1/audit/searches/mine").status_code == 404
    assert sqlite_hub.events().count("search.saved") == 2


def test_the_page_keeps_and_forgets_questions_by_forms(sqlite_hub):
    ask = officer(sqlite_hub)

    kept = ask("POST", "/access-log/searches", content="name=night&q=hours%3Aout")
    named = "night" in ask("GET", "/access-log").text
    ask("POST", "/access-log/searches", content="name=night&remove=1")
    nameless = ask("POST", "/access-log/searches", content="q=x")

    assert (kept.status_code, named, nameless.status_code) == (303, True, 422)
    assert '"night"' not in ask("GET", "/v1/audit/searches").text


def test_a_question_that_cannot_be_read_is_told_on_the_page(sqlite_hub):
    answer = officer(sqlite_hub)("GET", "/access-log", params={"q": "colour:red"})

    assert answer.status_code == 422
    assert "Use one of: event" in answer.text


def test_the_officer_checks_the_whole_log_by_one_button(sqlite_hub):
    ask = officer(sqlite_hub)
    unsigned = ask("POST", "/v1/audit/verify").json()
    sign(sqlite_hub)

    whole = ask("POST", "/access-log/check").text
    with sqlite_hub.database.transaction() as session:
        session.execute(update(Detail).where(Detail.sequence == 3).values(actor="person:other"))
    changed = ask("POST", "/v1/audit/verify").json()

    assert unsigned["whole"] is None
    assert "Yes:" in whole
    assert (changed["whole"], changed["first_bad"]) == (False, 3)
    assert sqlite_hub.events().count("audit.verified") == 3


def test_the_watch_is_read_by_the_officer(sqlite_hub):
    assert officer(sqlite_hub)("GET", "/v1/audit/watch").json()["events"] > 0


def test_an_exported_log_is_verified_without_the_hub(sqlite_hub, tmp_path):
    sign(sqlite_hub)
    log = read_vkey(sqlite_hub.facts["log_verifier"])
    with (tmp_path / "bundle").open("wb") as file, sqlite_hub.database.transaction() as session:
        count = export_log(session, file, origin=log.name, audit=sqlite_hub.trail)

    with (tmp_path / "bundle").open("rb") as file:
        verdict = verify_bundle(file, Trust(log))

    assert (verdict.whole, verdict.events) == (True, count)


def test_every_answer_stands_in_the_book_and_one_without_its_event_is_found(sqlite_hub):
    ask = officer(sqlite_hub)
    for path in ("/v1/ready", "/v1/indicators", "/v1/nowhere", "/static/hub.css", "/v1/openapi.json"):
        sqlite_hub.client.get(path)
    ask("GET", "/access-log")
    sqlite_hub.client.get("/v1/submissions")
    with sqlite_hub.database.transaction() as session:
        before = reconcile(session, sqlite_hub.home.answers, audit=sqlite_hub.trail)
    AnswerBook(sqlite_hub.home.answers, clock=sqlite_hub.clock).note("abc", route="/v1/observations", status=200)
    AnswerBook(sqlite_hub.home.answers, clock=sqlite_hub.clock).note("def", route="/v1/observations", status=503)

    with sqlite_hub.database.transaction() as session:
        after = reconcile(session, sqlite_hub.home.answers, audit=sqlite_hub.trail)

    assert (before.unlogged, after.unlogged) == ((), ("abc",))
    assert before.answers >= 4
