"""Writes what follows school: Clearinghouse reports with their request maps, the college's tables, a partner's roster, wages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product, repeat

import numpy as np

from connectors.synthetic.afterwards import COLLEGE_OF_MARIN, COLLEGES, Awards, Completions, Participations, Terms, Work
from connectors.synthetic.calibration import Text
from connectors.synthetic.calpads import FileLines, day_words
from connectors.synthetic.careers import Enrollments, day
from connectors.synthetic.early import RACE_WORDS
from connectors.synthetic.organisations import COLLEGE, PARTNER, SEARCHING, WAGES, County
from connectors.synthetic.people import Flags, Ints, People, Span
from connectors.synthetic.services import Services
from connectors.synthetic.writings import Addresses, Records

CLASSES_IN_REPORT = 8  # the graduates file goes back eight classes (NSC)
REPORT_TITLES = (
    "Your Unique Identifier", "First Name", "Middle Initial", "Last Name", "Name Suffix", "Requester Return Field",
    "Record Found Y/N", "Search Date", "College Code/Branch", "College Name", "College State", "2-year / 4-year",
    "Public / Private", "Enrollment Begin", "Enrollment End", "Enrollment Status", "Class Level", "Major 1", "CIP 1",
    "Major 2", "CIP 2", "Graduated?", "Graduation Date", "Degree Title", "Degree Major 1", "Degree CIP 1", "College Sequence",
    "Program Code",
)  # fmt: skip
MAP_TITLES = ("Requester Return Field", "Local Student ID", "FERPA Block", "Request Date")
PERSON_TITLES = ("Student ID", "Last Name", "First Name", "Middle Name", "Birth Date", "Gender", "ZIP", "Ethnicity")
TERM_TITLES = ("Student ID", "College", "Level", "Term Begin", "Term End", "Load")
AWARD_TITLES = ("Student ID", "College", "Award", "Award Date")
ROSTER_TITLES = (
    "Participant ID",
    "Last Name",
    "First Name",
    "Birth Date",
    "Gender",
    "ZIP",
    "Programme",
    "Start Date",
    "End Date",
)
WAGE_TITLES = ("completion_year", "years_after", "gender", "race_ethnicity", "economic_disadvantage", "persons", "matchable",
               "employed")  # fmt: skip
_DEGREES = {
    "certificate": "CERTIFICATE OF ACHIEVEMENT", "associate": "ASSOCIATE IN ARTS FOR TRANSFER", "bachelor": "BACHELOR OF ARTS",
}  # fmt: skip
_LOADS = {"F": "Full time", "H": "Half time", "L": "Less than half time", "W": "Withdrawn", "": ""}
_AWARDS = {"certificate": "Certificate", "associate": "Associate degree"}
COLLEGE_SOURCES = {
    "version": 1,
    "files": [
        {
            "pattern": "com_person_*.csv", "layout": "mapped", "kind": "college", "table": "person", "date_format": "%Y-%m-%d",
            "missing": [""],
            "titles": {"Student ID": "local_id", "Last Name": "surname", "First Name": "given", "Middle Name": "middle",
                       "Birth Date": "birth_date", "Gender": "gender", "ZIP": "postcode", "Ethnicity": "race_ethnicity"},
            "codes": {"gender": {"Woman": "F", "Man": "M", "Nonbinary": "X"},
                      "race_ethnicity": {word: code for code, word in RACE_WORDS.items() if code}},
        },
        {
            "pattern": "com_term_enrollment_*.csv", "layout": "mapped", "kind": "college", "table": "college_enrollment",
            "date_format": "%Y-%m-%d", "missing": [""],
            "titles": {"Student ID": "local_id", "College": "college", "Level": "college_type", "Term Begin": "begin_date",
                       "Term End": "end_date", "Load": "enrollment_status"},
            "codes": {"enrollment_status": {word: code for code, word in _LOADS.items() if code}},
        },
        {
            "pattern": "com_award_*.csv", "layout": "mapped", "kind": "college", "table": "award", "date_format": "%Y-%m-%d",
            "missing": [""],
            "titles": {"Student ID": "local_id", "College": "college", "Award": "award_level", "Award Date": "award_date"},
            "codes": {"award_level": {word: code for code, word in _AWARDS.items()}},
        },
    ],
}  # fmt: skip


def search_day(year: int) -> int:
    """The day of a school year's report: after the twelve months of the class before have passed."""
    return day(year, 8, 20)


