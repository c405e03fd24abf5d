"""Puts the files of one provider, kind and school year together: people, spans and typed facts. Before minimisation.

Rows are joined by local number, by state number inside the provider, or by Requester Return Field; never by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NoReturn

from connectors.decoding import refuse
from connectors.fact_rows import FactRow
from connectors.reading import FileReading
from connectors.roster import Roster, build_roster
from connectors.rows import Fact, RowReading
from connectors.values import Value
from linkage.encode.person import ClearPerson, SpanFacts, grade_number
from policies.dictionary import FactError, dictionary

ReferenceOf = Callable[[str], bytes]
ONE_ROW_A_STUDENT = frozenset({"demographics", "college_search"})
_RESULTS = ("not-found", "blocked", "found")  # what outranks what, weakest first
_FULL_TIME_STATUS = "10"
_MONTHS_A_YEAR = 12
_FIRST_YEAR_OF_MONTHS = 2000


@dataclass(frozen=True, repr=False)
class Assembly:
    """What may be sent, before minimisation: people and spans for encoding, facts under record references."""

    provider: str
    kind: str
    school_year: int
    people: Sequence[ClearPerson]
    spans: Sequence[SpanFacts]
    facts: Sequence[FactRow]
    local_ids: Sequence[str]
    rejected_later: Mapping[str, int]
    """By file name: rows that were read well but belong to nobody, or that the dictionary refuses."""

    def __repr__(self) -> str:
        return f"Assembly({self.provider}, {self.kind}, {self.school_year}, {len(self.people)} people)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("clear identity is never pickled")


def assemble(
    files: Sequence[FileReading], *, provider: str, kind: str, school_year: int, reference_of: ReferenceOf
) -> Assembly:
    """The records of these files; what belongs to nobody is added to the findings of its file.

    Raises FileRefusedError NSC-005 for a Clearinghouse report without its request map.
    """
    if kind == "clearinghouse" and not _return_fields(files):
        raise refuse("NSC-005", files[0].name)
    roster = build_roster(files)
    placed = _Placed(files, roster, kind=kind)
    facts = placed.facts(reference_of)
    return Assembly(
        provider,
        kind,
        school_year,
        roster.people if kind != "clearinghouse" else (),
        _spans(roster, placed.stated, school_year=school_year, reference_of=reference_of),
        facts,
        roster.local_ids or sorted(placed.students),
        dict(placed.rejected),
    )


@dataclass(frozen=True, repr=False)
class _Stated:
    """The facts of a reading, parted: those that stand alone, those merged to one row a student; and their fault.

    Rows that state the same share one tuple of facts (connectors.row_parsing), so that this is found out once.
    """

    facts: tuple[Fact, ...]
    single: tuple[Fact, ...]
    merged: tuple[Fact, ...]
    fault: str | None


class _Placed:
    """The facts of all rows, laid to the student each belongs to."""

    def __init__(self, files: Sequence[FileReading], roster: Roster, *, kind: str) -> None:
        self._kind = kind
        self._known = frozenset(roster.local_ids)
        self._roster = roster
        self._fields = _return_fields(files)
        self._dated = _dated_fields(files)
        self.rejected: Counter[str] = Counter()
        self.stated: dict[str, list[Fact]] = {}
        self.students: set[str] = set(self._fields.values())
        self._merged: dict[tuple[str, str], list[tuple[str, Mapping[str, Value]]]] = {}
        self._aggregate: list[FactRow] = []
        self._of_facts: dict[int, _Stated] = {}
        for file in files:
            for row, reading in file.readings:
                self._place(file, row, reading)

    def facts(self, reference_of: ReferenceOf) -> list[FactRow]:
        """Every fact with its reference, each once, in an order that tells nothing of the local numbers'."""
        words = _Words()
        rows = [(row.table, "", str(row.elements), row) for row in self._aggregate]
        references = {local_id: reference_of(local_id).hex() for local_id in sorted(self.stated)}
        for local_id, reference in references.items():
            for table, elements in self.stated[local_id]:
                rows.append((table, reference, words.of(elements), FactRow(table, reference, elements)))
        for (local_id, table), parts in sorted(self._merged.items(), key=itemgetter(0)):
            elements = _merge(table, parts)
            if elements:
                reference = references.get(local_id) or reference_of(local_id).hex()
                rows.append((table, reference, words.of(elements), FactRow(table, reference, elements)))
        return [row for *_, row in sorted(rows, key=itemgetter(0, 1, 2))]

    def _place(self, file: FileReading, row: int, reading: RowReading) -> None:
        if reading.named_by == "nobody":
            self._aggregate.extend(FactRow(table, None, elements) for table, elements in reading.facts)
            return
        local_id, code = self._owner(reading)
        stated = self._stated_by(reading.facts)
        fault = code or stated.fault
        if local_id is None or fault is not None:
            file.findings.add_all(fault or "ROW-004", [row])
            self.rejected[file.name] += 1
            return
        if self._state(local_id, reading, stated):
            file.findings.add_all("ROW-005", [row])

    def _owner(self, reading: RowReading) -> tuple[str | None, str | None]:
        """The local number a row belongs to, or the code of why there is none."""
        if reading.return_field is not None:
            local_id = self._fields.get(reading.return_field)
            if local_id is None:
                return None, "NSC-001"
            return local_id, None if reading.return_field in self._dated else "NSC-004"
        if reading.named_by == "itself" or reading.local_id in self._known:
            return reading.local_id, None
        local_id = self._roster.by_ssid.get(reading.ssid or "")
        return local_id, None if local_id is not None else "ROW-004"

    def _stated_by(self, facts: tuple[Fact, ...]) -> _Stated:
        known = self._of_facts.get(id(facts))
        if known is None:
            single = tuple(fact for fact in facts if fact[0] not in ONE_ROW_A_STUDENT)
            merged = tuple(fact for fact in facts if fact[0] in ONE_ROW_A_STUDENT and fact[1])
            # It holds the facts, so that their number stays theirs.
            known = self._of_facts[id(facts)] = _Stated(facts, single, merged, self._fault(single))
        return known

    def _fault(self, single: Sequence[Fact]) -> str | None:
        """ROW-006 when a fact of the row breaks the dictionary; rows that are merged are checked when merged."""
        for table, elements in single:
            try:
                dictionary().check_fact({"t": table, "r": "0" * 32, **elements}, self._kind)
            except FactError:
                return "ROW-006"
        return None

    def _state(self, local_id: str, reading: RowReading, by: _Stated) -> bool:
        """Adds the row's facts; True when all of them were there already."""
        stated = self.stated.setdefault(local_id, [])
        fresh = [fact for fact in by.single if fact not in stated]
        stated.extend(fresh)
        for table, elements in by.merged:
            self._merged.setdefault((local_id, table), []).append((reading.as_of, elements))
        return bool(by.single) and not fresh


