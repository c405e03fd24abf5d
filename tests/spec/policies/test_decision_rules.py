"""The one decision, as tables a compliance officer can read: who may do what, under which agreement, and why not."""

import datetime as dt
from importlib import resources

import pytest

from policies.agreements import ElementTerms, read_agreement
from policies.decision import (
    Query,
    Resource,
    agreement_for,
    decide,
    decide_count,
    decide_submission,
    threshold,
)
from policies.decision_rules import RULES
from policies.principal import ANONYMOUS, Principal, Role, RoleError, check_roles
from policies.roles import ROLE_TABLE, Extent, extent_of

DAY = dt.date(2026, 11, 22)
PURPOSE = "close-equity-gap-2028"


def example(name):
    return read_agreement(resources.files("policies").joinpath(f"agreements/{name}.yaml").read_text("utf-8"))


K12, PRESCHOOL, LICENCE = example("dsa-k12"), example("dsa-preschool"), example("dul-7")
ALL = (K12, PRESCHOOL, LICENCE)
PARTNER = Principal("analyst-1", frozenset({Role.PARTNER}), "canal-alliance")
STEWARD = Principal("steward-1", frozenset({Role.STEWARD}), "novato")
OFFICER = Principal("officer-1", frozenset({Role.COMPLIANCE}), "promise-partnership")
AGENT = Principal("novato:1", frozenset({Role.AGENT}), "novato")


def ask(who=PARTNER, *, day=DAY, agreements=ALL, **changes):
    asked = {"agreement": "DUL-7", "purpose": PURPOSE, "indicator": "third-grade-reading", "dimensions": ("race",)}
    query = Query(**{**asked, **changes})
    return decide(who, "aggregate.query", Resource("observations", query=query), agreements=agreements, day=day)


def variant(agreement, **changes):
    return agreement.model_copy(update=changes)


@pytest.mark.parametrize(
    ("case", "rule"),
    [
        ({}, "R-00"),
        ({"dimensions": ()}, "R-00"),
        ({"dimensions": ("race", "economic-status")}, "R-00"),
        ({"who": STEWARD}, "R-01"),
        ({"who": ANONYMOUS}, "R-01"),
        ({"who": Principal("t", frozenset({Role.PARTNER}), "canal-alliance", agreement="DUL-8")}, "R-03"),
        ({"who": Principal("t", frozenset({Role.PARTNER}), "canal-alliance", agreement="DUL-7")}, "R-00"),
        ({"agreement": None}, "R-10"),
        ({"agreement": "DUL-99"}, "R-10"),
        ({"agreement": "DSA-K12"}, "R-10"),
        ({"who": Principal("x", frozenset({Role.PARTNER}), "another-partner")}, "R-10"),
        ({"day": dt.date(2026, 6, 30)}, "R-10"),
        ({"day": dt.date(2039, 7, 1)}, "R-10"),
        ({"purpose": None}, "R-11"),
        ({"purpose": "curiosity"}, "R-11"),
        ({"indicator": "suspensions"}, "R-12"),
        ({"dimensions": ("birth-month",)}, "R-13"),
        ({"dimensions": ("race", "economic-status", "gender")}, "R-14"),
    ],
)
def test_a_query_is_answered_or_refused_by_the_rule(case, rule):
    decision = ask(**case)

    assert (decision.rule, decision.permitted) == (rule, rule == "R-00")
    assert decision.reason == RULES[rule]


def test_a_refusal_for_what_is_hidden_and_for_what_is_absent_is_the_same():
    stranger = Principal("x", frozenset({Role.PARTNER}), "another-partner")

    assert ask(stranger, agreement="DUL-7") == ask(stranger, agreement="DUL-99")


def test_a_permit_names_the_version_of_the_agreement_it_read():
    newer = variant(LICENCE, version=2)

    assert ask().versions == {"DUL-7": "1", "DSA-K12": "1", "DSA-PRE": "1"}
    assert ask(agreements=(newer, LICENCE)).versions == {"DUL-7": "2"}


@pytest.mark.parametrize(
    ("who", "action", "organisation", "rule", "extent"),
    [
        (STEWARD, "submission.read", "novato", "R-00", Extent.OWN),
        (STEWARD, "submission.read", "reed", "R-02", None),
        (STEWARD, "audit.read", "reed", "R-02", None),
        (OFFICER, "audit.read", "reed", "R-00", Extent.ALL),
        (OFFICER, "submission.read", "novato", "R-01", None),
        (OFFICER, "cell.unsuppressed", None, "R-01", None),
        (AGENT, "submission.send", "novato", "R-00", Extent.OWN),
        (AGENT, "no.such.action", "novato", "R-01", None),
        (ANONYMOUS, "public.read", None, "R-00", Extent.ALL),
    ],
)
def test_an_act_is_permitted_as_far_as_the_role_table_says(who, action, organisation, rule, extent):
    decision = decide(who, action, Resource("any", organisation), agreements=ALL, day=DAY)

    assert (decision.rule, decision.extent) == (rule, extent)


