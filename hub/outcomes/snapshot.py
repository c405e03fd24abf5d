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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute
import pyarrow.json
import pyarrow.parquet

from hub.engine_choice import EMBEDDED_ENGINE, EngineChoice
from hub.errors import StoreError
from hub.outcomes.engine import opened
from hub.outcomes.querying import Engine
from hub.outcomes.schema import ORGANISATIONS, PERSON, line_schema, snapshot_schemas
from policies.agreements import GRADE_ELEMENTS
from policies.dictionary import dictionary
from policies.organisation_files import Organisations
from policies.pseudonyms import Pseudonyms

BATCH_BYTES = 16 * 2**20


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
    return linked_tables(read_lines(facts), links=links, organisations=organisations, under=under, choice=choice)


def read_lines(facts: Iterable[SubmittedFacts]) -> dict[str, pa.Table]:
    """The lines of all facts by table, each with its origin; raises StoreError for a chunk that cannot be read."""
    lines: dict[str, list[pa.Table]] = {name: [_no_lines(name)] for name in dictionary().tables}
    for batch in _batches(facts):
        parsed = _parse(batch)
        for name, parts in lines.items():
            wanted = pyarrow.compute.equal(parsed["t"], name)
            parts.append(parsed.select(["t", *_line_columns(name)]).filter(wanted).drop_columns(["t"]))
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
    """The tables of a snapshot from lines that were read, under these links and pseudonyms."""
    inner, outer = under.pads()
    with opened(choice) as engine:
        engine.load("links", _link_table(links, under))
        engine.load("pads", pa.table({"inside": [inner], "outside": [outer]}))
        tables = {name: _fact_table(engine, name, table) for name, table in lines.items()}
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


@dataclass(frozen=True)
class _Batch:
    """JSON Lines of several submissions, and how many lines each gave."""

    content: bytes = field(repr=False)
    origins: tuple[tuple[SubmittedFacts, int], ...] = field(repr=False)


def _batches(facts: Iterable[SubmittedFacts]) -> Iterator[_Batch]:
    content: list[bytes] = []
    origins: list[tuple[SubmittedFacts, int]] = []
    size = 0
    for one in facts:
        for chunk in one.chunks:
            lines = _lines(chunk, one)
            content.append(lines)
            origins.append((one, lines.count(b"\n")))
            size += len(lines)
        if size >= BATCH_BYTES:
            yield _Batch(b"".join(content), tuple(origins))
            content, origins, size = [], [], 0
    if size:
        yield _Batch(b"".join(content), tuple(origins))


def _lines(chunk: bytes, origin: SubmittedFacts) -> bytes:
    try:
        lines = gzip.decompress(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(origin) from error
    return lines if lines.endswith(b"\n") or not lines else lines + b"\n"


def _parse(batch: _Batch) -> pa.Table:
    options = pyarrow.json.ParseOptions(explicit_schema=line_schema(), unexpected_field_behavior="error")
    blocks = pyarrow.json.ReadOptions(block_size=8 * 2**20)
    try:
        table = pyarrow.json.read_json(io.BytesIO(batch.content), read_options=blocks, parse_options=options)
    except pa.ArrowInvalid:
        raise _unreadable(None) from None
    lines = sum(count for _, count in batch.origins)
    if table.num_rows != lines:
        raise _unreadable(None)
    for name, kind in (("provider", pa.string()), ("kind", pa.string()), ("school_year", pa.int32())):
        table = table.append_column(pa.field(f"_{name}", kind), _repeated(batch, name, kind))
    return table


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
    columns: Mapping[str, Sequence[str]] = {
        "provider": links.provider,
        "reference": links.reference,
        "person": [under.of(person) for person in links.person],
    }
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def _fact_table(engine: Engine, name: str, lines: pa.Table) -> pa.Table:
    schema = snapshot_schemas()[name]
    engine.load("lines", lines)
    columns = ", ".join(_column(field) for field in schema)
    order = ", ".join(f"{place} NULLS LAST" for place in range(1, len(schema) + 1))
    query = (
        f"SELECT {columns} FROM lines AS l LEFT JOIN links AS k ON k.provider = l._provider AND k.reference = l.r"
        f" CROSS JOIN pads ORDER BY {order}"
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
