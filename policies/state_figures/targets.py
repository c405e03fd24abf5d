"""The state's figures as targets of the synthetic county: by the names of its calibration, with year and source.

Used where a county is made (`connectors.synthetic`); without figures the written calibration stands as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from policies.state_figures.layouts import layouts
from policies.state_figures.reading import COUNTY, StateFigure

# The calibration's name of each county figure, by measure, dimension and level.
NAMES = {
    ("enrolled", "", ""): "enrollment",
    ("free-or-reduced-meals", "", ""): "frpm",
    ("english-learners", "", ""): "english-learners",
    ("homeless", "", ""): "homeless",
    ("migrant", "", ""): "migrant",
    ("unduplicated-pupils", "", ""): "upc",
    ("third-grade-reading", "", ""): "third-grade-reading",
    ("third-grade-reading", "economic-status", "disadvantaged"): "reading-third-D",
    ("third-grade-reading", "economic-status", "not-disadvantaged"): "reading-third-N",
    ("third-grade-reading", "race", "white"): "reading-third-white",
    ("third-grade-reading", "race", "hispanic"): "reading-third-hispanic",
    ("third-grade-reading", "race", "black"): "reading-third-black",
    ("reading-all-grades", "", ""): "reading-all",
    ("math-all-grades", "", ""): "math-all",
    ("eighth-grade-math", "", ""): "math-eighth",
    ("eighth-grade-math", "economic-status", "disadvantaged"): "math-eighth-D",
    ("eighth-grade-math", "economic-status", "not-disadvantaged"): "math-eighth-N",
    ("high-school-graduation", "", ""): "graduation",
    ("high-school-graduation", "economic-status", "disadvantaged"): "graduation-D",
    ("a-g-completion", "", ""): "uc-csu-met",
    ("postsecondary-enrollment", "", ""): "college",
    ("postsecondary-enrollment", "economic-status", "disadvantaged"): "college-D",
    ("chronic-absence", "", ""): "chronic-absence",
}


@dataclass(frozen=True)
class Target:
    """A published share (or, for `enrollment`, a count) with its year and source."""

    value: float
    year: int
    source: str


def county_targets(figures: Iterable[StateFigure], *, until: int | None = None) -> dict[str, Target]:
    """By calibration name, the latest shown figure of the county (of years up to `until`)."""
    found: dict[str, Target] = {}
    for figure in sorted(figures, key=lambda one: one.year):
        name = NAMES.get((figure.measure, figure.dimension, figure.level))
        if name is None or figure.place != COUNTY or figure.hidden or (until is not None and figure.year > until):
            continue
        value = figure.n if figure.measure == "enrolled" else _share(figure)
        if value is not None:
            found[name] = Target(float(value), figure.year, source_of(figure.measure))
    return found


def source_of(measure: str) -> str:
    """Title and publisher of the file that tells a measure."""
    layout = next(one for one in layouts().layouts.values() if measure in one.measures)
    return f"{layout.title}: {layout.source}"


def _share(figure: StateFigure) -> float | None:
    if figure.k is not None and figure.n:
        return round(figure.k / figure.n, 4)
    return None if figure.rate is None else round(figure.rate / 100, 4)
