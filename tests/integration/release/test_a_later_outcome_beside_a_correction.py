"""A district corrects its submission after a first outcome is final; another outcome of the same children follows, and
everything told is attacked together: by an outsider, by each district with its children then and now, by every two."""

import csv
import datetime as dt
import io
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from hub.audit.events import AuditTrail
from hub.db import Database
from hub.files import analysis_store
from hub.linking.tables import ACCEPTED as RUN_ACCEPTED
from hub.linking.tables import CurrentRun, Link, LinkageRun
from hub.outcomes.service import blocks, newest_snapshot
from hub.release.export import export_published
from hub.release.publishing import declared_tables, prepare_from_facts, publish_prepared
from hub.release.service import ledger
from hub.release.tellings import told_blocks
from hub.settings import Home, Settings
from hub.submissions.tables import REPLACED, Submission
from policies.catalogue_files import Catalogue, catalogue
from policies.disclosure.types import Block
from tests.attacker.attack_release import attack_release
from tests.attacker.release_equations import Dimensions
from tests.bench.coalitions import owned_levels, true_rows
from tests.bench.own_children import own_rows
from tests.integration.outcomes.conftest import Filled, demographics

DAY = dt.datetime(2026, 11, 22, 14, 0, tzinfo=dt.UTC)
YEAR = 2023
GRADUATION, PREPARED = "high-school-graduation", "a-g-completion"
DISTRICTS = {"tamalpais-high": 62, "novato": 50, "san-rafael-high": 40, "shoreline": 16}
RACES = ("500", "600", "700")

Child = dict[str, Any]


@dataclass
class Hub:
    """A hub with one graduating class, and who is in it."""

    filled: Filled
    trail: AuditTrail
    children: dict[str, list[Child]] = field(repr=False)
    runs: int = 0

    def submit(self, provider: str, *, suffix: str = "") -> None:
        """The district's rows as they are now; what it sent before is replaced."""
        database = self.filled.database
        with database.transaction() as session:
            for row in session.query(Submission).filter_by(provider=provider, school_year=YEAR):
                row.state = REPLACED
        rows = [row for child in self.children[provider] for row in facts_of(child)]
        self.filled.accept(provider, "k12", YEAR, rows, suffix=suffix)

    def link(self) -> None:
        """A run over all that is accepted; everybody is one person."""
        from hub.submissions.service import accepted

        self.runs += 1
        with self.filled.database.transaction() as session:
            inputs = [one.submission for one in accepted(session)]
            session.add(
                LinkageRun(
                    version=self.runs, state=RUN_ACCEPTED, inputs=inputs, based_on=None, schema_hash="s", pairs={},
                    quality={}, requested_at=DAY,
                )
            )  # fmt: skip
            session.flush()
            for provider, children in self.children.items():
                names = [child["r"] for child in children]
                session.add_all([Link(run=self.runs, provider=provider, reference=r, person=r) for r in names])
            session.merge(CurrentRun(number=1, run=self.runs))

    def publish(self, *indicators: str) -> None:
        database = self.filled.database
        release = prepare_from_facts(
            database, analysis=self.filled.analysis, catalogue=only(*indicators), audit=self.trail
        )
        publish_prepared(database, release.id, audit=self.trail)

    def told(self) -> tuple[list[dict[str, str]], Mapping[str, Any], list[Any]]:
        """What anybody can hold."""
        with self.filled.database.transaction() as session:
            export = export_published(session, catalogue=catalogue(), audit=self.trail)
        return list(csv.DictReader(io.StringIO(export.cells))), json.loads(export.hierarchies), json.loads(export.links)

    def counted(self) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
        """The blocks of both outcomes as they are counted now, and the first as it was when it became final."""
        database, declared = self.filled.database, declared_tables(only(GRADUATION, PREPARED))
        with database.reading() as session:
            snapshot, known = newest_snapshot(session), ledger(session)
        before = replace(known, cells={key: cells for key, cells in known.cells.items() if key[0] == GRADUATION})
        options = {"analysis": self.filled.analysis, "audit": self.trail}
        now = blocks(database, snapshot, tables=declared, told=known.snapshots, **options)
        then = told_blocks(database, declared=declared, ledger=before, new={(PREPARED, YEAR)}, **options)
        return now, then["final"]


def only(*indicators: str) -> Catalogue:
    """The catalogue with these indicators alone."""
    whole = catalogue()
    return replace(whole, tables={name: whole.tables[name] for name in indicators})


