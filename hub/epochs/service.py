"""The ceremony of an epoch as the hub sees it: it keeps what is public or sealed, in order, and can open nothing.

proposed (a signed roster) -> custodians commit -> custodians leave their envelopes -> members accept -> begun.
A custodian seals only after all commitments stand, since the last to speak could else choose its share by the others'.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.epochs.tables import Epoch, EpochAcceptance, EpochCommitment, EpochEnvelope
from hub.errors import Conflict, Fault, Invalid, NotFound, Refused
from hub.identity.agents import load_roster, revoke_agent
from hub.identity.tables import Agent, Organisation
from hub.jobs import enqueue
from policies.epochs import (
    EpochError,
    Roster,
    Signed,
    Statement,
    check_roster,
    check_signed,
    commitments_digest,
    digest,
    read_acceptance,
    read_commitment,
    read_envelope,
    read_roster,
    read_signed,
)
from policies.principal import Principal


@dataclass(frozen=True)
class EpochState:
    """An epoch as everybody who takes part may see it; `given` are custodians whose envelopes are all here."""

    number: int
    roster: Mapping[str, Any]
    commitments: Mapping[str, Mapping[str, object]]
    given: Sequence[str]
    accepted: Sequence[str]
    begun: bool


def present_epoch(session: Session, first: int) -> int:
    """The epoch that holds now: the last begun, else the first, whose secret was given by hand."""
    return session.scalar(select(func.max(Epoch.number)).where(Epoch.begun_at.is_not(None))) or first


def may_send(session: Session, number: int, organisation: str) -> bool:
    """Whether this organisation has accepted the epoch; one without a roster asks for no acceptance."""
    if session.get(Epoch, number) is None:
        return True
    return session.get(EpochAcceptance, (number, organisation)) is not None


def propose_epoch(session: Session, value: Any, *, signatories: Mapping[str, str], audit: AuditTrail) -> Roster:
    """Keep a signed roster and register its agents; the same again is nothing. Raises Invalid or Conflict."""
    never = frozenset(session.scalars(select(Organisation.id).where(Organisation.kind == "hub")))
    try:
        whole = read_roster(value)
        roster = check_roster(whole, signatories=signatories, never=never)
    except EpochError as error:
        raise _invalid(error) from error
    known = session.get(Epoch, roster.epoch)
    if known is not None:
        if known.digest != digest(roster):
            raise Conflict(
                "Another roster is proposed for this epoch.", code="epoch-roster-changed",
                next_step="Propose it for the next epoch.",
            )  # fmt: skip
        return roster
    if roster.epoch <= present_epoch(session, 0):
        raise Conflict("This epoch has passed.", code="epoch-past", next_step="Propose the roster for the next epoch.")
    session.add(
        Epoch(
            number=roster.epoch, roster=json.dumps(whole.model_dump(mode="json"), sort_keys=True),
            digest=digest(roster), accept_by=_instant(roster.accept_by), proposed_at=audit.clock(), begun_at=None,
        )
    )  # fmt: skip
    session.flush()
    load_roster(session, {"agents": [_agent(member.model_dump()) for member in roster.members]}, audit=audit)
    append(
        session, audit, EventType.EPOCH_PROPOSED, resource=f"epoch:{roster.epoch}",
        versions={"epoch": str(roster.epoch), "roster": digest(roster)},
        counts={"members": len(roster.members), "custodians": len(roster.custodians)},
    )  # fmt: skip
    return roster


def commit_share(session: Session, number: int, value: Any, *, principal: Principal, audit: AuditTrail) -> None:
    """Keep a custodian's commitment; the same again is nothing, another one is refused."""
    epoch, roster = _epoch(session, number)
    signed, commitment = _statement(value, read_commitment)
    _check_speaker(roster, signed, commitment, who=commitment.custodian, principal=principal)
    _check_place(epoch, commitment.epoch, commitment.roster, custodian=commitment.custodian, roster=roster)
    known = session.get(EpochCommitment, (number, commitment.custodian))
    if known is not None:
        if known.commitment != commitment.commitment:
            raise Conflict(
                "This custodian has committed to another share.", code="epoch-commitment-changed",
                next_step="Use the share that was drawn first, or let a new epoch be proposed.",
            )  # fmt: skip
        return
    session.add(
        EpochCommitment(
            epoch=number, custodian=commitment.custodian, commitment=commitment.commitment,
            signed=signed.model_dump(mode="json"), made_at=audit.clock(),
        )
    )  # fmt: skip
    append(
        session, audit, EventType.EPOCH_COMMITTED, resource=f"epoch:{number}",
        versions={"epoch": str(number), "roster": epoch.digest, "commitment": commitment.commitment},
    )  # fmt: skip


