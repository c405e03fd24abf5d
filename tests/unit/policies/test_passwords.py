"""The law of passwords: long enough, not the name, and passkeys for whoever decides."""

from importlib import resources

import pytest

from policies.passwords import PasswordRefused, check_name, check_password, needs_passkey
from policies.principal import Role
from policies.stolen_passwords import DIGEST_BYTES, how_many, is_stolen


def test_a_name_is_kept_in_small_letters_and_another_form_is_refused():
    assert check_name(" Qorvax@Novato.example ") == "qorvax@novato.example"
    for wrong in ("ab", "with space", "x" * 81, ""):
        with pytest.raises(PasswordRefused) as refused:
            check_name(wrong)
        assert refused.value.code == "PWD-001"


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "PWD-002"),
        ("x" * 129, "PWD-002"),
        ("ababababababab", "PWD-003"),
        ("the-Qorvax-family-home", "PWD-003"),
        ("MarinPromiseHub2026!", "PWD-003"),
        ("District-School-1", "PWD-003"),
        ("qwerty123456", "PWD-004"),
        ("1qazxsw23EDC", "PWD-004"),
    ],
)
def test_a_weak_password_is_refused_by_its_rule(password, code):
    with pytest.raises(PasswordRefused) as refused:
        check_password(password, name="qorvax@novato.example")

    assert (refused.value.code, password in str(refused.value)) == (code, False)


def test_the_list_of_stolen_passwords_is_sorted_and_long():
    """ASVS asks for the first 3,000 of those that are long enough."""
    assert how_many() > 40_000
    assert not is_stolen("zyblen wixtho jubrev kazmuf")
    listed = resources.files("policies").joinpath("stolen_passwords.bin").read_bytes()
    digests = [listed[at : at + DIGEST_BYTES] for at in range(0, len(listed), DIGEST_BYTES)]
    assert digests == sorted(set(digests))


def test_a_long_one_serves():
    check_password("zyblen wixtho jubrev kazmuf", name="qorvax@novato.example")


def test_those_who_decide_need_passkeys():
    assert all(needs_passkey(frozenset({role})) for role in (Role.COMPLIANCE, Role.ADMINISTRATOR, Role.SIGNATORY))
    assert not needs_passkey(frozenset({Role.STEWARD, Role.PARTNER}))
