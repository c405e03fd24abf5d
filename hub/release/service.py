"""The only way out of the hub: releases are prepared, published, listed and exported here, each with its event.

A release is immutable. What is asked later is a slice of it (`hub.release.slices`).
"""

import datetime as dt
import json
from collections import Counter
from dataclasses import dataclass, replace

from sqlalchemy import Select, distinct, func, select, update
from sqlalchemy.orm import Session

from hub.audit import service as audit_log
from hub.audit.events import AuditTrail, EventType
from hub.audit.tables import Detail
from hub.errors import Conflict, NotFound
from hub.release.draft import (
    BlockKey,
    Draft,
    Ledger,
    Proposal,
    Structure,
    Telling,
    draft_release,
    joined,
    status_reason,
    verdict_as_json,
)
from hub.release.requests.service import join_published
from hub.release.slices import PROVISIONAL
from hub.release.tables import ReleaseBlockRow, ReleasedBlockRow, ReleasedCellRow, ReleaseEvidenceRow, ReleaseRow
from policies.disclosure.types import ReleasedCell, Rules

PREPARED, PENDING, PUBLISHED, REPLACED, WITHDRAWN = "prepared", "pending", "published", "replaced", "withdrawn"


@dataclass(frozen=True)
class Release:
    """What may be told about a release as a whole; `log_entry` is its place in the audit log, where it was read."""

    id: str
    state: str
    prepared_at: dt.datetime
    published_at: dt.datetime | None
    snapshot: str
    catalogue_version: int
    content_sha256: str
    shown: int
    withheld: int
    log_entry: int | None = None


def prepare_release(session: Session, proposal: Proposal, *, rules: Rules, audit: AuditTrail) -> Release:
    """Protect once, audit once, store once; raises Conflict without a clean joint verdict. Nothing is public yet."""
    return store_release(session, draft_release(proposal, rules=rules, ledger=ledger(session)), audit=audit)


def store_release(session: Session, draft: Draft, *, audit: AuditTrail) -> Release:
    """Keep a draft that was computed outside the transaction; raises Conflict if the ledger moved meanwhile."""
    _check_nothing_prepared(session)
    if _ledger_mark(session) != draft.ledger_mark:
        raise Conflict("The ledger changed while the release was prepared.", code="ledger-moved")
    now = audit.clock()
    row = ReleaseRow(
        id=_next_id(session, now.date()),
        state=PREPARED,
        prepared_at=now,
        snapshot=draft.snapshot,
        catalogue_version=draft.catalogue_version,
        rules=draft.rules,
        content_sha256=draft.content_sha256,
        content=draft.content,
        shown=draft.verdict.shown,
        withheld=draft.verdict.withheld,
    )
    session.add(row)
    session.flush()
    _store_blocks(session, row.id, draft=draft)
    session.add(ReleaseEvidenceRow(release=row.id, verdict=verdict_as_json(draft.verdict)))
    audit_log.append(
        session,
        audit,
        EventType.RELEASE_PREPARED,
        resource=f"release/{row.id}",
        counts={
            "shown": row.shown,
            "withheld": row.withheld,
            "blocks": len(draft.new_cells) + len(draft.frozen),
            "taken_over": draft.taken_over,
        },
        versions={"content": row.content_sha256, "snapshot": row.snapshot},
    )
    return _release(row)


def approve(session: Session, release: str, *, audit: AuditTrail) -> Release:
    """Let a prepared release wait for its witnesses: nobody outside sees it before they cosigned this event."""
    row = _row(session, release)
    if row.state != PREPARED:
        raise Conflict(f"The release is {row.state}.", code="release-not-prepared")
    row.state = PENDING
    row.approved_sequence = audit_log.append(
        session,
        audit,
        EventType.RELEASE_APPROVED,
        resource=f"release/{row.id}",
        counts={"shown": row.shown, "withheld": row.withheld},
        versions={"content": row.content_sha256},
    )
    return _release(row)


