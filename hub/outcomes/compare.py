"""Compares the outcomes counted from linked facts with a known truth, on made-up people only.

Each cohort is counted three times: as the truth says, from the facts under the true links, and from the facts under
the links that hold. The first two differ by what the definitions see, the last two by the linkage alone. Counts come
out, no record does.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.db import Database
from hub.errors import Invalid
from hub.files import AnalysisStore
from hub.linking.service import current_links
from hub.outcomes.counting import CellKey, count_split
from hub.outcomes.rows import open_counter
from hub.outcomes.service import submitted_facts
from hub.outcomes.snapshot import PersonLinks, linked_tables, read_lines
from hub.submissions.agreed import agreed
from policies.disclosure.types import Tally
from policies.indicator_files import indicators
from policies.organisation_files import organisations
from policies.pseudonyms import pseudonyms

OUTCOME_COLUMNS = ("indicator", "cohort_year", "person", "outcome", "race", "gender", "ses")
REFERENCE_COLUMNS = ("provider", "record_reference", "person")
SPLITS = {"race": "race", "gender": "gender", "ses": "economic-status"}
ROW_COLUMNS = ("indicator", "cohort_year", "outcome", *SPLITS)
ALL = "all"
NOBODY = Tally(0, 0, 0)


@dataclass(frozen=True, order=True)
class Cell:
    """A cohort of one indicator, or the part of it that has one level of one dimension."""

    indicator: str
    cohort_year: int
    group: str = ALL


@dataclass(frozen=True)
class Compared:
    """One cell counted three times."""

    cell: Cell
    truth: Tally
    true_links: Tally
    linked: Tally


def compare_outcomes(
    database: Database, *, analysis: AnalysisStore, truth: Path, references: Path, audit: AuditTrail
) -> tuple[Compared, ...]:
    """Every cell that the truth or the hub counts, in order; raises Invalid when a file lacks a column."""
    true = read_outcomes(truth)
    known = read_references(references)
    with database.reading() as session:
        links = current_links(session)
        submissions = agreed(session, day=audit.clock().date())
    lines = read_lines(submitted_facts(submissions, analysis=analysis))
    under_truth = _counted(lines, links=known)
    under_hub = _counted(lines, links=PersonLinks(links.provider, links.reference, links.person))
    with database.transaction() as session:
        append(
            session,
            audit,
            EventType.OUTCOMES_COMPARED,
            resource=f"linkage:{links.version}",
            counts={"submissions": len(submissions)},
        )
    cells = sorted({*true, *under_truth, *under_hub})
    return tuple(
        Compared(cell, true.get(cell, NOBODY), under_truth.get(cell, NOBODY), under_hub.get(cell, NOBODY))
        for cell in cells
    )


def read_outcomes(path: Path) -> dict[Cell, Tally]:
    """The truth's own counts, from one row a person and cohort."""
    rows = Counter(tuple(row[column] for column in ROW_COLUMNS) for row in _rows(path, OUTCOME_COLUMNS))
    tallies: dict[Cell, Tally] = {}
    for (indicator, cohort_year, outcome, *levels), n in rows.items():
        tally = Tally(n, n if outcome != "unknown" else 0, n if outcome == "yes" else 0)
        for group in [ALL, *(f"{split}={level}" for split, level in zip(SPLITS.values(), levels, strict=True))]:
            cell = Cell(indicator, int(cohort_year), group)
            tallies[cell] = tallies.get(cell, NOBODY) + tally
    return tallies


def read_references(path: Path) -> PersonLinks:
    """The true links."""
    rows = list(_rows(path, REFERENCE_COLUMNS))
    return PersonLinks(
        [row["provider"] for row in rows], [row["record_reference"] for row in rows], [row["person"] for row in rows]
    )


def summary(compared: Iterable[Compared]) -> list[dict[str, object]]:
    """One row a cell, for a file: n, known, k of each count and the rates in per cent."""
    return [
        {
            "indicator": one.cell.indicator,
            "cohort_year": one.cell.cohort_year,
            "group": one.cell.group,
            **_columns("truth", one.truth),
            **_columns("true_links", one.true_links),
            **_columns("linked", one.linked),
        }
        for one in compared
    ]


def totals(compared: Iterable[Compared]) -> dict[str, Compared]:
    """Each indicator over all its cohorts, in the order of the road."""
    found: dict[str, Compared] = {}
    for one in compared:
        if one.cell.group == ALL:
            before = found.get(one.cell.indicator, Compared(Cell(one.cell.indicator, 0), NOBODY, NOBODY, NOBODY))
            found[one.cell.indicator] = Compared(
                before.cell,
                before.truth + one.truth,
                before.true_links + one.true_links,
                before.linked + one.linked,
            )
    return {name: found[name] for name in indicators() if name in found}


def widest_difference(compared: Iterable[Compared]) -> float:
    """The most points by which an indicator's rate over all cohorts differs between our links and the truth.

    An indicator that only one of the two counts differs by 100.
    """
    differences = [0.0]
    for one in totals(compared).values():
        true, ours = rate(one.truth), rate(one.linked)
        if true is not None or ours is not None:
            differences.append(100.0 if true is None or ours is None else round(abs(true - ours), 1))
    return max(differences)


def rate(tally: Tally) -> float | None:
    """The numerator in per cent of the known, to one decimal; None of nobody."""
    return round(100 * tally.k / tally.known, 1) if tally.known else None


def _columns(name: str, tally: Tally) -> dict[str, object]:
    return {f"{name}_n": tally.n, f"{name}_known": tally.known, f"{name}_k": tally.k, f"{name}_rate": rate(tally)}


def _rows(path: Path, columns: tuple[str, ...]) -> Iterable[Mapping[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if not set(columns) <= set(reader.fieldnames or ()):
            raise Invalid(f"The truth has the columns {', '.join(columns)}.", code="truth-columns")
        yield from reader


def _counted(lines: Mapping[str, pa.Table], *, links: PersonLinks) -> dict[Cell, Tally]:
    tables = linked_tables(lines, links=links, organisations=organisations(), under=pseudonyms(b"", ()))
    tallies: dict[Cell, Tally] = {}
    with open_counter(tables, organisations=organisations()) as counter:
        for indicator in indicators().values():
            if indicator.core:
                _add(tallies, indicator.id, count_split(counter, indicator, tuple(SPLITS.values())))
    return tallies


def _add(tallies: dict[Cell, Tally], indicator: str, counted: Mapping[CellKey, Tally]) -> None:
    for (cohort_year, levels), tally in counted.items():
        for group in [ALL, *(f"{name}={level}" for name, level in zip(SPLITS.values(), levels, strict=True))]:
            cell = Cell(indicator, cohort_year, group)
            tallies[cell] = tallies.get(cell, NOBODY) + tally
