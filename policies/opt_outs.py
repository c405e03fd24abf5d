"""What a family's objection (opt-out) takes a child out of: the rule of linking-and-counting beside the agreements.

A scope says against what the family objects; a row is taken out where the objection reaches what it was given for.
It is honoured from the next cohort's release on: what was told of a cohort is never told again without one child,
since the difference would be that child (`docs/agreements.md`).
"""

from __future__ import annotations

from enum import StrEnum

from policies.agreements import Agreement


class OptOutScope(StrEnum):
    """Against what a family objects."""

    DIRECTORY = "directory"
    STUDIES = "studies"
    ALL = "all"


SCOPE_WORDS = {
    OptOutScope.DIRECTORY: "results found by directory information (34 CFR 99.37)",
    OptOutScope.STUDIES: "studies, and results found by directory information (34 CFR 99.31(a)(6), 99.37)",
    OptOutScope.ALL: "everything that no law demands",
}
BY_DIRECTORY = frozenset({"clearinghouse"})
"""The kinds of submission that were found by directory information: name and birth date sent to the Clearinghouse."""
MANDATED = frozenset({"ferpa-audit-evaluation", "public-record"})
"""Legal bases that no family can object to, unless the agreement itself promises to honour the parents' list."""


def takes_out(scope: OptOutScope, agreement: Agreement, *, kind: str) -> bool:
    """Whether what was given under the agreement, as a submission of this kind, goes uncounted for who objected so."""
    promised = agreement.opt_outs
    if kind in BY_DIRECTORY and (promised is None or promised.directory_block):
        return True
    if scope is OptOutScope.DIRECTORY:
        return False
    bases = set(agreement.legal_basis)
    if "ferpa-studies" in bases:
        return True
    if scope is OptOutScope.STUDIES:
        return False
    return not bases <= MANDATED or (promised is not None and promised.parent_list)
