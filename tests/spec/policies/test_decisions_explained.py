"""The cases of the one decision, each a sentence; the manual's page docs/decisions-explained.md is written from them.

Run as a program this file writes the page anew; the last test holds the page current.
"""

import datetime as dt
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import pytest

from policies.agreements import ElementTerms, Populations, read_agreement
from policies.decision import (
    Query,
    Resource,
    decide,
    decide_count,
    decide_element,
    decide_grade,
    decide_submission,
    decide_use,
    threshold,
)
from policies.decision_rules import RULES
from policies.principal import Principal, Role

pytestmark = pytest.mark.access
PAGE = Path(__file__).parents[3] / "docs" / "decisions-explained.md"
DAY = dt.date(2026, 11, 22)


def example(name):
    return read_agreement(resources.files("policies").joinpath(f"{name}.yaml").read_text("utf-8"))


K12, PRE, COL, DUL = (example(f"agreements/{name}") for name in ("dsa-k12", "dsa-preschool", "dsa-college", "dul-7"))
STUDY = example("agreement_examples/dsa-studies")
PARTNER = Principal("person:analyst", frozenset({Role.PARTNER}), "canal-alliance")
TOKEN = Principal("person:analyst", frozenset({Role.PARTNER}), "canal-alliance", agreement="DUL-8")
STEWARD = Principal("person:steward", frozenset({Role.STEWARD}), "novato")
AGENT = Principal("agent:novato:1", frozenset({Role.AGENT}), "novato")


class Case(NamedTuple):
    """One sentence of the manual, the rule that decides, and the decision itself."""

    words: str
    rule: str
    decision: object


def changed(agreement, **parts):
    return agreement.model_copy(update=parts)


def outputs(agreement, **parts):
    return changed(agreement, outputs=agreement.outputs.model_copy(update=parts))


def ask(who=PARTNER, *, known=(K12, PRE, COL, DUL), day=DAY, **parts):
    asked = {"agreement": "DUL-7", "purpose": "close-equity-gap-2028", "indicator": "third-grade-reading", **parts}
    return decide(who, "aggregate.query", Resource("table", query=Query(**asked)), agreements=known, day=day)


def send(who=AGENT, *, provider="novato", agreement=("DSA-K12", 1), year=2026, known=(K12, PRE), day=DAY):
    return decide_submission(
        who, provider=provider, agreement=agreement, school_year=year, agreements=known, day=day
    )  # fmt: skip


def use(
    *, provider="novato", agreement="DSA-K12", year=2026, kinds=("unified", "preschool"), known=(K12, STUDY), day=DAY
):
    return decide_use(
        provider=provider, agreement=agreement, school_year=year, kinds=kinds, agreements=known, day=day
    )  # fmt: skip


def count(*dimensions, indicator="third-grade-reading", known=(K12, PRE)):
    return decide_count(indicator, dimensions, agreements=known, given={one.id for one in known}, day=DAY)


def act(who, action, organisation):
    return decide(who, action, Resource("any", organisation), agreements=(), day=DAY)


NOVATO_3RD = changed(K12, populations=Populations(text="Third graders of Novato", grades=("03",), areas=("Novato",)))
ROSS_VALLEY = changed(K12, populations=Populations(text="Ross Valley", areas=("Ross Valley",)))
FEWER = changed(K12, version=2, elements={"enrollment": K12.elements["enrollment"]})
ONLY_2025 = changed(K12, populations=Populations(text="One year", first_year=2025, last_year=2025))
NO_RACE = changed(
    PRE, elements={**PRE.elements, "demographics": {"race_ethnicity": ElementTerms(may_disaggregate=False)}}
)
UNREPORTED = changed(K12, elements={**K12.elements, "assessment": {
    name: ElementTerms(may_report=name != "achievement_level") for name in K12.elements["assessment"]}})  # fmt: skip
OWN_WORDS = changed(DUL, purposes=(DUL.purposes[0].model_copy(update={"id": "tutoring"}),))
UNDER = changed(DUL, purposes=(DUL.purposes[0].model_copy(
    update={"id": "tutoring", "under": "close-equity-gap-2028"}),))  # fmt: skip

