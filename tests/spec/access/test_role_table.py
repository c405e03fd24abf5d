"""Who may do what: the role table as the partnership agreed it, written down a second time and compared cell by cell.

A cell says how far a role's permission reaches; an empty one is a refusal. What is not in the table is refused.
"""

import pytest

from policies.principal import Role, RoleError, check_roles
from policies.roles import ROLE_TABLE, extent_of
from policies.two_persons import ACTS

pytestmark = pytest.mark.access
COLUMNS = (
    Role.STEWARD,
    Role.PARTNER,
    Role.COMPLIANCE,
    Role.ADMINISTRATOR,
    Role.SIGNATORY,
    Role.AGENT,
    Role.OPERATOR,
    Role.PUBLIC,
)
#                     steward  analyst    compliance administrator signatory agent operator public
TABLE = """
submission.send     | -       | -          | -       | -        | -       | own | -       | -
submission.upload   | own     | -       | -          | -       | -         | -   | -       | -
submission.read     | own     | -          | -       | -        | -       | own | -       | -
submission.certify  | own     | -          | -       | -        | -       | -   | -       | -
held_rows.read      | own     | -          | counts  | counts   | -       | own | -       | -
linkage.run         | -       | -          | approve | request  | view    | -   | all     | -
linkage.quality     | own     | -          | all     | all      | own     | -   | -       | -
review.read         | own     | -          | -       | -        | -       | own | -       | -
review.answer       | -       | -          | -       | -        | -       | own | -       | -
review.approve      | own     | -          | -       | -        | -       | -   | -       | -
record.read         | -       | -          | -       | -        | -       | own | -       | -
disclosure.read     | own     | -          | all     | -        | -       | -   | -       | -
opt_out.record      | -       | -          | -       | -        | -       | own | -       | -
opt_out.read        | own     | -          | all     | -        | own     | -   | -       | -
aggregate.query     | -       | agreements | -       | -        | -       | -   | -       | -
cell.unsuppressed   | -       | -          | -       | -        | -       | -   | -       | -
agreement.draft     | -       | request    | view    | all      | own     | -   | -       | -
agreement.read      | own     | agreements | all     | all      | own     | own | -       | -
agreement.register  | own     | agreements | all     | all      | own     | -   | -       | -
agreement.activate  | -       | -          | veto    | request  | approve | -   | all     | -
rule.change         | -       | -          | approve | request  | approve | -   | -       | -
audit.read          | own     | own        | all     | metadata | own     | -   | -       | -
audit.export        | own     | own        | all     | -        | own     | -   | -       | -
audit.watch         | -       | -          | all     | -        | -       | -   | -       | -
log.cosign          | -       | -          | -       | -        | -       | own | -       | -
person.manage       | request | request    | approve | request  | -       | -   | all     | -
key.manage          | own     | -          | approve | request  | approve | -   | all     | -
epoch.read          | all     | -          | all     | all      | all     | all | -       | -
epoch.take_part     | -       | -          | -       | -        | -       | own | -       | -
data.destroy        | request | -          | approve | request  | approve | -   | request | -
administration.read | -       | -          | view    | all      | -        | -   | -       | -
hub.operate         | -       | -          | approve | request  | -       | -   | all     | -
release.publish     | -       | -          | approve | request  | -       | -   | all     | -
table.request       | own     | request    | approve | view     | own     | -   | -       | -
table.ask           | -       | request    | -       | -        | -       | -   | -       | -
table.comment       | own     | -          | -       | -        | own     | -   | -       | -
voice.write         | -       | own        | -       | -        | -       | -   | -       | -
voice.read          | all     | own        | all     | -        | all     | -   | -       | -
voice.review        | approve | -          | approve | -        | approve | -   | -       | -
voice.withdraw      | -       | own        | all     | -        | -       | -   | -       | -
table.decide        | -       | -          | approve | -        | -       | -   | -       | -
act.read            | own     | own        | all     | all      | own     | -   | all     | -
act.ask             | request | request    | -       | request  | request | -   | request | -
act.approve         | -       | -          | approve | -        | approve | -   | -       | -
session.manage      | own     | own        | own     | own      | own     | -   | -       | -
account.read        | own     | own        | own     | own      | own     | -   | -       | -
account.set_up      | own     | own        | own     | own      | own     | -   | -       | -
session.open        | -       | -          | -       | -        | -       | -   | -       | all
public.read         | all     | all        | all     | all      | all     | all | all     | all
"""


def agreed():
    """(action, role, cell) of the table above."""
    for line in TABLE.strip().splitlines():
        action, *cells = (cell.strip() for cell in line.split("|"))
        yield from ((action, role, cell) for role, cell in zip(COLUMNS, cells, strict=True))


def test_every_cell_of_the_role_table_is_the_agreed_one(record_property):
    stands = {
        (action, role): cells[role].value if role in cells else "-"
        for action, cells in ROLE_TABLE.items()
        for role in COLUMNS
    }

    record_property("cells", len(stands))
    assert stands == {(action, role): cell for action, role, cell in agreed()}


def test_an_action_that_is_not_in_the_table_is_refused_to_everybody():
    assert extent_of("nothing.known", frozenset(Role)) == {}


def test_nobody_holds_administrator_and_compliance_together():
    check_roles(frozenset({Role.COMPLIANCE, Role.SIGNATORY}))
    with pytest.raises(RoleError):
        check_roles(frozenset({Role.COMPLIANCE, Role.ADMINISTRATOR, Role.STEWARD}))


def test_no_role_both_asks_for_an_act_and_approves_it():
    for kind, act in ACTS.items():
        asking = {role for role, extent in ROLE_TABLE[act.action].items() if extent.value in ("request", "all")}
        assert not asking & set(act.approvers), kind


def test_somebody_who_came_by_a_set_up_link_sets_up_an_account_and_nothing_else():
    held = {action for action, cells in ROLE_TABLE.items() if Role.NEWCOMER in cells}

    assert held == {"account.set_up", "session.manage", "public.read"}


def test_unsuppressed_cells_are_nobodys():
    assert extent_of("cell.unsuppressed", frozenset(Role)) == {}
