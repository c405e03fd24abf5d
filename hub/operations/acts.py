"""What each approved act does, where a person's approval alone can do it: the database is enough, no key is needed.

Asking and the last approval come over the pages, or the operator's command asks (`hub.operations.asking`); acts that
are not listed here are done by a command that uses the approval up (`two_persons.take_act`). Rule: the approval and
its effect are one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from hub.agreements.activation import (
    activate,
    amend,
    amended_places,
    amendment,
    approving,
    check_first,
    check_ready,
    new_keys,
    register_keys,
)
from hub.agreements.service import parsed
from hub.audit.events import AuditTrail
from hub.db import everything_shown
from hub.errors import Conflict, Fault, Invalid, NotFound
from hub.identity import agents
from hub.identity import service as people
from hub.identity.accounts import reset
from hub.identity.invitations import invite
from hub.identity.two_persons import Waiting, approve_act, ask_act, decline_act, drop_acts_of, take_act
from hub.linking import service as linking
from hub.operations.destruction import begin_destruction, parties_of_end
from hub.release.service import prepared_release
from policies.principal import Principal, Role
from policies.two_persons import APPROVED_WITHIN, ActRefused, check_ask

Payload = Mapping[str, Any]
FIELD_MAX = 100


@dataclass(frozen=True)
class Performer:
    """The fields that one fills in to ask, the organisations that an act concerns, and what doing it does:
    the person that is to be invited comes back, if any.

    `bind` adds to what was told the hashes of what it names, so that the approvers are bound to the content too.
    """

    fields: tuple[str, ...]
    concerns: Callable[[Session, Payload], frozenset[str]]
    perform: Callable[[Session, Payload, AuditTrail], str | None]
    bind: Callable[[Session, Payload], Payload] = lambda session, payload: payload


def ask(
    session: Session, kind: str, told: Mapping[str, str], *, why: str, principal: Principal, audit: AuditTrail
) -> int:
    """Ask for an act by its fields; its number comes back. A removal bars the person at once, until it is decided."""
    performer = PERFORMERS.get(kind)
    if performer is None:
        raise _wrong("kind")
    if set(told) != set(performer.fields) or not all(0 < len(value) <= FIELD_MAX for value in told.values()):
        raise _wrong(",".join(performer.fields))
    payload = {name: value.strip() for name, value in told.items()}
    with everything_shown(session):
        concerned = performer.concerns(session, payload)
        payload = dict(performer.bind(session, payload))
    number = ask_act(session, kind, payload, organisations=concerned, why=why, principal=principal, audit=audit)
    if kind == "person.remove":
        people.suspend_person(session, payload["person"], until=audit.clock() + APPROVED_WITHIN, audit=audit)
    return number


def approve(
    session: Session, number: int, *, digest: str, principal: Principal, audit: AuditTrail
) -> tuple[Waiting, str | None]:
    """Approve; the last approval that was needed does the act at once where it can be done here.

    The code that the approver tells an invited person comes back beside the act, shown once.
    """
    act = approve_act(session, number, digest=digest, principal=principal, audit=audit)
    performer = PERFORMERS.get(act.kind)
    if performer is None or act.missing:
        return act, None
    take_act(session, act.kind, act.payload, organisations=frozenset(act.organisations), audit=audit)
    # What two persons decided is done whole, whatever the last of them may see.
    with everything_shown(session):
        _check_bound(session, performer, act.payload)
        invited = performer.perform(session, act.payload, audit)
        session.flush()
    return act, None if invited is None else invite(session, act.id, invited)


def shown_changes(session: Session, act: Waiting) -> list[str]:
    """Of an amendment every place that changes, one a line: what its approvers are bound to read."""
    if act.kind != "agreement.amend":
        return []
    told = act.payload
    places = amended_places(session, told["agreement"], _version(told), before=int(told["before"]))
    return [place.line() for place in places]


def _check_bound(session: Session, performer: Performer, payload: Payload) -> None:
    """Raises Conflict where what was approved is not what it names any more."""
    told = {name: payload[name] for name in performer.fields}
    if dict(performer.bind(session, told)) != dict(payload):
        raise Conflict(
            "What was approved has changed since.", code="ACT-004", next_step="Ask for it anew.",
        )  # fmt: skip


def decline(session: Session, act: Waiting, *, principal: Principal, audit: AuditTrail) -> None:
    """Turn down; somebody whose removal was asked for may come in again."""
    if decline_act(session, act.id, principal=principal, audit=audit) == "person.remove":
        people.lift_suspension(session, act.payload["person"], audit=audit)


def askable(principal: Principal) -> list[str]:
    """The kinds of act whose forms this principal may fill in."""
    return [kind for kind in PERFORMERS if may_ask_somewhere(kind, principal)]


def may_ask_somewhere(kind: str, principal: Principal) -> bool:
    """Whether a role of the principal asks for this kind, at least for the own organisation."""
    own = frozenset({principal.organisation}) if principal.organisation else frozenset()
    try:
        check_ask(kind, principal, organisations=own)
    except ActRefused:
        return False
    return True


def _wrong(place: str) -> Invalid:
    return Invalid(
        "The act is not told in the form that is taken here.", code="ACT-012", faults=[Fault(place, "ACT-012")],
        next_step="Name a kind of act of docs/people.md with exactly its fields.",
    )  # fmt: skip


def _roles(text: str) -> frozenset[Role]:
    try:
        return frozenset(Role(name.strip()) for name in text.split(","))
    except ValueError:
        raise _wrong("roles") from None


def _of_person(session: Session, payload: Payload) -> frozenset[str]:
    return frozenset({people.organisation_of(session, payload["person"])})


def _nobody(session: Session, payload: Payload) -> frozenset[str]:
    return frozenset()


def _version(payload: Payload) -> int:
    if not (payload["version"].isascii() and payload["version"].isdigit() and len(payload["version"]) < 10):
        raise _wrong("version")
    return int(payload["version"])


def _ready(session: Session, payload: Payload) -> frozenset[str]:
    """Whose signatory approves an activation; raises Invalid where a clause or a party's signature is missing."""
    return approving(session, check_ready(session, payload["agreement"], _version(payload)))