def publish(session: Session, release: str, *, audit: AuditTrail, cosigned: int | None = None) -> Release:
    """Make a release the current one; the one before it is replaced, and stays readable.

    Args:
        cosigned: the size of the checkpoint that its witnesses cosigned. A release that waits for them is
            refused without one that covers its approval.
    """
    row = _row(session, release)
    covered = row.approved_sequence is not None and cosigned is not None and cosigned > row.approved_sequence
    if row.state != PREPARED and not (row.state == PENDING and covered):
        raise Conflict(f"The release is {row.state}.", code="release-not-prepared")
    session.execute(update(ReleaseRow).where(ReleaseRow.state == PUBLISHED).values(state=REPLACED))
    row.state, row.published_at = PUBLISHED, audit.clock()
    audit_log.append(
        session,
        audit,
        EventType.RELEASE_PUBLISHED,
        resource=f"release/{row.id}",
        counts={"shown": row.shown, "withheld": row.withheld} | ({} if cosigned is None else {"checkpoint": cosigned}),
        versions={"content": row.content_sha256},
    )
    join_published(session, row.id, audit=audit)
    return _release(row)


def pending_release(session: Session) -> Release | None:
    """The release that is approved and waits for its witnesses, if any."""
    row = session.scalars(select(ReleaseRow).where(ReleaseRow.state == PENDING)).one_or_none()
    return None if row is None else _release(row)


def approval_of(session: Session, release: str) -> int | None:
    """The sequence of the event that approved a release; None where no witness was needed."""
    return _row(session, release).approved_sequence


def withdraw_prepared(session: Session, release: str, *, audit: AuditTrail) -> Release:
    """Take back a release that nobody outside has seen: its new cells leave the ledger."""
    row = _row(session, release)
    if row.state not in (PREPARED, PENDING):
        raise Conflict("Only a release that is not yet published can be taken back.", code="release-not-prepared")
    _remove_blocks(session, release)
    row.state = WITHDRAWN
    audit_log.append(session, audit, EventType.RELEASE_WITHDRAWN, resource=f"release/{row.id}")
    return _release(row)


def ledger(session: Session) -> Ledger:
    """Every cell ever released (or prepared and not yet taken back), with the equations' essentials."""
    cells: dict[BlockKey, list[ReleasedCell]] = {}
    structures: dict[BlockKey, Structure] = {}
    snapshots: dict[BlockKey, str] = {}
    vintages: Counter[BlockKey] = Counter()
    for block, snapshot in session.execute(_final_blocks()):
        key = block.indicator, block.cohort_year
        cells.setdefault(key, [])
        told = Structure(block.definition_version, block.equations)
        structures[key] = joined(structures[key], told) if key in structures else told
        snapshots.setdefault(key, snapshot)
        vintages[key] += 1
    provisional: list[ReleasedCell] = []
    in_order = select(ReleasedCellRow).order_by(
        ReleasedCellRow.indicator, ReleasedCellRow.cohort_year, ReleasedCellRow.vintage, ReleasedCellRow.ordinal
    )
    for row in session.scalars(in_order):
        coarse = row.vintage.startswith(PROVISIONAL)
        (provisional if coarse else cells[row.indicator, row.cohort_year]).append(released_cell(row))
    final = {key: tuple(found) for key, found in cells.items()}
    return Ledger(
        final, structures, _ledger_mark(session), tuple(provisional), snapshots, dict(vintages), _tellings(session)
    )


def _tellings(session: Session) -> dict[str, Telling]:
    """What each provisional vintage was counted from."""
    found: dict[str, Telling] = {}
    query = (
        select(ReleasedBlockRow, ReleaseRow.snapshot)
        .join(ReleaseRow, ReleaseRow.id == ReleasedBlockRow.first_release)
        .where(ReleasedBlockRow.vintage.like(f"{PROVISIONAL}%"))
    )
    for block, snapshot in session.execute(query):
        known = found.get(block.vintage, Telling(snapshot, {})).definitions
        definitions = {**known, (block.indicator, block.cohort_year): block.definition_version}
        found[block.vintage] = Telling(snapshot, definitions)
    return found


