"""The same roster prepared again: the same rows and dummies in the same places, and nothing that can be foreseen."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from connectors.assembly import Assembly
from connectors.batches import Batch
from connectors.draws import draws_of
from connectors.keystore import ReferenceKey
from connectors.reading import read_file
from connectors.submitting import Preparation
from connectors.workspace import read_agreements
from linkage.encode.person import ClearPerson, SpanFacts
from linkage.rows import span_rows, view_rows
from policies.submission import context
from tests.spec.connectors import source_files as made
from tests.unit.connectors.made_up_edge import MATCHER, RESOLVER, make_edge

NOW = dt.datetime(2026, 11, 22, 10, 0, tzinfo=dt.UTC)
KEY = ReferenceKey(bytes(range(32)))
PERSON = ClearPerson(0, given="Qwixel", surname="Zorbquist", birth_date="2015-03-04", sex="F")
STAY = SpanFacts(0, bytes(16), school_year=2026, grade=5, full_time=False, start_month=300, end_month=311)
ROSTER = Assembly("novato", "k12", 2026, (PERSON,), (STAY,), (), ("L1",), {})


@pytest.fixture
def workspace(tmp_path):
    return make_edge(tmp_path / "edge")


def prepared(workspace, *rows, now=NOW):
    (workspace.inbox / "senr.txt").write_text(made.lines(*rows), encoding="utf-8")
    reading = read_file(workspace.inbox / "senr.txt", latest=dt.date(2026, 6, 30))
    agreement = next(one for one in read_agreements(Path("policies/agreements")) if one.id == "DSA-K12")
    return Preparation.of(workspace, now=now, agreements=[agreement]).prepare(Batch("k12", 2026, [reading]))


def opened(submission, holds):
    """What a role reads of a submission: by view the rows with their sealed ids blotted out, or the spans."""
    bound = context(holds, provider="novato", kind="k12", school_year=2026, epoch=1)
    key = MATCHER if holds == "rows" else RESOLVER
    found = {}
    for chunk in (one for one in submission.manifest.chunks if one.holds == holds):
        plain = key.open((submission.folder / "chunks" / chunk.sha256).read_bytes(), bound)
        rows = (view_rows(plain) if holds == "rows" else span_rows(plain)).copy()
        if holds == "rows":
            rows["sealed_id"] = bytes(16)
        found[chunk.view] = rows.tobytes()
    return found


def references(submission):
    return {bytes(one) for one in span_rows(opened(submission, "spans")[""])["reference"].tolist()}


def test_the_same_roster_again_has_the_same_rows_in_the_same_order_in_a_submission_of_its_own(workspace):
    rows = [made.senr(f9=f"L{number}", f8=f"{1_000_000_000 + number}") for number in range(7)]

    one = prepared(workspace, *rows)
    other = prepared(workspace, *rows, now=NOW + dt.timedelta(seconds=1))

    assert one.manifest.padded
    assert opened(one, "rows") == opened(other, "rows")
    assert opened(one, "spans") == opened(other, "spans")
    assert one.submission != other.submission
    assert one.manifest.submission_key != other.manifest.submission_key
    assert not {chunk.sha256 for chunk in one.manifest.chunks if chunk.holds != "facts"} & {
        chunk.sha256 for chunk in other.manifest.chunks
    }


def test_of_a_roster_that_changed_nothing_but_the_children_stays(workspace):
    rows = [made.senr(f9=f"L{number}", f8=f"{1_000_000_000 + number}") for number in range(8)]

    one, other = prepared(workspace, *rows[:7]), prepared(workspace, *rows)

    assert len(references(one)) == len(references(other)) == 200
    assert len(references(one) & references(other)) == 7


def drawn(key=KEY, roster=ROSTER, *, epoch=1, schema_hash="a"):
    return draws_of(key, roster, epoch=epoch, schema_hash=schema_hash).bytes(16)


def test_draws_are_those_of_the_key_the_roster_and_the_epoch():
    others = [
        drawn(ReferenceKey(bytes(32))),
        drawn(epoch=2),
        drawn(schema_hash="b"),
        *(
            drawn(roster=replace(ROSTER, **change))
            for change in (
                {"provider": "reed"},
                {"kind": "preschool"},
                {"school_year": 2025},
                {"people": (replace(PERSON, given="Vexlorn"),)},
                {"people": (replace(PERSON, alias_given=("Vexlorn",)),)},
                {"people": (PERSON, replace(PERSON, local_record=1))},
                {"spans": (replace(STAY, end_month=310),)},
                {"spans": (replace(STAY, reference=bytes(15) + b"1"),)},
            )
        ),
    ]

    assert drawn() == drawn()
    assert len({drawn(), *others}) == len(others) + 1


def test_a_correction_of_facts_alone_draws_the_same():
    facts = ({"t": "demographics", "r": "0" * 32, "gender": "F"},)

    assert drawn(roster=replace(ROSTER, facts=facts, rejected_later={"senr.txt": 1})) == drawn()


def test_draws_are_a_generator_of_the_encoder():
    assert isinstance(draws_of(KEY, ROSTER, epoch=1, schema_hash="a"), np.random.Generator)