def _ended(session: Session, payload: Payload) -> frozenset[str]:
    return parties_of_end(session, payload["agreement"], payload["organisation"])


def _destroy(session: Session, payload: Payload, audit: AuditTrail) -> None:
    begin_destruction(session, payload["agreement"], _ended(session, payload), audit=audit)


def _activate(session: Session, payload: Payload, audit: AuditTrail) -> None:
    activate(session, payload["agreement"], _version(payload), audit=audit)


def _first(session: Session, payload: Payload) -> frozenset[str]:
    check_first(session, payload["agreement"])
    return _ready(session, payload)


def _amending(session: Session, payload: Payload) -> frozenset[str]:
    """Whose signatory approves an amendment: those who give under either version."""
    before, _ = amendment(session, payload["agreement"], _version(payload))
    return _ready(session, payload) | approving(session, parsed(before.text))


def _texts(session: Session, payload: Payload) -> Payload:
    before, after = amendment(session, payload["agreement"], _version(payload))
    return {
        **payload, "text": after.text_hash, "before": str(before.version), "before_text": before.text_hash,
    }  # fmt: skip


def _amend(session: Session, payload: Payload, audit: AuditTrail) -> None:
    amend(session, payload["agreement"], _version(payload), audit=audit)


def _told_key(payload: Payload) -> dict[str, dict[str, str]]:
    return {payload["organisation"]: {"key": payload["key"], "proof": payload["proof"]}}


def _of_key(session: Session, payload: Payload) -> frozenset[str]:
    new_keys(session, _told_key(payload))
    return _of_organisation(session, payload)


def _trust(session: Session, payload: Payload, audit: AuditTrail) -> None:
    register_keys(session, _told_key(payload), audit=audit)


def _roster(payload: Payload) -> dict[str, Any]:
    entry = {"organisation": payload["organisation"], "key_id": payload["agent"], "public_key": payload["key"]}
    return {"agents": [entry]}


