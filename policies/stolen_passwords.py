"""Passwords that were stolen elsewhere and are the first to be tried: none of them serves (ASVS 5.0, 6.2.4 and 6.2.12).

`stolen_passwords.bin` holds, sorted, the first five bytes of the SHA-256 of each of them in small letters: those of
12 characters and more among the million most frequent of ten million stolen ones (M. Burnett 2015, as in OWASP
SecLists, `10-million-password-list-top-1000000.txt`, MIT and CC BY-SA 3.0). Nothing is asked of anybody outside.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cache
from hashlib import sha256
from importlib import resources

DIGEST_BYTES = 5
"""Among forty thousand, one password in twenty-five million is taken for stolen that is not."""


def is_stolen(password: str) -> bool:
    """Whether this password is on the list, in small or capital letters."""
    digest = sha256(password.lower().encode()).digest()[:DIGEST_BYTES]
    at = bisect_left(range(how_many()), digest, key=_digest)
    return at < how_many() and _digest(at) == digest


def how_many() -> int:
    """How many passwords the list holds."""
    return len(_listed()) // DIGEST_BYTES


def _digest(at: int) -> bytes:
    return _listed()[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES]


@cache
def _listed() -> bytes:
    return resources.files("policies").joinpath("stolen_passwords.bin").read_bytes()
