"""Who asks on a page: a person under the licence that the address names, or under the first that she has."""

from dataclasses import replace

from fastapi import Request
from sqlalchemy.orm import Session

from hub.agreements.service import known_agreements
from hub.http import hub_of, principal_of
from hub.release.asking import Asker
from hub.web.explorer_form import first_licence


def asker_under(request: Request, session: Session, *, licence: str | None) -> Asker:
    """The asker under a licence and purpose written `agreement/purpose`; None takes the first, empty takes none."""
    asker = Asker(
        principal=principal_of(request),
        agreement=None,
        purpose=None,
        agreements=known_agreements(session),
        day=hub_of(request).clock().date(),
    )
    named = first_licence(asker) if licence is None else licence
    agreement, _, purpose = named.partition("/")
    return replace(asker, agreement=agreement[:64] or None, purpose=purpose[:64] or None)