GROUPS = {
    "Who acts": (
        Case("A steward reads a submission of her own office.", "R-00", act(STEWARD, "submission.read", "novato")),
        Case("A steward reads a submission of another office.", "R-02", act(STEWARD, "submission.read", "reed")),
        Case("A steward starts a linkage run.", "R-01", act(STEWARD, "linkage.run", None)),
        Case("A partner asks for cells that are not protected.", "R-01", act(PARTNER, "cell.unsuppressed", None)),
    ),
    "Asking for results": (
        Case("A partner asks what its licence names, for its purpose.", "R-00", ask()),
        Case("The same, by race.", "R-00", ask(dimensions=("race",))),
        Case("A steward asks under a licence of another organisation.", "R-01", ask(STEWARD)),
        Case("A token that is bound to another agreement asks.", "R-03", ask(TOKEN)),
        Case("No agreement is named.", "R-10", ask(agreement=None)),
        Case("An agreement is named that there is not.", "R-10", ask(agreement="DUL-99")),
        Case("An agreement is named to which the partner is no party.", "R-10", ask(agreement="DSA-K12")),
        Case("The licence has expired.", "R-10", ask(day=dt.date(2039, 7, 1))),
        Case("The licence has not begun.", "R-10", ask(day=dt.date(2026, 6, 30))),
        Case("No purpose is named.", "R-11", ask(purpose=None)),
        Case("A purpose is named that the licence does not have.", "R-11", ask(purpose="curiosity")),
        Case("An indicator that the licence does not name.", "R-12", ask(indicator="chronic-absence")),
        Case("A split that the licence does not name.", "R-13", ask(dimensions=("school-level",))),
        Case("Three splits at once, where two are agreed.", "R-14", ask(dimensions=("race", "gender", "preschool"))),
        Case("Two splits, where a contributor agreed to one.", "R-14",
             ask(dimensions=("race", "gender"), known=(outputs(K12, max_dimensions=1), DUL))),
        Case("By district, where a contributor agreed to the county only.", "R-15",
             ask(dimensions=("district",), known=(outputs(K12, geographic_floor="county"), DUL))),
        Case("A project's purpose that no contributor knows.", "R-16", ask(purpose="tutoring", known=(K12, OWN_WORDS))),
        Case("The same, where the licence says under which of their purposes it falls.", "R-00",
             ask(purpose="tutoring", known=(K12, UNDER))),
        Case("An outcome that one contributor does not let be reported.", "R-17", ask(known=(UNREPORTED, DUL))),
        Case("The same, after the contributor's agreement has ended: an end never shows more.", "R-17",
             ask(known=(changed(UNREPORTED, retention=K12.retention.model_copy(
                 update={"expires": dt.date(2026, 6, 30)})), DUL))),
        Case("By race, where one preschool does not let results be split by it.", "R-18",
             ask(dimensions=("race",), known=(K12, NO_RACE, DUL))),
    ),
    "Sending": (
        Case("An agent sends for its own office under its agreement.", "R-00", send()),
        Case("A steward's sign-in sends in place of the agent.", "R-01", send(STEWARD)),
        Case("An agent sends for another office.", "R-02", send(provider="reed")),
        Case("Under an agreement of others.", "R-20", send(agreement=("DSA-PRE", 1))),
        Case("Under an agreement that has expired.", "R-20", send(day=dt.date(2039, 7, 1))),
        Case("Under a version that another has replaced.", "R-21", send(known=(K12, changed(K12, version=2)))),
        Case("Records of a school year that is not meant.", "R-22", send(known=(ONLY_2025,))),
        Case("Records of an office in an area that is meant.", "R-00", send(known=(NOVATO_3RD,))),
        Case("Records of an office in another area than is meant.", "R-24", send(known=(ROSS_VALLEY,))),
        Case("A row of a grade that is meant.", "R-00", decide_grade(NOVATO_3RD, "03")),
        Case("A row of another grade: dropped at the edge, refused at intake, left out of counts.", "R-25",
             decide_grade(NOVATO_3RD, "04")),
        Case("An element that the agreement names.", "R-00", decide_element(K12, "enrollment", "grade")),
        Case("An element that the agreement does not name: dropped at the edge, refused at intake.", "R-23",
             decide_element(PRE, "enrollment", "grade")),
    ),
    "Linking": (
        Case("What was sent under an agreement in force is linked.", "R-00", use()),
        Case("What was sent under an agreement that has ended sits out.", "R-30", use(day=dt.date(2039, 7, 1))),
        Case("What was sent of a year that an amendment takes out sits out.", "R-22", use(known=(ONLY_2025,))),
        Case("What was sent from an area that an amendment takes out sits out.", "R-24", use(known=(ROSS_VALLEY,))),
        Case("A study of schools only sits out of a run with preschools.", "R-31", use(agreement="DSA-STUDY-3")),
        Case("The same study takes part in a run of schools.", "R-00",
             use(agreement="DSA-STUDY-3", kinds=("unified", "elementary"))),
    ),
    "Counting": (
        Case("A table that every contributor permits.", "R-00", count("race")),
        Case("An outcome that one contributor does not let be reported.", "R-17", count(known=(UNREPORTED, PRE))),
        Case("An outcome from a table that an amendment takes out, given before.", "R-17", count(known=(K12, FEWER))),
        Case("A split that one contributor does not let be made.", "R-18", count("race", known=(K12, NO_RACE))),
        Case("The same table without that split.", "R-00", count(known=(K12, NO_RACE))),
        Case("By district, where a contributor agreed to the county only.", "R-15",
             count("district", known=(outputs(K12, geographic_floor="county"),))),
    ),
}  # fmt: skip
CASES = [case for group in GROUPS.values() for case in group]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.words)
def test_the_case_is_decided_by_the_rule(case):
    permitted = case.rule == "R-00"

    assert (case.decision.rule, case.decision.permitted) == (case.rule, permitted)
    assert case.decision.reason == RULES[case.rule]


