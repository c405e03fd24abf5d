"""The answer to a question: decision first (`hub.release.asking`), then a slice, then the event; never a count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from hub.audit import service as audit_log
from hub.audit.events import AuditTrail, EventType
from hub.languages import ENGLISH, Language
from hub.release.advice import advice_on
from hub.release.asking import Asker, Question, check_gaps, check_may_read, check_pathway, check_question, check_year
from hub.release.gaps import GapPoint, Pace, ReleasedRate, gap_point, gap_point_lower_is_better, pace
from hub.release.notes import notes_on
from hub.release.pathway import Stage, stages
from hub.release.service import Release, current_release, published_release
from hub.release.slices import Cursor, PublishedCell, Slice, cohort_years, hide_below, read_slice
from hub.release.words import level_parents
from policies.agreements import Agreement
from policies.catalogue_files import Catalogue, CatalogueTable, GapPair
from policies.decision import Decision
from policies.disclosure.types import TOTAL
from policies.indicator_files import indicators as definitions


@dataclass(frozen=True)
class Observations:
    """Rows of one table of one release, with what a reader must know beside them."""

    release: Release
    table: CatalogueTable
    cells: tuple[PublishedCell, ...]
    notes: tuple[str, ...]
    next_cursor: Cursor | None


@dataclass(frozen=True)
class GapSeries:
    """One gap over the cohort years, with the pace it needs and makes."""

    indicator: str
    pair: GapPair
    points: tuple[GapPoint, ...]
    pace: Pace
    provisional_years: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Gaps:
    """The gaps of a release."""

    release: Release
    series: tuple[GapSeries, ...]
    target_year: int


@dataclass(frozen=True)
class Pathway:
    """One class of kindergartners through the outcomes, in the years in which each is expected.

    `preschool` names the children of the class whom it follows: a level of that dimension, None for all.
    """

    release: Release
    kindergarten_year: int
    stages: tuple[Stage, ...]
    preschool: str | None = None


def observations(
    session: Session,
    question: Question,
    *,
    catalogue: Catalogue,
    asker: Asker,
    audit: AuditTrail,
    language: Language = ENGLISH,
) -> Observations:
    """The rows of a declared table. Raises Invalid for what nobody may ask and Refused for what this asker may not."""
    table = check_question(question, catalogue=catalogue, day=asker.day)
    decision, licence = check_may_read(asker, question.indicator, table=table)
    release = _release(session, question.release)
    page = read_slice(session, release.id, wanted=_slice(question, table))
    cells = page.cells if licence is None else _licensed(page.cells, licence)
    notes = notes_on(session, release.id, table=table, cells=cells, catalogue=catalogue, language=language)
    notes = (*notes, *advice_on(cells, parents=level_parents(), language=language))
    _log(
        session,
        audit,
        asker=asker,
        resource=f"observations/{question.indicator}/{table.name}",
        decision=decision,
        counts={"cells": len(cells), "hidden": sum(cell.hidden for cell in cells)},
        release=release,
    )
    return Observations(release, table, cells, notes, page.next_cursor)


def gaps(
    session: Session,
    indicators: Sequence[str],
    *,
    pairs: Sequence[str],
    release: str | None,
    catalogue: Catalogue,
    asker: Asker,
    audit: AuditTrail,
) -> Gaps:
    """The gaps of these indicators and pairs; empty means the core outcomes, and all pairs of the catalogue."""
    wanted = check_gaps(indicators, pairs, catalogue=catalogue)
    decisions = [check_may_read(asker, indicator, table=table) for indicator, _, table in wanted]
    found = _release(session, release)
    series = tuple(
        gap_series(session, found.id, indicator=indicator, pair=pair, catalogue=catalogue, licence=licence)
        for (indicator, pair, _), (_, licence) in zip(wanted, decisions, strict=True)
    )
    _log(
        session,
        audit,
        asker=asker,
        resource="gaps",
        decision=decisions[0][0],
        counts={"gaps": len(series), "hidden": sum(p.gap is None for one in series for p in one.points)},
        release=found,
    )
    return Gaps(found, series, catalogue.target_year)


def pathway(
    session: Session,
    kindergarten_year: int,
    *,
    release: str | None,
    catalogue: Catalogue,
    asker: Asker,
    audit: AuditTrail,
    preschool: str | None = None,
) -> Pathway:
    """The outcomes of one class, each in its expected year: reached, not reached, not observed kept apart.

    With `preschool` only the children of the class who went to such a preschool, where the catalogue has them apart.
    """
    check_year(kindergarten_year, "cohort", day=asker.day)
    tables = check_pathway(preschool, catalogue=catalogue)
    read = {name: check_may_read(asker, name, table=table) for name, table in tables.items()}
    found = _release(session, release)
    cells = {
        step.indicator: _pathway_cell(
            session,
            found.id,
            step.indicator,
            table=tables[step.indicator],
            year=kindergarten_year + step.years_after_kindergarten,
            level=preschool,
            licence=read[step.indicator][1],
        )
        for step in catalogue.pathway
        if step.indicator in tables
    }
    road = stages(
        catalogue.pathway, kindergarten_year=kindergarten_year, cells=cells, years=cohort_years(session, found.id)
    )
    _log(
        session,
        audit,
        asker=asker,
        resource=f"pathway/{kindergarten_year}" + (f"/{preschool}" if preschool else ""),
        decision=next(iter(read.values()))[0],
        counts={"stages": len(road)},
        release=found,
    )
    return Pathway(found, kindergarten_year, road, preschool)


def gap_series(
    session: Session,
    release: str,
    *,
    indicator: str,
    pair: GapPair,
    catalogue: Catalogue,
    licence: Agreement | None = None,
) -> GapSeries:
    """One gap over all cohort years of a release, from its released cells alone."""
    cells = read_slice(session, release, wanted=Slice(indicator, pair.table)).cells
    if licence is not None:
        cells = _licensed(cells, licence)
    by_place = {(cell.cohort_year, cell.levels[pair.dimension]): cell for cell in cells}
    find = gap_point if definitions()[indicator].better == "higher" else gap_point_lower_is_better
    points = tuple(
        find(year, _rate(by_place[year, pair.reference]), group=_rate(by_place[year, pair.group]))
        for year in sorted({year for year, _ in by_place})
        if (year, pair.reference) in by_place and (year, pair.group) in by_place
    )
    made = pace(points, target_year=catalogue.target_year, pace_years=catalogue.pace_years)
    provisional = frozenset(cell.cohort_year for cell in cells if cell.provisional)
    return GapSeries(indicator, pair, points, made, provisional)


def _rate(cell: PublishedCell) -> ReleasedRate:
    return ReleasedRate(cell.known, cell.rate, cell.rate_low, cell.rate_high)


def _slice(question: Question, table: CatalogueTable) -> Slice:
    return Slice(
        question.indicator,
        table.name,
        first_year=question.first_year,
        last_year=question.last_year,
        levels=question.levels,
        after=question.after,
        limit=question.limit,
    )


def _licensed(cells: Sequence[PublishedCell], licence: Agreement) -> tuple[PublishedCell, ...]:
    return hide_below(cells, min_n=licence.outputs.min_n, numerator_min=licence.outputs.numerator_min)


def _release(session: Session, release: str | None) -> Release:
    return current_release(session) if release is None else published_release(session, release)


def _pathway_cell(
    session: Session,
    release: str,
    indicator: str,
    *,
    table: CatalogueTable,
    year: int,
    level: str | None,
    licence: Agreement | None,
) -> PublishedCell | None:
    wanted = Slice(indicator, table.name, first_year=year, last_year=year)
    cells: Sequence[PublishedCell] = read_slice(session, release, wanted=wanted).cells
    if licence is not None:
        cells = _licensed(cells, licence)
    return next((cell for cell in cells if all(found == (level or TOTAL) for found in cell.levels.values())), None)


def _log(
    session: Session,
    audit: AuditTrail,
    *,
    asker: Asker,
    resource: str,
    decision: Decision,
    counts: Mapping[str, int],
    release: Release,
) -> None:
    audit_log.append(
        session,
        audit.under(agreement=asker.agreement, purpose=asker.purpose),
        EventType.QUERY_ANSWERED,
        resource=resource,
        decision="permitted",
        rule=decision.rule,
        counts=counts,
        versions={"release": release.id, **{f"agreement {name}": v for name, v in decision.versions.items()}},
    )
