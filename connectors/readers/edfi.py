"""Ed-Fi resources, one row a fact: enrollment with identity, summative tests, attendance (docs/sources/edfi.md)."""

from __future__ import annotations

from connectors.readers.calpads import race_ethnicity
from connectors.readers.oneroster import enrollment as enrolled
from connectors.rows import Fact, RowReading, Values, fact, person_of, word


def enrollment(values: Values) -> RowReading:
    """One student at one school, with what the education organization says of the student."""
    race = race_ethnicity(values)
    told = {**values, **({"race_ethnicity": race} if race else {})}
    demographics = fact(
        "demographics",
        told,
        gender="gender",
        race_ethnicity="race_ethnicity",
        english_learner_status="english_learner_status",
    )
    stays = all(name in values for name in ("school", "grade", "start_date"))
    facts: tuple[Fact, ...] = (enrolled(told), demographics) if stays else (demographics,)
    start = word(values, "start_date") or ""
    return RowReading(
        local_id=word(values, "local_id"),
        ssid=word(values, "ssid"),
        person=person_of(values, as_of=start),
        facts=facts,
        codes=(() if race else ("DEM-001",)) + (() if stays else ("ROS-001",)),
        as_of=start,
        named_by="itself",
    )


def assessment(values: Values) -> RowReading:
    """One summative test; a test of another kind or grade gives no fact."""
    local_id, ssid = word(values, "local_id"), word(values, "ssid")
    if "subject" not in values or "grade_assessed" not in values:
        return RowReading(local_id=local_id, ssid=ssid, codes=("AST-001",))
    valid = "achievement_level" in values
    test = fact(
        "assessment",
        {**values, "valid": "Y" if valid else "N"},
        subject="subject",
        grade_assessed="grade_assessed",
        achievement_level="achievement_level",
        valid="valid",
    )
    return RowReading(local_id=local_id, ssid=ssid, facts=(test,), codes=() if valid else ("AST-003",))


def attendance(values: Values) -> RowReading:
    """Days expected and attended at one school."""
    days = fact("attendance", values, school="school", days_expected="days_expected", days_attended="days_attended")
    too_many = float(values["days_attended"]) > float(values["days_expected"])
    return RowReading(
        local_id=word(values, "local_id"),
        ssid=word(values, "ssid"),
        facts=(days,),
        codes=("NUM-054",) if too_many else (),
    )