def leave_envelopes(session: Session, number: int, value: Any, *, principal: Principal, audit: AuditTrail) -> None:
    """Keep a custodian's envelopes, one for each member, all at once; the same custodian again is nothing."""
    epoch, roster = _epoch(session, number)
    if set(_commitments(session, number)) != set(roster.custodians):
        raise Conflict(
            "Not every custodian has committed to its share.", code="epoch-commitments-missing",
            next_step="Give the same command again when the others have.",
        )  # fmt: skip
    found = [_statement(one, read_envelope) for one in _list(value)]
    custodians = {envelope.custodian for _, envelope in found}
    recipients = sorted(envelope.recipient for _, envelope in found)
    if len(custodians) != 1 or recipients != sorted(member.organisation for member in roster.members):
        raise _invalid(EpochError("EPO-007", "envelopes", "seal the share to every member of the roster, once"))
    for signed, envelope in found:
        _check_speaker(roster, signed, envelope, who=envelope.custodian, principal=principal)
        _check_place(epoch, envelope.epoch, envelope.roster, custodian=envelope.custodian, roster=roster)
    custodian = custodians.pop()
    if custodian in _given(session, number):
        return
    session.add_all(
        EpochEnvelope(
            epoch=number, custodian=custodian, recipient=envelope.recipient, signed=signed.model_dump(mode="json"),
            left_at=audit.clock(),
        )
        for signed, envelope in found
    )  # fmt: skip
    append(
        session, audit, EventType.EPOCH_ENVELOPES_LEFT, resource=f"epoch:{number}",
        versions={"epoch": str(number), "roster": epoch.digest}, counts={"envelopes": len(found)},
    )  # fmt: skip


def read_epoch(session: Session, number: int, *, audit: AuditTrail) -> EpochState:
    """What stands of an epoch; raises NotFound."""
    epoch, _ = _epoch(session, number)
    commitments = {name: dict(row.signed) for name, row in _commitments(session, number).items()}
    accepted = session.scalars(
        select(EpochAcceptance.organisation)
        .where(EpochAcceptance.epoch == number)
        .order_by(EpochAcceptance.organisation)
    ).all()
    state = EpochState(
        number, json.loads(epoch.roster), commitments, _given(session, number), accepted, epoch.begun_at is not None
    )
    append(session, audit, EventType.EPOCH_READ, resource=f"epoch:{number}")
    return state


def latest_epoch(session: Session) -> int:
    """The number of the newest proposed epoch; raises NotFound where none was ever proposed."""
    found: int | None = session.scalar(select(func.max(Epoch.number)))
    if found is None:
        raise NotFound()
    return found


def own_envelopes(
    session: Session, number: int, *, principal: Principal, audit: AuditTrail
) -> Sequence[Mapping[str, object]]:
    """The envelopes that were left for the caller's organisation."""
    _epoch(session, number)
    query = select(EpochEnvelope.signed).where(
        EpochEnvelope.epoch == number, EpochEnvelope.recipient == principal.organisation
    )
    found = [dict(signed) for signed in session.scalars(query.order_by(EpochEnvelope.custodian))]
    append(session, audit, EventType.EPOCH_ENVELOPES_READ, resource=f"epoch:{number}", counts={"envelopes": len(found)})
    return found


def accept_epoch(session: Session, number: int, value: Any, *, principal: Principal, audit: AuditTrail) -> None:
    """Keep a member's word that it opened every share; it may come late. The same again is nothing."""
    epoch, roster = _epoch(session, number)
    signed, acceptance = _statement(value, read_acceptance)
    _check_speaker(roster, signed, acceptance, who=acceptance.organisation, principal=principal)
    _check_place(epoch, acceptance.epoch, acceptance.roster, roster=roster)
    commitments = {name: row.commitment for name, row in _commitments(session, number).items()}
    if set(_given(session, number)) != set(roster.custodians) or acceptance.commitments != commitments_digest(
        commitments
    ):
        raise Conflict(
            "These are not the shares that were given.", code="epoch-shares-differ",
            next_step="Fetch the epoch again and accept once every custodian has given its share.",
        )  # fmt: skip
    if session.get(EpochAcceptance, (number, acceptance.organisation)) is not None:
        return
    session.add(
        EpochAcceptance(
            epoch=number, organisation=acceptance.organisation, signed=signed.model_dump(mode="json"),
            accepted_at=audit.clock(),
        )
    )  # fmt: skip
    append(
        session, audit, EventType.EPOCH_ACCEPTED, resource=f"epoch:{number}",
        versions={"epoch": str(number), "roster": epoch.digest, "commitments": acceptance.commitments},
    )  # fmt: skip


