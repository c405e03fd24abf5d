"""CALPADS input files and ODS extracts: enrollment, information, language, program and absence rows.

Meanings of codes: CALPADS data guide and code sets. A row of transaction D says that a record is gone: it is not used.
"""

from __future__ import annotations

from connectors.rows import Fact, PersonPart, RowReading, Values, fact, person_of, word

ENROLLMENT = {name: name for name in (
    "school", "grade", "enrollment_status", "start_date", "exit_date", "exit_reason", "completion_status",
)}  # fmt: skip
"""Elements of an enrollment by the column that states each, the same in every roster of students."""


def enrollment(values: Values) -> RowReading:
    """SENR: names the student and one enrollment; N470 is a student who never came (data guide T93)."""
    facts = (
        fact("enrollment", values, **ENROLLMENT, uc_csu_met="uc_csu_met"),
        fact("demographics", values, gender="gender"),
    )
    person = person_of(values, as_of=word(values, "start_date") or "")
    return _reading(values, person=person, facts=facts, named_by="itself")


def information(values: Values) -> RowReading:
    """SINF: names, address and what disaggregates; effective-dated, so the latest row counts."""
    race = race_ethnicity(values)
    with_race = values if race is None else {**values, "race_ethnicity": race}
    facts = (
        fact(
            "demographics",
            with_race,
            gender="gender",
            race_ethnicity="race_ethnicity",
            parent_education="parent_education",
        ),
    )
    codes = () if race else ("DEM-001",)
    return _reading(
        values, person=person_of(values, as_of=word(values, "effective_date") or ""), facts=facts, codes=codes
    )


def language(values: Values) -> RowReading:
    """SELA: the English language acquisition status."""
    return _reading(values, facts=(fact("demographics", values, english_learner_status="english_learner_status"),))


def program(values: Values) -> RowReading:
    """SPRG: one programme; a code that the dictionary does not ask for gives no fact."""
    named = "program_code" in values
    facts = (fact("program", values, program_code="program_code", start_date="start_date", end_date="end_date"),)
    return _reading(values, facts=facts if named else ())


def absence(values: Values) -> RowReading:
    """STAS: days expected and attended at one school."""
    attendance = fact(
        "attendance", values, school="school", days_expected="days_expected", days_attended="days_attended"
    )
    too_many = float(values.get("days_attended", 0)) > float(values.get("days_expected", 0))
    return _reading(values, facts=(attendance,), codes=("NUM-054",) if too_many else ())


def race_ethnicity(values: Values) -> str | None:
    """The reporting category: Hispanic first, then two or more, then the one race (34 CFR 76 guidance of 2007)."""
    if values.get("hispanic") == "Y":
        return "500"
    races = {str(value) for name, value in values.items() if name == "race" or name.startswith("race_")}
    if "500" in races:
        return "500"
    return "800" if len(races) > 1 else next(iter(races), None)


def _reading(
    values: Values,
    *,
    facts: tuple[Fact, ...],
    person: PersonPart | None = None,
    codes: tuple[str, ...] = (),
    named_by: str = "roster",
) -> RowReading:
    as_of = word(values, "effective_date") or word(values, "start_date") or ""
    deleted = ("ROW-002",) if word(values, "transaction") == "D" else ()
    return RowReading(
        local_id=word(values, "local_id"),
        ssid=word(values, "ssid"),
        person=person,
        facts=facts,
        codes=codes + deleted,
        as_of=as_of,
        named_by=named_by,
    )
