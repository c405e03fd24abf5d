"""Makes a whole synthetic county in a folder: providers' files, three bad files, and the truth apart.

It stands before the road: what it writes is what stewards would have in their own hands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from connectors.synthetic import afterwards, early, later, learning, scores
from connectors.synthetic.bad_files import write_bad_files
from connectors.synthetic.calibration import load_calibration
from connectors.synthetic.calpads import FileLines, PupilFiles, state_files
from connectors.synthetic.careers import Enrollments, simulate
from connectors.synthetic.organisations import (
    COLLEGE,
    HEAD_START,
    PARTNER,
    SEARCHING,
    WAGES,
    County,
    Organisation,
    load_county,
)
from connectors.synthetic.people import Ints, People, Span, make_people, mark_people
from connectors.synthetic.services import Services, serve
from connectors.synthetic.truth import write_truth
from connectors.synthetic.writings import Addresses, Records, live, registration_keys, write_people

MARKED = 200
SPARE = 1.3  # people drawn for one that appears in some file
# File name, encoding ("" for the office's own), line end, titles, and their separator; by kind of lines.
_FORMS: dict[str, tuple[str, str, str, Sequence[str], str]] = {
    "SENR": ("SENR_{cds}_{year}.txt", "", "\r\n", (), "^"),
    "SINF": ("SINF_{cds}_{year}.txt", "", "\r\n", (), "^"),
    "SELA": ("SELA_{cds}_{year}.txt", "", "\r\n", (), "^"),
    "SPRG": ("SPRG_{cds}_{year}.txt", "", "\r\n", (), "^"),
    "STAS": ("STAS_{cds}_{year}.txt", "", "\r\n", (), "^"),
    "TOMS": ("{cds}0000000_CAASPP_Student_Score_Data_File_EnrolledStudentScoreData_{year}_DLMTR.csv", "utf-8", "\r\n",
             scores.SCORE_TITLES, "^"),
    "KSEP": ("KSEP_{year}.csv", "utf-8-sig", "\r\n", scores.READINESS_TITLES, ","),
    "CDD801A": ("CDD801A_{year}.csv", "utf-8", "\r\n", early.ROSTER_TITLES, ","),
    "HEADSTART": ("head_start_roster_{year}.csv", "utf-8", "\n", early.HEAD_START_TITLES, ","),
    "NSCMAP": ("clearinghouse_request_map.csv", "utf-8", "\n", later.MAP_TITLES, ","),
    "NSC": ("studenttracker_detail_{year}.csv", "utf-8", "\r\n", later.REPORT_TITLES, ","),
    "COMPERSON": ("com_person_{year}.csv", "utf-8", "\n", later.PERSON_TITLES, ","),
    "COMTERM": ("com_term_enrollment_{year}.csv", "utf-8", "\n", later.TERM_TITLES, ","),
    "COMAWARD": ("com_award_{year}.csv", "utf-8", "\n", later.AWARD_TITLES, ","),
    "PROGRAMME": ("programme_roster_{year}.csv", "utf-8", "\n", later.ROSTER_TITLES, ","),
    "WAGES": ("employment_aggregate_{year}.csv", "utf-8", "\n", later.WAGE_TITLES, ","),
}  # fmt: skip
_KIND_OF = {"NSC": "clearinghouse", "NSCMAP": "clearinghouse", "CDD801A": "preschool", "HEADSTART": "preschool",
            "COMPERSON": "college", "COMTERM": "college", "COMAWARD": "college", "PROGRAMME": "programme",
            "WAGES": "employment"}  # fmt: skip


@dataclass(frozen=True)
class World:
    """Everything that happened in the county, before anybody wrote a file."""

    span: Span
    county: County
    people: People
    enrollments: Enrollments
    preschool: learning.Preschool
    readiness: learning.Readiness
    tests: learning.Tests
    days: learning.Days
    services: Services
    completions: afterwards.Completions
    terms: afterwards.Terms
    own_terms: afterwards.Terms
    own_years: Ints
    awards: afterwards.Awards
    joined: afterwards.Participations
    work: afterwards.Work
    records: Records
    addresses: Addresses


def make_county(folder: Path, *, people: int, seed: int, span: Span) -> Mapping[str, Any]:
    """Writes the county into an empty folder; the same arguments give the same bytes. Returns what `county.json` says."""
    world = make_world(people, seed=seed, span=span)
    written = _write_files(folder / "providers", world, np.random.default_rng([seed, 90]))
    _write_sources(folder / "providers")
    bad = write_bad_files(folder, span=span, rng=np.random.default_rng([seed, 91]))
    write_truth(folder / "truth", world)
    summary = {
        "seed": seed,
        "people": people,
        "years": list(span.years),
        "providers": [{"id": name, "kind": kind, "years": years} for (name, kind), years in sorted(written.items())],
        "bad": bad,
    }
    (folder / "county.json").write_text(json.dumps(summary, indent=1, sort_keys=True) + "\n", "utf-8")
    return summary


def make_world(count: int, *, seed: int, span: Span) -> World:
    """Simulates the county; each stage has its own stream of chance, so that one can change without the others."""
    calibration = load_calibration()
    county = load_county(calibration)

    def rng(stage: int) -> np.random.Generator:
        return np.random.default_rng([seed, stage])

    everybody = make_people(int(count * SPARE) + 40, span=span, county=county, calibration=calibration, rng=rng(1))
    plain, enrollments, preschool = _seen(count, everybody, span, county, calibration, rng)
    people = mark_people(plain, min(MARKED, count // 3), rng(15))
    services = serve(people, enrollments, calibration=calibration, rng=rng(4))
    completions = afterwards.complete(enrollments, calibration=calibration, rng=rng(5))
    terms, awards = afterwards.go_to_college(people, completions, span=span, calibration=calibration, rng=rng(6))
    at_school = afterwards.enroll_early(enrollments, calibration=calibration, rng=rng(7))
    own, own_years = later.own_terms(terms, at_school, span)
    joined = afterwards.join_programme(people, enrollments, county=county, calibration=calibration, rng=rng(8))
    keys = _registrations(county, enrollments, preschool, own, joined)
    return World(
        span=span,
        county=county,
        people=people,
        enrollments=enrollments,
        preschool=preschool,
        readiness=learning.screen_kindergartners(
            people, enrollments, preschool, span=span, calibration=calibration, rng=rng(9)
        ),
        tests=learning.sit_tests(people, enrollments, calibration=calibration, rng=rng(10)),
        days=learning.attend(people, enrollments, rng(11)),
        services=services,
        completions=completions,
        terms=terms,
        own_terms=own,
        own_years=own_years,
        awards=awards,
        joined=joined,
        work=afterwards.work(people, enrollments, completions, span=span, calibration=calibration, rng=rng(12)),
        records=write_people(people, keys, county=county, span=span, calibration=calibration, rng=rng(13)),
        addresses=live(people, county=county, span=span, calibration=calibration, rng=rng(14)),
    )


def _seen(
    count: int, everybody: People, span: Span, county: County, calibration: Any, rng: Any
) -> tuple[People, Enrollments, learning.Preschool]:
    """The first `count` people who appear in some roster, and what befell them."""
    enrollments = simulate(everybody, span=span, county=county, calibration=calibration, rng=rng(2))
    preschool = learning.attend_preschool(
        everybody, enrollments, span=span, county=county, calibration=calibration, rng=rng(3)
    )
    appears = np.zeros(len(everybody), dtype=bool)
    appears[enrollments.person] = True
    appears[preschool.person] = True
    kept = np.flatnonzero(appears)[:count]
    number = np.full(len(everybody), -1)
    number[kept] = np.arange(len(kept))
    return _only(everybody, kept), _renumber(enrollments, number), _renumber(preschool, number)


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
    preschool: learning.Preschool,
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


def _write_files(providers: Path, world: World, rng: np.random.Generator) -> dict[tuple[str, str], list[int]]:
    """All files of all providers; which (provider, kind) has which school years."""
    written: dict[tuple[str, str], set[int]] = {}
    for lines in _all_lines(world, rng):
        kind = _KIND_OF.get(lines.name, "k12")
        for year, place, own in lines.files():
            organisation = world.county.organisations[place]
            _write_file(providers, lines.name, organisation, year=year, lines=own)
            written.setdefault((organisation.name, kind), set()).add(year)
    return {key: sorted(years) for key, years in written.items()}


def _all_lines(world: World, rng: np.random.Generator) -> Iterator[FileLines]:
    pupils = PupilFiles(
        world.people, world.county, world.enrollments, world.records, world.addresses, world.services, world.days
    )
    yield from state_files(pupils)
    yield scores.score_lines(pupils, world.tests)
    yield scores.readiness_lines(pupils, world.readiness)
    yield from early.preschool_lines(world.people, world.preschool, world.records, world.addresses, county=world.county)
    yield from later.clearinghouse_lines(world.people, world.completions, world.terms, world.awards, enrollments=world.enrollments,
                                         records=world.records, county=world.county, span=world.span, rng=rng)  # fmt: skip
    yield from later.college_lines(world.people, world.own_terms, world.own_years, world.awards, records=world.records,
                                   addresses=world.addresses, county=world.county, span=world.span)  # fmt: skip
    yield later.programme_lines(world.joined, records=world.records, addresses=world.addresses, county=world.county)
    poor = later.ever_poor(world.services, world.enrollments, world.people)
    yield from later.wage_lines(world.people, world.work, poor, county=world.county, span=world.span)


def _write_file(providers: Path, name: str, organisation: Organisation, *, year: int, lines: Sequence[str]) -> None:
    pattern, encoding, end, titles, separator = _FORMS[name]
    inbox = providers / organisation.name / "inbox" / str(year)
    inbox.mkdir(parents=True, exist_ok=True)
    head = [separator.join(titles)] if titles else []
    text = end.join([*head, *lines, ""])
    path = inbox / pattern.format(cds=organisation.cds, year=year)
    path.write_bytes(text.encode(encoding or organisation.encoding))


def _write_sources(providers: Path) -> None:
    """What stewards say about their files, beside each inbox; only where a file has no public layout."""
    for name, source in ((HEAD_START, early.HEAD_START_SOURCES), (COLLEGE, later.COLLEGE_SOURCES)):
        folder = providers / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sources.yaml").write_text(yaml.safe_dump(source, sort_keys=False, allow_unicode=True), "utf-8")
    for name, pattern, layout, kind in (
        (PARTNER, "programme_roster_*.csv", "programme-roster", "programme"),
        (WAGES, "employment_aggregate_*.csv", "employment-aggregate", "employment"),
        *(
            (district, "studenttracker_detail_*.csv", "studenttracker-detail", "clearinghouse")
            for district in SEARCHING
        ),
    ):
        source = {"version": 1, "files": [{"pattern": pattern, "layout": layout, "kind": kind}]}
        folder = providers / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sources.yaml").write_text(yaml.safe_dump(source, sort_keys=False), "utf-8")
