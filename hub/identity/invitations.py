"""How a set-up link reaches a person by two others: who asked makes the link, who approved tells the code.

Neither of them alone can use the account up. A code is shown once and only its hash is kept.
"""

from __future__ import annotations

import secrets

from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail
from hub.errors import Conflict, NotFound
from hub.identity.service import hash_of, link_with_code
from hub.identity.tables import ActRow, Invitation
from policies.principal import Principal

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LETTERS = 10


def invite(session: Session, act: int, person: str) -> str:
    """Keep that this act lets its asker make a link for the person; the code to tell the person, shown once."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(CODE_LETTERS))
    code = f"{letters[:5]}-{letters[5:]}"
    session.add(Invitation(act=act, person=person, code_hash=hash_of(code)))
    session.flush()
    return code


def make_invited_link(session: Session, act: int, *, principal: Principal, audit: AuditTrail) -> str:
    """The set-up link of an act that the caller asked for and others approved; made once."""
    row, invitation = session.get(ActRow, act), session.get(Invitation, act)
    if row is None or invitation is None or row.asked_by != principal.actor:
        raise NotFound()
    if invitation.link_made_at is not None:
        raise Conflict(
            "The link of this act was made already.", code="link-made",
            next_step="If it was lost, ask to reset the person's account.",
        )  # fmt: skip
    invitation.link_made_at = audit.clock()
    return link_with_code(session, invitation.person, code_hash=invitation.code_hash, audit=audit)
