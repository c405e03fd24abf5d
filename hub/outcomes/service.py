"""Takes snapshots of the linked facts and counts them: after linking, before release.

Computing is long and changes nothing, so it happens outside the writing transaction: files first (addressed by
content, so done twice is done once), then one transaction with its audit event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.agreements.salts import AgreementKey, pseudonyms_under
from hub.agreements.service import known_agreements
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.db import Database
from hub.errors import Conflict, StoreError
from hub.files import AnalysisStore
from hub.linking.service import current_links, threshold_links
from hub.linking.tables import LinkageRun
from hub.outcomes.counting import count_together
from hub.outcomes.linkage_measures import MOVED_SCHEMA
from hub.outcomes.objections import BlockKey, leaving, left_out
from hub.outcomes.rows import open_counter
from hub.outcomes.snapshot import (
    PersonLinks,
    SubmittedFacts,
    content_hash,
    of_grades,
    parquet_bytes,
    read_parquet,
    snapshot_tables,
)
from hub.outcomes.tables import SnapshotRow
from hub.submissions.agreed import agreed, grades_in_force
from hub.submissions.opt_outs import standing_ids
from hub.submissions.service import AcceptedSubmission
from policies.decision import Decision, decide_count
from policies.dictionary import dictionary
from policies.disclosure.types import Block, TableDeclaration
from policies.indicator_files import indicators
from policies.organisation_files import organisations
from policies.pseudonyms import Pseudonyms
from policies.submission import canonical_json

FORMAT = "promise-snapshot/1"
NO_GRADES: Mapping[str, frozenset[str]] = MappingProxyType({})
NOTHING_TOLD: Mapping[BlockKey, str] = MappingProxyType({})


@dataclass(frozen=True)
class Snapshot:
    """An immutable snapshot: what it was made of, and where its tables lie."""

    id: str
    linkage_version: int
    manifest: Mapping[str, Any] = field(repr=False)
    files: Mapping[str, str] = field(repr=False)


def take_snapshot(database: Database, *, analysis: AnalysisStore, audit: AuditTrail) -> Snapshot:
    """The facts of all accepted submissions under the linkage version that holds; the same inputs give the same id.

    Persons stand in it by their pseudonyms under the agreements of these submissions. Raises Conflict before the first
    linkage run, when a submission was accepted after the run that holds, and where an agreement's salt was destroyed.
    """
    with database.reading() as session:
        links = current_links(session)
        submissions = agreed(session, day=audit.clock().date())
        _check_all_linked(session, links.version, submissions)
        objecting = standing_ids(session)
        grades = grades_in_force(session, submissions, day=audit.clock().date())
    agreements = sorted({(one.agreement, one.agreement_version) for one in submissions})
    under = pseudonyms_under(database, agreements, analysis=analysis, audit=audit)
    persons = PersonLinks(links.provider, links.reference, links.person)
    facts = submitted_facts(submissions, analysis=analysis, grades=grades)
    tables = snapshot_tables(facts, links=persons, organisations=organisations(), under=under, choice=analysis.engine)
    snapshot = _store(tables, links.version, submissions, agreements=agreements, objecting=objecting, analysis=analysis)
    with database.transaction() as session:
        _record(session, snapshot, audit=audit)
    return snapshot


def open_snapshot(snapshot: Snapshot, *, analysis: AnalysisStore) -> dict[str, pa.Table]:
    """The tables of a snapshot; raises StoreError when a file is not what the manifest names."""
    tables = {}
    for name, file in snapshot.files.items():
        content = analysis.get(file)
        if content_hash(content) != snapshot.manifest["tables"][name]["sha256"]:
            raise StoreError("A file of a snapshot is not what its manifest names.", code="snapshot-changed")
        tables[name] = read_parquet(content, name)
    return tables


def newest_snapshot(session: Session) -> Snapshot | None:
    """The snapshot that was taken last, if any."""
    rows = session.scalars(select(SnapshotRow).order_by(SnapshotRow.taken_at.desc(), SnapshotRow.id))
    return next((_known(row) for row in rows if row.files), None)


def read_snapshot(session: Session, snapshot: str) -> Snapshot | None:
    """The snapshot of this id, if it is there and was not destroyed."""
    row = session.get(SnapshotRow, snapshot)
    return None if row is None or not row.files else _known(row)


def _known(row: SnapshotRow) -> Snapshot:
    return Snapshot(row.id, row.linkage_version, row.manifest, row.files)


def blocks(
    database: Database,
    snapshot: Snapshot,
    *,
    analysis: AnalysisStore,
    tables: Mapping[str, Sequence[TableDeclaration]],
    audit: AuditTrail,
    told: Mapping[BlockKey, str] = NOTHING_TOLD,
) -> tuple[Block, ...]:
    """Count every declared table once, by indicator and cohort year: the base counts for disclosure control.

    What an agreement behind the snapshot does not let be counted is left out, with an event that names the rule.

    Args:
        told: of each indicator and cohort year that is final, the snapshot from which it was told first; families'
            objections of that moment go on to hold for its cohort (`hub.outcomes.objections`).
    """
    tables, read = _countable(database, tables, snapshot, audit=audit)
    agreements = [(str(name), int(version)) for name, version in snapshot.manifest["agreements"]]
    under = pseudonyms_under(database, agreements, analysis=analysis, audit=audit)
    with database.reading() as session:
        moved = moved_records(session, snapshot.linkage_version, under=under)
        without = leaving(session, snapshot.id, indicators=tuple(tables), told=told)
    held = open_snapshot(snapshot, analysis=analysis)
    counted: list[Block] = []
    for objections, names in without.sets(tuple(tables)).items():
        with database.reading() as session:
            rows = left_out(
                session, objections, submissions=snapshot.manifest["submissions"], run=snapshot.linkage_version,
                under=under,
            )  # fmt: skip
        with open_counter(
            held, organisations=organisations(), moved=moved, left_out=rows, choice=analysis.engine
        ) as counter:
            found = count_together(counter, {name: tables[name] for name in tables if name in names})
        counted += [one for one in found if without.of(one.indicator, one.cohort_year) == objections]
    counted = _in_order(counted, tables)
    with database.transaction() as session:
        append(
            session,
            audit,
            EventType.COUNTED,
            resource=f"snapshot:{snapshot.id}",
            counts={
                "blocks": len(counted),
                "base_cells": sum(len(block.cells) for block in counted),
                **({"objections": len(without.today)} if without.today else {}),
            },
            decision="permitted",
            rule="R-00",
            versions={**read, **definition_versions(tuple(tables))},
        )
    return tuple(counted)


def _in_order(counted: Sequence[Block], tables: Mapping[str, object]) -> list[Block]:
    """As one count gives them: indicators in their order, years within."""
    place = {name: at for at, name in enumerate(tables)}
    return sorted(counted, key=lambda block: (place[block.indicator], block.cohort_year))


def _countable(
    database: Database, tables: Mapping[str, Sequence[TableDeclaration]], snapshot: Snapshot, *, audit: AuditTrail
) -> tuple[dict[str, Sequence[TableDeclaration]], dict[str, str]]:
    """The tables that the decision lets be counted from what the snapshot was made of, and the agreements by which;
    a refusal leaves its event."""
    given = {str(name) for name, _ in snapshot.manifest["agreements"]}
    with database.reading() as session:
        known = known_agreements(session)
    countable: dict[str, Sequence[TableDeclaration]] = {}
    refused: list[tuple[str, Decision]] = []
    read: dict[str, str] = {}
    for indicator, declared in tables.items():
        for table in declared:
            decision = decide_count(
                indicator, table.dimensions, agreements=known, given=given, day=audit.clock().date()
            )
            if decision.permitted:
                read |= decision.versions
                countable[indicator] = (*countable.get(indicator, ()), table)
            else:
                refused.append((f"{indicator}/{table.name}", decision))
    if refused:
        with database.transaction() as session:
            for resource, decision in refused:
                append(
                    session, audit, EventType.COUNT_REFUSED, resource=resource, decision="refused",
                    rule=decision.rule, outcome="refused", versions=decision.versions,
                )  # fmt: skip
    return countable, read


def moved_records(session: Session, version: int, *, under: Pseudonyms) -> dict[str, pa.Table]:
    """By threshold whose records of one provider would be another person's than under the run, by pseudonym."""
    found: dict[str, pa.Table] = {}
    for threshold, rows in threshold_links(session, version).items():
        named = [(provider, under.of(person), under.of(other)) for provider, person, other in rows]
        columns = zip(*named, strict=True)
        found[threshold] = pa.table(dict(zip(MOVED_SCHEMA.names, columns, strict=True)), schema=MOVED_SCHEMA)
    return found