class _Words:
    """Elements as words, once for those that several students share."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Mapping[str, Value], str]] = {}

    def of(self, elements: Mapping[str, Value]) -> str:
        known = self._known.get(id(elements))
        if known is None:
            known = self._known[id(elements)] = (elements, str(elements))
        return known[1]


def _return_fields(files: Sequence[FileReading]) -> dict[str, str]:
    return {
        reading.return_field: reading.local_id
        for file in files
        for _, reading in file.readings
        if reading.named_by == "map" and reading.return_field is not None and reading.local_id is not None
    }


def _dated_fields(files: Sequence[FileReading]) -> frozenset[str]:
    """The return fields of which the report or the map says when they were searched for."""
    return frozenset(
        reading.return_field
        for file in files
        for _, reading in file.readings
        if reading.return_field is not None and any("searched_on" in elements for _, elements in reading.facts)
    )


def _merge(table: str, parts: Sequence[tuple[str, Mapping[str, Value]]]) -> dict[str, Value]:
    """One row of a table that has one a student: later statements over earlier ones, element by element."""
    merged: dict[str, Value] = {}
    for _, elements in sorted(parts, key=lambda part: part[0]):
        merged.update(elements)
    if table != "college_search":
        return merged
    results = {str(elements["result"]) for _, elements in parts if "result" in elements}
    merged["result"] = max(results, key=_RESULTS.index, default="")
    return merged if merged["result"] else {}


def _spans(
    roster: Roster,
    stated: Mapping[str, Sequence[tuple[str, Mapping[str, Value]]]],
    *,
    school_year: int,
    reference_of: ReferenceOf,
) -> list[SpanFacts]:
    """One span for each dated stay of each student, or the whole school year where no row is dated."""
    spans = []
    for person, local_id in zip(roster.people, roster.local_ids, strict=True):
        reference = reference_of(local_id)
        stays = {_stay(elements, school_year=school_year) for _, elements in stated.get(local_id, ())} - {None}
        for stay in sorted(stay for stay in stays if stay is not None) or [_whole_year(school_year)]:
            grade, full_time, start, end = stay
            spans.append(
                SpanFacts(
                    person.local_record,
                    reference=reference,
                    school_year=school_year,
                    grade=grade,
                    full_time=full_time,
                    start_month=start,
                    end_month=end,
                )
            )
    return spans


def _stay(elements: Mapping[str, Value], *, school_year: int) -> tuple[int, bool, int, int] | None:
    """Grade, whether full time, first and last month of an enrollment within the school year; None for other facts."""
    start = elements.get("start_date") or elements.get("begin_date")
    if start is None or "program_code" in elements:
        return None
    _, _, year_start, year_end = _whole_year(school_year)
    end = elements.get("exit_date") or elements.get("end_date")
    first = max(_month(str(start)), year_start)
    last = _month(str(end)) if end is not None else year_end
    grade = "PS" if "funding" in elements else str(elements.get("grade", ""))
    full_time = elements.get("enrollment_status") == _FULL_TIME_STATUS
    return grade_number(grade), full_time, first, max(last, first)


def _whole_year(school_year: int) -> tuple[int, bool, int, int]:
    """July to June, grade unknown (CALPADS academic year)."""
    first = (school_year - 1 - _FIRST_YEAR_OF_MONTHS) * _MONTHS_A_YEAR + 6
    return grade_number(""), False, first, first + _MONTHS_A_YEAR - 1


def _month(day: str) -> int:
    return max(0, (int(day[:4]) - _FIRST_YEAR_OF_MONTHS) * _MONTHS_A_YEAR + int(day[5:7]) - 1)
