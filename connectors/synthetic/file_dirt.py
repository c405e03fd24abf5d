"""Spoils whole files as offices spoil them, and leaves useless ones beside them, at the rates of `dirt.yaml`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from connectors.synthetic.dirt import told_dirt
from connectors.synthetic.forms import OWN, Form, forms, from_spreadsheet
from connectors.synthetic.organisations import Organisation

FEW = 3  # rows of a file that was exported later for the sake of them
_APART = "_late"


@dataclass(frozen=True)
class FileDirt:
    """One fault of whole files: of which kind of file, what is done, to which part of the files, and why so."""

    form: str
    change: str
    rate: float
    basis: str


@dataclass(frozen=True)
class Stray:
    """A useless file more in the inbox: `content` is nothing, or titles alone."""

    form: str
    content: str
    rate: float
    basis: str


@dataclass(frozen=True)
class Kept:
    """One file as the office keeps it."""

    name: str
    lines: tuple[str, ...]
    end: str
    separator: str
    encoding: str
    mark: bool = False
    cut: bool = False

    @property
    def content(self) -> bytes:
        """All of the file; a mark only where the encoding knows one."""
        whole = self.end.join([*self.lines, ""])
        if self.cut and self.lines:
            whole = whole[: -len(self.end) - len(self.lines[-1]) // 2]
        mark = "\ufeff" if self.mark and self.encoding == "utf-8" else ""
        return (mark + whole).encode(self.encoding)


@cache
def all_file_dirt() -> Sequence[FileDirt]:
    """Every fault of whole files."""
    return tuple(FileDirt(**entry) for entry in told_dirt()["files"])


@cache
def all_strays() -> Sequence[Stray]:
    """Every kind of useless file."""
    return tuple(Stray(**entry) for entry in told_dirt()["strays"])


def kept_files(
    form: Form, lines: Sequence[str], *, organisation: Organisation, rng: np.random.Generator | None
) -> list[Kept]:
    """The file as it lies in the inbox, with at most one fault, and what lies there beside it; no `rng`, no fault."""
    file = _kept(form, lines, organisation)
    if rng is None:
        return [file]
    own = [one for one in all_file_dirt() if forms()[one.form] is form]
    chosen = int(np.searchsorted(np.cumsum([one.rate for one in own]), rng.random(), side="right"))
    found = spoil_file(file, own[chosen].change, titled=bool(form.titles)) if chosen < len(own) else [file]
    strays = [one for one in all_strays() if forms()[one.form] is form and rng.random() < one.rate]
    return [*found, *(_stray(one, file, form) for one in strays)]


def _kept(form: Form, lines: Sequence[str], organisation: Organisation) -> Kept:
    """The file before any fault of whole files; some offices open it in a spreadsheet and save it again."""
    encoding = organisation.encoding if form.encoding == OWN else form.encoding
    whole = (form.titles, *lines) if form.titles else tuple(lines)
    if not (form.resaved and organisation.spreadsheet):
        return Kept(form.name, whole, form.end, form.separator, encoding)
    return Kept(form.name, tuple(from_spreadsheet(line, form.separator) for line in whole), form.end, ",", encoding)


def _stray(stray: Stray, file: Kept, form: Form) -> Kept:
    """Another export of the same name that came to nothing."""
    lines = (form.titles,) if stray.content == "titles" else ()
    return replace(file, name=_named(file.name, "_new"), lines=lines, separator=form.separator)


def spoil_file(file: Kept, change: str, *, titled: bool) -> list[Kept]:
    """The file after one change; a second one where the change takes rows out of it."""
    if change == "last_rows_apart":
        rows = len(file.lines) - titled
        if rows <= FEW:
            return [file]
        late = (*file.lines[:titled], *file.lines[-FEW:])
        return [replace(file, lines=file.lines[:-FEW]), replace(file, name=_named(file.name, _APART), lines=late)]
    return [FILE_CHANGES[change](file)]


def _named(name: str, more: str) -> str:
    stem, _, ending = name.rpartition(".")
    return f"{stem}{more}.{ending}"


def _titles(change: Callable[[list[str]], list[str]]) -> Callable[[Kept], Kept]:
    def changed(file: Kept) -> Kept:
        first = file.separator.join(change(file.lines[0].split(file.separator)))
        return replace(file, lines=(first, *file.lines[1:]))

    return changed


def _cells(change: Callable[[int, list[str]], list[str]], separator: str = "") -> Callable[[Kept], Kept]:
    def changed(file: Kept) -> Kept:
        between = separator or file.separator
        lines = (between.join(change(i, line.split(file.separator))) for i, line in enumerate(file.lines))
        return replace(file, lines=tuple(lines), separator=between)

    return changed


def _inserted(place: int, cells: list[str]) -> list[str]:
    """Our own note in the middle; the title stands in the first line."""
    middle = len(cells) // 2
    return [*cells[:middle], "" if place else "Checked by office", *cells[middle:]]


def _plain(cell: str) -> str:
    """A cell that may stand between commas."""
    return cell.replace(",", " ")


FILE_CHANGES: Mapping[str, Callable[[Kept], Kept]] = {
    "spaced_titles": _titles(lambda titles: [f" {title} " for title in titles]),
    "capital_titles": _titles(lambda titles: [title.upper() for title in titles]),
    "snake_titles": _titles(lambda titles: [re.sub(r"\W+", "_", title).upper() for title in titles]),
    "empty_titles_behind": _titles(lambda titles: [*titles, "", ""]),
    "columns_turned": _cells(lambda place, cells: cells[::-1]),
    "column_inserted": _cells(_inserted),
    "quoted_cells": _cells(lambda place, cells: [f'"{cell}"' for cell in cells]),
    "commas": _cells(lambda place, cells: [_plain(cell) for cell in cells], ","),
    "line_feeds": lambda file: replace(file, end="\n"),
    "blank_lines": lambda file: replace(file, lines=tuple(x for line in file.lines for x in (line, ""))),
    "byte_order_mark": lambda file: replace(file, mark=True),
    "last_line_cut": lambda file: replace(file, cut=True),
}
