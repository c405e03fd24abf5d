"""How good the linkage behind a release is, from released cells alone: shares by group, and what hangs on a threshold.

A group that is hidden stays hidden here. A standardised difference compares the linked with the unlinked (Austin 2009);
what is not settled bounds how far a figure moves between the strict and the loose threshold.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from hub.languages import ENGLISH, Language
from hub.release.slices import PublishedCell, Slice, read_slice
from hub.release.words import dimension_title, indicator_title, level_label, rate_words
from policies.catalogue_files import Catalogue
from policies.disclosure.types import TOTAL

LINKED_SHARE = "linked-share"
LINKED, SETTLED = "-linked", "-settled"
LARGE_DIFFERENCE = 0.1
"""A standardised difference from which groups are said to differ (Austin 2009)."""
SPREAD_LIMIT = 5
"""Points between the best and the worst linked group of a split, over which the page warns."""


@dataclass(frozen=True)
class GroupShare:
    """The linked share of one group; `difference` is standardised, None where numbers are withheld.

    `points` of the share at most hang on uncertain links, None where that is withheld; then at least
    `precision_least` per cent of the group's links are right, and `recall_least` of those it ought to have are there,
    as far as the linkage weighed them.
    """

    split: str
    group: str
    cohort_year: int
    share: str
    counted: int | None
    rate: int | None
    difference: float | None
    points: int | None
    hidden: bool
    precision_least: int | None
    recall_least: int | None


@dataclass(frozen=True)
class FigureQuality:
    """One published figure: the linked share of its cohort, and how many points hang on the threshold at most."""

    indicator: str
    title: str
    cohort_year: int
    linked: str
    points: int | None
    figure: str
    lowest: int | None
    highest: int | None


@dataclass(frozen=True)
class ReleasedQuality:
    """All that a release says of its linkage."""

    groups: tuple[GroupShare, ...]
    figures: tuple[FigureQuality, ...]
    spreads: Mapping[str, int]


def released_quality(
    session: Session, release: str, *, catalogue: Catalogue, language: Language = ENGLISH
) -> ReleasedQuality:
    """The quality of the linkage as a release tells it; empty where it tells nothing."""
    groups = [
        share
        for table in catalogue.tables.get(LINKED_SHARE, ())
        if len(table.dimensions) == 1
        for share in _shares(
            _cells(session, release, LINKED_SHARE, table.name),
            table.dimensions[0],
            settled=_cells(session, release, LINKED_SHARE + SETTLED, table.name),
            language=language,
        )
    ]
    outcomes = [name for name in catalogue.indicators if name + SETTLED in catalogue.tables]
    figures = [one for name in outcomes for one in _figures(session, release, name, language=language)]
    return ReleasedQuality(tuple(groups), tuple(figures), _spreads(groups))


def linkage_notes(
    session: Session, release: str, *, indicator: str, years: Sequence[int], language: Language = ENGLISH
) -> tuple[str, ...]:
    """What a reader must know of the linkage beside an indicator's figures of these years, each one sentence."""
    linked, settled = (totals(session, release, indicator + suffix) for suffix in (LINKED, SETTLED))
    shares = [
        f"{year}: {rate_words(linked[year], language)}" for year in years if year in linked and not linked[year].hidden
    ]
    notes = []
    if shares:
        told = "; ".join(shares)
        notes.append(language.say("Linked to a record of another provider, of those counted: {told}.", told=told))
    points = [hanging_points(settled[year]) for year in years if year in settled]
    known = [one for one in points if one is not None]
    if known:
        many = language.say_many("1 point", "{count} points", count=max(known))
        notes.append(language.say("At most {points} of a rate hang on uncertain links.", points=many))
    return tuple(notes)


def hanging_points(settled: PublishedCell) -> int | None:
    """How many points of the rate at most are other at the strict or the loose threshold; None where it is hidden."""
    if settled.hidden:
        return None
    if settled.known and settled.k is not None:
        return math.ceil(100 * (settled.known - settled.k) / settled.known)
    low = settled.rate_low if settled.rate_low is not None else settled.rate
    return None if low is None else 100 - low


