"""How firmly records are linked, in three bands a year, from released cells alone.

A histogram of match weights counts pairs of children, so none leaves the hub (decision 0020). What a release tells is
the linked share and how much of it hangs on the threshold; that gives what holds at every threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from hub.release.charts import Spec
from hub.release.linkage_quality import LINKED_SHARE, SETTLED, hanging_points, totals
from hub.release.pathway_chart import Step, pathway_chart
from hub.release.slices import HIDDEN_REASON, PublishedCell

OF_ALL = "per cent of the students of the year"


@dataclass(frozen=True)
class LinkBand:
    """One year: at least so many per cent are linked, and at least so many are not, whatever the threshold; what lies
    between hangs on it or is told as a range. None where the release withholds it."""

    cohort_year: int
    linked: int | None
    between: int | None
    apart: int | None

    @property
    def words(self) -> str:
        """The band in words."""
        if self.linked is None:
            return HIDDEN_REASON
        return f"{self.linked} % linked, {self.between} % open, {self.apart} % not linked"


def link_bands(session: Session, release: str) -> tuple[LinkBand, ...]:
    """The bands of each year that the release tells the linked share of, the oldest first."""
    linked, settled = totals(session, release, LINKED_SHARE), totals(session, release, LINKED_SHARE + SETTLED)
    return tuple(_band(cell, settled.get(year)) for year, cell in sorted(linked.items()))


def bands_chart(bands: tuple[LinkBand, ...]) -> Spec:
    """A bar a year: filled what is linked for certain, pale what is open, empty what is not linked."""
    steps = [
        Step(str(one.cohort_year), one.linked, None if one.apart is None else 100 - one.apart, one.words)
        for one in bands
    ]
    return pathway_chart(steps, axis_title=OF_ALL)


def _band(cell: PublishedCell, settled: PublishedCell | None) -> LinkBand:
    points = None if settled is None else hanging_points(settled)
    low = cell.rate if cell.rate is not None else cell.rate_low
    high = cell.rate if cell.rate is not None else cell.rate_high
    if points is None or low is None or high is None:
        return LinkBand(cell.cohort_year, None, None, None)
    linked, apart = max(0, low - points), max(0, 100 - high - points)
    return LinkBand(cell.cohort_year, linked, 100 - linked - apart, apart)
