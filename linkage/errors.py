"""The one error of linkage: on both sides of the wall, wherever a file or row does not serve.

LinkageError
    code       stable, documented in docs/linkage.md
    place      where: a view, a submission number, a row number; never a value of a record
    next_step  what the reader does about it
"""

from __future__ import annotations


class LinkageError(Exception):
    """A refusal; nothing of the refused input was used."""

    def __init__(self, code: str, place: str, *, next_step: str) -> None:
        super().__init__(f"{code} ({place}): {next_step}")
        self.code = code
        self.place = place
        self.next_step = next_step