def facts_of(child: Child) -> list[dict[str, Any]]:
    row = {
        "t": "enrollment", "r": child["r"], "school": "2130000", "grade": "12", "enrollment_status": "10",
        "start_date": "2022-08-20", "exit_date": "2023-06-10",
    }  # fmt: skip
    graduated = {"exit_reason": "E230", "completion_status": "100", "uc_csu_met": child["met"]}
    left = {"exit_reason": "E140"}
    told = {**demographics(child["r"], child["gender"]), "race_ethnicity": child["race"]}
    return [{**row, **(graduated if child["graduated"] else left)}, told]


def made_up_class(seed: int) -> dict[str, list[Child]]:
    chance = random.Random(seed)
    found: dict[str, list[Child]] = {}
    for district, size in DISTRICTS.items():
        found[district] = [
            {
                "r": f"{chance.getrandbits(128):032x}", "gender": chance.choice("FM"),
                "race": chance.choices(RACES, (4, 1, 6))[0], "graduated": chance.random() < 0.97,
                "met": "Y" if chance.random() < 0.55 else "N",
            }
            for _ in range(size)
        ]  # fmt: skip
    return found


@pytest.fixture
def hub(home: Path) -> Iterator[Hub]:
    database = Database(Settings(home=home).resolved_database_url())
    trail = AuditTrail("tester", None, "request-1", "test", lambda: DAY)
    made = Hub(Filled(database, analysis_store(Home(home))), trail, made_up_class(7))
    first_year = {"t": "enrollment", "r": "f" * 32, "school": "2130000", "grade": "09", "enrollment_status": "10"}
    gone = {"start_date": "2019-08-20", "exit_date": "2020-01-10", "exit_reason": "T180"}
    made.filled.accept("novato", "k12", YEAR - 3, [{**first_year, **gone}])
    for provider in made.children:
        made.submit(provider)
    made.link()
    made.publish(GRADUATION)
    yield made
    database.close()


def correct(hub: Hub) -> None:
    """A late submission: one had not graduated after all, one had and is new, one had the courses."""
    children = hub.children["tamalpais-high"]
    next(child for child in children if child["graduated"])["graduated"] = False
    next(child for child in reversed(children) if child["met"] == "N" and child["graduated"])["met"] = "Y"
    children.append({"r": "e" * 32, "gender": "F", "race": "600", "graduated": True, "met": "Y"})
    hub.submit("tamalpais-high", suffix="-again")
    hub.link()


def beyond_what_was_told(cells, hierarchies, links, **insider: Any) -> list[dict[str, Any]]:
    """What the attacker finds, but for how many graduated, where the final figures tell it: those are whom the second
    outcome counts."""
    found = attack_release(cells, hierarchies, links=links, **insider)[0]
    names = [name for name in cells[0] if name in hierarchies]

    def levels(row: Mapping[str, str]) -> dict[str, str]:
        return {name: row[name] for name in names if row.get(name, "Total") != "Total"}

    public = [levels(row) for row in cells if row["indicator"] == GRADUATION and row["k"]]
    return [
        item
        for item in found
        if not (item["indicator"] == PREPARED and item["count"] == "n" and levels(item["levels"]) in public)
    ]


@pytest.mark.slow
def test_after_a_correction_another_outcome_of_the_same_children_tells_nobody_more(hub: Hub) -> None:
    first = hub.told()[0]
    correct(hub)
    hub.publish(GRADUATION, PREPARED)

    cells, hierarchies, links = hub.told()
    now, then = hub.counted()
    new = [row for row in cells if row["indicator"] == PREPARED]

    assert [row for row in cells if row["indicator"] == GRADUATION] == first
    assert {row["status"] for row in new} == {"C", "F"}
    assert beyond_what_was_told(cells, hierarchies, links) == []
    dimensions = Dimensions(hierarchies)
    truth = [
        row
        for block in now
        for row in true_rows(block, [one for one in cells if one["indicator"] == block.indicator], dimensions)
    ]
    for who in (*((name,) for name in DISTRICTS), *combinations(sorted(DISTRICTS), 2)):
        own = [{**row, "vintage": ""} for block in now for row in own_rows(block, who)]
        own += [{**row, "vintage": "final"} for block in then for row in own_rows(block, who)]
        insider = {"insider": own, "owned": owned_levels(now, who), "truth": truth}
        assert beyond_what_was_told(cells, hierarchies, links, **insider) == [], who
