"""What the resolver writes of a run: links, history, quality and the records to verify, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import insert
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.linking.memory import forget_older
from hub.linking.plan import Plan
from hub.linking.reviews import Asked, list_reviews
from hub.linking.service import RESOLVER, run_chain
from hub.linking.tables import RESOLVED, Link, LinkageRun, PersonHistory, ThresholdLink

if TYPE_CHECKING:
    from linkage.match.quality import Quality
    from linkage.match.resolved import Resolved
    from linkage.match.resolver_change import ResolvedChange

LONGEST_CHAIN = 24
"""After so many runs that stand as changes one holds all links again, so that reading stays cheap."""
Row = dict[str, Any]


def write_resolved(
    session: Session,
    plan: Plan,
    result: ResolvedChange,
    *,
    asked: Asked,
    memory: Mapping[str, str],
    audit: AuditTrail,
) -> list[str]:
    """Write a run; files of memories that nobody needs any more come back."""
    run = session.get_one(LinkageRun, plan.version)
    run.state, run.resolved_at = RESOLVED, audit.clock()
    run.quality = {
        **quality_json(result.resolved.quality, plan.numbering.providers),
        "negative_controls": {"refused_share": refused_share(result.resolved)},
    }
    run.memory = {**run.memory, RESOLVER: dict(memory)}
    run.whole = plan.from_nothing or len(run_chain(session, run.based_on or plan.version)) >= LONGEST_CHAIN
    links = list(_links(plan, result, whole=run.whole))
    if links:
        session.execute(insert(Link), links)
    thresholds = list(_threshold_links(plan, result))
    if thresholds:
        session.execute(insert(ThresholdLink), thresholds)
    history = result.named.history
    session.add_all(
        PersonHistory(run=plan.version, position=at, kind=one.kind, before=list(one.before), after=list(one.after))
        for at, one in enumerate(history)
    )
    lines = list_reviews(session, plan.numbering, result.resolved, asked=asked, audit=audit)
    doomed = forget_older(session, run, role=RESOLVER)
    table = result.named.table
    counts = {"records": len(table.person), "persons": result.resolved.quality.persons, "changed": len(links)}
    append(
        session,
        audit,
        EventType.LINKAGE_RESOLVED,
        resource=f"linkage:{plan.version}",
        counts={**counts, "history": len(history), "reviews": lines},
        versions={"schema": run.schema_hash},
    )
    return doomed


def refused_share(resolved: Resolved) -> float:
    """Negative controls: of the pairs that weigh as matches, those that cannot be one child.

    They would put two students of one provider or an impossible history into one person (Doidge and Harron 2019). The
    model does not know of them, so they are a count of false links that does not rest on it.
    """
    from linkage.match.decision import DECISION_MATCH

    proposed = resolved.decided == DECISION_MATCH
    refused = proposed & ~resolved.linked
    return float(refused.sum()) / max(1, int(proposed.sum()))


def quality_json(quality: Quality, providers: Sequence[str]) -> dict[str, Any]:
    """The quality of a run as JSON, provider numbers written as organisation ids."""
    plain = {name: value for name, value in asdict(quality).items() if name != "by_providers"}
    pairs = [
        {"left": providers[left], "right": providers[right], **asdict(of)}
        for (left, right), of in sorted(quality.by_providers.items())
    ]
    return {**plain, "by_providers": pairs}


def _links(plan: Plan, result: ResolvedChange, *, whole: bool) -> Iterator[Row]:
    """The records whose person is another than in the run before; all of them in a run that is whole."""
    table, records = result.named.table, result.resolved.records
    places = np.arange(len(table.person)) if whole else result.named.changed
    departed = sorted(table.departed) if whole else result.named.changed_departed
    keys = [*records.keys_of(places), *departed]
    persons = [*table.person[places].tolist(), *(table.departed[key] for key in departed)]
    for (provider, reference), person in zip(keys, persons, strict=True):
        yield {
            "run": plan.version,
            "provider": plan.numbering.providers[provider],
            "reference": reference.hex(),
            "person": table.ids[person].decode(),
        }


def _threshold_links(plan: Plan, result: ResolvedChange) -> Iterator[Row]:
    for threshold, links in sorted(result.thresholds.items()):
        for (provider, reference), person in sorted(links.items()):
            yield {
                "run": plan.version,
                "threshold": threshold,
                "provider": plan.numbering.providers[provider],
                "reference": reference.hex(),
                "person": person,
            }
