"""What a comparison can show, as one small number: at the hub, between the kernel and the model.

Pattern = names x date x sex x postcode x middle x SSID, in mixed radix. Everything after the kernel
works on pattern numbers and their counts, never on rows.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

# Given and surname similarity: 0 to 4 by the cuts of the schema; beyond the last cut a name that is only a part,
# nickname or other spelling of what was written counts less than the name itself.
LEVEL_TOP = 4
GIVEN_DERIVED = 5
GIVEN_ABSENT = 6
GIVEN_SIZE = 7
SURNAME_DERIVED = 5
SURNAME_BOTH_DERIVED = 6
SURNAME_ABSENT = 7
SURNAME_SIZE = 8
NAMES_CROSSED = GIVEN_SIZE * SURNAME_SIZE
NAMES_SIZE = NAMES_CROSSED + 2
"""Given and surname jointly, then names swapped: as written, or with a derived form."""

YEAR_DIFFERS, YEAR_AGREES, YEAR_ABSENT = 0, 1, 2
DAY_DIFFERS, DAY_HALF, DAY_AGREES, DAY_SWAPPED, DAY_ABSENT = 0, 1, 2, 3, 4
DAY_SIZE = 5
DATE_SIZE = 3 * DAY_SIZE

DIFFERS, AGREES, ABSENT = 0, 1, 2
TAG_SIZE = 3

FIELDS = ("names", "date", "sex", "postcode", "middle", "ssid")
SIZES = (NAMES_SIZE, DATE_SIZE, TAG_SIZE, TAG_SIZE, TAG_SIZE, TAG_SIZE)
PATTERNS = int(np.prod(SIZES))


def outcomes_of(patterns: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n, 6) outcome of every field of n pattern numbers."""
    return np.stack(np.unravel_index(patterns, SIZES), axis=1).astype(np.int64)


def names_levels(names: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Given and surname level of names outcomes; swapped names count as the top level of both."""
    crossed = names >= NAMES_CROSSED
    given = np.where(crossed, LEVEL_TOP, names // SURNAME_SIZE)
    surname = np.where(crossed, LEVEL_TOP, names % SURNAME_SIZE)
    return given, surname


@functools.cache
def twin_patterns() -> NDArray[np.bool_]:
    """Surname, date and postcode agree, given names plainly differ: twins, or one child under two given names."""
    outcomes = outcomes_of(np.arange(PATTERNS))
    given, surname = names_levels(outcomes[:, 0])
    same_date = (outcomes[:, 1] == DAY_SIZE + DAY_AGREES) | (outcomes[:, 1] == DAY_SIZE + DAY_SWAPPED)
    twins: NDArray[np.bool_] = (
        same_date & (given <= 1) & (surname >= LEVEL_TOP) & (surname != SURNAME_ABSENT) & (outcomes[:, 3] == AGREES)
    )
    return twins


@functools.cache
def other_children() -> NDArray[np.bool_]:
    """Patterns whose given names plainly differ: two records of one provider are then two children.

    With like given names they may be one child whose record changed from year to year.
    """
    given, _ = names_levels(outcomes_of(np.arange(PATTERNS))[:, 0])
    others: NDArray[np.bool_] = given <= 1
    return others


@functools.cache
def kept_patterns() -> NDArray[np.bool_]:
    """Patterns the matcher hands on as pairs; of the others only the count is told, since no weight could link them."""
    outcomes = outcomes_of(np.arange(PATTERNS))
    given, surname = names_levels(outcomes[:, 0])
    given_near = (given >= 3) & (given != GIVEN_ABSENT)
    surname_near = (surname >= 3) & (surname != SURNAME_ABSENT)
    alike = given_near | surname_near | ((given >= 2) & (surname >= 2))
    year, day = outcomes[:, 1] // DAY_SIZE, outcomes[:, 1] % DAY_SIZE
    near_in_date = (year != YEAR_DIFFERS) | (day != DAY_DIFFERS)
    same_day = (year == YEAR_AGREES) & np.isin(day, (DAY_AGREES, DAY_SWAPPED))
    same_place = (outcomes[:, 3] == AGREES) & (same_day | (given_near & surname_near))
    kept: NDArray[np.bool_] = (alike & near_in_date) | same_place | (outcomes[:, 5] == AGREES)
    return kept
