"""The report card as two printed pages: a PDF that a screen reader reads too (PDF/UA-1, ISO 14289-1:2014).

Set by Typst from the same card as the page, so that no number can differ. The fonts are those that Typst carries: the
same card gives the same bytes on every machine, and its SHA-256 names it.
"""

import datetime as dt
import json
from collections.abc import Iterator
from importlib import resources
from typing import Any, Literal

from hub.errors import Conflict
from hub.languages import Language
from hub.release.answers import PUBLISHER
from hub.release.charts import Spec, draw
from hub.release.report_card import READINGS, Contributor, GroupRow, Milestone, ReportCard
from hub.release.sentences import minus
from hub.release.service import Release

PAGES = 2
SIZES = (9.5, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0)
"""Sizes of type in points, largest first; the card takes the first at which it fits."""
PRINTED_WIDTH, PRINTED_HEIGHT = 200, 120
LARGER = 1.35
YEARS_APART = 3
PRINTED_FONT = "Libertinus Serif"
STANDARD: Literal["ua-1"] = "ua-1"

Place = dict[str, str]


def printed_card(card: ReportCard) -> bytes:
    """The PDF of a card: exactly two pages. Raises Conflict when it does not fit at a size that can be read."""
    import typst

    content: bytes = typst.compile(
        _template(),
        sys_inputs=_inputs(_told(card), fitting_size(card)),
        ignore_system_fonts=True,
        pdf_standards=[STANDARD],
        timestamp=_made_at(card.release),
    )
    return content


def fitting_size(card: ReportCard) -> float:
    """The largest size of type at which a card has two pages. Raises Conflict when there is none."""
    import typst

    told, template = _told(card), _template()
    for size in SIZES:
        found = typst.query(
            template, "<pages>", field="value", one=True, sys_inputs=_inputs(told, size), ignore_system_fonts=True
        )
        if json.loads(found) == PAGES:
            return size
    raise Conflict(
        "The report card does not fit on two pages.",
        code="report-too-long",
        next_step="Use the page at /report, which has room for all groups.",
    )


def _template() -> bytes:
    return resources.files("hub.release").joinpath("templates", "report_card.typ").read_bytes()


def _told(card: ReportCard) -> str:
    return json.dumps(_card(card), ensure_ascii=False)


def _inputs(told: str, size: float) -> dict[str, str]:
    return {"card": told, "size": str(size)}


def _made_at(release: Release) -> dt.datetime:
    """When the release was made, to the second: a PDF knows no finer time."""
    return (release.published_at or release.prepared_at).astimezone(dt.UTC).replace(microsecond=0)


def _card(card: ReportCard) -> dict[str, Any]:
    say, release = card.language.say, card.release
    published = (
        "" if release.published_at is None else say("published {day}", day=card.language.day(release.published_at))
    )
    meta = [say("Release {release}", release=release.id), published]
    notes = []
    if card.made_up:
        notes.append(
            say("Demonstration.")
            + " "
            + say(
                "Every person behind these numbers is made up; the organisations are real, the results are not theirs."
            )
        )
    return {
        "language": card.language.code,
        "title": say("Cradle to career in Marin: report card, release {release}", release=release.id),
        "author": "Marin Promise Partnership",
        "description": say("Seven milestones from kindergarten to work, by group and district"),
        "keywords": [release.id, release.content_sha256],
        "heading": say("Cradle to career in Marin"),
        "lead": say("A gap describes what systems provide, not children."),
        "meta": " · ".join(
            part for part in (*meta, say("a year is the one in which the school year ends: 2026 is 2025-26")) if part
        ),
        "notes": notes,
        "foot": say("{publisher}, release {release}", publisher=PUBLISHER, release=release.id),
        "glance": _glance(card),
        "charts": _charts(card),
        "reading": {
            "title": say("How to read this"),
            "each": [[say(head), say(words, year=card.target_year)] for head, words in READINGS],
        },
        "groups": _groups(card),
        "sooner": _sooner(card),
        "hidden": say(
            "Hidden: to protect students. Groups of ten or fewer are never shown, and others with them where a hidden "
            "number could be worked out."
        ),
        "state": say(
            "The state’s figures count others than ours do: why, for each milestone, stands on the page of the report "
            "card."
        ),
        "citation": say(
            "Cite: {publisher}, release {release}, content {digest}.",
            publisher=PUBLISHER,
            release=release.id,
            digest=release.content_sha256,
        ),
    }


def _glance(card: ReportCard) -> dict[str, Any]:
    say = card.language.say
    return {
        "title": say("At a glance"),
        "head": [
            say("Milestone"),
            say("Year"),
            say("All students"),
            say("Gap by economic status, points"),
            say("Made a year"),
            say("Needed a year"),
            say("By {year}?", year=card.target_year),
        ],
        "rows": [_glance_row(one, language=card.language) for one in card.milestones],
    }


