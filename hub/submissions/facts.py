"""The check of a facts chunk against dictionary and agreement: by the API as it arrives, by the resolver at the end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from policies.agreements import GRADE_ELEMENTS
from policies.dictionary import FactError, dictionary
from policies.submission import SubmissionError, fact_lines, read_fact

CHECKED_MAX = 20_000
"""So many kinds of rows are remembered while a chunk is checked."""
_REFERENCE = re.compile(rb'"r":"([0-9a-f]{32})"')


@dataclass(frozen=True)
class Permitted:
    """What the facts of a submission may name: (table, element) pairs, and grades; no grades means all of them."""

    elements: frozenset[tuple[str, str]]
    grades: frozenset[str] = frozenset()


@dataclass(frozen=True)
class FactsRead:
    """What a facts chunk holds: rows by table, and whose (record references, 16 bytes each)."""

    tables: Counter[str]
    references: frozenset[bytes]


def check_facts(packed: bytes, *, kind: str, count: int, permitted: Permitted) -> FactsRead:
    """Read and check every row; raises FactError or SubmissionError with code, place and next step, never a value.

    Most rows differ from another by their reference alone. What such a row holds is checked once; of the others only
    the reference is read.

    Args:
        permitted: what the agreement names; anything else refuses the chunk.
    """
    checked: dict[tuple[bytes, ...], str] = {}
    tables: Counter[str] = Counter()
    references: set[bytes] = set()
    for number, line in enumerate(fact_lines(packed), start=1):
        parts = _REFERENCE.split(line)
        table = checked.get((parts[0], parts[-1])) if len(parts) == 3 else None
        if table is not None:
            reference = parts[1].decode()
        else:
            row = read_fact(line, number=number)
            dictionary().check_fact(row, kind)
            table, reference = row["t"], row.get("r")
            _check_permitted(row, table, permitted)
            if len(checked) < CHECKED_MAX and _differ_by_reference_alone(parts, reference):
                checked[parts[0], parts[-1]] = table
        tables[table] += 1
        if reference is not None:
            references.add(bytes.fromhex(reference))
    if tables.total() != count:
        raise SubmissionError("SUB-006", "chunk", "make the submission again: the rows are not as many as named")
    return FactsRead(tables, frozenset(references))


def _differ_by_reference_alone(parts: Sequence[bytes], reference: str | None) -> bool:
    """Whether every line with these ends and a reference between them is this row of another record: what was cut out
    is the reference as it was read, and the ends name no second one, in no way of writing it."""
    ends = parts[0] + parts[-1]
    cut_out = len(parts) == 3 and parts[1].decode() == reference
    return cut_out and b'"r"' not in ends and b"\\" not in ends


def _check_permitted(row: dict[str, object], table: str, permitted: Permitted) -> None:
    if permitted.grades:
        for place, name in GRADE_ELEMENTS:
            if place == table and row.get(name) not in permitted.grades:
                raise FactError("FACT-008", f"{table}.{name}", "drop the row: the agreement is about other grades")
    for name in row:
        if name not in ("t", "r") and (table, name) not in permitted.elements:
            raise FactError("FACT-007", f"{table}.{name}", "drop the element: the agreement does not name it")
