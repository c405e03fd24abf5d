"""Starts Apache Spark for a linkage run and ends it: the engine for more rows than one machine bears.

Spark 4 with Java 17. The master may be this machine (`local[2]`) or a cluster on which this program is installed
under the same paths; then `folder` must be one that every worker reaches.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import linkage
from hub.errors import SettingError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from hub.linking.comparing import Comparing
    from linkage.match.persons import Joining

SCALA_VERSION = "2.13"
"""pip installs one build of Spark; its scripts guess the Scala version wrongly unless they are told."""
_FIRST: list[Path] = []
"""The folder of this process's first session: Spark's program goes on laying its own files there in later ones."""
_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.io.encryption.enabled": "true",  # what Spark lays on a disk by the way are rows too
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000000",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.log.level": "OFF",  # a failed query's message may quote a value of a row
}


_SILENCE = """\
appender.nothing.type = Null
appender.nothing.name = nothing
rootLogger.level = off
rootLogger.appenderRef.nothing.ref = nothing
"""
"""Log4j settings of the workers: a failed query's message may quote a value of a row. Without an appender Spark would
take its own settings instead."""


@contextmanager
def spark_engine(master: str, *, folder: Path | None = None) -> Iterator[tuple[Comparing, Joining]]:
    """The matcher's and the resolver's part on Spark while the block runs; what was laid into `folder` is removed."""
    from hub.linking.spark.compare import compare_view
    from hub.linking.spark.join import joined_heads

    with spark_session(master, folder=folder, work="linkage") as (session, place):
        yield partial(compare_view, session=session, folder=place), partial(joined_heads, session=session, folder=place)


@contextmanager
def spark_session(master: str, *, folder: Path | None, work: str) -> Iterator[tuple[SparkSession, Path]]:
    """A session and a folder of its own while the block runs; raises SettingError `spark-missing`."""
    check_spark()
    place = Path(tempfile.mkdtemp(prefix=f"{work}-", dir=folder))
    _FIRST[:] = _FIRST or [place]
    for first in _FIRST:
        first.mkdir(mode=0o700, exist_ok=True)
    session = start_session(master, scratch=place / "scratch")
    try:
        yield session, place
    finally:
        session.stop()
        for used in {place, *_FIRST}:
            shutil.rmtree(used, ignore_errors=True)


def check_spark() -> None:
    """Raises SettingError `spark-missing` unless pyspark and Java are here."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home, "bin")) if home else None)
    if importlib.util.find_spec("pyspark") is None or java is None:
        raise SettingError(
            "The engine spark needs pyspark 4 and Java 17.",
            code="spark-missing",
            next_step="Install requirements-spark.lock and a Java 17, or use the engine embedded.",
        )


def start_session(master: str, *, scratch: Path) -> SparkSession:
    """A session whose workers run this interpreter and find this program; on this machine alone, by loopback."""
    from pyspark.logger import PySparkLogger
    from pyspark.sql import SparkSession

    PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True  # it would write such a message to standard error
    program = str(Path(linkage.__file__).resolve().parents[1])
    os.environ.setdefault("SPARK_SCALA_VERSION", SCALA_VERSION)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if master.startswith("local") or "127.0.0.1" in master:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    silence = scratch.parent / "log4j2.properties"
    silence.write_text(_SILENCE, encoding="utf-8")
    builder = SparkSession.builder.master(master).appName("linkage")
    for name, value in _SETTINGS.items():
        builder = builder.config(name, value)
    path = os.pathsep.join([program, *filter(None, [os.environ.get("PYTHONPATH")])])
    session = (
        builder.config("spark.executorEnv.PYTHONPATH", path)
        .config("spark.executor.extraJavaOptions", f"-Dlog4j2.configurationFile={silence.resolve().as_uri()}")
        .config("spark.local.dir", str(scratch))
        .config("spark.sql.warehouse.dir", str(scratch / "warehouse"))
        .getOrCreate()
    )
    session.conf.set("spark.sql.shuffle.partitions", str(2 * session.sparkContext.defaultParallelism))
    return session
