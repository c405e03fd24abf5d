"""From a draft to an agreement in force, and out of it: keys of parties, signatures, activation, withdrawal.

A version holds when every party that gives or gets has signed its text and two persons of the partnership approved it
(`hub.identity.two_persons`). A party withdraws alone, by its own key: no second person stands in its way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.agreements.service import known_agreements, parsed
from hub.agreements.tables import AgreementSignature, AgreementVersion, AgreementWithdrawal, PartyKey
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import CallerError, Conflict, Fault, Invalid, NotFound
from hub.identity.tables import Organisation
from hub.identity.two_persons import ask_act
from policies.agreement_dates import destroyed_by
from policies.agreement_signatures import SignedWord, Signing, Withdrawing, check_word, read_word
from policies.agreements import Agreement, AgreementError, check_activation
from policies.principal import Principal, Role
from policies.translog.strict_base64 import decoded


@dataclass(frozen=True)
class Ended:
    """An agreement whose time is over for one organisation, or for all its parties; what it gave is to be destroyed."""

    agreement: str
    organisations: tuple[str, ...]
    ended: dt.date
    destroy_by: dt.date
    why: str


def register_keys(session: Session, keys: Mapping[str, str], *, audit: AuditTrail) -> int:
    """The public keys by which organisations sign; the same again is nothing, another one takes the old one's place.

    Raises Invalid for an organisation that is not known or a key that is none. How many are new comes back.
    """
    new = 0
    known = set(session.scalars(select(Organisation.id)))
    for organisation, key in sorted(keys.items()):
        if organisation not in known or not _is_key(key):
            raise Invalid(
                "A line of the list is no organisation with its key.", code="party-key",
                next_step="Give {organisation: key} as promise-edge keys signatory prints it.",
                faults=[Fault("keys", "party-key")],
            )  # fmt: skip
        held = session.get(PartyKey, organisation)
        if held is not None and held.public_key == key:
            continue
        session.merge(PartyKey(organisation=organisation, public_key=key, registered_at=audit.clock()))
        append(session, audit, EventType.PARTY_KEY_REGISTERED, resource=f"organisation:{organisation}")
        new += 1
    return new


def take_signature(session: Session, value: Any, *, audit: AuditTrail) -> Signing:
    """Keep a party's signature of one version; the same again is nothing. Raises Invalid naming what does not hold."""
    word = _held(lambda: _signed(session, value))
    said = word.said
    if not isinstance(said, Signing):
        raise Invalid("This is a withdrawal.", code="AGR-013", next_step="Run promise-hub agreements withdraw.")
    row = _version(session, said.agreement, said.version)
    if row.text_hash != said.text_hash:
        raise Invalid("Another text was signed.", code="AGR-014", next_step="Sign the version that was loaded.")
    if said.organisation not in {party.organisation for party in parsed(row.text).parties}:
        raise Invalid("Who signed is no party.", code="AGR-010", next_step="Sign for an organisation that is a party.")
    key = (said.agreement, said.version, said.organisation)
    if session.get(AgreementSignature, key) is None:
        session.add(
            AgreementSignature(
                agreement=said.agreement, version=said.version, organisation=said.organisation,
                word=word.model_dump(mode="json"), received_at=audit.clock(),
            )
        )  # fmt: skip
        append(
            session, audit.under(agreement=said.agreement, purpose=None), EventType.AGREEMENT_SIGNED,
            resource=f"organisation:{said.organisation}",
            versions={said.agreement: str(said.version), "text": said.text_hash},
        )  # fmt: skip
    return said


def check_ready(session: Session, agreement: str, version: int) -> Agreement:
    """The version as it may be activated; raises Invalid naming the clause, part or party that is missing."""
    found = parsed(_version(session, agreement, version).text)
    _held(lambda: check_activation(found, signed_by=_signed_by(session, found)))
    day = found.retention.effective
    above = {one.id: one for one in known_agreements(session)}
    if found.parent is not None and found.parent not in above:
        raise _not_ready(AgreementError("AGR-009", "parent", f"activate {found.parent} first: it stands above"))
    if found.parent is not None and above[found.parent].retention.expires < day:
        raise _not_ready(AgreementError("AGR-009", "parent", f"{found.parent} ends before this begins: renew it"))
    return found


def activate(session: Session, agreement: str, version: int, *, audit: AuditTrail) -> Agreement:
    """Let a version hold from the day it names. Whoever calls has used two persons' approval of just this up."""
    found = check_ready(session, agreement, version)
    row = _version(session, agreement, version)
    if row.activated_at is not None:
        raise Conflict(
            "This version was activated already.", code="agreement-active", next_step="Nothing is to be done."
        )
    row.activated_at = audit.clock()
    append(
        session, audit.under(agreement=agreement, purpose=None), EventType.AGREEMENT_ACTIVATED,
        resource=f"agreement:{agreement}", decision="permitted", rule="R-00",
        counts={"signatures": len(_signed_by(session, found))},
        versions={agreement: str(version), "text": row.text_hash},
    )  # fmt: skip
    return found


