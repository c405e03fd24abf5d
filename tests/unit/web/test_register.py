"""The register of agreements: who may read which, and when it warns."""

import datetime as dt

import pytest

from hub.web.register import entries_for
from policies.agreements import Agreement, read_agreement
from policies.principal import ANONYMOUS, Principal, Role

TEXT = """
id: {name}
tier: DUL
version: {version}
title: A made-up agreement
parties: [{{organisation: {organisation}, role: licensee, authority: CBO}}]
legal_basis: [public-record]
purposes: []
retention: {{effective: 2026-01-01, expires: 2026-06-30, destroy_within_days: 90}}
"""


def agreement(name: str, organisation: str, version: int = 1) -> Agreement:
    return read_agreement(TEXT.format(name=name, organisation=organisation, version=version))


ALL = [agreement("DUL-1", "canal-alliance"), agreement("DUL-2", "novato"), agreement("DUL-1", "canal-alliance", 2)]
SPRING = dt.date(2026, 2, 1)


@pytest.mark.parametrize(
    ("principal", "names"),
    [
        (Principal("person:1", frozenset({Role.COMPLIANCE}), "promise-partnership"), ["DUL-1", "DUL-2"]),
        (Principal("person:2", frozenset({Role.PARTNER}), "canal-alliance"), ["DUL-1"]),
        (Principal("person:3", frozenset({Role.STEWARD}), "novato"), ["DUL-2"]),
        (ANONYMOUS, []),
    ],
)
def test_the_officer_reads_every_agreement_and_others_their_own(principal: Principal, names: list[str]) -> None:
    found = entries_for(principal, ALL, day=SPRING)

    assert [entry.agreement.id for entry in found] == names


def test_the_newest_version_stands_for_an_agreement() -> None:
    officer = Principal("person:1", frozenset({Role.COMPLIANCE}), "promise-partnership")

    found = entries_for(officer, ALL, day=SPRING)

    assert [(entry.agreement.id, entry.agreement.version) for entry in found] == [("DUL-1", 2), ("DUL-2", 1)]


@pytest.mark.parametrize(
    ("day", "in_force", "says"),
    [
        (dt.date(2026, 2, 1), True, ""),
        (dt.date(2026, 4, 15), True, "ends within 90 days"),
        (dt.date(2026, 5, 15), True, "ends within 60 days"),
        (dt.date(2026, 6, 10), True, "ends within 30 days"),
        (dt.date(2026, 6, 25), True, "ends within 7 days"),
        (dt.date(2026, 6, 30), True, "ends within 7 days"),
        (dt.date(2026, 7, 1), False, "expired"),
    ],
)
def test_it_warns_as_the_end_comes_near_and_says_when_it_is_over(day: dt.date, in_force: bool, says: str) -> None:
    officer = Principal("person:1", frozenset({Role.COMPLIANCE}), "promise-partnership")

    entry = entries_for(officer, ALL, day=day)[0]

    assert entry.in_force is in_force
    assert entry.warning.startswith(says)
    assert bool(entry.warning) is bool(says)
