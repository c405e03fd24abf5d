"""A requested table: what it would cost, who decides when, and how it joins blocks that are final without a change."""

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.audit.events import AuditTrail
from hub.audit.tables import Detail
from hub.db import Database
from hub.errors import Conflict, Refused
from hub.jobs import Job, Ticket
from hub.release.asking import Asker
from hub.release.export import export_published
from hub.release.publishing import declared_tables, prepare_from_facts, prepare_provisional, publish_prepared
from hub.release.requests import service
from hub.release.requests.cost import NOTHING_COUNTED, cost_job, work_out
from hub.release.service import ledger, release_file
from hub.release.slices import Slice, cohort_years, read_slice
from hub.release.tellings import told_blocks
from hub.settings import Home, Settings
from policies.agreements import read_agreement
from policies.catalogue_files import catalogue
from policies.principal import Principal, Role
from tests.attacker.attack_release import attack_release
from tests.integration.outcomes.conftest import demographics, score
from tests.integration.release.test_refreshing import PEOPLE, START, Road

READING = "third-grade-reading"
SPLIT = ("gender", "race")
LICENCE = read_agreement("""
id: DUL-WIDE
tier: DUL
version: 1
title: A wider licence
parties: [{organisation: canal-alliance, role: licensee, authority: CBO}]
legal_basis: [public-record]
purposes: [{id: tutoring, text: Plan tutoring., activity: Ask for aggregates.}]
outputs: {indicators: [third-grade-reading], dimensions: [gender, race], max_dimensions: 2}
retention: {effective: 2026-07-01, expires: 2030-06-30, destroy_within_days: 90}
""")
PARTNER = Principal("person:1", frozenset({Role.PARTNER}), "canal-alliance")
OFFICER = Principal("person:2", frozenset({Role.COMPLIANCE}), "promise-partnership")
BOTH = Principal("person:1", frozenset({Role.COMPLIANCE}), "promise-partnership")


class Desk:
    """The road of a small hub, and the acts of a request on it."""

    def __init__(self, road: Road) -> None:
        self.road, self.database, self.analysis = road, road.database, road.filled.analysis
        self.trail = AuditTrail("tester", None, "request-1", "test", lambda: self.road.now)

    def asker(self, principal: Principal) -> Asker:
        return Asker(principal, "DUL-WIDE", "tutoring", [LICENCE], self.road.now.date())

    def fill(self) -> None:
        """Children of two groups, linked and released once for good."""
        rows = []
        for number in range(PEOPLE):
            name = f"{number:032x}"
            race = "600" if number % 5 else "700"
            rows += [score(name, "3" if number % 3 else "1")]
            rows += [{**demographics(name, "FM"[number % 2]), "race_ethnicity": race}]
        self.road.filled.accept("novato", "k12", 2023, rows)
        self.road.ask()
        self.road.now += dt.timedelta(hours=2)
        self.road.step()
        self.road.resolve(1)

    def accept_run(self) -> None:
        from hub.linking.service import accept_run

        with self.database.transaction() as session:
            accept_run(session, 1, audit=self.trail)

    def publish(self) -> str:
        release = prepare_from_facts(self.database, analysis=self.analysis, catalogue=catalogue(), audit=self.trail)
        return publish_prepared(self.database, release.id, audit=self.trail).id

    def ask(self, by: tuple[str, ...] = SPLIT) -> int:
        with self.database.transaction() as session:
            wanted = service.WantedTable(READING, by, "Plan where.")
            asked = service.request_table(
                session, wanted, catalogue=catalogue(), asker=self.asker(PARTNER), audit=self.trail
            )
        return asked.id

    def decide(self, act, number: int, principal: Principal = OFFICER):
        with self.database.transaction() as session:
            return act(
                session, number, "As discussed.", catalogue=catalogue(), asker=self.asker(principal), audit=self.trail
            )

    def cost(self, number: int):
        return work_out(self.database, number, analysis=self.analysis, catalogue=catalogue(), audit=self.trail)

    def cells(self, release: str, table: str):
        with self.database.reading() as session:
            return read_slice(session, release, wanted=Slice(READING, table)).cells

    def events(self) -> list[str]:
        with self.database.reading() as session:
            return [row.event for row in session.scalars(select(Detail).order_by(Detail.sequence))]


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    database = Database(Settings(home=home).resolved_database_url())
    yield Desk(Road(database, Home(home)))
    database.close()


@pytest.fixture
def released(desk: Desk) -> tuple[Desk, str]:
    desk.fill()
    desk.accept_run()
    return desk, desk.publish()


def approve(desk: Desk, number: int) -> None:
    found = desk.cost(number)
    with desk.database.transaction() as session:
        service.record_cost(session, number, found, audit=desk.trail)
    desk.road.now += dt.timedelta(days=5)
    desk.decide(service.approve_request, number)


