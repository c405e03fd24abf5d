"""Who asks: a person, an edge agent, a program of the hub, or the public. Put into a request by `hub.web`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The roles of the partnership; a person may hold several, never administrator and compliance together."""

    STEWARD = "steward"
    PARTNER = "partner"
    COMPLIANCE = "compliance"
    ADMINISTRATOR = "administrator"
    SIGNATORY = "signatory"
    AGENT = "agent"
    OPERATOR = "operator"
    PUBLIC = "public"
    NEWCOMER = "newcomer"


@dataclass(frozen=True)
class Principal:
    """An actor with roles, organisation, and, for a personal token, the one agreement it is bound to."""

    actor: str
    roles: frozenset[Role]
    organisation: str | None = None
    agreement: str | None = None


ANONYMOUS = Principal("anonymous", frozenset({Role.PUBLIC}))
EXCLUSIVE = frozenset({Role.ADMINISTRATOR, Role.COMPLIANCE})


class RoleError(Exception):
    """A set of roles that no one may hold together."""

    code = "ROLE-001"


def check_roles(roles: frozenset[Role]) -> None:
    """Raises RoleError when somebody would be both administrator and compliance officer."""
    if roles >= EXCLUSIVE:
        raise RoleError("ROLE-001: give administrator and compliance to two persons")
