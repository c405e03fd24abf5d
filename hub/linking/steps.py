"""The two steps of a linkage run, each in its own process: the matcher compares rows, the resolver makes persons.

The matcher reads rows and never learns whose they are; it seals its pairs to the resolver. The resolver opens row
ids and spans and never sees a row. Both take up what they remember of the run that holds, so that a new submission
costs what is new; both compute outside any transaction and write once at the end.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.db import Clock, Database
from hub.engine_choice import EMBEDDED, EMBEDDED_ENGINE, EngineChoice
from hub.errors import StoreError
from hub.files import FileStore, sync_folder, write_file
from hub.jobs import Outcome, Ticket, enqueue
from hub.linking.comparing import Engine
from hub.linking.engine import started
from hub.linking.memory import forget_older, read_part
from hub.linking.plan import Plan, Source, previous_links, read_plan
from hub.linking.results import write_resolved
from hub.linking.reviews import Asked, read_asked
from hub.linking.service import MATCHER, RESOLVE, RESOLVER
from hub.linking.tables import COMPARED, REQUESTED, LinkageRun
from linkage.rows import span_rows, view_rows
from linkage.schema import current_schema
from linkage.sealing import RecipientKey, seal
from policies.submission import canonical_json

if TYPE_CHECKING:
    from linkage.match.pairs import ViewChange
    from linkage.match.person_table import PersonTable
    from linkage.match.resolver_change import ResolvedChange
    from linkage.match.resolver_memory import ResolverMemory
    from linkage.match.view_memory import ViewMemory

PERSONS = "persons"
"""The part of the resolver's memory that holds records and persons; the others are views."""


@dataclass(frozen=True)
class CompareDesk:
    """What the matcher has at hand."""

    database: Database
    clock: Clock
    rows: FileStore
    handover: Path
    resolver_public_key: str
    engine: EngineChoice = EMBEDDED_ENGINE


@dataclass(frozen=True)
class ResolveDesk:
    """What the resolver has at hand."""

    database: Database
    clock: Clock
    spans: FileStore
    handover: Path
    key: RecipientKey
    engine: EngineChoice = EMBEDDED_ENGINE


@dataclass(frozen=True)
class Compared:
    """What the matcher made: by view the sealed pairs in the hand-over folder, and its memory in its own store."""

    pairs: dict[str, str]
    memory: dict[str, str]


def compare_job(desk: CompareDesk) -> Callable[[Ticket], Outcome]:
    """The matcher's step: candidate pairs of each view, compared, sealed to the resolver."""

    def compare(ticket: Ticket) -> Outcome:
        plan = read_plan(desk.database, int(ticket.payload["run"]), holds="rows")
        if plan.state != REQUESTED:
            return Outcome(lambda session: None)
        with started(desk.engine) as engine:
            made = _compared_views(desk, plan, engine)
        if made.pairs:
            sync_folder(desk.handover)
        doomed: list[str] = []

        def write(session: Session) -> None:
            doomed.extend(_write_compared(session, plan, made, _trail(MATCHER, ticket, desk.clock)))

        return Outcome(write, lambda: _delete(desk.rows, doomed))

    return compare


def resolve_job(desk: ResolveDesk) -> Callable[[Ticket], Outcome]:
    """The resolver's step: persons with stable ids out of pairs and spans."""

    def resolve(ticket: Ticket) -> Outcome:
        plan = read_plan(desk.database, int(ticket.payload["run"]), holds="spans")
        if plan.state != COMPARED:
            return Outcome(lambda session: None)
        asked = read_asked(desk.database, plan.numbering)
        with started(desk.engine) as engine:
            result = _resolved(desk, plan, asked, engine)
        memory = _kept(desk, plan, result)
        doomed: list[str] = []

        def write(session: Session) -> None:
            trail = _trail(RESOLVER, ticket, desk.clock)
            doomed.extend(write_resolved(session, plan, result, asked=asked, memory=memory, audit=trail))

        def clear() -> None:
            _clear_handover(desk.handover, plan.version)
            _delete(desk.spans, doomed)

        return Outcome(write, clear)

    return resolve


