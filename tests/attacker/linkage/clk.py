"""Plain cryptographic long-term keys, as most systems use them today: the yardstick of the attacks.

One Bloom filter of 1,024 bits a record over the bigrams of given name and surname and the parts of the birth date,
twenty keyed positions each (Schnell, Bachteler and Reiher 2009 and 2011), with independent hashes, which is kinder to
it than double hashing. Every record is comparable with every other.
"""

from __future__ import annotations

import hmac
import itertools
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tests.attacker.linkage.people import People

BITS = 1024
POSITIONS = 20


def plain_clks(people: People, *, key: bytes) -> NDArray[np.uint64]:
    """(n, 16) filters."""

    @lru_cache(maxsize=200_000)
    def positions(gram: str) -> NDArray[np.int64]:
        digest = b"".join(hmac.digest(key + bytes([block]), gram.encode(), "sha256") for block in range(2))
        return np.frombuffer(digest, dtype="<u2")[:POSITIONS].astype(np.int64) % BITS

    filters = np.zeros((len(people), BITS), dtype=np.bool_)
    columns = zip(people.given, people.surname, people.birth_date, strict=True)
    for place, (given, surname, date) in enumerate(columns):
        for gram in grams(given, surname, date):
            filters[place, positions(gram)] = True
    return np.packbits(filters, axis=1, bitorder="little").view("<u8")


def grams(given: str, surname: str, date: str) -> list[str]:
    """What is hashed of a record."""
    names = [
        field + first + second
        for field, name in (("g", given), ("s", surname))
        for first, second in itertools.pairwise(f"_{name.lower()}_")
        if name
    ]
    return [*names, *(f"d{place}{part}" for place, part in enumerate(date.split("-")))]
