"""A roster turned from people into columns of numbers: at the edge, between normalisation and the keyed functions.

Every distinct name form, date and value gets a number; what follows works on arrays of those numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from linkage.encode.filters import GramTable
from linkage.encode.forms import NameForm, given_forms, surname_forms
from linkage.encode.normalise import date_parts, name_parts, postcode_value, sex_value, ssid_value
from linkage.encode.person import ClearPerson
from linkage.encode.phonetic import phonetic_code
from linkage.encode.tables import NameTables

ABSENT = -1

_Raw = TypeVar("_Raw", bound=Hashable)
_Value = TypeVar("_Value")


@dataclass(frozen=True, repr=False)
class RosterColumns:
    """Records and their rows. A row is one pair of name forms of one record; all views use the same rows.

    `record_numbers` by record; `values` by record: the clear value, or None, of each thing a view blocks on;
    `tag_codes` (records, 7) 64-bit: value codes of the tags, ABSENT where there is no value;
    `record`, `given`, `surname`, `variant` by row: record index, form numbers, variant bits;
    `grams` and `codes` by form number.
    """

    record_numbers: NDArray[np.uint64]
    values: dict[str, list[str | None]]
    tag_codes: NDArray[np.int64]
    record: NDArray[np.int64]
    given: NDArray[np.int64]
    surname: NDArray[np.int64]
    variant: NDArray[np.uint8]
    grams: GramTable
    codes: list[str]
    records_with_ssid: frozenset[int]


class _FormNumbers:
    """Numbers name forms by (text, code) and remembers the forms of each raw name."""

    def __init__(
        self, forms_of: Callable[[str | None, Sequence[str]], tuple[NameForm, ...]], known: dict[tuple[str, str], int]
    ) -> None:
        self._forms_of = forms_of
        self._known = known
        self._raw: dict[tuple[str | None, tuple[str, ...]], tuple[tuple[int, int], ...]] = {}

    def of(self, name: str | None, aliases: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
        """(form number, variant bits) of every form of a raw name."""
        key = (name, aliases)
        forms = self._raw.get(key)
        if forms is None:
            forms = tuple(
                (self._known.setdefault((form.text, form.code), len(self._known)), form.variant)
                for form in self._forms_of(name, aliases)
            )
            self._raw[key] = forms
        return forms


def roster_columns(people: Sequence[ClearPerson], *, tables: NameTables, maximum_variants: int) -> RosterColumns:
    """The columns of a roster; of a record with very many name forms only the first are kept."""
    known: dict[tuple[str, str], int] = {}
    given_of = _FormNumbers(lambda name, aliases: given_forms(name, aliases, tables=tables), known)
    surname_of = _FormNumbers(lambda name, aliases: surname_forms(name, aliases, tables=tables), known)
    record: list[int] = []
    given: list[int] = []
    surname: list[int] = []
    variant: list[int] = []
    for number, person in enumerate(people):
        first = given_of.of(person.given, person.alias_given)
        last = surname_of.of(person.surname, person.alias_surname)
        pairs = _pairs(first, last)[:maximum_variants]
        record += [number] * len(pairs)
        given += [g for g, _, _ in pairs]
        surname += [s for _, s, _ in pairs]
        variant += [bits for _, _, bits in pairs]
    ssids = _each([person.ssid for person in people], ssid_value)
    dates = _each([person.birth_date for person in people], lambda raw: date_parts(raw, tables=tables))
    postcodes = _each([person.postcode for person in people], postcode_value)
    return RosterColumns(
        record_numbers=np.array([person.local_record for person in people], dtype=np.uint64),
        values={
            "birth_year": [None if year is None else str(year) for year, _, _ in dates],
            "birth_month_day": _each(dates, lambda parts: _unordered(parts[1], parts[2])),
            "ssid": ssids,
            "postcode": postcodes,
            "guardian": _each([person.guardian for person in people], lambda names: _guardian(names, tables=tables)),
        },
        tag_codes=_tag_codes(people, dates=dates, postcodes=postcodes, ssids=ssids, tables=tables),
        record=np.array(record, dtype=np.int64),
        given=np.array(given, dtype=np.int64),
        surname=np.array(surname, dtype=np.int64),
        variant=np.array(variant, dtype=np.uint8),
        grams=GramTable([text for text, _ in known]),
        codes=[code for _, code in known],
        records_with_ssid=frozenset(p.local_record for p, ssid in zip(people, ssids, strict=True) if ssid),
    )


def _pairs(first: tuple[tuple[int, int], ...], last: tuple[tuple[int, int], ...]) -> list[tuple[int, int, int]]:
    """Every given form with every surname form, those nearest to what was written first."""
    if len(first) == 1:
        g, gbits = first[0]
        return [(g, s, gbits | sbits) for s, sbits in last]
    pairs = [(i + j, i, g, s, gbits | sbits) for i, (g, gbits) in enumerate(first) for j, (s, sbits) in enumerate(last)]
    pairs.sort()
    return [(g, s, bits) for _, _, g, s, bits in pairs]


def _unordered(month: int | None, day: int | None) -> str | None:
    if month is None or day is None:
        return None
    return f"{min(month, day)}-{max(month, day)}"


def _each(raw: Sequence[_Raw], work: Callable[[_Raw], _Value]) -> list[_Value]:
    """`work` of every value, done once for equal values."""
    known = {value: work(value) for value in dict.fromkeys(raw)}
    return [known[value] for value in raw]


def _guardian(names: tuple[str, ...], *, tables: NameTables) -> str | None:
    """The guardian's name parts as unordered phonetic codes, since guardians' names arrive in any order."""
    codes = {phonetic_code(part) for name in names for part in name_parts(name, tables=tables)}
    return " ".join(sorted(codes)) or None


def _tag_codes(
    people: Sequence[ClearPerson],
    *,
    dates: Sequence[tuple[int | None, int | None, int | None]],
    postcodes: Sequence[str | None],
    ssids: Sequence[str | None],
    tables: NameTables,
) -> NDArray[np.int64]:
    codes = np.full((len(people), 7), ABSENT, dtype=np.int64)
    for field in range(3):
        codes[:, field] = [ABSENT if (part := parts[field]) is None else part for parts in dates]
    codes[:, 3] = _each([person.sex for person in people], lambda raw: _text_code(sex_value(raw)))
    codes[:, 4] = _each(postcodes, _text_code)
    codes[:, 5] = _each([person.middle for person in people], lambda raw: _middle_code(raw, tables=tables))
    codes[:, 6] = _each(ssids, _text_code)
    return codes


def _middle_code(middle: str | None, *, tables: NameTables) -> int:
    parts = name_parts(middle, tables=tables) if middle else ()
    return _text_code(parts[0][0] if parts else None)


def _text_code(value: str | None) -> int:
    """32 bits of SHA-256: only a short name for the value as input of the keyed function."""
    return ABSENT if value is None else int.from_bytes(hashlib.sha256(value.encode()).digest()[:4], "little")
