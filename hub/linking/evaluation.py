"""Compares the links that hold with a known truth, on made-up people only: counts come out, no record does."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Invalid
from hub.linking.service import current_links

COLUMNS = ("provider", "record_reference", "person", "custom")
GROUP_PAIRS_MIN = 300
"""Groups with fewer true pairs are left out: their recall would swing by chance (the bar's own limit)."""

Key = tuple[int, bytes]
"""Number of the provider in the truth, and record reference."""


@dataclass(frozen=True)
class Truth:
    """Which made-up person each record is, and the name custom of that person."""

    providers: Mapping[str, int]
    person: Mapping[Key, str]
    custom: Mapping[Key, str]


def read_truth(path: Path) -> Truth:
    """The truth of a made-up county; raises Invalid when columns are missing."""
    providers: dict[str, int] = {}
    person: dict[Key, str] = {}
    custom: dict[Key, str] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            raise Invalid(f"The truth has the columns {', '.join(COLUMNS)}.", code="truth-columns")
        for row in reader:
            number = providers.setdefault(row["provider"], len(providers))
            key = (number, bytes.fromhex(row["record_reference"]))
            person[key], custom[key] = row["person"], row["custom"]
    return Truth(providers, person, custom)


def evaluate_links(session: Session, truth: Truth, *, audit: AuditTrail) -> dict[str, Any]:
    """Records, persons, precision and recall over pairs of records across providers, and recall by custom."""
    from linkage.match.metrics import evaluate

    links = current_links(session)
    found = {}
    for provider, reference, person in zip(links.provider, links.reference, links.person, strict=True):
        key = (truth.providers.get(provider, -1), bytes.fromhex(reference))
        if key in truth.person:
            found[key] = person
    measured = evaluate(found, truth=truth.person, groups=truth.custom)
    groups = {name: of for name, of in sorted(measured.by_group.items()) if name and of.true_pairs >= GROUP_PAIRS_MIN}
    append(
        session,
        audit,
        EventType.LINKAGE_EVALUATED,
        resource=f"linkage:{links.version}",
        counts={"records": len(found), "true_pairs": measured.true_pairs},
    )
    return {
        "records": len(found),
        "persons": len(set(found.values())),
        "true_pairs": measured.true_pairs,
        "found_pairs": measured.found_pairs,
        "precision": measured.precision,
        "recall": measured.recall,
        "recall_by_group": {name: of.recall for name, of in groups.items()},
        "precision_by_group": {name: of.precision for name, of in groups.items()},
        "pairs_by_group": {name: of.true_pairs for name, of in groups.items()},
    }
