"""CAASPP student score files: summative English and mathematics, joined to the district's own students.

RecordType 01 is English, 02 mathematics; all others are tests that no outcome uses. A score is valid when its status
is V and the student attempted and is included (state's score file; docs/sources/caaspp.md).
"""

from __future__ import annotations

from connectors.rows import RowReading, Values, fact, word

_SUBJECTS = {"01": "ELA", "02": "MATH"}


def score(values: Values) -> RowReading:
    """One test of one student; a valid score without a level is rejected."""
    subject = _SUBJECTS.get(str(values.get("record_type")))
    if subject is None:
        return _reading(values, codes=("AST-001",))
    valid = (
        values.get("score_status") == "V"
        and str(values.get("attemptedness", "Y")).upper() in ("Y", "YES")
        and str(values.get("include", "Y")).upper() in ("Y", "YES")
    )
    if valid and "achievement_level" not in values:
        return _reading(values, codes=("AST-002",))
    told = {**values, "subject": subject, "valid": "Y" if valid else "N"}
    test = fact(
        "assessment",
        told,
        subject="subject",
        grade_assessed="grade_assessed",
        achievement_level="achievement_level",
        valid="valid",
        economic_disadvantage="economic_disadvantage",
    )
    return _reading(values, facts=(test,), codes=() if valid else ("AST-003",))


def proficiency(values: Values) -> RowReading:
    """One English proficiency test: its score is not used, the student's acquisition status is."""
    status: tuple[tuple[str, Values], ...] = ()
    if "english_learner_status" in values:
        status = (fact("demographics", values, english_learner_status="english_learner_status"),)
    return _reading(values, facts=status, codes=("AST-005",))


def _reading(values: Values, *, facts: tuple[tuple[str, Values], ...] = (), codes: tuple[str, ...] = ()) -> RowReading:
    local_id, ssid = word(values, "local_id"), word(values, "ssid")
    nobody = ("IDN-007",) if local_id is None and ssid is None else ()
    return RowReading(local_id=local_id, ssid=ssid, facts=facts, codes=codes + nobody)
