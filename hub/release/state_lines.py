"""The state's published figures in words, beside ours: which year, whose figure, and hidden as the state hides it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.languages import ENGLISH, Language, message
from hub.outcomes.state import SourcedFigure
from hub.release.slices import PublishedCell
from hub.release.words import level_label, rate_words
from policies.organisation_files import organisations
from policies.state_figures.reading import COUNTY, STATE, StateFigure

NOT_TOLD = message("not told")
HIDDEN_BY_STATE = message("hidden to protect students")


@dataclass(frozen=True)
class StateLine:
    """One year: our rate of all students, and the state's for the county and for California."""

    year: int
    ours: str
    county: str
    state: str
    source: str


def state_lines(
    totals: Sequence[PublishedCell], figures: Iterable[SourcedFigure], *, language: Language = ENGLISH
) -> tuple[StateLine, ...]:
    """A line for each year of which the state told the county's figure of all students."""
    of_all = [one for one in figures if not one.figure.dimension]
    ours = {cell.cohort_year: rate_words(cell, language) for cell in totals}
    told = {(one.figure.year, one.figure.place): figure_words(one.figure, language) for one in of_all}
    return tuple(
        StateLine(
            year=one.figure.year,
            ours=ours.get(one.figure.year, language.say(NOT_TOLD)),
            county=figure_words(one.figure, language),
            state=told.get((one.figure.year, STATE), language.say(NOT_TOLD)),
            source=one.source,
        )
        for one in of_all
        if one.figure.place == COUNTY
    )


def figure_words(figure: StateFigure, language: Language = ENGLISH) -> str:
    """The state's rate in words."""
    if figure.rate is None:
        return language.say(HIDDEN_BY_STATE if figure.hidden else NOT_TOLD)
    return language.say("{rate} %", rate=f"{figure.rate:g}")


def state_rows(figures: Iterable[SourcedFigure]) -> list[dict[str, object]]:
    """Rows for an answer: year, place, group, n, k, rate, hidden, source. A hidden number is null."""
    return [
        {
            "year": one.figure.year,
            "place": one.figure.place,
            "place_label": place_label(one.figure),
            "by": one.figure.dimension or None,
            "level": one.figure.level or None,
            "level_label": level_label(one.figure.dimension, one.figure.level) if one.figure.dimension else "All",
            "n": one.figure.n,
            "k": one.figure.k,
            "rate": one.figure.rate,
            "status": "C" if one.figure.hidden else "F",
            "source": one.source,
        }
        for one in figures
    ]


def place_label(figure: StateFigure) -> str:
    """The words for a place."""
    if figure.place in (STATE, COUNTY):
        return "California" if figure.place == STATE else "County"
    return organisations().title_of(figure.place, figure.year)
