"""The check of a facts chunk against dictionary and agreement: by the API as it arrives, by the resolver at the end."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from policies.agreements import GRADE_ELEMENTS
from policies.dictionary import FactError, dictionary
from policies.submission import SubmissionError, fact_lines, read_fact

CHECKED_MAX = 20_000
"""So many kinds of rows are remembered while a chunk is checked."""
_OPENS = b'"r":"'
_DIGITS = 32
_REFERENCE = re.compile(rb"[0-9a-f]{32}")


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
    checked: dict[tuple[bytes, bytes], str] = {}
    tables: Counter[str] = Counter()
    references: set[bytes] = set()
    for number, line in enumerate(fact_lines(packed), start=1):
        before, _, rest = line.partition(_OPENS)
        reference, after = rest[:_DIGITS], rest[_DIGITS:]
        table = checked.get((before, after))
        if table is None or not (reference in references or _REFERENCE.fullmatch(reference)):
            row = read_fact(line, number=number)
            dictionary().check_fact(row, kind)
            table, told = row["t"], row.get("r")
            _check_permitted(row, table, permitted)
            if len(checked) < CHECKED_MAX and told == reference.decode("latin-1") and _is_only_reference(before, after):
                checked[before, after] = table
            reference = b"" if told is None else told.encode()
        tables[table] += 1
        references.add(reference)
    if tables.total() != count:
        raise SubmissionError("SUB-006", "chunk", "make the submission again: the rows are not as many as named")
    return FactsRead(tables, frozenset(bytes.fromhex(reference.decode()) for reference in references - {b""}))


def _is_only_reference(before: bytes, after: bytes) -> bool:
    """Whether every line with these ends and a reference between them is one row of another record: the ends name no
    second reference, in no way of writing it."""
    ends = before + after
    return b'"r"' not in ends and b"\\" not in ends


def _check_permitted(row: dict[str, object], table: str, permitted: Permitted) -> None:
    if permitted.grades:
        for place, name in GRADE_ELEMENTS:
            if place == table and row.get(name) not in permitted.grades:
                raise FactError("FACT-008", f"{table}.{name}", "drop the row: the agreement is about other grades")
    for name in row:
        if name not in ("t", "r") and (table, name) not in permitted.elements:
            raise FactError("FACT-007", f"{table}.{name}", "drop the element: the agreement does not name it")
