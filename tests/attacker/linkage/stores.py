"""What an attacker may hold of the hub, made with the product's own encoder; and the truth, held apart for the score.

The attacker knows every rule (Kerckhoffs) but the linkage secret, so he encodes the people he knows under a key of
his own and compares the two stores: what is equal in both whatever the key is what the scheme leaks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.encode.encoder import encode_roster
from linkage.encode.person import SpanFacts
from linkage.rows import Rows
from linkage.schema import LinkageSchema
from linkage.sealed_ids import open_records
from tests.attacker.linkage.people import People

HUB_SECRET, ATTACKER_SECRET, SECOND_SECRET = b"\x11" * 32, b"\x22" * 32, b"\x33" * 32
_SUBMISSION_KEY = b"\x44" * 32


@dataclass(frozen=True, repr=False)
class Store:
    """View rows by view; `person` of every row is the truth in the hub's store, and knowledge in the attacker's own.

    `record` of every row is what the resolver's key opens; equal numbers are one record.
    """

    rows: dict[str, Rows]
    person: dict[str, NDArray[np.int64]]
    record: dict[str, NDArray[np.int64]]
    people: int


def encoded_store(
    people: People, *, schema: LinkageSchema, secret: bytes, views: tuple[str, ...], seed: int = 7
) -> Store:
    """One roster as the matcher stores it."""
    clear = people.clear()
    spans = [SpanFacts(number, number.to_bytes(16, "big"), 2026, 3, True, 307, 316) for number in range(len(clear))]
    encoded = encode_roster(
        clear, spans=spans, schema=schema, secret=secret, submission_key=_SUBMISSION_KEY, views=views,
        minimum_records=0, rng=np.random.default_rng(seed),
    )  # fmt: skip
    opened = {
        view: open_records(_bytes_of(rows["sealed_id"]), key=_SUBMISSION_KEY).astype(np.int64)
        for view, rows in encoded.rows.items()
    }
    return Store(
        rows=encoded.rows,
        person={view: people.person[records] for view, records in opened.items()},
        record=opened,
        people=len(people),
    )


def _bytes_of(column: Rows) -> NDArray[np.uint8]:
    return np.ascontiguousarray(column).view(np.uint8).reshape(-1, 16)
