"""The two steps of a linkage run, each in its own process: the matcher compares rows, the resolver makes persons.

The matcher reads rows and never learns whose they are; it seals its pairs to the resolver. The resolver opens row
ids and spans and never sees a row. Both compute outside any transaction and write once at the end.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.db import Clock, Database
from hub.errors import StoreError
from hub.files import FileStore, sync_folder, write_file
from hub.jobs import Outcome, Ticket, enqueue
from hub.linking.service import RESOLVE
from hub.linking.tables import COMPARED, REQUESTED, RESOLVED, Link, LinkageRun, PersonHistory
from hub.submissions.service import chunk_files
from hub.submissions.tables import Submission, SubmissionChunk
from linkage.rows import span_rows, view_rows
from linkage.schema import current_schema
from linkage.sealing import RecipientKey, seal
from policies.submission import canonical_json


@dataclass(frozen=True)
class CompareDesk:
    """What the matcher has at hand."""

    database: Database
    clock: Clock
    rows: FileStore
    handover: Path
    resolver_public_key: str


@dataclass(frozen=True)
class ResolveDesk:
    """What the resolver has at hand."""

    database: Database
    clock: Clock
    spans: FileStore
    handover: Path
    key: RecipientKey


@dataclass(frozen=True)
class Source:
    """One submission of a run: its number, its provider's number, and its files."""

    number: int
    provider: int
    name: str
    files: Mapping[str, tuple[str, ...]]
    key_file: str | None


@dataclass(frozen=True)
class Plan:
    """What a step reads of its run: the submissions in order and the providers by number."""

    version: int
    state: str
    providers: tuple[str, ...]
    sources: tuple[Source, ...]
    pairs: Mapping[str, str]
    previous: Mapping[tuple[int, bytes], str]


def compare_job(desk: CompareDesk) -> Callable[[Ticket], Outcome]:
    """The matcher's step: candidate pairs of each view, compared, sealed to the resolver."""

    def compare(ticket: Ticket) -> Outcome:
        plan = _plan(desk.database, int(ticket.payload["run"]), holds="rows")
        if plan.state != REQUESTED:
            return Outcome(lambda session: None)
        pairs = {view: _compare_view(desk, plan, view) for view in _views(plan)}
        if pairs:
            sync_folder(desk.handover)
        return Outcome(lambda session: _write_compared(session, plan, pairs, _trail("matcher", ticket, desk.clock)))

    return compare


def resolve_job(desk: ResolveDesk) -> Callable[[Ticket], Outcome]:
    """The resolver's step: persons with stable ids out of pairs and spans."""

    def resolve(ticket: Ticket) -> Outcome:
        plan = _plan(desk.database, int(ticket.payload["run"]), holds="spans")
        if plan.state != COMPARED:
            return Outcome(lambda session: None)
        result = _resolve(desk, plan)
        trail = _trail("resolver", ticket, desk.clock)

        def clear() -> None:
            for file in plan.pairs.values():
                (desk.handover / file).unlink(missing_ok=True)

        return Outcome(lambda session: _write_resolved(session, plan, result, trail), clear)

    return resolve


def _compare_view(desk: CompareDesk, plan: Plan, view: str) -> str:
    from linkage.match.matcher import RosterRows, compare_view
    from linkage.match.pairs import pairs_to_bytes

    rosters = [
        RosterRows(source.number, source.provider, _joined(desk.rows, source.files[view], read=view_rows))
        for source in plan.sources
        if view in source.files
    ]
    pairs = compare_view(rosters, schema=current_schema(), view=view)
    sealed = seal(desk.resolver_public_key, pairs_to_bytes(pairs), pairs_context(plan.version, view))
    file = f"{plan.version}-{view}-{secrets.token_hex(8)}"
    write_file(desk.handover / file, sealed)
    return file


def _resolve(desk: ResolveDesk, plan: Plan) -> Any:
    from linkage.match.pairs import pairs_from_bytes
    from linkage.match.resolver import RosterSpans, resolve

    rosters = [
        RosterSpans(
            source.number,
            source.provider,
            _submission_key(desk, source),
            _joined(desk.spans, source.files[""], read=span_rows),
        )
        for source in plan.sources
        if "" in source.files
    ]
    views = []
    for view, file in sorted(plan.pairs.items()):
        path = desk.handover / file
        if not path.is_file():
            raise StoreError("The pairs of a view are missing.", code="pairs-missing")
        views.append(pairs_from_bytes(desk.key.open(path.read_bytes(), pairs_context(plan.version, view))))
    return resolve(
        rosters, schema=current_schema(), views=views, previous=plan.previous, new_id=lambda: secrets.token_hex(16)
    )


