"""Linkage on Apache Spark gives what this process gives, to the last digit: on two threads and on a real cluster."""

import itertools
import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from hub.engine_choice import EMBEDDED, SPARK, EngineChoice
from hub.linking.engine import started
from linkage.encode.person import ClearPerson
from linkage.match.grouping import RosterRows
from linkage.match.pairs import ViewPairs
from linkage.match.resolver import resolve, resolve_with_duplicates
from linkage.rows import VIEW_ROW
from linkage.schema import current_schema
from linkage.sealed_ids import open_records
from tests.unit.linkage.rosters import Sent, made_up_people, span

pytestmark = pytest.mark.spark
VIEWS = ("dob", "names", "ssid")


@pytest.fixture(scope="module")
def on_spark(spark_is_here, tmp_path_factory):
    folder = tmp_path_factory.mktemp("spark")
    with started(EngineChoice(SPARK, "local[2]", folder)) as engine:
        yield engine
    assert list(folder.iterdir()) == []


@pytest.fixture(scope="module")
def embedded():
    with started(EngineChoice(EMBEDDED)) as engine:
        yield engine


def rosters():
    """Five providers; changed names and dates, moves, twins, state numbers that contradict, two school years."""
    rng = np.random.default_rng(3)
    people = [replace(p, ssid=f"{7_000_000_000 + p.local_record * 13}") for p in made_up_people(300)]
    twins = [replace(people[n], local_record=300 + n, given=people[n + 40].given, ssid=None) for n in range(20)]
    sent = []
    for provider in range(5):
        changed = [_changed(person, rng=rng) for person in (*people, *twins) if rng.random() < 0.7]
        grade = 3 if provider < 4 else 8
        spans = [span(p.local_record, year=2020, grade=grade, full_time=rng.random() < 0.2) for p in changed]
        sent.append(Sent(2 * provider, provider, changed, spans=spans, views=VIEWS))
        later = [span(p.local_record, year=2021, grade=grade + 1, full_time=False) for p in changed[:150]]
        sent.append(Sent(2 * provider + 1, provider, changed[:150], spans=later, views=VIEWS))
    return sent


def _changed(person: ClearPerson, *, rng):
    draw = rng.random()
    if draw < 0.15:
        return replace(person, surname=f"{person.surname} Zumo", ssid=None)
    if draw < 0.25:
        return replace(person, given=person.surname, surname=person.given)
    if draw < 0.35:
        return replace(person, birth_date=f"{person.birth_date[:8]}09", ssid=None)
    if draw < 0.4:
        return replace(person, ssid=f"{8_000_000_000 + int(rng.integers(10**6))}")
    return replace(person, postcode="94999") if draw < 0.5 else person


@pytest.fixture(scope="module")
def sent():
    return rosters()


def compared(engine, sent, view, *, owners=False):
    return engine.compare([_rows(one, view, owners=owners) for one in sent], schema=current_schema(), view=view)


def _rows(one, view, *, owners):
    rows = one.encoded.rows[view]
    if not owners:
        return RosterRows(one.submission, one.provider, rows)
    sealed = np.ascontiguousarray(rows["sealed_id"]).view(np.uint8).reshape(-1, 16)
    records = open_records(sealed, key=one.key).astype(np.int32) + 10_000 * one.submission
    return RosterRows(one.submission, one.provider, rows, owners=records)


def assert_same_pairs(one, other):
    for field in fields(ViewPairs):
        left, right = getattr(one, field.name), getattr(other, field.name)
        assert type(left) is type(right), field.name
        assert np.array_equal(left, right), field.name


def counted():
    numbers = itertools.count()
    return lambda: f"person-{next(numbers)}"


@pytest.mark.parametrize("view", VIEWS)
def test_pairs_of_a_view_are_the_same_array_for_array(on_spark, embedded, sent, view):
    here, there = compared(embedded, sent, view), compared(on_spark, sent, view)

    assert len(here.left) > 100
    assert_same_pairs(here, there)


