"""Makes the county's people: households, births, communities, names as a family writes them. Nobody in it exists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.synthetic.calibration import Calibration, Floats, Text
from connectors.synthetic.evenness import even_draws
from connectors.synthetic.naming import Names, make_names, mark_names
from connectors.synthetic.organisations import SMALLEST_CATCHMENT, County

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
EPOCH = np.datetime64("1990-01-01")
RACES = ("500", "700", "200", "400", "600", "800", "100", "300")
CUSTOMS = ("anglo", "hispanic", "east_asian", "hyphen", "other")
NEVER = 9999
HOMELESS_YEARS = 4  # how long a family is without a home of its own, in school years: assumed
# By race, the chance of each custom of writing names, in the order of CUSTOMS.
_CUSTOM_OF_RACE = {
    "500": (0.10, 0.88, 0.00, 0.01, 0.01),
    "700": (0.84, 0.00, 0.00, 0.09, 0.07),
    "200": (0.04, 0.00, 0.74, 0.02, 0.20),
    "400": (0.10, 0.00, 0.00, 0.05, 0.85),
    "600": (0.80, 0.00, 0.00, 0.12, 0.08),
    "800": (0.50, 0.15, 0.15, 0.15, 0.05),
    "100": (0.70, 0.25, 0.00, 0.05, 0.00),
    "300": (0.40, 0.00, 0.10, 0.10, 0.40),
}


@dataclass(frozen=True, repr=False)
class People:
    """One row a person, in columns. `class_year` is the school year of grade 12 without a repeat."""

    class_year: Ints
    home: Ints
    arrives: Ints
    birth: Ints
    gender: Text
    race: Text
    custom: Text
    disadvantaged: Flags
    learner: Flags
    disabled: Flags
    parent_education: Text
    homeless_from: Ints
    migrant: Flags
    household: Ints
    marked: Flags
    ssid: Text
    names: Names

    def __len__(self) -> int:
        return len(self.class_year)

    def homeless_in(self, person: Ints, year: Ints) -> Flags:
        """Whether the person was without a home in that school year."""
        begins = self.homeless_from[person]
        return np.asarray((year >= begins) & (year < begins + HOMELESS_YEARS))


@dataclass(frozen=True)
class Span:
    """The school years that are simulated, by their ending years."""

    first: int
    last: int

    @property
    def years(self) -> range:
        """All of them in order."""
        return range(self.first, self.last + 1)


def make_people(
    count: int, *, span: Span, county: County, calibration: Calibration, rng: np.random.Generator
) -> People:
    """`count` people."""
    leader, twin = _households(count, calibration, rng)
    household = np.cumsum(leader) - 1
    class_year = _classes(leader, twin, span=span, calibration=calibration, rng=rng)
    home = _homes(leader, class_year, span=span, county=county, rng=rng)[household]
    class_year = _small_catchments(class_year, home, county=county)
    first = _FirstOfHousehold(home, class_year, np.flatnonzero(leader), household)
    race = _races(first, county=county, calibration=calibration, rng=rng)
    disadvantaged = _disadvantaged(first, race, county=county, rng=rng)
    learner = _learners(first, race, disadvantaged, county=county, calibration=calibration, rng=rng)
    custom = _customs(race, rng)[np.flatnonzero(leader)][household]
    birth = _births(class_year, twin, rng)
    gender = np.where(rng.random(count) < 0.51, "M", "F").astype(object)
    gender[rng.random(count) < calibration["gender-x"]] = "X"
    # A stream of its own, so that other name lists leave everything else as it is.
    names = make_names(custom, gender, household, rng=rng.spawn(1)[0])
    starts = len(span.years) + HOMELESS_YEARS - 1
    ever = calibration["homeless"] / calibration["frpm"] * starts / HOMELESS_YEARS
    homeless = disadvantaged & (rng.random(count) < ever)
    schooling = np.array(["10", "11", "12", "13", "14", "15"], dtype=object)
    return People(
        class_year=class_year,
        home=home,
        arrives=_arrivals(class_year, home, span=span, county=county, calibration=calibration, rng=rng),
        birth=birth,
        gender=gender,
        race=np.where(rng.random(count) < calibration["race-not-reported"], "", race).astype(object),
        custom=custom,
        disadvantaged=disadvantaged,
        learner=learner,
        disabled=rng.random(count) < calibration["with-disability"],
        parent_education=np.where(
            disadvantaged,
            schooling[rng.choice(6, count, p=[0.03, 0.09, 0.24, 0.30, 0.27, 0.07])],
            schooling[rng.choice(6, count, p=[0.42, 0.37, 0.13, 0.045, 0.0, 0.035])],
        ).astype(object),
        homeless_from=np.where(homeless, rng.integers(span.first - HOMELESS_YEARS + 1, span.last + 1, count), NEVER),
        migrant=(rng.random(count) < calibration["migrant"] * 3) & disadvantaged,
        household=household,
        marked=np.zeros(count, dtype=bool),
        ssid=_state_numbers(count, rng),
        names=names,
    )


def mark_people(people: People, count: int, rng: np.random.Generator) -> People:
    """The same people, `count` of them with names that are no words, for the search of identities."""
    chosen = np.zeros(len(people), dtype=bool)
    chosen[rng.permutation(len(people))[:count]] = True
    return replace(people, marked=chosen, names=mark_names(people.names, chosen))


def _households(count: int, calibration: Calibration, rng: np.random.Generator) -> tuple[Flags, Flags]:
    draw = rng.random(count)
    draw[0] = 1.0
    twin = draw < calibration["twins"]
    return ~(twin | (draw < calibration["twins"] + calibration["siblings"])), twin


def _classes(leader: Flags, twin: Flags, *, span: Span, calibration: Calibration, rng: np.random.Generator) -> Ints:
    """From seniors of the first year to three-year-olds of the last; siblings two to four classes apart."""
    low, high = span.first, span.last + 14
    years = np.arange(low, high + 1)
    known = calibration.class_sizes
    sizes = np.interp(years, list(known), list(known.values()))
    nobody = np.zeros(len(leader), dtype=np.int64)
    draw = rng.permutation(even_draws(nobody, nobody, rng))
    chosen = years[np.minimum(np.searchsorted(np.cumsum(sizes) / sizes.sum(), draw), len(years) - 1)]
    apart = rng.integers(2, 5, len(leader)) * rng.choice([-1, 1], len(leader))
    for i in np.flatnonzero(~leader):
        step = 0 if twin[i] else apart[i]
        wanted = chosen[i - 1] + step
        chosen[i] = wanted if low <= wanted <= high else chosen[i - 1] - step
    return chosen.astype(np.int64)


def _homes(leader: Flags, class_year: Ints, *, span: Span, county: County, rng: np.random.Generator) -> Ints:
    """The catchment of each household; the smallest get their few households all the same."""
    weights = np.array([one.weight for one in county.catchments])
    classes = class_year[leader]
    draw = even_draws(np.zeros_like(classes), classes, rng)
    home = np.minimum(np.searchsorted(np.cumsum(weights) / weights.sum(), draw), len(weights) - 1)
    place = 0
    for i in np.flatnonzero(weights / weights.sum() * len(leader) < SMALLEST_CATCHMENT):
        home[home == i] = int(np.argmax(weights))
        home[place : place + SMALLEST_CATCHMENT] = i
        place += SMALLEST_CATCHMENT
    return home.astype(np.int64)


def _small_catchments(class_year: Ints, home: Ints, *, county: County) -> Ints:
    """Spreads the pupils of a closed district over the classes that still met it."""
    settled = class_year.copy()
    for i, one in enumerate(county.catchments):
        here = np.flatnonzero(home == i)
        if one.last_year < NEVER:
            settled[here] = one.last_year + 5 + np.arange(len(here)) % 7
    return settled


@dataclass(frozen=True)
class _FirstOfHousehold:
    """The first child of each household, who decides for its brothers and sisters; homes and classes of all."""

    home: Ints
    class_year: Ints
    first: Ints
    household: Ints

    def draws(self, group: Ints, rng: np.random.Generator) -> Floats:
        """Even draws for all, each the same within a household."""
        return even_draws(group[self.first], self.class_year[self.first], rng)[self.household]

    def of_all(self, column: NDArray[Any]) -> NDArray[Any]:
        """What holds for the first child, for all."""
        return column[self.first][self.household]


def _races(one: _FirstOfHousehold, *, county: County, calibration: Calibration, rng: np.random.Generator) -> Text:
    hispanic = _hispanic_shares(county, calibration)[one.home]
    others = ("white", "asian", "filipino", "black", "two-or-more", "native", "islander")
    weights = np.array([calibration[f"not-hispanic-{name}"] for name in others])
    is_hispanic = one.draws(one.home, rng) < hispanic
    draw = one.draws(np.zeros_like(one.home), rng)
    other = np.minimum(np.searchsorted(np.cumsum(weights) / weights.sum(), draw), len(others) - 1)
    return np.asarray(one.of_all(np.where(is_hispanic, "500", np.array(RACES[1:], dtype=object)[other])), dtype=object)


def _hispanic_shares(county: County, calibration: Calibration) -> NDArray[np.float64]:
    upc = np.array([one.upc for one in county.catchments])
    return np.clip(calibration["hispanic-base"] + calibration["hispanic-of-upc"] * upc, 0.0, 0.92)


def _disadvantaged(one: _FirstOfHousehold, race: Text, *, county: County, rng: np.random.Generator) -> Flags:
    """Economic status by household, so that each catchment has its published share."""
    home, places = one.home, len(county.catchments)
    published = np.array([place.upc for place in county.catchments])[home]
    # A little below the published share of low income and learners together: some learners, fewer where most are poor,
    # are not.
    upc = published * (0.88 + 0.14 * published)
    hispanic = race == "500"
    shares = np.bincount(home, hispanic, places) / np.maximum(np.bincount(home, minlength=places), 1)
    among_others = upc * 0.33
    among = np.clip((upc - (1 - shares[home]) * among_others) / np.maximum(shares[home], 0.01), 0.0, 0.985)
    chance = np.where(hispanic, among, among_others)
    return np.asarray(one.of_all(one.draws(home * 2 + hispanic, rng) < chance))


def _learners(
    one: _FirstOfHousehold,
    race: Text,
    disadvantaged: Flags,
    *,
    county: County,
    calibration: Calibration,
    rng: np.random.Generator,
) -> Flags:
    """English learners at entry: nearly all of them Hispanic or Asian."""
    home, places = one.home, len(county.catchments)
    share = np.array([place.english_learners for place in county.catchments]) * calibration["english-learner-entry"]
    weight = np.where(race == "500", np.where(disadvantaged, 1.0, 0.45), np.where(race == "200", 0.5, 0.035))
    mean = np.bincount(home, weight, places) / np.maximum(np.bincount(home, minlength=places), 1)
    chance = np.clip(weight * (share / np.maximum(mean, 1e-9))[home], 0.0, 0.97)
    kind = np.where(race == "500", np.where(disadvantaged, 3, 2), np.where(race == "200", 1, 0))
    return np.asarray(one.of_all(one.draws(home * 4 + kind, rng) < chance))


def _customs(race: Text, rng: np.random.Generator) -> Text:
    custom = np.empty(len(race), dtype=object)
    for code, chances in _CUSTOM_OF_RACE.items():
        here = np.flatnonzero(race == code)
        custom[here] = np.array(CUSTOMS, dtype=object)[rng.choice(5, len(here), p=chances)]
    return custom


def _births(class_year: Ints, twin: Flags, rng: np.random.Generator) -> Ints:
    """Days since EPOCH: five years old by the first of September before kindergarten; some a year older."""
    start = np.array([f"{year - 19}-09-02" for year in class_year], dtype="datetime64[D]")
    days = (start - EPOCH).astype(np.int64) + rng.integers(0, 365, len(class_year))
    days = np.where(rng.random(len(days)) < 0.03, days - rng.integers(5, 120, len(days)), days)
    for i in np.flatnonzero(twin):
        days[i] = days[i - 1]
    return np.asarray(days, dtype=np.int64)


def _arrivals(
    class_year: Ints, home: Ints, *, span: Span, county: County, calibration: Calibration, rng: np.random.Generator
) -> Ints:
    """The school year in which a child comes to the county's schools; before the first year for most."""
    count = len(class_year)
    later = rng.random(count) < calibration["arrive-later"]
    first_seen = np.maximum(span.first, class_year - 12)
    last_seen = np.minimum(span.last, class_year)
    drawn = first_seen + np.floor(rng.random(count) * (last_seen - first_seen + 1)).astype(np.int64)
    small = np.array([one.weight < 15 for one in county.catchments])[home]
    arrives = np.where(later & ~small & (last_seen >= first_seen), drawn, span.first - 20)
    from_grade = np.array([one.from_grade for one in county.catchments])[home]
    return np.where(from_grade > 0, np.maximum(arrives, class_year - 12 + from_grade), arrives)


def _state_numbers(count: int, rng: np.random.Generator) -> Text:
    """Ten digits, all different."""
    base = rng.choice(900_000, count, replace=False)
    return np.array([str(1_000_000_000 + int(one) * 9_973 + 17) for one in base], dtype=object)
