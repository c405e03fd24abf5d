"""Snapshots and counts in a real database, with their audit events."""

import pytest
from sqlalchemy import select

from hub.audit.tables import Detail
from hub.errors import Conflict, StoreError
from hub.outcomes.service import blocks, definition_versions, open_snapshot, take_snapshot
from policies.disclosure.types import BaseCell, TableDeclaration, Tally

TABLES = {
    "third-grade-reading": (
        TableDeclaration(name="total", dimensions=(), priority=1),
        TableDeclaration(name="preschool", dimensions=("preschool",), priority=2),
    )
}


def events(database) -> list[tuple[str, str, dict[str, int], dict[str, str]]]:
    with database.reading() as session:
        rows = session.scalars(select(Detail).order_by(Detail.sequence)).all()
        return [(row.event, row.resource, row.counts, row.versions) for row in rows]


def test_a_snapshot_is_counted_with_the_children_joined_across_providers(filled, trail) -> None:
    snapshot = take_snapshot(filled.database, analysis=filled.analysis, audit=trail)

    (block,) = blocks(filled.database, snapshot, analysis=filled.analysis, tables=TABLES, audit=trail)

    assert (block.indicator, block.cohort_year) == ("third-grade-reading", 2023)
    joined = {"community-action-marin": Tally(1, 1, 1), "novato": Tally(1, 1, 1)}
    others = {"kentfield": Tally(1, 1, 1), "novato": Tally(1, 1, 0)}
    both = {("community-action-marin", "novato"): Tally(1, 1, 1)}
    assert block.cells == (
        BaseCell(levels=("head-start",), tally=Tally(1, 1, 1), provider_counts=joined, shared_counts=both),
        BaseCell(levels=("none",), tally=Tally(2, 2, 1), provider_counts=others, shared_counts={}),
    )


def test_a_snapshot_and_its_count_each_leave_one_event_that_counts_no_person(filled, trail) -> None:
    snapshot = take_snapshot(filled.database, analysis=filled.analysis, audit=trail)
    blocks(filled.database, snapshot, analysis=filled.analysis, tables=TABLES, audit=trail)

    assert events(filled.database) == [
        ("salt.made", "agreement:a", {}, {"a": "1"}),
        ("snapshot.taken", f"snapshot:{snapshot.id}", {"submissions": 3}, {"linkage": "1"}),
        (
            "outcomes.counted",
            f"snapshot:{snapshot.id}",
            {"blocks": 1, "base_cells": 2},
            definition_versions(["third-grade-reading"]),
        ),
    ]


def test_the_same_inputs_give_the_same_snapshot_and_store_it_once(filled, trail) -> None:
    first = take_snapshot(filled.database, analysis=filled.analysis, audit=trail)
    second = take_snapshot(filled.database, analysis=filled.analysis, audit=trail)

    assert first == second
    assert first.manifest["tables"]["assessment"]["rows"] == 3


def test_what_was_accepted_since_is_in_the_next_snapshot_once_it_is_linked(filled, trail) -> None:
    before = take_snapshot(filled.database, analysis=filled.analysis, audit=trail)
    filled.accept("reed", "k12", 2023, [{"t": "demographics", "r": "d" * 32, "gender": "F"}])
    filled.link(_accepted(filled), version=2)

    after = take_snapshot(filled.database, analysis=filled.analysis, audit=trail)

    assert after.id != before.id
    assert after.linkage_version == 2
    assert open_snapshot(after, analysis=filled.analysis)["demographics"].num_rows == 4


def test_a_submission_accepted_after_the_linkage_run_must_be_linked_first(filled, trail) -> None:
    filled.accept("reed", "k12", 2023, [])

    with pytest.raises(Conflict) as caught:
        take_snapshot(filled.database, analysis=filled.analysis, audit=trail)

    assert caught.value.code == "linkage-outdated"
    assert events(filled.database) == []


def test_nothing_can_be_counted_before_the_first_linkage_run(unlinked, trail) -> None:
    unlinked.accept("reed", "k12", 2023, [])

    with pytest.raises(Conflict) as caught:
        take_snapshot(unlinked.database, analysis=unlinked.analysis, audit=trail)

    assert caught.value.code == "not-linked"


def test_a_file_that_is_not_what_the_manifest_names_stops_the_count(filled, trail) -> None:
    snapshot = take_snapshot(filled.database, analysis=filled.analysis, audit=trail)
    swapped = type(snapshot)(
        snapshot.id,
        snapshot.linkage_version,
        snapshot.manifest,
        {**snapshot.files, "assessment": snapshot.files["demographics"]},
    )

    with pytest.raises(StoreError) as caught:
        blocks(filled.database, swapped, analysis=filled.analysis, tables=TABLES, audit=trail)

    assert caught.value.code == "snapshot-changed"


def test_a_snapshot_is_encrypted_at_rest(filled, trail, tmp_path) -> None:
    take_snapshot(filled.database, analysis=filled.analysis, audit=trail)

    stored = b"".join(path.read_bytes() for path in (tmp_path / "analysis").rglob("*") if path.is_file())

    assert b"PAR1" not in stored
    assert b"1" * 32 not in stored


def _accepted(filled) -> list[str]:
    from hub.submissions.service import accepted

    with filled.database.reading() as session:
        return [one.submission for one in accepted(session)]
