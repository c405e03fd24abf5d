"""The law of passwords and of how often somebody may try: lengths, cost, limits, each with its source.

Length over composition (NIST SP 800-63B rev. 4, section 3.1.1; OWASP ASVS 5.0, 6.2); Argon2id with the second
recommended parameters of RFC 9106, section 4.
"""

from __future__ import annotations

import re
from datetime import timedelta

from policies.principal import Role
from policies.refusal import StatementRefused
from policies.stolen_passwords import is_stolen

LENGTH_MIN, LENGTH_MAX = 12, 128
DIFFERENT_MIN = 6
WORDS_OF_THE_PLACE = (
    "analyst", "college", "compliance", "county", "district", "login", "marin", "partner", "password", "preschool",
    "promise", "school", "steward", "student", "teacher", "welcome", "hub",
)  # fmt: skip
"""Words that somebody would guess here first (ASVS 5.0, 6.1.2): they do not count towards a password."""
ARGON2_MEMORY_KIB, ARGON2_ITERATIONS, ARGON2_LANES = 65536, 3, 4
ATTEMPTS_MAX, ATTEMPTS_WITHIN = 5, timedelta(minutes=15)
"""Attempts for one sign-in name, known or not; ASVS 5.0, 6.3.1."""
ADDRESS_ATTEMPTS_MAX = 50
"""Attempts from one address in the same time: an office shares one."""
PROVED_FOR = timedelta(minutes=10)
"""A second factor shown this long ago serves for a dangerous act; later it is asked for again."""
PASSKEY_ROLES = frozenset({Role.COMPLIANCE, Role.ADMINISTRATOR, Role.SIGNATORY})
"""Whoever approves or asks dangerous acts signs in by a passkey alone, which cannot be phished."""
NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{2,79}")


class PasswordRefused(StatementRefused):
    """A name or password that does not serve; never says what it was."""


def check_name(name: str) -> str:
    """The sign-in name in small letters; raises PasswordRefused for another form."""
    found = name.strip().lower()
    if NAME.fullmatch(found) is None:
        raise PasswordRefused("PWD-001", "name", "use 3 to 80 of a-z, 0-9 and . _ @ + -, such as your address at work")
    return found


def check_password(password: str, *, name: str) -> None:
    """Raises PasswordRefused for what is short, long, contains the name, is of few letters beside guessed words, or
    was stolen elsewhere."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise PasswordRefused("PWD-002", "password", f"take {LENGTH_MIN} to {LENGTH_MAX} characters; four words serve")
    own = password.lower()
    for word in WORDS_OF_THE_PLACE:
        own = own.replace(word, "")
    if len(set(own)) < DIFFERENT_MIN or name.partition("@")[0] in password.lower():
        raise PasswordRefused(
            "PWD-003",
            "password",
            "take one that is not your name, not words of this place and not the same few letters",
        )
    if is_stolen(password):
        raise PasswordRefused("PWD-004", "password", "take another: this one stands in lists of stolen passwords")


def needs_passkey(roles: frozenset[Role]) -> bool:
    """Whether somebody of these roles may sign in by a passkey alone."""
    return bool(roles & PASSKEY_ROLES)
