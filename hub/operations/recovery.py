"""Begins a new log over what is left, after a backup was restored that is older than what the signer signed.

The old key is destroyed, so that nothing can be signed in its name again. The first event of the new log says what
was lost; the districts keep the old log's last checkpoint and see that the new one has another origin.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append, head
from hub.audit.signer import check_grew
from hub.audit.tables import Checkpoint, WitnessRound
from hub.audit.verify import Trusted, verify_log
from hub.db import Database
from hub.errors import Conflict, StoreError
from hub.files import sync_folder, write_file
from hub.identity.witnesses import every_witness
from hub.settings import Home, write_key
from policies.translog.checkpoint import CheckpointBody, open_checkpoint, sign_checkpoint
from policies.translog.note import Verifier, read_vkey


@dataclass(frozen=True)
class BegunAgain:
    """The new log's origin, how many events it goes on from, how many signed ones are lost."""

    origin: str
    kept: int
    lost: int


def begin_again(home: Home, database: Database, *, audit: AuditTrail) -> BegunAgain:
    """A new origin and key over the restored events; raises Conflict where the signer would sign on by itself, or
    where the restored log is not whole itself."""
    facts = home.public_facts()
    old = read_vkey(facts["log_verifier"])
    last_file = home.signer / "last-checkpoint"
    last = open_checkpoint(last_file.read_text("utf-8"), old)
    with database.reading() as session:
        size, newest = head(session)[0], _newest(session)
        _check_behind(session, old, facts, size=size, last=last)
    key = Ed25519PrivateKey.generate()
    verifier = Verifier(_next_origin(old.name), key.public_key())
    with database.transaction() as session:
        body = _first_events(session, verifier, kept=size, last=last, audit=audit)
        note = sign_checkpoint(body, key=key)
        session.add(Checkpoint(size=body.size, note=note))
    write_file(last_file.with_name(f"lost-checkpoint-{last.size}"), last_file.read_bytes())
    home.key_file("signer", "log.key").unlink()
    write_key(home.key_file("signer", "log.key"), key.private_bytes_raw())
    write_file(last_file, note.encode())
    before = f"{facts.get('log_verifiers_before', '')} {old.vkey()}".strip()
    told = json.loads(home.public.read_text("utf-8")) | {
        "log_verifier": verifier.vkey(),
        "log_verifiers_before": before,
    }
    write_file(home.public, json.dumps(told, indent=1).encode() + b"\n")
    sync_folder(home.signer)
    return BegunAgain(verifier.name, size, last.size - (size if size < last.size else newest))


def _check_behind(session: Session, old: Verifier, facts: dict[str, str], *, size: int, last: CheckpointBody) -> None:
    if _newest(session) >= last.size or _grew(session, last):
        raise Conflict(
            "The log is not behind what was signed.",
            code="nothing-to-recover",
            next_step="Verify it: promise-hub audit verify. A rewritten log is not recovered but shown.",
        )
    former = tuple(read_vkey(one) for one in facts.get("log_verifiers_before", "").split())
    witnesses = tuple(one for log in (old, *former) for one in every_witness(session, log).values())
    verdict = verify_log(session, Trusted(old, former, witnesses))
    if verdict.whole is False:
        raise Conflict(f"The restored log is not whole: {verdict.reason}.", code="log-changed")


def _newest(session: Session) -> int:
    """The size of the newest checkpoint that the database holds."""
    return session.scalar(select(func.max(Checkpoint.size))) or 0


def _grew(session: Session, last: CheckpointBody) -> bool:
    """Whether the log grows out of what was signed last. A restored one may be longer by now, and yet does not: the
    hub goes on writing while its signer refuses."""
    try:
        check_grew(session, last, *head(session))
    except StoreError:
        return False
    return True


def _first_events(
    session: Session, verifier: Verifier, *, kept: int, last: CheckpointBody, audit: AuditTrail
) -> CheckpointBody:
    session.execute(delete(WitnessRound))
    append(
        session,
        audit,
        EventType.LOG_RECOVERED,
        resource=f"log:{verifier.name}",
        counts={"kept": kept, "signed": last.size},
        versions={"lost_origin": last.origin, "lost_root": last.root.hex()},
    )
    return CheckpointBody(verifier.name, *head(session))


def _next_origin(origin: str) -> str:
    """promise-hub/log, promise-hub/log-2, promise-hub/log-3."""
    name, dash, number = origin.rpartition("-")
    return f"{name}-{int(number) + 1}" if dash and number.isdigit() else f"{origin}-2"
