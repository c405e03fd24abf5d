"""Which views found a pair, and what that alone tells: at the hub, in the resolver.

The views that found a pair are its signature. A view that found it says that what the view blocks on agrees; a view
that did not says that something of it differs. So in each signature some outcomes cannot occur, and shares of
outcomes are those among the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.match.patterns import (
    AGREES,
    DATE_SIZE,
    DAY_AGREES,
    DAY_SIZE,
    DAY_SWAPPED,
    TAG_SIZE,
    YEAR_AGREES,
)
from linkage.schema import LinkageSchema, View

Table = NDArray[np.float64]
Flags = NDArray[np.bool_]

ANY_NAMES, ONE_CODE, BOTH_CODES = 0, 1, 2
"""What a signature says of the phonetic codes of a pair's names: not that both agree, exactly one agrees, both do."""

_USUAL_CHANCES = {"year": 0.07, "month_day": 0.003, "one": 0.008, "both": 0.00005, "postcode": 0.03, "ssid": 0.00001}
_UNUSUAL_CHANCE = 0.0001
_TRUST_IN_VIEWS = 30.0


@dataclass(frozen=True)
class Blocking:
    """What a view blocks on: parts of the date, how many name codes (phonetic, or of the spelling), postcode, SSID, and
    values that are not compared."""

    year: bool
    month_day: bool
    names: int
    spelled: bool
    postcode: bool
    ssid: bool
    other: tuple[str, ...]

    @property
    def dated(self) -> bool:
        """Whether any part of the date must agree."""
        return self.year or self.month_day


@dataclass(frozen=True)
class Signatures:
    """Distinct signatures; arrays have a row for each. `*_class` numbers the row of `*_allowed` that a signature has.

    `names`: ANY_NAMES, ONE_CODE or BOTH_CODES; `full_date`: a view found it by the whole date; `free`: by field of the
    comparison, signatures of pairs that at least one view found without regard to that field.
    """

    codes: NDArray[np.int64]
    names: NDArray[np.int64]
    date_class: NDArray[np.int64]
    date_allowed: Flags
    postcode_class: NDArray[np.int64]
    postcode_allowed: Flags
    ssid_class: NDArray[np.int64]
    ssid_allowed: Flags
    full_date: Flags
    free: dict[str, Flags]

    @property
    def classes(self) -> tuple[NDArray[np.int64], ...]:
        """By field of the comparison, which table of shares a signature uses."""
        alike = np.zeros(len(self.codes), dtype=np.int64)
        return (self.names, self.date_class, alike, self.postcode_class, alike, self.ssid_class)


def blocking_of(view: View) -> Blocking:
    """What a view of the schema blocks on."""
    known = {"birth_year", "birth_month_day", "postcode", "ssid"}
    return Blocking(
        year="birth_year" in view.values,
        month_day="birth_month_day" in view.values,
        names={"none": ANY_NAMES, "pair": BOTH_CODES}.get(view.names, ONE_CODE),
        spelled=view.spelled,
        postcode="postcode" in view.values,
        ssid="ssid" in view.values,
        other=tuple(value for value in view.values if value not in known),
    )


def signatures_of(codes: NDArray[np.int64], *, views: Sequence[str], schema: LinkageSchema) -> Signatures:
    """The signatures with these bits (one bit for each view's number), given which views were compared."""
    blockings = [blocking_of(schema.view(view)) for view in views]
    found = np.array([(codes >> schema.view(view).number) & 1 for view in views], dtype=np.bool_).reshape(
        -1, len(codes)
    )
    names = _codes(found, blockings, spelled=False)
    date_class, date_allowed = _numbered(_dates(found, blockings))
    postcode_class, postcode_allowed = _numbered(_tags(found, blockings, field="postcode"))
    ssid_class, ssid_allowed = _numbered(_tags(found, blockings, field="ssid"))
    return Signatures(
        codes=codes,
        names=names,
        date_class=date_class,
        date_allowed=date_allowed,
        postcode_class=postcode_class,
        postcode_allowed=postcode_allowed,
        ssid_class=ssid_class,
        ssid_allowed=ssid_allowed,
        full_date=_any(found, [one.year and one.month_day for one in blockings]),
        free={
            "names": _any(found, [one.names < BOTH_CODES for one in blockings]),
            "year": _any(found, [not one.year for one in blockings]),
            "month_day": _any(found, [not one.month_day for one in blockings]),
            "date": _any(found, [not one.dated for one in blockings]),
            "postcode": _any(found, [not one.postcode for one in blockings]),
            "ssid": _any(found, [not one.ssid for one in blockings]),
        },
    )


@dataclass(frozen=True)
class Meetings:
    """How many pairs of other people share a value of a view, among how many pairs."""

    sharing: float
    among: float


