"""What an answer could tell beside its numbers: nothing. Over real HTTP, listed in docs/attacks-on-releases.md."""

import csv
import datetime as dt
import io
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
import uvicorn
from sqlalchemy import event, select

from hub.app import create_app
from hub.audit.events import AuditTrail
from hub.audit.service import open_log
from hub.audit.tables import Detail
from hub.db import Base, Database
from hub.http import Hub
from hub.log import Log
from hub.release.charts import dot_chart, dot_row, draw
from hub.release.draft import Draft, Ledger, Proposal, draft_release
from hub.release.export import export_published
from hub.release.service import ledger, publish, release_file, store_release
from hub.release.slices import HIDDEN_REASON, Slice, read_slice
from hub.settings import Home, Settings
from policies.catalogue_files import catalogue
from policies.disclosure.types import BaseCell, Block, Dimension, Rules, TableDeclaration, Tally
from policies.indicator_files import dimensions
from tests.databases import address_of

NOW = dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC)
READING = "third-grade-reading"
BY_RACE = {"indicator": READING, "by": "race"}
SAME = {"white": (7919, 4973), "hispanic": (3307, 1409), "asian": (1213, 811)}
TRUTHS = {
    "one": {**SAME, "filipino": (4, 2), "black": (9, 3)},
    "other": {**SAME, "filipino": (8, 1), "black": (5, 4)},
}
CLIP = re.compile(rb"clip[0-9]+")
PATHS = (
    f"/v1/observations?indicator={READING}&by=race",
    f"/v1/observations?indicator={READING}&by=race&format=csv",
    f"/v1/observations?indicator={READING}&by=race&level=race:filipino",
    f"/v1/observations?indicator={READING}&by=race&labels=true",
    f"/v1/gaps?indicator={READING}",
    "/v1/pathway?cohort=2023",
    "/v1/indicators",
    "/v1/cohorts",
    "/v1/releases",
    "/report",
    f"/explorer?indicator={READING}&by=race",
)


def block_of(counts: dict[str, tuple[int, int]]) -> Block:
    return Block(
        indicator=READING,
        cohort_year=2026,
        dimensions=(Dimension(name="race", levels=dimensions()["race"].leaves),),
        cells=tuple(BaseCell(levels=(level,), tally=Tally(n, n, k)) for level, (n, k) in counts.items()),
        tables=tuple(
            TableDeclaration(name=one.name, dimensions=one.dimensions, priority=one.priority)
            for one in catalogue().tables[READING]
            if set(one.dimensions) <= {"race"}
        ),
        complete=True,
    )


def draft_of(counts: dict[str, tuple[int, int]], known: Ledger | None = None) -> Draft:
    proposal = Proposal((block_of(counts),), "snapshot-1", {READING: "1"}, 1)
    return draft_release(proposal, rules=Rules(), ledger=known or Ledger({}, {}, "0.0"))


@dataclass(frozen=True)
class Asked:
    """A hub that serves one release, and what it wrote to its log."""

    client: httpx.Client
    database: Database
    log: io.StringIO
    trail: AuditTrail


@contextmanager
def serving(folder: Path, draft: Draft) -> Iterator[Asked]:
    folder.mkdir()
    database, log = Database(address_of(folder)), io.StringIO()
    trail = AuditTrail("tester", None, "request-1", "test", lambda: NOW)
    hub = Hub(
        settings=Settings(home=folder, port=0, public_url="http://hub.test"),
        home=Home(folder),
        database=database,
        clock=lambda: NOW,
        log=Log(log),
        facts={},
    )
    app = create_app(hub)
    Base.metadata.create_all(database.engine)
    with database.transaction() as session:
        open_log(session)
        publish(session, store_release(session, draft, audit=trail).id, audit=trail)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        yield Asked(client, database, log, trail)
    server.should_exit = True
    thread.join(5)
    database.close()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with serving(tmp_path_factory.mktemp("one") / "home", draft_of(TRUTHS["one"])) as asked:
        yield asked


def row_of(asked: Asked, race: str) -> dict[str, object]:
    [row] = asked.client.get("/v1/observations", params={**BY_RACE, "level": f"race:{race}"}).json()["rows"]
    return dict(row)