def pairs_context(version: int, view: str) -> bytes:
    """What sealed pairs are bound to."""
    return canonical_json(["promise-pairs/1", version, view])


def _submission_key(desk: ResolveDesk, source: Source) -> bytes:
    if source.key_file is None:
        raise StoreError("A submission with spans has no key file.", code="submission-key-missing")
    return desk.spans.get(source.key_file)


def _joined(store: FileStore, files: Sequence[str], *, read: Callable[[bytes], Any]) -> Any:
    return np.concatenate([read(store.get(file)) for file in files])


def _views(plan: Plan) -> list[str]:
    return sorted({view for source in plan.sources for view in source.files})


def _plan(database: Database, version: int, *, holds: str) -> Plan:
    with database.reading() as session:
        run = session.get_one(LinkageRun, version)
        found = {row.id: row for row in session.scalars(select(Submission).where(Submission.id.in_(run.inputs)))}
        providers = tuple(sorted({row.provider for row in found.values()}))
        sources = tuple(
            Source(
                number,
                providers.index(found[name].provider),
                name,
                _files(session, name, holds),
                found[name].key_file,
            )
            for number, name in enumerate(run.inputs)
        )
        previous = _previous(session, run.based_on, providers) if holds == "spans" else {}
        return Plan(version, run.state, providers, sources, run.pairs, previous)


def _files(session: Session, name: str, holds: str) -> dict[str, tuple[str, ...]]:
    views = session.scalars(
        select(SubmissionChunk.view)
        .where(SubmissionChunk.submission == name, SubmissionChunk.holds == holds)
        .distinct()
        .order_by(SubmissionChunk.view)
    ).all()
    return {view: chunk_files(session, name, holds, view=view) for view in views}


def _previous(session: Session, run: int | None, providers: tuple[str, ...]) -> dict[tuple[int, bytes], str]:
    if run is None:
        return {}
    number = {provider: at for at, provider in enumerate(providers)}
    rows = session.execute(select(Link.provider, Link.reference, Link.person).where(Link.run == run))
    return {(number[row.provider], bytes.fromhex(row.reference)): row.person for row in rows if row.provider in number}


def _write_compared(session: Session, plan: Plan, pairs: dict[str, str], trail: AuditTrail) -> None:
    run = session.get_one(LinkageRun, plan.version)
    run.state, run.pairs = COMPARED, pairs
    enqueue(session, RESOLVE, key=f"{RESOLVE}:{plan.version}", payload={"run": plan.version}, now=trail.clock())
    append(session, trail, EventType.LINKAGE_COMPARED, resource=f"linkage:{plan.version}", counts={"views": len(pairs)})


def _write_resolved(session: Session, plan: Plan, result: Any, trail: AuditTrail) -> None:
    run = session.get_one(LinkageRun, plan.version)
    run.state, run.resolved_at = RESOLVED, trail.clock()
    run.quality = quality_json(result.quality, plan.providers)
    links = [
        {"run": plan.version, "provider": plan.providers[provider], "reference": reference.hex(), "person": person}
        for (provider, reference), person in sorted(result.persons.items())
    ]
    if links:
        session.execute(insert(Link), links)
    session.add_all(
        PersonHistory(
            run=plan.version, position=at, kind=event.kind, before=list(event.before), after=list(event.after)
        )
        for at, event in enumerate(result.history)
    )
    append(
        session,
        trail,
        EventType.LINKAGE_RESOLVED,
        resource=f"linkage:{plan.version}",
        counts={"records": len(links), "persons": len(set(result.persons.values())), "history": len(result.history)},
        versions={"schema": run.schema_hash},
    )


def quality_json(quality: Any, providers: Sequence[str]) -> dict[str, Any]:
    """The quality of a run as JSON, provider numbers written as organisation ids."""
    plain = {name: value for name, value in asdict(quality).items() if name != "by_providers"}
    pairs = [
        {"left": providers[left], "right": providers[right], **asdict(of)}
        for (left, right), of in sorted(quality.by_providers.items())
    ]
    return {**plain, "by_providers": pairs}


def _trail(role: str, ticket: Ticket, clock: Clock) -> AuditTrail:
    return AuditTrail(role, None, ticket.key[:64], ticket.kind, clock)
