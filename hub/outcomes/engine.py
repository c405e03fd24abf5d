"""The engine that runs the queries of a snapshot and of counting: this process, or Apache Spark with the same answers.

Queries are written once, in the dialect of the embedded engine; another engine translates them. Tables are named and
live as long as the engine is open; the embedded one holds them in memory, opens no file and writes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from hub.engine_choice import EMBEDDED, EMBEDDED_ENGINE, SPARK, EngineChoice, unknown_engine
from hub.outcomes.querying import Engine, QueryError

THREADS = 2
_CONFIGURATION: Mapping[str, str] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "temp_directory": "",
    "threads": str(THREADS),
    "python_enable_replacements": "false",
}


class EmbeddedEngine:
    """DuckDB in this process."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __repr__(self) -> str:
        return "EmbeddedEngine()"

    def load(self, name: str, table: pa.Table) -> None:
        self._connection.register("arriving", table)
        self._run(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM arriving")
        self._connection.unregister("arriving")

    def make(self, name: str, query: str) -> None:
        self._run(f"CREATE OR REPLACE TABLE {name} AS {query}")

    def show(self, name: str, query: str) -> None:
        self._run(f"CREATE OR REPLACE VIEW {name} AS {query}")

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        return self._run(query).fetchall()

    def table(self, query: str, schema: pa.Schema) -> pa.Table:
        with _told_by_kind():
            return self._connection.sql(query).to_arrow_table().cast(schema).combine_chunks()

    def _run(self, query: str) -> duckdb.DuckDBPyConnection:
        with _told_by_kind():
            return self._connection.execute(query)


@contextmanager
def _told_by_kind() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise QueryError(type(error).__name__) from None


@contextmanager
def opened(choice: EngineChoice = EMBEDDED_ENGINE) -> Iterator[Engine]:
    """The engine while the block runs; every table is forgotten at its end.

    Raises SettingError `engine-unknown` or, for Spark, `spark-missing`.
    """
    if choice.name == SPARK:
        from hub.outcomes.on_spark import spark_engine

        with spark_engine(choice.spark_master, folder=choice.spark_folder) as engine:
            yield engine
        return
    if choice.name != EMBEDDED:
        raise unknown_engine()
    connection = duckdb.connect(":memory:", config=dict(_CONFIGURATION))
    try:
        yield EmbeddedEngine(connection)
    finally:
        connection.close()