@contextmanager
def statements(asked: Asked) -> Iterator[list[str]]:
    """The statements that the database is given meanwhile."""
    seen: list[str] = []

    def note(connection, cursor, statement, *rest) -> None:
        if "audit_" not in statement:  # the log grows as a tree, by its size alone
            seen.append(statement)

    event.listen(asked.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(asked.database.engine, "before_cursor_execute", note)


def test_two_truths_with_one_release_answer_byte_for_byte_alike(hub: Asked, tmp_path: Path) -> None:
    with serving(tmp_path / "other", draft_of(TRUTHS["other"])) as other:
        pairs = [(hub.client.get(path), other.client.get(path)) for path in PATHS]

    drawn = {"/report", PATHS[-1]}
    for path, (one, another) in zip(PATHS, pairs, strict=True):
        changing = {"date", "x-request-id", *(("content-length",) if path in drawn else ())}
        # The drawing numbers its clips anew with each picture that a process draws.
        assert [CLIP.sub(b"clip", answer.content) for answer in (one, another)].count(
            CLIP.sub(b"clip", one.content)
        ) == 2
        headers = [{n: v for n, v in answer.headers.items() if n not in changing} for answer in (one, another)]
        assert headers[0] == headers[1]


def test_a_hidden_group_and_an_empty_one_are_both_answered_never_refused(hub: Asked) -> None:
    hidden, empty = row_of(hub, "filipino"), row_of(hub, "pacific-islander")

    assert {**hidden, "race": ""} == {**empty, "race": ""}
    assert hidden["status"] == "C"


def test_absent_and_hidden_are_the_same_not_found(hub: Asked) -> None:
    with hub.database.transaction() as session:
        known = ledger(session)
        waiting = store_release(session, draft_of(TRUTHS["one"], known), audit=hub.trail)

    answers = [hub.client.get(f"/v1/releases/{name}") for name in (waiting.id, "2020-01-01.1")]
    asked = [
        hub.client.get("/v1/observations", params={**BY_RACE, "release": name}) for name in (waiting.id, "2020-01-01.1")
    ]

    for one, other in (answers, asked):
        assert one.status_code == other.status_code == 404
        assert one.content == other.content
        assert one.headers["content-length"] == other.headers["content-length"]


def test_a_tag_changes_with_the_release_whether_or_not_a_number_does(tmp_path: Path) -> None:
    with serving(tmp_path / "hub", draft_of(TRUTHS["one"])) as asked:
        first = asked.client.get("/v1/observations", params=BY_RACE)
        with asked.database.transaction() as session:
            again = store_release(session, draft_of(TRUTHS["other"], ledger(session)), audit=asked.trail)
            publish(session, again.id, audit=asked.trail)
        second = asked.client.get("/v1/observations", params=BY_RACE, headers={"If-None-Match": first.headers["etag"]})

    assert second.status_code == 200
    assert second.headers["etag"] != first.headers["etag"]
    assert [{**row, "release": ""} for row in second.json()["rows"]] == [
        {**row, "release": ""} for row in first.json()["rows"]
    ]


def test_rows_stand_in_the_order_of_the_declared_levels_whatever_is_hidden(hub: Asked) -> None:
    rows = hub.client.get("/v1/observations", params=BY_RACE).json()["rows"]

    named = [row["race"] for row in rows]
    assert sorted(named) == sorted(["Total", *dimensions()["race"].leaves])
    assert named == [row["race"] for row in sorted(rows, key=lambda row: named.index(row["race"]))]
    with hub.database.reading() as session:
        stored = read_slice(session, rows[0]["release"], wanted=Slice(READING, "race")).cells
    assert named == [cell.levels["race"] for cell in stored]
    declared = [level for level in named if level != "Total"]
    assert declared == sorted(declared) or declared == list(dimensions()["race"].leaves)


def test_a_hidden_row_has_one_size_whatever_it_hides(hub: Asked) -> None:
    asked = {race: {**BY_RACE, "level": f"race:{race}", "format": "csv"} for race in ("filipino", "black", "asian")}

    sizes = {
        race: len(hub.client.get("/v1/observations", params=params).content) - len(race)
        for race, params in asked.items()
    }

    assert sizes["filipino"] == sizes["black"] != sizes["asian"]


def test_a_hidden_group_has_no_place_in_a_chart(hub: Asked) -> None:
    with hub.database.reading() as session:
        release = hub.client.get("/v1/releases").json()["rows"][-1]["id"]
        cells = read_slice(session, release, wanted=Slice(READING, "race")).cells
    hidden = [cell for cell in cells if cell.hidden]
    drawn = [draw(dot_chart([dot_row(replace(cell, levels={"race": "white"}), split="race")])) for cell in hidden]

    assert len(hidden) > 2
    assert len(set(drawn)) == 1
    rows = [dot_row(cell, split="race") for cell in hidden]
    assert {(row.rate, row.low, row.high) for row in rows} == {(None, None, None)}


def test_log_and_audit_name_no_number_of_an_answer(hub: Asked) -> None:
    for path in PATHS:
        hub.client.get(path)

    with hub.database.reading() as session:
        details = session.scalars(select(Detail)).all()
        written = hub.log.getvalue() + json.dumps(
            [{column.name: str(getattr(one, column.key)) for column in Detail.__table__.columns} for one in details]
        )
    numbers = {str(number) for pair in SAME.values() for number in pair}
    assert any(number in hub.client.get(PATHS[0]).text for number in numbers)
    assert not [number for number in numbers if re.search(rf"\b{number}\b", written)]


def test_a_refusal_is_decided_before_any_cell_is_read(hub: Asked) -> None:
    refused = [
        {**BY_RACE, "by": "preschool"},
        {**BY_RACE, "by": "shoe-size"},
        {**BY_RACE, "by": "race,gender,district,preschool"},
        {**BY_RACE, "cohort": "2099"},
        {**BY_RACE, "agreement": "DUL-NONE", "purpose": "none"},
    ]

    for params in refused:
        with statements(hub) as seen:
            answer = hub.client.get("/v1/observations", params=params)

        assert answer.status_code in (403, 422)
        assert not [one for one in seen if "released_cells" in one or "releases" in one.replace("table_requests", "")]


def test_hidden_and_shown_answers_take_the_same_statements(hub: Asked) -> None:
    taken = []
    for race in ("white", "filipino", "pacific-islander"):
        with statements(hub) as seen:
            row_of(hub, race)
        taken.append(seen)

    shown, *hidden = taken
    # A note on what is hidden reads the coarser public table too; it hangs on what is public.
    assert hidden[0] == hidden[1]
    assert set(shown) <= set(hidden[0])


def test_every_withheld_cell_has_one_status_and_reason_in_every_format(hub: Asked) -> None:
    told = hub.client.get("/v1/observations", params=BY_RACE).json()
    release = told["rows"][0]["release"]
    hidden = [row for row in told["rows"] if row["status"] == "C"]
    numbers = ("n", "known", "k", "rate", "rate_low", "rate_high", "coverage_low", "coverage_high")
    as_csv = list(csv.DictReader(io.StringIO(hub.client.get(PATHS[1]).text)))
    with hub.database.transaction() as session:
        export = export_published(session, catalogue=catalogue(), audit=hub.trail)
        content = json.loads(release_file(session, release))
    exported = [row for row in csv.DictReader(io.StringIO(export.cells)) if row["status"] == "C"]
    page = hub.client.get(PATHS[-1]).text

    assert len(hidden) > 2
    assert {(row["status"], row["status_reason"], *(row[n] for n in numbers)) for row in hidden} == {
        ("C", HIDDEN_REASON, *[None] * 8)
    }
    assert {
        (row["status"], row["status_reason"], *(row[n] for n in numbers)) for row in as_csv if not row["known"]
    } == {("C", HIDDEN_REASON, *[""] * 8)}
    told_of = ("n", "k", "rate", "rate_low", "rate_high", "persons", "status_reason")
    assert {tuple(row[n] for n in told_of) for row in exported} == {("",) * 6 + (HIDDEN_REASON,)}
    assert {
        tuple(sorted(cell.keys() - {"levels", "table", "vintage"}))
        for block in content["blocks"]
        for cell in block["cells"]
        if cell["status"] == "C"
    } == {("status", "status_reason")}
    assert page.count(f'<td colspan="3" class="hidden">{HIDDEN_REASON}</td>') == len(hidden)
