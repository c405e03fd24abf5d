"""The layouts of the state's public files as data: which titles name what, and which measure of ours each counts.

Beside the road: the state's figures are shown beside ours and calibrate the synthetic county; no record of a child is
in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, field_validator

from policies.yaml_text import read_yaml

Titles = tuple[str, ...]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _titles(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Place(_Strict):
    """Where the codes of a place stand: a level column (T, C, D, S), or codes alone with noughts for the whole."""

    county: str
    district: str
    level: str | None = None
    school: str | None = None


class Year(_Strict):
    """The column of the year: `2022-23` or the ending year."""

    column: str


class Groups(_Strict):
    """The column of the group, and which table of codes reads it."""

    column: Titles
    codes: str

    _one = field_validator("column", mode="before")(_titles)


class Tests(_Strict):
    """The columns that tell tests and grades apart."""

    column: str
    grade: str


class Measure(_Strict):
    """What a measure reads: who are counted (`n`), who reached it (`k`), the rate; of a test and grade."""

    n: Titles
    k: Titles = ()
    rate: Titles = ()
    test: int | None = None
    grade: int | None = None

    _one = field_validator("n", "k", "rate", mode="before")(_titles)


class Layout(_Strict):
    """One published layout; `sum_county` marks a file of agencies alone, whose county is their sum."""

    title: str
    source: str
    place: Place
    year: Year
    group: Groups | None = None
    test: Tests | None = None
    keep: Mapping[str, tuple[str, ...]] = {}
    needs: tuple[str, ...] = ()
    measures: Mapping[str, Measure]
    sum_county: bool = False
    worksheet: str = ""

    def required(self) -> tuple[Titles, ...]:
        """The titles that a file must have; of each tuple one."""
        place = [self.place.county, self.place.district, self.place.level, self.place.school]
        single = [*place, self.year.column, *self.keep, *self.needs]
        tests = [self.test.column, self.test.grade] if self.test else []
        groups = [self.group.column] if self.group else []
        read = [titles for one in self.measures.values() for titles in (one.n, one.k, one.rate) if titles]
        return (*((title,) for title in (*single, *tests) if title), *groups, *dict.fromkeys(read))


class LayoutFile(_Strict):
    """All layouts and the codes of groups."""

    version: int
    layouts: Mapping[str, Layout]
    codes: Mapping[str, Mapping[str, tuple[str, ...]]]


@cache
def layouts() -> LayoutFile:
    """The layouts of this version of the code."""
    text = resources.files("policies.state_figures").joinpath("layouts.yaml").read_text("utf-8")
    return LayoutFile.model_validate(read_yaml(text))
