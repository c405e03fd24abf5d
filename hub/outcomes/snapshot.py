"""Turns the facts chunks of accepted submissions and the links of one linkage version into snapshot tables.

Between linking and counting. Pure but for the memory it takes: bytes in, tables out. The same submissions and links
give the same bytes, in whatever order they come.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute
import pyarrow.json
import pyarrow.parquet

from hub.engine_choice import EMBEDDED_ENGINE, EngineChoice
from hub.errors import StoreError
from hub.outcomes.engine import opened
from hub.outcomes.querying import Engine
from hub.outcomes.schema import ORGANISATIONS, PERSON, line_schema, snapshot_schemas, table_line_schema
from policies.agreements import GRADE_ELEMENTS
from policies.dictionary import dictionary
from policies.organisation_files import Organisations
from policies.pseudonyms import Pseudonyms

BATCH_BYTES = 4 * 2**20


@dataclass(frozen=True)
class SubmittedFacts:
    """The facts chunks of one accepted submission, as sent: gzip of JSON Lines."""

    submission: str
    provider: str
    kind: str
    school_year: int
    chunks: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True)
class PersonLinks:
    """Which person each record is, as three columns of one length."""

    provider: Sequence[str] = field(repr=False)
    reference: Sequence[str] = field(repr=False)
    person: Sequence[str] = field(repr=False)


def snapshot_tables(
    facts: Iterable[SubmittedFacts],
    *,
    links: PersonLinks,
    organisations: Organisations,
    under: Pseudonyms,
    choice: EngineChoice = EMBEDDED_ENGINE,
) -> dict[str, pa.Table]:
    """Every table of a snapshot, sorted by all its columns; raises StoreError for a chunk that cannot be read.

    A record that no link names is a person of its own, with an id made from provider and reference. What stands in the
    tables are pseudonyms of these ids.
    """
    return _tables(read_lines(facts), links, under=under, organisations=organisations, choice=choice, order=_by_all)


def read_lines(facts: Iterable[SubmittedFacts]) -> dict[str, pa.Table]:
    """The lines of all facts by table, each with its origin; raises StoreError for a chunk that cannot be read."""
    lines: dict[str, list[pa.Table]] = {name: [_no_lines(name)] for name in dictionary().tables}
    for batch in _batches(facts):
        parsed = _parse(batch)
        for name in lines if batch.table is None else [batch.table]:
            told = parsed if batch.table is not None else parsed.filter(pyarrow.compute.equal(parsed["t"], name))
            lines[name].append(told.select(_line_columns(name)))
    return {name: pa.concat_tables(parts) for name, parts in lines.items()}


def of_grades(chunk: bytes, grades: frozenset[str]) -> bytes:
    """A facts chunk without the rows of other grades."""
    kept = [line for line in gzip.decompress(chunk).splitlines(keepends=True) if _is_of(json.loads(line), grades)]
    return gzip.compress(b"".join(kept), mtime=0)


def linked_tables(
    lines: Mapping[str, pa.Table],
    *,
    links: PersonLinks,
    organisations: Organisations,
    under: Pseudonyms,
    choice: EngineChoice = EMBEDDED_ENGINE,
) -> dict[str, pa.Table]:
    """The same tables from lines that were read, in no order: to be counted and not to be kept."""
    return _tables(lines, links, under=under, organisations=organisations, choice=choice, order=_as_they_come)


def _tables(
    lines: Mapping[str, pa.Table],
    links: PersonLinks,
    *,
    under: Pseudonyms,
    organisations: Organisations,
    choice: EngineChoice,
    order: Callable[[int], str],
) -> dict[str, pa.Table]:
    inner, outer = under.pads()
    with opened(choice) as engine:
        engine.load("links", _link_table(links, under))
        engine.load("pads", pa.table({"inside": [inner], "outside": [outer]}))
        tables = {name: _fact_table(engine, name, table, order) for name, table in lines.items()}
    return {**tables, ORGANISATIONS: organisation_table(organisations)}


def organisation_table(organisations: Organisations) -> pa.Table:
    """The organisations as a table of the snapshot, in the order of their file."""
    rows = [
        {
            "id": member.id,
            "kind": member.kind,
            "area": member.area,
            "merge": member.merge,
            "first_year": member.first_year,
            "last_year": member.last_year,
        }
        for member in organisations.members
    ]
    return pa.Table.from_pylist(rows, schema=snapshot_schemas()[ORGANISATIONS])


def parquet_bytes(table: pa.Table) -> bytes:
    """The table as one Parquet file; equal tables give equal bytes under one version of the library."""
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink, compression="zstd", row_group_size=2**20, store_schema=False)
    return sink.getvalue()


def read_parquet(content: bytes, name: str) -> pa.Table:
    """The table back from its bytes, in the schema of its name."""
    return pyarrow.parquet.read_table(io.BytesIO(content)).cast(snapshot_schemas()[name])


def content_hash(content: bytes) -> str:
    """SHA-256 of a file of the snapshot, 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


@dataclass
class _Batch:
    """JSON Lines of one table, or of any where the table is None, and how many lines each submission gave."""

    table: str | None
    content: list[bytes] = field(default_factory=list, repr=False)
    origins: list[tuple[SubmittedFacts, int]] = field(default_factory=list, repr=False)
    size: int = 0

    def add(self, origin: SubmittedFacts, lines: Sequence[bytes]) -> None:
        self.content.extend(lines)
        self.origins.append((origin, len(lines)))
        self.size += sum(map(len, lines))


