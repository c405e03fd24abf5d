"""Deletes the encodings of epochs that have ended: what is not there cannot be attacked. Facts and persons stay."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.jobs import Outcome, Ticket
from hub.submissions.checks import Desk
from hub.submissions.tables import Submission, SubmissionChunk


def end_epoch_job(desk: Desk, holds: str) -> Callable[[Ticket], Outcome]:
    """Remove one role's half, `rows` or `spans`, of every submission that was encoded before the epoch of the ticket.

    Files go first and their names after them, with the event: cut off between, the job is done again.
    """

    def end(ticket: Ticket) -> Outcome:
        epoch = int(ticket.payload["epoch"])
        with desk.database.reading() as session:
            doomed = _doomed(session, epoch, holds)
        for file in doomed:
            desk.store.delete(file)
        return Outcome(lambda session: _forget(session, epoch, holds, files=len(doomed), desk=desk))

    return end


def _doomed(session: Session, epoch: int, holds: str) -> list[str]:
    files = (
        select(SubmissionChunk.file, Submission.epoch)
        .join(Submission, Submission.id == SubmissionChunk.submission)
        .where(SubmissionChunk.holds == holds, SubmissionChunk.file.is_not(None))
    )
    found = [(str(file), of) for file, of in session.execute(files)]
    kept = {file for file, of in found if of >= epoch}
    doomed = {file for file, of in found if of < epoch} - kept
    if holds == "spans":
        keys = session.scalars(
            select(Submission.key_file).where(Submission.epoch < epoch, Submission.key_file.is_not(None))
        )
        doomed |= {str(file) for file in keys}
    return sorted(doomed)


def _forget(session: Session, epoch: int, holds: str, *, files: int, desk: Desk) -> None:
    ended = select(Submission.id).where(Submission.epoch < epoch)
    session.execute(
        update(SubmissionChunk)
        .where(SubmissionChunk.submission.in_(ended), SubmissionChunk.holds == holds)
        .values(file=None)
        .execution_options(synchronize_session=False)
    )
    if holds == "spans":
        session.execute(
            update(Submission)
            .where(Submission.epoch < epoch)
            .values(key_file=None)
            .execution_options(synchronize_session=False)
        )
    trail = AuditTrail(desk.role, None, "job", desk.role, desk.clock)
    append(
        session, trail, EventType.ENCODINGS_DELETED, resource=f"epoch:{epoch}", counts={"files": files},
        versions={"holds": holds},
    )  # fmt: skip
