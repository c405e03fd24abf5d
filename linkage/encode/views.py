"""One view of a roster as rows: tokens, filters, tags, sealed ids, shuffled: at the edge only."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from linkage.aes import encrypt_blocks
from linkage.encode.columns import ABSENT, RosterColumns
from linkage.encode.filters import GramTable, name_filters
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
    of_record = _record_values(columns, view=view)
    rows = np.flatnonzero(np.array([value is not None for value in of_record], dtype=bool)[columns.record])
    known: dict[tuple[str | None, ...], int] = {}
    kept: list[int] = []
    numbers: list[int] = []
    for row in rows.tolist():
        value = of_record[columns.record[row]]
        given, surname = columns.codes[columns.given[row]], columns.codes[columns.surname[row]]
        for names in _name_values(view.names, given=given, surname=surname):
            kept.append(row)
            numbers.append(known.setdefault((value, *names), len(known)))
    texts = ["\x1f".join(part or "" for part in value) for value in known]
    return np.array(kept, dtype=np.int64), np.array(numbers, dtype=np.int64), texts


def _record_values(columns: RosterColumns, *, view: View) -> list[str | None]:
    if not view.values:
        return [""] * len(columns.record_numbers)
    parts = [columns.values[name] for name in view.values]
    joined = ("\x1f".join(p for p in of_record if p is not None) for of_record in zip(*parts, strict=True))
    complete = (None not in of_record for of_record in zip(*parts, strict=True))
    return [value if whole else None for value, whole in zip(joined, complete, strict=True)]


def _name_values(kind: str, *, given: str, surname: str) -> tuple[tuple[str, ...], ...]:
    """What a row's name codes add to its view value: nothing, the unordered pair, or each by itself."""
    if kind == "none":
        return ((),)
    if kind == "pair":
        return (tuple(sorted((given, surname))),) if given and surname else ()
    return tuple((code,) for code in dict.fromkeys((given, surname)) if code)


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
    grams = GramTable(columns.texts)
    key = subkey(secret, schema=schema, purpose=f"view/{view.name}/filter")
    for name, forms, flag in (
        ("given", columns.given[kept], FLAG_GIVEN_ABSENT),
        ("surname", columns.surname[kept], FLAG_SURNAME_ABSENT),
    ):
        rows[name] = name_filters(forms, tokens=tokens, grams=grams, key=key, weight=schema.filter_weight)
        rows["flags"] |= np.where(grams.counts[forms] == 0, flag, 0).astype(np.uint16)


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