def clearinghouse_lines(
    people: People,
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
    for year in span.years[1:]:
        recent = (completions.class_year < year) & (completions.class_year >= year - CLASSES_IN_REPORT)
        for name in SEARCHING:
            asked = np.flatnonzero(recent & (organisation == county.index(name)))
            asked = asked[rng.permutation(len(asked))]
            fields = _return_fields(len(asked), rng)
            record = records.find(
                completions.person[asked], organisation[asked], enrollments.registration[completions.row[asked]]
            )
            place = county.index(name)
            yield _request_map(year, place, fields, records.local_id[record], completions.blocked[asked])
            yield _report(year, place, fields, completions, asked, record, records=records, terms=terms, awards=awards)


def _return_fields(count: int, rng: np.random.Generator) -> list[str]:
    """Random for each request, as SOURCES asks: never made from anything about the student."""
    return [rng.bytes(8).hex() for _ in range(count)]


def _request_map(year: int, place: int, fields: Sequence[str], local_id: Text, blocked: Flags) -> FileLines:
    date = str(day_words("compact")[search_day(year)])
    lines = [f"{f},{i},{'Y' if b else 'N'},{date}" for f, i, b in zip(fields, local_id, blocked, strict=True)]
    return _one_file("NSCMAP", year, place, lines)


def _report(
    year: int,
    place: int,
    fields: Sequence[str],
    completions: Completions,
    asked: Ints,
    record: Ints,
    *,
    records: Records,
    terms: Terms,
    awards: Awards,
) -> FileLines:
    day_of = day_words("compact")
    until = search_day(year)
    terms_of, awards_of = _by_person(terms.person), _by_person(awards.person)
    lines: list[str] = []
    for field, i, r in zip(fields, asked.tolist(), record.tolist(), strict=True):
        person, after = int(completions.person[i]), int(completions.date[i])
        head = [
            f"{field}_",
            str(records.after.given[r]),
            str(records.after.middle[r])[:1],
            str(records.after.surname[r]),
            "",
            field,
        ]
        rows = [] if completions.blocked[i] else [t for t in terms_of.get(person, ()) if after < terms.begin[t] < until]
        degrees = [] if completions.blocked[i] else [a for a in awards_of.get(person, ()) if awards.date[a] < until]
        if not rows:
            lines.append(",".join([*head, "N", str(day_of[until]), *[""] * 20]))
            continue
        for number, t in enumerate(rows):
            college = COLLEGES[int(terms.college[t])]
            study = [str(day_of[terms.begin[t]]), str(day_of[terms.end[t]]), str(terms.status[t])]
            lines.append(
                ",".join(
                    [*head, "Y", str(day_of[until]), *college, *study, *[""] * 5, "N", *[""] * 4, str(number + 1), ""]
                )
            )
        for a in degrees:
            college = COLLEGES[int(awards.college[a])]
            degree = ["Y", str(day_of[awards.date[a]]), _DEGREES[str(awards.level[a])], "", "", str(len(rows)), ""]
            lines.append(",".join([*head, "Y", str(day_of[until]), *college, *[""] * 8, *degree]))
    return _one_file("NSC", year, place, lines)


def _by_person(person: Ints) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for i, one in enumerate(person.tolist()):
        found.setdefault(one, []).append(i)
    return found


def _one_file(name: str, year: int, place: int, lines: Sequence[str]) -> FileLines:
    count = len(lines)
    return FileLines(name, np.full(count, year), np.full(count, place), lines)


def college_years(begin: Ints) -> Ints:
    """School year of a day: July to June."""
    starts = np.array([day(y - 1, 7, 1) for y in range(2000, 2100)])
    return np.searchsorted(starts, begin, side="right") - 1 + 2000


def own_terms(terms: Terms, early: Terms, span: Span) -> tuple[Terms, Ints]:
    """Terms at College of Marin, of graduates and of students still in high school, by person; with their school year."""
    columns = {name: np.concatenate([getattr(early, name), getattr(terms, name)]) for name in Terms.__annotations__}
    year = college_years(columns["begin"])
    kept = np.flatnonzero((columns["college"] == COLLEGE_OF_MARIN) & (year >= span.first) & (year <= span.last))
    kept = kept[np.lexsort((columns["begin"][kept], columns["person"][kept], year[kept]))]
    return Terms(**{name: column[kept] for name, column in columns.items()}), year[kept]


def college_lines(
    people: People,
    terms: Terms,
    year: Ints,
    awards: Awards,
    *,
    records: Records,
    addresses: Addresses,
    county: County,
    span: Span,
) -> Iterator[FileLines]:
    """The college's three tables by school year."""
    place, days = county.index(COLLEGE), day_words("iso")
    code, _, _, level, _ = COLLEGES[COLLEGE_OF_MARIN]
    local = _local_ids(records, terms.person, place)
    lines = [
        ",".join(fields)
        for fields in zip(local, repeat(code), repeat(level), days[terms.begin], days[terms.end], [_LOADS[s] for s in terms.status],
                          strict=False)
    ]  # fmt: skip
    yield FileLines("COMTERM", year, np.full(len(year), place), lines)
    pairs = np.unique(year * 10_000_000 + terms.person)
    yield _college_people(
        people, pairs % 10_000_000, pairs // 10_000_000, records=records, addresses=addresses, place=place
    )
    won = college_years(awards.date - 60)
    mine = np.flatnonzero((awards.college == COLLEGE_OF_MARIN) & (won <= span.last))
    mine = mine[np.lexsort((awards.person[mine], won[mine]))]
    local = _local_ids(records, awards.person[mine], place)
    lines = [
        ",".join(fields)
        for fields in zip(
            local, repeat(code), [_AWARDS[a] for a in awards.level[mine]], days[awards.date[mine]], strict=False
        )
    ]
    yield FileLines("COMAWARD", won[mine], np.full(len(mine), place), lines)


def _college_people(
    people: People, person: Ints, year: Ints, *, records: Records, addresses: Addresses, place: int
) -> FileLines:
    record = records.find(person, np.full(len(person), place), np.zeros(len(person), dtype=np.int64))
    given, middle, surname, birth, gender = (
        records.column(name, record, year) for name in ("given", "middle", "surname", "birth", "gender")
    )
    words = {"F": "Woman", "M": "Man", "X": "Nonbinary"}
    columns = (
        records.local_id[record], surname, given, middle, birth, [words.get(g, "") for g in gender],
        addresses.at(person, year)[1], [RACE_WORDS[r] for r in people.race[person]],
    )  # fmt: skip
    return FileLines(
        "COMPERSON", year, np.full(len(person), place), [",".join(fields) for fields in zip(*columns, strict=True)]
    )


def _local_ids(records: Records, person: Ints, place: int) -> Text:
    found = records.find(person, np.full(len(person), place), np.zeros(len(person), dtype=np.int64))
    return np.asarray(records.local_id[found], dtype=object)


def programme_lines(joined: Participations, *, records: Records, addresses: Addresses, county: County) -> FileLines:
    """The partner's roster by school year."""
    order = np.lexsort((joined.person, joined.year))
    person, year = joined.person[order], joined.year[order]
    place, days = county.index(PARTNER), day_words("us")
    record = records.find(person, np.full(len(person), place), np.zeros(len(person), dtype=np.int64))
    given, surname, birth, gender = (
        records.column(name, record, year) for name in ("given", "surname", "birth", "gender")
    )
    born = [f"{b[5:7]}/{b[8:]}/{b[:4]}" if b else "" for b in birth]
    columns = (
        records.local_id[record], surname, given, born, gender, addresses.at(person, year)[1], joined.programme[order],
        days[joined.start[order]], days[joined.end[order]],
    )  # fmt: skip
    return FileLines(
        "PROGRAMME", year, np.full(len(person), place), [",".join(fields) for fields in zip(*columns, strict=True)]
    )


def wage_lines(people: People, work: Work, poor: Flags, *, county: County, span: Span) -> Iterator[FileLines]:
    """Counts by class, years after and group: in the file of a year, the classes as they stand in that year."""
    place = county.index(WAGES)
    for year in span.years[1:]:
        lines: list[str] = []
        for class_year in range(span.first, year):
            lines.extend(_wage_cells(people, work, poor, class_year, years_after=year - class_year))
        yield _one_file("WAGES", year, place, lines)


def _wage_cells(people: People, work: Work, poor: Flags, class_year: int, *, years_after: int) -> Iterator[str]:
    here = work.class_year == class_year
    gender, race = people.gender[work.person], np.where(people.race[work.person] == "", "999", people.race[work.person])
    status = np.where(poor[work.person], "Y", "N")
    races = ("100", "200", "300", "400", "500", "600", "700", "800", "999")
    for g, r, s in product(("M", "F", "X", "U"), races, ("Y", "N", "U")):
        cell = here & (gender == g) & (race == r) & (status == s)
        matched = cell & work.matchable
        employed = matched & work.employed_by[years_after - 1]
        yield f"{class_year},{years_after},{g},{r},{s},{int(cell.sum())},{int(matched.sum())},{int(employed.sum())}"


def ever_poor(services: Services, enrollments: Enrollments, people: People) -> Flags:
    """Disadvantaged in any of the school years seen."""
    flags = np.zeros(len(people), dtype=bool)
    flags[enrollments.person[services.poor]] = True
    return flags
