"""One view of a roster as rows: tokens, filters, tags, sealed ids, shuffled: at the edge only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.aes import encrypt_blocks
from linkage.encode.columns import ABSENT, TAG_FIELDS, RosterColumns
from linkage.encode.filters import FILTER_WORDS, name_filters
from linkage.encode.keys import subkey
from linkage.encode.tokens import NO_NAME, PART_SEPARATOR, Digests, digests, tokens
from linkage.profile import ViewProfile
from linkage.rows import (
    FLAG_GIVEN_ABSENT,
    FLAG_SURNAME_ABSENT,
    VARIANT_GIVEN,
    VARIANT_SURNAME,
    VARIANT_SURNAME_PART,
    VIEW_ROW,
    Rows,
)
from linkage.schema import LinkageSchema, View
from linkage.sealed_ids import seal_records

_TAG_NUMBERS = (0, 1, 1, 3, 4, 5, 6)
"""What each tag field is called in its input: month and day alike, so that a swapped date shows."""
_MARKS = np.array([[2**64 - 1, 0, 0, 0], [0, 2**64 - 1, 0, 0]], dtype=np.uint64)
"""In place of a filter where a spelled view makes names equal: all that two rows of a block need, and no name in it."""

_MIXERS = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64)
"""Odd multipliers (Steele, Lea and Flood 2014): only to tell values apart while they are counted."""


@dataclass(frozen=True, repr=False)
class _Blocked:
    """The rows of one view. `row` is a place in the columns; `by_given`, where a view takes each name by itself, says
    which of the two; `names` (n, 2) and `values` are digests of what the row is blocked on."""

    row: NDArray[np.int64]
    by_given: NDArray[np.bool_]
    names: Digests
    values: Digests

    def taken(self, places: NDArray[np.int64]) -> _Blocked:
        return _Blocked(self.row[places], self.by_given[places], self.names[places], self.values[places])


def encode_view(
    columns: RosterColumns,
    *,
    view: View,
    schema: LinkageSchema,
    secret: bytes,
    submission_key: bytes,
    rng: np.random.Generator,
) -> tuple[Rows, ViewProfile]:
    """The shuffled rows of one view, and the profile of its values; records without a value have no row."""
    blocked = _blocked(columns, view=view)
    profile = _profile(blocked, records=columns.record[blocked.row])
    blocked = blocked.taken(rng.permutation(len(blocked.row)))
    row_tokens = tokens(
        blocked.values, names=blocked.names, key=subkey(secret, schema=schema, purpose=f"view/{view.name}/token")
    )
    rows = np.zeros(len(blocked.row), dtype=VIEW_ROW)
    rows["view"] = view.number
    rows["token"] = np.ascontiguousarray(row_tokens).view("V16").reshape(-1)
    rows["variant"] = columns.variant[blocked.row]
    filter_key = subkey(secret, schema=schema, purpose=f"view/{view.name}/filter")
    _fill_names(rows, columns=columns, blocked=blocked, row_tokens=row_tokens, view=view, key=filter_key, schema=schema)
    records = columns.record[blocked.row]
    tag_key = subkey(secret, schema=schema, purpose="tags")
    rows["tags"][:, : len(TAG_FIELDS)] = _tags(columns.tag_codes, records=records, row_tokens=row_tokens, key=tag_key)
    nonces = rng.integers(0, 2**64, size=len(rows), dtype=np.uint64)
    sealed = seal_records(columns.record_numbers[records], nonces=nonces, key=submission_key)
    rows["sealed_id"] = np.ascontiguousarray(sealed).view("V16").reshape(-1)
    return rows, profile


def _blocked(columns: RosterColumns, *, view: View) -> _Blocked:
    by_form = columns.spelling_digests if view.spelled or view.names == "none" else columns.code_digests
    row, by_given, names = _named_rows(columns, view=view, by_form=by_form)
    values, has_value = _record_values(columns, view=view)
    record = columns.record[row]
    kept = np.flatnonzero(has_value[record])
    return _Blocked(row[kept], by_given[kept], names[kept], values[record[kept]])


def _named_rows(
    columns: RosterColumns, *, view: View, by_form: Digests
) -> tuple[NDArray[np.int64], NDArray[np.bool_], Digests]:
    """Rows (one may come twice where a view blocks on each name), and the ascending names they are blocked on."""
    if view.names == "none":
        row = np.arange(len(columns.record))
        return row, np.zeros(len(row), dtype=np.bool_), np.full((len(row), 2), NO_NAME, dtype=np.uint64)
    given, surname = by_form[columns.given], by_form[columns.surname]
    if view.names == "pair":
        row = np.flatnonzero((given != NO_NAME) & (surname != NO_NAME))
        names = np.empty((len(row), 2), dtype=np.uint64)
        np.minimum(given[row], surname[row], out=names[:, 0])
        np.maximum(given[row], surname[row], out=names[:, 1])
        return row, np.zeros(len(row), dtype=np.bool_), names
    first, second = given != NO_NAME, (surname != NO_NAME) & (surname != given)
    if view.spelled:
        first &= (columns.variant & (VARIANT_SURNAME | VARIANT_SURNAME_PART)) == 0
        second &= (columns.variant & VARIANT_GIVEN) == 0
    row = np.concatenate([np.flatnonzero(first), np.flatnonzero(second)])
    by_given = np.arange(len(row)) < np.count_nonzero(first)
    name = np.where(by_given, given[row], surname[row])
    return row, by_given, np.stack([np.full(len(row), NO_NAME, dtype=np.uint64), name], axis=1)


def _record_values(columns: RosterColumns, *, view: View) -> tuple[Digests, NDArray[np.bool_]]:
    """By record the digest of what a view takes from the record itself, and whether it has all of it."""
    records = len(columns.record_numbers)
    key, has_value = np.zeros(records, dtype=np.int64), np.ones(records, dtype=np.bool_)
    for part in (columns.values[name] for name in view.values):
        key = key * (len(part.values) + 1) + part.number
        has_value &= part.number != ABSENT
    distinct, first, place = np.unique(key[has_value], return_index=True, return_inverse=True)
    examples = np.flatnonzero(has_value)[first]
    parts = [
        [part.values[number] for number in part.number[examples]]
        for part in (columns.values[name] for name in view.values)
    ]
    texts = [PART_SEPARATOR.join(of_value) for of_value in zip(*parts, strict=True)] if parts else [""] * len(distinct)
    values = np.zeros(records, dtype=np.uint64)
    values[has_value] = digests(texts)[place]
    return values, has_value


def _fill_names(
    rows: Rows,
    *,
    columns: RosterColumns,
    blocked: _Blocked,
    row_tokens: NDArray[np.uint8],
    view: View,
    key: bytes,
    schema: LinkageSchema,
) -> None:
    given, surname = columns.given[blocked.row], columns.surname[blocked.row]
    nobody = np.zeros(len(rows), dtype=np.bool_)
    if view.spelled and view.names == "pair":
        rows["given"], rows["surname"] = _pair_marks(columns, given=given, surname=surname, row_tokens=row_tokens)
        return
    by_itself = view.spelled and view.names == "each"
    for name, forms, flag, marked in (
        ("given", given, FLAG_GIVEN_ABSENT, blocked.by_given if by_itself else nobody),
        ("surname", surname, FLAG_SURNAME_ABSENT, ~blocked.by_given if by_itself else nobody),
    ):
        filters = np.empty((len(rows), FILTER_WORDS), dtype=np.uint64)
        filters[marked] = _MARKS[0]
        filters[~marked] = name_filters(
            forms[~marked], tokens=row_tokens[~marked], grams=columns.grams, key=key, weight=schema.filter_weight
        )
        rows[name] = filters
        rows["flags"] |= np.where(columns.grams.counts[forms] == 0, flag, 0).astype(np.uint16)


def _pair_marks(
    columns: RosterColumns,
    *,
    given: NDArray[np.int64],
    surname: NDArray[np.int64],
    row_tokens: NDArray[np.uint8],
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """One mark for each of the two names of the block; which has the first, a bit of the token says."""
    by_form = columns.spelling_digests
    order = (by_form[given] > by_form[surname]).astype(np.uint8) ^ (row_tokens[:, 15] & 1)
    return _MARKS[order], _MARKS[1 - order]


def _tags(
    codes: NDArray[np.int64], *, records: NDArray[np.int64], row_tokens: NDArray[np.uint8], key: bytes
) -> NDArray[np.uint16]:
    """(n, 7): 16 bits of AES over (11 token bytes, number of the field, value code); 0 is kept for absent."""
    found = np.zeros((len(records), len(TAG_FIELDS)), dtype=np.uint16)
    inputs = row_tokens.copy()
    for field, number in enumerate(_TAG_NUMBERS):
        of_row = codes[records, field]
        if (of_row == ABSENT).all():
            continue
        inputs[:, 11] = number
        inputs.view("<u4")[:, 3] = of_row & 0xFFFFFFFF
        tags = np.maximum(encrypt_blocks(inputs, key=key).view("<u2")[:, 0], 1)
        found[:, field] = np.where(of_row == ABSENT, 0, tags)
    return found


def _profile(blocked: _Blocked, *, records: NDArray[np.int64]) -> ViewProfile:
    """Counts records, not rows: a record with many name forms counts once for a value."""
    if not len(records):
        return ViewProfile(values=0, largest=0)
    mixed = (blocked.names[:, 0] * _MIXERS[0] + blocked.names[:, 1]) * _MIXERS[1] + blocked.values
    ordered = np.sort(mixed[_first_of_each(mixed * _MIXERS[2] + records.astype(np.uint64))])
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return ViewProfile(values=len(starts), largest=int(np.diff(np.append(starts, len(ordered))).max()))


def _first_of_each(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """One place of every distinct key; most views have no key twice, which sorting alone shows."""
    ordered = np.sort(keys)
    if (ordered[1:] != ordered[:-1]).all():
        return np.arange(len(keys))
    return np.unique(keys, return_index=True)[1]
