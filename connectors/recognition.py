"""Finds the layout of a file and says it, or refuses the file by name; never a guess.

With a header: by titles. Without: by the record type in the first field and the number of fields. Where years of a
layout differ, by what stands in the columns that moved.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from connectors.bundles.tables import squeezed
from connectors.decoding import refuse
from connectors.grids import Grid
from connectors.layout_files import Column, Layout, Variant, layouts
from connectors.lines import Line
from connectors.readers.mapped import mapped_reader
from connectors.rows import RowReader
from connectors.source_map import EMPTY, MAPPED, MappedFile, SourceMap

_SAMPLE_LINES = 2000
_FIXED_SPREAD = 8  # blanks at the end of a line are trimmed away


@dataclass(frozen=True)
class Recognised:
    """A file's layout as found: what is said of it, its columns by place, and the lines that hold rows."""

    layout: str
    named: str
    shape: str
    kind: str
    read: RowReader
    width: int
    width_most: int
    """A row may be wider than the titles by the empty cells that the header has at its end."""
    places: tuple[tuple[int, Column, str], ...]
    """Place in the line, column, and the name by which findings call it."""
    absent: tuple[Column, ...]
    entry: MappedFile | None
    first_row: int

    def said(self, year: int | None) -> str:
        """What is said of the file: name, year and shape, "CAASPP student score file 2024, 375 columns"."""
        return ", ".join(part for part in (f"{self.named} {year or ''}".rstrip(), self.shape) if part)


def recognise(grid: Grid, source_map: SourceMap = EMPTY) -> Recognised:
    """The layout of the file; raises FileRefusedError FIL-002, FIL-004, FIL-005 or FIL-009."""
    entry = source_map.entry_for(grid.name)
    if entry is not None and entry.layout == MAPPED:
        return _mapped(grid, entry)
    if entry is not None:
        return _by(layouts()[entry.layout], grid)
    titles = _titles(grid)
    candidates = [layout for layout in layouts().values() if _may_be(layout, grid, titles)]
    if not candidates:
        raise _unknown(grid, titles)
    return _by(max(candidates, key=lambda layout: len(_titles_found(layout, titles))), grid)


def _may_be(layout: Layout, grid: Grid, titles: frozenset[str]) -> bool:
    if layout.header:
        found = _titles_found(layout, titles)
        return set(layout.required) <= found and all(set(names) & found for names in layout.one_of)
    return _record_type(grid)[0] == layout.record_type


def _titles_found(layout: Layout, titles: frozenset[str]) -> set[str]:
    return {name for name, known in _known_titles(layout.id).items() if known & titles} if layout.header else set()


@cache
def _known_titles(layout: str) -> Mapping[str, frozenset[str]]:
    columns = layouts()[layout].columns
    return {column.name: frozenset(squeezed(title) for title in column.titles) for column in columns}


def _titles(grid: Grid) -> frozenset[str]:
    return frozenset(squeezed(cell) for cell in grid.lines[0].cells)


def _record_type(grid: Grid) -> tuple[str, bool, int]:
    """The record type of the first row, whether it is an ODS extract, and the index of that row."""
    first = 1 if len(grid.lines) > 1 and squeezed(grid.lines[0].cells[0]).startswith("recordtype") else 0
    word = grid.lines[first].cells[0].upper()
    return word.removesuffix("-R"), word.endswith("-R"), first


def _by(layout: Layout, grid: Grid) -> Recognised:
    return _by_titles(layout, grid) if layout.header else _by_places(layout, grid)


def _by_titles(layout: Layout, grid: Grid) -> Recognised:
    header = grid.lines[0].cells
    places, absent = _places(layout.columns, header)
    found = {column.name for _, column, _ in places}
    for name in layout.required:
        if name not in found:
            raise refuse("FIL-009", grid.name, f"{layout.name}: {name}")
    width = _width(grid.lines[0])
    named, shape = (grid.said, "") if grid.said else (layout.name, f"{width} columns")
    return _recognised(layout, grid, named=named, shape=shape, places=places, absent=absent, first=1)


def _by_places(layout: Layout, grid: Grid) -> Recognised:
    record_type, ods, first = _record_type(grid)
    rows = grid.lines[first:]
    width = _modal_width(rows)
    own = width - (layout.ods_extra if ods else 0)
    if record_type != layout.record_type or layout.widths is None or not layout.widths[0] <= own <= layout.widths[1]:
        raise refuse("FIL-004", grid.name, f"{layout.name} with {width} fields")
    variant = _variant(layout, rows, own)
    columns = layout.columns + (variant.columns if variant else ())
    places = tuple((column.at - 1, column, column.name) for column in columns if column.at is not None)
    what = " ODS extract" if ods else ""
    years = f", {variant.name}" if variant else ""
    shape = f"{width} fields{years}"
    return _recognised(layout, grid, named=f"{layout.name}{what}", shape=shape, places=places, absent=(), first=first)


