"""From a draft to an agreement in force, and out of it: keys of parties, signatures, activation, withdrawal.

A version holds when every party that gives or gets has signed its text and two persons of the partnership approved it
(`hub.identity.two_persons`). A party withdraws alone, by its own key: no second person stands in its way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.agreements.service import known_agreements, parsed
from hub.agreements.tables import AgreementSignature, AgreementVersion, AgreementWithdrawal, PartyKey
from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import CallerError, Conflict, Fault, Invalid, NotFound, as_sentence
from hub.identity.tables import Organisation
from policies.agreement_dates import destroyed_by
from policies.agreement_signatures import SignedWord, Signing, Withdrawing, check_word, read_word
from policies.agreement_words import Change, changes
from policies.agreements import Agreement, AgreementError, check_activation
from policies.party_keys import check_party_key, read_party_key


@dataclass(frozen=True)
class Ended:
    """An agreement whose time is over for one organisation, or for all its parties; what it gave is to be destroyed."""

    agreement: str
    organisations: tuple[str, ...]
    ended: dt.date
    destroy_by: dt.date
    why: str


def new_keys(session: Session, told: Any) -> dict[str, Mapping[str, str]]:
    """Of a list {organisation: {key, proof}} those that are not registered yet, by organisation.

    Raises Invalid for an organisation that is not known, and for a key whose holder did not give it (AGR-015).
    """
    known = set(session.scalars(select(Organisation.id)))
    listed = told if isinstance(told, dict) else {"": None}
    found: dict[str, Mapping[str, str]] = {}
    for organisation, value in sorted(listed.items()):
        if organisation not in known:
            raise Invalid(
                "A line of the list names no organisation that is known.", code="party-key",
                next_step="Give {organisation: {key, proof}} as promise-edge keys prove prints it.",
                faults=[Fault("keys", "party-key")],
            )  # fmt: skip
        given = _held(lambda value=value: read_party_key(value))
        _held(lambda name=organisation, given=given: check_party_key(name, given["key"], given["proof"]))
        held = session.get(PartyKey, organisation)
        if held is None or held.public_key != given["key"]:
            found[organisation] = given
    return found


def register_keys(session: Session, told: Any, *, audit: AuditTrail) -> int:
    """Trust the keys of a list {organisation: {key, proof}} from now on; the same again is nothing, another one takes
    the old one's place. How many are new. Whoever calls has the right to (set-up, or two persons' approval).
    """
    new = new_keys(session, told)
    for organisation, given in new.items():
        key = given["key"]
        session.merge(PartyKey(organisation=organisation, public_key=key, registered_at=audit.clock()))
        append(
            session, audit, EventType.PARTY_KEY_REGISTERED, resource=f"organisation:{organisation}",
            versions={"key": sha256(key.encode()).hexdigest()},
        )  # fmt: skip
    return len(new)


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


def standing_version(session: Session, agreement: str) -> AgreementVersion | None:
    """The newest version of an agreement that was activated, if any."""
    query = select(AgreementVersion).where(AgreementVersion.id == agreement, AgreementVersion.activated_at.is_not(None))
    return session.scalars(query.order_by(AgreementVersion.version.desc()).limit(1)).one_or_none()


def amendment(session: Session, agreement: str, version: int) -> tuple[AgreementVersion, AgreementVersion]:
    """The version that holds and the one that is to take its place; raises Invalid where it amends nothing."""
    before, after = standing_version(session, agreement), _version(session, agreement, version)
    if before is None or before.version >= version:
        raise Invalid(
            "This version amends none that holds.", code="AGR-016", faults=[Fault("version", "AGR-016")],
            next_step="Ask for agreement.activate for a first version; give an amendment a higher version number.",
        )  # fmt: skip
    return before, after


def check_first(session: Session, agreement: str) -> None:
    """Raises Invalid where a version holds already: the next one is an amendment; its approvers see what changes."""
    if standing_version(session, agreement) is not None:
        raise Invalid(
            "A version of this agreement holds already.", code="AGR-016", faults=[Fault("version", "AGR-016")],
            next_step="Ask for agreement.amend: the approvers are shown what changes.",
        )  # fmt: skip


def amended_places(session: Session, agreement: str, version: int, *, before: int) -> tuple[Change, ...]:
    """Every place in which a version differs from the one before it: what the approvers of an amendment are shown."""
    old, new = _version(session, agreement, before), _version(session, agreement, version)
    return changes(parsed(old.text), parsed(new.text))


def amend(session: Session, agreement: str, version: int, *, audit: AuditTrail) -> Agreement:
    """Let an amendment hold from its own first day. Whoever calls has used two persons' approval of just this up."""
    before, row = amendment(session, agreement, version)
    found = check_ready(session, agreement, version)
    row.activated_at = audit.clock()
    append(
        session, audit.under(agreement=agreement, purpose=None), EventType.AGREEMENT_AMENDED,
        resource=f"agreement:{agreement}", decision="permitted", rule="R-00",
        counts={"signatures": len(_signed_by(session, found))},
        versions={
            agreement: str(version), "text": row.text_hash, "before": str(before.version),
            "before_text": before.text_hash,
        },
    )  # fmt: skip
    return found


def activate(session: Session, agreement: str, version: int, *, audit: AuditTrail) -> Agreement:
    """Let a version hold from the day it names. Whoever calls has used two persons' approval of just this up."""
    found = check_ready(session, agreement, version)
    row = _version(session, agreement, version)
    if row.activated_at is not None:
        raise Conflict(
            "This version was activated already.", code="agreement-active", next_step="Nothing is to be done."
        )
    check_first(session, agreement)
    row.activated_at = audit.clock()
    append(
        session, audit.under(agreement=agreement, purpose=None), EventType.AGREEMENT_ACTIVATED,
        resource=f"agreement:{agreement}", decision="permitted", rule="R-00",
        counts={"signatures": len(_signed_by(session, found))},
        versions={agreement: str(version), "text": row.text_hash},
    )  # fmt: skip
    return found


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
        f"The agreement does not hold at {error.place}.", code=error.code, next_step=as_sentence(error.next_step),
        faults=[Fault(error.place, error.code)],
    )  # fmt: skip