@pytest.mark.parametrize(
    ("who", "provider", "agreement", "day", "rule"),
    [
        (AGENT, "novato", "DSA-K12", DAY, "R-00"),
        (STEWARD, "novato", "DSA-K12", DAY, "R-01"),
        (AGENT, "reed", "DSA-K12", DAY, "R-02"),
        (AGENT, "novato", "DSA-PRE", DAY, "R-20"),
        (AGENT, "novato", "DUL-7", DAY, "R-20"),
        (AGENT, "novato", "DSA-K12", dt.date(2040, 1, 1), "R-20"),
    ],
)
def test_a_submission_needs_an_agreement_in_force_of_its_own_provider(who, provider, agreement, day, rule):
    decision = decide_submission(
        who, provider=provider, agreement=(agreement, 1), school_year=2026, agreements=ALL, day=day
    )

    assert decision.rule == rule


@pytest.mark.parametrize(
    ("provider", "source_kind", "day", "found"),
    [
        ("novato", "unified", DAY, "DSA-K12"),
        ("community-action-marin", "preschool", DAY, "DSA-PRE"),
        ("canal-alliance", "partner", DAY, None),
        ("novato", "unified", dt.date(2017, 1, 1), None),
        ("novato", "state", DAY, None),
    ],
)
def test_the_agreement_to_send_under_is_the_one_in_force_for_the_provider(provider, source_kind, day, found):
    agreement = agreement_for(provider, agreements=ALL, day=day, source_kind=source_kind)

    assert (agreement.id if agreement else None) == found


def test_an_agreement_without_linkage_takes_aggregates():
    employment = example("dsa-employment")

    assert agreement_for("wage-authority", agreements=(employment,), day=DAY, source_kind="state") == employment


@pytest.mark.parametrize(
    ("elements", "indicator", "dimensions", "rule"),
    [
        ({}, "third-grade-reading", ("race",), "R-00"),
        ({"demographics": ("gender",)}, "third-grade-reading", ("race",), "R-18"),
        ({"demographics": ("gender",)}, "third-grade-reading", (), "R-00"),
        ({"demographics": ("gender",)}, "english-learner-reclassification", (), "R-17"),
        ({"demographics": {"race_ethnicity": ElementTerms(may_disaggregate=False)}}, "employment", ("race",), "R-18"),
        ({"demographics": {"race_ethnicity": ElementTerms(may_disaggregate=False)}}, "employment", (), "R-00"),
        ({"attendance": {}}, "chronic-absence", (), "R-17"),
    ],
)
def test_what_one_contributor_withholds_of_a_table_it_gives_nobody_may_count(elements, indicator, dimensions, rule):
    stricter = variant(PRESCHOOL, elements={**PRESCHOOL.elements, **elements})
    asked = {"given": ("DSA-K12", "DSA-PRE"), "day": DAY}

    assert decide_count(indicator, dimensions, agreements=(K12, stricter, LICENCE), **asked).rule == rule
    alone = decide_count(indicator, dimensions, agreements=(K12, stricter), given=("DSA-K12",), day=DAY)
    assert (alone.rule, decide_count(indicator, dimensions, agreements=(), **asked).rule) == ("R-00", "R-00")


def test_the_largest_threshold_of_the_providers_wins():
    strict = variant(PRESCHOOL, outputs=PRESCHOOL.outputs.model_copy(update={"min_n": 20}))

    assert threshold((K12, strict), providers=frozenset({"novato", "community-action-marin"})) == 20
    assert threshold((K12, strict), providers=frozenset({"novato"})) == 11
    assert threshold((), providers=frozenset({"novato"})) == 11


def test_nobody_sees_unsuppressed_cells_and_every_role_reads_what_is_public():
    assert ROLE_TABLE["cell.unsuppressed"] == {}
    assert set(ROLE_TABLE["public.read"]) == set(Role)


def test_one_who_holds_two_roles_has_the_wider_extent():
    both = frozenset({Role.STEWARD, Role.COMPLIANCE})

    decision = decide(Principal("p", both, "novato"), "audit.read", Resource("log", "reed"), agreements=(), day=DAY)

    assert decision.extent is Extent.ALL
    assert extent_of("audit.read", both) == {Role.STEWARD: Extent.OWN, Role.COMPLIANCE: Extent.ALL}


def test_no_one_holds_administrator_and_compliance():
    check_roles(frozenset({Role.ADMINISTRATOR, Role.STEWARD}))

    with pytest.raises(RoleError):
        check_roles(frozenset({Role.ADMINISTRATOR, Role.COMPLIANCE}))
