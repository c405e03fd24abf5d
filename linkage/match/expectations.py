"""What matches and other pairs look like before any pair was seen: start values of the model, at the hub.

Shares of agreement among true pairs and among others, set by hand from made-up people with typing errors,
two surnames, nicknames and moves. They start the estimation, and stand where there are too few pairs.
"""

from __future__ import annotations

import functools

import numpy as np

from linkage.match.em import Table
from linkage.match.patterns import FIELDS, GIVEN_ABSENT, SURNAME_ABSENT, SURNAME_SIZE

GIVEN_M = (0.02, 0.01, 0.02, 0.04, 0.865, 0.04, 0.005)
_GIVEN_U = (0.983, 0.006, 0.003, 0.002, 0.003, 0.001, 0.002)
SURNAME_M = (0.015, 0.01, 0.02, 0.04, 0.80, 0.09, 0.02, 0.005)
_SURNAME_U = (0.973, 0.01, 0.005, 0.003, 0.004, 0.002, 0.001, 0.002)
BOTH_DIFFER_M = 0.03
"""A child whose two names are both others than before is rarer than two independent changes would make it."""
CROSSED_M = (0.004, 0.002)
_CROSSED_U = (0.000_005, 0.000_005)
YEAR_M, YEAR_U = (0.015, 0.98, 0.005), (0.925, 0.07, 0.005)
DAY_M, DAY_U = (0.012, 0.018, 0.959, 0.006, 0.005), (0.877, 0.1125, 0.003, 0.0025, 0.005)
NO_DATE_M, NO_DATE_U = 0.01, 0.01
OTHER_DATE_M = 0.003
"""Share of matches where one side has the date of another person, or none that resembles."""
_NO_NAMES_U = 0.000_1
TAGS_M = {"sex": 0.985, "postcode": 0.85, "middle": 0.9, "ssid": 0.985}
_TAGS_U = {"sex": 0.5, "postcode": 0.03, "middle": 0.08, "ssid": 0.000_01}

GIVEN_CODES_AGREE = (0.03, 0.1, 0.3, 0.65, 0.995, 0.8, 0.0)
SURNAME_CODES_AGREE = (0.03, 0.1, 0.3, 0.65, 0.995, 0.8, 0.8, 0.0)
"""By level of likeness, how often two spellings of one name have the same phonetic code."""
CODES_AGREE_APART = 0.1
"""Where neither name is alike: how often the codes agree all the same, since names changed places."""


@functools.cache
def others_tables() -> tuple[Table, ...]:
    """Shares among pairs of other people by field, in the order of `patterns.FIELDS`."""
    tags = (np.array([1.0 - share, share, 0.0]) for share in _TAGS_U.values())
    names = np.concatenate([np.outer(_GIVEN_U, _SURNAME_U).reshape(-1), _CROSSED_U])
    names[GIVEN_ABSENT * SURNAME_SIZE + SURNAME_ABSENT] = _NO_NAMES_U
    date = np.outer(YEAR_U, DAY_U).reshape(-1)
    date[-1] = NO_DATE_U
    return (names / names.sum(), date / date.sum(), *tags)


@functools.cache
def neutral_outcomes() -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], ...]:
    """By field, the outcomes that say nothing: a tag absent on either side.

    Names and dates have none. Blocking finds no pair by a date that is absent, so among pairs that were found
    otherwise it does say something, and how much is learnt.
    """
    neutral = [np.zeros(len(table), dtype=np.bool_) for table in others_tables()]
    for of_tag in neutral[len(FIELDS) - len(_TAGS_U) :]:
        of_tag[-1] = True
    return tuple(neutral)
