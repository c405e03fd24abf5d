"""Reads somebody's report of counts, a CSV file of any making, as groups of persons and what is printed of each.

Beside the road: no hub, no person, no database. What a number or a mark in a field may stand for is said here.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from hub.errors import Fault, Invalid
from policies.disclosure.provisional import PROVISIONAL, rounded_from
from policies.disclosure.types import TOTAL

COUNTS = ("n", "count", "counts", "students", "number", "denominator", "known", "enrollment", "enrolment", "tested")
NUMERATORS = ("k", "numerator", "met", "reached", "graduates", "yes")
RATES = ("rate", "percent", "percentage", "pct", "%")
LOWS, HIGHS = ("rate_low",), ("rate_high",)
BESIDE = ("table", "vintage", "status", "status_reason", "recipient_class", "persons", "coverage_low", "coverage_high")
"""Columns of our own export that say nothing of who is counted; persons with unknown outcomes are left aside."""

TOTALS = ("total", "all", "all students", "everybody", "overall", "")
NOT_LISTED = "(not listed)"
MARKS = re.compile(r"(|\*+|-+|–|—|x|s|\.+|n/?a|suppressed|hidden|withheld|redacted|\^+|†)", re.IGNORECASE)
AT_MOST = (
    (re.compile(r"(?:<=|≤)\s*(\d+)"), 0),
    (re.compile(r"(?:n\s*)?<\s*(\d+)"), -1),
    (re.compile(r"(?:fewer|less) than (\d+)", re.IGNORECASE), -1),
    (re.compile(r"(\d+) or (?:fewer|less)", re.IGNORECASE), 0),
)
BETWEEN = re.compile(r"(\d+)\s*(?:-|–|to)\s*(\d+)")
AT_LEAST = re.compile(r"(?:>=|≥)\s*(\d+)|(\d+) or more", re.IGNORECASE)
NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+|\d+")
RATE = re.compile(r"(\d+)(?:[.,](\d+))?\s*%?")

Range = tuple[int, int | None]
Level = tuple[str, str]
Hierarchies = Mapping[str, Mapping[str, str | Sequence[str]]]
"""Of each dimension each level with the level above it, or Total; or with several, where hierarchies cross."""


@dataclass(frozen=True)
class Columns:
    """Which columns of a file hold what; None where the file has none. The others are dimensions."""

    count: str
    numerator: str | None
    rate: str | None
    rate_low: str | None
    rate_high: str | None
    dimensions: tuple[str, ...]


@dataclass(frozen=True)
class Wanted:
    """What the reader of a file says about it; nothing means: find out."""

    count: str = ""
    numerator: str = ""
    rate: str = ""
    totals: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    groups: str = ""
    hidden_at_most: int | None = None
    hierarchies: Hierarchies = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Line:
    """One line of a file: where it stands, whom it counts (no pair: everybody), and between which numbers each lies.

    `count` and `numerator` are None where the file has no such column; a range without an upper end is a number that
    is not told. `rate` is a numerator and a denominator's share in parts of `scale`.
    """

    number: int
    group: tuple[Level, ...]
    count: Range
    numerator: Range | None
    rate: tuple[float, float] | None

    @property
    def hidden(self) -> bool:
        """Whether the count is not told exactly."""
        return self.count[0] != self.count[1]


@dataclass(frozen=True)
class Sheet:
    """Lines that count the same persons: what all of them have in common, and the levels of each dimension with the
    levels right above them."""

    name: tuple[Level, ...]
    lines: tuple[Line, ...]
    parents: Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True)
class Report:
    """A file as it was read: its header and rows as they stand, and its sheets."""

    header: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    columns: Columns
    sheets: tuple[Sheet, ...]


def read_report(text: str, wanted: Wanted) -> Report:
    """Read a CSV file; raises Invalid naming line and column, never a value."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    header = tuple(reader.fieldnames or ())
    rows = tuple({name: (row.get(name) or "").strip() for name in header} for row in reader)
    if not header or not rows:
        raise _wrong("The file has no header line or no rows.", "file", "Give a CSV file with a header line.")
    columns = find_columns(header, wanted)
    apart = _apart(rows, columns, wanted)
    sheets: dict[tuple[Level, ...], list[Line]] = {}
    for number, row in enumerate(rows, start=2):
        sheets.setdefault(tuple((name, row[name]) for name in apart), []).append(
            _line(number, row, columns=columns, apart=apart, wanted=wanted)
        )
    above = {
        name: {level: _above(parents) for level, parents in levels.items()}
        for name, levels in wanted.hierarchies.items()
    }
    return Report(header, rows, columns, tuple(_sheet(name, lines, above) for name, lines in sheets.items()))