def pairs_context(version: int, view: str) -> bytes:
    """What sealed pairs are bound to."""
    return canonical_json(["promise-pairs/1", version, view])


def _compared_views(desk: CompareDesk, plan: Plan, engine: Engine) -> Compared:
    made = Compared({}, {})
    remembered = plan.memory.get(MATCHER, {})
    for view in sorted({view for source in plan.came for view in source.files} | remembered.keys()):
        if engine.name == EMBEDDED or not plan.from_nothing:
            memory, change = _compared_change(desk, plan, view)
            made.memory[view] = desk.rows.put(_memory_bytes(memory, plan))
        else:
            change = _compared_whole(desk, plan, view, engine)
        made.pairs[view] = _handed_over(desk, plan, view, change)
    return made


def _compared_change(desk: CompareDesk, plan: Plan, view: str) -> tuple[ViewMemory, ViewChange]:
    from linkage.match.grouping import RosterRows
    from linkage.match.memory_files import renumbering, view_memory_from_bytes
    from linkage.match.view_memory import compare_change, empty_memory, renumbered

    memory = empty_memory(view)
    content = read_part(desk.rows, plan.memory.get(MATCHER, {}), view)
    if content is not None:
        read, numbering = view_memory_from_bytes(content)
        memory = renumbered(
            read,
            providers=renumbering(numbering.providers, new=plan.numbering.providers).astype(np.int32),
            submissions=renumbering(numbering.submissions, new=plan.numbering.submissions),
        )
    added = [RosterRows(one.number, one.provider, _rows(desk, one, view)) for one in plan.came if view in one.files]
    return compare_change(memory, added=added, gone=plan.gone, schema=current_schema())


def _compared_whole(desk: CompareDesk, plan: Plan, view: str, engine: Engine) -> ViewChange:
    """By an engine that remembers nothing: everything came."""
    from linkage.match.grouping import RosterRows
    from linkage.match.pairs import ViewChange

    rosters = [RosterRows(one.number, one.provider, _rows(desk, one, view)) for one in plan.came if view in one.files]
    pairs = engine.compare(rosters, schema=current_schema(), view=view)
    nothing = np.empty(0, dtype=np.bool_)
    return ViewChange(nothing, nothing, pairs)


def _handed_over(desk: CompareDesk, plan: Plan, view: str, change: ViewChange) -> str:
    from linkage.match.memory_files import change_to_bytes

    content = change_to_bytes(change, plan.numbering)
    file = f"{plan.version}-{view}-{secrets.token_hex(8)}"
    write_file(desk.handover / file, seal(desk.resolver_public_key, content, pairs_context(plan.version, view)))
    return file


def _memory_bytes(memory: ViewMemory, plan: Plan) -> bytes:
    from linkage.match.memory_files import view_memory_to_bytes

    return view_memory_to_bytes(memory, plan.numbering)


def _rows(desk: CompareDesk, source: Source, view: str) -> Any:
    return _joined(desk.rows, source.files[view], read=view_rows)


def _resolved(desk: ResolveDesk, plan: Plan, asked: Asked, engine: Engine) -> ResolvedChange:
    from linkage.match.resolver_change import resolve_change
    from linkage.match.spans import RosterSpans

    added = [
        RosterSpans(
            one.number, one.provider, _submission_key(desk, one), _joined(desk.spans, one.files[""], read=span_rows)
        )
        for one in plan.came
        if "" in one.files
    ]
    memory, persons = _remembered(desk, plan)
    return resolve_change(
        memory,
        persons,
        added=added,
        gone=plan.gone,
        changes=[_change(desk, plan, view, file) for view, file in sorted(plan.pairs.items())],
        schema=current_schema(),
        new_id=lambda: secrets.token_hex(16),
        confirmed=asked.right,
        join=engine.join,
    )


