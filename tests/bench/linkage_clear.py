"""Our own linkage without encoding: the same name forms, views, levels, model and decision over clear values.

For the benchmark alone, to tell what encoding costs. Bigrams of names are compared as sets (Dice) where the hub
compares filters, values where it compares tags; the resolver is the hub's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from linkage.encode.columns import ABSENT, RosterColumns, roster_columns
from linkage.encode.person import ClearPerson
from linkage.encode.phonetic import phonetic_code
from linkage.encode.tables import name_tables
from linkage.match.matcher import rarity_of, usual_rarity
from linkage.match.pairs import ViewPairs
from linkage.match.patterns import (
    DAY_ABSENT,
    DAY_AGREES,
    DAY_SIZE,
    DAY_SWAPPED,
    GIVEN_ABSENT,
    GIVEN_DERIVED,
    LEVEL_TOP,
    NAMES_CROSSED,
    PATTERNS,
    SIZES,
    SURNAME_ABSENT,
    SURNAME_SIZE,
)
from linkage.rows import VARIANT_GIVEN, VARIANT_SURNAME, VARIANT_SURNAME_PART
from linkage.schema import LinkageSchema
from linkage.sealed_ids import seal_records

_CUTS = (0.45, 0.65, 0.80, 0.93)
_PAIR, _EACH, _NONE = "pair", "each", "none"


def clear_views(
    sides: Sequence[Sequence[ClearPerson]], *, views: Sequence[str], schema: LinkageSchema, keys: Sequence[bytes]
) -> list[ViewPairs]:
    """The pairs of each view, as the matcher would tell them had it seen names; for files of some thousand records."""
    first = len(sides[0])
    people = [*sides[0], *(replace(person, local_record=first + person.local_record) for person in sides[1])]
    columns = roster_columns(people, tables=name_tables(schema), maximum_variants=schema.maximum_variants)
    grams = [frozenset(f"_{name}_"[at : at + 2] for at in range(len(name) + 1)) for name in columns.spellings]
    return [_view(columns, grams, first=first, view=view, schema=schema, keys=keys) for view in views]


def _view(
    columns: RosterColumns,
    grams: Sequence[frozenset[str]],
    *,
    first: int,
    view: str,
    schema: LinkageSchema,
    keys: Sequence[bytes],
) -> ViewPairs:
    blocks = _blocks(columns, view=view, schema=schema)
    rows = [row for members in blocks.values() for row in members]
    record = columns.record[np.array(rows, dtype=np.int64)]
    sizes = np.array([len(members) for members in blocks.values() for _ in members], dtype=np.int64)
    left, right, patterns, begin = [], [], [], 0
    same_provider = np.zeros(PATTERNS, dtype=np.int64)
    for members in blocks.values():
        for i in range(len(members)):
            for j in range(i + 1, len(members)):
                one, other = members[i], members[j]
                apart = (columns.record[one] < first) != (columns.record[other] < first)
                if apart or not columns.variant[one] | columns.variant[other]:
                    pattern = _pattern(columns, grams, one, other)
                    if apart:
                        left.append(begin + i)
                        right.append(begin + j)
                        patterns.append(pattern)
                    elif columns.record[one] != columns.record[other]:
                        same_provider[pattern] += 1
        begin += len(members)
    side = (record >= first).astype(np.int64)
    return ViewPairs(
        view=view,
        groups=len(rows),
        usual_rarity=usual_rarity(sizes),
        member_group=np.arange(len(rows)),
        member_submission=side,
        member_sealed_id=_sealed(record - first * side, side=side, keys=keys),
        left=np.array(left, dtype=np.int64),
        right=np.array(right, dtype=np.int64),
        pattern=np.array(patterns, dtype=np.int32),
        rarity=rarity_of(sizes)[np.array(left, dtype=np.int64)],
        dropped=np.zeros(PATTERNS, dtype=np.int64),
        same_provider=same_provider,
    )


def _sealed(numbers: NDArray[np.int64], *, side: NDArray[np.int64], keys: Sequence[bytes]) -> NDArray[np.void]:
    sealed = np.empty((len(numbers), 16), dtype=np.uint8)
    for place, key in enumerate(keys):
        of_side = side == place
        nonces = np.arange(int(of_side.sum()), dtype=np.uint64)
        sealed[of_side] = seal_records(numbers[of_side].astype(np.uint64), nonces=nonces, key=key)
    return np.ascontiguousarray(sealed).view("V16").reshape(-1)


def _blocks(columns: RosterColumns, *, view: str, schema: LinkageSchema) -> dict[object, list[int]]:
    """Rows by the value that a view blocks on."""
    of_view = schema.view(view)
    codes = columns.spellings if of_view.spelled else [phonetic_code(name) if name else "" for name in columns.coded_by]
    numbers = [columns.values[name].number for name in of_view.values]
    blocks: dict[object, list[int]] = defaultdict(list)
    for row, record in enumerate(columns.record.tolist()):
        value = tuple(int(number[record]) for number in numbers)
        given, surname = codes[columns.given[row]], codes[columns.surname[row]]
        if ABSENT in value:
            continue
        if of_view.names == _NONE:
            blocks[value].append(row)
        elif of_view.names == _PAIR and given and surname:
            blocks[value, *sorted((given, surname))].append(row)
        elif of_view.names == _EACH:
            for code in {given, surname} - {""}:
                blocks[value, code].append(row)
    return blocks


def _pattern(columns: RosterColumns, grams: Sequence[frozenset[str]], i: int, j: int) -> int:
    one, other = columns.tag_codes[columns.record[i]], columns.tag_codes[columns.record[j]]
    tags = [_tag(one, other, field) for field in range(3, 7)]
    return int(np.ravel_multi_index((_names(columns, grams, i, j), _date(one, other), *tags), SIZES))


def _tag(one: NDArray[np.int64], other: NDArray[np.int64], field: int) -> int:
    if one[field] == ABSENT or other[field] == ABSENT:
        return 2
    return int(one[field] == other[field])


def _date(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    month, day = _tag(one, other, 1), _tag(one, other, 2)
    if 2 in {month, day}:
        both = DAY_ABSENT
    elif month and day:
        both = DAY_AGREES
    elif one[1] == other[2] and one[2] == other[1]:
        both = DAY_SWAPPED
    else:
        both = month + day
    return _tag(one, other, 0) * DAY_SIZE + both


def _names(columns: RosterColumns, grams: Sequence[frozenset[str]], i: int, j: int) -> int:
    """As `linkage.match.kernel.names_outcome`, by the likeness of clear names."""
    derived = int(columns.variant[i] | columns.variant[j])
    given = _dice(grams, columns.spellings, columns.given[i], columns.given[j])
    surname = _dice(grams, columns.spellings, columns.surname[i], columns.surname[j])
    if given is not None and surname is not None and max(given, surname) < _CUTS[-2]:
        likenesses = (
            _dice(grams, columns.spellings, columns.given[i], columns.surname[j]),
            _dice(grams, columns.spellings, columns.surname[i], columns.given[j]),
        )
        crossed = min(likeness or 0.0 for likeness in likenesses)
        if crossed >= _CUTS[-3] and crossed > max(given, surname):
            return NAMES_CROSSED + int(bool(derived) or crossed < _CUTS[-1])
    given_level = GIVEN_ABSENT if given is None else _level(given)
    if given_level == LEVEL_TOP and derived & VARIANT_GIVEN:
        given_level = GIVEN_DERIVED
    surname_level = SURNAME_ABSENT if surname is None else _level(surname)
    if surname_level == LEVEL_TOP:
        surname_level += sum(bool(columns.variant[row] & (VARIANT_SURNAME | VARIANT_SURNAME_PART)) for row in (i, j))
    return given_level * SURNAME_SIZE + surname_level


def _dice(grams: Sequence[frozenset[str]], names: Sequence[str], one: int, other: int) -> float | None:
    if not names[one] or not names[other]:
        return None
    return 2 * len(grams[one] & grams[other]) / (len(grams[one]) + len(grams[other]))


def _level(likeness: float) -> int:
    return sum(likeness >= cut for cut in _CUTS)
