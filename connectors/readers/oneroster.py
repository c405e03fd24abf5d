"""OneRoster and School Data Sync rosters: who goes to which school in which grade; identity first, never a result."""

from __future__ import annotations

from connectors.readers.calpads import ENROLLMENT, race_ethnicity
from connectors.rows import Fact, RowReading, Values, fact, person_of, word

_NEEDED = ("school", "grade", "start_date")


def student(values: Values) -> RowReading:
    """One student at one school."""
    race = race_ethnicity(values)
    told = {**values, **({"race_ethnicity": race} if race else {})}
    codes = (() if race else ("DEM-001",)) + (() if _is_enrolled(values) else ("ROS-001",))
    facts: tuple[Fact, ...] = (fact("demographics", told, gender="gender", race_ethnicity="race_ethnicity"),)
    if _is_enrolled(values):
        facts = (enrollment(told), *facts)
    return RowReading(
        local_id=word(values, "local_id"),
        ssid=word(values, "ssid"),
        person=person_of(values, as_of=word(values, "start_date") or ""),
        facts=facts,
        codes=codes,
        as_of=word(values, "start_date") or "",
        named_by="itself",
    )


def enrollment(values: Values) -> Fact:
    """The enrollment that a row states."""
    ended = {"exit_date": values["end_date"]} if "end_date" in values else {}
    return fact("enrollment", {**values, **ended}, **ENROLLMENT)


def _is_enrolled(values: Values) -> bool:
    return all(name in values for name in _NEEDED)