def _change(desk: ResolveDesk, plan: Plan, view: str, file: str) -> ViewChange:
    from linkage.match.memory_files import change_from_bytes

    path = desk.handover / file
    if not path.is_file():
        raise StoreError("The pairs of a view are missing.", code="pairs-missing")
    return change_from_bytes(desk.key.open(path.read_bytes(), pairs_context(plan.version, view)))[0]


def _remembered(desk: ResolveDesk, plan: Plan) -> tuple[ResolverMemory, PersonTable]:
    from linkage.match.memory_files import opened_view_from_bytes, persons_from_bytes, renumbering
    from linkage.match.person_table import departed_table, renumbered_table
    from linkage.match.resolver_memory import ResolverMemory, empty_records, renumbered

    files = plan.memory.get(RESOLVER, {})
    content = read_part(desk.spans, files, PERSONS)
    if content is None:
        previous = previous_links(desk.database, plan.version, plan.numbering.providers)
        return ResolverMemory(empty_records(), {}), departed_table(previous)
    records, persons, numbering = persons_from_bytes(content)
    views = {view: read_part(desk.spans, files, view) for view in files if view != PERSONS}
    opened = {view: opened_view_from_bytes(part) for view, part in views.items() if part is not None}
    providers = renumbering(numbering.providers, new=plan.numbering.providers).astype(np.int32)
    submissions = renumbering(numbering.submissions, new=plan.numbering.submissions)
    memory = renumbered(ResolverMemory(records, opened), providers=providers, submissions=submissions)
    return memory, renumbered_table(persons, providers=providers)


def _kept(desk: ResolveDesk, plan: Plan, result: ResolvedChange) -> dict[str, str]:
    from linkage.match.memory_files import opened_view_to_bytes, persons_to_bytes

    memory = result.memory
    contents = {view: opened_view_to_bytes(opened, plan.numbering) for view, opened in memory.views.items()}
    contents[PERSONS] = persons_to_bytes(memory.records, result.named.table, plan.numbering)
    return dict(zip(contents, desk.spans.put_all(contents.values()), strict=True))


def _submission_key(desk: ResolveDesk, source: Source) -> bytes:
    if source.key_file is None:
        raise StoreError("A submission with spans has no key file.", code="submission-key-missing")
    return desk.spans.get(source.key_file)


def _joined(store: FileStore, files: Sequence[str], *, read: Callable[[bytes], Any]) -> Any:
    return np.concatenate([read(store.get(file)) for file in files])


def _write_compared(session: Session, plan: Plan, made: Compared, trail: AuditTrail) -> list[str]:
    run = session.get_one(LinkageRun, plan.version)
    run.state, run.pairs = COMPARED, made.pairs
    if made.memory:
        run.memory = {**run.memory, MATCHER: made.memory}
    doomed = forget_older(session, run, role=MATCHER)
    enqueue(session, RESOLVE, key=f"{RESOLVE}:{plan.version}", payload={"run": plan.version}, now=trail.clock())
    counts = {"views": len(made.pairs), "came": len(plan.came), "went": len(plan.gone)}
    append(session, trail, EventType.LINKAGE_COMPARED, resource=f"linkage:{plan.version}", counts=counts)
    return doomed


def _clear_handover(folder: Path, version: int) -> None:
    """Remove the pairs of this run and of those before it, and what a killed matcher left of them."""
    for path in folder.iterdir():
        if int(path.name.lstrip(".").partition("-")[0]) <= version:
            path.unlink(missing_ok=True)


def _delete(store: FileStore, files: Sequence[str]) -> None:
    for file in files:
        store.delete(file)


def _trail(role: str, ticket: Ticket, clock: Clock) -> AuditTrail:
    return AuditTrail(role, None, ticket.key[:64], ticket.kind, clock)
