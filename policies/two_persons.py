"""The law of dangerous acts: who may ask for one, who must approve it, and when an approval holds.

Nobody acts alone: one person asks, others approve what they were shown (its SHA-256 binds them), within 72 hours.
Compliance approves everything; what touches providers' data needs a signatory of a provider concerned as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from policies.principal import Principal, Role
from policies.refusal import StatementRefused
from policies.roles import Extent, extent_of
from policies.submission import canonical_json

APPROVED_WITHIN = timedelta(hours=72)
"""From the moment of asking; later the act is stale and must be asked anew."""
_ASKS = frozenset({Extent.REQUEST, Extent.ALL, Extent.OWN})
_EVERYWHERE = frozenset({Role.ADMINISTRATOR, Role.OPERATOR})


class ActRefused(StatementRefused):
    """An act that may not be asked, approved or done: stable code, place, next step."""


@dataclass(frozen=True)
class Act:
    """A kind of dangerous act: its row of the role table, its words, and who must approve it."""

    action: str
    words: str
    approvers: tuple[Role, ...] = (Role.COMPLIANCE,)


_PROVIDERS = (Role.COMPLIANCE, Role.SIGNATORY)

ACTS: Mapping[str, Act] = {
    "person.add": Act("person.manage", "give somebody an account"),
    "person.roles": Act("person.manage", "change somebody's roles"),
    "person.remove": Act("person.manage", "remove somebody who left"),
    "person.reset": Act("person.manage", "let somebody set up a lost second factor anew"),
    "person.sessions": Act("person.manage", "end somebody's sessions, links and tokens"),
    "person.bind": Act("person.manage", "let somebody sign in by an identity provider"),
    "agent.revoke": Act("key.manage", "take nothing more from an agent's key", _PROVIDERS),
    "agent.add": Act("key.manage", "put an agent's key on the roster", _PROVIDERS),
    "party.key": Act("key.manage", "trust a key by which a party signs agreements", _PROVIDERS),
    "agreement.activate": Act("agreement.activate", "let an agreement hold", _PROVIDERS),
    "agreement.amend": Act("agreement.activate", "let a new version of an agreement hold", _PROVIDERS),
    "data.destroy": Act("data.destroy", "destroy the data of an agreement", _PROVIDERS),
    "linkage.accept": Act("linkage.run", "let a run of the linkage hold"),
    "linkage.revert": Act("linkage.run", "let the run before hold again"),
    "release.publish": Act("release.publish", "publish a release"),
    "rule.change": Act("rule.change", "change a suppression rule above the floor", _PROVIDERS),
    "hub.operate": Act("hub.operate", "back up, restore or set up the hub otherwise"),
}
"""Every dangerous act; the approving roles are the `approve` and `veto` cells of the role table."""


@dataclass(frozen=True)
class Asked:
    """An act as it was asked: whose data it touches, its SHA-256, and who approved it until now, by role."""

    kind: str
    digest: str
    asked_by: str
    asked_at: datetime
    organisations: frozenset[str]
    approved: tuple[tuple[Role, str], ...] = ()

    def missing(self) -> tuple[Role, ...]:
        """The roles whose approval is not there yet."""
        given = {role for role, _ in self.approved}
        return tuple(role for role in ACTS[self.kind].approvers if role not in given)

    def is_stale(self, now: datetime) -> bool:
        """Whether the time for approving and doing it is over."""
        return now >= self.asked_at + APPROVED_WITHIN


def act_digest(kind: str, payload: Mapping[str, Any], *, organisations: frozenset[str]) -> str:
    """The SHA-256 of what is asked, in hex: what an approver is bound to."""
    return hashlib.sha256(canonical_json([kind, dict(payload), sorted(organisations)])).hexdigest()


def check_ask(kind: str, principal: Principal, *, organisations: frozenset[str]) -> None:
    """Raises ActRefused unless the principal may ask for this kind of act over these organisations."""
    act = ACTS.get(kind)
    if act is None:
        raise ActRefused("ACT-001", "kind", "name a kind of act of the list")
    if principal.agreement is not None:
        raise ActRefused("ACT-002", "principal", "sign in: a token only reads")
    asking = {role for role, extent in extent_of(act.action, principal.roles).items() if extent in _ASKS}
    if not asking:
        raise ActRefused("ACT-002", "principal", "ask an administrator to ask for it")
    if not asking & _EVERYWHERE and organisations != {principal.organisation}:
        raise ActRefused("ACT-003", "organisations", "ask for your own organisation")


def check_approval(asked: Asked, principal: Principal, *, digest: str, now: datetime) -> Role:
    """The role in which this principal approves; raises ActRefused when it may not."""
    if digest != asked.digest:
        raise ActRefused("ACT-004", "payload", "read the act again: it is not the one you were shown")
    if asked.is_stale(now):
        raise ActRefused("ACT-005", "asked_at", "ask for it anew: 72 hours are over")
    if principal.actor == asked.asked_by:
        raise ActRefused("ACT-006", "principal", "ask another person to approve it")
    if any(principal.actor == who for _, who in asked.approved):
        raise ActRefused("ACT-006", "principal", "ask another person: you approved it already")
    role = next((role for role in asked.missing() if _may_approve(asked, principal, role)), None)
    if role is None:
        raise ActRefused("ACT-007", "principal", "ask one of the roles that are still missing")
    return role


def check_perform(asked: Asked, *, digest: str, now: datetime) -> None:
    """Raises ActRefused unless everybody needed approved exactly this, in time."""
    if digest != asked.digest:
        raise ActRefused("ACT-004", "payload", "do exactly what was approved, or ask anew")
    if asked.is_stale(now):
        raise ActRefused("ACT-005", "asked_at", "ask for it anew: 72 hours are over")
    if asked.missing():
        raise ActRefused("ACT-008", "approved", "wait for the approvals that are missing")


def may_see(asked: Asked, principal: Principal) -> bool:
    """Whether the principal may read this act: who asked, who approves, and the organisations it touches."""
    if principal.agreement is not None:
        return False
    if principal.actor == asked.asked_by or principal.roles & {Role.COMPLIANCE, Role.ADMINISTRATOR, Role.OPERATOR}:
        return True
    return Role.SIGNATORY in principal.roles and principal.organisation in asked.organisations


def _may_approve(asked: Asked, principal: Principal, role: Role) -> bool:
    if role not in principal.roles or principal.agreement is not None:
        return False
    return role is Role.COMPLIANCE or principal.organisation in asked.organisations