def standardised_difference(linked: int, unlinked: int, *, of_linked: int, of_unlinked: int) -> float | None:
    """Of one group among the linked and the unlinked; None where either side is empty, holds no such group, or
    nothing varies."""
    if not of_linked or not of_unlinked or linked > of_linked or unlinked > of_unlinked:
        return None
    one, other = linked / of_linked, unlinked / of_unlinked
    spread = math.sqrt((one * (1 - one) + other * (1 - other)) / 2)
    return round((one - other) / spread, 2) if spread else None


def least_right(cell: PublishedCell, points: int | None) -> tuple[int | None, int | None]:
    """The least precision and recall of a group's links, in per cent, when so many points of its share are uncertain.

    Every uncertain link may be wrong, or every uncertain one that was not made may be missed: with a share s and p
    uncertain points, (s - p) / s and s / (s + p). From the lower end of s where it is told as a range.
    """
    share = cell.rate if cell.rate is not None else cell.rate_low
    if points is None or not share:
        return None, None
    return max(0, math.floor(100 * (share - points) / share)), math.floor(100 * share / (share + points))


def _shares(
    cells: Sequence[PublishedCell], dimension: str, *, settled: Sequence[PublishedCell], language: Language
) -> list[GroupShare]:
    points = {(cell.cohort_year, cell.levels[dimension]): hanging_points(cell) for cell in settled}
    totals = {cell.cohort_year: cell for cell in cells if cell.levels[dimension] == TOTAL}
    return [
        _share(
            cell,
            dimension,
            total=totals.get(cell.cohort_year),
            points=None if cell.hidden else points.get((cell.cohort_year, cell.levels[dimension])),
            language=language,
        )
        for cell in cells
    ]


def _share(
    cell: PublishedCell, dimension: str, *, total: PublishedCell | None, points: int | None, language: Language
) -> GroupShare:
    precision, recall = least_right(cell, points)
    return GroupShare(
        split=dimension_title(dimension, language),
        group=level_label(dimension, cell.levels[dimension], language),
        cohort_year=cell.cohort_year,
        share=rate_words(cell, language),
        counted=cell.known,
        rate=cell.rate,
        difference=_difference(cell, total),
        points=points,
        hidden=cell.hidden,
        precision_least=precision,
        recall_least=recall,
    )


def _difference(cell: PublishedCell, total: PublishedCell | None) -> float | None:
    if total is None or cell is total or cell.k is None or total.k is None or not cell.known or not total.known:
        return None
    return standardised_difference(cell.k, cell.known - cell.k, of_linked=total.k, of_unlinked=total.known - total.k)


def _figures(session: Session, release: str, indicator: str, *, language: Language) -> list[FigureQuality]:
    linked, settled, figures = (totals(session, release, indicator + suffix) for suffix in (LINKED, SETTLED, ""))
    found = []
    for year, figure in sorted(figures.items()):
        if year not in linked and year not in settled:
            continue
        points = hanging_points(settled[year]) if year in settled else None
        low = figure.rate if figure.rate is not None else figure.rate_low
        high = figure.rate if figure.rate is not None else figure.rate_high
        found.append(
            FigureQuality(
                indicator=indicator,
                title=indicator_title(indicator, language),
                cohort_year=year,
                linked=rate_words(linked[year], language) if year in linked else "",
                points=points,
                figure=rate_words(figure, language),
                lowest=None if low is None or points is None else max(0, low - points),
                highest=None if high is None or points is None else min(100, high + points),
            )
        )
    return found


def totals(session: Session, release: str, indicator: str) -> dict[int, PublishedCell]:
    """By cohort year what a release tells of all students."""
    return {cell.cohort_year: cell for cell in _cells(session, release, indicator, "total")}


def _cells(session: Session, release: str, indicator: str, table: str) -> Sequence[PublishedCell]:
    return read_slice(session, release, wanted=Slice(indicator, table)).cells


def _spreads(groups: Sequence[GroupShare]) -> dict[str, int]:
    """By split the points between its best and its worst linked group, of groups with a rate."""
    rates: dict[str, list[int]] = {}
    for one in groups:
        if one.rate is not None:
            rates.setdefault(one.split, []).append(one.rate)
    return {split: max(found) - min(found) for split, found in rates.items() if len(found) > 1}
