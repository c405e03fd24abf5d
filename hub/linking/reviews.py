"""Review without names: stewards verify lists of their own records, and their answers weigh in later runs.

The hub never says with whom a record may match, or whether it may at all: at least half of a list are decoys, and
nothing that is stored tells which. An answer comes through the edge tool and counts once a second person of the same
organisation has approved it. Corrections themselves come with the next whole submission.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.db import Database
from hub.errors import Conflict, Fault, Invalid, NotFound
from hub.linking.tables import ReviewItem
from policies.principal import Principal

if TYPE_CHECKING:
    from linkage.match.memory_files import Numbering
    from linkage.match.resolved import Resolved

RIGHT, CORRECTED = "right", "corrected"
ANSWERS = (RIGHT, CORRECTED)
ANSWERS_MAX = 500
RecordKey = tuple[int, bytes]


@dataclass(frozen=True)
class Asked:
    """What stewards were ever asked, by provider number and record reference; what two persons found right of it;
    and how many lines of each provider wait for an answer."""

    records: frozenset[RecordKey]
    right: Mapping[RecordKey, frozenset[str]]
    waiting: Mapping[int, int]


@dataclass(frozen=True)
class Line:
    """One line of a steward's list: which record, which fields, and how far it is."""

    item: str
    reference: str
    fields: tuple[str, ...]
    state: str


def read_asked(database: Database, numbering: Numbering) -> Asked:
    """All that was asked and answered of the providers of a run."""
    number = {provider: at for at, provider in enumerate(numbering.providers)}
    right: dict[RecordKey, frozenset[str]] = {}
    records: set[RecordKey] = set()
    waiting: dict[int, int] = {}
    with database.reading() as session:
        for item in session.scalars(select(ReviewItem).where(ReviewItem.provider.in_(numbering.providers))):
            key = (number[item.provider], bytes.fromhex(item.reference))
            records.add(key)
            if item.approved_at is None:
                waiting[key[0]] = waiting.get(key[0], 0) + 1
            elif found := frozenset(name for name, answer in (item.answers or {}).items() if answer == RIGHT):
                right[key] = found
    return Asked(frozenset(records), right, waiting)


def list_reviews(session: Session, numbering: Numbering, resolved: Resolved, *, asked: Asked, audit: AuditTrail) -> int:
    """Fill up every provider's list, all at one moment; how many lines were added. The run's event tells it."""
    from linkage.match.reviews import review_lists

    lists = review_lists(
        resolved.evidence,
        resolved.solved,
        records=resolved.records,
        asked=asked.records,
        waiting=asked.waiting,
        rng=np.random.default_rng(secrets.randbits(128)),
    )
    listed_at = audit.clock()
    session.add_all(
        ReviewItem(
            item=secrets.token_hex(16),
            provider=numbering.providers[provider],
            reference=line.reference.hex(),
            fields=list(line.fields),
            position=at,
            listed_at=listed_at,
        )
        for provider, lines in sorted(lists.items())
        for at, line in enumerate(lines)
    )
    return sum(len(lines) for lines in lists.values())


def read_list(session: Session, *, principal: Principal, audit: AuditTrail) -> tuple[Line, ...]:
    """The lines of the caller's own organisation that are not finished, in the order in which they were drawn."""
    lines = tuple(_line(item) for item in _open_items(session, principal))
    append(session, audit, EventType.REVIEW_READ, resource="reviews", counts={"lines": len(lines)})
    return lines


def answer_reviews(session: Session, answers: Any, *, principal: Principal, audit: AuditTrail) -> int:
    """Take the answers of the edge tool to wait for a second person; how many came back. Raises Invalid or NotFound.

    Args:
        answers: `[{"item": ..., "answers": {field: "right" | "corrected"}}, ...]`.
    """
    read = _read_answers(answers)
    items = {item.item: item for item in _open_items(session, principal, lock=True)}
    if not read.keys() <= items.keys():
        raise NotFound()
    for name, given in read.items():
        item = items[name]
        if set(given) != set(item.fields):
            raise Invalid(
                "An answer does not name the fields that were asked.",
                code="review-fields",
                next_step="Answer every field of a line, or leave the line out.",
                faults=[Fault("answers", "review-fields")],
            )
        item.answers, item.answered_by, item.answered_at = given, audit.actor, audit.clock()
    right = sum(answer == RIGHT for given in read.values() for answer in given.values())
    append(
        session,
        audit,
        EventType.REVIEW_ANSWERED,
        resource="reviews",
        counts={"lines": len(read), "right": right, "corrected": sum(len(g) for g in read.values()) - right},
    )
    return len(read)


def approve_reviews(session: Session, *, principal: Principal, audit: AuditTrail) -> int:
    """A second person approves all waiting answers of the organisation; how many. Raises Conflict for one's own."""
    waiting = [item for item in _open_items(session, principal, lock=True) if item.answered_at is not None]
    if not waiting:
        raise Conflict(
            "No answer waits for approval.", code="review-nothing", next_step="Send answers with promise-edge review."
        )
    if any(item.answered_by == audit.actor for item in waiting):
        raise Conflict(
            "Who answered may not approve.", code="review-own", next_step="Let another person of your office approve."
        )
    for item in waiting:
        item.approved_by, item.approved_at = audit.actor, audit.clock()
    append(session, audit, EventType.REVIEW_APPROVED, resource="reviews", counts={"lines": len(waiting)})
    return len(waiting)


def _open_items(session: Session, principal: Principal, *, lock: bool = False) -> Sequence[ReviewItem]:
    query = (
        select(ReviewItem)
        .where(ReviewItem.provider == principal.organisation, ReviewItem.approved_at.is_(None))
        .order_by(ReviewItem.listed_at, ReviewItem.position, ReviewItem.item)
    )
    return session.scalars(query.with_for_update() if lock else query).all()


def _line(item: ReviewItem) -> Line:
    return Line(item.item, item.reference, tuple(item.fields), "open" if item.answered_at is None else "answered")


def _read_answers(answers: Any) -> dict[str, dict[str, str]]:
    try:
        read = {str(one["item"]): {str(name): str(given) for name, given in one["answers"].items()} for one in answers}
        if not read or len(read) != len(answers) or len(read) > ANSWERS_MAX:
            raise ValueError
        if any(given not in ANSWERS for of_item in read.values() for given in of_item.values()):
            raise ValueError
    except (TypeError, KeyError, ValueError, AttributeError):
        raise Invalid(
            "The answers do not keep the form.",
            code="review-form",
            next_step=f"Send at most {ANSWERS_MAX} lines once each, with right or corrected for each field.",
            faults=[Fault("answers", "review-form")],
        ) from None
    return read
