"""Spoils cells of the files as real offices' files are spoiled, at the rates of `dirt.yaml`; before the road."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

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
def all_dirt() -> Sequence[Dirt]:
    """Every fault of `dirt.yaml`."""
    text = resources.files("connectors.synthetic").joinpath("dirt.yaml").read_text("utf-8")
    return tuple(Dirt(**entry) for entry in yaml.safe_load(text)["dirt"])


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
    "underscore": lambda cell: f"{cell}_" if cell else cell,
}
