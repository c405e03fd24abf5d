"""Writes the Clearinghouse's detail reports and the request maps that high school districts keep beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from connectors.synthetic.afterwards import COLLEGES, Awards, Completions, Terms
from connectors.synthetic.calibration import Text
from connectors.synthetic.forms import FileLines, day_words, one_file
from connectors.synthetic.organisations import SEARCHING, County
from connectors.synthetic.people import Ints, Span
from connectors.synthetic.schooling import Enrollments, day
from connectors.synthetic.writings import Records

CLASSES_IN_REPORT = 8  # the graduates file goes back eight classes (NSC)
_DEGREES = {
    "certificate": "CERTIFICATE OF ACHIEVEMENT",
    "associate": "ASSOCIATE IN ARTS FOR TRANSFER",
    "bachelor": "BACHELOR OF ARTS",
}


def search_day(year: int) -> int:
    """The day of a school year's report: after the twelve months of the class before have passed."""
    return day(year, 8, 20)


@dataclass(frozen=True)
class _Colleges:
    """What the Clearinghouse knows: terms and awards by person."""

    terms: Terms
    awards: Awards
    terms_of: dict[int, list[int]]
    awards_of: dict[int, list[int]]
    days: Text

    @classmethod
    def of(cls, terms: Terms, awards: Awards) -> _Colleges:
        return cls(terms, awards, _by_person(terms.person), _by_person(awards.person), day_words("compact"))

    def rows(self, person: int, until: int) -> Iterator[list[str]]:
        """The columns of a person's rows from the college's code on: terms, then degrees, before a day."""
        terms = [i for i in self.terms_of.get(person, ()) if self.terms.begin[i] < until]
        for number, i in enumerate(terms, start=1):
            dates = [str(self.days[self.terms.begin[i]]), str(self.days[self.terms.end[i]])]
            study = [*dates, str(self.terms.status[i]), *[""] * 5, "N", *[""] * 4, str(number), ""]
            yield [*COLLEGES[int(self.terms.college[i])], *study]
        for i in self.awards_of.get(person, ()):
            if self.awards.date[i] < until:
                degree = ["Y", str(self.days[self.awards.date[i]]), _DEGREES[str(self.awards.level[i])]]
                yield [*COLLEGES[int(self.awards.college[i])], *[""] * 8, *degree, "", "", str(len(terms)), ""]


@dataclass(frozen=True)
class _Request:
    """One district's question of one year: whom it asks about, under which return fields."""

    year: int
    organisation: int
    fields: Sequence[str]
    asked: Ints
    record: Ints


def clearinghouse_lines(
    completions: Completions,
    terms: Terms,
    awards: Awards,
    *,
    enrollments: Enrollments,
    records: Records,
    county: County,
    span: Span,
    rng: np.random.Generator,
) -> Iterator[FileLines]:
    """Of every searching district and year: the request map and the detail report on up to eight classes."""
    organisation = enrollments.organisation[completions.row]
    registration = enrollments.registration[completions.row]
    known = _Colleges.of(terms, awards)
    for year in span.years[1:]:
        recent = (completions.class_year < year) & (completions.class_year >= year - CLASSES_IN_REPORT)
        for place in (county.index(name) for name in SEARCHING):
            asked = rng.permutation(np.flatnonzero(recent & (organisation == place)))
            # Random for each request: never made from anything about the student.
            fields = [rng.bytes(8).hex() for _ in range(len(asked))]
            record = records.find(completions.person[asked], organisation[asked], registration[asked])
            request = _Request(year, place, fields, asked, record)
            yield _request_map(request, completions, records)
            yield _report(request, completions, records, known)


def _request_map(request: _Request, completions: Completions, records: Records) -> FileLines:
    date = day_words("compact")[search_day(request.year)]
    blocked = np.where(completions.blocked[request.asked], "Y", "N")
    columns = zip(request.fields, records.local_id[request.record], blocked, strict=True)
    lines = [f"{field},{local_id},{flag},{date}" for field, local_id, flag in columns]
    return one_file("NSCMAP", lines, year=request.year, organisation=request.organisation)


def _report(request: _Request, completions: Completions, records: Records, known: _Colleges) -> FileLines:
    until = search_day(request.year)
    searched = str(known.days[until])
    lines: list[str] = []
    for field, i, record in zip(request.fields, request.asked.tolist(), request.record.tolist(), strict=True):
        names = [str(getattr(records.after, name)[record]) for name in ("given", "middle", "surname")]
        head = [f"{field}_", names[0], names[1][:1], names[2], "", field]
        rows = [] if completions.blocked[i] else list(known.rows(int(completions.person[i]), until))
        for row in rows:
            lines.append(",".join([*head, "Y", searched, *row]))
        if not rows:
            lines.append(",".join([*head, "N", searched, *[""] * 20]))
    return one_file("NSC", lines, year=request.year, organisation=request.organisation)


def _by_person(person: Ints) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for i, one in enumerate(person.tolist()):
        found.setdefault(one, []).append(i)
    return found
