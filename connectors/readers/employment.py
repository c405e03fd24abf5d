"""The wage authority's aggregate file, and individual wage records, of which nothing is taken.

The aggregate is counts by class and group, nobody's record (docs/sources/employment.md).
"""

from __future__ import annotations

from connectors.rows import RowReading, Values


def aggregate(values: Values) -> RowReading:
    """One group; refused where more are matchable than there are, or more employed than matchable."""
    ordered = int(values.get("employed", 0)) <= int(values.get("matchable", 0)) <= int(values.get("persons", 0))
    codes = () if ordered else ("EMP-001",)
    return RowReading(facts=(("employment_aggregate", dict(values)),), codes=codes, named_by="nobody")


def wage(values: Values) -> RowReading:
    """One person's wages of one quarter: checked, and nothing of it is used; send the aggregate instead."""
    return RowReading(codes=("EMP-002",), named_by="nobody")
