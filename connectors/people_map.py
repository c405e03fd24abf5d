"""map.yaml: which columns of any file of people hold names, dates and numbers; for `promise-edge encode` alone.

A provider's files for the hub have sources.yaml (connectors.source_map), which follows the data dictionary. This map
knows people and nothing else, and takes what a column holds as it stands: a date that no calendar has may still agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from connectors.errors import MappingError

PERSON_FIELDS = (
    "given",
    "middle",
    "surname",
    "suffix",
    "alias_given",
    "alias_surname",
    "birth_date",
    "birth_year",
    "birth_month",
    "birth_day",
    "sex",
    "postcode",
    "ssid",
    "guardian",
)
DATE_ORDERS = ("year-month-day", "month-day-year", "day-month-year")
_PAGE = "docs/link-your-own-files.md"
_THREE_NUMBERS = re.compile(r"(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})(?:[T ].*)?", re.ASCII)
_EIGHT_DIGITS = re.compile(r"\d{8}", re.ASCII)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class PeopleMap(BaseModel):
    """What a map.yaml says; `columns` leads from a field to the title, or titles, of the columns that hold it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    columns: Annotated[Mapping[str, Annotated[tuple[str, ...], BeforeValidator(_listed)]], Field(min_length=1)]
    date_order: str = DATE_ORDERS[0]
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    missing: tuple[str, ...] = ()
    codes: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)


def read_people_map(path: Path) -> PeopleMap:
    """The map of a file; raises MappingError MAP-004 when it cannot be read, MAP-005 for a name that is unknown."""
    try:
        people_map = PeopleMap.model_validate(yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader) or {})  # noqa: S506
    except OSError:
        raise MappingError("MAP-004", f"{path.name} cannot be opened.", "Check --map.") from None
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise MappingError(
            "MAP-004", f"{path.name} cannot be read at {_place(error)}.", f"Compare it with {_PAGE}."
        ) from None
    unknown = sorted({*people_map.columns, *people_map.codes} - set(PERSON_FIELDS))
    if unknown:
        raise MappingError(
            "MAP-005", f"{path.name}: {unknown[0]} is no field.", f"Use one of: {', '.join(PERSON_FIELDS)}."
        )
    if people_map.date_order not in DATE_ORDERS:
        raise MappingError("MAP-005", f"{path.name}: date_order is unknown.", f"Use one of: {', '.join(DATE_ORDERS)}.")
    return people_map


def ordered_date(cell: str, order: str) -> str | None:
    """The cell as YYYY-MM-DD, its parts not checked against a calendar; a year that stands first is always the year."""
    if _EIGHT_DIGITS.fullmatch(cell):
        return _eight_digits(cell, order)
    match = _THREE_NUMBERS.fullmatch(cell)
    if match is None:
        return None
    first, second, third = match.groups()
    if len(first) > 2:
        return _dated(first, second, third) if len(third) <= 2 else None
    month, day = (second, first) if order == DATE_ORDERS[2] else (first, second)
    return _dated(third, month, day)


def _eight_digits(cell: str, order: str) -> str | None:
    if order == DATE_ORDERS[0]:
        return _dated(cell[:4], cell[4:6], cell[6:])
    first, second, year = cell[:2], cell[2:4], cell[4:]
    return _dated(year, first, second) if order == DATE_ORDERS[1] else _dated(year, second, first)


def _dated(year: str, month: str, day: str) -> str | None:
    return f"{year}-{month.zfill(2)}-{day.zfill(2)}" if len(year) == 4 else None


def _place(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}" if mark is not None else "its encoding"
