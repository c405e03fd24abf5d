"""The role table: who may do what, and to what extent. Deny by default; one declared table, tested cell by cell.

A cell is an extent. `own` means the actor's own organisation, `agreements` the agreements its organisation is a
licensee of, `request` and `approve` the two halves of an act that needs two persons.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from policies.principal import Role


class Extent(StrEnum):
    """How far a role's permission for an action reaches."""

    OWN = "own"
    AGREEMENTS = "agreements"
    ALL = "all"
    COUNTS = "counts"
    METADATA = "metadata"
    VIEW = "view"
    REQUEST = "request"
    APPROVE = "approve"
    VETO = "veto"


_S, _P, _C, _A, _G, _E, _O, _X = (
    Role.STEWARD,
    Role.PARTNER,
    Role.COMPLIANCE,
    Role.ADMINISTRATOR,
    Role.SIGNATORY,
    Role.AGENT,
    Role.OPERATOR,
    Role.PUBLIC,
)
_N = Role.NEWCOMER

ROLE_TABLE: Mapping[str, Mapping[Role, Extent]] = {
    "submission.send": {_E: Extent.OWN},
    "submission.upload": {_S: Extent.OWN},
    "submission.read": {_E: Extent.OWN, _S: Extent.OWN},
    "submission.certify": {_S: Extent.OWN},
    "held_rows.read": {_E: Extent.OWN, _S: Extent.OWN, _C: Extent.COUNTS, _A: Extent.COUNTS},
    "linkage.run": {_C: Extent.APPROVE, _A: Extent.REQUEST, _G: Extent.VIEW, _O: Extent.ALL},
    "linkage.quality": {_S: Extent.OWN, _C: Extent.ALL, _A: Extent.ALL, _G: Extent.OWN},
    "review.read": {_E: Extent.OWN, _S: Extent.OWN},
    "review.answer": {_E: Extent.OWN},
    "review.approve": {_S: Extent.OWN},
    "record.read": {_E: Extent.OWN},
    "disclosure.read": {_S: Extent.OWN, _C: Extent.ALL},
    "opt_out.record": {_E: Extent.OWN},
    "opt_out.read": {_S: Extent.OWN, _C: Extent.ALL, _G: Extent.OWN},
    "aggregate.query": {_P: Extent.AGREEMENTS},
    "cell.unsuppressed": {},
    "agreement.draft": {_P: Extent.REQUEST, _C: Extent.VIEW, _A: Extent.ALL, _G: Extent.OWN},
    "agreement.read": {
        _S: Extent.OWN,
        _P: Extent.AGREEMENTS,
        _C: Extent.ALL,
        _A: Extent.ALL,
        _G: Extent.OWN,
        _E: Extent.OWN,
    },
    "agreement.register": {_S: Extent.OWN, _P: Extent.AGREEMENTS, _C: Extent.ALL, _A: Extent.ALL, _G: Extent.OWN},
    "agreement.activate": {_C: Extent.VETO, _A: Extent.REQUEST, _G: Extent.APPROVE, _O: Extent.ALL},
    "rule.change": {_C: Extent.APPROVE, _A: Extent.REQUEST, _G: Extent.APPROVE},
    "audit.read": {_S: Extent.OWN, _P: Extent.OWN, _C: Extent.ALL, _A: Extent.METADATA, _G: Extent.OWN},
    "audit.export": {_S: Extent.OWN, _P: Extent.OWN, _C: Extent.ALL, _G: Extent.OWN},
    "audit.watch": {_C: Extent.ALL},
    "log.cosign": {_E: Extent.OWN},
    "person.manage": {_S: Extent.REQUEST, _P: Extent.REQUEST, _C: Extent.APPROVE, _A: Extent.REQUEST, _O: Extent.ALL},
    "key.manage": {_S: Extent.OWN, _C: Extent.APPROVE, _A: Extent.REQUEST, _G: Extent.APPROVE, _O: Extent.ALL},
    "epoch.read": {_E: Extent.ALL, _S: Extent.ALL, _C: Extent.ALL, _A: Extent.ALL, _G: Extent.ALL},
    "epoch.take_part": {_E: Extent.OWN},
    "data.destroy": {
        _S: Extent.REQUEST,
        _C: Extent.APPROVE,
        _A: Extent.REQUEST,
        _G: Extent.APPROVE,
        _O: Extent.REQUEST,
    },
    "administration.read": {_C: Extent.VIEW, _A: Extent.ALL},
    "hub.operate": {_C: Extent.APPROVE, _A: Extent.REQUEST, _O: Extent.ALL},
    "release.publish": {_C: Extent.APPROVE, _A: Extent.REQUEST, _O: Extent.ALL},
    "table.ask": {_P: Extent.REQUEST},
    "table.comment": {_S: Extent.OWN, _G: Extent.OWN},
    "table.decide": {_C: Extent.APPROVE},
    "table.request": {_P: Extent.REQUEST, _C: Extent.APPROVE, _A: Extent.VIEW, _S: Extent.OWN, _G: Extent.OWN},
    "voice.write": {_P: Extent.OWN},
    "voice.read": {_P: Extent.OWN, _S: Extent.ALL, _C: Extent.ALL, _G: Extent.ALL},
    "voice.review": {_S: Extent.APPROVE, _C: Extent.APPROVE, _G: Extent.APPROVE},
    "voice.withdraw": {_P: Extent.OWN, _C: Extent.ALL},
    "act.read": dict.fromkeys((_C, _A, _O), Extent.ALL) | dict.fromkeys((_S, _P, _G), Extent.OWN),
    "act.ask": {_A: Extent.REQUEST, _S: Extent.REQUEST, _P: Extent.REQUEST, _G: Extent.REQUEST, _O: Extent.REQUEST},
    "act.approve": {_C: Extent.APPROVE, _G: Extent.APPROVE},
    "session.manage": dict.fromkeys((_S, _P, _C, _A, _G, _N), Extent.OWN),
    "account.set_up": dict.fromkeys((_S, _P, _C, _A, _G, _N), Extent.OWN),
    "account.read": dict.fromkeys((_S, _P, _C, _A, _G), Extent.OWN),
    "session.open": {_X: Extent.ALL},
    "public.read": dict.fromkeys(Role, Extent.ALL),
}


def extent_of(action: str, roles: frozenset[Role]) -> Mapping[Role, Extent]:
    """The extents that these roles have for the action; empty means refused."""
    row = ROLE_TABLE.get(action, {})
    return {role: row[role] for role in sorted(roles & row.keys())}


SCOPED: Mapping[str, tuple[str, ...]] = {
    "submissions": ("submission.read", "submission.send", "submission.certify", "held_rows.read"),
    "reviews": ("review.read", "review.answer", "review.approve"),
    "voices": ("voice.read", "voice.review", "voice.withdraw"),
    "links": (),
    "opt_outs": ("opt_out.record", "opt_out.read"),
}
"""What belongs to one organisation, and the actions that read or change it: the database holds this too (PostgreSQL's
row-level security). Links of persons are nobody's to read: only the hub's own workers open them."""
_OWN = frozenset({Extent.OWN})


def reach_of(family: str, roles: frozenset[Role]) -> Extent | None:
    """How far these roles reach into a family of SCOPED: everything, their own organisation's, or nothing."""
    extents = {extent for action in SCOPED[family] for extent in extent_of(action, roles).values()}
    if not extents:
        return None
    return Extent.OWN if extents <= _OWN else Extent.ALL
