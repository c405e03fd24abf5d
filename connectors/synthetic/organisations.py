"""The county's organisations as the simulation sees them: grades, schools, where children go on, how offices write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from connectors.synthetic.calibration import Calibration

COUNTY_OFFICE = "marin-coe"
HEAD_START = "community-action-marin"
CHILDRENS_CENTER = "north-bay-childrens-center"
COLLEGE = "college-of-marin"
PARTNER = "canal-alliance"
WAGES = "wage-authority"
# Districts that ask the Clearinghouse about their graduates.
SEARCHING = ("novato", "san-rafael-high", "shoreline", "tamalpais-high")
# A district below this many people over all classes gets them all the same, spread over the classes.
SMALLEST_CATCHMENT = 16


@dataclass(frozen=True)
class Organisation:
    """One provider: its codes, its grades, its years, and the habits of its office."""

    name: str
    kind: str
    cds: str
    first_grade: int
    last_grade: int
    last_year: int
    schools: tuple[str, ...]
    upper: bool
    accents: bool
    encoding: str
    spreadsheet: bool


@dataclass(frozen=True)
class Catchment:
    """Where a child lives: the district until grade 8 (or 6), the one after, its share of a class."""

    lower: int
    upper: int
    school: int
    weight: float
    zips: tuple[str, ...]
    upc: float
    english_learners: float
    last_year: int
    from_grade: int


@dataclass(frozen=True)
class County:
    """All organisations, and the catchments of the districts."""

    organisations: tuple[Organisation, ...]
    catchments: tuple[Catchment, ...]

    def index(self, name: str) -> int:
        """The place of an organisation in `organisations`."""
        return next(i for i, one in enumerate(self.organisations) if one.name == name)

    @property
    def districts(self) -> tuple[int, ...]:
        """The organisations that keep state records of pupils."""
        return tuple(i for i, one in enumerate(self.organisations) if one.cds)

    def last_grades(self) -> NDArray[np.int64]:
        """By organisation."""
        return np.array([one.last_grade for one in self.organisations])


def load_county(calibration: Calibration) -> County:
    """The organisations of the partnership with what the calibration adds to them."""
    entries = [entry for entry in _entries() if entry["kind"] != "hub"]
    organisations = tuple(_organisation(i, entry, calibration) for i, entry in enumerate(entries))
    names = [one.name for one in organisations]
    return County(organisations, tuple(_catchments(calibration, names)))


@cache
def _entries() -> Sequence[dict[str, Any]]:
    text = resources.files("policies").joinpath("organisations", "marin.yaml").read_text("utf-8")
    return tuple(yaml.safe_load(text)["organisations"])


def _organisation(place: int, entry: dict[str, Any], calibration: Calibration) -> Organisation:
    settings = calibration.districts.get(entry["id"], {})
    first, last = settings.get("grades", [0, 0])
    cds = str(entry.get("cds", ""))
    # School numbers are invented: the district's own digits and a running number.
    schools = tuple(f"6{cds[4:]}{i:03d}" for i in range(1, 1 + _school_count(settings))) if cds else ()
    return Organisation(
        name=entry["id"],
        kind=entry["kind"],
        cds=cds,
        first_grade=first,
        last_grade=last,
        last_year=int(settings.get("last_year", 9999)),
        schools=schools,
        upper=place % 3 == 1,
        accents=place % 2 == 0,
        encoding="cp1252" if place % 4 == 2 else "utf-8",
        spreadsheet=place % 4 == 3,
    )


def _school_count(settings: Any) -> int:
    if "schools" in settings:
        return int(settings["schools"])
    return max(1, min(8, round(float(settings.get("enrollment", 0)) / 500)))


def _catchments(calibration: Calibration, names: list[str]) -> list[Catchment]:
    found = []
    for name, settings in calibration.districts.items():
        if name == COUNTY_OFFICE or "zips" not in settings:
            continue
        low, high = settings["grades"]
        enrolled = settings["enrollment"]
        found.append(
            Catchment(
                lower=names.index(name),
                upper=names.index(settings["into"]),
                school=settings["school"],
                weight=enrolled / (high - low + 1.4),
                zips=tuple(settings["zips"]),
                upc=settings["upc"] / enrolled,
                english_learners=settings["english_learners"] / enrolled,
                last_year=settings.get("last_year", 9999),
                from_grade=-1,
            )
        )
    return [*found, _county_office(calibration, names), _private(calibration, names)]


def _county_office(calibration: Calibration, names: list[str]) -> Catchment:
    settings = calibration.districts[COUNTY_OFFICE]
    office = names.index(COUNTY_OFFICE)
    enrolled = settings["enrollment"]
    shares = (settings["upc"] / enrolled, settings["english_learners"] / enrolled)
    return Catchment(office, office, 0, enrolled / 13.4, ("94903", "94960"), *shares, 9999, -1)


def _private(calibration: Calibration, names: list[str]) -> Catchment:
    """Children of private schools who come to a public high school."""
    high = names.index("tamalpais-high")
    return Catchment(
        high, high, 3, calibration["private-until-ninth"], ("94901", "94941", "94960"), 0.06, 0.01, 9999, 9
    )
