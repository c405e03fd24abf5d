"""Pseudonyms: the same under the same agreements, another under any other, and masked."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from policies.pseudonyms import AgreementSalt, pseudonyms

PEPPER, SALT, PERSON = b"p" * 32, b"s" * 32, "1" * 32
K12, COLLEGE = AgreementSalt("DSA-K12", 1, SALT), AgreementSalt("DSA-COLLEGE", 1, SALT)


def test_a_pseudonym_is_hmac_under_a_key_of_pepper_agreement_version_and_salt():
    info = b'["promise-pseudonyms/1",[["DSA-K12",1,"' + SALT.hex().encode() + b'"]]]'
    key = HKDF(SHA256(), 32, None, info).derive(PEPPER)

    expected = hmac.new(key, PERSON.encode(), hashlib.sha256).hexdigest()[:32]
    assert pseudonyms(PEPPER, [K12]).of(PERSON) == expected


def test_the_order_of_agreements_does_not_matter():
    assert pseudonyms(PEPPER, [K12, COLLEGE]) == pseudonyms(PEPPER, [COLLEGE, K12])


@pytest.mark.parametrize(
    "other",
    [
        pseudonyms(PEPPER, [COLLEGE]),
        pseudonyms(PEPPER, [K12, COLLEGE]),
        pseudonyms(PEPPER, [AgreementSalt("DSA-K12", 2, SALT)]),
        pseudonyms(PEPPER, [AgreementSalt("DSA-K12", 1, b"t" * 32)]),
        pseudonyms(b"q" * 32, [K12]),
        pseudonyms(PEPPER, []),
    ],
)
def test_under_another_agreement_version_salt_or_pepper_a_person_has_another_pseudonym(other):
    assert other.of(PERSON) != pseudonyms(PEPPER, [K12]).of(PERSON)


def test_the_pads_make_the_same_pseudonym_without_an_hmac():
    under = pseudonyms(PEPPER, [K12])
    inner, outer = under.pads()

    digest = hashlib.sha256(outer + hashlib.sha256(inner + PERSON.encode()).digest()).hexdigest()
    assert digest[:32] == under.of(PERSON)


def test_neither_salt_nor_key_is_in_what_a_program_prints():
    under = pseudonyms(PEPPER, [K12])

    assert repr(under) == "Pseudonyms(hidden)"
    assert "salt" not in repr(K12)
