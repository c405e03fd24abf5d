"""The organisations of the partnership as law: who they are, since when, and how districts stand in areas and groups.

Read by the hub when it counts (which agencies serve which grades, how small districts are merged) and by pages that
name an organisation. The data lie in `policies/organisations/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from policies.yaml_text import read_yaml

LOCAL_EDUCATION_AGENCIES = ("county", "elementary", "high", "unified")


@dataclass(frozen=True)
class Organisation:
    """One organisation; years are school years by their ending year, None where open."""

    id: str
    kind: str
    area: str
    merge: str | None
    names: tuple[tuple[str, int | None, int | None], ...]
    first_year: int | None
    last_year: int | None
    cds: str | None = None

    @property
    def published_as(self) -> str:
        """Its level in the district dimension: itself, or the group of small districts that it is put together with.

        The groups are fixed from public enrollment, never by a year's counts (docs/disclosure.md).
        """
        return self.merge or self.id

    def exists_in(self, school_year: int) -> bool:
        """Whether the organisation works in that school year."""
        return _within(school_year, self.first_year, self.last_year)

    def name_in(self, school_year: int) -> str:
        """The name it bears in that school year, or its latest name."""
        fitting = [name for name, first, last in self.names if _within(school_year, first, last)]
        return fitting[-1] if fitting else self.names[-1][0]


@dataclass(frozen=True)
class Organisations:
    """All organisations of a county (`county` is its code), its areas, its groups of small districts (id -> title)."""

    version: int
    areas: tuple[str, ...]
    merges: Mapping[str, str]
    members: tuple[Organisation, ...]
    county: str = ""

    def of_code(self, cds: str) -> Organisation | None:
        """The agency with the state's code of county and district (7 digits), or None."""
        return next((member for member in self.members if member.cds == cds), None)

    def districts(self) -> tuple[Organisation, ...]:
        """All districts and the county office, of any year, in the order of the file."""
        return tuple(member for member in self.members if member.kind in LOCAL_EDUCATION_AGENCIES)

    def serving(self, kinds: frozenset[str], school_year: int) -> tuple[Organisation, ...]:
        """The organisations of those kinds that exist in the school year, in the order of the file."""
        return tuple(member for member in self.members if member.kind in kinds and member.exists_in(school_year))

    def title_of(self, level: str, school_year: int) -> str:
        """The words for a level of the district dimension: a district, a group of small ones, or an area."""
        titles = {member.id: member.name_in(school_year) for member in self.members}
        areas = {area_level(area): area for area in self.areas}
        return {**titles, **self.merges, **areas}[level]


def district_parents(districts: Iterable[Organisation], *, among: Iterable[Organisation]) -> dict[str, str]:
    """The area into which each district, or group of small ones, is summed below the county.

    The same for every indicator, whoever serves its grades, so that all releases stand in one hierarchy: `among` are
    all districts. A group is not summed when its members lie in several areas, nor a district that is alone in its
    area among all.
    """
    areas: dict[str, set[str]] = {}
    for district in among:
        areas.setdefault(district.published_as, set()).add(district.area)
    inside: dict[str, list[str]] = {}
    for level, found in areas.items():
        if len(found) == 1:
            inside.setdefault(area_level(*found), []).append(level)
    parents = {level: area for area, levels in inside.items() if len(levels) > 1 for level in levels}
    published = {district.published_as for district in districts}
    return {level: area for level, area in parents.items() if level in published}


def area_of(organisation: str) -> str | None:
    """The area in which an organisation lies; None for one that there is not."""
    return next((member.area for member in organisations().members if member.id == organisation), None)


def area_level(area: str) -> str:
    """The level of an area in the district dimension."""
    return "area-" + area.lower().replace(" ", "-")


@cache
def organisations() -> Organisations:
    """The organisations of this version of the code."""
    read = read_yaml(resources.files("policies").joinpath("organisations/marin.yaml").read_text("utf-8"))
    members = tuple(_organisation(entry) for entry in read["organisations"])
    return Organisations(read["version"], tuple(read["areas"]), read["merges"], members, read["county"]["cds"])


def _organisation(read: Mapping[str, Any]) -> Organisation:
    names = tuple((name["name"], name.get("from"), name.get("to")) for name in read["names"])
    return Organisation(
        read["id"],
        read["kind"],
        read["area"],
        read.get("merge"),
        names,
        read.get("from"),
        read.get("to"),
        read.get("cds"),
    )


def _within(year: int, first: int | None, last: int | None) -> bool:
    return (first is None or first <= year) and (last is None or year <= last)
