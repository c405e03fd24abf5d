"""Linkage measured against known truth, on pairs of records across providers: at the hub, for synthetic data.

A pair counts when its two records belong to different providers. Groups count by the pair's true
person, so that recall of a group is the share of its true pairs that were found; a found pair that is
false counts for the groups of both its records' persons.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

RecordKey = tuple[int, bytes]


@dataclass(frozen=True)
class Evaluation:
    """Counts of pairs and the shares they give; a share of nothing is 1."""

    true_pairs: int
    found_pairs: int
    correct_pairs: int
    by_group: dict[str, Evaluation] = field(default_factory=dict)

    @property
    def precision(self) -> float:
        """Correct among found."""
        return self.correct_pairs / self.found_pairs if self.found_pairs else 1.0

    @property
    def recall(self) -> float:
        """Correct among true."""
        return self.correct_pairs / self.true_pairs if self.true_pairs else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def evaluate(
    persons: Mapping[RecordKey, str],
    *,
    truth: Mapping[RecordKey, str],
    groups: Mapping[RecordKey, str] | None = None,
) -> Evaluation:
    """Pairs of records across providers: found by `persons`, true by `truth`; records without truth are left out."""
    known = {key: person for key, person in persons.items() if key in truth}
    of_group: dict[str, dict[RecordKey, str]] = defaultdict(dict)
    for key, group in (groups or {}).items():
        if key in known:
            of_group[group][key] = known[key]
    by_group = {group: _evaluate(found, truth=truth) for group, found in sorted(of_group.items())}
    total = _evaluate(known, truth=truth)
    return Evaluation(total.true_pairs, total.found_pairs, total.correct_pairs, by_group)


def _evaluate(found: Mapping[RecordKey, str], *, truth: Mapping[RecordKey, str]) -> Evaluation:
    return Evaluation(
        true_pairs=_pairs((truth[key], key[0]) for key in found),
        found_pairs=_pairs((person, key[0]) for key, person in found.items()),
        correct_pairs=_pairs(((person, truth[key]), key[0]) for key, person in found.items()),
    )


def _pairs(memberships: Iterable[tuple[Hashable, int]]) -> int:
    """Pairs of records in one cluster and of different providers."""
    together: Counter[Hashable] = Counter()
    same_provider: Counter[tuple[Hashable, int]] = Counter()
    for cluster, provider in memberships:
        together[cluster] += 1
        same_provider[cluster, provider] += 1
    return (sum(n * n for n in together.values()) - sum(n * n for n in same_provider.values())) // 2
