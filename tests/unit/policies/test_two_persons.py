"""The law of dangerous acts: who asks, who approves, what binds an approval, and when it is too late."""

import datetime as dt

import pytest

from policies.principal import Principal, Role
from policies.roles import ROLE_TABLE, Extent
from policies.two_persons import (
    ACTS,
    ActRefused,
    Asked,
    act_digest,
    check_approval,
    check_ask,
    check_perform,
    may_see,
)

NOW = dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC)
HUB, NOVATO, REED = "promise-partnership", "novato", "reed"
DIGEST = act_digest("data.destroy", {"agreement": "DSA-K12"}, organisations=frozenset({NOVATO}))


def person(name, role, organisation=HUB, *, agreement=None):
    return Principal(f"person:{name}", frozenset({role}), organisation, agreement)


ADMINISTRATOR = person("admin", Role.ADMINISTRATOR)
OFFICER = person("officer", Role.COMPLIANCE)
SIGNATORY = person("signatory", Role.SIGNATORY, NOVATO)
STEWARD = person("steward", Role.STEWARD, NOVATO)


def asked(*, approved=(), kind="data.destroy", by="person:admin", organisations=frozenset({NOVATO})):
    return Asked(kind, DIGEST, by, NOW, organisations, approved)


def refusal(check):
    with pytest.raises(ActRefused) as found:
        check()
    return found.value.code


def test_an_administrator_asks_over_any_organisation_and_the_operator_too():
    operator = Principal("operator", frozenset({Role.OPERATOR}))

    check_ask("data.destroy", ADMINISTRATOR, organisations=frozenset({NOVATO, REED}))
    check_ask("person.add", operator, organisations=frozenset({NOVATO}))


def test_a_steward_asks_for_the_own_organisation_alone():
    check_ask("person.add", STEWARD, organisations=frozenset({NOVATO}))

    assert refusal(lambda: check_ask("person.add", STEWARD, organisations=frozenset({REED}))) == "ACT-003"
    assert refusal(lambda: check_ask("person.add", STEWARD, organisations=frozenset())) == "ACT-003"


@pytest.mark.parametrize(
    ("kind", "who", "code"),
    [
        ("nothing.known", ADMINISTRATOR, "ACT-001"),
        ("release.publish", OFFICER, "ACT-002"),
        ("release.publish", STEWARD, "ACT-002"),
        ("person.add", person("token", Role.ADMINISTRATOR, agreement="DUL-7"), "ACT-002"),
    ],
)
def test_whoever_may_not_ask_is_refused(kind, who, code):
    assert refusal(lambda: check_ask(kind, who, organisations=frozenset({NOVATO}))) == code


def test_compliance_approves_and_for_providers_data_a_signatory_of_a_provider_concerned_too():
    assert check_approval(asked(), OFFICER, digest=DIGEST, now=NOW) is Role.COMPLIANCE
    half = asked(approved=((Role.COMPLIANCE, OFFICER.actor),))

    assert half.missing() == (Role.SIGNATORY,)
    assert check_approval(half, SIGNATORY, digest=DIGEST, now=NOW) is Role.SIGNATORY
    assert refusal(lambda: check_approval(half, person("s", Role.SIGNATORY, REED), digest=DIGEST, now=NOW)) == "ACT-007"


@pytest.mark.parametrize(
    ("who", "digest", "hours", "code"),
    [
        (OFFICER, "0" * 64, 0, "ACT-004"),
        (OFFICER, DIGEST, 72, "ACT-005"),
        (Principal("person:admin", frozenset({Role.COMPLIANCE}), HUB), DIGEST, 0, "ACT-006"),
        (ADMINISTRATOR, DIGEST, 0, "ACT-006"),
        (person("other", Role.ADMINISTRATOR), DIGEST, 0, "ACT-007"),
        (person("token", Role.COMPLIANCE, agreement="DUL-7"), DIGEST, 0, "ACT-007"),
    ],
)
def test_an_altered_a_stale_and_an_own_act_are_not_approved(who, digest, hours, code):
    later = NOW + dt.timedelta(hours=hours)

    assert refusal(lambda: check_approval(asked(), who, digest=digest, now=later)) == code


def test_one_person_of_two_roles_is_still_one_person():
    both = Principal("person:both", frozenset({Role.COMPLIANCE, Role.SIGNATORY}), NOVATO)
    half = asked(approved=((Role.COMPLIANCE, both.actor),))

    assert refusal(lambda: check_approval(half, both, digest=DIGEST, now=NOW)) == "ACT-006"


def test_an_act_is_done_only_when_everybody_approved_exactly_it_in_time():
    whole = asked(approved=((Role.COMPLIANCE, OFFICER.actor), (Role.SIGNATORY, SIGNATORY.actor)))

    check_perform(whole, digest=DIGEST, now=NOW)
    assert refusal(lambda: check_perform(whole, digest="0" * 64, now=NOW)) == "ACT-004"
    assert refusal(lambda: check_perform(whole, digest=DIGEST, now=NOW + dt.timedelta(hours=72))) == "ACT-005"
    assert refusal(lambda: check_perform(asked(), digest=DIGEST, now=NOW)) == "ACT-008"


def test_an_act_is_seen_by_who_asked_by_the_office_and_by_signatories_concerned():
    act = asked(by=STEWARD.actor)
    unseen = [person("steward", Role.STEWARD, REED), person("other", Role.STEWARD, NOVATO)]
    unseen[0] = Principal("person:another", frozenset({Role.STEWARD}), REED)
    unseen += [person("s", Role.SIGNATORY, REED), person("token", Role.COMPLIANCE, agreement="DUL-7")]

    assert all(may_see(act, who) for who in (STEWARD, OFFICER, ADMINISTRATOR, SIGNATORY))
    assert not any(may_see(act, who) for who in unseen)


def test_the_approvers_of_every_act_stand_in_the_role_table():
    for kind, act in ACTS.items():
        cells = ROLE_TABLE[act.action]
        assert all(cells[role] in (Extent.APPROVE, Extent.VETO) for role in act.approvers), kind
        assert any(extent in (Extent.REQUEST, Extent.ALL) for extent in cells.values()), kind


def test_another_payload_kind_or_organisation_has_another_hash():
    same = {"agreement": "DSA-K12"}
    others = [
        act_digest("agreement.activate", same, organisations=frozenset({NOVATO})),
        act_digest("data.destroy", {"agreement": "DSA-K13"}, organisations=frozenset({NOVATO})),
        act_digest("data.destroy", same, organisations=frozenset({REED})),
    ]

    assert len({DIGEST, *others}) == 4
