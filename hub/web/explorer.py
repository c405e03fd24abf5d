"""The explorer: one question as a plain GET form, its answer as chart, table, notes, citation and the same query.

The address is the whole state: a link to it asks the same again. It works without scripts.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from hub.errors import CallerError, NotFound
from hub.http import declare, hub_of, reading_of, trail_of, transaction_of
from hub.languages import Language
from hub.outcomes.state import state_figures
from hub.release import questions
from hub.release.asking import Asker, Question
from hub.release.questions import Observations
from hub.release.requests.service import catalogue_to_ask
from hub.release.sentences import gap_sentence
from hub.release.service import current_release
from hub.release.slices import cohort_years
from hub.release.state_lines import state_lines
from hub.release.voices.service import shown_voices
from hub.web.askers import asker_under
from hub.web.explorer_form import Wanted, form_for, question_of
from hub.web.explorer_view import Beside, totals_of, view_of
from hub.web.pages import page, refused_page
from hub.web.speaking import speaking_to
from policies.catalogue_files import Catalogue, catalogue
from policies.voices import SPEAKERS

router = APIRouter(tags=["pages"])

Text = Annotated[str, Query(max_length=130)]
Year = Annotated[str | None, Query(max_length=4, pattern=r"^(\d{4})?$")]


@router.get("/explorer")
@declare("public.read", "observations")
def explore(
    request: Request,
    *,
    indicator: Text = "third-grade-reading",
    by: Text = "economic-status",
    only: Text = "",
    first: Year = None,
    last: Year = None,
    licence: Annotated[str | None, Query(max_length=130)] = None,
) -> Response:
    """One question as a form, and its answer."""
    wanted, language = Wanted(indicator, by, only, first, last), speaking_to(request, "explorer").language
    with reading_of(request) as session:
        asker = asker_under(request, session, licence=licence)
        asked = catalogue_to_ask(session, catalogue())
        years = _years(session, indicator)
    form = form_for(asker, wanted, catalogue=asked, years=years, language=language)
    try:
        question = question_of(wanted, asker=asker, catalogue=asked, years=years)
        with transaction_of(request) as session:
            found = questions.observations(
                session, question, catalogue=asked, asker=asker, audit=trail_of(request), language=language
            )
            beside = _beside(request, session, found, question=question, asker=asker, asked=asked, language=language)
    except CallerError as refusal:
        return refused_page(request, refusal, name="explorer", form=form, view=None)
    with transaction_of(request) as session:
        voices = shown_voices(
            session, indicator, audit=trail_of(request), dimensions=found.table.dimensions,
            years={cell.cohort_year for cell in found.cells},
        )  # fmt: skip
    named = [("agreement", asker.agreement or ""), ("purpose", asker.purpose or "")] if asker.agreement else []
    address = hub_of(request).settings.own_url()
    view = view_of(found, question, licence=named, address=address, beside=beside, language=language)
    return page(request, "explorer", form=form, view=view, refusal=None, voices=voices, speakers=SPEAKERS)


def _beside(
    request: Request,
    session: Session,
    found: Observations,
    *,
    question: Question,
    asker: Asker,
    asked: Catalogue,
    language: Language,
) -> Beside:
    """The gaps of the table that was asked, and the state's figures, where all students are shown."""
    if question.levels:
        return Beside()
    pairs = [pair.name for pair in asked.gaps if pair.table == found.table.name]
    sentences: list[str] = []
    if pairs:
        told = questions.gaps(
            session, [question.indicator], pairs=pairs, release=None, catalogue=asked, asker=asker,
            audit=trail_of(request),
        )  # fmt: skip
        sentences = [gap_sentence(series, target_year=told.target_year, language=language) for series in told.series]
    figures = state_figures(session, question.indicator)
    return Beside(tuple(sentences), state_lines(totals_of(found), figures, language=language))


def _years(session: Session, indicator: str) -> tuple[int, ...]:
    """The cohort years that the current release shows; none before the first release."""
    try:
        return cohort_years(session, current_release(session).id).get(indicator, ())
    except NotFound:
        return ()
