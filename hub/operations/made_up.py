"""Lets made-up persons be the second ones of a demonstration; only where everybody is made up.

Nothing is left out: every party's signature is checked, and what three persons ask and approve elsewhere three made-up
persons ask and approve here.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from hub.agreements.service import known_agreements, known_versions
from hub.audit.events import AuditTrail
from hub.identity.service import add_person
from hub.identity.two_persons import WAITING, Waiting, list_acts
from hub.operations import acts
from policies.principal import Principal, Role

TIERS = ("MOU", "DSA", "DUL")
WHY = "The demonstration begins."
HUB = "promise-partnership"


def activate_all(session: Session, *, audit: AuditTrail) -> int:
    """Activate every version that is a draft, from the top tier down; how many."""
    standing = {(one.id, one.version) for one in known_agreements(session)}
    drafts = [one for one in known_versions(session) if (one.id, one.version) not in standing]
    crowd = _Crowd(session, audit)
    for draft in sorted(drafts, key=lambda one: (TIERS.index(one.tier), one.id, one.version)):
        told = {"agreement": draft.id, "version": str(draft.version)}
        asking = crowd.person(Role.ADMINISTRATOR, HUB)
        kind = "agreement.amend" if draft.id in {name for name, _ in standing} else "agreement.activate"
        number = acts.ask(session, kind, told, why=WHY, principal=asking, audit=audit)
        act = next(one for one in list_acts(session, principal=asking, audit=audit) if one.id == number)
        crowd.approve(act)
        standing.add((draft.id, draft.version))
    return len(drafts)


def approve_waiting(session: Session, *, audit: AuditTrail) -> int:
    """Let made-up persons approve everything that waits; how many acts."""
    crowd = _Crowd(session, audit)
    officer = crowd.person(Role.COMPLIANCE, HUB)
    waiting = [one for one in list_acts(session, principal=officer, audit=audit) if one.state == WAITING]
    for act in reversed(waiting):
        crowd.approve(act)
    return len(waiting)


class _Crowd:
    """The made-up persons of one command, each added when first needed."""

    def __init__(self, session: Session, audit: AuditTrail) -> None:
        self._session, self._audit = session, audit
        self._people: dict[tuple[str, Role], Principal] = {}

    def person(self, role: Role, organisation: str) -> Principal:
        """The one person of a role and an organisation."""
        key = (organisation, role)
        if key not in self._people:
            name = add_person(self._session, organisation=organisation, roles=frozenset({role}), audit=self._audit)
            self._people[key] = Principal(f"person:{name}", frozenset({role}), organisation)
        return self._people[key]

    def approve(self, act: Waiting) -> None:
        """Give every approval that an act still lacks."""
        for role in act.missing:
            approver = self.person(role, act.organisations[0] if role is Role.SIGNATORY else HUB)
            trail = replace(self._audit, actor=approver.actor, organisation=approver.organisation)
            acts.approve(self._session, act.id, digest=act.digest, principal=approver, audit=trail)
