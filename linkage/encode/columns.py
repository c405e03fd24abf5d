"""A roster turned from people into columns of numbers: at the edge, between normalisation and the keyed functions.

Every distinct raw name, name form, date and value is worked out once and gets a number; what follows works on arrays
of those numbers.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from linkage.encode.filters import GramTable
from linkage.encode.forms import NameForm, given_forms, surname_forms
from linkage.encode.normalise import date_parts, name_parts, postcode_value, sex_value, ssid_value
from linkage.encode.person import ClearPerson
from linkage.encode.phonetic import phonetic_code
from linkage.encode.tables import NameTables
from linkage.encode.tokens import name_digests

ABSENT = -1
_FORMS_BELOW = 1 << 32
TAG_FIELDS = ("year", "month", "day", "sex", "postcode", "middle", "ssid")

_Raw = TypeVar("_Raw", bound=Hashable)
_Value = TypeVar("_Value")
_Written = str | None | tuple[str | None, tuple[str, ...]]
"""A raw name as written, with its aliases only where there are any: most names are one string, which hashes fast."""
DateParts = tuple[int | None, int | None, int | None]
_Numbers = NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class Coded:
    """A column as the number of each record's value, ABSENT where it has none, and the distinct values."""

    number: _Numbers
    values: list[str]


@dataclass(frozen=True, repr=False)
class RosterColumns:
    """Records and their rows. A row is one pair of name forms of one record.

    `record_numbers` by record; `values` by record: what views block on;
    `tag_codes` (records, 7) 64-bit: value codes of the tags, ABSENT where there is no value;
    `record`, `given`, `surname`, `variant` by row: record index, form numbers, variant bits, those nearest to what was
    written first; `spellings`, `coded_by`, `grams` by form number: the absent name has an empty spelling.
    """

    record_numbers: NDArray[np.uint64]
    values: dict[str, Coded]
    tag_codes: _Numbers
    record: _Numbers
    given: _Numbers
    surname: _Numbers
    variant: NDArray[np.uint8]
    spellings: list[str]
    coded_by: list[str]
    grams: GramTable
    records_with_ssid: frozenset[int]

    @functools.cached_property
    def spelling_digests(self) -> NDArray[np.uint64]:
        """By form number what views by spelling block on; NO_NAME for the absent name."""
        return name_digests(self.spellings)

    @functools.cached_property
    def code_digests(self) -> NDArray[np.uint64]:
        """By form number what views by phonetic code block on, worked out only where there are such views."""
        return name_digests([phonetic_code(name) for name in self.coded_by])


@dataclass(frozen=True)
class _FormLists:
    """Forms of every distinct raw name end to end; `which` is the raw name of each record."""

    which: _Numbers
    starts: _Numbers
    sizes: _Numbers
    form: _Numbers
    variant: NDArray[np.uint8]


def roster_columns(people: Sequence[ClearPerson], *, tables: NameTables, maximum_variants: int) -> RosterColumns:
    """The columns of a roster; of a record with very many name forms only the first are kept."""
    known: dict[tuple[str, str], int] = {}
    given = _form_lists(
        [_written(person.given, person.alias_given) for person in people],
        lambda raw: given_forms(*_name_and_aliases(raw), tables=tables), known,
    )  # fmt: skip
    surname = _form_lists(
        [_written(person.surname, person.alias_surname) for person in people],
        lambda raw: surname_forms(*_name_and_aliases(raw), tables=tables), known,
    )  # fmt: skip
    record, given_place, surname_place = _row_places(given, surname, most=maximum_variants)
    dates = _worked_out([person.birth_date for person in people], lambda raw: date_parts(raw, tables=tables))
    postcodes = _worked_out([person.postcode for person in people], postcode_value)
    ssids = _worked_out([person.ssid for person in people], ssid_value)
    numbers = np.array([person.local_record for person in people], dtype=np.uint64)
    return RosterColumns(
        record_numbers=numbers,
        values={
            "birth_year": _coded(dates, lambda parts: None if parts[0] is None else str(parts[0])),
            "birth_month": _coded(dates, lambda parts: None if parts[1] is None else str(parts[1])),
            "birth_day": _coded(dates, lambda parts: None if parts[2] is None else str(parts[2])),
            "birth_month_day": _coded(dates, lambda parts: _unordered(parts[1], parts[2])),
            "ssid": _coded(ssids, lambda value: value),
            "postcode": _coded(postcodes, lambda value: value),
            "guardian": _coded(
                _worked_out([person.guardian for person in people], lambda names: _guardian(names, tables=tables)),
                lambda value: value,
            ),
        },
        tag_codes=_tag_codes(people, dates=dates, postcodes=postcodes, ssids=ssids, tables=tables),
        record=record,
        given=given.form[given_place],
        surname=surname.form[surname_place],
        variant=given.variant[given_place] | surname.variant[surname_place],
        spellings=[text for text, _ in known],
        coded_by=[name for _, name in known],
        grams=GramTable([text for text, _ in known]),
        records_with_ssid=frozenset(numbers[_coded(ssids, lambda value: value).number != ABSENT].tolist()),
    )


def _written(name: str | None, aliases: tuple[str, ...]) -> _Written:
    return (name, aliases) if aliases else name


