"""Snapshots and counting on Apache Spark: the same queries, translated, with the same answers.

For more rows than one machine bears. Tables go to Spark by Arrow and live there as views; what more than one query
reads is kept by its workers, encrypted where it spills to a disk. Only answers come back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlglot

from hub.linking.spark.session import spark_session
from hub.outcomes.querying import QueryError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class SparkEngine:
    """One Spark session as an engine of queries."""

    def __init__(self, session: SparkSession) -> None:
        self._session = session
        self._kept: dict[str, DataFrame] = {}

    def __repr__(self) -> str:
        return "SparkEngine()"

    def load(self, name: str, table: pa.Table) -> None:
        self._session.createDataFrame(table.combine_chunks()).createOrReplaceTempView(name)

    def make(self, name: str, query: str) -> None:
        with _told_by_kind():
            self._keep(name, self._session.sql(in_spark(query)))

    def show(self, name: str, query: str) -> None:
        with _told_by_kind():
            self._session.sql(in_spark(query)).createOrReplaceTempView(name)

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        with _told_by_kind():
            return [tuple(row) for row in self._session.sql(in_spark(query)).collect()]

    def table(self, query: str, schema: pa.Schema) -> pa.Table:
        with _told_by_kind():
            return self._session.sql(in_spark(query)).toArrow().cast(schema).combine_chunks()

    def _keep(self, name: str, frame: DataFrame) -> None:
        """Under its name from here on; computed now, so that a replaced table is what it was when it was read."""
        kept = frame.localCheckpoint(eager=True)
        kept.createOrReplaceTempView(name)
        before = self._kept.pop(name, None)
        self._kept[name] = kept
        if before is not None:
            before.unpersist()


@contextmanager
def spark_engine(master: str, *, folder: Path | None = None) -> Iterator[SparkEngine]:
    """The engine while the block runs; raises SettingError `spark-missing`."""
    with spark_session(master, folder=folder, work="counting") as (session, _):
        yield SparkEngine(session)


@cache
def in_spark(query: str) -> str:
    """A query of the embedded engine's dialect in Spark's."""
    (written,) = sqlglot.transpile(query, read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)
    return written


@contextmanager
def _told_by_kind() -> Iterator[None]:
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        raise QueryError(type(error).__name__) from None