def test_a_table_is_approved_after_comments_with_its_cost_and_never_by_who_asked(released: tuple[Desk, str]) -> None:
    desk, _ = released
    number = desk.ask()

    with pytest.raises(Conflict) as early:
        desk.decide(service.approve_request, number)
    desk.road.now += dt.timedelta(days=5)
    with pytest.raises(Conflict) as uncosted:
        desk.decide(service.approve_request, number)
    with pytest.raises(Refused) as own:
        desk.decide(service.approve_request, number, BOTH)
    with pytest.raises(Conflict) as late, desk.database.transaction() as session:
        service.comment_on(
            session, number, "support", "Too late.", catalogue=catalogue(),
            asker=replace(desk.asker(Principal("person:3", frozenset({Role.COMPLIANCE, Role.STEWARD})))),
            audit=desk.trail,
        )  # fmt: skip

    assert [one.value.code for one in (early, uncosted, own, late)] == [
        "request-open", "request-uncosted", "own-request", "request-closed",
    ]  # fmt: skip


def test_the_officer_alone_sees_what_the_table_would_cost_the_others(released: tuple[Desk, str]) -> None:
    desk, _ = released
    number = desk.ask()

    with desk.database.transaction() as session:
        job = session.scalars(select(Job).where(Job.kind == service.COST).order_by(Job.id)).first()
        ticket = Ticket(job.id, job.kind, job.key, job.payload, 1)
    work = cost_job(desk.database, clock=lambda: desk.road.now, analysis=desk.analysis, catalogue=catalogue())
    outcome = work(ticket)
    with desk.database.transaction() as session:
        outcome.write(session)
    with desk.database.transaction() as session:
        by_officer, by_partner = (
            service.read_request(session, number, catalogue=catalogue(), asker=desk.asker(who), audit=desk.trail)
            for who in (OFFICER, PARTNER)
        )

    assert by_partner.cost is None
    assert by_officer.cost is not None
    assert by_officer.cost["table"]["table"] == "gender-by-race"
    assert by_officer.cost["table"]["cells"] == 50
    assert {row["table"] for row in by_officer.cost["others"]} >= {"total", "race", "gender", "preschool"}
    assert by_officer.cost["years"] == [2023]
    assert "table.costed" in desk.events()


def test_a_cost_is_not_worked_out_before_anything_is_linked_nor_after_a_decision(desk: Desk) -> None:
    number = desk.ask()
    before = desk.cost(number)
    desk.decide(service.decline_request, number)

    assert before == NOTHING_COUNTED
    assert desk.cost(number) is None


def test_an_approved_table_joins_a_final_block_from_its_own_snapshot_and_nothing_else_changes(
    released: tuple[Desk, str],
) -> None:
    desk, first = released
    approve(desk, desk.ask())
    before = {table: desk.cells(first, table) for table in ("total", "race", "gender")}
    # What comes in later is not seen by the table: the cohort is frozen.
    desk.road.filled.accept("kentfield", "k12", 2024, [score("f" * 32, "3")])
    with desk.database.transaction() as session:
        from hub.linking.tables import LinkageRun
        from hub.submissions.service import accepted

        session.get_one(LinkageRun, 1).inputs = [one.submission for one in accepted(session)]

    second = desk.publish()

    joined = desk.cells(second, "gender-by-race")
    assert {(cell.cohort_year, cell.vintage) for cell in joined} == {(2023, "final-2"), (2024, "final")}
    assert [c.known for c in joined if set(c.levels.values()) == {"Total"}] == [PEOPLE, None]
    assert desk.cells(first, "gender-by-race") == ()
    assert {table: desk.cells(first, table) for table in before} == before
    assert {t: [c for c in desk.cells(second, t) if c.cohort_year == 2023] for t in before} == {
        t: list(cells) for t, cells in before.items()
    }
    with desk.database.transaction() as session:
        asked = service.catalogue_to_ask(session, catalogue())
        request = service.list_requests(session, catalogue=asked, asker=desk.asker(OFFICER), audit=desk.trail)[0]
        export = export_published(session, catalogue=catalogue(), audit=desk.trail)
        told = json.loads(release_file(session, second))
        years = cohort_years(session, second)
        final = ledger(session)
    assert (request.state, request.joined_release) == ("joined", second)
    assert asked.table_split_by(READING, dimensions=("race", "gender")).audience == "partner"
    assert desk.events().count("table.approved") == 1
    assert desk.events()[-5:].count("table.joined") == 1
    assert years[READING] == (2023, 2024)
    rows = list(csv.DictReader(io.StringIO(export.cells)))
    assert {row["recipient_class"] for row in rows if row["table"] == "gender-by-race"} == {"partner"}
    assert attack_release(rows, json.loads(export.hierarchies), links=json.loads(export.links))[1]["recovered"] == 0
    block = next(one for one in told["blocks"] if (one["indicator"], one["cohort_year"]) == (READING, 2023))
    assert "gender-by-race" in {table["name"] for table in block["equations"]["tables"]}
    assert final.vintages[READING, 2023] == 2
    assert "gender-by-race" in final.structures[READING, 2023].tables

    third = desk.publish()

    assert desk.cells(third, "gender-by-race") == joined


