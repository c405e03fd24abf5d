"""Any case of the decision asked in words: the verdict, the rule and the agreements that were read."""

import datetime as dt
from importlib import resources

import pytest

from hub.agreements.explaining import explained
from hub.errors import Invalid
from policies.agreements import read_agreement

pytestmark = pytest.mark.access
FOLDER = resources.files("policies").joinpath("agreements")
KNOWN = [read_agreement(file.read_text("utf-8")) for file in FOLDER.iterdir() if file.name.endswith(".yaml")]
DAY = dt.date(2026, 11, 22)


@pytest.mark.parametrize(
    ("who", "ask", "rule"),
    [
        ("partner@canal-alliance", "third-grade-reading by race under DUL-7 for close-equity-gap-2028", "R-00"),
        ("partner@canal-alliance", "third-grade-reading  under DUL-7", "R-11"),
        ("partner@canal-alliance", "third-grade-reading", "R-10"),
        ("partner@canal-alliance", "chronic-absence under DUL-7 for close-equity-gap-2028", "R-12"),
        ("steward@novato", "third-grade-reading under DUL-7 for close-equity-gap-2028", "R-01"),
        ("steward@novato", "submission.read of novato", "R-00"),
        ("steward@novato", "submission.read of reed", "R-02"),
        ("compliance", "audit.read", "R-00"),
        ("agent@novato", "send 2026 under DSA-K12", "R-00"),
        ("agent@novato", "send 2026 under DSA-PRE", "R-20"),
        ("agent@novato", "send 2005 under DSA-K12", "R-22"),
        ("agent@novato", "send 2026 under DSA-K12 of reed", "R-02"),
        ("operator", "use 2026 under DSA-K12 of novato with unified,preschool", "R-00"),
        ("operator", "use 2005 under DSA-K12 of novato", "R-22"),
        ("operator", "use 2026 under DSA-K12 of nobody", "R-30"),
        ("operator", "count third-grade-reading by race,gender", "R-00"),
        ("operator", "count third-grade-reading by race,gender,preschool", "R-14"),
    ],
)
def test_a_case_in_words_is_decided_by_the_rule(who, ask, rule):
    found = explained(who, ask, agreements=KNOWN, day=DAY)

    assert found.decision.rule == rule
    assert found.told().startswith(f"{'permitted' if rule == 'R-00' else 'refused'} by {rule}")


def test_what_was_read_is_told():
    found = explained(
        "partner@canal-alliance", "employment under DUL-7 for close-equity-gap-2028", agreements=KNOWN, day=DAY
    )

    assert found.told() == (
        "permitted by R-00, as far as: agreements\nreason: permitted\nagreements: DSA-EMP version 1, DUL-7 version 1"
    )


@pytest.mark.parametrize(
    ("who", "ask", "code"),
    [
        ("nobody@novato", "audit.read", "ask-who"),
        ("Steward!", "audit.read", "ask-who"),
        ("steward@novato", "no.act", "ask-act"),
        ("steward@novato", "What may I do?", "ask-form"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_forms_that_can(who, ask, code):
    with pytest.raises(Invalid) as refused:
        explained(who, ask, agreements=KNOWN, day=DAY)

    assert refused.value.code == code
