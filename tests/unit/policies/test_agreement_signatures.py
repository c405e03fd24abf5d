"""Signatures of agreements: they bind every word, hold under the party's key alone, and say what does not hold."""

import datetime as dt
from importlib import resources

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policies.agreement_signatures import check_word, read_word, sign_word, signing, withdrawing
from policies.agreements import AgreementError, read_agreement
from policies.translog.strict_base64 import encoded

pytestmark = pytest.mark.access
LICENCE = read_agreement(resources.files("policies").joinpath("agreements/dul-7.yaml").read_text("utf-8"))
NOW = dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = encoded(KEY.public_key().public_bytes_raw())


def altered(value):
    """The JSON value with one leaf altered, for every leaf."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from ({**value, name: other} for other in altered(inner))
    elif isinstance(value, int):
        yield value + 1
    else:
        yield ("B" if value[0] == "A" else "A") + value[1:]
        yield value[:-1] + ("1" if value[-1] == "0" else "0")


@pytest.mark.parametrize("said", [signing(LICENCE, "canal-alliance", now=NOW), withdrawing("DUL-7", "reed", now=NOW)])
def test_a_word_holds_as_it_was_said_and_in_no_other_form(said):
    word = sign_word(said, KEY).model_dump(mode="json")

    check_word(read_word(word), PUBLIC)
    for other in altered(word):
        with pytest.raises(AgreementError) as refused:
            check_word(read_word(other), PUBLIC)
        assert refused.value.code in ("AGR-011", "AGR-012")


def test_a_signature_binds_the_text_of_the_version():
    other = LICENCE.model_copy(update={"title": "Another title"})

    assert signing(LICENCE, "canal-alliance", now=NOW).text_hash == LICENCE.text_hash()
    assert signing(other, "canal-alliance", now=NOW).text_hash != LICENCE.text_hash()


def test_nobody_signs_who_is_no_party():
    with pytest.raises(AgreementError) as refused:
        signing(LICENCE, "reed", now=NOW)

    assert (refused.value.code, refused.value.place) == ("AGR-010", "organisation")


@pytest.mark.parametrize("key", ["", "AAAA", encoded(bytes([1]) * 32), "é" * 44])
def test_another_key_or_none_holds_nothing(key):
    with pytest.raises(AgreementError) as refused:
        check_word(sign_word(withdrawing("DUL-7", "reed", now=NOW), KEY), key)

    assert refused.value.code == "AGR-012"


@pytest.mark.parametrize(("value", "place"), [([], "word"), ({}, "said"), ({"said": {}, "signature": "A"}, "said")])
def test_what_is_no_word_is_refused_by_place(value, place):
    with pytest.raises(AgreementError) as refused:
        read_word(value)

    assert (refused.value.code, refused.value.place) == ("AGR-011", place)