def ask_activation(session: Session, agreement: str, version: int, *, why: str, audit: AuditTrail) -> int:
    """The operator asks two persons to let a version hold; the act's number comes back."""
    found = check_ready(session, agreement, version)
    payload = {"agreement": agreement, "version": str(version)}
    operator = Principal(audit.actor, frozenset({Role.OPERATOR}))
    whose = approving(session, found)
    return ask_act(
        session, "agreement.activate", payload, organisations=whose, why=why, principal=operator, audit=audit
    )


def note_refusal(session: Session, agreement: str, error: CallerError, *, audit: AuditTrail) -> None:
    """Leave the event of an activation that was refused, with its code and the clause or party at fault."""
    faults = {f"fault {at}": fault.at for at, fault in enumerate(error.faults)}
    append(
        session, audit.under(agreement=agreement[:64], purpose=None), EventType.AGREEMENT_REFUSED,
        resource="agreement", decision="refused", rule=error.code, outcome="refused", versions=faults,
    )  # fmt: skip


def approving(session: Session, agreement: Agreement) -> frozenset[str]:
    """The organisations of which a signatory approves: who gives the data, or of a licence who gives under its MOU."""
    given = agreement.contributors()
    if given or agreement.parent is None:
        return given
    above = [one for one in known_agreements(session) if one.id == agreement.parent]
    return frozenset().union(*(one.contributors() for one in above))


def withdraw(session: Session, value: Any, *, audit: AuditTrail) -> Withdrawing:
    """A party's withdrawal, by its own key: from now on what it gave is not used. Again is nothing."""
    word = _held(lambda: _signed(session, value))
    said = word.said
    if not isinstance(said, Withdrawing):
        raise Invalid("This is a signature.", code="AGR-013", next_step="Run promise-hub agreements sign.")
    versions = session.scalars(select(AgreementVersion).where(AgreementVersion.id == said.agreement)).all()
    parties = {party.organisation for row in versions for party in parsed(row.text).parties}
    if said.organisation not in parties:
        raise NotFound()
    if session.get(AgreementWithdrawal, (said.agreement, said.organisation)) is None:
        session.add(
            AgreementWithdrawal(
                agreement=said.agreement, organisation=said.organisation, word=word.model_dump(mode="json"),
                up_to_version=max(row.version for row in versions), withdrawn_at=audit.clock(),
            )
        )  # fmt: skip
        append(
            session, audit.under(agreement=said.agreement, purpose=None), EventType.AGREEMENT_WITHDRAWN,
            resource=f"organisation:{said.organisation}", versions={said.agreement: "all"},
        )  # fmt: skip
    return said


def ended(session: Session, *, day: dt.date) -> Sequence[Ended]:
    """What has ended by the day, and by when its data are to be destroyed: expired agreements and withdrawals."""
    rows = session.scalars(select(AgreementVersion).where(AgreementVersion.activated_at.is_not(None))).all()
    newest: dict[str, Agreement] = {}
    for row in sorted(rows, key=lambda row: row.version):
        newest[row.id] = parsed(row.text)
    over = {name: one for name, one in newest.items() if one.tier == "DSA" and one.retention.expires < day}
    found = [
        Ended(name, tuple(sorted(one.contributors())), one.retention.expires, destroyed_by(one), "expired")
        for name, one in over.items()
    ]
    for left in session.scalars(select(AgreementWithdrawal)):
        one = newest.get(left.agreement)
        if one is not None and one.tier == "DSA" and left.agreement not in over:
            since = left.withdrawn_at.date()
            found.append(
                Ended(left.agreement, (left.organisation,), since, destroyed_by(one, ended=since), "withdrawn")
            )
    return sorted(found, key=lambda one: (one.destroy_by, one.agreement, one.organisations))


def _signed(session: Session, value: Any) -> SignedWord:
    word = read_word(value)
    key = session.get(PartyKey, word.said.organisation)
    if key is None:
        raise AgreementError("AGR-012", "signature", "let the hub register the party's public key first")
    check_word(word, key.public_key)
    return word


def _signed_by(session: Session, agreement: Agreement) -> frozenset[str]:
    """Who signed this very text, by the key that is registered now."""
    found = set()
    rows = select(AgreementSignature).where(
        AgreementSignature.agreement == agreement.id, AgreementSignature.version == agreement.version
    )
    for row in session.scalars(rows):
        try:
            word = _signed(session, row.word)
        except AgreementError:
            continue
        if isinstance(word.said, Signing) and word.said.text_hash == agreement.text_hash():
            found.add(word.said.organisation)
    return frozenset(found)


def _version(session: Session, agreement: str, version: int) -> AgreementVersion:
    row = session.get(AgreementVersion, (agreement, version))
    if row is None:
        raise NotFound()
    return row


def _held(check: Any) -> Any:
    try:
        return check()
    except AgreementError as error:
        raise _not_ready(error) from error


def _not_ready(error: AgreementError) -> Invalid:
    return Invalid(
        f"The agreement does not hold at {error.place}.", code=error.code, next_step=f"Next: {error.next_step}.",
        faults=[Fault(error.place, error.code)],
    )  # fmt: skip


def _is_key(text: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(decoded(text) or b"")
    except ValueError:
        return False
    return True