def _of_new_agent(session: Session, payload: Payload) -> frozenset[str]:
    if not agents.new_agents(session, _roster(payload)):
        raise _wrong("agent")
    return _of_organisation(session, payload)


def _register(session: Session, payload: Payload, audit: AuditTrail) -> None:
    agents.load_roster(session, _roster(payload), audit=audit)


def _content(session: Session, payload: Payload) -> Payload:
    """The release that waits, with the hash of its content; raises NotFound where it is not the one that is named."""
    waiting = prepared_release(session)
    if waiting is None or waiting.id != payload["release"]:
        raise NotFound("No such release waits.", code="release-unknown", next_step="Run promise-hub release prepare.")
    return {**payload, "content": waiting.content_sha256}


def _publish(session: Session, payload: Payload, audit: AuditTrail) -> None:
    from hub.release.publishing import publish_within

    publish_within(session, payload["release"], audit=audit)


def _add(session: Session, payload: Payload, audit: AuditTrail) -> str | None:
    roles = _roles(payload["roles"])
    return people.add_person(session, organisation=payload["organisation"], roles=roles, audit=audit)


def _bind(session: Session, payload: Payload, audit: AuditTrail) -> None:
    from hub.identity.provider_sign_in import bind

    bind(session, payload["person"], issuer=payload["issuer"], subject=payload["subject"], audit=audit)


def _reset(session: Session, payload: Payload, audit: AuditTrail) -> str | None:
    reset(session, payload["person"], audit=audit)
    return str(payload["person"])


def _revert(session: Session, payload: Payload, audit: AuditTrail) -> None:
    linking.revert_run(session, audit=audit)


def _holding(session: Session, payload: Payload) -> Payload:
    """The run that holds and the one before it: a revert that was approved takes no later run back."""
    holds, before = linking.reverting(session)
    return {**payload, "holds": str(holds), "before": "none" if before is None else str(before)}


def _accept(session: Session, payload: Payload, audit: AuditTrail) -> None:
    linking.accept_run(session, _version(payload), audit=audit)


def _end_sessions(session: Session, payload: Payload, audit: AuditTrail) -> None:
    people.end_sessions(session, payload["person"], audit=audit)


def _remove(session: Session, payload: Payload, audit: AuditTrail) -> None:
    people.remove_person(session, payload["person"], audit=audit)
    drop_acts_of(session, f"person:{payload['person']}", audit=audit)


def _change_roles(session: Session, payload: Payload, audit: AuditTrail) -> None:
    people.set_roles(session, payload["person"], roles=_roles(payload["roles"]), audit=audit)


def _revoke(session: Session, payload: Payload, audit: AuditTrail) -> None:
    agents.revoke_agent(session, payload["agent"], audit=audit)


def _of_agent(session: Session, payload: Payload) -> frozenset[str]:
    return frozenset({agents.organisation_of_agent(session, payload["agent"])})


def _of_organisation(session: Session, payload: Payload) -> frozenset[str]:
    return frozenset({payload["organisation"]})


PERFORMERS: Mapping[str, Performer] = {
    "person.add": Performer(("organisation", "roles"), _of_organisation, _add),
    "person.roles": Performer(("person", "roles"), _of_person, _change_roles),
    "person.remove": Performer(("person",), _of_person, _remove),
    "person.reset": Performer(("person",), _of_person, _reset),
    "person.sessions": Performer(("person",), _of_person, _end_sessions),
    "person.bind": Performer(("person", "issuer", "subject"), _of_person, _bind),
    "agent.revoke": Performer(("agent",), _of_agent, _revoke),
    "linkage.accept": Performer(("version",), _nobody, _accept),
    "agreement.activate": Performer(("agreement", "version"), _first, _activate),
    "agreement.amend": Performer(("agreement", "version"), _amending, _amend, _texts),
    "party.key": Performer(("organisation", "key", "proof"), _of_key, _trust),
    "agent.add": Performer(("organisation", "agent", "key"), _of_new_agent, _register),
    "release.publish": Performer(("release",), _nobody, _publish, _content),
    "data.destroy": Performer(("agreement", "organisation"), _ended, _destroy),
    "linkage.revert": Performer((), _nobody, _revert, _holding),
}
