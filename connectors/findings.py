"""What the checks say of a file: code, row and column, counted and grouped by cause; never a value.

Made while rows are read, on the edge side of the wall; only the counts by code go into the manifest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from policies.rules.rulebook import SEVERITIES, Rule, rulebook

_HARMLESS = ("COD-003", "COD-004", "DAT-006")  # put back, not used, or dragged: no sign of a shifted row
ROWS_KEPT_PER_CAUSE = 20_000
"""How many row numbers of one cause are kept for the list; all are counted."""


@dataclass(frozen=True)
class Finding:
    """One thing found: its code, the line of the file (0 for the file itself) and the column's title or place."""

    code: str
    row: int
    column: str = ""


@dataclass(frozen=True)
class Cause:
    """All findings of one code and column: how many rows, and the first of their numbers."""

    rule: Rule
    column: str
    rows: int
    first_rows: tuple[int, ...]


class Findings:
    """The findings of one file, counted by code and column."""

    def __init__(self, found: Iterable[Finding] = ()) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._rows: dict[tuple[str, str], list[int]] = {}
        for finding in found:
            self.add(finding)

    def add(self, finding: Finding) -> None:
        key = (finding.code, finding.column)
        self._counts[key] += 1
        rows = self._rows.setdefault(key, [])
        if len(rows) < ROWS_KEPT_PER_CAUSE:
            rows.append(finding.row)

    def add_all(self, code: str, rows: Iterable[int], column: str = "") -> None:
        for row in rows:
            self.add(Finding(code, row, column))

    def __len__(self) -> int:
        return sum(self._counts.values())

    def __iter__(self) -> Iterator[Finding]:
        for (code, column), rows in self._rows.items():
            for row in rows:
                yield Finding(code, row, column)

    def of_rows(self, *, common_in: int) -> Counter[int]:
        """How many cells are at fault in each row; columns at fault in more rows than that are left out."""
        return Counter(row for key in self._of_cells(common_in) for row in self._rows[key])

    def fold(self, rows: frozenset[int], by: str, *, common_in: int) -> None:
        """One finding for each of these rows in place of those of its cells: they have one cause."""
        for key in self._of_cells(common_in):
            kept = [row for row in self._rows[key] if row not in rows]
            self._counts[key] -= len(self._rows[key]) - len(kept)
            self._rows[key] = kept
            if not self._counts[key]:
                del self._counts[key], self._rows[key]
        self.add_all(by, sorted(rows))

    def _of_cells(self, common_in: int) -> list[tuple[str, str]]:
        return [
            (code, column)
            for (code, column), count in self._counts.items()
            if column and code not in _HARMLESS and count <= common_in
        ]

    def by_code(self) -> Mapping[str, int]:
        """How many findings of each code, in order of code."""
        totals: Counter[str] = Counter()
        for (code, _), count in self._counts.items():
            totals[code] += count
        return dict(sorted(totals.items()))

    def causes(self) -> tuple[Cause, ...]:
        """Grouped by code and column: first what costs the most, then what one repair mends most rows of."""
        book = rulebook()
        causes = [
            Cause(book[code], column, count, tuple(self._rows[code, column]))
            for (code, column), count in self._counts.items()
        ]
        return tuple(sorted(causes, key=_weight))


def _weight(cause: Cause) -> tuple[int, int, str, str]:
    return SEVERITIES.index(cause.rule.severity), -cause.rows, cause.rule.code, cause.column
