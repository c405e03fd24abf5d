"""Indicators, dimensions and shared relations as versioned data: their words, parameters, dates and SQL.

Read by `hub.outcomes.counting`, which runs the SQL, and by the API and the pages, which show the words beside each
number. A definition is law: a change of its words, parameters, dates or query changes its digest.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter

from policies.submission import canonical_json
from policies.yaml_text import read_yaml

LINKAGE_QUALITY = "Quality of the linkage"
"""The outcome of indicators that tell of the linkage and not of students."""
OUTCOMES = ("yes", "no", "unknown")
ParameterValue = str | tuple[str, ...] | Mapping[str, str]


class _Strict:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class DateRule(_Strict):
    """A day that moves with the cohort year: `years` is added to it; either a day of the month or its nth weekday.

    `weekday` is the ISO number, Monday 1 to Sunday 7.
    """

    month: int
    years: int = 0
    day: int | None = None
    weekday: int | None = None
    nth: int = 1

    def __post_init__(self) -> None:
        if (self.day is None) == (self.weekday is None):
            raise ValueError("a date rule needs a day or a weekday, not both")

    def on(self, cohort_year: int) -> dt.date:
        """The day for one cohort year."""
        first = dt.date(cohort_year + self.years, self.month, self.day or 1)
        if self.weekday is None:
            return first
        return first + dt.timedelta(days=(self.weekday - first.isoweekday()) % 7 + 7 * (self.nth - 1))


@dataclass(frozen=True)
class Relation(_Strict):
    """A query that several indicators share, with the parameters and dates it needs."""

    id: str
    about: str
    sql: str
    digest: str
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    calendar: Mapping[str, DateRule] = field(default_factory=dict)


@dataclass(frozen=True)
class Indicator(_Strict):
    """One indicator: what it says in words, and the query that yields one row a person and cohort year.

    `serves` are the kinds of agency that can stand in its district dimension; `grade` is the grade in the cohort year
    (kindergarten 0), `window_years` the school years, cohort year included, over which a characteristic counts.
    `population` is the name shared by indicators that count the same persons of a cohort year; `part_of` the indicator
    whose numerator is this one's cohort. `measures` turns an outcome into a measure of its linkage: whether a person
    was linked to another provider, or has the same outcome under a stricter and a looser threshold. `better` says
    which way is good. `aggregate` marks one that counts groups made elsewhere; `aggregate_columns` names its column of
    each dimension.
    """

    id: str
    version: int
    title: str
    outcome: str
    definition: str
    source: str
    cohort: str
    numerator: str
    denominator: str
    timing: str
    exclusions: str
    unknown: str
    attribution: str
    unit: str
    comparison: str
    cohort_year: str
    sql: str
    digest: str
    core: bool = False
    better: Literal["higher", "lower"] = "higher"
    based_on: str | None = None
    grade: int | None = None
    window_years: int = 1
    serves: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    population: str = ""
    part_of: str = ""
    measures: Literal["", "linked", "settled"] = ""
    aggregate: bool = False
    aggregate_columns: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    calendar: Mapping[str, DateRule] = field(default_factory=dict)

    def with_parameters(self, changed: Mapping[str, ParameterValue]) -> Indicator:
        """The same indicator under other parameters; raises ValueError for one that it does not have."""
        missing = sorted(changed.keys() - self.parameters.keys())
        if missing:
            raise ValueError(f"{self.id} has no parameter {', '.join(missing)}")
        return replace(self, parameters={**self.parameters, **changed})


@dataclass(frozen=True)
class Level(_Strict):
    """One level of a dimension and the codes that mean it; `parent` is the level it is summed into.

    With `whole_cohort` either everybody of a cohort has the level, or nobody can: the definition says so by the year.
    """

    id: str
    label: str
    codes: tuple[str, ...] = ()
    parent: str | None = None
    minimum: int | None = None
    summed: bool = False
    whole_cohort: bool = False


@dataclass(frozen=True)
class DimensionFile(_Strict):
    """One dimension: its closed list of levels, and the query that gives each person of a cohort one of them.

    `otherwise` is the level of whom the query does not name. `linked` says that it comes from another agency's records.
    A level's `minimum` is the least n shown, where few providers stand behind it.
    """

    id: str
    version: int
    title: str
    definition: str
    source: str
    otherwise: str
    levels: tuple[Level, ...]
    sql: str
    digest: str
    linked: bool = False
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)

    @property
    def leaves(self) -> tuple[str, ...]:
        """The levels that a person can have."""
        return tuple(level.id for level in self.levels if not level.summed)

    def standing(self, had: Collection[str]) -> tuple[str, ...]:
        """The leaves that can stand in a cohort whose children have the levels `had`."""
        whole = {level.id for level in self.levels if level.whole_cohort}
        alone = whole & set(had)
        return tuple(leaf for leaf in self.leaves if (leaf in alone if alone else leaf not in whole))

    @property
    def parents(self) -> dict[str, str]:
        """The level into which each level is summed, where there is one below the total."""
        return {level.id: level.parent for level in self.levels if level.parent is not None}

    @property
    def minimum(self) -> dict[str, int]:
        """The least n shown of the levels that few providers stand behind."""
        return {level.id: level.minimum for level in self.levels if level.minimum is not None}

    @property
    def labels(self) -> dict[str, str]:
        """The words for each level, sums included."""
        return {level.id: level.label for level in self.levels}


@cache
def indicators() -> Mapping[str, Indicator]:
    """Every indicator by id: the seven outcomes in the order of the road, then their companions by id."""
    folder = resources.files("policies").joinpath("indicators")
    read = {entry.name: _read(entry.joinpath("indicator.yaml")) for entry in _folders(folder)}
    ordered = sorted(read, key=lambda name: (int(read[name].pop("order", 99)), name))
    return {name: _indicator(name, read) for name in ordered}


@cache
def dimensions() -> Mapping[str, DimensionFile]:
    """Every dimension by id, `district` left out: its levels are the organisations."""
    folder = resources.files("policies").joinpath("indicators", "dimensions")
    return {name: _dimension(folder, name) for name in _names(folder)}


@cache
def relations() -> Mapping[str, Relation]:
    """Every shared relation by id."""
    folder = resources.files("policies").joinpath("indicators", "relations")
    return {name: _relation(folder, name) for name in _names(folder)}


def _indicator(name: str, read: Mapping[str, dict[str, Any]]) -> Indicator:
    words, root = _words(name, read)
    folder = resources.files("policies").joinpath("indicators", root)
    sql = folder.joinpath("indicator.sql").read_text("utf-8")
    shared = [relations()[relation] for relation in words.get("relations", ())]
    digest = _digest({**words, "shared": [relation.digest for relation in shared]}, sql)
    whole = {**words, "id": name, "sql": sql, "digest": digest}
    return _merge_shared(_INDICATOR.validate_python(whole), shared)


def _words(name: str, read: Mapping[str, dict[str, Any]]) -> tuple[dict[str, Any], str]:
    """The words of an indicator over those that it is based on, and the one whose query it runs."""
    own = read[name]
    base = own.get("based_on")
    if base is None:
        return own, name
    words, root = _words(base, read)
    parameters = {**words.get("parameters", {}), **own.get("parameters", {})}
    return {**words, "core": False, **own, "parameters": parameters}, root


def _merge_shared(indicator: Indicator, shared: list[Relation]) -> Indicator:
    parameters: dict[str, ParameterValue] = {}
    calendar: dict[str, DateRule] = {}
    for relation in shared:
        parameters.update(relation.parameters)
        calendar.update(relation.calendar)
    return replace(
        indicator,
        parameters={**parameters, **indicator.parameters},
        calendar={**calendar, **indicator.calendar},
    )


def _dimension(folder: Traversable, name: str) -> DimensionFile:
    words = _read(folder.joinpath(f"{name}.yaml"))
    sql = folder.joinpath(f"{name}.sql").read_text("utf-8")
    return _DIMENSION.validate_python({**words, "id": name, "sql": sql, "digest": _digest(words, sql)})


def _relation(folder: Traversable, name: str) -> Relation:
    words = _read(folder.joinpath(f"{name}.yaml"))
    sql = folder.joinpath(f"{name}.sql").read_text("utf-8")
    return _RELATION.validate_python({**words, "id": name, "sql": sql, "digest": _digest(words, sql)})


def _folders(folder: Traversable) -> list[Traversable]:
    entries = [entry for entry in folder.iterdir() if entry.joinpath("indicator.yaml").is_file()]
    return sorted(entries, key=lambda entry: entry.name)


def _names(folder: Traversable) -> list[str]:
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def _read(file: Traversable) -> dict[str, Any]:
    read: dict[str, Any] = read_yaml(file.read_text("utf-8"))
    return read


def _digest(words: Mapping[str, Any], query: str) -> str:
    return hashlib.sha256(canonical_json({"words": dict(words), "query": query})).hexdigest()


_INDICATOR = TypeAdapter(Indicator)
_DIMENSION = TypeAdapter(DimensionFile)
_RELATION = TypeAdapter(Relation)
