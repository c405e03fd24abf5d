"""The page that follows one class of kindergartners through the seven outcomes, from released totals alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from markupsafe import Markup
from sqlalchemy.orm import Session

from hub.errors import CallerError
from hub.http import declare, hub_of, trail_of, transaction_of
from hub.release import questions
from hub.release.answers import citation
from hub.release.asking import asker_of
from hub.release.charts import draw
from hub.release.pathway import Stage
from hub.release.pathway_chart import Step, pathway_chart
from hub.release.service import current_release
from hub.release.slices import HIDDEN_REASON, cohort_years
from hub.release.words import indicator_title, range_words
from hub.web.pages import page, refused_page
from policies.catalogue_files import PathwayStep, catalogue

router = APIRouter(tags=["pages"])


@dataclass(frozen=True)
class StageRow:
    """One outcome of the class in words."""

    indicator: str
    title: str
    school_year: str
    reached: str
    counted: str
    coverage: str
    told: bool
    citation: str


@router.get("/pathway")
@declare("public.read", "pathway")
def pathway_page(request: Request, cohort: Annotated[str, Query(max_length=4, pattern=r"^(\d{4})?$")] = "") -> Response:
    """A class through its outcomes: reached, not reached and not observed kept apart."""
    try:
        with transaction_of(request) as session:
            years = _kindergarten_years(session)
            found = questions.pathway(
                session, int(cohort) if cohort else _first_shown(session, years), release=None, catalogue=catalogue(),
                asker=asker_of(request, session), audit=trail_of(request),
            )  # fmt: skip
    except CallerError as refusal:
        return refused_page(
            request, refusal, name="pathway", years=(), chosen=0, rows=(), chart=None, words="", link=""
        )
    rows = tuple(_row(stage, citation(stage.indicator, release=found.release)) for stage in found.stages)
    address = hub_of(request).settings.own_url()
    query = f"/v1/pathway?cohort={found.kindergarten_year}&release={found.release.id}"
    return page(
        request,
        "pathway",
        refusal=None,
        years=sorted({*years, found.kindergarten_year}),
        chosen=found.kindergarten_year,
        rows=rows,
        chart=Markup(draw(pathway_chart([_step(stage) for stage in found.stages]))),  # noqa: S704 (drawn by us)
        words="; ".join(f"{row.title}: {row.reached}" for row in rows) + ".",
        link=f"{address}{query}",
        query=query,
    )


def _kindergarten_years(session: Session) -> list[int]:
    """The classes of which the current release shows at least one outcome."""
    shown = cohort_years(session, current_release(session).id)
    return sorted(
        {year - step.years_after_kindergarten for step in catalogue().pathway for year in shown.get(step.indicator, ())}
    )


def _first_shown(session: Session, years: Sequence[int]) -> int:
    """The newest class with the most outcomes shown; this school year's where nothing is."""
    release = current_release(session)
    shown = cohort_years(session, release.id)
    if not years:
        return release.prepared_at.year
    return max(years, key=lambda year: (_outcomes(catalogue().pathway, year, shown=shown), year))


def _outcomes(steps: Sequence[PathwayStep], year: int, *, shown: Mapping[str, Sequence[int]]) -> int:
    return sum(year + step.years_after_kindergarten in shown.get(step.indicator, ()) for step in steps)


def _row(stage: Stage, cite: str) -> StageRow:
    observed = stage.state == "observed"
    coverage = f"{stage.coverage_low} to {stage.coverage_high} %" if stage.coverage_low is not None else ""
    return StageRow(
        indicator=stage.indicator,
        title=indicator_title(stage.indicator),
        school_year=f"{stage.cohort_year - 1}-{stage.cohort_year % 100:02d}",
        reached=_reached(stage),
        counted="" if stage.known is None else f"{stage.known:,}",
        coverage="all" if (stage.coverage_low, stage.coverage_high) == (100, 100) else coverage,
        told=observed,
        citation=cite,
    )


def _reached(stage: Stage) -> str:
    if stage.state == "observed":
        return range_words(stage.rate, stage.rate_low, high=stage.rate_high)
    return HIDDEN_REASON if stage.state == "hidden" else stage.state


def _step(stage: Stage) -> Step:
    words = _reached(stage)
    told = stage.state == "observed" and words != HIDDEN_REASON
    low = stage.rate if stage.rate is not None else stage.rate_low
    high = stage.rate if stage.rate is not None else stage.rate_high
    return Step(indicator_title(stage.indicator), low if told else None, high if told else None, words)