def usual_chances(
    signatures: Signatures, *, views: Sequence[str], meetings: Sequence[Meetings], schema: LinkageSchema
) -> Table:
    """The share of pairs of other people that carry each signature, were the parts that views block on independent.

    How often two people share a value was counted for every view; by least squares it is shared out among the parts.
    """
    blockings = [blocking_of(schema.view(view)) for view in views]
    others = sorted({value for blocking in blockings for value in blocking.other})
    usual = np.array([*_USUAL_CHANCES.values(), *(_UNUSUAL_CHANCE for _ in others)])
    parts = np.array([_parts(blocking, others=others) for blocking in blockings], dtype=np.float64)
    of_views = np.exp(parts @ np.log(usual))
    counted = np.array(
        [(of.sharing + 1.0) / (of.among + 1.0 / chance) for of, chance in zip(meetings, of_views, strict=True)]
    )
    rows = np.concatenate([_TRUST_IN_VIEWS * parts, np.eye(len(usual))])
    logs = np.linalg.lstsq(rows, np.concatenate([_TRUST_IN_VIEWS * np.log(counted), np.log(usual)]), rcond=None)[0]
    found = np.array([(signatures.codes >> schema.view(view).number) & 1 for view in views], dtype=np.bool_)
    together: Flags = np.asarray((found[:, :, None] & (parts[:, None, :] > 0)).any(axis=0))
    together[:, 2] &= ~together[:, 3]
    chances: Table = np.exp(together @ logs)
    return chances


def _parts(blocking: Blocking, *, others: Sequence[str]) -> list[bool]:
    return [
        blocking.year,
        blocking.month_day,
        blocking.names == ONE_CODE,
        blocking.names == BOTH_CODES,
        blocking.postcode,
        blocking.ssid,
        *(value in blocking.other for value in others),
    ]


def _any(found: Flags, wanted: Sequence[bool]) -> Flags:
    """Signatures with at least one of the wanted views."""
    result: Flags = np.asarray(found[np.array(wanted, dtype=np.bool_)].any(axis=0))
    return result


def _codes(found: Flags, blockings: Sequence[Blocking], *, spelled: bool) -> NDArray[np.int64]:
    """By signature how many codes of a kind are known to agree; names spelled alike sound alike."""
    told = np.array([one.names * (one.spelled or not spelled) for one in blockings], dtype=np.int64)
    codes: NDArray[np.int64] = (found * told[:, None]).max(axis=0, initial=0)
    return codes


def _named(found: Flags, blockings: Sequence[Blocking], blocking: Blocking) -> Flags:
    """Signatures whose names are known to agree as far as a view asks."""
    named: Flags = _codes(found, blockings, spelled=blocking.spelled) >= blocking.names
    return named


def agreeing_dates(blocking: Blocking) -> Flags:
    """The date outcomes with which a view can find a pair."""
    outcomes = np.arange(DATE_SIZE)
    year = outcomes // DAY_SIZE == YEAR_AGREES
    day = np.isin(outcomes % DAY_SIZE, (DAY_AGREES, DAY_SWAPPED))
    result: Flags = (year | (not blocking.year)) & (day | (not blocking.month_day))
    return result


def _dates(found: Flags, blockings: Sequence[Blocking]) -> Flags:
    allowed = np.ones((found.shape[1], DATE_SIZE), dtype=np.bool_)
    for by_view, blocking in zip(found, blockings, strict=True):
        agreeing = agreeing_dates(blocking)
        decides = blocking.dated and not (blocking.postcode or blocking.ssid or blocking.other)
        missed = ~by_view & _named(found, blockings, blocking) & decides
        allowed &= ~by_view[:, None] | agreeing
        allowed &= ~missed[:, None] | ~agreeing
    return allowed


def _tags(found: Flags, blockings: Sequence[Blocking], *, field: str) -> Flags:
    """As `_dates`, for a field that agrees or not."""
    agreeing = np.arange(TAG_SIZE) == AGREES
    allowed = np.ones((found.shape[1], TAG_SIZE), dtype=np.bool_)
    for by_view, blocking in zip(found, blockings, strict=True):
        if getattr(blocking, field):
            alone = blocking.postcode + blocking.ssid == 1 and not (blocking.dated or blocking.other)
            missed = ~by_view & _named(found, blockings, blocking) & alone
            allowed &= ~by_view[:, None] | agreeing
            allowed &= ~missed[:, None] | ~agreeing
    return allowed


def _numbered(rows: Flags) -> tuple[NDArray[np.int64], Flags]:
    distinct, number = np.unique(rows, axis=0, return_inverse=True)
    return number.reshape(-1).astype(np.int64), distinct
