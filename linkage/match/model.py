"""What matches look like: shares of every outcome among true pairs, learnt from the pairs. At the hub, in the resolver.

Errors in given name, surname, year, month with day and the tags are taken as independent, but for names that change
places, dates that are wholly another's and dates that are absent. A share is learnt where blocking leaves its field
free: of the surname from pairs found through the date or the given name, of the year from pairs found without it.
What a signature leaves possible (`signatures`) then gives the shares inside it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linkage.match.em import Combinations, Pseudo, Table, learnt_shares, shares_of
from linkage.match.expectations import (
    BOTH_DIFFER_M,
    CODES_AGREE_APART,
    CROSSED_M,
    DAY_M,
    DAY_U,
    GIVEN_CODES_AGREE,
    GIVEN_M,
    NO_DATE_M,
    OTHER_DATE_M,
    SURNAME_CODES_AGREE,
    SURNAME_M,
    TAGS_M,
    YEAR_M,
    YEAR_U,
    neutral_outcomes,
    others_tables,
)
from linkage.match.patterns import (
    ABSENT,
    DATE_SIZE,
    DAY_SIZE,
    GIVEN_ABSENT,
    LEVEL_TOP,
    NAMES_CROSSED,
    PATTERNS,
    SURNAME_ABSENT,
    SURNAME_SIZE,
    outcomes_of,
)
from linkage.match.signatures import BOTH_CODES, ONE_CODE, Flags, Signatures

_LEAK = 1e-4
"""Outcomes that a signature should not leave possible do occur, since the best of several rows is taken."""
_FAR = 2
"""Levels below this are names that differ."""
_CROSSED_CODES = (0.2, 0.15, 0.8)
"""Names that changed places: how often not both codes agree crosswise, exactly one does, both do."""
_NO_DATE = DATE_SIZE - 1


@dataclass(frozen=True)
class Matches:
    """Shares among matches. `codes_*`: by level, how often the phonetic codes of a name agree; `apart_*`: where
    neither name is alike, how often both codes, or one, agree all the same."""

    given: Table
    surname: Table
    both_differ: float
    crossed: Table
    year: Table
    day: Table
    no_date: float
    other_date: float
    tags: tuple[Table, ...]
    codes_given: Table
    codes_surname: Table
    apart_both: float
    apart_one: float


def expected_matches() -> Matches:
    """What matches look like before any pair was seen."""
    return Matches(
        given=shares_of(np.array(GIVEN_M)),
        surname=shares_of(np.array(SURNAME_M)),
        both_differ=BOTH_DIFFER_M,
        crossed=np.array(CROSSED_M),
        year=shares_of(np.array(YEAR_M)),
        day=shares_of(np.array(DAY_M)),
        no_date=NO_DATE_M,
        other_date=OTHER_DATE_M,
        tags=tuple(np.array([1.0 - share, share, 0.0]) for share in TAGS_M.values()),
        codes_given=np.array(GIVEN_CODES_AGREE),
        codes_surname=np.array(SURNAME_CODES_AGREE),
        apart_both=CODES_AGREE_APART,
        apart_one=CODES_AGREE_APART,
    )


def name_tables(matches: Matches) -> Table:
    """(3, names): the chance of each names outcome together with not both codes, one code, both codes agreeing."""
    joint = np.outer(matches.given, matches.surname)
    joint[:_FAR, :_FAR] *= matches.both_differ
    given, surname = matches.codes_given[:, None], matches.codes_surname[None, :]
    both = given * surname
    one = np.maximum(0.0, given + surname - 2.0 * both)
    both[:_FAR, :_FAR], one[:_FAR, :_FAR] = matches.apart_both, matches.apart_one
    by_codes = np.stack([joint * (1.0 - both), joint * one, joint * both]).reshape(3, -1)
    crossed = np.outer(_CROSSED_CODES, matches.crossed)
    tables: Table = np.concatenate([by_codes, crossed], axis=1)
    return tables


def date_table(matches: Matches) -> Table:
    """The chance of each date outcome among matches, whatever found them."""
    errors = np.outer(matches.year, matches.day).reshape(-1)
    errors[_NO_DATE] = 0.0
    known = 1.0 - matches.no_date - matches.other_date
    table: Table = known * shares_of(errors) + matches.other_date * _dates_of_others()
    table[_NO_DATE] = matches.no_date
    return table


@functools.cache
def usual_weights() -> Table:
    """By pattern, log2 of m/u before any pair was seen: which row of a pair of records is its best."""
    start = expected_matches()
    m = (name_tables(start).sum(axis=0), date_table(start), *start.tags)
    outcomes = outcomes_of(np.arange(PATTERNS))
    weights = np.zeros(PATTERNS)
    for field, (of_matches, of_others, neutral) in enumerate(zip(m, others_tables(), neutral_outcomes(), strict=True)):
        ratio = np.where(neutral, 0.0, np.log2(np.where(neutral, 1.0, of_matches / np.where(neutral, 1.0, of_others))))
        weights += ratio[outcomes[:, field]]
    return weights


def match_tables(matches: Matches, *, signatures: Signatures, seen: tuple[Flags, ...]) -> tuple[Table, ...]:
    """By field, (classes, outcomes): shares among matches in each class of signatures.

    `seen`: by field, which outcomes occur in a class at all.
    """
    tags = dict(zip(TAGS_M, matches.tags, strict=True))
    return (
        shares_of(name_tables(matches)[: len(seen[0])] * seen[0]),
        shares_of(date_table(matches) * np.maximum(signatures.date_allowed, _LEAK) * seen[1]),
        tags["sex"][None, :],
        shares_of(tags["postcode"] * np.maximum(signatures.postcode_allowed, _LEAK)),
        tags["middle"][None, :],
        shares_of(tags["ssid"] * np.maximum(signatures.ssid_allowed, _LEAK)),
    )


@dataclass(frozen=True)
class _Counted:
    """Combinations with the matches each holds, and what its names and its signature say."""

    matched: Table
    pseudo: Pseudo
    names: NDArray[np.int64]
    given: NDArray[np.int64]
    surname: NDArray[np.int64]
    straight: Flags
    codes: NDArray[np.int64]
    by_date: Flags

    @property
    def apart(self) -> Flags:
        """Neither name is alike."""
        apart: Flags = self.straight & (self.given < _FAR) & (self.surname < _FAR)
        return apart

    def share(self, which: Flags, *, of: Flags, start: float, weight: float) -> float:
        """The share of matches that are such, drawn towards the start."""
        return _ratio(float(self.matched[which & of].sum()), float(self.matched[of].sum()), start=start, weight=weight)


def learnt_matches(
    combinations: Combinations, matched: Table, *, signatures: Signatures, before: Matches, pseudo: Pseudo
) -> Matches:
    """The shares that pairs teach; `matched`: how many matches each combination holds, `before` says."""
    free = {field: flags[combinations.signature] for field, flags in signatures.free.items()}
    names = combinations.outcomes[:, 0]
    crossed = names >= NAMES_CROSSED
    counted = _Counted(
        matched=matched,
        pseudo=pseudo,
        names=names,
        given=np.where(crossed, 0, names // SURNAME_SIZE),
        surname=np.where(crossed, 0, names % SURNAME_SIZE),
        straight=free["names"] & ~crossed,
        codes=signatures.names[combinations.signature],
        by_date=signatures.full_date[combinations.signature],
    )
    learnt = _with_names(before, counted, free=free["names"])
    learnt = _with_dates(learnt, counted, date=combinations.outcomes[:, 1], free=free)
    tags = tuple(
        _learnt_tag(combinations.outcomes[:, field], counted, keep=free.get(name), start=usual)
        for field, (name, usual) in enumerate(zip(TAGS_M, expected_matches().tags, strict=True), start=2)
    )
    return replace(learnt, tags=tags)


def _with_names(before: Matches, counted: _Counted, *, free: Flags) -> Matches:
    start, usual = expected_matches(), counted.pseudo.matches
    straight, apart = counted.straight, counted.apart
    given = _learnt(counted.given, counted, keep=straight & _alike(counted.surname, SURNAME_ABSENT), start=start.given)
    surname = _learnt(
        counted.surname, counted, keep=straight & _alike(counted.given, GIVEN_ABSENT), start=start.surname
    )
    independent = float(given[:_FAR].sum() * surname[:_FAR].sum() * counted.matched[straight].sum())
    weight = usual * float(start.given[:_FAR].sum() * start.surname[:_FAR].sum())
    codes, few = counted.pseudo.codes, apart & counted.by_date
    both_codes = counted.codes == BOTH_CODES
    return replace(
        before,
        given=given,
        surname=surname,
        both_differ=_ratio(float(counted.matched[apart].sum()), independent, start=BOTH_DIFFER_M, weight=weight),
        crossed=np.array(
            [
                counted.share(counted.names == NAMES_CROSSED + kind, of=free, start=share, weight=usual)
                for kind, share in enumerate(CROSSED_M)
            ]
        ),
        codes_given=_learnt_codes(counted, of_given=True),
        codes_surname=_learnt_codes(counted, of_given=False),
        apart_both=counted.share(both_codes, of=few, start=CODES_AGREE_APART, weight=codes),
        apart_one=counted.share(counted.codes == ONE_CODE, of=apart, start=CODES_AGREE_APART, weight=codes),
    )


def _with_dates(before: Matches, counted: _Counted, *, date: NDArray[np.int64], free: dict[str, Flags]) -> Matches:
    start, usual = expected_matches(), counted.pseudo.matches
    dated = date != _NO_DATE
    others = _of_others(date, before)
    in_error = replace(counted, matched=counted.matched * (1.0 - others))
    whole = free["date"] if free["date"].any() else free["year"]
    matches = float(counted.matched[whole].sum())
    return replace(
        before,
        year=_learnt(date // DAY_SIZE, in_error, keep=free["year"] & dated, start=start.year),
        day=_learnt(date % DAY_SIZE, in_error, keep=free["month_day"] & dated, start=start.day),
        no_date=counted.share(~dated, of=whole, start=NO_DATE_M, weight=usual),
        other_date=_ratio(float((counted.matched * others)[whole].sum()), matches, start=OTHER_DATE_M, weight=usual),
    )


def _dates_of_others() -> Table:
    table: Table = np.outer(YEAR_U, DAY_U).reshape(-1)
    table[_NO_DATE] = 0.0
    return table


def _of_others(date: NDArray[np.int64], matches: Matches) -> Table:
    """For every combination, how likely its date is another's rather than mistaken, if it is a match."""
    others = matches.other_date * _dates_of_others()
    share: Table = np.divide(others, date_table(matches), out=np.zeros(DATE_SIZE), where=others > 0)
    share[_NO_DATE] = 0.0
    of_pairs: Table = share[date]
    return of_pairs


