"""One county, linked and released on SQLite, PostgreSQL and Apache Spark: the same persons, the same release.

What every provider prepared is brought to each by backup and restore, so that all three start from the same encodings.
"""

import json
import os
import shutil
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.audit.events import AuditTrail
from hub.db import Database
from hub.linking import service
from hub.linking.tables import Link
from hub.log import Log
from hub.operations import roles
from hub.operations.backup import open_backup
from hub.operations.restoring import restore
from hub.operations.table_copy import sum_of, tables_of
from hub.outcomes.service import newest_snapshot, open_snapshot
from hub.release.publishing import prepare_from_facts
from hub.release.service import release_file, withdraw_prepared
from hub.settings import Home, Settings
from hub.stores import facts_store
from policies.catalogue_files import catalogue
from tests.conftest import StandingClock
from tests.databases import address_of, on_server

ROOT = Path(__file__).parents[3]
PEOPLE = 1_000
SENT = """
import sys
from pathlib import Path
import demo
run = demo.Demonstration(Path(sys.argv[1]), people=int(sys.argv[2]), seed=1)
run.clear()
try:
    demo.bring_in(run)
finally:
    run.stop()
run.hub("back up", "backup", run.folder / "backups")
"""
"""The demonstration's own road up to the wall: every provider checks, encodes and sends, and all is accepted."""
pytestmark = [
    pytest.mark.spark,
    # pyspark leaves the socket open by which it takes a table
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]
ENGINES = {
    "sqlite": {},
    "postgresql": {},
    "spark": {"linkage_engine": "spark", "counting_engine": "spark", "spark_master": "local[2]"},
}


@pytest.fixture(scope="module")
def county(spark_is_here, tmp_path_factory):
    """The folder of a county that was sent, with one backup of its hub."""
    folder = tmp_path_factory.mktemp("county") / "demo"
    path = os.pathsep.join([str(ROOT / "deploy"), str(ROOT)])
    command = [sys.executable, "-c", SENT, str(folder), str(PEOPLE)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


SOME = replace(
    catalogue(),
    tables={
        name: catalogue().tables[name] for name in ("third-grade-reading", "postsecondary-completion", "employment")
    },
)
"""A score, the longest chain of relations, and figures that come as aggregates; of the whole catalogue every small step
costs Spark a fraction of a second."""


class Restored:
    """The county's hub on one database and engine, linked and released."""

    def __init__(self, county, folder, url, **engines):
        self.settings = Settings(home=folder, database_url=url, **engines)
        (backup,) = (county / "backups").glob("promise-hub-*")
        for name in ("keys", "signer"):
            shutil.copytree(county / "hub" / name, folder / name)
        made_at = json.loads((backup / "backup.json").read_text("utf-8"))["made_at"]
        self.clock = StandingClock(type(StandingClock().now).fromisoformat(made_at))
        self.trail = AuditTrail("operator", None, "command", "test", self.clock)
        self.database = Database(url)
        restore(Home(folder), open_backup(Home(folder), backup), self.database, notes=[], behind=True, audit=self.trail)
        self.rows = self.submitted()
        self.link()
        analysis = facts_store(self.settings)
        self.some = self.released(SOME)
        self.whole = self.released(catalogue()) if self.settings.counting_engine == "embedded" else None
        with self.database.reading() as session:
            self.persons = partition(session)
            snapshot = newest_snapshot(session)
        tables = open_snapshot(snapshot, analysis=analysis)
        self.tables = {name: table.num_rows for name, table in tables.items()}

    def released(self, declared):
        """The file of a release of this catalogue, and how many cells it shows; it is taken back."""
        release = prepare_from_facts(
            self.database, analysis=facts_store(self.settings), catalogue=declared, audit=self.trail
        )
        with self.database.transaction() as session:
            content = release_file(session, release.id)
            withdraw_prepared(session, release.id, audit=self.trail)
        return content, release.shown, release.withheld

    def submitted(self):
        with self.database.snapshot() as connection:
            sums = {table.name: sum_of(connection, table) for table in tables_of(connection)}
        return {name: sums[name] for name in ("submissions", "submission_chunks")}

    def link(self):
        with self.database.transaction() as session:
            run = service.request_run(session, audit=self.trail)
        for make in (roles.matcher, roles.resolver):
            worker = make(self.settings, log=Log(clock=self.clock), clock=self.clock)
            worker.run_until_idle()
            worker.close()
        with self.database.transaction() as session:
            service.accept_run(session, run, audit=self.trail)


def partition(session):
    """Who is one person with whom; the ids of persons are drawn at random and differ."""
    persons = {}
    for link in session.execute(select(Link.person, Link.provider, Link.reference)):
        persons.setdefault(link.person, set()).add((link.provider, link.reference))
    return {frozenset(records) for records in persons.values()}


@pytest.fixture(scope="module")
def everywhere(county, postgresql, tmp_path_factory):
    name = f"county_{uuid.uuid4().hex[:12]}"
    postgresql.psql(f"CREATE DATABASE {name};")
    found = {}
    for engine, settings in ENGINES.items():
        folder = tmp_path_factory.mktemp(engine)
        url = on_server(postgresql, name) if engine == "postgresql" else address_of(folder)
        found[engine] = Restored(county, folder, url, **settings)
    yield found
    for one in found.values():
        one.database.close()
    postgresql.psql(f"DROP DATABASE {name} WITH (FORCE);")


@pytest.mark.parametrize("other", ["postgresql", "spark"])
def test_the_same_county_has_the_same_persons_and_the_same_release(everywhere, other):
    here, there = everywhere["sqlite"], everywhere[other]

    assert there.rows == here.rows
    assert len(here.persons) > PEOPLE / 4
    assert there.persons == here.persons
    assert there.tables == here.tables
    assert there.some == here.some
    assert here.some[1] > 0
    assert there.whole in (None, here.whole)
