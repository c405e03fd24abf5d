"""Who may read an agreement: the roles that read all, and the organisations that are a party of it."""

from __future__ import annotations

from policies.agreements import Agreement
from policies.principal import Principal
from policies.roles import Extent, extent_of


def may_read(principal: Principal, agreement: Agreement) -> bool:
    """Whether the principal's roles, or its organisation's part in the agreement, open it; a token opens its own."""
    if principal.agreement not in (None, agreement.id):
        return False
    extents = set(extent_of("agreement.read", principal.roles).values())
    if Extent.ALL in extents:
        return True
    return bool(extents) and principal.organisation in {party.organisation for party in agreement.parties}
