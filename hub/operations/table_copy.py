"""Copies of whole tables as lines of JSON, the same for both databases, with a digest that no order changes.

A copy is read and written by what the database says of its tables, not by today's models, so that a backup of an
earlier revision is restored at that revision and then migrated.
"""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import JSON, Boolean, Date, DateTime, LargeBinary, MetaData, Table, func, select, text
from sqlalchemy.engine import Connection

PART_ROWS = 5_000
DIGEST_BITS = 256
REVISIONS = "alembic_version"


@dataclass(frozen=True)
class TableSum:
    """How many rows a table has, and the sum of their hashes."""

    rows: int = 0
    digest: int = 0

    def plus(self, lines: Sequence[bytes]) -> TableSum:
        """With more rows."""
        hashes = sum(int.from_bytes(sha256(line).digest(), "big") for line in lines)
        return TableSum(self.rows + len(lines), (self.digest + hashes) % (1 << DIGEST_BITS))

    def as_json(self) -> dict[str, Any]:
        return {"rows": self.rows, "digest": f"{self.digest:064x}"}


def tables_of(connection: Connection) -> Sequence[Table]:
    """The tables that are there, each after those that it refers to; the revision's own is left out."""
    metadata = MetaData()
    metadata.reflect(connection)
    found = [table for table in metadata.sorted_tables if table.name != REVISIONS]
    for kind in [column.type for table in found for column in table.columns]:
        if isinstance(kind, JSON):
            kind.none_as_null = True
    return found


def parts_of(connection: Connection, table: Table) -> Iterator[Sequence[bytes]]:
    """The rows of a table as canonical lines, some thousands at a time."""
    query = select(table).execution_options(yield_per=PART_ROWS)
    for rows in connection.execute(query).mappings().partitions(PART_ROWS):
        yield [_line(row) for row in rows]


def sum_of(connection: Connection, table: Table) -> TableSum:
    """Count and digest of a table as it stands."""
    found = TableSum()
    for lines in parts_of(connection, table):
        found = found.plus(lines)
    return found


def packed(lines: Sequence[bytes]) -> bytes:
    """Lines as they rest in a file."""
    return gzip.compress(b"\n".join(lines), 6, mtime=0)


def unpacked(content: bytes) -> Sequence[bytes]:
    """The lines of such a file."""
    return gzip.decompress(content).split(b"\n")


def insert_lines(connection: Connection, table: Table, lines: Sequence[bytes]) -> None:
    """Write rows back as they were."""
    rows = [{name: _stored(table, name, value) for name, value in json.loads(line).items()} for line in lines]
    connection.execute(table.insert(), rows)


def restart_numbering(connection: Connection, table: Table) -> None:
    """Let the database's own numbers go on after the rows that were written with theirs."""
    numbered = [column for column in table.primary_key if column.autoincrement is True or column.server_default]
    if connection.dialect.name == "sqlite" or not numbered:
        return
    column = numbered[0]
    last = connection.execute(select(func.max(column))).scalar()
    if last is not None:
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
        ).scalar()
        connection.execute(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})


def _line(row: Mapping[Any, Any]) -> bytes:
    told = {str(name): _plain(value) for name, value in row.items()}
    return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, dt.datetime):
        aware = value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
        return aware.isoformat(timespec="microseconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def _stored(table: Table, name: str, value: Any) -> Any:
    kind = table.columns[name].type
    if value is None or isinstance(kind, JSON):
        return value
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value)
    if isinstance(kind, DateTime):
        return (
            dt.datetime.fromisoformat(value) if kind.timezone else dt.datetime.fromisoformat(value).replace(tzinfo=None)
        )
    if isinstance(kind, Date):
        return dt.date.fromisoformat(value)
    return bool(value) if isinstance(kind, Boolean) else value
