"""A college's three tables: people, term enrollments and awards, joined by the college's own student number."""

from __future__ import annotations

from connectors.readers.calpads import race_ethnicity
from connectors.rows import RowReading, Values, fact, person_of, word


def student(values: Values) -> RowReading:
    """One student of the college."""
    race = race_ethnicity(values)
    told = {**values, **({"race_ethnicity": race} if race else {})}
    facts = (fact("demographics", told, gender="gender", race_ethnicity="race_ethnicity"),)
    return RowReading(
        local_id=word(values, "local_id"),
        ssid=word(values, "ssid"),
        person=person_of(values),
        facts=facts,
        named_by="itself",
    )


def term(values: Values) -> RowReading:
    """One student in one term."""
    enrolled = fact(
        "college_enrollment",
        values,
        college="college",
        college_type="college_type",
        begin_date="begin_date",
        end_date="end_date",
        enrollment_status="enrollment_status",
    )
    return RowReading(local_id=word(values, "local_id"), facts=(enrolled,))


def award(values: Values) -> RowReading:
    """One degree or certificate."""
    won = fact("award", values, college="college", award_level="award_level", award_date="award_date")
    return RowReading(local_id=word(values, "local_id"), facts=(won,))