def definition_versions(names: Sequence[str]) -> dict[str, str]:
    """The version of each indicator's definition, with the beginning of its digest."""
    return {name: f"{indicators()[name].version}.{indicators()[name].digest[:12]}" for name in names}


def submitted_facts(
    submissions: Sequence[AcceptedSubmission],
    *,
    analysis: AnalysisStore,
    grades: Mapping[str, frozenset[str]] = NO_GRADES,
) -> Iterator[SubmittedFacts]:
    """The facts chunks of the submissions, opened one submission at a time.

    Args:
        grades: of a submission the only grades that the agreement in force means; rows of others stay behind.
    """
    for one in submissions:
        opened = (analysis.get(file) for file in one.facts_files)
        only = grades.get(one.submission)
        chunks = tuple(opened) if only is None else tuple(of_grades(chunk, only) for chunk in opened)
        yield SubmittedFacts(one.submission, one.provider, one.kind, one.school_year, chunks)


def _check_all_linked(session: Session, version: int, submissions: Sequence[AcceptedSubmission]) -> None:
    linked = set(session.scalars(select(LinkageRun.inputs).where(LinkageRun.version == version)).one())
    if any(one.submission not in linked for one in submissions):
        raise Conflict(
            "A submission was accepted after the linkage run that holds.",
            code="linkage-outdated",
            next_step="Run the linkage again and accept that run.",
        )


