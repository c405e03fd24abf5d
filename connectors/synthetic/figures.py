"""Each published figure beside the one that a synthetic county produces, so that anyone can see how near it comes.

`python -m connectors.synthetic figures` prints the table; a test holds every row at full size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from connectors.synthetic.calibration import Calibration, Text, load_calibration
from connectors.synthetic.learning import READY_SCORE
from connectors.synthetic.people import Flags, Ints
from connectors.synthetic.schooling import census_day
from connectors.synthetic.services import FREE_MEALS, HOMELESS, MIGRANT, REDUCED_MEALS
from connectors.synthetic.world import World

POINTS, PARTS = 0.02, 0.05  # within two points, or within five in a hundred
FEW_PUPILS = 10  # in the smallest districts one family moves a share by more than that
CENSUS, FIRST_SPRINGS = 2024, (2017, 2018, 2019)
WHITE, HISPANIC, BLACK = "700", "500", "600"


@dataclass(frozen=True)
class Compared:
    """One figure: what is published, when and where, what the county produces, and of how many pupils."""

    name: str
    published: float
    produced: float
    year: int
    source: str
    pupils: int

    @property
    def held(self) -> bool:
        """Whether the county comes near: two points, five in a hundred, or a few pupils."""
        apart = abs(self.produced - self.published)
        return (
            (self.published <= 1 and apart <= POINTS)
            or apart <= PARTS * self.published
            or apart * (self.pupils if self.published <= 1 else 1) <= FEW_PUPILS
        )


def compared(world: World) -> Iterator[Compared]:
    """Every figure with a source, and what the districts' table says."""
    calibration, county = load_calibration(), _Produced(world)
    for name, figure in calibration.figures.items():
        if name in _PRODUCED:
            value, pupils = _PRODUCED[name](county)
            yield Compared(name, figure.value, value, figure.year, figure.source, pupils)
    for name, settings in calibration.districts.items():
        if settings.get("last_year", CENSUS) >= CENSUS:
            yield from _of_district(county, name, settings, calibration)


def _of_district(
    county: _Produced, name: str, settings: Mapping[str, Any], calibration: Calibration
) -> Iterator[Compared]:
    """Enrollment as if as many were enrolled as are; low income and learners; how many go to each high school."""
    mine = county.of_district(name)
    pupils, enrolled = int(mine.sum()), settings["enrollment"]
    told = (CENSUS, calibration.districts_source)
    yield Compared(f"{name} enrollment", enrolled, pupils / county.size, *told, pupils)
    for title, flags in (("upc", county.unduplicated), ("english_learners", county.learners)):
        yield Compared(f"{name} {title}", settings[title] / enrolled, _share(flags[mine]), *told, pupils)
    schools = {**settings.get("high_schools", {}), **settings.get("alternative_schools", {})}
    for school, size in zip(schools, county.high_schools(name, len(schools)), strict=True):
        published = schools[school] / sum(schools.values())
        yield Compared(f"{name} pupils at {school}", published, size, *told, pupils)


