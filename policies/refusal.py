"""The one form in which the law refuses what it reads: a stable code, the place at fault, the next step; no value."""

from __future__ import annotations


class StatementRefused(Exception):  # noqa: N818 (its kinds are errors: of an agreement, a submission, an epoch)
    """The root of what is said of agreements, submissions and epochs that do not hold."""

    def __init__(self, code: str, place: str, next_step: str) -> None:
        super().__init__(f"{code} at {place}: {next_step}")
        self.code = code
        self.place = place
        self.next_step = next_step