def _store(
    tables: Mapping[str, pa.Table],
    version: int,
    submissions: Sequence[AcceptedSubmission],
    *,
    agreements: Sequence[AgreementKey],
    objecting: Sequence[str],
    analysis: AnalysisStore,
) -> Snapshot:
    contents = {name: parquet_bytes(table) for name, table in tables.items()}
    manifest = {
        "format": FORMAT,
        "linkage": version,
        "submissions": sorted(one.submission for one in submissions),
        "agreements": [list(one) for one in agreements],
        "dictionary": dictionary().version,
        "organisations": organisations().version,
        "tables": {
            name: {"sha256": content_hash(content), "rows": tables[name].num_rows} for name, content in contents.items()
        },
    }
    if objecting:
        # Another set of objections is another snapshot, also of the same facts: its moment says who objected.
        manifest["objections"] = list(objecting)
    files = dict(zip(contents, analysis.put_all(contents.values()), strict=True))
    return Snapshot(sha256(canonical_json(manifest)).hexdigest(), version, manifest, files)


def _record(session: Session, snapshot: Snapshot, *, audit: AuditTrail) -> None:
    if session.get(SnapshotRow, snapshot.id) is None:
        session.add(
            SnapshotRow(
                id=snapshot.id,
                linkage_version=snapshot.linkage_version,
                manifest=dict(snapshot.manifest),
                files=dict(snapshot.files),
                taken_at=audit.clock(),
            )
        )
    append(
        session,
        audit,
        EventType.SNAPSHOT_TAKEN,
        resource=f"snapshot:{snapshot.id}",
        counts={"submissions": len(snapshot.manifest["submissions"])},
        versions={"linkage": str(snapshot.linkage_version)},
    )
