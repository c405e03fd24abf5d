"""Which audit suits a system; under the engine."""

from policies.disclosure.audit import Audit
from policies.disclosure.moves import Observer
from policies.disclosure.rules import Rules
from policies.disclosure.standing import Sheet
from policies.disclosure.system import System

COLUMNS_MIN = 3_000
"""Columns of one crossing from which lists of persons are searched."""

PERSONS_MIN = 300
"""Persons from whom on they are: among fewer, even their number may have to be withheld, which a search of lists of
as many persons cannot change."""

HASTY_ROWS = 5_000
"""Rows from which they are searched hastily."""


def audit_of(system: System, sheets: tuple[Sheet, ...], rules: Rules, observers: tuple[Observer, ...]) -> Audit:
    """The audit of a system: of a large one whose tables turn in circles, the one that searches lists of persons."""
    few = system.matrix.shape[1] <= COLUMNS_MIN or int(system.truth.sum()) < PERSONS_MIN
    if few or len(system.cliques) > 1:
        return Audit(system, sheets, rules, observers)
    # Loaded here: compiled code takes seconds at first, and only large systems need it.
    from policies.disclosure.list_audit import HASTY, THOROUGH, ListAudit

    plan = HASTY if system.matrix.shape[0] > HASTY_ROWS else THOROUGH
    return ListAudit(system, sheets, rules, observers, plan=plan)
