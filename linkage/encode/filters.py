"""Constant-weight filters of names, salted by the view token: at the edge only.

A name becomes 64 of 256 bits, shared out equally among its padded bigrams by prefixes of each
bigram's own position sequence, so that a popcount tells no length. The sequence of a bigram is a keyed
PRF (AES-256) over (view token, bigram, block counter), each output read as sixteen positions of one
byte, repeats skipped: no double hashing, which Kroll and Steinmetzer (2015) broke.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linkage.aes import encrypt_blocks
from linkage.encode.filling import POSITIONS_PER_BLOCK, fill_filters, write_gram_inputs

FILTER_WORDS = 4
_PAD = "_"
_ALPHABET = _PAD + "abcdefghijklmnopqrstuvwxyz"
_CODE_BITS = 24
_FOREIGN_GRAM = 1 << 23
_USUAL_DRAWS = 96
"""64 distinct of 256 take 74 draws on average, standard deviation 2.5; the few that need more get more."""
_NAMES_AT_ONCE = 50_000


def gram_codes(name: str) -> tuple[int, ...]:
    """The distinct padded bigrams of a normalised name as 24-bit codes, in order of the code."""
    padded = f"{_PAD}{name}{_PAD}"
    return tuple(sorted({_gram_code(padded[place : place + 2]) for place in range(len(padded) - 1)}))


@functools.lru_cache(maxsize=20_000)
def _gram_code(gram: str) -> int:
    if gram[0] in _ALPHABET and gram[1] in _ALPHABET:
        return _ALPHABET.index(gram[0]) * len(_ALPHABET) + _ALPHABET.index(gram[1])
    return _FOREIGN_GRAM | int.from_bytes(hashlib.sha256(gram.encode()).digest()[:3], "little") & (_FOREIGN_GRAM - 1)


class GramTable:
    """The bigrams of many names, stored end to end: names are then numbers."""

    def __init__(self, names: Sequence[str]) -> None:
        plain = [place for place, name in enumerate(names) if name and name.isascii()]
        other = [(place, code) for place, name in enumerate(names) if not name.isascii() for code in gram_codes(name)]
        numbers = [(place << _CODE_BITS) | code for place, code in other]
        keys = np.sort(np.concatenate([_plain_grams(names, places=plain), np.array(numbers, dtype=np.int64)]))
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)]]
        self.counts = np.bincount(keys >> _CODE_BITS, minlength=len(names)).astype(np.int64)
        self.offsets = np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int64)
        self.codes = (keys & ((1 << _CODE_BITS) - 1)).astype(np.uint32)


def _plain_grams(names: Sequence[str], *, places: list[int]) -> NDArray[np.int64]:
    """Place of the name and code of every bigram of names of the letters a to z."""
    text = "".join([f"{_PAD}{names[place]}" for place in places]) + _PAD
    letters = np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.int64)
    letters = np.where(letters == ord(_PAD), 0, letters - ord("a") + 1)
    sizes = np.array([len(names[place]) + 1 for place in places], dtype=np.int64)
    of_name = np.repeat(np.array(places, dtype=np.int64), sizes)
    return (of_name << _CODE_BITS) | (letters[:-1] * len(_ALPHABET) + letters[1:])


def name_filters(
    names: NDArray[np.int64], *, tokens: NDArray[np.uint8], grams: GramTable, key: bytes, weight: int
) -> NDArray[np.uint64]:
    """(n, 4) filters of n names, each under its own (n, 16) token; an empty name gives an empty filter."""
    filters = np.zeros((len(names), FILTER_WORDS), dtype=np.uint64)
    for start in range(0, len(names), _NAMES_AT_ONCE):
        part = slice(start, start + _NAMES_AT_ONCE)
        pending = start + np.flatnonzero(grams.counts[names[part]] > 0)
        draws = _USUAL_DRAWS
        while len(pending):
            filled, done = _filled(
                names[pending], tokens=tokens[pending], grams=grams, key=key, weight=weight, draws=draws
            )
            filters[pending[done]] = filled[done]
            pending = pending[~done]
            draws *= 2
    return filters


def _filled(
    names: NDArray[np.int64], *, tokens: NDArray[np.uint8], grams: GramTable, key: bytes, weight: int, draws: int
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    counts = grams.counts[names]
    rounds = -(-draws // counts)
    blocks = -(-rounds // POSITIONS_PER_BLOCK)
    ends = np.cumsum(counts * blocks)
    starts = ends - counts * blocks
    inputs = np.empty((int(ends[-1]), 4), dtype="<u4")
    write_gram_inputs(inputs, starts, blocks, grams.offsets[names], counts, grams.codes, tokens.view("<u4"))
    positions = encrypt_blocks(inputs.view(np.uint8), key=key)
    filters = np.zeros((len(names), FILTER_WORDS), dtype=np.uint64)
    reached = fill_filters(filters, positions, starts, blocks, counts, weight)
    return filters, reached == weight
