"""The salts of agreements: made when records are first used under one, destroyed with it, never made again.

Pseudonyms are made of them (`policies.pseudonyms`). A salt is a file of its own store; the database says where it
lies, and the resolver, which alone holds the key of that store, deletes it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from hub.agreements.tables import AgreementSaltRow
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.db import Clock, Database
from hub.errors import Conflict
from hub.files import AnalysisStore, FileStore
from hub.jobs import Outcome, Ticket, enqueue
from policies.pseudonyms import SALT_BYTES, AgreementSalt, Pseudonyms, pseudonyms

DROP_SALTS = "salts.drop"
AgreementKey = tuple[str, int]


def pseudonyms_under(
    database: Database, agreements: Iterable[AgreementKey], *, analysis: AnalysisStore, audit: AuditTrail
) -> Pseudonyms:
    """The pseudonyms under these agreements together; salts that were never made are made now, each with its event.

    Raises Conflict where one of the salts was destroyed.
    """
    wanted = sorted(set(agreements))
    with database.reading() as session:
        missing = [key for key in wanted if session.get(AgreementSaltRow, key) is None]
    for key in missing:
        file = analysis.salts.put(secrets.token_bytes(SALT_BYTES))
        with database.transaction() as session:
            kept = _keep(session, key, file=file, audit=audit)
        if not kept:
            analysis.salts.delete(file)
    with database.reading() as session:
        files = [_file(session, key) for key in wanted]
    salts = [AgreementSalt(*key, analysis.salts.get(file)) for key, file in zip(wanted, files, strict=True)]
    return pseudonyms(analysis.pepper, salts)


def destroy_salts(session: Session, agreement: str, *, audit: AuditTrail, version: int | None = None) -> int:
    """Destroy the salts of an agreement, of one version or of all; how many. Nothing is made of them from now on.

    The resolver deletes the files (`salts.drop`) and leaves the event `salt.destroyed`.
    """
    found = session.scalars(_living(agreement, version).with_for_update()).all()
    for row in found:
        row.destroyed_at = audit.clock()
        enqueue(
            session, DROP_SALTS, key=f"{DROP_SALTS}:{row.agreement}:{row.version}",
            payload={"agreement": row.agreement, "version": row.version}, now=audit.clock(),
        )  # fmt: skip
    return len(found)


def undestroyed(session: Session, agreement: str) -> int:
    """How many salts of an agreement still lie on the disk."""
    query = select(func.count()).where(AgreementSaltRow.agreement == agreement, AgreementSaltRow.file.is_not(None))
    return session.execute(query).scalar_one()


def drop_salts_job(database: Database, *, salts: FileStore, clock: Clock) -> Callable[[Ticket], Outcome]:
    """Delete the file of a destroyed salt, then forget its name with the event; cut off between, it is done again."""

    def drop(ticket: Ticket) -> Outcome:
        key = (str(ticket.payload["agreement"]), int(ticket.payload["version"]))
        with database.reading() as session:
            file = session.get_one(AgreementSaltRow, key).file
        if file is not None:
            salts.delete(file)
        trail = AuditTrail("resolver", None, ticket.key[:64], ticket.kind, clock, agreement=key[0])
        return Outcome(lambda session: _forget(session, key, audit=trail))

    return drop


def _keep(session: Session, key: AgreementKey, *, file: str, audit: AuditTrail) -> bool:
    """Whether this salt is the one that holds: another process may have been first."""
    if session.get(AgreementSaltRow, key) is not None:
        return False
    agreement, version = key
    session.add(AgreementSaltRow(agreement=agreement, version=version, file=file, made_at=audit.clock()))
    trail = audit.under(agreement=agreement, purpose=audit.purpose)
    append(session, trail, EventType.SALT_MADE, resource=f"agreement:{agreement}", versions={agreement: str(version)})
    return True


def _file(session: Session, key: AgreementKey) -> str:
    row = session.get_one(AgreementSaltRow, key)
    if row.file is None or row.destroyed_at is not None:
        raise Conflict(
            f"The pseudonyms under {key[0]} version {key[1]} were destroyed with the agreement.",
            code="salt-destroyed",
            next_step="Use a snapshot without records of that agreement.",
        )
    return row.file


def _forget(session: Session, key: AgreementKey, *, audit: AuditTrail) -> None:
    session.get_one(AgreementSaltRow, key).file = None
    agreement, version = key
    append(
        session, audit, EventType.SALT_DESTROYED, resource=f"agreement:{agreement}", versions={agreement: str(version)}
    )


def _living(agreement: str, version: int | None) -> Select[AgreementSaltRow]:
    query = select(AgreementSaltRow).where(
        AgreementSaltRow.agreement == agreement, AgreementSaltRow.destroyed_at.is_(None)
    )
    return query if version is None else query.where(AgreementSaltRow.version == version)
