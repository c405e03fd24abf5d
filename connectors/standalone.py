"""Encodes any file of people without a hub: the work of `promise-edge encode`.

people.csv -> rows by map.yaml -> clear people -> linkage.encode -> one file that carries its own submission key

Record 1 is the first row under the titles; no number or name of the source is in the file that comes out.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from connectors.decoding import refuse
from connectors.errors import FileRefusedError, MappingError, WorkspaceError
from connectors.grids import Grid, read_grid
from connectors.keystore import LinkageSecret
from connectors.lines import Line
from connectors.people_map import PeopleMap, ordered_date
from linkage.encode.encoder import encode_roster
from linkage.encode.keys import subkey
from linkage.encode.person import GRADE_UNKNOWN, ClearPerson, SpanFacts
from linkage.errors import LinkageError
from linkage.profile import check_profile
from linkage.rows_file import KEY_CHECK_BYTES, RowsFile, rows_file_parts
from linkage.schema import LinkageSchema, current_schema

_KEY_CHECK = "file/key-check"
_DATE_PARTS = ("birth_year", "birth_month", "birth_day")
_REFERENCE_BYTES = 16


@dataclass(frozen=True)
class Encoded:
    """What was encoded, in counts: rows by view, records with a value by field, dates that could not be read."""

    records: int
    rows: Mapping[str, int]
    filled: Mapping[str, int]
    dates_unread: int
    first_unread_line: int | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class People:
    """The people of a file in its order. Its repr shows nobody."""

    people: Sequence[ClearPerson]
    filled: Mapping[str, int]
    dates_unread: int
    first_unread_line: int | None

    def __repr__(self) -> str:
        return f"People({len(self.people)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("clear identity is never pickled")


def encode_file(
    source: Path, *, people_map: PeopleMap, secret: LinkageSecret, out: Path, views: Sequence[str] = ()
) -> Encoded:
    """Writes the encoded people of `source` to the new file `out`; raises FileRefusedError, MappingError or, where a
    view is unknown or `out` stands already, WorkspaceError."""
    schema = current_schema()
    chosen = tuple(views) or schema.default_views
    _check_views(chosen, schema=schema)
    read = read_people(source, people_map)
    rng = np.random.default_rng()
    file, warnings = _encoded(read.people, schema=schema, secret=secret, views=chosen, rng=rng)
    _write(out, rows_file_parts(file))
    return Encoded(
        records=file.records,
        rows={view: len(rows) for view, rows in file.rows.items()},
        filled=read.filled,
        dates_unread=read.dates_unread,
        first_unread_line=read.first_unread_line,
        warnings=warnings,
    )


def read_people(source: Path, people_map: PeopleMap) -> People:
    """The people of a text file or workbook with one line of titles."""
    grid = read_grid(source, delimiter=people_map.delimiter)
    places = _places(grid, people_map)
    lines = grid.lines[1:]
    if not lines:
        raise refuse("FIL-001", grid.name)
    filled: Counter[str] = Counter()
    unread: list[int] = []
    people = [_person(number, line, places=places, people_map=people_map) for number, line in enumerate(lines, start=1)]
    for person, line in zip(people, lines, strict=True):
        filled.update(_filled_fields(person))
        if person.birth_date is None and _date_cells(line, places=places, people_map=people_map):
            unread.append(line.number)
    if not filled["given"] and not filled["surname"]:
        raise FileRefusedError("ENC-001", f"{grid.name}: no row has a name.", "Look at the columns that the map names.")
    return People(people, {name: filled[name] for name in _said_fields(places)}, len(unread), min(unread, default=None))


def _places(grid: Grid, people_map: PeopleMap) -> dict[str, tuple[int, ...]]:
    """By field, the columns that hold it; titles are compared without regard to case."""
    titles = {title.casefold(): place for place, title in reversed(list(enumerate(grid.lines[0].cells)))}
    for field, wanted in people_map.columns.items():
        for title in wanted:
            if title.casefold() not in titles:
                raise MappingError(
                    "MAP-006",
                    f"{grid.name} has no column of the title that the map names for {field}.",
                    "Write the title in the map as it stands in the first line of the file.",
                )
    return {field: tuple(titles[title.casefold()] for title in wanted) for field, wanted in people_map.columns.items()}


def _person(number: int, line: Line, *, places: Mapping[str, tuple[int, ...]], people_map: PeopleMap) -> ClearPerson:
    values = {field: tuple(_cells(line, field, places=places, people_map=people_map)) for field in places}

    def one(field: str) -> str | None:
        return " ".join(values.get(field, ())) or None

    return ClearPerson(
        number,
        given=one("given"),
        middle=one("middle"),
        surname=one("surname"),
        suffix=one("suffix"),
        alias_given=values.get("alias_given", ()),
        alias_surname=values.get("alias_surname", ()),
        birth_date=_birth_date(one("birth_date"), [one(part) for part in _DATE_PARTS], order=people_map.date_order),
        sex=one("sex"),
        postcode=one("postcode"),
        ssid=one("ssid"),
        guardian=values.get("guardian", ()),
    )


def _cells(line: Line, field: str, *, places: Mapping[str, tuple[int, ...]], people_map: PeopleMap) -> Iterator[str]:
    """What the columns of one field hold in one row, codes put in our words, missing values left out."""
    codes = people_map.codes.get(field, {})
    for place in places.get(field, ()):
        cell = line.cells[place] if place < len(line.cells) else ""
        if cell and cell not in people_map.missing:
            yield codes.get(cell, cell)


def _birth_date(whole: str | None, parts: Sequence[str | None], *, order: str) -> str | None:
    if whole is not None:
        return ordered_date(whole, order)
    year, month, day = parts
    return ordered_date(f"{year}-{month}-{day}", order) if year and month and day else None


def _date_cells(line: Line, *, places: Mapping[str, tuple[int, ...]], people_map: PeopleMap) -> bool:
    return any(
        next(_cells(line, field, places=places, people_map=people_map), None) for field in ("birth_date", *_DATE_PARTS)
    )


def _filled_fields(person: ClearPerson) -> list[str]:
    fields = ("given", "middle", "surname", "alias_given", "alias_surname", "birth_date", "sex", "postcode", "ssid")
    return [field for field in (*fields, "suffix", "guardian") if getattr(person, field)]


def _said_fields(places: Mapping[str, object]) -> list[str]:
    return list(dict.fromkeys("birth_date" if field in _DATE_PARTS else field for field in places))


def _encoded(
    people: Sequence[ClearPerson],
    *,
    schema: LinkageSchema,
    secret: LinkageSecret,
    views: tuple[str, ...],
    rng: np.random.Generator,
) -> tuple[RowsFile, tuple[str, ...]]:
    submission_key = secrets.token_bytes(32)
    encoded = encode_roster(
        people,
        spans=[_span(person.local_record) for person in people],
        schema=schema,
        secret=secret.content,
        submission_key=submission_key,
        views=views,
        minimum_records=0,
        rng=rng,
    )
    warnings = []
    for view, measured in encoded.profile.items():
        try:
            check_profile({view: measured}, records=encoded.records)
        except LinkageError as error:
            warnings.append(f"{measured.largest:,} records share one value of view {view}: {error.next_step}")
    file = RowsFile(
        schema_hash=schema.hash,
        key_check=subkey(secret.content, schema=schema, purpose=_KEY_CHECK)[:KEY_CHECK_BYTES].hex(),
        submission_key=submission_key,
        records=encoded.records,
        spans=encoded.spans,
        rows=encoded.rows,
    )
    return file, tuple(warnings)


def _span(record: int) -> SpanFacts:
    """One span without time, place or grade, which no history contradicts; the reference is the record number."""
    return SpanFacts(record, record.to_bytes(_REFERENCE_BYTES, "big"), 0, GRADE_UNKNOWN, False, 0, 0)


def _check_views(views: Sequence[str], *, schema: LinkageSchema) -> None:
    known = [view.name for view in schema.views]
    if set(views) - set(known):
        raise WorkspaceError("ENC-002", "The linkage schema has no such view.", f"Use of these: {', '.join(known)}.")


def _write(out: Path, parts: Iterator[bytes]) -> None:
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise WorkspaceError("ENC-003", f"{out.name} stands already.", "Give another --out, or move it away.") from None
    except OSError:
        raise WorkspaceError("ENC-003", f"{out.name} cannot be written.", "Give a folder that exists.") from None
    with os.fdopen(descriptor, "wb") as stream:
        for part in parts:
            stream.write(part)
