"""A pattern said in words: at the hub, for whoever looks at one pair without seeing a name."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linkage.match.patterns import (
    DAY_SIZE,
    FIELDS,
    GIVEN_ABSENT,
    NAMES_CROSSED,
    SURNAME_ABSENT,
    SURNAME_SIZE,
    outcomes_of,
)

ALIKE = ("differs", "hardly alike", "somewhat alike", "nearly the same", "same")
_GIVEN = (*ALIKE, "same by nickname or spelling")
_SURNAME = (*ALIKE, "same in part", "same in part of both")
_CROSSED = ("given name and surname swapped", "given name and surname swapped, nearly the same")
_YEAR = ("birth year differs", "birth year same", "")
_DAY = (
    "month and day differ",
    "month or day same",
    "month and day same",
    "month and day swapped",
    "",
)
_TAGS = ("differs", "same", "")
_TAG_WORDS = {"sex": "sex", "postcode": "postcode", "middle": "middle initial", "ssid": "SSID"}


def pattern_words(patterns: NDArray[np.int32]) -> list[str]:
    """What each pattern shows, field by field; a field absent on either side is left out."""
    distinct, place = np.unique(patterns, return_inverse=True)
    said = [_words(tuple(of)) for of in outcomes_of(distinct.astype(np.int64)).tolist()]
    return [said[number] for number in place.tolist()]


@functools.lru_cache(maxsize=10_000)
def _words(outcomes: tuple[int, ...]) -> str:
    fields: list[str] = [*_names(outcomes[0]), _YEAR[outcomes[1] // DAY_SIZE], _DAY[outcomes[1] % DAY_SIZE]]
    fields += _tags(FIELDS[2:], outcomes[2:])
    return ", ".join(words for words in fields if words) or "nothing to compare"


def _names(outcome: int) -> list[str]:
    if outcome >= NAMES_CROSSED:
        return [_CROSSED[outcome - NAMES_CROSSED]]
    given, surname = divmod(outcome, SURNAME_SIZE)
    return [
        "" if given == GIVEN_ABSENT else f"given name {_GIVEN[given]}",
        "" if surname == SURNAME_ABSENT else f"surname {_SURNAME[surname]}",
    ]


def _tags(names: Sequence[str], outcomes: Sequence[int]) -> list[str]:
    return [f"{_TAG_WORDS[name]} {_TAGS[o]}" if _TAGS[o] else "" for name, o in zip(names, outcomes, strict=True)]
