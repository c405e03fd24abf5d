"""What an engine of counting gives: named tables and queries over them, and how it says that one failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pyarrow as pa


class QueryError(Exception):
    """A query failed; says what kind of failure, never the engine's own words, which may quote a value."""


class Engine(Protocol):
    """Named tables and queries over them. Each query is one SELECT in DuckDB's dialect; all raise QueryError."""

    def load(self, name: str, table: pa.Table) -> None:
        """Make or replace a table from rows that are in memory."""

    def make(self, name: str, query: str) -> None:
        """Make or replace a table from a query, which may read the table it replaces."""

    def show(self, name: str, query: str) -> None:
        """Make or replace a view."""

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        """The answer of a query, in its order."""

    def table(self, query: str, schema: pa.Schema) -> pa.Table:
        """The answer of a query as one table of this schema, in its order."""
