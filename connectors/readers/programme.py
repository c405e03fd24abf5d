"""A community partner's own roster: who took part in which programme from when to when."""

from __future__ import annotations

from connectors.readers.calpads import race_ethnicity
from connectors.rows import RowReading, Values, fact, person_of, word


def participant(values: Values) -> RowReading:
    """One participation of one person."""
    race = race_ethnicity(values)
    told = values if race is None else {**values, "race_ethnicity": race}
    facts = (
        fact("programme", values, programme="programme", start_date="start_date", end_date="end_date"),
        fact("demographics", told, gender="gender", race_ethnicity="race_ethnicity"),
    )
    person = person_of(values, as_of=word(values, "start_date") or "")
    return RowReading(local_id=word(values, "local_id"), person=person, facts=facts, named_by="itself")
