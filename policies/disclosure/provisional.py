"""Provisional figures: a protected and audited block told more coarsely, until its final figures are released once.

What is told is made of the audited cells alone, so it tells nothing that the audit did not allow. Between vintages the
audit goes on: what a provisional figure told is given in every later release of the same persons.
"""

from dataclasses import replace

from policies.disclosure.types import CONFIDENTIAL, ReleasedCell
from policies.disclosure_floor import MINIMUM_N

PROVISIONAL = "provisional"
"""How the vintage of a provisional figure begins."""

ROUNDING = 10
"""Provisional counts are rounded to the nearest ten, halves up."""

BANDS = ((100, 10), (20, 20), (0, 50))
"""Least group size (rounded) and the width in per cent of the band that tells its rate: each leaves the numerator at
least three wide."""


def is_provisional(cell: ReleasedCell) -> bool:
    """Whether a released cell is told provisionally."""
    return cell.vintage.startswith(PROVISIONAL)


def provisional_cell(cell: ReleasedCell, vintage: str) -> ReleasedCell:
    """An audited cell as it is told provisionally: count rounded, rate in a band; hidden stays hidden, and no group is
    told to be empty, since somebody may still come."""
    if cell.status == CONFIDENTIAL or not cell.known:
        hidden = ReleasedCell(
            indicator=cell.indicator, cohort_year=cell.cohort_year, table=cell.table, levels=cell.levels
        )
        return replace(hidden, vintage=vintage)
    known = rounded(cell.known)
    low, high = _band(cell, known)
    return replace(cell, vintage=vintage, n=None, known=known, k=None, rate=None, rate_low=low, rate_high=high)


def rounded(count: int) -> int:
    """To the nearest ten."""
    return (count + ROUNDING // 2) // ROUNDING * ROUNDING


def rounded_from(told: int) -> tuple[int, int]:
    """The counts that a rounded one may stand for; what is shown was never under the floor."""
    low, high = told - ROUNDING // 2, told + (ROUNDING - 1) // 2
    return (0, 0) if told == 0 else (max(low, MINIMUM_N), high)


def told_between(cell: ReleasedCell) -> tuple[int, int]:
    """Between which counts a cell that is shown says that its group has persons with a known outcome."""
    known = cell.known or 0
    return rounded_from(known) if is_provisional(cell) else (known, known)


def still_true(cell: ReleasedCell, *, known: int, k: int, n: int) -> bool:
    """Whether a cell tells something of counts that are still as it says."""
    if cell.known is None:
        return False
    low, high = told_between(cell)
    rate = cell.k in (None, k) and _within((cell.rate_low, cell.rate_high), k, known)
    return low <= known <= high and rate and _within((cell.coverage_low, cell.coverage_high), known, n)


def _within(band: tuple[int | None, int | None], part: int, whole: int) -> bool:
    low, high = band
    return (low or 0) * whole <= 100 * part <= (100 if high is None else high) * whole


def _band(cell: ReleasedCell, known: int) -> tuple[int, int]:
    """The narrowest bands of our width that hold the audited rate, or the range that is told instead of it."""
    width = next(width for least, width in BANDS if known >= least)
    if cell.k is not None and cell.known:
        low = min(100 * cell.k // (width * cell.known), 100 // width - 1) * width
        return low, low + width
    first, last = cell.rate_low or 0, 100 if cell.rate_high is None else cell.rate_high
    return first // width * width, -(-last // width) * width