def find_columns(header: Sequence[str], wanted: Wanted) -> Columns:
    """Which column holds what, by its name; raises Invalid when none holds counts."""
    for named in (wanted.count, wanted.numerator, wanted.rate, wanted.groups, *wanted.ignored):
        if named and named not in header:
            raise _wrong("The file has no such column.", named, f"The columns are: {', '.join(header)}.")
    count = wanted.count or _first(header, COUNTS)
    if count is None:
        raise _wrong("No column of counts was found.", "header", "Name it: --count COLUMN.")
    numerator = wanted.numerator or _first(header, NUMERATORS)
    rate = wanted.rate or _first(header, RATES)
    low, high = _first(header, LOWS), _first(header, HIGHS)
    taken = {count, numerator, rate, low, high, *wanted.ignored, *(n for n in header if n.lower() in BESIDE)}
    return Columns(count, numerator, rate, low, high, tuple(name for name in header if name not in taken))


def _first(header: Sequence[str], names: Sequence[str]) -> str | None:
    folded = {name.strip().lower(): name for name in reversed(header)}
    return next((folded[name] for name in names if name in folded), None)


def _apart(rows: Sequence[Mapping[str, str]], columns: Columns, wanted: Wanted) -> tuple[str, ...]:
    """Columns that no line sums over, like a year: what differs in them shares no person and is read apart."""
    return tuple(
        name
        for name in columns.dimensions
        if name not in wanted.hierarchies
        and name != wanted.groups
        and not any(_is_total(row[name], wanted) for row in rows)
    )


def _is_total(level: str, wanted: Wanted) -> bool:
    return level.lower() in (*TOTALS, *(name.lower() for name in wanted.totals))


def _line(number: int, row: Mapping[str, str], *, columns: Columns, apart: Sequence[str], wanted: Wanted) -> Line:
    group = tuple(
        _pair(name, row[name], number=number, wanted=wanted)
        for name in columns.dimensions
        if name not in apart and not _is_total(row[name], wanted)
    )
    told = _count(row[columns.count], number, columns.count)
    if row.get("vintage", "").startswith(PROVISIONAL) and told[0] == told[1]:
        told = rounded_from(told[0])
    if told == (0, None) and wanted.hidden_at_most is not None:
        told = (0, wanted.hidden_at_most)
    numerator = None if columns.numerator is None else _count(row[columns.numerator], number, columns.numerator)
    rate = _rate(row, number, columns)
    return Line(number, tuple(sorted(group)), told, numerator if numerator or rate is None else (0, None), rate)


def _pair(column: str, level: str, *, number: int, wanted: Wanted) -> Level:
    """The dimension and level of a field; in the column of groups the hierarchies say which dimension it is."""
    if column != wanted.groups:
        return column, level
    found = [name for name, levels in wanted.hierarchies.items() if level in levels]
    if len(found) != 1:
        raise _wrong(
            "A group stands in no dimension of the hierarchies, or in several.",
            f"line {number}, column {column}",
            "Give each group one dimension in the file of hierarchies.",
        )
    return found[0], level


def _count(text: str, number: int, column: str) -> Range:
    """Between which numbers a printed count lies."""
    if NUMBER.fullmatch(text):
        exact = int(text.replace(",", ""))
        return exact, exact
    if MARKS.fullmatch(text):
        return 0, None
    for pattern, change in AT_MOST:
        if match := pattern.fullmatch(text):
            return 0, int(match[1]) + change
    if match := BETWEEN.fullmatch(text):
        return int(match[1]), int(match[2])
    if match := AT_LEAST.fullmatch(text):
        return int(match[1] or match[2]), None
    raise _wrong(
        "A field of a column of counts is neither a whole number nor a mark for a hidden one.",
        f"line {number}, column {column}",
        "Write a whole number, or one of: empty, *, <11, 10 or fewer, 1-10. --ignore leaves a column out.",
    )


