"""The two fixed-width layouts that cross the wall: written at the edge, read at the hub.

Little-endian, no padding, so that a chunk is read with one `numpy.frombuffer`
(docs/architecture.md section 5). Absent values are a reserved tag (0) or an empty filter with its
flag, since absence must stay neutral and never count as disagreement.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from linkage.errors import LinkageError

VIEW_ROW = np.dtype(
    [
        ("sealed_id", "V16"),
        ("view", "u1"),
        ("variant", "u1"),
        ("flags", "<u2"),
        ("token", "V16"),
        ("given", "<u8", (4,)),
        ("surname", "<u8", (4,)),
        ("tags", "<u2", (8,)),
        ("spare", "<u4"),
    ]
)
SPAN_ROW = np.dtype(
    [
        ("record", "<u8"),
        ("reference", "V16"),
        ("school_year", "<u2"),
        ("grade", "i1"),
        ("flags", "u1"),
        ("start", "<u2"),
        ("end", "<u2"),
    ]
)
TAG_NAMES = ("year", "month", "day", "sex", "postcode", "middle", "ssid", "rarity")
TAG_ABSENT = 0

FLAG_GIVEN_ABSENT = 1
FLAG_SURNAME_ABSENT = 2
KNOWN_FLAGS = FLAG_GIVEN_ABSENT | FLAG_SURNAME_ABSENT

VARIANT_SURNAME_PART = 1
VARIANT_GIVEN = 2
VARIANT_SURNAME = 4
KNOWN_VARIANTS = VARIANT_SURNAME_PART | VARIANT_GIVEN | VARIANT_SURNAME

SPAN_SSID_PRESENT = 1
SPAN_FULL_TIME = 2
KNOWN_SPAN_FLAGS = SPAN_SSID_PRESENT | SPAN_FULL_TIME

Rows: TypeAlias = NDArray[Any]


def view_rows(chunk: bytes) -> Rows:
    """The view rows of one chunk, read-only; LinkageError `truncated_chunk` when bytes are left over."""
    return _read(chunk, VIEW_ROW, place="rows chunk")


def span_rows(chunk: bytes) -> Rows:
    """The span rows of one chunk, read-only; LinkageError `truncated_chunk` when bytes are left over."""
    return _read(chunk, SPAN_ROW, place="spans chunk")


def _read(chunk: bytes, layout: np.dtype[Any], *, place: str) -> Rows:
    if len(chunk) % layout.itemsize:
        raise LinkageError(
            "truncated_chunk",
            place,
            next_step=f"a chunk holds whole rows of {layout.itemsize} bytes: prepare the submission again",
        )
    return np.frombuffer(chunk, dtype=layout)
