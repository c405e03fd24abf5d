"""The check of a facts chunk against dictionary and agreement: by the API as it arrives, by the resolver at the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from policies.agreements import GRADE_ELEMENTS
from policies.dictionary import FactError, dictionary
from policies.submission import SubmissionError, read_facts


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

    Args:
        permitted: what the agreement names; anything else refuses the chunk.
    """
    law = dictionary()
    tables: Counter[str] = Counter()
    references: set[bytes] = set()
    for row in read_facts(packed):
        law.check_fact(row, kind)
        table = row["t"]
        _check_permitted(row, table, permitted)
        tables[table] += 1
        if "r" in row:
            references.add(bytes.fromhex(row["r"]))
    if tables.total() != count:
        raise SubmissionError("SUB-006", "chunk", "make the submission again: the rows are not as many as named")
    return FactsRead(tables, frozenset(references))


def _check_permitted(row: dict[str, object], table: str, permitted: Permitted) -> None:
    if permitted.grades:
        for place, name in GRADE_ELEMENTS:
            if place == table and row.get(name) not in permitted.grades:
                raise FactError("FACT-008", f"{table}.{name}", "drop the row: the agreement is about other grades")
    for name in row:
        if name not in ("t", "r") and (table, name) not in permitted.elements:
            raise FactError("FACT-007", f"{table}.{name}", "drop the element: the agreement does not name it")