def begin_epoch(session: Session, number: int, *, audit: AuditTrail) -> Sequence[str]:
    """From now on only this epoch is taken; the members that sit out until they accept come back.

    Raises Conflict before every custodian has given its share, and, while somebody has not accepted, before the
    deadline. Agents that are not on the roster are revoked.
    """
    epoch, roster = _epoch(session, number)
    members = {member.organisation for member in roster.members}
    late = sorted(
        members - set(session.scalars(select(EpochAcceptance.organisation).where(EpochAcceptance.epoch == number)))
    )
    if epoch.begun_at is not None:
        return late
    if set(_given(session, number)) != set(roster.custodians):
        raise Conflict("Not every custodian has given its share.", code="epoch-shares-missing")
    if late and audit.clock() < epoch.accept_by:
        raise Conflict(
            "Somebody has not accepted and the deadline has not passed.", code="epoch-not-due",
            next_step="Wait for the deadline, or ask them to accept.",
        )  # fmt: skip
    if number <= present_epoch(session, 0):
        raise Conflict("This epoch has passed.", code="epoch-past", next_step="Propose a new epoch.")
    epoch.begun_at = audit.clock()
    for kind in ("rows.end_epoch", "spans.end_epoch"):
        enqueue(session, kind, key=f"{kind}:{number}", payload={"epoch": number}, now=audit.clock())
    kept = {member.key_id for member in roster.members}
    for key_id in session.scalars(select(Agent.key_id).where(Agent.revoked_at.is_(None))).all():
        if key_id not in kept:
            revoke_agent(session, key_id, audit=audit)
    append(
        session, audit, EventType.EPOCH_BEGUN, resource=f"epoch:{number}",
        versions={"epoch": str(number), "roster": epoch.digest},
        counts={"accepted": len(members) - len(late), "late": len(late)},
    )  # fmt: skip
    return late


def _epoch(session: Session, number: int) -> tuple[Epoch, Roster]:
    found = session.get(Epoch, number)
    if found is None:
        raise NotFound()
    return found, read_roster(json.loads(found.roster)).roster


def _commitments(session: Session, number: int) -> dict[str, EpochCommitment]:
    query = select(EpochCommitment).where(EpochCommitment.epoch == number).order_by(EpochCommitment.custodian)
    return {row.custodian: row for row in session.scalars(query)}


def _given(session: Session, number: int) -> Sequence[str]:
    query = select(EpochEnvelope.custodian).where(EpochEnvelope.epoch == number).distinct()
    return session.scalars(query.order_by(EpochEnvelope.custodian)).all()


def _statement(value: Any, read: Any) -> tuple[Signed, Any]:
    try:
        signed = read_signed(value)
        return signed, read(signed.statement)
    except EpochError as error:
        raise _invalid(error) from error


def _list(value: Any) -> list[Any]:
    found = value.get("envelopes") if isinstance(value, dict) else None
    if not isinstance(found, list):
        raise _invalid(EpochError("EPO-001", "envelopes", "make it again with a current edge tool"))
    return found


def _check_speaker(roster: Roster, signed: Signed, statement: Statement, *, who: str, principal: Principal) -> None:
    """The statement speaks for the organisation that sends it and is signed by the key that the roster names."""
    try:
        member = roster.member(who)
        check_signed(statement, signed.signature, member.public_key)
    except EpochError as error:
        raise _invalid(error) from error
    if principal.organisation != who:
        raise Refused("It speaks for another organisation.", code="epoch-speaker")


def _check_place(epoch: Epoch, number: int, roster_digest: str, *, roster: Roster, custodian: str = "") -> None:
    """The statement is about this epoch and roster, and a custodian's is made by a custodian."""
    if number != epoch.number or roster_digest != epoch.digest:
        raise _invalid(EpochError("EPO-008", "roster", "fetch the epoch again: this speaks of another roster"))
    if custodian and custodian not in roster.custodians:
        raise _invalid(EpochError("EPO-009", "custodian", "only the roster's custodians give shares"))


def _agent(member: Mapping[str, str]) -> dict[str, str]:
    return {name: member[name] for name in ("organisation", "key_id", "public_key")}


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _invalid(error: EpochError) -> Invalid:
    return Invalid(
        f"It does not keep the form at {error.place}.",
        code=error.code,
        next_step=error.next_step,
        faults=[Fault(error.place, error.code)],
    )
