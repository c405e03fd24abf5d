"""What is said in the ceremony of an epoch: whose word counts, what it is bound to, and what is refused."""

from __future__ import annotations

import base64
import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policies.epochs import (
    ACCEPTANCE,
    COMMITMENT,
    ENVELOPE,
    ROSTER,
    Envelope,
    EpochError,
    check_roster,
    check_signed,
    combine,
    commitment_of,
    commitments_digest,
    digest,
    envelope_context,
    read_acceptance,
    read_commitment,
    read_envelope,
    read_roster,
    read_signed,
    sign,
    signed,
)

NAMES = ("alpha", "beta", "gamma")
KEYS = {name: Ed25519PrivateKey.generate() for name in (*NAMES, "ghost")}


def public(name: str) -> str:
    return base64.b64encode(KEYS[name].public_key().public_bytes_raw()).decode()


SIGNATORIES = {name: public(name) for name in NAMES}


def member(name: str) -> dict[str, str]:
    return {"organisation": name, "key_id": f"{name}:1", "public_key": public(name), "sealing_key": "A" * 40}


def roster_of(**changes):
    plain = {
        "format": ROSTER,
        "epoch": 2,
        "members": [member(name) for name in NAMES],
        "custodians": ["alpha", "beta"],
        "accept_by": "2026-12-06T10:00:00Z",
    }
    return {"roster": {**plain, **changes}, "signatures": {}}


def signed_roster(*names: str, **changes):
    whole = roster_of(**changes)
    roster = read_roster(whole).roster
    return {**whole, "signatures": {name: sign(roster, KEYS[name]) for name in names}}


def refused(code: str):
    return pytest.raises(EpochError, match=code)


def test_a_roster_that_two_signatories_signed_holds() -> None:
    whole = read_roster(signed_roster("alpha", "gamma"))

    assert check_roster(whole, signatories=SIGNATORIES) == whole.roster


@pytest.mark.parametrize("names", [(), ("alpha",), ("alpha", "ghost")])
def test_a_roster_that_fewer_signed_is_refused(names: tuple[str, ...]) -> None:
    with refused("EPO-005"):
        check_roster(read_roster(signed_roster(*names)), signatories=SIGNATORIES)


def test_a_roster_that_was_changed_after_it_was_signed_is_refused() -> None:
    whole = signed_roster("alpha", "beta")
    whole["roster"]["members"].append(member("ghost"))

    with refused("EPO-002"):
        check_roster(read_roster(whole), signatories=SIGNATORIES)


def test_a_roster_that_names_who_runs_the_hub_is_refused() -> None:
    with refused("EPO-004"):
        check_roster(read_roster(signed_roster("alpha", "beta")), signatories=SIGNATORIES, never=frozenset({"gamma"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"members": [member("alpha")]},
        {"members": [member("alpha"), member("alpha"), member("beta")]},
        {"members": [member("alpha"), {**member("beta"), "key_id": "alpha:1"}]},
        {"custodians": ["alpha"]},
        {"custodians": ["alpha", "alpha"]},
        {"custodians": ["alpha", "ghost"]},
        {"accept_by": "tomorrow"},
        {"epoch": 0},
        {"format": "promise-roster/2"},
        {"secret": "no such field"},
    ],
)
def test_a_roster_that_does_not_keep_the_form_is_refused(changes) -> None:
    with refused("EPO-001") as refusal:
        read_roster(roster_of(**changes))

    assert "tomorrow" not in str(refusal.value)


@pytest.mark.parametrize("value", [None, [], {"roster": 1}, {"statement": {}, "signature": "?"}])
def test_what_is_no_statement_is_refused(value) -> None:
    for read in (read_roster, read_signed, read_commitment, read_envelope, read_acceptance):
        with refused("EPO-001"):
            read(value)


def test_a_member_is_found_by_its_organisation() -> None:
    roster = read_roster(roster_of()).roster

    assert roster.member("beta").key_id == "beta:1"
    with refused("EPO-003"):
        roster.member("ghost")


