"""Kindergarten readiness files (KSEP and like instruments), joined to the district's own students."""

from __future__ import annotations

from connectors.rows import RowReading, Values, fact, word


def readiness(values: Values) -> RowReading:
    """One assessment of one child: instrument, version, day, total and band."""
    assessed = fact(
        "readiness",
        values,
        instrument="instrument",
        instrument_version="instrument_version",
        assessed_on="assessed_on",
        total_score="total_score",
        band="band",
    )
    local_id, ssid = word(values, "local_id"), word(values, "ssid")
    codes = ("IDN-007",) if local_id is None and ssid is None else ()
    return RowReading(local_id=local_id, ssid=ssid, facts=(assessed,), codes=codes)
