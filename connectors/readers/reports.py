"""CALPADS report exports with titles, which county analysts hold instead of the files: absences, profile, cohort.

They name a student by state number, so the year's enrollment must lie beside them (docs/sources/calpads-reports.md).
"""

from __future__ import annotations

from connectors.readers.calpads import race_ethnicity
from connectors.rows import Fact, RowReading, Values, fact, word

_ALL_SCHOOLS = "all-schools"


def absences(values: Values) -> RowReading:
    """Report 14.2: days expected less days absent; more absent than expected is refused."""
    expected, absent = float(values["days_expected"]), float(values["days_absent"])
    told = {"school": _ALL_SCHOOLS, **values, "days_attended": max(expected - absent, 0.0)}
    attendance = fact("attendance", told, school="school", days_expected="days_expected", days_attended="days_attended")
    return _reading(values, (attendance,), codes=("NUM-054",) if absent > expected else ())


def profile(values: Values) -> RowReading:
    """Report 8.1: race and ethnicity, gender, and whether the student is an English learner now."""
    race = race_ethnicity(values)
    told = {**values, **({"race_ethnicity": race} if race else {})}
    if values.get("english_learner") == "Y":
        told["english_learner_status"] = "EL"
    demographics = fact(
        "demographics",
        told,
        gender="gender",
        race_ethnicity="race_ethnicity",
        english_learner_status="english_learner_status",
    )
    return _reading(values, (demographics,), codes=() if race else ("DEM-001",))


def cohort(values: Values) -> RowReading:
    """The cohort outcome list: read for checking; SENR says the same with its dates."""
    return _reading(values, (), codes=("CAL-001",))


def _reading(values: Values, facts: tuple[Fact, ...], *, codes: tuple[str, ...]) -> RowReading:
    return RowReading(local_id=word(values, "local_id"), ssid=word(values, "ssid"), facts=facts, codes=codes)
