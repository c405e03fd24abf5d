"""The rules of source files as data: every code known, every rule told in full."""

import re

import pytest

from policies.rules.rulebook import SEVERITIES, leaves_row, rejecting_twin, rejects_row, rulebook


@pytest.mark.parametrize("code", rulebook())
def test_every_rule_has_a_cause_a_fix_an_example_and_a_page(code):
    rule = rulebook()[code]

    assert re.fullmatch(r"[A-Z]{2,8}-[0-9]{3}", rule.code)
    assert rule.severity in SEVERITIES
    assert all((rule.cause, rule.fix, rule.example, rule.page))


def test_a_twin_says_the_same_but_costs_the_row():
    plain, twin = rulebook()["DAT-001"], rulebook()[rejecting_twin("DAT-001")]

    assert (plain.severity, twin.code, twin.severity) == ("drop", "DAT-051", "reject")
    assert (plain.cause, plain.fix) == (twin.cause, twin.fix)


def test_a_code_without_a_twin_is_its_own():
    assert rejecting_twin("COD-003") == "COD-003"
    assert rejecting_twin("XYZ-999") == "XYZ-999"


@pytest.mark.parametrize(
    ("code", "rejects", "leaves"),
    [
        ("ROW-001", True, False),
        ("FIL-001", True, False),
        ("ROW-002", False, True),
        ("DAT-001", False, False),
        ("COD-003", False, False),
        ("XYZ-999", False, False),
    ],
)
def test_severity_says_what_happens_to_the_row(code, rejects, leaves):
    assert (rejects_row(code), leaves_row(code)) == (rejects, leaves)
