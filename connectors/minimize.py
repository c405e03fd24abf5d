"""Drops what the agreement in force does not name, before anything is encoded: the last step inside the district.

What is dropped is counted by element, so that the steward and the officer can see it; values are never kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.assembly import Assembly
from connectors.fact_rows import FactRow
from linkage.encode.person import ClearPerson
from policies.agreements import GRADE_ELEMENTS, Agreement
from policies.decision import decide_grade, permitted_elements
from policies.dictionary import dictionary

# The fields of a person behind each identifier that an agreement may name.
FIELDS_BY_IDENTIFIER: Mapping[str, tuple[str, ...]] = {
    "given_name": ("given", "middle", "alias_given"),
    "surname": ("surname", "suffix", "alias_surname"),
    "birth_date": ("birth_date",),
    "sex": ("sex",),
    "postcode": ("postcode",),
    "ssid": ("ssid",),
    "guardian": ("guardian",),
}
_TUPLES = frozenset({"alias_given", "alias_surname", "guardian"})


@dataclass(frozen=True)
class Dropped:
    """How many values of each element were dropped."""

    counts: Mapping[str, int]


def minimize(assembly: Assembly, agreement: Agreement) -> tuple[Assembly, Dropped]:
    """The assembly with agreed elements only; a table whose required element is not agreed is dropped whole."""
    counts: Counter[str] = Counter()
    assembly = _of_grades(assembly, agreement, counts)
    permitted = permitted_elements(agreement)
    kept = _Kept(permitted)
    facts = [row for fact in assembly.facts if (row := kept.of(fact, counts)) is not None]
    people = _people(assembly.people, agreement, counts)
    spans = assembly.spans if agreement.linkage is not None else ()
    return replace(assembly, facts=facts, people=people, spans=spans), Dropped(dict(sorted(counts.items())))


def _of_grades(assembly: Assembly, agreement: Agreement, counts: Counter[str]) -> Assembly:
    """Without the rows of other grades than the agreement means, and without who has no row of a meant one."""
    if agreement.populations is None or not agreement.populations.grades:
        return assembly
    meant: set[str | None] = set()
    others: set[str | None] = set()
    facts = []
    for fact in assembly.facts:
        grade = next((str(fact.elements.get(name)) for table, name in GRADE_ELEMENTS if fact.table == table), None)
        if grade is None:
            facts.append(fact)
        elif decide_grade(agreement, grade).permitted:
            meant.add(fact.reference)
            facts.append(fact)
        else:
            others.add(fact.reference)
            counts["rows of other grades"] += 1
    gone = others - meant
    spans = [span for span in assembly.spans if span.reference.hex() not in gone]
    left = {span.local_record for span in assembly.spans} - {span.local_record for span in spans}
    people = [person for person in assembly.people if person.local_record not in left]
    return replace(assembly, facts=[fact for fact in facts if fact.reference not in gone], spans=spans, people=people)


class _Kept:
    """What of a fact is agreed: decided once for each table and set of elements, cut once where they are shared."""

    def __init__(self, permitted: frozenset[tuple[str, str]]) -> None:
        self._permitted = permitted
        self._known: dict[tuple[str, ...], tuple[frozenset[str], bool]] = {}
        self._left: dict[int, tuple[FactRow, FactRow]] = {}

    def of(self, fact: FactRow, counts: Counter[str]) -> FactRow | None:
        """The fact with agreed elements only, or None when a required one is not agreed or none is left."""
        key = (fact.table, *fact.elements)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._decide(fact)
        dropped, whole = known
        if not dropped:
            return fact if whole else None
        counts.update(f"{fact.table}.{name}" for name in fact.elements if name in dropped)
        return self._without(fact, dropped) if whole else None

    def _without(self, fact: FactRow, dropped: frozenset[str]) -> FactRow:
        known = self._left.get(id(fact.elements))
        if known is None or known[0].table != fact.table:
            left = {name: value for name, value in fact.elements.items() if name not in dropped}
            # It holds the fact, so that the number of its elements stays theirs.
            known = self._left[id(fact.elements)] = (fact, fact._replace(elements=left))
        return known[1]._replace(reference=fact.reference)

    def _decide(self, fact: FactRow) -> tuple[frozenset[str], bool]:
        kept = {name for name in fact.elements if (fact.table, name) in self._permitted}
        elements = dictionary().tables[fact.table].elements.values()
        whole = bool(kept) and all(element.name in kept for element in elements if element.required)
        return frozenset(fact.elements) - kept, whole


def _people(people: Sequence[ClearPerson], agreement: Agreement, counts: Counter[str]) -> Sequence[ClearPerson]:
    if agreement.linkage is None:
        if people:
            counts["person"] += len(people)
        return ()
    barred = [
        field
        for identifier, fields in FIELDS_BY_IDENTIFIER.items()
        if identifier not in agreement.linkage.identifiers
        for field in fields
    ]
    return [_without(person, barred, counts) for person in people]


def _without(person: ClearPerson, barred: Sequence[str], counts: Counter[str]) -> ClearPerson:
    held = [field for field in barred if getattr(person, field)]
    counts.update(f"person.{field}" for field in held)
    emptied: dict[str, Any] = {field: () if field in _TUPLES else None for field in held}
    return replace(person, **emptied) if held else person