def _variant(layout: Layout, rows: Sequence[Line], width: int) -> Variant | None:
    """The variant whose evidence is seen most often; the first listed where nothing is seen."""
    fitting = [one for one in layout.variants if one.widths is None or one.widths[0] <= width <= one.widths[1]]
    return max(fitting, key=lambda one: _seen(one.evidence, rows), default=None)


def _seen(evidence: Mapping[int, str], rows: Sequence[Line]) -> int:
    return sum(
        count
        for at, shape in evidence.items()
        for cell, count in Counter(line.cells[at - 1] for line in rows if at <= len(line.cells)).items()
        if re.fullmatch(shape, cell) is not None
    )


def _recognised(
    layout: Layout,
    grid: Grid,
    *,
    named: str,
    shape: str,
    places: tuple[tuple[int, Column, str], ...],
    absent: tuple[Column, ...],
    first: int,
) -> Recognised:
    if len(grid.lines) <= first:
        raise refuse("FIL-002", grid.name, layout.name)
    width = _width(grid.lines[0]) if layout.header else _modal_width(grid.lines[first:])
    most = len(grid.lines[0].cells) if layout.header else width
    return Recognised(layout.id, named, shape, layout.kind, layout.read, width, most, places, absent, None, first)


def _modal_width(rows: Sequence[Line]) -> int:
    """The number of fields that most rows have."""
    return Counter(len(line.cells) for line in rows[:_SAMPLE_LINES]).most_common(1)[0][0]


def _mapped(grid: Grid, entry: MappedFile) -> Recognised:
    header = grid.lines[0].cells
    places, absent = _places(entry.columns(), header)
    if absent:
        raise refuse("FIL-009", grid.name, f"sources.yaml: {absent[0].titles[0]}")
    if len(grid.lines) < 2:
        raise refuse("FIL-002", grid.name)
    read = mapped_reader(entry.table or "")
    width, most = _width(grid.lines[0]), len(header)
    named, shape = f"mapped file ({entry.table})", f"{width} columns"
    return Recognised(MAPPED, named, shape, entry.kind or "", read, width, most, places, (), entry, 1)


def _places(
    columns: Sequence[Column], header: Sequence[str]
) -> tuple[tuple[tuple[int, Column, str], ...], tuple[Column, ...]]:
    """Where each column stands; the first of its titles that the header has, the first place of that title."""
    where: dict[str, int] = {}
    for place, cell in enumerate(header):
        where.setdefault(squeezed(cell), place)
    found, absent = [], []
    for column in columns:
        title = next((title for title in column.titles if squeezed(title) in where), None)
        if title is None:
            absent.append(column)
        else:
            place = where[squeezed(title)]
            found.append((place, column, header[place]))
    return tuple(found), tuple(absent)


def _width(header: Line) -> int:
    """The number of titles, empty cells at the end left out."""
    cells = list(header.cells)
    while cells and not cells[-1]:
        cells.pop()
    return len(cells)


def _unknown(grid: Grid, titles: frozenset[str]) -> Exception:
    """The refusal of a file that no layout fits, naming what it looks like where that is known."""
    for one in _look_alikes()["titles"]:
        if {squeezed(title) for title in one["all"]} <= titles:
            return refuse("FIL-005", grid.name, f"{one['name']}; use {one['instead']}")
    one = _look_alikes()["record_types"].get(_record_type(grid)[0])
    if one is not None:
        return refuse("FIL-005", grid.name, f"{one['name']}; use {one['instead']}")
    return _nearest(grid, titles)


def _nearest(grid: Grid, titles: frozenset[str]) -> Exception:
    """Where most of a layout's titles are there, the one that is missing is named."""
    best = max(
        (layout for layout in layouts().values() if layout.header),
        key=lambda layout: len(_titles_found(layout, titles)) / len(layout.required),
    )
    found = _titles_found(best, titles)
    missing = [name for name in best.required if name not in found]
    if missing and len(missing) * 2 <= len(best.required) and len(best.required) > 2:
        return refuse("FIL-009", grid.name, f"{best.name}: {', '.join(missing)}")
    return refuse("FIL-017" if _is_fixed_width(grid) else "FIL-004", grid.name)


def _is_fixed_width(grid: Grid) -> bool:
    """Whether every line is one cell of the same length, longer than any title."""
    lengths = {len(line.cells[0]) for line in grid.lines[:_SAMPLE_LINES]}
    one_cell = all(len(line.cells) == 1 for line in grid.lines[:_SAMPLE_LINES])
    return one_cell and len(grid.lines) > 1 and max(lengths) - min(lengths) <= _FIXED_SPREAD and min(lengths) >= 20


@cache
def _look_alikes() -> Mapping[str, Any]:
    text = resources.files("connectors").joinpath("layouts/look_alikes.yaml").read_text("utf-8")
    read: Mapping[str, Any] = yaml.safe_load(text)
    return read
