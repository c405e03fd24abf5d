"""The students of one provider, kind and school year, put together from all files that name them: clear only here.

Several rows of one local number become one person: the latest spelling is the name, earlier ones are kept beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NoReturn

from connectors.reading import FileReading
from connectors.rows import PersonPart, RowReading
from linkage.encode.person import ClearPerson

_MANY_VALUES = frozenset({"alias_given", "alias_surname", "guardian", "as_of"})
_ONE_VALUE = tuple(field.name for field in fields(PersonPart) if field.name not in _MANY_VALUES)


@dataclass(frozen=True, repr=False)
class Roster:
    """Local numbers in a fixed order, the person behind each, and the local number behind each state number."""

    local_ids: Sequence[str]
    people: Sequence[ClearPerson]
    by_ssid: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Roster({len(self.people)} people)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("clear identity is never pickled")


def build_roster(files: Sequence[FileReading]) -> Roster:
    """The roster that these files make; conflicts of identity are added to the findings of the file they stand in."""
    parts = _parts(files)
    local_ids = sorted(parts)
    _find_conflicts(files)
    people = [_person(number, parts[local_id]) for number, local_id in enumerate(local_ids)]
    by_ssid: dict[str, str] = {}
    for local_id, person in zip(local_ids, people, strict=True):
        if person.ssid is not None:
            by_ssid.setdefault(person.ssid, local_id)
    return Roster(local_ids, people, by_ssid)


def _parts(files: Sequence[FileReading]) -> dict[str, list[PersonPart]]:
    """What is said of each local number that makes the roster, earliest first."""
    makers = {
        reading.local_id
        for file in files
        for _, reading in file.readings
        if reading.named_by == "itself" and reading.local_id is not None
    }
    parts: dict[str, list[PersonPart]] = {}
    for reading in _readings(files):
        if reading.person is not None and reading.local_id in makers and reading.local_id is not None:
            parts.setdefault(reading.local_id, []).append(reading.person)
    for of_one in parts.values():
        of_one.sort(key=lambda part: part.as_of)
    return parts


def _readings(files: Sequence[FileReading]) -> Iterable[RowReading]:
    return (reading for file in files for _, reading in file.readings)


def _person(number: int, parts: Sequence[PersonPart]) -> ClearPerson:
    last = parts[-1]
    latest = {name: getattr(last, name) for name in _ONE_VALUE}
    for name, value in latest.items():
        if value is None and len(parts) > 1:
            latest[name] = _latest(parts, name)
    given, surname = latest["given"], latest["surname"]
    return ClearPerson(
        number,
        given=given,
        middle=latest["middle"],
        surname=surname,
        suffix=latest["suffix"],
        alias_given=_others([spelling for part in parts for spelling in (part.given, part.alias_given)], but=given),
        alias_surname=_others(
            [spelling for part in parts for spelling in (part.surname, part.alias_surname)], but=surname
        ),
        birth_date=latest["birth_date"],
        sex=latest["sex"],
        postcode=latest["postcode"],
        ssid=latest["ssid"],
        guardian=_others([part.guardian for part in parts], but=None),
    )


def _latest(parts: Sequence[PersonPart], name: str) -> str | None:
    return next((value for part in reversed(parts) if (value := getattr(part, name)) is not None), None)


def _others(spellings: Sequence[str | None], *, but: str | None) -> tuple[str, ...]:
    """The other spellings, each once, in a fixed order."""
    other = {spelling for spelling in spellings if spelling is not None and spelling != but}
    return tuple(sorted(other)) if other else ()


def _find_conflicts(files: Sequence[FileReading]) -> None:
    """One number with two birth dates or genders (IDN-005), one state number with two local ones (IDN-006)."""
    seen: dict[tuple[str, str], str] = {}
    owners: dict[str, str] = {}
    for file in files:
        for row, reading in file.readings:
            person, local_id = reading.person, reading.local_id
            if person is None or local_id is None:
                continue
            facets = (("birth_date", person.birth_date), ("sex", person.sex))
            if any(value and seen.setdefault((local_id, name), value) != value for name, value in facets):
                file.findings.add_all("IDN-005", [row])
            if person.ssid and owners.setdefault(person.ssid, local_id) != local_id:
                file.findings.add_all("IDN-006", [row])
