"""Everything that happens in the synthetic county, simulated stage by stage before anybody writes a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypedDict

import numpy as np

from connectors.synthetic import afterwards, later, learning
from connectors.synthetic.calibration import Calibration, load_calibration
from connectors.synthetic.careers import simulate
from connectors.synthetic.organisations import COLLEGE, PARTNER, County, load_county
from connectors.synthetic.people import Ints, People, Span, make_people, mark_people
from connectors.synthetic.preschooling import Preschool, attend_preschool
from connectors.synthetic.schooling import Enrollments
from connectors.synthetic.services import Services, serve
from connectors.synthetic.writings import Addresses, Records, live, registration_keys, write_people

MARKED = 200  # people whose names are no words, for the search of identities
PROBE = 3000  # people by whom it is found out how many of those drawn appear in some roster
SPARE, SPARE_PEOPLE = 1.01, 60


class _Setting(TypedDict):
    span: Span
    county: County
    calibration: Calibration


@dataclass(frozen=True, repr=False)
class World:
    """Everything that happened in the county, before anybody wrote a file."""

    span: Span
    county: County
    people: People
    enrollments: Enrollments
    preschool: Preschool
    readiness: learning.Readiness
    tests: learning.Tests
    days: learning.Days
    services: Services
    completions: afterwards.Completions
    terms: afterwards.Terms
    own_terms: afterwards.Terms
    awards: afterwards.Awards
    joined: afterwards.Participations
    work: afterwards.Work
    records: Records
    addresses: Addresses


def make_world(count: int, *, seed: int, span: Span) -> World:
    """Simulates the county; each stage has its own stream of chance, so that one can change without the others."""
    calibration = load_calibration()
    county = load_county(calibration)

    def rng(stage: int) -> np.random.Generator:
        return np.random.default_rng([seed, stage])

    setting: _Setting = {"span": span, "county": county, "calibration": calibration}
    probed = _Childhoods.of(PROBE, setting, [seed, 16])
    drawn = int(count * SPARE * PROBE / len(probed.seen)) + SPARE_PEOPLE
    childhoods = _Childhoods.of(drawn, setting, [seed])
    everybody, all_enrollments, all_preschool = childhoods.people, childhoods.enrollments, childhoods.preschool
    kept = childhoods.seen[:count]
    people = mark_people(_only(everybody, kept), min(MARKED, count // 3), rng(15))
    number = np.full(len(everybody), -1)
    number[kept] = np.arange(len(kept))
    enrollments, preschool = _renumber(all_enrollments, number), _renumber(all_preschool, number)
    services = serve(people, enrollments, calibration=calibration, rng=rng(4))
    completions = afterwards.complete(enrollments, calibration=calibration, rng=rng(5))
    terms, awards = afterwards.go_to_college(people, completions, span=span, calibration=calibration, rng=rng(6))
    at_school = afterwards.enroll_early(enrollments, calibration=calibration, rng=rng(7))
    own = later.own_terms(terms, at_school, span)
    joined = afterwards.join_programme(people, enrollments, county=county, calibration=calibration, rng=rng(8))
    keys = _registrations(county, enrollments, preschool, own, joined)
    return World(
        span=span,
        county=county,
        people=people,
        enrollments=enrollments,
        preschool=preschool,
        readiness=learning.screen_kindergartners(people, enrollments, preschool, calibration=calibration, rng=rng(9)),
        tests=learning.sit_tests(people, enrollments, calibration=calibration, rng=rng(10)),
        days=learning.attend(people, enrollments, rng(11)),
        services=services,
        completions=completions,
        terms=terms,
        own_terms=own,
        awards=awards,
        joined=joined,
        work=afterwards.work(people, enrollments, completions, span=span, calibration=calibration, rng=rng(12)),
        records=write_people(people, keys, county=county, span=span, calibration=calibration, rng=rng(13)),
        addresses=live(people, county=county, span=span, calibration=calibration, rng=rng(14)),
    )


@dataclass(frozen=True, repr=False)
class _Childhoods:
    """People with their schools and preschools, before those whom nobody ever sees are left out."""

    people: People
    enrollments: Enrollments
    preschool: Preschool

    @classmethod
    def of(cls, count: int, setting: _Setting, seed: Sequence[int]) -> _Childhoods:
        """`count` people drawn by the streams 1 to 3 of the seed."""
        rngs = [np.random.default_rng([*seed, stage]) for stage in (1, 2, 3)]
        people = make_people(count, rng=rngs[0], **setting)
        enrollments = simulate(people, rng=rngs[1], **setting)
        return cls(people, enrollments, attend_preschool(people, enrollments, rng=rngs[2], **setting))

    @property
    def seen(self) -> Ints:
        """Those who appear in some roster."""
        appears = np.zeros(len(self.people), dtype=bool)
        appears[self.enrollments.person] = True
        appears[self.preschool.person] = True
        return np.flatnonzero(appears)


def _only(everybody: People, kept: Ints) -> People:
    names = replace(
        everybody.names, **{f.name: getattr(everybody.names, f.name)[kept] for f in fields(everybody.names)}
    )
    columns = {f.name: getattr(everybody, f.name)[kept] for f in fields(everybody) if f.name != "names"}
    return People(**columns, names=names)


def _renumber(table: Any, number: Ints) -> Any:
    rows = np.flatnonzero(number[table.person] >= 0)
    columns = {f.name: getattr(table, f.name)[rows] for f in fields(table)}
    return type(table)(**{**columns, "person": number[columns["person"]]})


def _registrations(
    county: County,
    enrollments: Enrollments,
    preschool: Preschool,
    own: afterwards.Terms,
    joined: afterwards.Participations,
) -> Ints:
    def at(name: str, person: Ints) -> Ints:
        return registration_keys(
            person, np.full(len(person), county.index(name)), np.zeros(len(person), dtype=np.int64)
        )

    parts = (
        registration_keys(enrollments.person, enrollments.organisation, enrollments.registration),
        registration_keys(preschool.person, preschool.organisation, np.zeros(len(preschool.person), dtype=np.int64)),
        at(COLLEGE, own.person),
        at(PARTNER, joined.person),
    )
    return np.unique(np.concatenate(parts))
