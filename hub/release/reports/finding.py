"""What can be computed back from a report of counts, and from which of its lines; in words.

For whoever publishes or receives a report: the sentence names the lines of the file that give a number away.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from hub.errors import Conflict
from hub.release.reports.bounds import Bounds, Interval
from hub.release.reports.equations import COUNT, NUMERATOR, REST, Equations, Group, Row, equations
from hub.release.reports.reading import Line, Report, Sheet
from policies.disclosure.rules import DEFAULT_RULES, Rules

Kind = Literal["small", "exact", "narrow"]
WORDS: Mapping[str, str] = {
    COUNT: "the number of persons",
    NUMERATOR: "the number who reached it",
    REST: "the number who did not reach it",
}


@dataclass(frozen=True)
class Found:
    """One number that a report gives away: of which line, between which numbers, and from which lines."""

    kind: Kind
    line: int
    group: str
    number: str
    low: int
    high: int
    everybody: bool
    lines: tuple[int, ...]
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """What was looked at and what was found."""

    lines: int
    hidden: int
    found: tuple[Found, ...]

    @property
    def safe(self) -> bool:
        """Whether nothing can be computed back."""
        return not self.found

    def as_json(self) -> dict[str, object]:
        """The verdict with its counts by kind."""
        kinds = {kind: sum(one.kind == kind for one in self.found) for kind in ("small", "exact", "narrow")}
        return {"lines": self.lines, "hidden": self.hidden, **kinds, "found": [asdict(one) for one in self.found]}


def check_report(report: Report, *, rules: Rules = DEFAULT_RULES) -> Verdict:
    """Everything that the report tells of a hidden or small number; raises Conflict when its lines contradict."""
    found: list[Found] = []
    for sheet in report.sheets:
        found += [*_small(sheet, rules), *_computed(sheet, rules)]
    lines = [line for sheet in report.sheets for line in sheet.lines]
    return Verdict(len(lines), sum(_hides(line) for line in lines), tuple(found))


def _hides(line: Line) -> bool:
    return line.hidden or (line.numerator is not None and line.numerator[0] != line.numerator[1])


def _small(sheet: Sheet, rules: Rules) -> Iterator[Found]:
    """Small counts that stand there openly: no attack is needed."""
    for line in sheet.lines:
        if not line.hidden and 0 < line.count[0] < rules.min_n:
            group = group_words(sheet, line.group)
            sentence = f"Line {line.number} ({group}) shows {line.count[0]} persons; fewer than {rules.min_n} are few."
            number = line.count[0]
            yield Found("small", line.number, group, COUNT, number, number, False, (line.number,), sentence)


def _computed(sheet: Sheet, rules: Rules) -> Iterator[Found]:
    """Hidden numbers that the others leave no room."""
    built = equations(sheet)
    bounds = Bounds(built)
    if not bounds.possible():
        raise Conflict(
            "The lines contradict each other: groups overlap, or numbers of different years or persons are mixed.",
            code="report-contradicts",
            next_step="Leave out groups that overlap, or give the hierarchies: --hierarchies FILE.",
        )
    targets = _targets(built, rules)
    intervals = bounds.narrow(sorted(targets), rules.width)
    of_group: dict[Group, list[int]] = {}
    for row, interval in intervals.items():
        group, kind = targets[row]
        of_group.setdefault(group, []).append(row)
        first = min(line.number for line in sheet.lines if line.group == group)
        if kind == REST and any(targets[other][1] == NUMERATOR for other in of_group[group] if other != row):
            continue
        yield _found(sheet, built, first, group=group, kind=kind, interval=interval)


def _targets(built: Equations, rules: Rules) -> dict[int, tuple[Group, str]]:
    """Rows of hidden numbers; a count that is shown needs no attack, nor what follows from two that are shown."""
    found = {}
    for (group, kind), row in built.sums.items():
        count, part = built.rows[built.sums[group, COUNT]], _row(built, group, NUMERATOR)
        told = {COUNT: count.low == count.high, NUMERATOR: part is not None and part.low == part.high}
        told[REST] = told[COUNT] and told[NUMERATOR]
        if not told[kind]:
            found[row] = (group, kind)
    return found


def _found(sheet: Sheet, built: Equations, line: int, *, group: Group, kind: str, interval: Interval) -> Found:
    words = group_words(sheet, group)
    exact = interval.low == interval.high
    lines = _lines(built, interval)
    range_words = f"exactly {interval.low}" if exact else f"{interval.low} to {interval.high}"
    nobody = exact and interval.low == 0 and kind != COUNT
    everybody = " So all of them are alike." if nobody else ""
    sentence = f"Line {line} ({words}): {WORDS[kind]} is {range_words}{_how(built, interval, lines)}.{everybody}"
    return Found(
        "exact" if exact else "narrow", line, words, kind, interval.low, interval.high, nobody, lines, sentence
    )


def _lines(built: Equations, interval: Interval) -> tuple[int, ...]:
    rows = {row for side in interval.because for row in side}
    return tuple(sorted({line for row in rows for line in built.rows[row].lines}))


def _how(built: Equations, interval: Interval, lines: tuple[int, ...]) -> str:
    """The sum that gives it, where one sum does; else the lines that bound it."""
    told = {row: times for row, times in interval.because[1].items() if built.rows[row].lines}
    plain = all(built.rows[row].low == built.rows[row].high and abs(times) == 1 for row, times in told.items())
    terms = sorted(told.items(), key=lambda item: (-item[1], built.rows[item[0]].lines))
    total = sum(times * built.rows[row].low for row, times in terms)
    if interval.low == interval.high and plain and told and total == interval.low:
        return ": " + " ".join(_term(built.rows[row], times, first=row == terms[0][0]) for row, times in terms)
    named = ", ".join(str(line) for line in lines[:12]) + (", ..." if len(lines) > 12 else "")
    whole = " in whole numbers" if interval.whole else ""
    if not lines:
        return f", since no number of persons is below nought{whole}"
    return f", from line{'s' if len(lines) > 1 else ''} {named}, since no number of persons is below nought{whole}"


def _term(row: Row, times: float, *, first: bool) -> str:
    sign = "− " if times < 0 else "" if first else "+ "
    return f"{sign}{row.low:g} (line {row.lines[0]})"


def group_words(sheet: Sheet, group: Group) -> str:
    """The words of the file for a group."""
    return ", ".join(f"{name} {level}" for name, level in (*sheet.name, *group)) or "everybody"


def _row(built: Equations, group: Group, kind: str) -> Row | None:
    place = built.sums.get((group, kind))
    return None if place is None else built.rows[place]