def _final_blocks() -> Select[ReleasedBlockRow, str]:
    """The final vintages of every block with the snapshot that each was counted from, the first before the later."""
    return (
        select(ReleasedBlockRow, ReleaseRow.snapshot)
        .join(ReleaseRow, ReleaseRow.id == ReleasedBlockRow.first_release)
        .where(ReleasedBlockRow.vintage.not_like(f"{PROVISIONAL}%"))
        .order_by(
            ReleasedBlockRow.indicator,
            ReleasedBlockRow.cohort_year,
            func.length(ReleasedBlockRow.vintage),
            ReleasedBlockRow.vintage,
        )
    )


def next_provisional_vintage(session: Session) -> str:
    """`provisional-N`, one more than were told."""
    coarse = ReleaseBlockRow.vintage.like(f"{PROVISIONAL}%")
    taken = session.scalar(select(func.count(distinct(ReleaseBlockRow.vintage))).where(coarse))
    return f"{PROVISIONAL}-{(taken or 0) + 1}"


def current_release(session: Session) -> Release:
    """The published release; raises NotFound before the first."""
    row = session.scalars(select(ReleaseRow).where(ReleaseRow.state == PUBLISHED)).one_or_none()
    if row is None:
        raise NotFound("Nothing has been released yet.", code="no-release", next_step="Ask when the first is due.")
    return _with_entry(session, row)


def published_release(session: Session, release: str) -> Release:
    """A release that is or was public; one that is not, or does not exist, gets the same answer."""
    row = session.get(ReleaseRow, release)
    if row is None or row.state not in (PUBLISHED, REPLACED):
        raise NotFound("There is no such release.", code="release-unknown", next_step="Read /v1/releases.")
    return _with_entry(session, row)


def published_releases(session: Session) -> tuple[Release, ...]:
    """All releases that are or were public, newest first."""
    rows = session.scalars(
        select(ReleaseRow)
        .where(ReleaseRow.state.in_([PUBLISHED, REPLACED]))
        .order_by(ReleaseRow.published_at.desc(), ReleaseRow.id.desc())
    )
    return tuple(_release(row) for row in rows)


def prepared_release(session: Session) -> Release | None:
    """The release that waits to be published, if any."""
    row = session.scalars(select(ReleaseRow).where(ReleaseRow.state == PREPARED)).one_or_none()
    return None if row is None else _release(row)


def is_provisional_release(session: Session, release: str) -> bool:
    """Whether a release holds a provisional figure."""
    members = select(ReleaseBlockRow.release).where(
        ReleaseBlockRow.release == release, ReleaseBlockRow.vintage.like(f"{PROVISIONAL}%")
    )
    return session.execute(members.limit(1)).first() is not None


def release_file(session: Session, release: str) -> bytes:
    """`release.json` as it was sealed; for the officer and for comparing two runs."""
    return _row(session, release).content


def released_cell(row: ReleasedCellRow) -> ReleasedCell:
    """A stored cell in the form of disclosure control; of a withheld one no number is read, whatever stands there."""
    levels = tuple((name, level) for name, level in json.loads(row.levels).items())
    bare = ReleasedCell(
        indicator=row.indicator, cohort_year=row.cohort_year, table=row.table_name, levels=levels, vintage=row.vintage
    )
    if row.status != "F":
        return bare
    return replace(
        bare, n=row.n, known=row.known, k=row.k, rate=row.rate, rate_low=row.rate_low, rate_high=row.rate_high,
        coverage_low=row.coverage_low, coverage_high=row.coverage_high, status="F",
    )  # fmt: skip


def _with_entry(session: Session, row: ReleaseRow) -> Release:
    """The release with the entry of the audit log that approved it, or published it where no witness was needed."""
    entry = row.approved_sequence
    if entry is None:
        entry = session.scalar(
            select(func.min(Detail.sequence)).where(
                Detail.event == EventType.RELEASE_PUBLISHED.value, Detail.resource == f"release/{row.id}"
            )
        )
    return replace(_release(row), log_entry=entry)