def test_what_each_provider_knew_when_figures_became_final_is_counted_from_their_own_snapshot(
    released: tuple[Desk, str],
) -> None:
    desk, _ = released
    desk.road.filled.accept("kentfield", "k12", 2023, [score("f" * 32, "3")])
    with desk.database.reading() as session:
        everything = ledger(session)
    later = (f"{READING}-settled", 2023)
    told = replace(everything, cells={key: cells for key, cells in everything.cells.items() if key != later})
    declared = declared_tables(catalogue())

    def counted(*new: tuple[str, int]):
        return told_blocks(
            desk.database, analysis=desk.analysis, declared=declared, ledger=told, new=new, audit=desk.trail
        )

    then = counted(later)

    assert list(then) == ["final"]
    assert {(block.indicator, block.cohort_year) for block in then["final"]} == {
        (READING, 2023), (f"{READING}-linked", 2023),
    }  # fmt: skip
    [reading] = [block for block in then["final"] if block.indicator == READING]
    assert sum(cell.tally.n for cell in reading.cells) == PEOPLE
    assert {name for cell in reading.cells for name in cell.provider_counts} == {"novato"}
    assert counted(("kindergarten-readiness", 2023)) == {}


def test_a_provisional_release_leaves_final_blocks_alone(released: tuple[Desk, str]) -> None:
    desk, _ = released
    approve(desk, desk.ask())

    told = prepare_provisional(desk.database, analysis=desk.analysis, catalogue=catalogue(), audit=desk.trail)

    assert told is None


def test_a_table_joins_no_block_whose_definition_or_hierarchy_has_changed(released: tuple[Desk, str]) -> None:
    from hub.release.joining import joining_blocks
    from hub.release.publishing import declared_tables

    desk, _ = released
    approve(desk, desk.ask())
    with desk.database.reading() as session:
        known = ledger(session)
        declared = declared_tables(service.catalogue_to_count(session, catalogue()))
    key = (READING, 2023)
    structure = known.structures[key]
    equations = json.loads(structure.equations)
    equations["dimensions"][0]["levels"].append("zzq")
    changes = [
        known,
        replace(known, structures={**known.structures, key: replace(structure, definition_version="0")}),
        replace(known, structures={**known.structures, key: replace(structure, equations=json.dumps(equations))}),
        replace(known, snapshots={**known.snapshots, key: "no such snapshot"}),
    ]

    found = [
        joining_blocks(
            desk.database, analysis=desk.analysis, declared=declared, ledger=one, counted=(), audit=desk.trail
        )
        for one in changes
    ]

    assert [bool(blocks) for blocks in found] == [True, False, False, False]


def test_the_officer_has_the_release_measured_beside_simpler_ways(released: tuple[Desk, str], tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from hub.release.commands import app

    desk, _ = released
    home = str(desk.road.home)

    done = CliRunner().invoke(app, ["quality", "--home", home, "--summary", str(tmp_path / "quality.json")])

    figures = json.loads((tmp_path / "quality.json").read_text("utf-8"))
    assert done.exit_code == 0
    assert done.output.splitlines()[1].startswith("ours")
    assert [one["method"] for one in figures["methods"]] == ["ours", "primary only", "rounded to five", "cell key"]
    assert figures["methods"][0]["given_away"] == 0
    assert next(one for one in figures["tables"] if one["name"] == "total")["ours"] >= 1


def test_nothing_is_measured_before_a_release(desk: Desk) -> None:
    from hub.release.measuring import measure_release

    with pytest.raises(Conflict) as refused:
        measure_release(desk.database, analysis=desk.analysis, catalogue=catalogue(), audit=desk.trail)

    assert refused.value.code == "nothing-measured"


def test_the_operator_sees_what_waits_and_can_have_the_cost_worked_out(desk: Desk) -> None:
    from typer.testing import CliRunner

    from hub.release.commands import app

    home = str(desk.road.home)
    runs = [CliRunner().invoke(app, [word, "--home", home]).output for word in ("requests", "cost")]
    number = desk.ask()
    runs += [CliRunner().invoke(app, [word, "--home", home]).output for word in ("requests", "cost")]

    assert runs[:2] == ["No request waits.\n", "0 requests worked out.\n"]
    assert runs[2].startswith(f"{number}  third-grade-reading by gender, race\n")
    assert runs[3] == "1 requests worked out.\n"
    assert desk.road.now >= START
