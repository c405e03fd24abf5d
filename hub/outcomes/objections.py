"""Whose rows of a snapshot are not counted, since the family objected: beside counting, before it.

What is not final yet is counted without those who object now. A cohort of which something was told stays as it was
first told, whoever objected since or took it back: later figures of the same children would else differ from those
by one child, and that difference would be the child.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.agreements.service import known_versions
from hub.linking.service import links_of
from hub.outcomes.schema import PERSON
from hub.outcomes.tables import SnapshotRow
from hub.submissions.opt_outs import Objection, objections_at
from hub.submissions.tables import Submission
from policies.opt_outs import takes_out
from policies.pseudonyms import Pseudonyms
from policies.table_requests import kin

BlockKey = tuple[str, int]
LEFT_OUT_SCHEMA = pa.schema(
    [("provider", pa.string()), ("kind", pa.string()), ("school_year", pa.int32()), (PERSON, pa.string())]
)


@dataclass(frozen=True)
class Leaving:
    """By set of objections, what is counted without them: those of today for all that was not told, and for each
    cohort that was told those of its first telling."""

    today: frozenset[Objection] = field(repr=False)
    earlier: Mapping[BlockKey, frozenset[Objection]] = field(repr=False)

    def of(self, indicator: str, cohort_year: int) -> frozenset[Objection]:
        """The objections that this indicator's figures of a cohort honour."""
        return self.earlier.get((indicator, cohort_year), self.today)

    def sets(self, indicators: Sequence[str]) -> dict[frozenset[Objection], list[str]]:
        """Every set that must be counted without, with the indicators that need it; that of today needs all."""
        found = {self.today: list(indicators)}
        for (indicator, _), objections in sorted(self.earlier.items(), key=lambda item: item[0]):
            needed = found.setdefault(objections, [])
            if indicator in indicators and indicator not in needed:
                needed.append(indicator)
        return {objections: names for objections, names in found.items() if names}


def leaving(session: Session, snapshot: str, *, indicators: Sequence[str], told: Mapping[BlockKey, str]) -> Leaving:
    """Whom each figure of a snapshot is counted without.

    Args:
        told: of each indicator and cohort year that is final, the snapshot from which it was told first.
    """
    moments = dict(session.execute(select(SnapshotRow.id, SnapshotRow.taken_at)).all())
    today = objections_at(session, moments[snapshot])
    earlier: dict[BlockKey, frozenset[Objection]] = {}
    for indicator in indicators:
        family = kin(indicator)
        for year in {year for name, year in told if name in family}:
            first = min(moments[told[name, year]] for name in family if (name, year) in told)
            objections = objections_at(session, first)
            if objections != today:
                earlier[indicator, year] = objections
    return Leaving(today, earlier)


def left_out(
    session: Session, objections: frozenset[Objection], *, submissions: Sequence[str], run: int, under: Pseudonyms
) -> pa.Table:
    """The rows that the objections take out of a snapshot: by submission and the person's pseudonym."""
    if not objections:
        return LEFT_OUT_SCHEMA.empty_table()
    agreements = {(one.id, one.version): one for one in known_versions(session)}
    links = links_of(session, run)
    person = dict(zip(zip(links.provider, links.reference, strict=True), links.person, strict=True))
    objecting: dict[str, list[Objection]] = {}
    for one in objections:
        objecting.setdefault(one.provider, []).append(one)
    rows = []
    for sent in session.scalars(select(Submission).where(Submission.id.in_(submissions))):
        agreement = agreements[sent.agreement, sent.agreement_version]
        for one in objecting.get(sent.provider, ()):
            if takes_out(one.scope, agreement, kind=sent.kind):
                who = person.get((one.provider, one.reference), _alone(one))
                rows.append((sent.provider, sent.kind, sent.school_year, under.of(who)))
    columns = zip(*sorted(set(rows)), strict=True) if rows else ((), (), (), ())
    return pa.table(dict(zip(LEFT_OUT_SCHEMA.names, columns, strict=True)), schema=LEFT_OUT_SCHEMA)


def _alone(one: Objection) -> str:
    """The id of a record that no link names, as `hub.outcomes.snapshot` makes it."""
    return sha256(f"alone\n{one.provider}\n{one.reference}".encode()).hexdigest()[:32]