def _store_blocks(session: Session, release: str, *, draft: Draft) -> None:
    standing = [(one.indicator, one.cohort_year, one.vintage) for one, _ in session.execute(_final_blocks())]
    new = {(*key, draft.vintage): (draft.new_structures[key], cells) for key, cells in draft.new_cells.items()}
    new |= {(*key, one.vintage): (one.structure, one.cells) for key, one in draft.additions.items()}
    for (indicator, year, vintage), (structure, _) in new.items():
        session.add(
            ReleasedBlockRow(
                indicator=indicator,
                cohort_year=year,
                vintage=vintage,
                first_release=release,
                definition_version=structure.definition_version,
                equations=structure.equations,
            )
        )
    session.flush()
    for indicator, year, vintage in (*standing, *new):
        session.add(ReleaseBlockRow(release=release, indicator=indicator, cohort_year=year, vintage=vintage))
    rows = [_cell_row(cell, place) for _, cells in new.values() for place, cell in enumerate(cells)]
    if rows:
        session.bulk_insert_mappings(ReleasedCellRow.__mapper__, rows)


def _cell_row(cell: ReleasedCell, ordinal: int) -> dict[str, object]:
    return {
        "indicator": cell.indicator,
        "cohort_year": cell.cohort_year,
        "vintage": cell.vintage,
        "ordinal": ordinal,
        "table_name": cell.table,
        "levels": json.dumps(dict(cell.levels), ensure_ascii=False, separators=(",", ":")),
        "n": cell.n,
        "known": cell.known,
        "k": cell.k,
        "rate": cell.rate,
        "rate_low": cell.rate_low,
        "rate_high": cell.rate_high,
        "coverage_low": cell.coverage_low,
        "coverage_high": cell.coverage_high,
        "status": cell.status,
        "status_reason": status_reason(cell),
    }


def _remove_blocks(session: Session, release: str) -> None:
    first = select(ReleasedBlockRow).where(ReleasedBlockRow.first_release == release)
    for member in session.scalars(select(ReleaseBlockRow).where(ReleaseBlockRow.release == release)):
        session.delete(member)
    for block in session.scalars(first).all():
        same_block = (
            ReleasedCellRow.indicator == block.indicator,
            ReleasedCellRow.cohort_year == block.cohort_year,
            ReleasedCellRow.vintage == block.vintage,
        )
        for cell in session.scalars(select(ReleasedCellRow).where(*same_block)):
            session.delete(cell)
        session.flush()
        session.delete(block)
    session.flush()


def _check_nothing_prepared(session: Session) -> None:
    waiting = prepared_release(session) or pending_release(session)
    if waiting is not None:
        raise Conflict(
            f"Release {waiting.id} is {waiting.state} and waits.",
            code="release-waiting",
            next_step="Publish it or take it back first.",
        )


def _ledger_mark(session: Session) -> str:
    blocks = session.scalar(select(func.count()).select_from(ReleasedBlockRow))
    releases = session.scalar(select(func.count()).select_from(ReleaseRow))
    return f"{releases}.{blocks}"


def _next_id(session: Session, day: dt.date) -> str:
    taken = session.scalar(select(func.count()).select_from(ReleaseRow).where(ReleaseRow.id.like(f"{day}.%")))
    return f"{day}.{(taken or 0) + 1}"


def _row(session: Session, release: str) -> ReleaseRow:
    row = session.get(ReleaseRow, release)
    if row is None:
        raise NotFound("There is no such release.", code="release-unknown", next_step="Read /v1/releases.")
    return row


def _release(row: ReleaseRow) -> Release:
    return Release(
        row.id,
        row.state,
        row.prepared_at,
        row.published_at,
        row.snapshot,
        row.catalogue_version,
        row.content_sha256,
        row.shown,
        row.withheld,
    )
