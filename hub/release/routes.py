"""The public API of results: definitions, dimensions, cohorts, observations, gaps, pathway, releases.

Routes speak HTTP only: they read the question, call one service function inside the request's transaction, and
answer when it is committed. What may be read is decided by `hub.release.questions`.
"""

import json
import re
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from hub.audit import service as audit_log
from hub.audit.events import EventType
from hub.errors import Fault, Invalid
from hub.http import declare, hub_of, reading_of, trail_of, transaction_of
from hub.outcomes.state import state_figures
from hub.release import answers, asking, questions
from hub.release.asking import Asker, asker_of
from hub.release.formats import TABLE_FORMATS, Row, answer, answer_as, etag_of, wanted_format
from hub.release.forms import writer_of
from hub.release.requests.service import catalogue_to_ask
from hub.release.service import current_release, published_release, published_releases
from hub.release.slices import Cursor, cohort_years
from hub.release.state_lines import state_rows
from policies.catalogue_files import catalogue

router = APIRouter(prefix="/v1", tags=["results"])

Slug = Annotated[str, Query(max_length=64, pattern=r"^[A-Za-z0-9.-]*$")]
Slugs = Annotated[str, Query(max_length=400, pattern=r"^[A-Za-z0-9.,-]*$")]
Cohort = Annotated[str, Query(max_length=10, pattern=r"^(\d{4}(\.\.\d{4})?)?$")]
Levels = Annotated[list[str], Query(max_length=8)]
CURSOR = re.compile(r"(\d{4})\.([a-z0-9-]{1,16})\.(\d{1,9})")


@router.get("/indicators")
@declare("public.read", "definitions")
def list_indicators(request: Request) -> Response:
    """Every indicator of the catalogue: its words, its version and the splits that may be asked."""
    with reading_of(request) as session:
        asked = catalogue_to_ask(session, catalogue())
    return _definitions(request, "indicators", [answers.indicator_card(name, asked) for name in asked.indicators])


@router.get("/indicators/{indicator}")
@declare("public.read", "definitions")
def show_indicator(request: Request, indicator: str) -> Response:
    """One indicator's definition, and the state's published figures with the reason why ours differ."""
    asking.check_indicator(indicator, catalogue=catalogue())
    wanted_format(request)
    with transaction_of(request) as session:
        asked = catalogue_to_ask(session, catalogue())
        figures = state_rows(state_figures(session, indicator))
        audit_log.append(session, trail_of(request), EventType.CATALOGUE_READ, resource="indicators")
    card = answers.indicator_card(indicator, asked)
    told = {**card, "state_figures": figures}
    mark = sha256(json.dumps([figures, card["tables"]]).encode()).hexdigest()
    return _answer(request, {"rows": [told]}, rows=[card], release=f"{card['digest']} {catalogue().version} {mark}")


@router.get("/dimensions")
@declare("public.read", "definitions")
def list_dimensions(request: Request) -> Response:
    """Every dimension with its closed list of levels, their labels and hierarchy."""
    return _definitions(request, "dimensions", answers.dimension_cards())


@router.get("/cohorts")
@declare("public.read", "definitions")
def list_cohorts(request: Request) -> Response:
    """The cohort years that the current release shows, by indicator."""
    with transaction_of(request) as session:
        release = current_release(session)
        years = cohort_years(session, release.id)
        audit_log.append(session, trail_of(request), EventType.CATALOGUE_READ, resource="cohorts")
    rows: list[Row] = [
        {"indicator": name, "cohort_year": year} for name in catalogue().indicators for year in years.get(name, ())
    ]
    return _answer(request, {"rows": rows}, rows=rows, release=release.id)


@router.get("/observations")
@declare("public.read", "observations")
def list_observations(
    request: Request,
    *,
    indicator: Slug,
    by: Slugs = "",
    cohort: Cohort = "",
    level: Levels = [],  # noqa: B006 (FastAPI copies it)
    labels: bool = False,
    agreement: Slug = "",
    purpose: Slug = "",
    release: Slug = "",
    after: Slug = "",
    limit: Annotated[int, Query(ge=1, le=asking.PAGE_ROWS)] = asking.PAGE_ROWS,
) -> Response:
    """Rows of one declared table: `by=race,economic-status`, `cohort=2022..2026`, `level=race:white`."""
    first_year, last_year = _years(cohort)
    question = asking.Question(
        indicator=indicator,
        by=_names(by),
        first_year=first_year,
        last_year=last_year,
        levels=asking.read_levels(level),
        release=release or None,
        after=_cursor(after),
        limit=limit,
    )
    media_type = wanted_format(request, among=TABLE_FORMATS)
    with transaction_of(request) as session:
        asker = asker_of(request, session, agreement=agreement, purpose=purpose)
        asked = catalogue_to_ask(session, catalogue())
        found = questions.observations(session, question, catalogue=asked, asker=asker, audit=trail_of(request))
    cursor = answers.cursor_text(found.next_cursor)
    link = None if cursor is None else _relative(request, after=cursor)
    address = f"{hub_of(request).settings.own_url()}{request.url.path}?{request.url.query}"
    response = answer_as(
        request,
        media_type,
        written=writer_of(found, indicator=indicator, labels=labels, next_link=link, catalogue=asked, address=address),
        etag=_etag(request, found.release.id, asker=asker, media_type=media_type),
        open_to_all=asker.licence() is None,
    )
    if link is not None:
        response.headers["Link"] = f'<{link}>; rel="next"'
    return response


