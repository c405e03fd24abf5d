"""What matches and non-matches look like before any pair was seen: start values of the model, at the hub.

Shares of agreement among true pairs and among others, set by hand from made-up people with typing errors,
two surnames, nicknames and moves. They start the estimation, and stand where a view has too few pairs.
"""

from __future__ import annotations

import functools

import numpy as np

from linkage.match.em import Table
from linkage.match.patterns import GIVEN_ABSENT, SURNAME_ABSENT

_GIVEN_M = (0.02, 0.01, 0.02, 0.04, 0.865, 0.04, 0.005)
_GIVEN_U = (0.983, 0.006, 0.003, 0.002, 0.003, 0.001, 0.002)
_SURNAME_M = (0.015, 0.01, 0.02, 0.04, 0.80, 0.09, 0.02, 0.005)
_SURNAME_U = (0.973, 0.01, 0.005, 0.003, 0.004, 0.002, 0.001, 0.002)
_BOTH_DIFFER_M = 0.03
"""A child whose two names are both others than before is rarer than two independent changes would make it."""
_CROSSED_M = (0.004, 0.002)
_CROSSED_U = (0.000_005, 0.000_005)
_YEAR_M, _YEAR_U = (0.015, 0.985, 0.0), (0.93, 0.07, 0.0)
_DAY_M, _DAY_U = (0.012, 0.018, 0.964, 0.006, 0.0), (0.882, 0.1125, 0.003, 0.0025, 0.0)
_YEAR_ABSENT_SHARE, _DAY_ABSENT_SHARE = 0.005, 0.005
_TAGS_M = {"sex": 0.985, "postcode": 0.85, "middle": 0.9, "ssid": 0.985}
_TAGS_U = {"sex": 0.5, "postcode": 0.03, "middle": 0.08, "ssid": 0.000_01}


@functools.cache
def expected_tables(kind: str) -> tuple[Table, ...]:
    """Shares by field in the order of `patterns.FIELDS`, for `m` (matches) or `u` (others)."""
    is_match = kind == "m"
    tags = _TAGS_M if is_match else _TAGS_U
    return (
        _names(_GIVEN_M, _SURNAME_M, _CROSSED_M, both_differ=_BOTH_DIFFER_M)
        if is_match
        else _names(_GIVEN_U, _SURNAME_U, _CROSSED_U, both_differ=1.0),
        _date(_YEAR_M, _DAY_M) if is_match else _date(_YEAR_U, _DAY_U),
        *(np.array([1.0 - share, share, 0.0]) for share in tags.values()),
    )


@functools.cache
def neutral_outcomes() -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], ...]:
    """By field, the outcomes that say nothing: everything of the field is absent on either side."""
    tables = expected_tables("m")
    neutral = [np.zeros(len(table), dtype=np.bool_) for table in tables]
    neutral[0][GIVEN_ABSENT * len(_SURNAME_M) + SURNAME_ABSENT] = True
    for of_field in neutral[1:]:
        of_field[-1] = True
    return tuple(neutral)


def _names(
    given: tuple[float, ...], surname: tuple[float, ...], crossed: tuple[float, ...], *, both_differ: float
) -> Table:
    by_both = np.outer(given, surname)
    by_both[:2, :2] *= both_differ
    joint = by_both.reshape(-1)
    table = np.concatenate([joint, np.array(crossed)])
    table[GIVEN_ABSENT * len(surname) + SURNAME_ABSENT] = 0.0
    result: Table = table / table.sum()
    return result


def _date(year: tuple[float, ...], day: tuple[float, ...]) -> Table:
    with_absent_year = np.array([year[0], year[1], _YEAR_ABSENT_SHARE])
    with_absent_day = np.array([*day[:-1], _DAY_ABSENT_SHARE])
    table = np.outer(with_absent_year, with_absent_day).reshape(-1)
    table[-1] = 0.0
    result: Table = table / table.sum()
    return result
