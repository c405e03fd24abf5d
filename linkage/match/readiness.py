"""Compiles what compares rows and joins records, so that a hub's first run need not: at the hub, before linkage."""

from __future__ import annotations

from itertools import count

import numpy as np

from linkage.match.grouping import RosterRows
from linkage.match.pairs import ViewChange
from linkage.match.person_table import empty_table
from linkage.match.resolver_change import resolve_change
from linkage.match.resolver_memory import ResolverMemory, empty_records
from linkage.match.spans import RosterSpans
from linkage.match.view_memory import compare_change, empty_memory
from linkage.rows import SPAN_ROW, VIEW_ROW, Rows
from linkage.schema import LinkageSchema, current_schema
from linkage.sealed_ids import seal_records

_RECORDS, _VIEWS = 3, 2
_KEY = bytes(32)
"""No secret: it seals the numbers of rows that are all nought."""


def compile_kernels() -> None:
    """Links two rosters of nobody, through every compiled function; what is compiled already is loaded alone."""
    schema, numbers = current_schema(), count()
    changes = [_compared(schema, name) for name in schema.default_views[:_VIEWS]]
    resolve_change(
        ResolverMemory(empty_records(), {}),
        empty_table(),
        added=[RosterSpans(number, number, _KEY, _spans(number)) for number in range(2)],
        gone=(),
        changes=changes,
        schema=schema,
        new_id=lambda: f"{next(numbers):032x}",
        confirmed={},
    )


def _compared(schema: LinkageSchema, view: str) -> ViewChange:
    rows = _rows(schema.view(view).number)
    added = [RosterRows(number, number, rows) for number in range(2)]
    return compare_change(empty_memory(view), added=added, gone=(), schema=schema)[1]


def _rows(view: int) -> Rows:
    rows = np.zeros(_RECORDS, dtype=VIEW_ROW)
    record = np.arange(_RECORDS, dtype=np.uint64)
    rows["view"] = view
    rows["sealed_id"] = seal_records(record, nonces=record, key=_KEY).view("V16").reshape(-1)
    rows["token"] = np.arange(_RECORDS, dtype="<u8").repeat(2).view("V16")
    return rows


def _spans(roster: int) -> Rows:
    spans = np.zeros(_RECORDS, dtype=SPAN_ROW)
    spans["record"] = np.arange(_RECORDS)
    spans["reference"] = (np.arange(_RECORDS, dtype="<u8") + np.uint64(_RECORDS * roster)).repeat(2).view("V16")
    return spans
