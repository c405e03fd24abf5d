"""Who would be linked under a stricter and a looser threshold: at the hub, so that a figure tells what hangs on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from linkage.match.person_table import PersonTable, named_change
from linkage.match.persons import Joining, RecordKey, joined_heads
from linkage.match.resolved import Resolved

THRESHOLDS: Mapping[str, float] = {"strict": 0.9, "loose": 0.2}
"""Posteriors from which a pair is linked, in place of the chosen one; both far from it on the scale of evidence."""


def threshold_links(
    resolved: Resolved, table: PersonTable, *, new_id: Callable[[], str], join: Joining = joined_heads
) -> dict[str, dict[RecordKey, str]]:
    """By threshold the records whose person would be another than in `table`, and which."""
    found: dict[str, dict[RecordKey, str]] = {}
    for name, posterior in THRESHOLDS.items():
        accepted = resolved.solved.posterior >= posterior
        heads = join(resolved.evidence, accepted=accepted, records=resolved.records)
        named = named_change(heads, table=PersonTable(table.ids, table.person, {}), new_id=new_id)
        keys = resolved.records.keys_of(named.changed)
        persons = (named.table.ids[named.table.person[place]].decode() for place in named.changed.tolist())
        found[name] = dict(zip(keys, persons, strict=True))
    return found
