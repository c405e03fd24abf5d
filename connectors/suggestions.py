"""Suggests what the titles of an unknown table mean, with the reason: a steward reads it once and keeps it.

A suggestion rests on the title and on the cells: a title that sounds right above cells that do not parse is not
suggested. Cells are looked at and never told.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import yaml

from connectors.bundles.tables import squeezed
from connectors.errors import MappingError
from connectors.grids import Grid
from connectors.layout_files import layouts
from connectors.readers.mapped import IDENTITY, PERSON
from connectors.source_map import column_of
from policies.dictionary import dictionary

ROWS_LOOKED_AT = 500
PARSED_SHARE_MIN = 0.8
ALIKE_MIN = 0.84
_DEMOGRAPHICS = ("gender", "race_ethnicity", "english_learner_status", "parent_education")
_OWN_WORDS: Mapping[str, tuple[str, ...]] = {
    "local_id": ("id", "studentnumber", "clientid", "memberid", "number", "perm", "permid"),
    "given": ("first", "fname", "givenname", "firstnm"),
    "surname": ("last", "lname", "familyname", "lastnm"),
    "birth_date": ("dob", "birthday", "born", "birthdt"),
    "gender": ("sex",),
    "postcode": ("zip", "postalcode"),
    "race_ethnicity": ("race", "ethnicity", "raceethnicity", "ethnicitycode"),
    "start_date": (
        "began",
        "begin",
        "from",
        "joined",
        "datejoined",
        "datestarted",
        "dateentered",
        "startdate",
        "entrydate",
    ),
    "end_date": ("ended", "until", "to", "left", "dateleft", "dateended", "enddate"),
    "programme": ("program", "programname", "activity"),
    "award_date": ("conferred", "dateawarded", "graduationdate"),
    "award_level": ("degree", "degreelevel", "awardtype", "level"),
    "college": ("collegecode", "opeid"),
}
_DAY_FIRST, _MONTH_FIRST = "%d-%m-%Y", "%m-%d-%Y"


@dataclass(frozen=True)
class Suggestion:
    """What one title probably means, and why; no element where nothing fits."""

    title: str
    element: str | None
    reason: str


def suggest(grid: Grid, *, kind: str, table: str, latest: dt.date) -> list[Suggestion]:
    """A suggestion for each title of the grid; raises MappingError MAP-003 for an unknown kind or table."""
    elements = _elements(kind, table)
    if len(grid.lines) < 2:
        raise MappingError("MAP-004", "The file has no rows to look at.", "Export it with rows.")
    taken: set[str] = set()
    found = {}
    ranked = sorted(
        ((alike, title, element) for title in grid.lines[0].cells for alike, element in _candidates(title, elements)),
        reverse=True,
    )
    refused: dict[str, str] = {}
    for alike, title, element in ranked:
        if title in found or element in taken:
            continue
        share = _parsed_share(grid, title, element, table=table, latest=latest)
        if share < PARSED_SHARE_MIN:
            refused.setdefault(title, f"sounds like {element}, but its cells are not ({share:.0%} can be read)")
            continue
        taken.add(element)
        how = "title" if alike >= 1 else f"title alike ({alike:.0%})"
        found[title] = Suggestion(title, element, f"{how}; {share:.0%} of its cells can be read")
    return [
        found.get(title) or Suggestion(title, None, refused.get(title, "no element sounds like it"))
        for title in grid.lines[0].cells
        if title
    ]


def date_format(grid: Grid, suggestions: Sequence[Suggestion]) -> str | None:
    """The order of day and month where dashes leave it open in single cells and the column settles it."""
    dates = [one.title for one in suggestions if one.element and one.element.endswith("_date")]
    seen = {cell for title in dates for cell in _cells(grid, title) if cell.count("-") == 2 and len(cell) == 10}
    parts = [cell.split("-") for cell in seen if cell[4] != "-"]
    if any(int(first) > 12 for first, *_ in parts if first.isdigit()):
        return _DAY_FIRST
    if any(int(second) > 12 for _, second, _ in parts if second.isdigit()):
        return _MONTH_FIRST
    return None


def entry_text(name: str, suggestions: Sequence[Suggestion], *, kind: str, table: str, order: str | None) -> str:
    """The entry for sources.yaml, with what was left out as a comment."""
    entry: dict[str, object] = {"pattern": name, "layout": "mapped", "kind": kind, "table": table}
    if order is not None:
        entry["date_format"] = [order, "%Y-%m-%d", "%m/%d/%Y"]
    entry["titles"] = {one.title: one.element for one in suggestions if one.element}
    written = yaml.safe_dump([entry], sort_keys=False, allow_unicode=True, width=120)
    left = [one.title for one in suggestions if not one.element]
    lines = [f"  {line}" for line in written.splitlines()]
    lines += [f"    # left out: {', '.join(left)}".replace("\n", " ")] if left else []
    return "\n".join(lines) + "\n"


def _elements(kind: str, table: str) -> tuple[str, ...]:
    known = dictionary().tables
    if table != PERSON and (table not in known or kind not in known[table].kinds):
        tables = sorted(name for name, one in known.items() if kind in one.kinds)
        raise MappingError(
            "MAP-003", "There is no such table of this kind.", f"Use one of: person, {', '.join(tables)}."
        )
    own = tuple(known[table].elements) if table != PERSON else ()
    shared = () if table != PERSON and known[table].aggregate else (*IDENTITY, *_DEMOGRAPHICS)
    return tuple(dict.fromkeys((*own, *shared)))


def _candidates(title: str, elements: Sequence[str]) -> Iterator[tuple[float, str]]:
    """How alike the title is to the words known for each element, those that are alike enough."""
    word = squeezed(title)
    for element in elements if word else ():
        alike = max(difflib.SequenceMatcher(None, word, known).ratio() for known in synonyms(element))
        if alike >= ALIKE_MIN:
            yield alike, element


@cache
def synonyms(element: str) -> frozenset[str]:
    """Every title that a layout knows for this element, and our own words."""
    known = {squeezed(element), *_OWN_WORDS.get(element, ())}
    for layout in layouts().values():
        for column in layout.columns:
            if column.name == element:
                known.update(squeezed(title) for title in column.titles)
    return frozenset(known)


def _cells(grid: Grid, title: str) -> list[str]:
    place = list(grid.lines[0].cells).index(title)
    rows = (line.cells for line in grid.lines[1 : ROWS_LOOKED_AT + 1])
    return [cells[place] for cells in rows if place < len(cells) and cells[place]]


def _parsed_share(grid: Grid, title: str, element: str, *, table: str, latest: dt.date) -> float:
    """The part of the column's cells that its element can take; an empty column tells nothing against it."""
    cells = _cells(grid, title)
    if not cells:
        return 1.0
    parse = column_of(title, element, table).parser(latest=latest)
    return sum(parse(cell)[1] in (None, "COD-003", "DAT-003") for cell in cells) / len(cells)
