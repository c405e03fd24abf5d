"""Gaps between two groups and the pace at which they close, computed from released rates alone.

Pure: nothing here can see more than what everybody entitled to the release can see, so a gap tells nothing new.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

# Two-sided 95 % normal quantile of the Wilson score interval (Wilson 1927).
Z95 = 1.959963984540054

Standing = Literal["closed", "on pace", "not on pace", "cannot be told"]


@dataclass(frozen=True)
class ReleasedRate:
    """What a release tells about one group's rate: a whole per cent, a range, or nothing."""

    known: int | None
    rate: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True)
class GapPoint:
    """The gap of one cohort year in points; `low` and `high` bound it (95 %, or the range that coded rates leave)."""

    cohort_year: int
    reference: ReleasedRate
    group: ReleasedRate
    gap: int | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Pace:
    """Points a year needed to close the gap by the target year beside points a year made; negative narrows."""

    latest_year: int | None
    latest_gap: int | None
    since_year: int | None
    made: float | None
    needed: float | None
    standing: Standing


def gap_point(cohort_year: int, reference: ReleasedRate, *, group: ReleasedRate) -> GapPoint:
    """The gap of one cohort year; its value is None unless both rates are shown exactly."""
    low, high = _bounds(reference, group)
    if reference.rate is None or group.rate is None:
        return GapPoint(cohort_year, reference, group, None, low, high)
    return GapPoint(cohort_year, reference, group, reference.rate - group.rate, low, high)


def gap_point_lower_is_better(cohort_year: int, reference: ReleasedRate, *, group: ReleasedRate) -> GapPoint:
    """The gap where a lower rate is better: the group's rate less the reference's, so that a gap still disfavours."""
    turned = gap_point(cohort_year, group, group=reference)
    return GapPoint(cohort_year, reference, group, turned.gap, turned.low, turned.high)


def pace(points: Sequence[GapPoint], *, target_year: int, pace_years: int) -> Pace:
    """Compare the pace made over about the last `pace_years` with the pace that closes the gap by `target_year`.

    The pace made is measured from the shown year nearest to `pace_years` before the newest, the later of two; a
    change from one year to the next is chance more than pace, and what lies far back is another time.
    """
    shown = {point.cohort_year: point.gap for point in points if point.gap is not None}
    if not shown:
        return Pace(None, None, None, None, None, "cannot be told")
    latest = max(shown)
    since = year_before(shown, latest=latest, pace_years=pace_years)
    made = None if since is None else round((shown[latest] - shown[since]) / (latest - since), 1)
    left = target_year - latest
    needed = round(-shown[latest] / left, 1) if left > 0 and shown[latest] > 0 else None
    return Pace(latest, shown[latest], since, made, needed, _standing(shown[latest], made=made, needed=needed))


def year_before(shown: Iterable[int], *, latest: int, pace_years: int) -> int | None:
    """The shown year nearest to `pace_years` before the newest, the later of two; at least two years back."""
    back = {year: abs(latest - year - pace_years) for year in shown if year < latest - 1}
    near = [year for year in sorted(back, reverse=True) if back[year] < pace_years]
    return min(near, key=lambda year: back[year]) if near else None


def rate_interval(rate: int, persons: int) -> tuple[float, float]:
    """The 95 % score interval of a released rate, in per cent: what chance alone would leave open."""
    low, high = _wilson(rate / 100, persons)
    return round(100 * low, 1), round(100 * high, 1)


def _standing(gap: int, *, made: float | None, needed: float | None) -> Standing:
    if gap <= 0:
        return "closed"
    if made is None:
        return "cannot be told"
    return "on pace" if needed is not None and made <= needed else "not on pace"


def _bounds(reference: ReleasedRate, group: ReleasedRate) -> tuple[float | None, float | None]:
    """Newcombe's interval for the difference of two proportions (1998, Statistics in Medicine 17, method 10)."""
    if reference.rate is not None and group.rate is not None and reference.known and group.known:
        first, second = reference.rate / 100, group.rate / 100
        first_low, first_high = _wilson(first, reference.known)
        second_low, second_high = _wilson(second, group.known)
        low = first - second - sqrt((first - first_low) ** 2 + (second_high - second) ** 2)
        high = first - second + sqrt((first_high - first) ** 2 + (second - second_low) ** 2)
        return round(100 * low, 1), round(100 * high, 1)
    ranges = (*_range(reference), *_range(group))
    if any(bound is None for bound in ranges):
        return None, None
    reference_low, reference_high, group_low, group_high = (float(bound) for bound in ranges if bound is not None)
    return reference_low - group_high, reference_high - group_low


def _range(rate: ReleasedRate) -> tuple[int | None, int | None]:
    """Where a rate lies; from nothing to everything is not told at all, and must not pass for a range."""
    if rate.rate is not None:
        return rate.rate, rate.rate
    return (None, None) if (rate.low, rate.high) == (0, 100) else (rate.low, rate.high)


def _wilson(share: float, persons: int) -> tuple[float, float]:
    """Wilson's score interval of a share."""
    middle = share + Z95**2 / (2 * persons)
    spread = Z95 * sqrt(share * (1 - share) / persons + Z95**2 / (4 * persons**2))
    scale = 1 + Z95**2 / persons
    return (middle - spread) / scale, (middle + spread) / scale