def _name_and_aliases(written: _Written) -> tuple[str | None, tuple[str, ...]]:
    return written if isinstance(written, tuple) else (written, ())


def _form_lists(
    raw: Sequence[_Raw], forms_of: Callable[[_Raw], tuple[NameForm, ...]], known: dict[tuple[str, str], int]
) -> _FormLists:
    """The forms of every raw name; `known` numbers forms by spelling and by what they are coded by, and grows."""
    distinct, which = _numbered(raw)
    sizes, numbers, variants = [], [], []
    for name in distinct:
        forms = forms_of(name)
        sizes.append(len(forms))
        for text, coded_by, variant in forms:
            numbers.append(known.setdefault((text, coded_by), len(known)))
            variants.append(variant)
    of_name = np.array(sizes, dtype=np.int64)
    return _FormLists(
        which=which,
        starts=np.cumsum(of_name) - of_name,
        sizes=of_name,
        form=np.array(numbers, dtype=np.int64),
        variant=np.array(variants, dtype=np.uint8),
    )


def _row_places(given: _FormLists, surname: _FormLists, *, most: int) -> tuple[_Numbers, _Numbers, _Numbers]:
    """By row its record and the places of its forms in the lists: every given form with every surname form."""
    shapes, which = np.unique(
        given.sizes[given.which] * _FORMS_BELOW + surname.sizes[surname.which], return_inverse=True
    )
    tables = [_nearest_first(*divmod(int(shape), _FORMS_BELOW), most=most) for shape in shapes]
    shape_sizes = np.array([len(table) for table in tables], dtype=np.int64)
    shape_starts = np.cumsum(shape_sizes) - shape_sizes
    counts = shape_sizes[which]
    record = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(record)) - np.repeat(np.cumsum(counts) - counts, counts)
    places = np.concatenate([*tables, np.empty((0, 2), dtype=np.int64)])[shape_starts[which[record]] + within]
    return (
        record,
        given.starts[given.which[record]] + places[:, 0],
        surname.starts[surname.which[record]] + places[:, 1],
    )


def _nearest_first(given: int, surname: int, *, most: int) -> _Numbers:
    """Every pair of form places, those nearest to what was written first."""
    pairs = sorted(((i, j) for i in range(given) for j in range(surname)), key=lambda pair: (sum(pair), pair))
    return np.array(pairs[:most], dtype=np.int64).reshape(-1, 2)


def _numbered(raw: Sequence[_Raw]) -> tuple[list[_Raw], _Numbers]:
    """The distinct values, and the number of each."""
    known: dict[_Raw, int] = {value: number for number, value in enumerate(dict.fromkeys(raw))}
    return list(known), np.fromiter(map(known.__getitem__, raw), dtype=np.int64, count=len(raw))


@dataclass(frozen=True, repr=False)
class _Work(Generic[_Value]):
    """What became of every distinct raw value, and which of them is each record's."""

    which: _Numbers
    results: list[_Value]


def _worked_out(raw: Sequence[_Raw], work: Callable[[_Raw], _Value]) -> _Work[_Value]:
    """`work` of every value, done once for equal values."""
    distinct, which = _numbered(raw)
    return _Work(which, [work(value) for value in distinct])


def _coded(of: _Work[_Value], text: Callable[[_Value], str | None]) -> Coded:
    known: dict[str, int] = {}
    texts = [text(value) for value in of.results]
    numbers = [ABSENT if one is None else known.setdefault(one, len(known)) for one in texts]
    return Coded(np.array(numbers, dtype=np.int64)[of.which], list(known))


def _unordered(month: int | None, day: int | None) -> str | None:
    if month is None or day is None:
        return None
    return f"{min(month, day)}-{max(month, day)}"


def _guardian(names: tuple[str, ...], *, tables: NameTables) -> str | None:
    """The guardian's name parts as unordered phonetic codes, since guardians' names arrive in any order."""
    codes = {phonetic_code(part) for name in names for part in name_parts(name, tables=tables)}
    return " ".join(sorted(codes)) or None


def _tag_codes(
    people: Sequence[ClearPerson],
    *,
    dates: _Work[DateParts],
    postcodes: _Work[str | None],
    ssids: _Work[str | None],
    tables: NameTables,
) -> _Numbers:
    sexes = _worked_out([person.sex for person in people], sex_value)
    middles = _worked_out([person.middle for person in people], lambda raw: _initial(raw, tables=tables))
    parts = np.array([[ABSENT if part is None else part for part in of] for of in dates.results], dtype=np.int64)
    texts = [
        np.array([_text_code(value) for value in of.results], dtype=np.int64)[of.which]
        for of in (sexes, postcodes, middles, ssids)
    ]
    return np.concatenate([parts.reshape(-1, 3)[dates.which], np.stack(texts, axis=1)], axis=1)


def _initial(middle: str | None, *, tables: NameTables) -> str | None:
    parts = name_parts(middle, tables=tables)
    return parts[0][0] if parts else None


def _text_code(value: str | None) -> int:
    """32 bits of SHA-256: only a short name for the value as input of the keyed function."""
    return ABSENT if value is None else int.from_bytes(hashlib.sha256(value.encode()).digest()[:4], "little")