def _batches(facts: Iterable[SubmittedFacts]) -> Iterator[_Batch]:
    """Lines of one table together: a line is parsed several times as fast where only its own elements may stand."""
    piles: dict[str | None, _Batch] = {}
    for one in facts:
        for chunk in one.chunks:
            for table, lines in _by_table(_lines(chunk, one)).items():
                pile = piles.setdefault(table, _Batch(table))
                pile.add(one, lines)
                if pile.size >= BATCH_BYTES:
                    yield piles.pop(table)
    yield from piles.values()


def _by_table(content: bytes) -> dict[str | None, list[bytes]]:
    """The lines by the table that they name last; None for those that name it in another way of writing."""
    known = {name.encode(): name for name in dictionary().tables}
    found: dict[str | None, list[bytes]] = {}
    for line in content.split(b"\n")[:-1]:
        _, named, rest = line.rpartition(b'"t":"')
        table = known.get(rest[: rest.find(b'"')]) if named else None
        found.setdefault(table, []).append(line)
    return found


def _lines(chunk: bytes, origin: SubmittedFacts) -> bytes:
    try:
        lines = gzip.decompress(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(origin) from error
    return lines if lines.endswith(b"\n") or not lines else lines + b"\n"


def _parse(batch: _Batch) -> pa.Table:
    schema = line_schema() if batch.table is None else table_line_schema(batch.table)
    options = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    blocks = pyarrow.json.ReadOptions(block_size=8 * 2**20)
    content = io.BytesIO(b"\n".join(batch.content) + b"\n")
    try:
        table = pyarrow.json.read_json(content, read_options=blocks, parse_options=options)
    except pa.ArrowInvalid:
        raise _unreadable(None) from None
    lines = sum(count for _, count in batch.origins)
    if table.num_rows != lines or not (batch.table is None or _names_only(table, batch.table)):
        raise _unreadable(None)
    for name, kind in (("provider", pa.string()), ("kind", pa.string()), ("school_year", pa.int32())):
        table = table.append_column(pa.field(f"_{name}", kind), _repeated(batch, name, kind))
    return table


def _names_only(parsed: pa.Table, table: str) -> bool:
    return bool(pyarrow.compute.all(pyarrow.compute.equal(parsed["t"], table), min_count=0).as_py())


def _repeated(batch: _Batch, name: str, kind: pa.DataType) -> pa.ChunkedArray:
    parts = [pa.repeat(pa.scalar(getattr(origin, name), kind), count) for origin, count in batch.origins]
    return pa.chunked_array(parts, type=kind).combine_chunks()


def _line_columns(name: str) -> list[str]:
    return ["r", "_provider", "_kind", "_school_year", *dictionary().tables[name].elements]


def _no_lines(name: str) -> pa.Table:
    origin = {"_provider": pa.string(), "_kind": pa.string(), "_school_year": pa.int32()}
    fields = {**{read.name: read.type for read in line_schema()}, **origin}
    return pa.schema([(column, fields[column]) for column in _line_columns(name)]).empty_table()


def _link_table(links: PersonLinks, under: Pseudonyms) -> pa.Table:
    named = {person: under.of(person) for person in set(links.person)}
    columns: Mapping[str, Sequence[str]] = {
        "provider": links.provider,
        "reference": links.reference,
        "person": [named[person] for person in links.person],
    }
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def _by_all(columns: int) -> str:
    """Sorted by all columns, so that equal tables are equal bytes."""
    return " ORDER BY " + ", ".join(f"{place} NULLS LAST" for place in range(1, columns + 1))


def _as_they_come(columns: int) -> str:
    return ""


def _fact_table(engine: Engine, name: str, lines: pa.Table, order: Callable[[int], str]) -> pa.Table:
    schema = snapshot_schemas()[name]
    engine.load("lines", lines)
    columns = ", ".join(_column(field) for field in schema)
    query = (
        f"SELECT {columns} FROM lines AS l LEFT JOIN links AS k ON k.provider = l._provider AND k.reference = l.r"
        f" CROSS JOIN pads{order(len(schema))}"
    )
    return engine.table(query, schema)


def _column(field: pa.Field) -> str:
    if field.name == PERSON:
        alone = "SUBSTR(SHA256(CONCAT('alone', CHR(10), l._provider, CHR(10), l.r)), 1, 32)"
        inner = f"UNHEX(SHA256(pads.inside || CAST({alone} AS BLOB)))"
        return f"COALESCE(k.person, SUBSTR(SHA256(pads.outside || {inner}), 1, 32)) AS {PERSON}"
    if field.name in ("provider", "kind", "school_year"):
        return f"l._{field.name} AS {field.name}"
    return f"CAST(l.{field.name} AS DATE) AS {field.name}" if field.type == pa.date32() else f"l.{field.name}"


def _is_of(row: Mapping[str, object], grades: frozenset[str]) -> bool:
    return all(row["t"] != table or row.get(name) in grades for table, name in GRADE_ELEMENTS)


def _unreadable(origin: SubmittedFacts | None) -> StoreError:
    place = f"{origin.provider}, {origin.kind}, {origin.school_year}" if origin else "one of the facts chunks"
    return StoreError(f"Stored facts cannot be read: {place}.", code="facts-unreadable")