STATEMENTS = {
    read_commitment: {
        "format": COMMITMENT, "epoch": 2, "roster": "0" * 64, "custodian": "alpha", "commitment": "1" * 64,
    },
    read_envelope: {
        "format": ENVELOPE, "epoch": 2, "roster": "0" * 64, "custodian": "alpha", "recipient": "beta",
        "suite": "X", "sealed": "AAAA",
    },
    read_acceptance: {
        "format": ACCEPTANCE, "epoch": 2, "roster": "0" * 64, "organisation": "alpha", "commitments": "2" * 64,
    },
}  # fmt: skip


@pytest.mark.parametrize("read", STATEMENTS)
def test_every_part_of_a_statement_is_signed(read) -> None:
    statement = read(STATEMENTS[read])
    signature = sign(statement, KEYS["alpha"])
    check_signed(statement, signature, public("alpha"))
    others = {"epoch": 3, "roster": "f" * 64, "commitment": "e" * 64, "commitments": "d" * 64, "suite": "Y",
              "sealed": "BBBB", "custodian": "gamma", "recipient": "gamma", "organisation": "gamma"}  # fmt: skip

    for name in set(STATEMENTS[read]) - {"format"}:
        with refused("EPO-002"):
            check_signed(read({**STATEMENTS[read], name: others[name]}), signature, public("alpha"))
    for signature_of_another, key in ((signature, public("beta")), ("AAAA", public("alpha")), (signature, "AAAA")):
        with refused("EPO-002"):
            check_signed(statement, signature_of_another, key)


def test_a_signed_statement_travels_as_json() -> None:
    statement = read_commitment(STATEMENTS[read_commitment])

    told = read_signed(signed(statement, KEYS["alpha"]))

    assert read_commitment(told.statement) == statement
    check_signed(statement, told.signature, public("alpha"))


def test_a_commitment_is_bound_to_share_roster_and_custodian() -> None:
    share = os.urandom(32)
    found = {
        commitment_of(share, roster="0" * 64, custodian="alpha"),
        commitment_of(share, roster="1" * 64, custodian="alpha"),
        commitment_of(share, roster="0" * 64, custodian="beta"),
        commitment_of(os.urandom(32), roster="0" * 64, custodian="alpha"),
    }

    assert len(found) == 4


def test_an_envelope_is_bound_to_its_place() -> None:
    plain = STATEMENTS[read_envelope]
    places = [plain, {**plain, "recipient": "gamma"}, {**plain, "epoch": 3}, {**plain, "custodian": "beta"}]

    contexts = {envelope_context(Envelope.model_validate(place)) for place in places}

    assert len(contexts) == len(places)


def test_the_secret_comes_of_every_share_and_of_the_roster() -> None:
    shares = {"alpha": b"a" * 32, "beta": b"b" * 32}
    roster, later = (read_roster(roster_of(epoch=epoch)).roster for epoch in (2, 3))

    secrets = {
        combine(shares, roster=roster),
        combine(shares, roster=later),
        combine({"alpha": b"b" * 32, "beta": b"a" * 32}, roster=roster),
        combine({**shares, "beta": b"c" * 32}, roster=roster),
    }

    assert len(secrets) == 4
    assert {len(secret) for secret in secrets} == {32}
    assert combine(dict(reversed(shares.items())), roster=roster) in secrets
    with refused("EPO-006"):
        combine({"alpha": b"a" * 32}, roster=roster)


def test_one_digest_names_all_commitments() -> None:
    assert commitments_digest({"a": "1", "b": "2"}) == commitments_digest({"b": "2", "a": "1"})
    assert commitments_digest({"a": "1"}) != commitments_digest({"a": "2"})
    assert digest(read_roster(roster_of()).roster) != digest(read_roster(roster_of(epoch=3)).roster)
