"""Requests for a further table: what may be asked, how long contributors may comment, and where the table then stands.

A question beside the catalogue is never answered at once: an answer that hangs on whether the audit stays clean tells
something. An approved table joins the catalogue behind all others, so it gives way first, at the next refresh.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from policies.catalogue_files import Catalogue, CatalogueTable
from policies.indicator_files import dimensions as dimension_files
from policies.indicator_files import indicators

COMMENT_TIME = timedelta(days=5)
"""How long contributors may comment before the officer may approve (as the Washington ERDC gives them)."""

DEPTH_MAX = 3
"""The most dimensions that a table may be split by: deeper tables keep next to nothing (docs/disclosure.md)."""

TEXT_MAX = 500
"""The longest reason, comment or note, in characters."""

DISTRICT = "district"


class RequestState(StrEnum):
    """Where a request stands; `joined` when a published release holds its table."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    JOINED = "joined"


class Stance(StrEnum):
    """How a contributor stands to a request."""

    SUPPORT = "support"
    CONCERN = "concern"


def splits_of(indicator: str) -> tuple[str, ...]:
    """The dimensions that an indicator can be split by, whether a table is declared or not."""
    found = indicators()[indicator]
    known = found.aggregate_columns if found.aggregate else (*dimension_files(), DISTRICT)
    return tuple(sorted(known))


def table_beside(catalogue: Catalogue, dimensions: Sequence[str]) -> CatalogueTable:
    """The table that a request asks for, behind all others of the catalogue, for partners under a licence.

    It has the name and words of another indicator's table of the same split, where there is one.
    """
    every = [table for tables in catalogue.tables.values() for table in tables]
    priority = 1 + max(table.priority for table in every)
    same = next((table for table in every if sorted(table.dimensions) == sorted(dimensions)), None)
    if same is not None:
        return replace(same, priority=priority, audience="partner")
    titles = [dimension_files()[one].title if one in dimension_files() else one.capitalize() for one in dimensions]
    return CatalogueTable(
        name="-by-".join(dimensions),
        title=" by ".join([titles[0], *(title.lower() for title in titles[1:])]),
        dimensions=tuple(dimensions),
        priority=priority,
        audience="partner",
    )


def with_tables(catalogue: Catalogue, requested: Iterable[tuple[str, tuple[str, ...]]]) -> Catalogue:
    """The catalogue with requested tables (indicator, dimensions) in their order; one that it holds stays as it is."""
    for indicator, dimensions in requested:
        if indicator in catalogue.tables and catalogue.table_split_by(indicator, dimensions=dimensions) is None:
            table = table_beside(catalogue, dimensions)
            tables = {**catalogue.tables, indicator: (*catalogue.tables[indicator], table)}
            catalogue = replace(catalogue, tables=tables)
    return catalogue


def kin(indicator: str) -> tuple[str, ...]:
    """The indicator with all that count the same persons, or one of them another's numerator: audited together."""
    found, size = {indicator}, 0
    while size < len(found):
        size = len(found)
        found |= {name for name in indicators() if any(_share_persons(name, one) for one in found)}
    return tuple(name for name in indicators() if name in found)


def _share_persons(left: str, right: str) -> bool:
    one, other = indicators()[left], indicators()[right]
    same = bool(one.population) and one.population == other.population
    return same or one.part_of == right or other.part_of == left
