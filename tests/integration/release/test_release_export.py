"""What an outsider could collect stands in two files; the attacker that shares no code with us reads them."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.audit.events import AuditTrail
from hub.audit.tables import Detail
from hub.db import Database
from hub.errors import StoreError
from hub.release.export import cells_csv, export_published, hierarchies_json, links_json
from hub.release.service import Release, ledger
from hub.release.slices import Slice, cohort_years, read_slice
from policies.catalogue_files import catalogue

ATTACKER = Path(__file__).resolve().parents[2] / "attacker" / "attack_release.py"


def test_the_export_has_every_published_cell_and_a_hidden_number_is_an_empty_field(
    empty: Database, published: Release, trail: AuditTrail
) -> None:
    with empty.transaction() as session:
        export = export_published(session, catalogue=catalogue(), audit=trail)
        kept = ledger(session).every_cell()
        newest = session.scalars(select(Detail).order_by(Detail.sequence.desc())).first()

    assert (newest.event, newest.resource, newest.counts) == (
        "release.exported", "releases/published", {"cells": len(kept)},
    )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(export.cells)))
    assert len(rows) == len(kept) == published.shown + published.withheld
    assert sum(row["status"] == "C" for row in rows) == published.withheld
    assert all(not row["n"] and not row["persons"] and not row["k"] for row in rows if row["status"] == "C")
    assert {row["race"] for row in rows if row["table"] == "gender"} == {"Total"}
    assert [row["n"] for row in rows] == ["" if cell.known is None else str(cell.known) for cell in kept]
    assert {(row["table"], row["recipient_class"]) for row in rows} >= {("race", "public"), ("preschool", "partner")}


def test_nothing_is_exported_of_a_release_that_waits(empty: Database, prepared: Release, trail: AuditTrail) -> None:
    with empty.transaction() as session:
        export = export_published(session, catalogue=catalogue(), audit=trail)

    assert list(csv.DictReader(io.StringIO(export.cells))) == []


def test_the_hierarchies_lead_from_each_level_to_the_total() -> None:
    equations = [
        {"dimensions": [{"name": "district", "levels": ["a", "b"], "parents": {"a": "north", "north": "far"}}]},
        {"dimensions": [{"name": "race", "levels": ["x"], "parents": {}}]},
    ]

    found = json.loads(hierarchies_json(equations))

    assert found == {
        "district": {"a": "north", "north": "far", "far": "Total", "b": "Total"},
        "race": {"x": "Total"},
    }


def test_an_export_of_nothing_has_its_header() -> None:
    header = cells_csv([], catalogue=catalogue()).strip().split(",")

    assert header[:10] == [
        "indicator", "cohort_year", "vintage", "table", "n", "k", "rate", "rate_low", "rate_high", "status",
    ]  # fmt: skip
    assert header[10:] == ["recipient_class", "persons", "coverage_low", "coverage_high", "status_reason"]


def test_the_links_say_which_indicators_count_the_same_persons() -> None:
    one = {"indicator": "b", "cohort_year": 2026, "population": "", "part_of": "a"}

    assert json.loads(links_json([one, dict(one)])) == [one]


def test_the_independent_attacker_computes_nothing_back(
    empty: Database, published: Release, trail: AuditTrail, tmp_path: Path
) -> None:
    with empty.transaction() as session:
        export = export_published(session, catalogue=catalogue(), audit=trail)
    (tmp_path / "cells.csv").write_text(export.cells, "utf-8")
    (tmp_path / "hierarchies.json").write_text(export.hierarchies, "utf-8")

    done = subprocess.run(
        [sys.executable, ATTACKER, tmp_path / "cells.csv", tmp_path / "hierarchies.json"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert '"recovered": 0' in done.stdout


def test_a_slice_holds_the_cells_of_its_table_years_and_levels_and_no_other(
    empty: Database, published: Release
) -> None:
    wanted = Slice("third-grade-reading", "race", first_year=2024, last_year=2025, levels={"race": "white"})
    with empty.reading() as session:
        found = read_slice(session, published.id, wanted=wanted).cells
        years = cohort_years(session, published.id)
        nothing = read_slice(session, "2020-01-01.1", wanted=wanted).cells

    assert [(cell.cohort_year, cell.table, dict(cell.levels)) for cell in found] == [
        (2024, "race", {"race": "white"}),
        (2025, "race", {"race": "white"}),
    ]
    assert years == {"kindergarten-readiness": (2023, 2026), "third-grade-reading": (2023, 2024, 2025, 2026)}
    assert nothing == ()


def test_releases_of_two_hierarchies_are_not_exported_together() -> None:
    def equation(parent: str) -> dict[str, object]:
        return {"dimensions": [{"name": "district", "levels": ["zzq-high"], "parents": {"zzq-high": parent}}]}

    with pytest.raises(StoreError) as refused:
        hierarchies_json([equation("area-a"), equation("area-b")])

    assert refused.value.code == "hierarchy-differs"
