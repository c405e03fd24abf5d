"""The page that follows one class of kindergartners, or its children of a preschool, from released rows alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from markupsafe import Markup
from sqlalchemy.orm import Session

from hub.errors import CallerError
from hub.http import declare, hub_of, trail_of, transaction_of
from hub.languages import ENGLISH, Language
from hub.release import questions
from hub.release.answers import citation
from hub.release.asking import PRESCHOOL, Asker, check_pathway, preschool_levels
from hub.release.charts import draw
from hub.release.pathway import NO_TABLE, Stage, why_no_table
from hub.release.pathway_chart import Step, pathway_chart
from hub.release.questions import Pathway
from hub.release.service import current_release
from hub.release.slices import HIDDEN_REASON, cohort_years
from hub.release.words import coverage_words, indicator_title, level_label, range_untold, range_words
from hub.web.askers import asker_under
from hub.web.explorer_form import Choice, licences_of, purposes_of
from hub.web.pages import page, refused_page
from hub.web.speaking import speaking_to
from policies.catalogue_files import PathwayStep, catalogue

router = APIRouter(tags=["pages"])

Text = Annotated[str, Query(max_length=130)]
Year = Annotated[str, Query(max_length=4, pattern=r"^(\d{4})?$")]


@dataclass(frozen=True)
class StageRow:
    """One outcome of the class in words: reached, not reached and unknown apart; `told` where numbers are."""

    indicator: str
    title: str
    school_year: str
    reached: str
    missed: str
    unknown: str
    counted: str
    told: bool
    no_table: bool
    citation: str


@dataclass(frozen=True)
class Ways:
    """What the form offers: classes, preschools for who may ask of them, and the licences to ask under."""

    years: tuple[Choice, ...]
    preschools: tuple[Choice, ...]
    licences: tuple[Choice, ...]


@router.get("/pathway")
@declare("public.read", "pathway")
def pathway_page(
    request: Request,
    *,
    cohort: Year = "",
    preschool: Text = "",
    licence: Annotated[str | None, Query(max_length=130)] = None,
) -> Response:
    """A class through its outcomes: reached, not reached and not observed kept apart."""
    language = speaking_to(request, "pathway").language
    try:
        with transaction_of(request) as session:
            years = _kindergarten_years(session)
            asker = asker_under(request, session, licence=licence if preschool else "")
            found = questions.pathway(
                session, int(cohort) if cohort else _first_shown(session, years), release=None, catalogue=catalogue(),
                asker=asker, audit=trail_of(request), preschool=preschool or None,
            )  # fmt: skip
    except CallerError as refusal:
        return refused_page(request, refusal, name="pathway", form=Ways((), (), ()), view=None, untold=())
    form = _form(found, asker, years=years, language=language)
    view = _view(request, found, asker, language=language)
    return page(request, "pathway", refusal=None, form=form, view=view, untold=_untold(language))


@dataclass(frozen=True)
class View:
    """A class as it is shown."""

    title: str
    rows: tuple[StageRow, ...]
    chart: Markup
    words: str
    link: str
    query: str


def _view(request: Request, found: Pathway, asker: Asker, *, language: Language) -> View:
    rows = tuple(
        _row(stage, citation(stage.indicator, release=found.release, language=language), language=language)
        for stage in found.stages
    )
    named = {"cohort": found.kindergarten_year, "preschool": found.preschool, "release": found.release.id}
    licence = {"agreement": asker.agreement, "purpose": asker.purpose}
    asked = {name: value for name, value in {**named, **licence}.items() if value}
    query = f"/v1/pathway?{urlencode(asked)}"
    return View(
        title=class_words(found.kindergarten_year, found.preschool, language=language),
        rows=rows,
        chart=Markup(draw(pathway_chart([_step(stage, language) for stage in found.stages], language))),  # noqa: S704
        words="; ".join(f"{row.title}: {row.reached}" for row in rows) + ".",
        link=f"{hub_of(request).settings.own_url()}{query}",
        query=query,
    )


def _untold(language: Language) -> tuple[tuple[str, str], ...]:
    """The outcomes that a preschool's children cannot have, by title, and why; those of one reason together."""
    tables = check_pathway(preschool_levels()[0], catalogue=catalogue())
    told: dict[str, list[str]] = {}
    for step in catalogue().pathway:
        if step.indicator not in tables:
            told.setdefault(why_no_table(step.indicator), []).append(indicator_title(step.indicator, language))
    return tuple((", ".join(titles), language.say(reason)) for reason, titles in told.items())


def class_words(kindergarten_year: int, preschool: str | None, *, language: Language = ENGLISH) -> str:
    """Whom a pathway follows, in words."""
    year = f"{kindergarten_year - 1}-{kindergarten_year % 100:02d}"
    if preschool is None:
        return language.say("The class that began kindergarten in {year}", year=year)
    label = level_label(PRESCHOOL, preschool, language)
    return language.say("The children of {preschool} who began kindergarten in {year}", preschool=label, year=year)


def _form(found: Pathway, asker: Asker, *, years: Sequence[int], language: Language) -> Ways:
    levels = preschool_levels() if licences_of(asker) else ()
    chosen = f"{asker.agreement}/{asker.purpose}"
    return Ways(
        years=tuple(
            Choice(str(year), str(year), year == found.kindergarten_year)
            for year in sorted({*years, found.kindergarten_year})
        ),
        preschools=tuple(
            Choice(level, level_label(PRESCHOOL, level, language), level == found.preschool) for level in levels
        ),
        licences=tuple(Choice(value, words, value == chosen) for value, words in purposes_of(asker)),
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


def _row(stage: Stage, cite: str, *, language: Language) -> StageRow:
    told = not range_untold(stage.rate, stage.rate_low, high=stage.rate_high)
    low, high = _ends(stage) if told else (None, None)
    return StageRow(
        indicator=stage.indicator,
        title=indicator_title(stage.indicator, language),
        school_year=f"{stage.cohort_year - 1}-{stage.cohort_year % 100:02d}",
        reached=_reached(stage, language),
        missed=_rest(low, high, language=language),
        unknown=_rest(stage.coverage_low, stage.coverage_high, language=language),
        counted="" if stage.known is None else language.number(stage.known),
        told=stage.state == "observed",
        no_table=stage.state == NO_TABLE,
        citation=cite,
    )


def _rest(low: int | None, high: int | None, *, language: Language) -> str:
    """What a share leaves of a hundred, in words; empty where the share is not told."""
    if low is None or high is None:
        return ""
    if low == high:
        return language.say("{rate} %", rate=100 - low)
    return coverage_words(100 - high, 100 - low, language=language)


def _reached(stage: Stage, language: Language) -> str:
    if stage.state == "observed":
        return range_words(stage.rate, stage.rate_low, high=stage.rate_high, language=language)
    reason = HIDDEN_REASON if stage.state == "hidden" else stage.state
    return language.say(reason)


def _ends(stage: Stage) -> tuple[int | None, int | None]:
    return (stage.rate, stage.rate) if stage.rate is not None else (stage.rate_low, stage.rate_high)


def _step(stage: Stage, language: Language) -> Step:
    told = stage.state == "observed" and not range_untold(stage.rate, stage.rate_low, high=stage.rate_high)
    low, high = _ends(stage) if told else (None, None)
    return Step(indicator_title(stage.indicator, language), low, high, _reached(stage, language))
