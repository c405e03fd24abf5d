"""A release is prepared once, published once, never changed; each step with its event."""

import datetime as dt
import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from hub.audit.events import AuditTrail
from hub.audit.tables import Detail
from hub.db import Database
from hub.errors import Conflict, NotFound
from hub.release.draft import Draft, Proposal, check_verdict
from hub.release.service import (
    Release,
    current_release,
    ledger,
    prepare_release,
    prepared_release,
    publish,
    published_release,
    published_releases,
    release_file,
    store_release,
    withdraw_prepared,
)
from hub.release.tables import ReleasedCellRow
from policies.disclosure.types import DEFAULT_RULES


def events(database: Database) -> list[tuple[str, str, str | None]]:
    with database.reading() as session:
        found = session.scalars(select(Detail).order_by(Detail.sequence))
        return [(detail.event, detail.resource, detail.organisation) for detail in found]


def test_a_release_is_prepared_then_published_and_each_step_is_logged(
    empty: Database, draft: Draft, trail: AuditTrail
) -> None:
    with empty.transaction() as session:
        prepared = store_release(session, draft, audit=trail)
    with empty.transaction() as session:
        published = publish(session, prepared.id, audit=trail)
    with empty.reading() as session:
        current = current_release(session)

    assert (prepared.id, prepared.state) == ("2026-11-22.1", "prepared")
    assert current is not None
    assert current.log_entry is not None
    told = replace(current, log_entry=None)
    assert told == published == replace(prepared, state="published", published_at=published.published_at)
    assert events(empty) == [
        ("release.prepared", "release/2026-11-22.1", "promise-partnership"),
        ("release.published", "release/2026-11-22.1", "promise-partnership"),
    ]


def test_the_same_inputs_give_the_same_bytes_on_another_day(
    empty: Database, draft: Draft, proposal: Proposal, trail: AuditTrail
) -> None:
    later = replace(trail, clock=lambda: dt.datetime(2027, 1, 9, 8, 0, tzinfo=dt.UTC), request_id="request-2")
    shuffled = replace(proposal, blocks=tuple(reversed(proposal.blocks)), snapshot="snapshot-2")

    with empty.transaction() as session:
        release = prepare_release(session, shuffled, rules=DEFAULT_RULES, audit=later)
    with empty.reading() as session:
        content = release_file(session, release.id)

    assert content == draft.content
    assert release.content_sha256 == draft.content_sha256
    assert b"2026-11-22" not in content


def test_what_is_hidden_is_left_out_of_the_content_and_says_why(draft: Draft) -> None:
    blocks = json.loads(draft.content)["blocks"]

    hidden = [cell for block in blocks for cell in block["cells"] if cell["status"] == "C"]

    assert hidden
    assert all(cell.keys() == {"table", "levels", "vintage", "status", "status_reason"} for cell in hidden)
    assert {cell["status_reason"] for cell in hidden} == {"hidden to protect students"}


def test_a_draft_without_a_clean_joint_verdict_is_refused(draft: Draft) -> None:
    with pytest.raises(Conflict) as refused:
        check_verdict(replace(draft.verdict, clean=False, exact=1))

    assert refused.value.code == "release-unsafe"


def test_a_second_release_freezes_what_was_released_and_adds_what_is_new(
    empty: Database, published: Release, proposal: Proposal, trail: AuditTrail
) -> None:
    changed = tuple(replace(block, cells=block.cells[:-3]) for block in proposal.blocks)
    new = replace(proposal.blocks[0], cohort_year=2019)

    with empty.reading() as session:
        before = ledger(session)
    with empty.transaction() as session:
        second = prepare_release(session, replace(proposal, blocks=(*changed, new)), rules=DEFAULT_RULES, audit=trail)
        publish(session, second.id, audit=trail)
    with empty.reading() as session:
        after = ledger(session)
        all_releases = published_releases(session)

    assert second.id == "2026-11-22.2"
    assert {key: after.cells[key] for key in before.cells} == before.cells
    assert after.cells.keys() - before.cells.keys() == {(new.indicator, 2019)}
    assert [(one.id, one.state) for one in all_releases] == [
        ("2026-11-22.2", "published"),
        ("2026-11-22.1", "replaced"),
    ]


def test_nothing_is_prepared_beside_a_release_that_waits(
    empty: Database, prepared: Release, draft: Draft, trail: AuditTrail
) -> None:
    with pytest.raises(Conflict) as refused, empty.transaction() as session:
        store_release(session, draft, audit=trail)

    assert refused.value.code == "release-waiting"


def test_a_draft_made_before_the_ledger_moved_is_refused(
    empty: Database, published: Release, draft: Draft, trail: AuditTrail
) -> None:
    with pytest.raises(Conflict) as refused, empty.transaction() as session:
        store_release(session, draft, audit=trail)

    assert refused.value.code == "ledger-moved"


def test_a_prepared_release_can_be_taken_back_and_leaves_no_cell(
    empty: Database, prepared: Release, trail: AuditTrail
) -> None:
    with empty.transaction() as session:
        withdrawn = withdraw_prepared(session, prepared.id, audit=trail)
    with empty.reading() as session:
        left = session.scalars(select(ReleasedCellRow)).all()
        waiting = prepared_release(session)

    assert (withdrawn.state, list(left), waiting) == ("withdrawn", [], None)
    assert events(empty)[-1][0] == "release.withdrawn"


def test_a_published_release_cannot_be_taken_back_or_published_again(
    empty: Database, published: Release, trail: AuditTrail
) -> None:
    for act in (withdraw_prepared, publish):
        with pytest.raises(Conflict) as refused, empty.transaction() as session:
            act(session, published.id, audit=trail)

        assert refused.value.code == "release-not-prepared"


def test_a_prepared_release_and_one_that_does_not_exist_get_the_same_answer(empty: Database, prepared: Release) -> None:
    answers = []
    for name in (prepared.id, "2020-01-01.1"):
        with pytest.raises(NotFound) as refused, empty.reading() as session:
            published_release(session, name)
        answers.append((refused.value.code, refused.value.detail, refused.value.next_step))

    assert answers[0] == answers[1]


def test_before_the_first_release_there_is_none(empty: Database) -> None:
    with pytest.raises(NotFound) as refused, empty.reading() as session:
        current_release(session)

    assert refused.value.code == "no-release"
