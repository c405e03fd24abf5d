"""sources.yaml: what a provider's own titles mean, said once by its steward (form: docs/edge.md)."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from connectors.errors import MappingError
from connectors.layout_files import Column, column, layouts
from connectors.readers.mapped import IDENTITY, PERSON, table_of
from policies.dictionary import KINDS, Element, dictionary

MAPPED = "mapped"
_IDENTITY_TYPES = {
    "local_id": {"type": "local_id", "blank": "reject"},
    "ssid": {"type": "ssid"},
    "birth_date": {"type": "birth_date", "blank": "warn", "bad": "reject"},
    "gender": {"type": "gender"},
    "postcode": {"type": "postcode"},
}
_SHAPED = {"race_ethnicity": "race", "grade": "grade", "college_type": "college_type"}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _in_order(places: tuple[int, int]) -> tuple[int, int]:
    if not 1 <= places[0] <= places[1]:
        raise ValueError
    return places


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class MappedFile(_Strict):
    """One entry of sources.yaml: which files it is about and what their columns mean."""

    pattern: Annotated[str, Field(min_length=1, max_length=200)]
    layout: str = MAPPED
    kind: str | None = None
    table: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    date_format: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    missing: tuple[str, ...] = ()
    constants: Mapping[str, str] = Field(default_factory=dict)
    titles: Mapping[str, str] = Field(default_factory=dict)
    positions: Mapping[str, Annotated[tuple[int, int], AfterValidator(_in_order)]] = Field(default_factory=dict)
    """For files of fixed width: the first and last place of each title, counted from one."""
    codes: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)

    def columns(self) -> tuple[Column, ...]:
        """The columns of this mapping, typed by the data dictionary."""
        return tuple(column_of(title, name, self.table or PERSON) for title, name in self.titles.items())


class SourceMap(_Strict):
    """All entries of one provider; the first whose pattern fits a file is followed."""

    version: int = 1
    files: tuple[MappedFile, ...] = ()

    def entry_for(self, name: str) -> MappedFile | None:
        """The entry for a file name, without regard to case."""
        lowered = name.casefold()
        return next((entry for entry in self.files if fnmatch.fnmatchcase(lowered, entry.pattern.casefold())), None)


EMPTY = SourceMap()


def read_source_map(path: Path) -> SourceMap:
    """The map of a sources.yaml; an absent file is an empty map; raises MappingError MAP-001 to MAP-003."""
    if not path.exists():
        return EMPTY
    try:
        source_map = SourceMap.model_validate(_as_written(path.read_text("utf-8")) or {})
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
        place = _place(error)
        raise MappingError(
            "MAP-001", f"sources.yaml cannot be read at {place}.", "Compare it with docs/edge.md."
        ) from None
    for entry in source_map.files:
        check_entry(entry)
    return source_map


def check_entry(entry: MappedFile) -> None:
    """Raises MappingError MAP-002 or MAP-003 for an entry that cannot be followed."""
    if entry.layout != MAPPED and entry.layout not in layouts():
        raise MappingError("MAP-002", f"{entry.pattern}: no such layout.", f"Use one of: {_list(layouts())}, {MAPPED}.")
    if entry.layout != MAPPED:
        return
    if entry.kind not in KINDS:
        raise MappingError("MAP-003", f"{entry.pattern}: kind is missing or unknown.", f"Use one of: {_list(KINDS)}.")
    if entry.table != PERSON and entry.table not in dictionary().tables:
        tables = [name for name, table in dictionary().tables.items() if entry.kind in table.kinds]
        raise MappingError("MAP-003", f"{entry.pattern}: no such table.", f"Use one of: {PERSON}, {_list(tables)}.")
    for name in (*entry.titles.values(), *entry.constants):
        _check_name(entry, name)


def _check_name(entry: MappedFile, name: str) -> None:
    table, element = table_of(name, entry.table or PERSON)
    known = dictionary().tables[table].elements if table in dictionary().tables else {}
    if name not in IDENTITY and element not in known:
        raise MappingError(
            "MAP-003",
            f"{entry.pattern}: {name} is no element of {table}.",
            f"Use one of: {_list(known)}, {_list(IDENTITY)}.",
        )


def column_of(title: str, name: str, table: str) -> Column:
    """The column of a title that means this element."""
    where, element_name = table_of(name, table)
    if name in IDENTITY and not (name == "gender" and table == "employment_aggregate"):
        return column(name, {"titles": [title], "type": "name", **_IDENTITY_TYPES.get(name, {})})
    element = dictionary().tables[where].elements[element_name]
    return column(name, {"titles": [title], **_element_options(element, own=where == table)})


def _element_options(element: Element, *, own: bool) -> dict[str, Any]:
    """A required element of the row's own table costs the row; all else costs the cell."""
    fault = {"blank": "reject", "bad": "reject"} if own and element.required else {}
    shaped = _SHAPED.get(element.name, element.type) if "999" not in element.codes else element.type
    return {
        "type": shaped,
        "codes": element.codes,
        "pattern": element.pattern.pattern if element.pattern else None,
        "minimum": element.minimum,
        "maximum": element.maximum,
        **fault,
    }


def _as_written(text: str) -> Any:
    """YAML with every scalar as the text a steward wrote: 01 stays 01, yes stays yes; BaseLoader makes no objects."""
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506


def _list(names: Sequence[str] | Mapping[str, Any] | Any) -> str:
    return ", ".join(sorted(names))


def _place(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}" if mark is not None else "its encoding"