def test_every_rule_has_a_case():
    assert {case.rule for case in CASES} == set(RULES)


@pytest.mark.parametrize(("minima", "wins"), [((11, 11), 11), ((11, 20), 20), ((30, 20), 30)])
def test_the_strictest_threshold_of_the_contributors_wins(minima, wins):
    known = tuple(outputs(one, min_n=least) for one, least in zip((K12, PRE), minima, strict=True))

    assert threshold(known, providers=frozenset({"novato", "community-action-marin"})) == wins


def page():
    """The manual's page, from the cases above."""
    lines = [
        "# Decisions explained",
        "",
        "One function decides every act: who acts, what is done, to what, under which agreements, on which day. It",
        "permits or refuses by one rule, which stands in the log with the versions of the agreements that were read.",
        "What no rule permits is refused. Written from the tests in `tests/spec/policies/test_decisions_explained.py`.",
        '`promise-hub decide --as partner@canal-alliance --ask "third-grade-reading by race under DUL-7 for',
        'close-equity-gap-2028"` explains any other case.',
        "",
        "## Rules",
        "| Rule | Says |",
        "| --- | --- |",
        *(f"| {rule} | {words} |" for rule, words in RULES.items()),
    ]
    for title, cases in GROUPS.items():
        lines += ["", f"## {title}", "| Case | Rule | |", "| --- | --- | --- |"]
        lines += [f"| {case.words} | {case.rule} | {'yes' if case.decision.permitted else 'no'} |" for case in cases]
    lines += [
        "",
        "## What holds beside the rules",
        "- Of all contributors' thresholds the largest holds; none is under 11. A licence can only hide more.",
        "- The agreements of contributors count for a query from the day they take effect, also when they have ended.",
        "- Data-sharing agreements under which nothing was ever accepted limit nobody's query.",
        "- Another agreement never shows a party more than before, unless it names that party as a licensee.",
    ]
    return "\n".join(lines) + "\n"


def test_the_page_of_the_manual_is_written_from_these_cases():
    assert PAGE.read_text("utf-8") == page()


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
