"""Puts the agreements of a demonstration in force, by made-up persons; only where everybody is made up.

Nothing is left out: every party's signature is checked, and three made-up persons ask and approve each activation.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from hub.agreements.service import known_agreements, known_versions
from hub.audit.events import AuditTrail
from hub.identity.service import add_person
from hub.identity.two_persons import list_acts
from hub.operations import acts
from policies.principal import Principal, Role

TIERS = ("MOU", "DSA", "DUL")
WHY = "The demonstration begins."


def activate_all(session: Session, *, audit: AuditTrail) -> int:
    """Activate every version that is a draft, from the top tier down; how many."""
    standing = {(one.id, one.version) for one in known_agreements(session)}
    drafts = [one for one in known_versions(session) if (one.id, one.version) not in standing]
    hub = "promise-partnership"
    people: dict[tuple[str, Role], Principal] = {}

    def person(role: Role, organisation: str) -> Principal:
        if (organisation, role) not in people:
            name = add_person(session, organisation=organisation, roles=frozenset({role}), audit=audit)
            people[organisation, role] = Principal(f"person:{name}", frozenset({role}), organisation)
        return people[organisation, role]

    for draft in sorted(drafts, key=lambda one: (TIERS.index(one.tier), one.id, one.version)):
        told = {"agreement": draft.id, "version": str(draft.version)}
        asking = person(Role.ADMINISTRATOR, hub)
        number = acts.ask(session, "agreement.activate", told, why=WHY, principal=asking, audit=audit)
        act = next(one for one in list_acts(session, principal=asking, audit=audit) if one.id == number)
        for approver in (person(Role.COMPLIANCE, hub), person(Role.SIGNATORY, act.organisations[0])):
            trail = replace(audit, actor=approver.actor, organisation=approver.organisation)
            acts.approve(session, number, digest=act.digest, principal=approver, audit=trail)
    return len(drafts)