def test_a_view_of_so_many_pairs_that_most_are_only_counted_is_the_same(on_spark, embedded):
    people = [replace(p, birth_date=f"2011-03-{1 + p.local_record % 3:02d}") for p in made_up_people(300)]
    sent = [Sent(0, 0, people, views=("dob",)), Sent(1, 1, people[100:], views=("dob",))]

    here, there = compared(embedded, sent, "dob"), compared(on_spark, sent, "dob")

    assert here.dropped.sum() > 1000
    assert_same_pairs(here, there)


def test_a_view_without_rows_is_the_same(on_spark, embedded):
    empty = [RosterRows(0, 0, np.empty(0, dtype=VIEW_ROW))]

    here = embedded.compare(empty, schema=current_schema(), view="dob")
    there = on_spark.compare(empty, schema=current_schema(), view="dob")

    assert_same_pairs(here, there)


def test_persons_weights_and_posteriors_are_the_same_to_the_last_digit(on_spark, embedded, sent):
    results = [
        resolve(
            [one.roster_spans for one in sent],
            schema=current_schema(),
            views=[compared(engine, sent, view) for view in VIEWS],
            previous={},
            new_id=counted(),
            join=engine.join,
        )
        for engine in (embedded, on_spark)
    ]

    here, there = results
    assert here.persons == there.persons
    assert here.pairs.tobytes() == there.pairs.tobytes()
    assert here.quality == there.quality
    assert here.quality.persons < 0.6 * here.quality.records
    set_aside = (here.pairs["decision"] == 2) & (here.pairs["linked"] == 0)
    assert set_aside.any()  # constraints spoke, and spoke alike


def test_duplicates_inside_rosters_are_the_same(on_spark, embedded, sent):
    results = [
        resolve_with_duplicates(
            [one.roster_spans for one in sent[:3]],
            schema=current_schema(),
            views=[compared(engine, sent[:3], view, owners=True) for view in ("dob", "names")],
            new_id=counted(),
            join=engine.join,
        )
        for engine in (embedded, on_spark)
    ]

    here, there = results
    assert here.persons == there.persons
    assert here.pairs.tobytes() == there.pairs.tobytes()


def test_nothing_to_join_leaves_everybody_alone(on_spark, embedded):
    strangers = [Sent(n, n, made_up_people(30, seed=20 + n), views=("dob",)) for n in range(2)]

    persons = [
        resolve(
            [one.roster_spans for one in strangers],
            schema=current_schema(),
            views=[compared(engine, strangers, "dob")],
            previous={},
            new_id=counted(),
            join=engine.join,
        ).persons
        for engine in (embedded, on_spark)
    ]

    assert persons[0] == persons[1]
    assert len(set(persons[0].values())) == 60


def run_program(module, *words):
    """A program of ours as it is started at a terminal."""
    path = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", module, *(str(word) for word in words)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_cluster_of_two_workers_links_files_as_this_process_does(cluster, tmp_path):
    master, folder = cluster
    example, key = tmp_path / "example", tmp_path / "key"
    run_program("connectors.cli", "example", example)
    run_program("connectors.cli", "keys", "new", key)
    for name in ("school", "club"):
        to = ("--map", example / f"{name}.yaml", "--key", key, "--out", tmp_path / f"{name}.rows")
        run_program("connectors.cli", "encode", example / f"{name}.csv", *to)
    shared = tmp_path / "shared"
    shared.mkdir()

    for engine in (EMBEDDED, SPARK):
        out = ("--out", tmp_path / f"{engine}-pairs.csv", "--persons", tmp_path / f"{engine}-persons.csv")
        views = ",".join(view for view in current_schema().default_views if view != "ssid")
        where = ("--views", views, "--engine", engine, "--spark-master", master, "--spark-folder", shared)
        run_program("hub.cli", "link", tmp_path / "school.rows", tmp_path / "club.rows", *out, *where)

    for table in ("pairs", "persons"):
        here, there = ((tmp_path / f"{engine}-{table}.csv").read_bytes() for engine in (EMBEDDED, SPARK))
        assert len(here.splitlines()) > 100
        assert here == there
    assert list(shared.iterdir()) == []
    for number in (1, 2):
        assert list((folder / f"worker-{number}").glob("app-*/*"))  # each worker ran a part of it
