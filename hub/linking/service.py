"""Linkage runs: requested, accepted, reverted and read. Computing one is the roles' work (`hub.linking.steps`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.epochs.service import present_epoch
from hub.errors import Conflict, NotFound
from hub.jobs import enqueue
from hub.linking.tables import (
    ACCEPTED,
    FAILED,
    REQUESTED,
    RESOLVED,
    TOMBSTONE,
    CurrentRun,
    Link,
    LinkageRun,
    ThresholdLink,
)
from hub.submissions.agreed import agreed, note_unused, permits
from linkage.schema import current_schema

MATCHER, RESOLVER = "matcher", "resolver"
COMPARE, RESOLVE = "linkage.compare", "linkage.resolve"
RUNS_LISTED = 10


@dataclass(frozen=True)
class CurrentLinks:
    """The links that hold now, as columns of equal length: record (provider, reference) is person."""

    version: int
    provider: list[str]
    reference: list[str]
    person: list[str]


@dataclass(frozen=True)
class Run:
    """What may be told of a run."""

    version: int
    state: str
    submissions: int
    quality: Mapping[str, Any]


@dataclass(frozen=True)
class RunLine:
    """A run as those who ask for and approve runs see it: its own expectations, no count of links.

    `waits` where it may be accepted: it is resolved and rests on the run that holds. `before`: the run that a revert
    of this one lets hold again.
    """

    version: int
    state: str
    submissions: int
    requested_on: date
    rests_on: int | None
    before: int | None
    holds: bool
    waits: bool
    expected_precision: float | None
    expected_recall: float | None


def request_run(session: Session, *, audit: AuditTrail, from_nothing: bool = False) -> int:
    """Fix the set of submissions and set a run going; its version comes back.

    It takes up what the run that holds remembers, unless asked to compare everything again; the persons are the same.
    Rows of an epoch that has ended say nothing to rows of the present one: who has not encoded again is not compared,
    and keeps the persons of before.
    """
    epoch = present_epoch(session, 0)
    standing = agreed(session, day=audit.clock().date())
    inputs = [submission.submission for submission in standing if submission.epoch >= epoch]
    if not inputs:
        raise Conflict(
            "No submission is accepted.", code="nothing-to-link", next_step="Let the providers send their records."
        )
    version = (session.scalar(select(func.max(LinkageRun.version))) or 0) + 1
    base = current_version(session)
    continued = None if base is None or from_nothing else _continued(session, base)
    providers = {submission.provider for submission in standing} | _providers_of(session, base)
    session.add(
        LinkageRun(
            version=version,
            state=REQUESTED,
            inputs=inputs,
            based_on=base,
            continues=continued,
            providers=sorted(providers),
            schema_hash=current_schema().hash,
            pairs={},
            quality={},
            requested_at=audit.clock(),
        )
    )
    enqueue(session, COMPARE, key=f"{COMPARE}:{version}", payload={"run": version}, now=audit.clock())
    unused = note_unused(session, audit=audit)
    append(
        session,
        audit,
        EventType.LINKAGE_REQUESTED,
        resource=f"linkage:{version}",
        decision="permitted",
        rule="R-00",
        counts={"submissions": len(inputs), "not_used": unused},
        versions={**permits(session, day=audit.clock().date()), "schema": current_schema().hash},
    )
    return version


def accept_run(session: Session, version: int, *, audit: AuditTrail) -> None:
    """Let a resolved run hold from now on; it must rest on the run that holds."""
    run = _run(session, version)
    pointer = _pointer(session)
    if run.state != RESOLVED:
        raise Conflict(f"Run {version} is {run.state}.", code="run-not-resolved")
    if run.based_on != pointer.run:
        raise Conflict(
            f"Run {version} rests on another run than the one that holds.",
            code="run-outdated",
            next_step="Run the linkage again and accept that run.",
        )
    run.state, run.accepted_at, run.replaces = ACCEPTED, audit.clock(), pointer.run
    pointer.run = version
    append(session, audit, EventType.LINKAGE_ACCEPTED, resource=f"linkage:{version}")


def reverting(session: Session) -> tuple[int, int | None]:
    """The run that holds, and the one that a revert would let hold, None where none would be left.

    Raises Conflict where nothing holds, or where the run before used data that were destroyed.
    """
    holds = current_version(session)
    if holds is None:
        raise Conflict("No run holds.", code="nothing-to-revert", next_step="Accept a run first.")
    before = _run(session, holds).replaces
    if before is not None and _run(session, before).state == TOMBSTONE:
        raise Conflict(
            "The run before used data that were destroyed.",
            code="run-destroyed",
            next_step="Run the linkage again; a tombstone never holds again.",
        )
    return holds, before


def revert_run(session: Session, *, audit: AuditTrail) -> int | None:
    """Let the run before hold again; its version comes back, None when there is none left."""
    pointer = _pointer(session)
    holds, before = reverting(session)
    pointer.run = before
    append(
        session,
        audit,
        EventType.LINKAGE_REVERTED,
        resource=f"linkage:{holds}",
        versions={"holds": "none" if before is None else str(before)},
    )
    return before


def read_run(session: Session, version: int) -> Run:
    """State and quality of one run."""
    run = _run(session, version)
    return Run(run.version, run.state, len(run.inputs), run.quality)


def list_runs(session: Session) -> Sequence[RunLine]:
    """The newest runs, newest first."""
    holds = current_version(session)
    rows = session.scalars(select(LinkageRun).order_by(LinkageRun.version.desc()).limit(RUNS_LISTED))
    return [_line(row, holds) for row in rows]


def current_version(session: Session) -> int | None:
    """The version of the run that holds, None before the first."""
    return session.scalar(select(CurrentRun.run))


def current_links(session: Session) -> CurrentLinks:
    """The links that hold now, in the order of provider and reference; raises Conflict before the first run."""
    version = current_version(session)
    if version is None:
        raise Conflict("No linkage run holds.", code="not-linked", next_step="Run and accept the linkage first.")
    return links_of(session, version)


def links_of(session: Session, version: int) -> CurrentLinks:
    """The links of one run by provider and reference: of its own rows and of those it rests on, the newest."""
    chain = run_chain(session, version)
    rows = session.execute(
        select(Link.provider, Link.reference, Link.person)
        .where(Link.run.in_(chain))
        .order_by(Link.provider, Link.reference, Link.run.desc())
    ).all()
    if len(chain) > 1:
        rows = [row for at, row in enumerate(rows) if at == 0 or row[:2] != rows[at - 1][:2]]
    return CurrentLinks(version, [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


def threshold_links(session: Session, version: int) -> dict[str, list[tuple[str, str, str]]]:
    """By threshold the records whose person would be another: provider, person under the run, and the other."""
    others = session.execute(
        select(ThresholdLink.threshold, ThresholdLink.provider, ThresholdLink.reference, ThresholdLink.person)
        .where(ThresholdLink.run == version)
        .order_by(ThresholdLink.threshold, ThresholdLink.provider, ThresholdLink.reference)
    ).all()
    if not others:
        return {}
    links = links_of(session, version)
    person = dict(zip(zip(links.provider, links.reference, strict=True), links.person, strict=True))
    found: dict[str, list[tuple[str, str, str]]] = {}
    for threshold, provider, reference, other in others:
        found.setdefault(threshold, []).append((provider, person[provider, reference], other))
    return found


def run_chain(session: Session, version: int) -> list[int]:
    """The run and those whose links it changes, newest first; the last holds all links."""
    chain = [version]
    while not (run := _run(session, chain[-1])).whole and run.based_on is not None:
        chain.append(run.based_on)
    return chain


def fail_run(session: Session, version: int) -> None:
    """Mark a run whose job was given up."""
    run = session.get(LinkageRun, version)
    if run is not None:
        run.state = FAILED


def _line(row: LinkageRun, holds: int | None) -> RunLine:
    precision, recall = (row.quality.get(name) for name in ("expected_precision", "expected_recall"))
    return RunLine(
        version=row.version,
        state=row.state,
        submissions=len(row.inputs),
        requested_on=row.requested_at.date(),
        rests_on=row.based_on,
        before=row.replaces,
        holds=row.version == holds,
        waits=row.state == RESOLVED and row.based_on == holds,
        expected_precision=None if precision is None else round(precision, 3),
        expected_recall=None if recall is None else round(recall, 3),
    )


def _continued(session: Session, base: int) -> int | None:
    """The run that holds, where both roles remember it and it was compared by the schema of today."""
    run = _run(session, base)
    remembered = {MATCHER, RESOLVER} <= run.memory.keys() and run.schema_hash == current_schema().hash
    return base if remembered else None


def _providers_of(session: Session, base: int | None) -> set[str]:
    """The providers whose records have a person already."""
    if base is None:
        return set()
    run = _run(session, base)
    chain = run_chain(session, base)
    return set(run.providers) or set(session.scalars(select(Link.provider).where(Link.run.in_(chain)).distinct()))


def _run(session: Session, version: int) -> LinkageRun:
    run = session.get(LinkageRun, version)
    if run is None:
        raise NotFound(f"There is no linkage run {version}.")
    return run


def _pointer(session: Session) -> CurrentRun:
    pointer = session.execute(select(CurrentRun).with_for_update()).scalar_one_or_none()
    if pointer is None:
        pointer = CurrentRun(number=1, run=None)
        session.add(pointer)
    return pointer
