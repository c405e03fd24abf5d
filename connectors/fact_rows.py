"""One fact of one student on its way out of the edge: from assembly over minimisation to the lines that are sent.

Students who are told alike share one mapping of elements, so that what is decided or written of it is done once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from connectors.values import Value
from policies.submission import canonical_json


class FactRow(NamedTuple):
    """A row of a table of the dictionary; without a reference in tables that count groups."""

    table: str
    reference: str | None
    elements: Mapping[str, Value]

    def __repr__(self) -> str:
        return f"FactRow({self.table})"

    def told(self) -> dict[str, Any]:
        """The row as it is sent: table and reference beside the elements."""
        named = {"t": self.table} if self.reference is None else {"t": self.table, "r": self.reference}
        return {**named, **self.elements}


def fact_lines_of(rows: Iterable[FactRow]) -> Iterator[bytes]:
    """The canonical JSON of each row; around the reference it is written once for elements that are shared."""
    known: dict[int, tuple[FactRow, str, str]] = {}
    for row in rows:
        if row.reference is None or not row.reference.isalnum():
            yield canonical_json(row.told())
            continue
        around = known.get(id(row.elements))
        if around is None or around[0].table != row.table:
            # It holds the row, so that the number of its elements stays theirs.
            around = known[id(row.elements)] = (row, *_around_reference(row))
        yield f"{around[1]}{row.reference}{around[2]}".encode()


def _around_reference(row: FactRow) -> tuple[str, str]:
    """What stands before and after the reference."""
    before, named, after = canonical_json(row._replace(reference="").told()).decode().partition('"r":"')
    return before + named, after
