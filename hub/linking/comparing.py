"""What an engine of linkage gives: the matcher's comparison and the resolver's joining."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from linkage.match.grouping import RosterRows
from linkage.match.pairs import ViewPairs
from linkage.match.persons import Joining
from linkage.schema import LinkageSchema


class Comparing(Protocol):
    """What an engine gives in place of `linkage.match.matcher.compare_view`."""

    def __call__(self, rosters: Sequence[RosterRows], *, schema: LinkageSchema, view: str) -> ViewPairs: ...


@dataclass(frozen=True)
class Engine:
    """An engine at work; `compare` is the matcher's, `join` the resolver's."""

    name: str
    compare: Comparing
    join: Joining
