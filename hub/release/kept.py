"""A refresh protects again only what has changed: results of independent groups of blocks, by what they depend on.

Kept is what is told of each group and why, without a count, under a name that nobody can guess counts from (HMAC under
the key of the analysis store). A changed engine takes nothing over. Under `hub.release.publishing`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hub.release.tables import KeptProtectionRow
from policies.disclosure.types import Rules

if TYPE_CHECKING:
    from policies.disclosure.engine import Each, Result, Together
    from policies.disclosure.kept import States

SOLVERS = ("highspy", "numba", "numpy")
"""Libraries on which what comes out may depend."""


@cache
def engine_version() -> str:
    """The SHA-256 of the engine's source and the versions of its solvers."""
    sources = sorted((one for one in files("policies.disclosure").iterdir() if one.name.endswith(".py")), key=str)
    told = [version(name).encode() for name in SOLVERS] + [one.read_bytes() for one in sources]
    return sha256(b"\0".join([*told, files("policies").joinpath("disclosure_floor.py").read_bytes()])).hexdigest()


class KeptProtections:
    """Takes over the results that are there and makes those that are not; given to `protect` as its `each`.

    Args:
        kept: what was kept, by name.
        name_of: the name of some content, under a key.
        each: does the same with each that is not there, in order.
    """

    def __init__(
        self, kept: Mapping[str, States], *, rules: Rules, name_of: Callable[[bytes], str], each: Each = map
    ) -> None:
        self._kept, self._rules, self._name_of, self._each = kept, rules, name_of, each
        self.found: dict[str, States] = {}
        """What is to be kept now, by name."""
        self.taken_over = 0

    def __call__(self, work: Callable[[Together], Result], each: Iterable[Together], /) -> Iterable[Result]:
        """The result of each, in order."""
        from policies.disclosure.kept import restored, states

        together = list(each)
        names = [self._name(one) for one in together]
        left = [one for one, name in zip(together, names, strict=True) if name not in self._kept]
        made = iter(self._each(work, left))
        results = []
        for one, name in zip(together, names, strict=True):
            there = None if name is None else self._kept.get(name)
            result = next(made) if there is None else restored(one, there)
            told = states(result)
            if name is not None and told is not None:
                self.found[name] = told
            self.taken_over += there is not None
            results.append(result)
        return results

    def _name(self, together: Together) -> str | None:
        from policies.disclosure.kept import content

        told = content(together, self._rules)
        return None if told is None else self._name_of(engine_version().encode() + b"\0" + told)


def kept_protections(session: Session) -> dict[str, States]:
    """What the last preparation kept."""
    return {row.name: json.loads(row.states) for row in session.scalars(select(KeptProtectionRow))}


def keep_protections(session: Session, found: Mapping[str, States]) -> None:
    """Keep what the latest preparation found, and nothing older."""
    session.execute(delete(KeptProtectionRow))
    session.add_all([KeptProtectionRow(name=name, states=json.dumps(told)) for name, told in sorted(found.items())])
