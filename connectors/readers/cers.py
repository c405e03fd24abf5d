"""The assessment reporting system's export: summative tests only; interim ones are left out by name.

It holds no birth date and links by state number alone (docs/sources/cers.md).
"""

from __future__ import annotations

from connectors.rows import RowReading, Values, fact, word


def score(values: Values) -> RowReading:
    """One test of one student: interim tests and other subjects give no fact, an unscored one is not valid."""
    ssid = word(values, "ssid")
    if values.get("subtype") != "SUM":
        return RowReading(ssid=ssid, codes=("AST-004",))
    if "subject" not in values:
        return RowReading(ssid=ssid, codes=("AST-001",))
    valid = "achievement_level" in values
    test = fact(
        "assessment",
        {**values, "valid": "Y" if valid else "N"},
        subject="subject",
        grade_assessed="grade_assessed",
        achievement_level="achievement_level",
        valid="valid",
    )
    return RowReading(ssid=ssid, facts=(test,), codes=() if valid else ("AST-003",))