def _rate(row: Mapping[str, str], number: int, columns: Columns) -> tuple[float, float] | None:
    """Between which per cents a printed rate lies, as it was rounded; None where none is told."""
    text = row[columns.rate] if columns.rate else ""
    if match := RATE.fullmatch(text):
        decimals = match[2] or ""
        value, half = float(f"{match[1]}.{decimals or 0}"), 0.5 * 10.0 ** -len(decimals)
        return max(value - half, 0.0), min(value + half, 100.0)
    low, high = (row[name] if name else "" for name in (columns.rate_low, columns.rate_high))
    if RATE.fullmatch(low) and RATE.fullmatch(high):
        return float(low.rstrip("% ")), float(high.rstrip("% "))
    for pattern, at_most in ((r"(?:<|<=|≤)\s*(\d+)\s*%?", True), (r"(?:>|>=|≥)\s*(\d+)\s*%?", False)):
        if found := re.fullmatch(pattern, text):
            return (0.0, float(found[1])) if at_most else (float(found[1]), 100.0)
    if MARKS.fullmatch(text):
        return None
    raise _wrong(
        "A field of a column of rates is neither a per cent nor a mark for a hidden one.",
        f"line {number}, column {columns.rate}",
        "Write per cents like 63 or 63.4 %, or leave the field empty.",
    )


def _sheet(name: tuple[Level, ...], lines: Sequence[Line], above: Mapping[str, Mapping[str, tuple[str, ...]]]) -> Sheet:
    parents: dict[str, dict[str, tuple[str, ...]]] = {}
    for dimension, level in _levels(lines):
        below = parents.setdefault(dimension, dict(above.get(dimension, {})))
        below.setdefault(level, ())
    return Sheet(name, tuple(lines), parents)


def _above(parents: str | Sequence[str]) -> tuple[str, ...]:
    """The levels right above a level; none means the total."""
    named = (parents,) if isinstance(parents, str) else parents
    return tuple(dict.fromkeys(one for one in named if one and one != TOTAL))


def _levels(lines: Iterable[Line]) -> list[Level]:
    return list(dict.fromkeys(pair for line in lines for pair in line.group))


def _wrong(detail: str, place: str, next_step: str) -> Invalid:
    return Invalid(detail, code="report-wrong", next_step=next_step, faults=(Fault(place, "report-wrong"),))


def read_hierarchies(text: str) -> dict[str, dict[str, str | list[str]]]:
    """A file of hierarchies: of each dimension, each level with the level above it, or Total; or a list of them."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _wrong("The hierarchies are no JSON.", "hierarchies", "See docs/check-a-report.md.") from error
    levels = found.values() if isinstance(found, dict) else [None]
    if not all(isinstance(one, dict) and all(_is_above(parents) for parents in one.values()) for one in levels):
        raise _wrong(
            "The hierarchies are no dimensions with levels.",
            "hierarchies",
            'Write {"district": {"north elementary": "north", "north": "Total"}}, or a list where hierarchies cross.',
        )
    for name, one in found.items():
        _check_ends({level: _above(parents) for level, parents in one.items()}, name)
    return {str(name): dict(one) for name, one in found.items()}


def _is_above(parents: object) -> bool:
    named = parents if isinstance(parents, list) else [parents]
    return all(isinstance(one, str) for one in named)


def _check_ends(above: Mapping[str, tuple[str, ...]], dimension: str) -> None:
    """Raises Invalid where a level stands above itself."""
    left = dict(above)
    while ending := [level for level, parents in left.items() if not any(parent in left for parent in parents)]:
        for level in ending:
            del left[level]
    if left:
        raise _wrong(
            "The hierarchies turn in a circle: a level stands above itself.",
            f"hierarchies, dimension {dimension}",
            "Let every level lead to Total.",
        )