@router.get("/gaps")
@declare("public.read", "gaps")
def list_gaps(
    request: Request,
    *,
    indicator: Slugs = "",
    pair: Slugs = "",
    agreement: Slug = "",
    purpose: Slug = "",
    release: Slug = "",
) -> Response:
    """Gaps by cohort year, with the pace needed to close each by the target year and the pace made."""
    wanted_format(request)
    with transaction_of(request) as session:
        asker = asker_of(request, session, agreement=agreement, purpose=purpose)
        found = questions.gaps(
            session,
            _names(indicator),
            pairs=_names(pair),
            release=release or None,
            catalogue=catalogue(),
            asker=asker,
            audit=trail_of(request),
        )
    body = answers.gaps_body(found)
    return _answer(request, body, rows=answers.gap_rows(found), release=found.release.id, asker=asker)


@router.get("/pathway")
@declare("public.read", "pathway")
def show_pathway(
    request: Request,
    *,
    cohort: Annotated[int, Query(ge=asking.FIRST_YEAR, le=asking.LAST_YEAR)],
    preschool: Slug = "",
    agreement: Slug = "",
    purpose: Slug = "",
    release: Slug = "",
) -> Response:
    """The class that began kindergarten in a school year, or its children of a preschool, through the outcomes."""
    wanted_format(request)
    with transaction_of(request) as session:
        asker = asker_of(request, session, agreement=agreement, purpose=purpose)
        found = questions.pathway(
            session,
            cohort,
            release=release or None,
            catalogue=catalogue(),
            asker=asker,
            audit=trail_of(request),
            preschool=preschool or None,
        )
    body = answers.pathway_body(found)
    return _answer(request, body, rows=answers.pathway_rows(found), release=found.release.id, asker=asker)


@router.get("/releases")
@declare("public.read", "releases")
def list_releases(request: Request) -> Response:
    """Every release that is or was public, newest first."""
    with transaction_of(request) as session:
        rows = [answers.release_row(release) for release in published_releases(session)]
        audit_log.append(session, trail_of(request), EventType.RELEASE_READ, resource="releases")
    return _answer(
        request, {"rows": rows}, rows=rows, release=",".join(str(row["id"]) + str(row["state"]) for row in rows)
    )


@router.get("/releases/{release}")
@declare("public.read", "releases")
def show_release(request: Request, release: str) -> Response:
    """One release that is or was public; any other is answered like one that does not exist."""
    with transaction_of(request) as session:
        row = answers.release_row(published_release(session, release))
        audit_log.append(session, trail_of(request), EventType.RELEASE_READ, resource=f"release/{row['id']}")
    return _answer(request, row, rows=[row], release=f"{row['id']}{row['state']}")


def _definitions(request: Request, name: str, rows: list[answers.Row]) -> Response:
    wanted_format(request)
    with transaction_of(request) as session:
        audit_log.append(session, trail_of(request), EventType.CATALOGUE_READ, resource=name)
    mark = sha256(json.dumps(rows).encode()).hexdigest()
    return _answer(request, {"rows": rows}, rows=rows, release=f"catalogue {catalogue().version} {mark}")


def _answer(
    request: Request,
    body: answers.Row,
    *,
    rows: list[Row] | list[answers.Row],
    release: str,
    asker: Asker | None = None,
) -> Response:
    etag = _etag(request, release, asker=asker, media_type=wanted_format(request))
    open_to_all = asker is None or asker.licence() is None
    return answer(request, body, rows=rows, etag=etag, open_to_all=open_to_all)


def _etag(request: Request, release: str, *, asker: Asker | None, media_type: str) -> str:
    licence = None if asker is None else asker.licence()
    versions = {} if licence is None else {licence.id: str(licence.version)}
    return etag_of(request, release=release, versions=versions, media_type=media_type)


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in text.split(",") if name))


def _years(text: str) -> tuple[int | None, int | None]:
    if not text:
        return None, None
    first, _, last = text.partition("..")
    return int(first), int(last or first)


def _cursor(text: str) -> Cursor | None:
    if not text:
        return None
    match = CURSOR.fullmatch(text)
    if match is None:
        raise Invalid(
            "This is no place in an answer.",
            code="after-wrong",
            next_step="Follow the `next` link of an answer as it stands.",
            faults=(Fault("after", "after-wrong"),),
        )
    return Cursor(int(match[1]), match[2], int(match[3]))


def _relative(request: Request, *, after: str) -> str:
    url = request.url.include_query_params(after=after)
    return f"{url.path}?{url.query}"
