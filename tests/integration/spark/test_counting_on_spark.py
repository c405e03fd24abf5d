"""Snapshots and counts on Apache Spark are those of this process: byte for byte, block for block."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from connectors.synthetic.county import make_county
from connectors.synthetic.people import Span
from hub.engine_choice import EMBEDDED_ENGINE, SPARK, EngineChoice
from hub.outcomes.counting import count_together
from hub.outcomes.linkage_measures import MOVED_SCHEMA
from hub.outcomes.objections import LEFT_OUT_SCHEMA
from hub.outcomes.rows import open_counter
from hub.outcomes.snapshot import PersonLinks, parquet_bytes, snapshot_tables
from policies.catalogue_files import catalogue
from policies.disclosure.types import TableDeclaration
from policies.organisation_files import organisations
from policies.pseudonyms import pseudonyms
from tests.integration.synthetic.true_county import facts_of, true_links

pytestmark = [
    pytest.mark.spark,
    # pyspark leaves the socket open by which it takes a table
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]
INDICATORS = ("third-grade-reading", "third-grade-reading-settled", "postsecondary-completion", "employment")
"""A score, its measure of linkage, the longest chain of relations, and figures that come as aggregates."""

UNDER = pseudonyms(b"p" * 32, ())
MARKED = "Zzyzxwick"


@pytest.fixture(scope="module")
def on_spark(spark_is_here, tmp_path_factory):
    folder = tmp_path_factory.mktemp("counting")
    yield EngineChoice(SPARK, "local[2]", folder)
    assert list(folder.iterdir()) == []


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    folder = tmp_path_factory.mktemp("county")
    make_county(folder, people=300, seed=11, span=Span(2019, 2026))
    return folder


@pytest.fixture(scope="module")
def snapshot(county):
    return taken(county, EMBEDDED_ENGINE)


def taken(county, choice):
    """A snapshot in which every seventh record is linked to nobody and gets a person of its own."""
    links = true_links(county)
    columns = (
        [one for at, one in enumerate(column) if at % 7] for column in (links.provider, links.reference, links.person)
    )
    return snapshot_tables(
        facts_of(county), links=PersonLinks(*columns), organisations=organisations(), under=UNDER, choice=choice
    )


def declared(names):
    return {
        name: tuple(
            TableDeclaration(name=table.name, dimensions=table.dimensions, priority=table.priority)
            for table in catalogue().tables[name]
        )
        for name in names
    }


def moved(snapshot):
    """Some persons of the snapshot as others, by threshold."""
    rows = snapshot["assessment"].to_pylist()[:90]
    persons = sorted({(row["provider"], row["person_id"]) for row in rows})
    return {
        threshold: pa.Table.from_pylist(
            [
                {"provider": provider, "person_id": person, "other": f"other-{provider}-{person}"}
                for provider, person in persons[start::3]
            ],
            schema=MOVED_SCHEMA,
        )
        for start, threshold in enumerate(("stricter", "looser"))
    }


def left_out(snapshot):
    """The rows of two children of whom their families said no."""
    rows = snapshot["assessment"].to_pylist()[-2:]
    return pa.Table.from_pylist([{name: row[name] for name in LEFT_OUT_SCHEMA.names} for row in rows])


def counted(snapshot, choice, *, names=INDICATORS):
    with open_counter(
        snapshot, organisations=organisations(), moved=moved(snapshot), left_out=left_out(snapshot), choice=choice
    ) as counter:
        return count_together(counter, declared(names))


def test_a_snapshot_is_the_same_byte_for_byte(on_spark, county, snapshot):
    there = taken(county, on_spark)

    assert sum(table.num_rows for table in snapshot.values()) > 1000
    assert {name: parquet_bytes(table) for name, table in there.items()} == {
        name: parquet_bytes(table) for name, table in snapshot.items()
    }


def test_every_block_is_counted_alike_on_two_threads(on_spark, snapshot):
    here, there = counted(snapshot, EMBEDDED_ENGINE), counted(snapshot, on_spark)

    assert {block.indicator for block in here} == set(INDICATORS)
    assert there == here


def test_an_indicator_is_counted_alike_on_a_cluster_of_two_workers(cluster, tmp_path, snapshot):
    master, _ = cluster

    names = INDICATORS[2:3]

    there = counted(snapshot, EngineChoice(SPARK, master, tmp_path), names=names)

    assert there == counted(snapshot, EMBEDDED_ENGINE, names=names)


FAILING = """
import sys
from pathlib import Path
import pyarrow as pa
from hub.engine_choice import EngineChoice
from hub.outcomes.engine import opened
from hub.outcomes.querying import QueryError

with opened(EngineChoice("spark", sys.argv[1], Path(sys.argv[2]))) as engine:
    engine.load("people", pa.table({"name": [sys.argv[3]] * 100}))
    try:
        engine.rows("SELECT CAST(name AS INTEGER) FROM people")
    except QueryError as error:
        print(repr(error), repr(error.__cause__), repr(engine))
    try:
        engine.make("twice", "SELECT name, ROW_NUMBER() OVER (ORDER BY name) AS place FROM people")
        engine.rows("SELECT CAST(name AS INTEGER) FROM twice WHERE place > 3")
    except QueryError as error:
        print(repr(error))
"""


def test_a_query_that_fails_tells_its_kind_and_no_value_here_or_in_a_worker_s_log(cluster, tmp_path):
    master, folder = cluster
    path = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-c", FAILING, master, str(tmp_path), MARKED]

    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=False)

    logs = [file for file in folder.rglob("stderr") if file.is_file()]
    assert done.returncode == 0, done.stderr[-2000:].replace(MARKED.encode(), b"(a value)")
    assert done.stdout.count(b"QueryError(") == 2
    assert MARKED.encode() not in done.stdout + done.stderr
    assert logs
    assert [file.name for file in folder.rglob("*") if file.is_file() and MARKED.encode() in file.read_bytes()] == []
