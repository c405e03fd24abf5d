"""Who cosigns the log: the agents of the roster, and the policy that a majority of the districts makes.

A district counts once, by any of its agents. Agents of other members may cosign too; their lines are kept and shown,
and do not count.
"""

from __future__ import annotations

from base64 import b64decode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from hub.identity.tables import Agent, Organisation
from policies.organisation_files import LOCAL_EDUCATION_AGENCIES
from policies.translog.note import COSIGNATURE, Verifier
from policies.translog.policy import Policy, majority_policy, witness_name


def witness_policy(session: Session, log: Verifier) -> Policy:
    """The quorum that a checkpoint needs: a majority of the districts that have an agent which is not revoked."""
    agents: dict[str, dict[str, Verifier]] = {}
    for key_id, organisation, public_key in session.execute(_of_districts()):
        agents.setdefault(organisation, {})[key_id] = _verifier(log, organisation, public_key)
    return majority_policy(log, agents)


def needs_witnesses(session: Session) -> bool:
    """Whether a release has to wait for cosignatures: as soon as one district has an agent."""
    return session.execute(_of_districts().limit(1)).first() is not None


def every_witness(session: Session, log: Verifier) -> dict[str, Verifier]:
    """The verifier of every agent that ever stood on the roster, by key id: what old cosignatures are held against."""
    rows = session.execute(select(Agent.key_id, Agent.organisation, Agent.public_key))
    return {key_id: _verifier(log, organisation, public_key) for key_id, organisation, public_key in rows}


def _of_districts() -> Select[str, str, str]:
    return (
        select(Agent.key_id, Agent.organisation, Agent.public_key)
        .join(Organisation, Organisation.id == Agent.organisation)
        .where(Organisation.kind.in_(LOCAL_EDUCATION_AGENCIES), Agent.revoked_at.is_(None))
        .order_by(Agent.organisation, Agent.key_id)
    )


def _verifier(log: Verifier, organisation: str, public_key: str) -> Verifier:
    key = Ed25519PublicKey.from_public_bytes(b64decode(public_key))
    return Verifier(witness_name(log.name, organisation), key, COSIGNATURE)