def _alike(level: NDArray[np.int64], absent: int) -> Flags:
    alike: Flags = (level >= LEVEL_TOP) & (level != absent)
    return alike


def _learnt(outcomes: NDArray[np.int64], counted: _Counted, *, keep: Flags, start: Table) -> Table:
    return learnt_shares(outcomes[keep], counted.matched[keep], start=start, pseudo=counted.pseudo)


def _learnt_tag(outcomes: NDArray[np.int64], counted: _Counted, *, keep: Flags | None, start: Table) -> Table:
    present = outcomes != ABSENT
    return _learnt(outcomes, counted, keep=present if keep is None else present & keep, start=start)


def _learnt_codes(counted: _Counted, *, of_given: bool) -> Table:
    """By level of one name how often both codes agree, where the other name is the same and the date found the pair."""
    level, other = (counted.given, counted.surname) if of_given else (counted.surname, counted.given)
    start = np.array(GIVEN_CODES_AGREE if of_given else SURNAME_CODES_AGREE)
    keep = counted.straight & counted.by_date & (other == LEVEL_TOP)
    both = keep & (counted.codes == BOTH_CODES)
    agreeing = np.bincount(level[both], weights=counted.matched[both], minlength=len(start))
    every = np.bincount(level[keep], weights=counted.matched[keep], minlength=len(start))
    weight = counted.pseudo.codes
    codes: Table = np.divide(agreeing + weight * start, every + weight, out=start.copy(), where=every + weight > 0)
    return codes


def _ratio(part: float, whole: float, *, start: float, weight: float) -> float:
    return (part + start * weight) / (whole + weight) if whole + weight > 0 else start
