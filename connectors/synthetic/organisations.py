"""The county's organisations as the simulation sees them: grades, schools, where children go on, how offices write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    schools_below_ninth: int
    high_schools: Mapping[str, float]
    alternative_schools: Mapping[str, float]
    leave_after_eighth: float
    upper: bool
    accents: bool
    encoding: str
    spreadsheet: bool


@dataclass(frozen=True)
class Catchment:
    """Where a child lives: the district until grade 8 (or 6), the one after, its share of a class."""

    lower: int
    upper: int
    high_school: str
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
    high, alternative = settings.get("high_schools", {}), settings.get("alternative_schools", {})
    below = _schools_below_ninth(settings, len(high) + len(alternative))
    count = below + len(high) + len(alternative)
    schools = tuple(f"6{cds[4:]}{i:03d}" for i in range(1, 1 + count)) if cds else ()
    return Organisation(
        name=entry["id"],
        kind=entry["kind"],
        cds=cds,
        first_grade=first,
        last_grade=last,
        last_year=int(settings.get("last_year", 9999)),
        schools=schools,
        schools_below_ninth=below,
        high_schools=high,
        alternative_schools=alternative,
        leave_after_eighth=settings.get("leave_after_eighth", calibration["leave-after-eighth-N"]),
        upper=place % 3 == 1,
        accents=place % 2 == 0,
        encoding="cp1252" if place % 4 == 2 else "utf-8",
        spreadsheet=place % 4 == 3,
    )


def _schools_below_ninth(settings: Any, at_ninth: int) -> int:
    """How many schools a district has for its lower grades; one for 450 pupils, where it is not said (assumed)."""
    if "schools" in settings:
        return int(settings["schools"])
    first, last = settings.get("grades", (0, 0))
    share = 1.0 if not at_ninth else (9 - first) / (last + 1 - first)
    return max(1, min(8, round(float(settings.get("enrollment", 0)) * share / 500))) if first < 9 else 0


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
                high_school=settings.get("high_school", ""),
                weight=enrolled / (high - low + 1.4) * _drawn(settings, "people"),
                zips=tuple(settings["zips"]),
                upc=settings["upc"] / enrolled * _drawn(settings, "low_income"),
                english_learners=settings["english_learners"] / enrolled * _drawn(settings, "learners"),
                last_year=settings.get("last_year", 9999),
                from_grade=-1,
            )
        )
    return [*found, _county_office(calibration, names), *_from_ninth(calibration, names)]


def _drawn(settings: Mapping[str, Any], what: str) -> float:
    """How many are drawn for one that is published; moves and departures bring the published number about."""
    return float(settings.get("drawn", {}).get(what, 1.0))


def _county_office(calibration: Calibration, names: list[str]) -> Catchment:
    settings = calibration.districts[COUNTY_OFFICE]
    office = names.index(COUNTY_OFFICE)
    enrolled = settings["enrollment"]
    shares = (
        settings["upc"] / enrolled * _drawn(settings, "low_income"),
        settings["english_learners"] / enrolled * _drawn(settings, "learners"),
    )
    weight = enrolled / 13.4 * _drawn(settings, "people")
    return Catchment(office, office, "", weight, ("94903", "94960"), *shares, 9999, -1)


def _from_ninth(calibration: Calibration, names: list[str]) -> list[Catchment]:
    """Who comes to a public high school from no public school here: from private schools, and newly to the country."""
    private, newcomers = names.index("tamalpais-high"), names.index("san-rafael-high")
    return [
        Catchment(private, private, "", calibration["private-until-ninth"], ("94941", "94960"), 0.06, 0.01, 9999, 9),
        Catchment(newcomers, newcomers, "", calibration["newcomers-in-ninth"], ("94901",), 0.95, 0.9, 9999, 9),
    ]


def _staying_for_ninth(county: County, place: Catchment) -> float:
    """How many of a catchment go on to its public high school: most of those who leave are not of low income."""
    leaving = county.organisations[place.lower].leave_after_eighth if place.from_grade < 0 else 0.0
    return 1 - leaving * (1 - place.upc)


def high_school_shares(county: County) -> NDArray[np.float64]:
    """By catchment and school of its high school district: the chance of each, so that published sizes come out.

    The alternative schools are open to all alike; those of a catchment with a school of its own go there; the others
    fill what is left.
    """
    places, organisations = county.catchments, county.organisations
    shares = np.zeros((len(places), max(len(one.schools) for one in organisations)))
    for upper, one in enumerate(organisations):
        names = [*one.high_schools, *one.alternative_schools]
        if not names:
            continue
        mine = [i for i, place in enumerate(places) if place.upper == upper]
        share = np.array([*one.high_schools.values(), *one.alternative_schools.values()])
        share = share / share.sum()
        regular = np.arange(len(names)) < len(one.high_schools)
        own = {i: np.array([places[i].high_school == name for name in names], dtype=float) for i in mine}
        weight = np.array([places[i].weight * _staying_for_ninth(county, places[i]) for i in mine])
        taken = sum(own[i] * w for i, w in zip(mine, weight / weight.sum(), strict=True)) * share[regular].sum()
        left = np.maximum(share - taken, 1e-9) * regular
        for i in mine:
            first = own[i] if own[i].any() else left / left.sum()
            row = np.where(regular, first * share[regular].sum(), share)
            shares[i, one.schools_below_ninth : one.schools_below_ninth + len(names)] = row
    return shares
