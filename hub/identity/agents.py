"""The agents of the roster: programs at the edge that sign what they send, each for its organisation alone."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Conflict, Invalid, NotFound
from hub.identity.tables import Agent, Organisation
from policies.principal import Principal, Role


def load_roster(session: Session, roster: Mapping[str, Any], *, audit: AuditTrail) -> int:
    """Register the agents of a roster {agents: [{organisation, key_id, public_key}]}; how many are new."""
    entries = [_agent_entry(entry, at) for at, entry in enumerate(_agents_of(roster))]
    known = {agent.key_id: agent for agent in session.scalars(select(Agent))}
    organisations = set(session.scalars(select(Organisation.id)))
    new: list[Agent] = []
    for at, (organisation, key_id, public_key) in enumerate(entries):
        if organisation not in organisations:
            raise Invalid(f"Entry {at} of the roster names no known organisation.", code="roster-organisation")
        if key_id not in known:
            known[key_id] = Agent(
                key_id=key_id, organisation=organisation, public_key=public_key, registered_at=audit.clock()
            )
            new.append(known[key_id])
        elif (known[key_id].organisation, known[key_id].public_key) != (organisation, public_key):
            raise Conflict(f"Entry {at} of the roster changes a key.", code="roster-key-changed")
    session.add_all(new)
    for agent in new:
        append(session, audit, EventType.AGENT_REGISTERED, resource=f"agent:{agent.key_id}")
    append(session, audit, EventType.ROSTER_LOADED, resource="roster", counts={"agents": len(entries), "new": len(new)})
    return len(new)


def new_agents(session: Session, roster: Any) -> list[dict[str, str]]:
    """The entries of a roster that are not registered yet; raises as `load_roster` does for what is wrong."""
    entries = [_agent_entry(entry, at) for at, entry in enumerate(_agents_of(roster))]
    known = {agent.key_id: agent for agent in session.scalars(select(Agent))}
    for at, (organisation, key_id, public_key) in enumerate(entries):
        held = known.get(key_id)
        if held is not None and (held.organisation, held.public_key) != (organisation, public_key):
            raise Conflict(f"Entry {at} of the roster changes a key.", code="roster-key-changed")
    fields = ("organisation", "agent", "key")
    return [dict(zip(fields, entry, strict=True)) for entry in entries if entry[1] not in known]


def revoke_agent(session: Session, key_id: str, *, audit: AuditTrail) -> None:
    """From now on nothing signed by this key is taken."""
    agent = session.get(Agent, key_id)
    if agent is None:
        raise NotFound()
    agent.revoked_at = agent.revoked_at or audit.clock()
    append(session, audit, EventType.AGENT_REVOKED, resource=f"agent:{key_id}")


def organisation_of_agent(session: Session, key_id: str) -> str:
    """Whose agent it is; NotFound for one that is not registered or is revoked."""
    found = session.get(Agent, key_id)
    if found is None or found.revoked_at is not None:
        raise NotFound()
    return found.organisation


def agent_key(session: Session, key_id: str) -> tuple[Ed25519PublicKey, str] | None:
    """The public key and organisation of an agent that is registered and not revoked."""
    columns = select(Agent.public_key, Agent.organisation)
    agent = session.execute(columns.where(Agent.key_id == key_id, Agent.revoked_at.is_(None))).one_or_none()
    if agent is None:
        return None
    return Ed25519PublicKey.from_public_bytes(b64decode(agent.public_key)), agent.organisation


def agent_principal(key_id: str, organisation: str) -> Principal:
    return Principal(f"agent:{key_id}", frozenset({Role.AGENT}), organisation)


def _agents_of(roster: Any) -> list[Any]:
    agents = roster.get("agents") if isinstance(roster, Mapping) else None
    if not isinstance(agents, list) or not agents:
        raise Invalid("A roster is {agents: [{organisation, key_id, public_key}]}.", code="roster-form")
    return agents


def _agent_entry(entry: Any, at: int) -> tuple[str, str, str]:
    fields = ("organisation", "key_id", "public_key")
    if not isinstance(entry, dict) or not all(isinstance(entry.get(name), str) for name in fields):
        raise Invalid(f"Entry {at} of the roster is not whole.", code="roster-form")
    organisation, key_id, public_key = (str(entry[name]) for name in fields)
    try:
        raw = Ed25519PublicKey.from_public_bytes(b64decode(public_key, validate=True)).public_bytes_raw()
    except ValueError as error:
        raise Invalid(f"Entry {at} of the roster has no Ed25519 key.", code="roster-key") from error
    return organisation, key_id, b64encode(raw).decode()
