"""Reads the rows of a state's public file into figures: recognises the layout by its header, the year by its rows.

Pure: rows of cells in, figures out. What the state hides (`*`) stays hidden, and a figure of a group under our own
least count is not repeated by us.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from policies.disclosure_floor import MINIMUM_N
from policies.organisation_files import organisations
from policies.state_figures.layouts import Layout, Measure, Titles, layouts

HEADER_LINES = 8
"""Titles of a workbook may stand under a few lines of words."""

STATE, COUNTY, ELSEWHERE = "state", "county", ""
"""Places beside our districts; `ELSEWHERE` are agencies of the county that are no district of ours."""

HIDDEN = "*"


class StateFileError(ValueError):
    """A file that is refused: a stable code, the reason, and what to do; never a cell of it."""

    def __init__(self, code: str, reason: str, next_step: str) -> None:
        super().__init__(reason)
        self.code, self.reason, self.next_step = code, reason, next_step


@dataclass(frozen=True, order=True)
class StateFigure:
    """One figure of the state: a measure of a group in a place and year.

    `place` is `state`, `county` or one of our districts; `dimension` and `level` are empty for all students. `n` and
    `k` are None where the file does not tell them; `rate` is in per cent. A hidden figure has none of the three.
    """

    measure: str
    year: int
    place: str
    dimension: str = ""
    level: str = ""
    n: int | None = None
    k: int | None = None
    rate: float | None = None
    hidden: bool = False


@dataclass(frozen=True)
class StateFile:
    """What was read of one file: its layout, its years, the figures, and how many rows were of other places."""

    layout: str
    title: str
    source: str
    years: tuple[int, ...]
    figures: tuple[StateFigure, ...]
    rows: int
    other_rows: int


def read_state_rows(rows: Iterable[Sequence[str]]) -> StateFile:
    """The figures of our county, its districts and the state; raises StateFileError with the reason."""
    lines = iter(rows)
    name, columns = _recognised(lines)
    layout = layouts().layouts[name]
    gathered = _Gathered()
    for cells in lines:
        if any(cells):
            gathered.rows += 1
            _gather(layout, _Row(columns, cells, gathered.rows), gathered)
    if not gathered.rows:
        raise StateFileError("state-file-empty", "the file has a header and no rows", "Fetch the file again.")
    told = [one for one in gathered.every() if one.place != ELSEWHERE]
    if layout.sum_county:
        if gathered.rows > gathered.other_rows and not told:
            raise StateFileError(
                "state-file-of-schools",
                "the rows are those of schools",
                f"Give the sheet whose name begins with {layout.worksheet}.",
            )
        told += _county_sums(gathered.every())
    figures = tuple(sorted(_without_small(one) for one in told))
    years = tuple(sorted(gathered.years))
    return StateFile(name, layout.title, layout.source, years, figures, gathered.rows, gathered.other_rows)


@dataclass
class _Gathered:
    """What was found so far; `other_rows` are those of places and repetitions that are not read."""

    figures: dict[StateFigure, StateFigure] = field(default_factory=dict)
    parts: list[StateFigure] = field(default_factory=list)
    years: set[int] = field(default_factory=set)
    rows: int = 0
    other_rows: int = 0

    def every(self) -> list[StateFigure]:
        return [*self.figures.values(), *self.parts]


def _gather(layout: Layout, row: _Row, gathered: _Gathered) -> None:
    place = _place(layout, row)
    if place is None or not _kept(layout, row):
        gathered.other_rows += 1
        return
    year = _year(row(layout.year.column), gathered.rows)
    gathered.years.add(year)
    for figure in _figures(layout, row, place=place, year=year):
        if place == ELSEWHERE:
            gathered.parts.append(figure)
        else:
            _add(gathered.figures, figure)


class _Row:
    """The cells of a line by title."""

    def __init__(self, columns: Mapping[str, int], cells: Sequence[str], number: int) -> None:
        self._columns, self._cells, self._number = columns, cells, number

    def __call__(self, titles: str | Titles) -> str:
        """The cell under the first of the titles that the file has."""
        wanted = (titles,) if isinstance(titles, str) else titles
        place = next(self._columns[_bare(title)] for title in wanted if _bare(title) in self._columns)
        return self._cells[place].strip() if place < len(self._cells) else ""

    def count(self, titles: Titles) -> int | None:
        """A whole number; None where it is hidden or blank."""
        text = self(titles).replace(",", "") if titles else ""
        if text in ("", HIDDEN):
            return None
        if not re.fullmatch(r"\d+(\.0+)?", text):
            raise self._refusal()
        return int(float(text))

    def rate(self, titles: Titles) -> float | None:
        """A rate in per cent; None where it is hidden or blank."""
        text = self(titles).removesuffix("%").strip() if titles else ""
        if text in ("", HIDDEN):
            return None
        if not re.fullmatch(r"\d{1,3}(\.\d+)?", text) or float(text) > 100:
            raise self._refusal()
        return round(float(text), 1)

    def _refusal(self) -> StateFileError:
        return StateFileError(
            "state-number-wrong",
            f"row {self._number} has something else where a number should stand",
            "Fetch the file again; do not save it from a spreadsheet.",
        )


def _recognised(lines: Iterable[Sequence[str]]) -> tuple[str, dict[str, int]]:
    """The layout whose every title stands in one of the first lines; the one with most titles wins."""
    for _, cells in zip(range(HEADER_LINES), lines, strict=False):
        columns = {_bare(cell): place for place, cell in reversed(list(enumerate(cells))) if _bare(cell)}
        fitting = [name for name, layout in layouts().layouts.items() if _fits(layout, columns)]
        if fitting:
            return max(fitting, key=lambda name: len(layouts().layouts[name].required())), columns
    known = "; ".join(layout.title for layout in layouts().layouts.values())
    raise StateFileError(
        "state-layout-unknown",
        "no line near the top has the titles of a known layout",
        f"These are read: {known}. A new year's titles are added in policies/state_figures/layouts.yaml.",
    )


def _fits(layout: Layout, columns: Mapping[str, int]) -> bool:
    return all(any(_bare(title) in columns for title in titles) for titles in layout.required())


def _bare(title: str) -> str:
    """A title without case, signs and spaces; typographic apostrophes and line breaks come and go between years."""
    return re.sub(r"[^a-z0-9]", "", title.lower())


def _place(layout: Layout, row: _Row) -> str | None:
    """Which place a row counts, or None: another county, a school."""
    county, district = row(layout.place.county).zfill(2), row(layout.place.district).zfill(5)
    school = row(layout.place.school).zfill(7) if layout.place.school else "0" * 7
    level = row(layout.place.level).upper() if layout.place.level else _level(county, district, school)
    if level == "T":
        return STATE
    if county != organisations().county:
        return None
    if level == "C":
        return COUNTY
    if level == "D":
        agency = organisations().of_code(county + district)
        return ELSEWHERE if agency is None else agency.id
    return ELSEWHERE if layout.sum_county else None


def _level(county: str, district: str, school: str) -> str:
    if school != "0" * 7:
        return "S"
    if district != "0" * 5:
        return "D"
    return "T" if county == "00" else "C"


def _kept(layout: Layout, row: _Row) -> bool:
    return all(row(column).lower() in {value.lower() for value in values} for column, values in layout.keep.items())


def _year(text: str, number: int) -> int:
    """The ending year of `2022-23`, `2022-2023`, `2022–23` or `2023`."""
    match = re.fullmatch(r"(\d{4})(?:\D(\d{2}|\d{4}))?", text)
    if match is None or (match[2] and (int(match[1]) + 1) % 100 != int(match[2]) % 100):
        raise StateFileError("state-year-wrong", f"row {number} names no school year", "Fetch the file again.")
    return int(match[1]) + 1 if match[2] else int(match[1])


def _figures(layout: Layout, row: _Row, *, place: str, year: int) -> Iterator[StateFigure]:
    group: tuple[str, ...] | None = ()
    if layout.group is not None:
        code = row(layout.group.column)
        group = layouts().codes[layout.group.codes].get(code.lstrip("0") if code.isdigit() else code.upper())
    if group is None:
        return
    dimension, level = group or ("", "")
    for name, measure in layout.measures.items():
        if layout.test is not None and _tested(layout.test.column, layout.test.grade, row) != (
            measure.test,
            measure.grade,
        ):
            continue
        yield _figure(measure, row, StateFigure(name, year, place, dimension, level))


def _tested(test: str, grade: str, row: _Row) -> tuple[int | None, int | None]:
    return row.count((test,)), row.count((grade,))


def _figure(measure: Measure, row: _Row, named: StateFigure) -> StateFigure:
    n, k, rate = row.count(measure.n), row.count(measure.k), row.rate(measure.rate)
    if n is None or (rate is None and (k is None or bool(measure.rate))):
        return replace(named, hidden=True)
    if rate is None:
        rate = round(100 * (k or 0) / n, 1) if n else None
    return replace(named, n=n, k=k, rate=rate)


def _add(found: dict[StateFigure, StateFigure], figure: StateFigure) -> None:
    key = StateFigure(figure.measure, figure.year, figure.place, figure.dimension, figure.level)
    if found.setdefault(key, figure) != figure:
        raise StateFileError(
            "state-figure-twice",
            "the file tells one figure twice, in two ways",
            "Fetch the file again; rows of several files must not be put together.",
        )


def _county_sums(figures: Iterable[StateFigure]) -> Iterator[StateFigure]:
    """A county's figures where the file has agencies alone: summed, and hidden where any part is."""
    parts: dict[tuple[str, int], list[StateFigure]] = {}
    for figure in figures:
        parts.setdefault((figure.measure, figure.year), []).append(figure)
    for (measure, year), members in parts.items():
        n, k = (sum(getattr(one, name) or 0 for one in members) for name in ("n", "k"))
        if any(one.hidden for one in members) or not n:
            yield StateFigure(measure, year, COUNTY, hidden=True)
        else:
            yield StateFigure(measure, year, COUNTY, n=n, k=k, rate=round(100 * k / n, 1))


def _without_small(figure: StateFigure) -> StateFigure:
    """A figure of a group under our least count is hidden, whatever the state does."""
    if figure.n is not None and figure.n < MINIMUM_N:
        return replace(figure, n=None, k=None, rate=None, hidden=True)
    return figure
