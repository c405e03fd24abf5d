"""A small made-up county's counts, released once: what the tests of the way out start from."""

import datetime as dt
import random
from dataclasses import replace

import pytest

import hub.agreements.tables
import hub.audit.tables
import hub.release.tables  # noqa: F401 (declares its tables)
from hub.audit.events import AuditTrail
from hub.db import Database
from hub.release.draft import Draft, Ledger, Proposal, draft_release
from hub.release.service import Release, publish, store_release
from policies.catalogue_files import catalogue
from policies.disclosure.types import DEFAULT_RULES, BaseCell, Block, Dimension, TableDeclaration, Tally
from policies.indicator_files import dimensions

DAY = dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC)
SHARES = {
    "race": (1, 8, 1, 2, 33, 3, 42, 7, 3),
    "economic-status": (4, 6),
    "gender": (48, 50, 1, 1),
    "preschool": (2, 2, 1, 5, 0),
}
PERSONS = 110
YEARS = {
    "kindergarten-readiness": (2023, 2026),
    "third-grade-reading": (2023, 2024, 2025, 2026),
}


def made_up_block(indicator: str, cohort_year: int, *, persons: int = PERSONS) -> Block:
    """Counts of made-up persons; disadvantaged ones reach the outcome less often."""
    rng = random.Random(f"{indicator} {cohort_year}")
    splits = tuple(_dimension(name) for name in catalogue().dimensions(indicator))
    cells: dict[tuple[str, ...], Tally] = {}
    for _ in range(persons):
        levels = tuple(rng.choices(split.levels, SHARES.get(split.name))[0] for split in splits)
        known = rng.random() < 0.95
        reached = known and rng.random() < (0.45 if "disadvantaged" in levels else 0.72)
        cells[levels] = cells.get(levels, Tally(0, 0, 0)) + Tally(1, int(known), int(reached))
    return Block(
        indicator=indicator,
        cohort_year=cohort_year,
        dimensions=splits,
        cells=tuple(BaseCell(levels=levels, tally=tally) for levels, tally in sorted(cells.items())),
        tables=tuple(
            TableDeclaration(name=table.name, dimensions=table.dimensions, priority=table.priority)
            for table in catalogue().tables[indicator]
        ),
    )


def _dimension(name: str) -> Dimension:
    if name == "district":
        return Dimension(
            name=name,
            levels=("novato", "miller-creek", "san-rafael-elementary"),
            parents={"miller-creek": "area-san-rafael", "san-rafael-elementary": "area-san-rafael"},
        )
    found = dimensions()[name]
    return Dimension(name=name, levels=found.leaves, parents=found.parents, linked=found.linked, minimum=found.minimum)


def proposal_of(*blocks: Block) -> Proposal:
    return Proposal(blocks, "snapshot-1", {block.indicator: "1" for block in blocks}, catalogue().version)


@pytest.fixture(scope="session")
def proposal() -> Proposal:
    return proposal_of(*(made_up_block(indicator, year) for indicator, years in YEARS.items() for year in years))


@pytest.fixture(scope="session")
def trail() -> AuditTrail:
    return AuditTrail("tester", "promise-partnership", "request-1", "test", lambda: DAY)


@pytest.fixture
def empty(database: Database) -> Database:
    """A database of each kind without a release."""
    return database


@pytest.fixture(scope="session")
def draft(proposal: Proposal) -> Draft:
    return draft_release(proposal, rules=DEFAULT_RULES, ledger=Ledger({}, {}, "0.0"))


@pytest.fixture
def prepared(empty: Database, draft: Draft, trail: AuditTrail) -> Release:
    with empty.transaction() as session:
        return store_release(session, replace(draft), audit=trail)


@pytest.fixture
def published(empty: Database, prepared: Release, trail: AuditTrail) -> Release:
    with empty.transaction() as session:
        return publish(session, prepared.id, audit=trail)
