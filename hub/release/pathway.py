"""A class of kindergartners, or the children of it whom a preschool had, through the outcomes, from released rows.

The class is followed by the years in which each outcome is expected, so children who moved in or away differ from
outcome to outcome; the text beside it says so. Not observed is never counted as not reached.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hub.languages import message
from hub.release.slices import PublishedCell
from policies.catalogue_files import PathwayStep
from policies.indicator_files import indicators

State = Literal[
    "observed",
    "hidden",
    "not yet observed",
    "before the records begin",
    "no record of this year",
    "no table for these children",
]
STATES = (
    message("not yet observed"),
    message("before the records begin"),
    message("no record of this year"),
    message("no table for these children"),
)
"""The states of an outcome that is not observed, as they are said."""


NO_TABLE = STATES[-1]
BY_GROUPS = message("It comes as counts of groups, made elsewhere: no child in it can be followed back to a preschool.")
NOT_DECLARED = message(
    "The catalogue has no table of this by preschool. Each further table makes others tell less, so one is added only "
    "when a partner has asked for it and the officer has approved it."
)


@dataclass(frozen=True)
class Stage:
    """One outcome of the class. Numbers are None where the release does not tell them."""

    indicator: str
    cohort_year: int
    state: State
    known: int | None = None
    reached: int | None = None
    not_reached: int | None = None
    not_observed: int | None = None
    rate: int | None = None
    rate_low: int | None = None
    rate_high: int | None = None
    coverage_low: int | None = None
    coverage_high: int | None = None
    status: str | None = None
    status_reason: str = ""


def stages(
    steps: Sequence[PathwayStep],
    *,
    kindergarten_year: int,
    cells: Mapping[str, PublishedCell | None],
    years: Mapping[str, Sequence[int]],
) -> tuple[Stage, ...]:
    """Each outcome in its expected year; `cells` holds the released row of that year, `years` what is released.

    An outcome that has no place in `cells` has no table for these children.
    """
    return tuple(
        _stage(
            step.indicator,
            kindergarten_year + step.years_after_kindergarten,
            cell=cells[step.indicator],
            years=years.get(step.indicator, ()),
        )
        if step.indicator in cells
        else Stage(step.indicator, kindergarten_year + step.years_after_kindergarten, "no table for these children")
        for step in steps
    )


def _stage(indicator: str, year: int, *, cell: PublishedCell | None, years: Sequence[int]) -> Stage:
    if cell is None:
        return _unobserved(indicator, year, years=years)
    return Stage(
        indicator,
        year,
        "hidden" if cell.hidden else "observed",
        cell.known,
        cell.k,
        _difference(cell.known, cell.k),
        _difference(cell.n, cell.known),
        cell.rate,
        cell.rate_low,
        cell.rate_high,
        cell.coverage_low,
        cell.coverage_high,
        cell.status,
        cell.status_reason,
    )


def _unobserved(indicator: str, year: int, *, years: Sequence[int]) -> Stage:
    state: State = "no record of this year"
    if not years or year > max(years):
        state = "not yet observed"
    elif year < min(years):
        state = "before the records begin"
    return Stage(indicator, year, state)


def _difference(whole: int | None, part: int | None) -> int | None:
    return None if whole is None or part is None else whole - part


def why_no_table(indicator: str) -> str:
    """Why an outcome has no table for a preschool's children."""
    return BY_GROUPS if indicators()[indicator].aggregate else NOT_DECLARED