def _glance_row(one: Milestone, *, language: Language) -> list[Place]:
    pace = one.gaps[0].pace if one.gaps else None
    gap, made, needed, standing = "–", "–", "–", language.say("cannot be told")
    if pace is not None and pace.latest_gap is not None:
        gap, standing = f"{minus(pace.latest_gap)} ({pace.latest_year})", language.say(pace.standing)
        made = "–" if pace.made is None else _signed(pace.made)
        needed = "–" if pace.needed is None else _signed(pace.needed)
    year = "–" if one.year is None else str(one.year)
    rate = _place(one.rate, one.rate_untold, language=language)
    return [_said(f"{one.number}. {one.title}"), _said(year), rate, *map(_said, (gap, made, needed, standing))]


def _charts(card: ReportCard) -> dict[str, Any]:
    say = card.language.say
    drawn = [_chart(one, language=card.language) for one in card.milestones]
    return {
        "title": say("The gap by economic status on the way to {year}", year=card.target_year),
        "each": drawn,
        "caption": say("Band: where chance leaves the gap (95 %). Light bars: years of which only a range is told."),
    }


def _chart(one: Milestone, *, language: Language) -> dict[str, str]:
    gap = one.gaps[0] if one.gaps else None
    if gap is None or not gap.rows:
        return {"title": one.title, "svg": "", "alt": language.say("No gap can be told yet."), "standing": ""}
    standing = "" if gap.spec is None else language.say(gap.pace.standing)
    svg = "" if gap.spec is None else draw(printed(gap.spec))
    return {"title": one.title, "svg": svg, "alt": gap.sentence, "standing": standing}


def printed(spec: Spec) -> Spec:
    """The same chart for a narrow column of print: smaller, with larger letters in the font of the print."""
    large: Spec = _larger(spec)
    return {
        **large,
        "width": PRINTED_WIDTH,
        "height": PRINTED_HEIGHT,
        "config": {**large["config"], "font": PRINTED_FONT},
    }


def _larger(part: Any) -> Any:
    if isinstance(part, list):
        return [_larger(one) for one in part]
    if not isinstance(part, dict):
        return part
    if part.get("format") == "d":
        part = {**part, "values": part["values"][::-YEARS_APART][::-1]}
    return {
        name: round(LARGER * value) if name.endswith(("fontSize", "FontSize")) else _larger(value)
        for name, value in part.items()
    }


def _groups(card: ReportCard) -> dict[str, Any]:
    say, language = card.language.say, card.language
    head = [say("Group")]
    head += [one.title if one.year is None else f"{one.title} {one.year}" for one in card.milestones]
    everybody = [_said(say("All students"))]
    everybody += [_place(one.rate, one.rate_untold, language=language) for one in card.milestones]
    rows = [everybody, _state_row(card)]
    for split, title in _splits(card).items():
        rows.append([{"words": title, "kind": "head"}, *([_said("")] * len(card.milestones))])
        rows += _split_rows(card, split)
    return {
        "title": say("By group and district"),
        "caption": say("The newest year of each milestone. A dash: not counted by this group."),
        "head": head,
        "rows": rows,
    }


def _splits(card: ReportCard) -> dict[str, str]:
    return {row.dimension: row.split for row in _all_rows(card)}


def _all_rows(card: ReportCard) -> Iterator[GroupRow]:
    for one in card.milestones:
        for _, rows in one.splits:
            yield from rows


def _split_rows(card: ReportCard, split: str) -> list[list[Place]]:
    levels = {row.level: row.group for row in _all_rows(card) if row.dimension == split}
    found: list[dict[str, GroupRow]] = [
        {row.level: row for _, rows in one.splits for row in rows if row.dimension == split} for one in card.milestones
    ]
    return [
        [_said(group), *(_rate(rows.get(level), language=card.language) for rows in found)]
        for level, group in levels.items()
    ]


def _rate(row: GroupRow | None, *, language: Language) -> Place:
    return _said("–") if row is None else _place(row.rate, row.hidden, language=language)


def _state_row(card: ReportCard) -> list[Place]:
    row = [_said(card.language.say("The state’s, county"))]
    for one in card.milestones:
        told = next((line.county for line in one.state if line.year == one.year), "–")
        row.append(_said(told))
    return row


def _sooner(card: ReportCard) -> dict[str, Any]:
    say = card.language.say
    head = [say("Indicator"), say("Year"), say("All students"), say("Better is"), say("Leads to")]
    rows = [_sooner_row(one, language=card.language) for one in card.contributors]
    return {"title": say("What moves sooner"), "head": head, "rows": rows}


def _sooner_row(one: Contributor, *, language: Language) -> list[Place]:
    year = "–" if one.year is None else str(one.year)
    rate = _place(one.rate, one.rate_untold, language=language)
    return [_said(one.title), _said(year), rate, _said(one.better), _said(one.toward)]


def _signed(number: float) -> str:
    return f"+{number:g}" if number > 0 else minus(number)


def _place(words: str, untold: bool, *, language: Language) -> Place:
    """A place of a table: the words, or where nothing is told one word for the reason that stands below the table."""
    return {"words": language.say("hidden") if untold else words, "kind": "untold" if untold else "said"}


def _said(words: str) -> Place:
    return {"words": words, "kind": "said"}
