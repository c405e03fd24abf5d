"""Measures of the linkage behind an outcome: who was linked, and whose outcome hangs on no uncertain link."""

import datetime as dt

import pyarrow as pa

from hub.outcomes.linkage_measures import MOVED_SCHEMA
from hub.outcomes.rows import make_outcome_rows, open_counter
from hub.outcomes.schema import snapshot_schemas
from policies.indicator_files import indicators
from policies.organisation_files import organisations


def assessment(*rows):
    columns = ("person_id", "provider", "school_year", "achievement_level")
    fixed = {"kind": "k12", "subject": "ELA", "grade_assessed": "03", "valid": "Y"}
    schema = snapshot_schemas()["assessment"]
    given = [dict.fromkeys(schema.names) | fixed | dict(zip(columns, row, strict=True)) for row in rows]
    return {"assessment": pa.Table.from_pylist(given, schema=schema)}


def moved(*rows):
    return pa.Table.from_pylist([dict(zip(MOVED_SCHEMA.names, row, strict=True)) for row in rows], schema=MOVED_SCHEMA)


def outcomes(name, tables, **thresholds):
    with open_counter(tables, organisations=organisations(), moved=thresholds) as counter:
        make_outcome_rows(counter, indicators()[name])
        query = "SELECT person_id, cohort_year, outcome FROM outcome_rows ORDER BY ALL"
        return counter.engine.rows(query)


TABLES = assessment(
    ("p1", "novato", 2026, "3"), ("p1", "ross", 2025, "1"), ("p2", "novato", 2026, "1"), ("p3", "novato", 2026, None)
)


def test_whoever_has_records_of_several_providers_is_linked_and_unknown_stays_unknown():
    assert outcomes("third-grade-reading-linked", TABLES) == [
        ("p1", 2025, "yes"), ("p1", 2026, "yes"), ("p2", 2026, "no"), ("p3", 2026, "unknown"),
    ]  # fmt: skip


def test_without_links_that_differ_every_outcome_is_settled():
    assert outcomes("third-grade-reading-settled", TABLES) == [
        ("p1", 2025, "yes"), ("p1", 2026, "yes"), ("p2", 2026, "yes"), ("p3", 2026, "unknown"),
    ]  # fmt: skip


def test_an_outcome_that_is_another_under_a_looser_link_is_not_settled():
    # p2 of Novato would be p4, who met the standard at another district in the same year.
    tables = assessment(("p2", "novato", 2026, "1"), ("p4", "ross", 2026, "3"), ("p1", "novato", 2026, "3"))

    found = outcomes("third-grade-reading-settled", tables, loose=moved(("novato", "p2", "p4")))

    assert found == [("p1", 2026, "yes"), ("p2", 2026, "no"), ("p4", 2026, "yes")]


def test_an_outcome_that_stays_when_a_link_is_parted_is_settled():
    found = outcomes("third-grade-reading-settled", TABLES, strict=moved(("ross", "p1", "p9")), loose=moved())

    assert found == [
        ("p1", 2025, "yes"), ("p1", 2026, "yes"), ("p2", 2026, "yes"), ("p3", 2026, "unknown"),
    ]  # fmt: skip


def test_a_student_linked_under_each_threshold_is_settled_and_one_linked_under_some_is_not():
    enrolled = ("person_id", "provider", "school_year", "grade", "start_date")
    schema = snapshot_schemas()["enrollment"]
    fixed = dict.fromkeys(schema.names) | {"kind": "k12", "enrollment_status": "10"}
    rows = [
        ("p1", "novato", 2026, "03", dt.date(2025, 8, 20)),
        ("p1", "reed", 2025, "02", dt.date(2024, 8, 20)),
        ("p2", "novato", 2026, "03", dt.date(2025, 8, 20)),
        ("p3", "novato", 2026, "03", dt.date(2025, 8, 20)),
        ("p4", "reed", 2025, "02", dt.date(2024, 8, 20)),
    ]
    given = [fixed | dict(zip(enrolled, row, strict=True)) for row in rows]
    tables = {"enrollment": pa.Table.from_pylist(given, schema=schema)}
    strict, loose = moved(("reed", "p1", "p9")), moved(("novato", "p3", "p4"))

    assert outcomes("linked-share", tables) == [("p1", 2026, "yes"), ("p2", 2026, "no"), ("p3", 2026, "no")]
    assert outcomes("linked-share-settled", tables, strict=strict, loose=loose) == [
        ("p1", 2026, "no"), ("p2", 2026, "yes"), ("p3", 2026, "no"),
    ]  # fmt: skip
