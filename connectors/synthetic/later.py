"""Writes what follows school: the college's own tables, the partner's roster, the wage authority's counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product, repeat

import numpy as np

from connectors.synthetic.afterwards import (
    COLLEGE_OF_MARIN,
    COLLEGES,
    Awards,
    Participations,
    Terms,
    Work,
    only,
    under_one_another,
)
from connectors.synthetic.calibration import Text
from connectors.synthetic.early import RACE_WORDS
from connectors.synthetic.forms import Column, FileLines, day_words, joined, one_file, reformed, words_of
from connectors.synthetic.organisations import COLLEGE, PARTNER, WAGES, County
from connectors.synthetic.people import Flags, Ints, People, Span
from connectors.synthetic.schooling import Enrollments, day
from connectors.synthetic.services import Services
from connectors.synthetic.writings import Addresses, Records

_GENDERS = {"F": "Woman", "M": "Man", "X": "Nonbinary"}
_LOADS = {"F": "Full time", "H": "Half time", "L": "Less than half time", "W": "Withdrawn"}
_AWARDS = {"certificate": "Certificate", "associate": "Associate degree"}
_RACES = ("100", "200", "300", "400", "500", "600", "700", "800")
_UNKNOWN_RACE = "999"


def college_years(begin: Ints) -> Ints:
    """School year of a day: July to June."""
    starts = np.array([day(year - 1, 7, 1) for year in range(2000, 2100)])
    return np.searchsorted(starts, begin, side="right") - 1 + 2000


def own_terms(terms: Terms, early: Terms, span: Span) -> Terms:
    """Terms at College of Marin, of graduates and of students still in high school in these school years."""
    both = under_one_another([early, terms])
    year = college_years(both.begin)
    kept = np.flatnonzero((both.college == COLLEGE_OF_MARIN) & (year >= span.first) & (year <= span.last))
    kept = kept[np.lexsort((both.begin[kept], both.person[kept], year[kept]))]
    return only(both, kept)


def college_lines(
    people: People,
    terms: Terms,
    awards: Awards,
    *,
    records: Records,
    addresses: Addresses,
    county: County,
    span: Span,
) -> Iterator[FileLines]:
    """The college's three tables by school year; `terms` are its own."""
    place, days = county.index(COLLEGE), day_words("iso")
    code, _, _, level, _ = COLLEGES[COLLEGE_OF_MARIN]
    year = college_years(terms.begin)
    pairs = np.unique(year * 10_000_000 + terms.person)
    yield _college_people(
        people, pairs % 10_000_000, pairs // 10_000_000, records=records, addresses=addresses, place=place
    )
    dates = [days[terms.begin], days[terms.end]]
    columns: list[Column] = [_local_ids(records, terms.person, place), repeat(code), repeat(level), *dates]
    lines = joined("COMTERM", [*columns, words_of(terms.status, _LOADS)])
    yield FileLines("COMTERM", year, np.full(len(year), place), lines)
    won = college_years(awards.date - 60)
    mine = np.flatnonzero((awards.college == COLLEGE_OF_MARIN) & (won <= span.last))
    mine = mine[np.lexsort((awards.person[mine], won[mine]))]
    level_words = words_of(awards.level[mine], _AWARDS)
    columns = [_local_ids(records, awards.person[mine], place), repeat(code), level_words, days[awards.date[mine]]]
    yield FileLines("COMAWARD", won[mine], np.full(len(mine), place), joined("COMAWARD", columns))


def _college_people(
    people: People, person: Ints, year: Ints, *, records: Records, addresses: Addresses, place: int
) -> FileLines:
    record = records.find(person, np.full_like(person, place), np.zeros_like(person))
    names: list[Column] = [records.column(name, record, year) for name in ("surname", "given", "middle", "birth")]
    gender = words_of(records.column("gender", record, year), _GENDERS)
    described: list[Column] = [gender, addresses.at(person, year)[1], words_of(people.race[person], RACE_WORDS)]
    lines = joined("COMPERSON", [records.local_id[record], *names, *described])
    return FileLines("COMPERSON", year, np.full_like(person, place), lines)


def _local_ids(records: Records, person: Ints, place: int) -> list[str]:
    found = records.find(person, np.full_like(person, place), np.zeros_like(person))
    return list(records.local_id[found])


def programme_lines(taken: Participations, *, records: Records, addresses: Addresses, county: County) -> FileLines:
    """The partner's roster by school year."""
    taken = only(taken, np.lexsort((taken.person, taken.year)))
    place, days = county.index(PARTNER), day_words("us")
    record = records.find(taken.person, np.full_like(taken.person, place), np.zeros_like(taken.person))
    names: list[Column] = [records.column(name, record, taken.year) for name in ("surname", "given")]
    birth = reformed(records.column("birth", record, taken.year), "us")
    described: list[Column] = [
        birth,
        records.column("gender", record, taken.year),
        addresses.at(taken.person, taken.year)[1],
    ]
    part: list[Column] = [taken.programme, days[taken.start], days[taken.end]]
    lines = joined("PROGRAMME", [records.local_id[record], *names, *described, *part])
    return FileLines("PROGRAMME", taken.year, np.full_like(taken.person, place), lines)


def wage_lines(people: People, work: Work, poor: Flags, *, county: County, span: Span) -> Iterator[FileLines]:
    """Counts by class, years after and group: in the file of a year, every class as it stands in that year."""
    place = county.index(WAGES)
    race = np.where(people.race == "", _UNKNOWN_RACE, people.race)[work.person]
    status = np.where(poor[work.person], "Y", "N")
    groups = np.array(
        [",".join(one) for one in zip(people.gender[work.person], race, status, strict=True)], dtype=object
    )
    for year in span.years[1:]:
        lines: list[str] = []
        for class_year in range(span.first, year):
            lines.extend(_wage_cells(work, groups, class_year, years_after=year - class_year))
        yield one_file("WAGES", lines, year=year, organisation=place)


def _wage_cells(work: Work, groups: Text, class_year: int, *, years_after: int) -> Iterator[str]:
    """The full cross of groups, most of it zeros."""
    here = work.class_year == class_year
    matched = here & work.matchable
    employed = matched & work.employed_by[years_after - 1]
    counts = [Counter(groups[chosen].tolist()) for chosen in (here, matched, employed)]
    for parts in product(("M", "F", "X", "U"), (*_RACES, _UNKNOWN_RACE), ("Y", "N", "U")):
        group = ",".join(parts)
        yield f"{class_year},{years_after},{group},{','.join(str(count[group]) for count in counts)}"


def ever_poor(services: Services, enrollments: Enrollments, people: People) -> Flags:
    """Disadvantaged in any of the school years seen."""
    flags = np.zeros(len(people), dtype=bool)
    flags[enrollments.person[services.poor]] = True
    return flags
