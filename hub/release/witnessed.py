"""Lets a release out once its witnesses have cosigned the log up to its approval: the last gate before the public."""

from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail
from hub.audit.service import prove
from hub.audit.witnessing import newest_witnessed
from hub.errors import NotFound
from hub.release.service import Release, approval_of, pending_release, publish, published_release
from policies.translog.checkpoint import read_body
from policies.translog.policy import Policy
from policies.translog.receipt import Receipt


def waits_for(session: Session) -> int | None:
    """How many events a checkpoint must cover before the pending release can go out; None where none waits."""
    pending = pending_release(session)
    sequence = None if pending is None else approval_of(session, pending.id)
    return None if sequence is None else sequence + 1


def publish_witnessed(session: Session, *, policy: Policy, audit: AuditTrail) -> Release | None:
    """Publish the release that waits, if a checkpoint with the policy's quorum covers its approval."""
    pending, needed = pending_release(session), waits_for(session)
    if pending is None or needed is None:
        return None
    note = newest_witnessed(session, policy=policy, at_least=needed)
    if note is None:
        return None
    return publish(session, pending.id, audit=audit, cosigned=read_body(note.text).size)


def proof_of_release(session: Session, release: str, *, policy: Policy) -> Receipt:
    """What shows anybody that a public release was approved in the log under a checkpoint that witnesses cosigned.

    Raises NotFound where there is no such release, or where it needed no witness.
    """
    sequence = approval_of(session, published_release(session, release).id)
    note = None if sequence is None else newest_witnessed(session, policy=policy, at_least=sequence + 1)
    if sequence is None or note is None:
        raise NotFound("No witness has cosigned this release.", code="release-unwitnessed")
    found = prove(session, sequence, size=read_body(note.text).size)
    if found is None:
        raise NotFound("No witness has cosigned this release.", code="release-unwitnessed")
    return found
