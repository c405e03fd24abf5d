"""One view of a roster as rows: tokens, filters, tags, sealed ids, shuffled: at the edge only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linkage.aes import encrypt_blocks
from linkage.encode.columns import ABSENT, RosterColumns
from linkage.encode.filters import name_filters
from linkage.encode.keys import subkey
from linkage.profile import ViewProfile
from linkage.rows import FLAG_GIVEN_ABSENT, FLAG_SURNAME_ABSENT, VIEW_ROW, Rows
from linkage.schema import LinkageSchema, View
from linkage.sealed_ids import seal_records

_TAG_KEYS = ("year", "month-day", "month-day", "sex", "postcode", "middle", "ssid")
"""Month and day share one key, so that a swapped date shows."""


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
    kept, value_of_row, values = _view_values(columns, view=view)
    tokens = _tokens(values, key=subkey(secret, schema=schema, purpose=f"view/{view.name}/token"), view=view)
    rows = np.zeros(len(kept), dtype=VIEW_ROW)
    row_tokens = tokens[value_of_row]
    rows["view"] = view.number
    rows["token"] = np.ascontiguousarray(row_tokens).view("V16").reshape(-1)
    rows["variant"] = columns.variant[kept]
    _fill_names(rows, columns=columns, kept=kept, tokens=row_tokens, view=view, schema=schema, secret=secret)
    _fill_tags(rows, columns=columns, kept=kept, tokens=row_tokens, schema=schema, secret=secret)
    records = columns.record[kept]
    nonces = rng.integers(0, 2**64, size=len(rows), dtype=np.uint64)
    sealed = seal_records(columns.record_numbers[records], nonces=nonces, key=submission_key)
    rows["sealed_id"] = np.ascontiguousarray(sealed).view("V16").reshape(-1)
    return rows[rng.permutation(len(rows))], _profile(value_of_row, records=records, values=len(values))


def _view_values(columns: RosterColumns, *, view: View) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
    """Rows kept (a row may come twice where a view blocks on each name), the number of each row's value, the values."""
    record_values, of_record = _record_values(columns, view=view)
    codes, of_form = _numbered([code or None for code in columns.codes])
    given, surname = of_form[columns.given], of_form[columns.surname]
    rows, first, second = _name_codes(view.names, given=given, surname=surname)
    value = of_record[columns.record[rows]]
    kept = value != ABSENT
    size = len(codes) + 1
    keys = (value[kept] * size + first[kept] + 1) * size + second[kept] + 1
    distinct, numbers = np.unique(keys, return_inverse=True)
    texts = [
        "\x1f".join(
            [record_values[key // size**2], *sorted(codes[n - 1] for n in (key // size % size, key % size) if n)]
        )
        for key in distinct.tolist()
    ]
    return rows[kept], numbers.astype(np.int64), texts


def _record_values(columns: RosterColumns, *, view: View) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct values that a view takes from the record itself, and the number of each record's."""
    if not view.values:
        return [""], np.zeros(len(columns.record_numbers), dtype=np.int64)
    parts = zip(*(columns.values[name] for name in view.values), strict=True)
    return _numbered([None if None in of_record else "\x1f".join(map(str, of_record)) for of_record in parts])


def _numbered(values: Sequence[str | None]) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct values, and the number of each; ABSENT for None."""
    known: dict[str, int] = {}
    numbers = [ABSENT if value is None else known.setdefault(value, len(known)) for value in values]
    return list(known), np.array(numbers, dtype=np.int64)


def _name_codes(
    kind: str, *, given: NDArray[np.int64], surname: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows and the name codes that join their view value: none, the unordered pair, or each by itself."""
    nothing = np.full(len(given), ABSENT)
    if kind == "none":
        return np.arange(len(given)), nothing, nothing
    if kind == "pair":
        rows = np.flatnonzero((given != ABSENT) & (surname != ABSENT))
        return rows, np.minimum(given, surname)[rows], np.maximum(given, surname)[rows]
    by_given = np.flatnonzero(given != ABSENT)
    by_surname = np.flatnonzero((surname != ABSENT) & (surname != given))
    rows = np.concatenate([by_given, by_surname])
    return rows, np.concatenate([given[by_given], surname[by_surname]]), np.full(len(rows), ABSENT)


def _tokens(values: list[str], *, key: bytes, view: View) -> NDArray[np.uint8]:
    """AES-256 of the first 16 bytes of SHA-256(view, value)."""
    prefix = f"{view.name}\x1e".encode()
    digests = b"".join(hashlib.sha256(prefix + value.encode()).digest()[:16] for value in values)
    return encrypt_blocks(np.frombuffer(digests, dtype=np.uint8).reshape(-1, 16), key=key)


def _fill_names(
    rows: Rows,
    *,
    columns: RosterColumns,
    kept: NDArray[np.int64],
    tokens: NDArray[np.uint8],
    view: View,
    schema: LinkageSchema,
    secret: bytes,
) -> None:
    key = subkey(secret, schema=schema, purpose=f"view/{view.name}/filter")
    for name, forms, flag in (
        ("given", columns.given[kept], FLAG_GIVEN_ABSENT),
        ("surname", columns.surname[kept], FLAG_SURNAME_ABSENT),
    ):
        rows[name] = name_filters(forms, tokens=tokens, grams=columns.grams, key=key, weight=schema.filter_weight)
        rows["flags"] |= np.where(columns.grams.counts[forms] == 0, flag, 0).astype(np.uint16)


def _fill_tags(
    rows: Rows,
    *,
    columns: RosterColumns,
    kept: NDArray[np.int64],
    tokens: NDArray[np.uint8],
    schema: LinkageSchema,
    secret: bytes,
) -> None:
    """16 bits of AES over (12 token bytes, value code) under the field's own key; 0 is kept for absent."""
    inputs = np.empty((len(rows), 16), dtype=np.uint8)
    inputs[:, :12] = tokens[:, :12]
    for field, purpose in enumerate(_TAG_KEYS):
        codes = columns.tag_codes[columns.record[kept], field]
        inputs[:, 12:] = (codes & 0xFFFFFFFF).astype("<u4").view(np.uint8).reshape(-1, 4)
        outputs = encrypt_blocks(inputs, key=subkey(secret, schema=schema, purpose=f"field/{purpose}/tag"))
        tags = np.ascontiguousarray(outputs[:, :2]).view("<u2").reshape(-1)
        rows["tags"][:, field] = np.where(codes == ABSENT, 0, np.maximum(tags, 1))


def _profile(numbers: NDArray[np.int64], *, records: NDArray[np.int64], values: int) -> ViewProfile:
    """Counts records, not rows: a record with many name forms counts once for a value."""
    if not values:
        return ViewProfile(values=0, largest=0)
    pairs = np.unique(np.stack([numbers, records], axis=1), axis=0)
    return ViewProfile(values=values, largest=int(np.bincount(pairs[:, 0]).max()))