class _Produced:
    """The columns that the figures are read from."""

    def __init__(self, world: World) -> None:
        self.world, self.one = world, world.enrollments
        self.here = self.on_census(CENSUS)
        self.size = self.here.sum() / load_calibration()["enrollment"]

    def on_census(self, year: int) -> Flags:
        """Who is enrolled on the first Wednesday of October."""
        day = np.full(len(self.one), census_day(year))
        return np.asarray((self.one.year == year) & self.one.present_on(day))

    def in_programme(self, *codes: str) -> Flags:
        flags = np.zeros(len(self.one), dtype=bool)
        services = self.world.services
        flags[services.row[np.isin(services.code.astype(str), codes)]] = True
        return flags

    @cached_property
    def meals(self) -> Flags:
        return self.in_programme(FREE_MEALS, REDUCED_MEALS)

    @cached_property
    def homeless(self) -> Flags:
        return self.in_programme(HOMELESS)

    @cached_property
    def learners(self) -> Flags:
        return np.asarray(self.world.services.language == "EL")

    @cached_property
    def unduplicated(self) -> Flags:
        return np.asarray(self.meals | self.homeless | self.learners)

    @cached_property
    def race(self) -> Text:
        return np.asarray(self.world.people.race[self.one.person])

    def of_district(self, name: str) -> Flags:
        return np.asarray(self.here & (self.one.organisation == self.world.county.index(name)))

    def high_schools(self, name: str, count: int) -> list[float]:
        """The share of each high school of a district among its pupils of grades 9 to 12."""
        mine = self.of_district(name) & (self.one.grade >= 9)
        below = self.world.county.organisations[self.world.county.index(name)].schools_below_ninth
        return [_share((self.one.school == below + place)[mine]) for place in range(count)]

    def in_grades(self, first: int, last: int) -> tuple[float, int]:
        grades = self.one.grade[self.here]
        return _share((grades >= first) & (grades <= last)), int(self.here.sum())

    def census_share(self, flags: Flags) -> tuple[float, int]:
        return _share(flags[self.here]), int(self.here.sum())

    def proficient(
        self, subject: str, *years: int, grade: int | None = None, race: str = "", poor: bool | None = None
    ) -> tuple[float, int]:
        """Level three or four among valid scores."""
        one, tests = self.one, self.world.tests
        mine = (tests.subject == subject) & np.isin(one.year[tests.row], years) & tests.valid
        if grade is not None:
            mine &= one.grade[tests.row] == grade
        if race:
            mine &= self.race[tests.row] == race
        if poor is not None:
            mine &= self.world.people.disadvantaged[one.person[tests.row]] == poor
        return _share(tests.level[mine] >= 3), int(mine.sum())

    def ready(self, year: int, race: str = "") -> tuple[float, int]:
        mine = self.screened(year, race)
        return _share(self.world.readiness.score[mine] >= READY_SCORE), int(mine.sum())

    def screened(self, year: int, race: str = "") -> Flags:
        rows = self.world.readiness.row
        return np.asarray((self.one.year[rows] == year) & (not race or self.race[rows] == race))

    def kindergartners(self, year: int) -> Ints:
        """With those in the year before, as the published number seems to count them."""
        return np.flatnonzero(self.on_census(year) & (self.one.grade <= 0))

    def met(self, chosen: Flags) -> float:
        return _share((self.one.uc_csu == "Y")[(self.one.completion == "100") & chosen])

    def met_by_race(self) -> float:
        return self.met(self.race == WHITE) / self.met(self.race != WHITE)


def _share(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else 0.0


def _screened_share(county: _Produced) -> tuple[float, int]:
    kindergarten = county.on_census(2019) & (county.one.grade == 0)
    return county.screened(2019).sum() / kindergarten.sum(), int(kindergarten.sum())


_PRODUCED: Mapping[str, Callable[[_Produced], tuple[float, int]]] = {
    "people-full-size": lambda c: (len(c.world.people), len(c.world.people)),
    "enrollment": lambda c: (float(c.here.sum()), 0),
    "grades-9-12": lambda c: c.in_grades(9, 12),
    "grades-below-9": lambda c: c.in_grades(-1, 8),
    "kindergarten-2019": lambda c: (float(len(c.kindergartners(2019))), 0),
    "homeless": lambda c: c.census_share(c.homeless),
    "frpm": lambda c: c.census_share(c.meals),
    "upc": lambda c: c.census_share(c.unduplicated),
    "english-learners": lambda c: c.census_share(c.learners),
    "migrant": lambda c: c.census_share(c.in_programme(MIGRANT)),
    "kindergarten-ready": lambda c: c.ready(2019),
    "kindergarten-ready-hispanic": lambda c: c.ready(2019, HISPANIC),
    "kindergarten-screened": _screened_share,
    "kindergarten-screened-hispanic": lambda c: (
        c.screened(2019, HISPANIC).sum() / c.screened(2019).sum(),
        int(c.screened(2019).sum()),
    ),
    "third-grade-reading": lambda c: c.proficient("ELA", *FIRST_SPRINGS, grade=3),
    "reading-third-D": lambda c: c.proficient("ELA", *FIRST_SPRINGS, grade=3, poor=True),
    "reading-third-N": lambda c: c.proficient("ELA", *FIRST_SPRINGS, grade=3, poor=False),
    "reading-third-white": lambda c: c.proficient("ELA", *FIRST_SPRINGS, grade=3, race=WHITE),
    "reading-third-hispanic": lambda c: c.proficient("ELA", *FIRST_SPRINGS, grade=3, race=HISPANIC),
    "reading-third-black": lambda c: c.proficient("ELA", *FIRST_SPRINGS, grade=3, race=BLACK),
    "reading-all": lambda c: c.proficient("ELA", 2019),
    "reading-all-2022": lambda c: c.proficient("ELA", 2022),
    "math-all": lambda c: c.proficient("MATH", 2019),
    "math-all-2022": lambda c: c.proficient("MATH", 2022),
    "uc-csu-met": lambda c: (c.met(np.ones(len(c.one), dtype=bool)), 0),
    "uc-csu-white-over-others": lambda c: (c.met_by_race(), 0),
    "college-blocked": lambda c: (_share(c.world.completions.blocked), len(c.world.completions.blocked)),
}
