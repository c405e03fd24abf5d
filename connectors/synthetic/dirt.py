"""Spoils cells of the files as real offices' files are spoiled, at the rates of `dirt.yaml`; before the road."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml

from connectors.synthetic.forms import FileLines, forms

_GENDER_WORDS = {"M": "Male", "F": "Female", "X": "Nonbinary"}


@dataclass(frozen=True)
class Dirt:
    """One fault: of which kind of file and cell, what becomes of the cell, in which part of the rows, and why so."""

    form: str
    cell: str | int
    change: str
    rate: float
    basis: str
    field: int = 0

    def spoil(self, cells: list[str]) -> None:
        """Spoils its cell of one line; `after_field` writes the district's code before the school's, as some do."""
        place = self.place
        if self.change == "after_field":
            cells[place] = cells[self.field - 1] + cells[place]
        else:
            cells[place] = CHANGES[self.change](cells[place])

    @property
    def place(self) -> int:
        """The place of the cell in a line, from 0."""
        form = forms()[self.form]
        return self.cell - 1 if isinstance(self.cell, int) else form.titles.split(form.separator).index(self.cell)


@cache
def told_dirt() -> Mapping[str, Any]:
    """What `dirt.yaml` holds: lists of entries by what is wrong."""
    text = resources.files("connectors.synthetic").joinpath("dirt.yaml").read_text("utf-8")
    told: Mapping[str, Any] = yaml.safe_load(text)
    return told


@cache
def all_dirt() -> Sequence[Dirt]:
    """Every fault of a cell."""
    return tuple(Dirt(**entry) for entry in told_dirt()["dirt"])


@cache
def all_repeats() -> Sequence[Dirt]:
    """Every way in which a row stands twice with another value in one cell: a conflict of identity."""
    return tuple(Dirt(**entry) for entry in told_dirt()["repeats"])


def repeated(written: FileLines, rng: np.random.Generator) -> FileLines:
    """The same lines, some of them twice: first with another value in one cell, then as they were."""
    own = [one for one in all_repeats() if one.form == written.name]
    if not own or not written.lines:
        return written
    separator = forms()[written.name].separator
    lines, kept = list[str](), list[int]()
    drawn = [rng.random(len(written.lines)) < one.rate for one in own]
    for i, line in enumerate(written.lines):
        for one, befallen in zip(own, drawn, strict=True):
            if befallen[i]:
                cells = line.split(separator)
                one.spoil(cells)
                lines.append(separator.join(cells))
                kept.append(i)
        lines.append(line)
        kept.append(i)
    return replace(written, lines=lines, year=written.year[kept], organisation=written.organisation[kept])


def spoiled(written: FileLines, rng: np.random.Generator) -> FileLines:
    """The same lines with some cells spoiled; at most one fault of each cell."""
    lines = list(written.lines)
    separator = forms()[written.name].separator
    drawn: dict[int, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    below: dict[int, float] = {}
    for one in (one for one in all_dirt() if one.form == written.name):
        place = one.place
        draw = drawn.setdefault(place, rng.random(len(lines)))
        from_here = below.get(place, 0.0)
        below[place] = from_here + one.rate
        for i in np.flatnonzero((draw >= from_here) & (draw < below[place])).tolist():
            cells = lines[i].split(separator)
            one.spoil(cells)
            lines[i] = separator.join(cells)
    return replace(written, lines=lines)


def _next_day(cell: str) -> str:
    """A date of the form month/day/year one day on; the 28th turns to the 27th, so that every month has it."""
    month, _, rest = cell.partition("/")
    day, _, year = rest.partition("/")
    if not (month and day and year):
        return cell
    return f"{month}/{int(day) + 1 if int(day) < 28 else 27:02d}/{year}"


def _dated(shape: str) -> Callable[[str], str]:
    def change(cell: str) -> str:
        parts = cell.split("/")
        if len(parts) != 3:
            return cell
        month, day, year = parts
        return shape.format(month=month, day=day, year=year, m=int(month), d=int(day))

    return change


CHANGES: Mapping[str, Callable[[str], str]] = {
    "blank": lambda cell: "",
    "iso_date": _dated("{year}-{month}-{day}"),
    "dashed_date": _dated("{month}-{day}-{year}"),
    "short_date": _dated("{m}/{d}/{year}"),
    "first_letter": lambda cell: cell[:1],
    "gender_word": lambda cell: _GENDER_WORDS.get(cell, cell),
    "five_digits": lambda cell: cell[:5],
    "zip_plus_4": lambda cell: f"{cell}-1234" if cell else cell,
    "no_zero": lambda cell: cell[1:] if cell.startswith("0") else cell,
    "next_day": _next_day,
    "other_gender": lambda cell: {"M": "F", "F": "M"}.get(cell, cell),
    "underscore": lambda cell: f"{cell}_" if cell else cell,
}
