"""The hub's matcher and resolver on Apache Spark: one setting chooses, and the run is the same."""

import os
import shutil

import pytest
from sqlalchemy import select

from hub.linking import service
from hub.linking.tables import Link, LinkageRun

pytestmark = pytest.mark.spark


def persons_of(hub, version):
    """Which records stand together in a run, and the run's quality."""
    with hub.database.reading() as session:
        quality = session.get_one(LinkageRun, version).quality
        links = session.execute(select(Link.provider, Link.reference, Link.person).where(Link.run == version)).all()
    together = {}
    for provider, reference, person in links:
        together.setdefault(person, set()).add((provider, reference))
    return {frozenset(records) for records in together.values()}, quality


def test_a_run_on_spark_is_the_run_of_this_process(sqlite_hub):
    pyspark_is_here = shutil.which("java") is not None
    try:
        import pyspark  # noqa: F401
    except ImportError:
        pyspark_is_here = False
    if not pyspark_is_here:
        (pytest.fail if os.environ.get("REQUIRE_JAVA") else pytest.skip)("needs pyspark and Java")
    hub = sqlite_hub
    hub.enrol("novato").deliver(range(60))
    hub.enrol("reed").deliver(range(30, 80), year=2025)

    runs = []
    for engine in ("embedded", "spark"):
        hub.settings = hub.settings.model_copy(update={"linkage_engine": engine, "spark_master": "local[2]"})
        with hub.database.transaction() as session:
            runs.append(service.request_run(session, audit=hub.trail))
        hub.work()

    (here, quality), (there, other_quality) = (persons_of(hub, version) for version in runs)
    assert any(len(records) > 1 for records in here)
    assert here == there
    assert quality == other_quality
