"""How far a role reaches into what belongs to one provider."""

from policies.principal import Role
from policies.roles import ROLE_TABLE, SCOPED, Extent, reach_of


def test_stewards_and_agents_reach_their_own_and_the_office_counts_over_all():
    assert reach_of("submissions", frozenset({Role.STEWARD})) is Extent.OWN
    assert reach_of("reviews", frozenset({Role.AGENT, Role.PUBLIC})) is Extent.OWN
    assert reach_of("submissions", frozenset({Role.COMPLIANCE})) is Extent.ALL
    assert reach_of("submissions", frozenset({Role.PARTNER})) is None


def test_links_of_persons_are_nobodys():
    assert {reach_of("links", frozenset({role})) for role in Role} == {None}


def test_every_action_of_a_family_is_a_row_of_the_role_table():
    assert {action for actions in SCOPED.values() for action in actions} <= set(ROLE_TABLE)
