"""Writes the rosters of the early-learning providers: CDD-801A with titles, a Head Start export; no state number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import numpy as np

from connectors.synthetic.forms import Column, FileLines, day_words, joined, numbers, reformed, words_of
from connectors.synthetic.organisations import CHILDRENS_CENTER, HEAD_START, County
from connectors.synthetic.people import Ints, People
from connectors.synthetic.preschooling import Preschool
from connectors.synthetic.schooling import NO_DAY
from connectors.synthetic.writings import Addresses, Records

VENDOR = "A214 01"
RACE_WORDS = {
    "100": "American Indian",
    "200": "Asian",
    "300": "Pacific Islander",
    "400": "Filipino",
    "500": "Hispanic or Latino",
    "600": "Black",
    "700": "White",
    "800": "Two or more",
}
_GENDERS = {"M": "Male", "F": "Female", "X": "Nonbinary"}


def preschool_lines(
    people: People, preschool: Preschool, records: Records, addresses: Addresses, *, county: County
) -> Sequence[FileLines]:
    """The rosters of both providers, by school year."""
    children = _Children(people, preschool, records, addresses)
    center = preschool.organisation == county.index(CHILDRENS_CENTER)
    head_start = preschool.organisation == county.index(HEAD_START)
    return _roster(children, np.flatnonzero(center)), _head_start(children, np.flatnonzero(head_start))


class _Children:
    """Columns of the children's years, as their provider writes them."""

    def __init__(self, people: People, preschool: Preschool, records: Records, addresses: Addresses) -> None:
        self.one = preschool
        record = records.find(preschool.person, preschool.organisation, np.zeros_like(preschool.person))
        self.local_id = records.local_id[record]
        names = ("given", "middle", "surname", "gender")
        columns = (records.column(name, record, preschool.year) for name in names)
        self.given, self.middle, self.surname, self.gender = columns
        self.birth = reformed(records.column("birth", record, preschool.year), "us")
        self.family = np.array(
            [f"F{100_000 + 7 * h}" for h in people.household[preschool.person].tolist()], dtype=object
        )
        self.guardian = people.names.guardian[preschool.person]
        self.postcode = addresses.at(preschool.person, preschool.year)[1]
        self.race = people.race[preschool.person]
        self.start = day_words("us")[preschool.start]
        self.end = day_words("us")[np.where(preschool.stayed, NO_DAY, preschool.end)]


def _roster(children: _Children, rows: Ints) -> FileLines:
    one, year = children.one, children.one.year[rows]
    hispanic = children.race[rows] == "500"
    month = [f"05/{y}" for y in year.tolist()]
    zip_plus_4 = [f"{z}-{1000 + i % 8999}" for i, z in enumerate(children.postcode[rows])]
    head: list[Column] = [
        month,
        repeat(VENDOR),
        children.family[rows],
        children.surname[rows],
        children.guardian[rows],
        zip_plus_4,
    ]
    names: list[Column] = [
        children.surname[rows],
        children.given[rows],
        [m[:1] for m in children.middle[rows]],
        children.birth[rows],
    ]
    race = [np.where(hispanic, "Y", "N"), np.where(hispanic, "", children.race[rows])]
    child: list[Column] = [children.local_id[rows], *names, children.gender[rows], *race]
    days: list[Column] = [
        children.start[rows],
        children.end[rows],
        numbers(one.expected[rows]),
        numbers(one.attended[rows]),
    ]
    lines = joined("CDD801A", [*head, repeat("N"), repeat("4"), *child, repeat("CSPP"), *days])
    return FileLines("CDD801A", year, one.organisation[rows], lines)


def _head_start(children: _Children, rows: Ints) -> FileLines:
    one = children.one
    names: list[Column] = [children.surname[rows], children.given[rows], children.middle[rows], children.birth[rows]]
    described: list[Column] = [words_of(children.gender[rows], _GENDERS), words_of(children.race[rows], RACE_WORDS)]
    family = [children.surname[rows], children.guardian[rows], children.postcode[rows]]
    center = [f"center-{1 + p % 4}" for p in one.person[rows].tolist()]
    days: list[Column] = [
        children.start[rows],
        children.end[rows],
        numbers(one.expected[rows]),
        numbers(one.attended[rows]),
    ]
    lines = joined("HEADSTART", [children.local_id[rows], *names, *described, *family, center, *days])
    return FileLines("HEADSTART", one.year[rows], one.organisation[rows], lines)
