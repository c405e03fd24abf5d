"""Encodes a roster into view rows and span rows: at the edge, the last step before sealing.

Columns, not records: every distinct name, view value and tag is worked out once and the keyed
functions run over whole arrays. Two encodings of one record under one secret differ only in their
sealed ids and places, so that the hub may compare a child's ten school years once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from linkage.encode.columns import RosterColumns, roster_columns
from linkage.encode.dummies import with_dummies
from linkage.encode.keys import check_secret
from linkage.encode.person import ClearPerson, SpanFacts
from linkage.encode.tables import name_tables
from linkage.encode.views import encode_view
from linkage.errors import LinkageError
from linkage.profile import ViewProfile
from linkage.rows import SPAN_FULL_TIME, SPAN_ROW, SPAN_SSID_PRESENT, Rows
from linkage.schema import MINIMUM_RECORDS, LinkageSchema


@dataclass(frozen=True)
class EncodedRoster:
    """What crosses the wall of one roster, before sealing; `records` counts the dummies."""

    rows: dict[str, Rows]
    spans: Rows
    profile: dict[str, ViewProfile]
    records: int
    padded: bool


def encode_roster(
    people: Sequence[ClearPerson],
    *,
    spans: Sequence[SpanFacts],
    schema: LinkageSchema,
    secret: bytes,
    submission_key: bytes,
    views: Sequence[str] = (),
    minimum_records: int = MINIMUM_RECORDS,
    rng: np.random.Generator,
) -> EncodedRoster:
    """View rows by view, shuffled, and span rows of a whole roster, padded by dummies up to the minimum size.

    Without `views` the default views of the schema.

    Raises LinkageError `record_repeated`, `record_without_span`, `span_without_record`, `wrong_key_length`,
    `bad_reference` or `unknown_view`.
    """
    check_secret(secret, name="linkage secret")
    check_secret(submission_key, name="submission key")
    _check_records(people, spans=spans)
    everyone, all_spans = with_dummies(people, spans=spans, minimum_records=minimum_records, rng=rng)
    columns = roster_columns(everyone, tables=name_tables(schema), maximum_variants=schema.maximum_variants)
    rows: dict[str, Rows] = {}
    profile: dict[str, ViewProfile] = {}
    for name in views or schema.default_views:
        rows[name], profile[name] = encode_view(
            columns, view=schema.view(name), schema=schema, secret=secret, submission_key=submission_key, rng=rng
        )
    return EncodedRoster(
        rows=rows,
        spans=_span_rows(all_spans, columns=columns, rng=rng),
        profile=profile,
        records=len(everyone),
        padded=len(everyone) > len(people),
    )


def _check_records(people: Sequence[ClearPerson], *, spans: Sequence[SpanFacts]) -> None:
    records = {person.local_record for person in people}
    spanned = {span.local_record for span in spans}
    if len(records) < len(people):
        raise LinkageError(
            "record_repeated", "roster", next_step="give every student of the roster a number of its own"
        )
    if records - spanned:
        raise LinkageError("record_without_span", "roster", next_step="give every student at least one span")
    if spanned - records:
        raise LinkageError("span_without_record", "roster", next_step="leave out spans of students not in the roster")
    if any(len(span.reference) != 16 for span in spans):
        raise LinkageError("bad_reference", "spans", next_step="a record reference has 16 bytes")


def _span_rows(spans: Sequence[SpanFacts], *, columns: RosterColumns, rng: np.random.Generator) -> Rows:
    rows = np.zeros(len(spans), dtype=SPAN_ROW)
    rows["record"] = [span.local_record for span in spans]
    rows["reference"] = np.frombuffer(b"".join(span.reference for span in spans), dtype="V16")
    rows["school_year"] = [span.school_year for span in spans]
    rows["grade"] = [span.grade for span in spans]
    rows["start"] = [span.start_month for span in spans]
    rows["end"] = [span.end_month for span in spans]
    rows["flags"] = [
        (SPAN_SSID_PRESENT if span.local_record in columns.records_with_ssid else 0)
        | (SPAN_FULL_TIME if span.full_time else 0)
        for span in spans
    ]
    return rows[rng.permutation(len(rows))]
