"""The catalogue of declared tables: what may be asked of a release, and in which order it is protected.

Read from package data by both `hub.outcomes` (which counts these tables) and `hub.release` (which publishes them).
A question beside the catalogue is a request for the next release, never an answer (docs/disclosure.md).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from policies.yaml_text import read_yaml

Audience = Literal["public", "partner"]


@dataclass(frozen=True)
class CatalogueTable:
    """A declared table: the split it shows, its place in the order of protection and who may read it; of the dimensions
    in `coarse` only the highest groups."""

    name: str
    title: str
    dimensions: tuple[str, ...]
    priority: int
    audience: Audience
    coarse: tuple[str, ...] = ()


@dataclass(frozen=True)
class GapPair:
    """Two groups of one table whose rates are compared: the gap is `reference` minus `group`, in points."""

    name: str
    title: str
    table: str
    dimension: str
    reference: str
    group: str


@dataclass(frozen=True)
class PathwayStep:
    """One outcome on a child's road and the years after kindergarten in which it is expected."""

    indicator: str
    years_after_kindergarten: int


@dataclass(frozen=True)
class Catalogue:
    """Everything that may be published. Indicators keep the order of the road."""

    version: int
    target_year: int
    pace_years: int
    tables: Mapping[str, tuple[CatalogueTable, ...]]
    gaps: tuple[GapPair, ...]
    pathway: tuple[PathwayStep, ...]

    @property
    def indicators(self) -> tuple[str, ...]:
        """The indicator ids, in order."""
        return tuple(self.tables)

    def dimensions(self, indicator: str) -> tuple[str, ...]:
        """The dimensions of all tables of an indicator, each once, in order of priority."""
        return tuple(dict.fromkeys(name for table in self.tables[indicator] for name in table.dimensions))

    def table(self, indicator: str, *, name: str) -> CatalogueTable | None:
        """The declared table of this name, or None."""
        return next((table for table in self.tables.get(indicator, ()) if table.name == name), None)

    def table_split_by(self, indicator: str, *, dimensions: Iterable[str]) -> CatalogueTable | None:
        """The declared table with exactly these dimensions in any order, or None."""
        wanted = sorted(dimensions)
        return next((table for table in self.tables.get(indicator, ()) if sorted(table.dimensions) == wanted), None)

    def gap(self, name: str) -> GapPair | None:
        """The declared pair of this name, or None."""
        return next((pair for pair in self.gaps if pair.name == name), None)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Table(_Strict):
    title: str
    dimensions: tuple[str, ...]
    priority: int
    audience: Audience
    coarse: tuple[str, ...] = ()


class _Gap(_Strict):
    title: str
    table: str
    dimension: str
    reference: str
    group: str


class _Step(_Strict):
    indicator: str
    years_after_kindergarten: int


class _File(_Strict):
    version: int
    target_year: int
    pace_years: int
    tables: dict[str, _Table]
    indicators: dict[str, tuple[str, ...]]
    gaps: dict[str, _Gap]
    pathway: tuple[_Step, ...]

    @model_validator(mode="after")
    def _names_are_declared(self) -> "_File":
        named = {name for names in self.indicators.values() for name in names} | {
            gap.table for gap in self.gaps.values()
        }
        if missing := sorted(named - self.tables.keys()):
            raise ValueError(f"tables named but not declared: {', '.join(missing)}")
        if missing := sorted({step.indicator for step in self.pathway} - self.indicators.keys()):
            raise ValueError(f"pathway names indicators that are not declared: {', '.join(missing)}")
        return self


@cache
def catalogue() -> Catalogue:
    """The catalogue of this version of the project."""
    return read_catalogue(resources.files("policies").joinpath("catalogue", "core.yaml").read_text("utf-8"))


def read_catalogue(text: str) -> Catalogue:
    """Parse a catalogue file. Raises pydantic's ValidationError with the place of what is wrong."""
    file = _File.model_validate(read_yaml(text))
    tables = {name: CatalogueTable(name, **table.model_dump()) for name, table in file.tables.items()}
    return Catalogue(
        version=file.version,
        target_year=file.target_year,
        pace_years=file.pace_years,
        tables={
            indicator: tuple(sorted((tables[name] for name in names), key=lambda table: (table.priority, table.name)))
            for indicator, names in file.indicators.items()
        },
        gaps=tuple(GapPair(name, **gap.model_dump()) for name, gap in file.gaps.items()),
        pathway=tuple(PathwayStep(**step.model_dump()) for step in file.pathway),
    )
