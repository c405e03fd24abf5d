"""What the agreements let be linked and counted, and what they do not: sat out, left out, and logged with the rule."""

import datetime as dt

import pytest
from typer.testing import CliRunner

from hub.agreements.tables import AgreementVersion
from hub.audit.tables import Detail
from hub.cli import app
from hub.errors import Conflict
from hub.linking.service import request_run
from hub.outcomes.service import blocks, take_snapshot
from policies.disclosure.types import TableDeclaration
from tests.integration.hub.conftest import made_up_hub, sqlite_hub  # noqa: F401 (fixtures)
from tests.integration.outcomes.conftest import filled, unlinked  # noqa: F401 (fixtures)

pytestmark = pytest.mark.access
READING = "third-grade-reading"
TABLES = {READING: (TableDeclaration(name="total", dimensions=(), priority=1),
                    TableDeclaration(name="preschool", dimensions=("preschool",), priority=2))}  # fmt: skip


def details(database, event):
    with database.reading() as session:
        found = session.query(Detail).filter(Detail.event == event).order_by(Detail.sequence).all()
        session.expunge_all()
        return found


def amended(session, name, **changes):
    """The next version of a loaded agreement, as if it had been activated."""
    row = session.get_one(AgreementVersion, (name, 1))
    text = row.text.replace("version: 1", "version: 2")
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    session.add(
        AgreementVersion(
            id=name, version=2, tier=row.tier, text=text, text_hash="1" * 64, effective=row.effective,
            expires=row.expires, loaded_at=row.loaded_at,
            activated_at=row.loaded_at,
        )
    )  # fmt: skip


def test_what_was_sent_under_an_agreement_that_has_ended_is_linked_no_more_and_the_log_says_why(sqlite_hub):  # noqa: F811
    novato, preschool = sqlite_hub.enrol("novato"), sqlite_hub.enrol("community-action-marin")
    novato.deliver(range(30))
    left_out = preschool.deliver(range(20), kind="preschool", under="DSA-PRE", year=2020)
    with sqlite_hub.database.transaction() as session:
        amended(session, "DSA-PRE", ends=("expires: 2039-06-30", "expires: 2026-11-01"))

    with sqlite_hub.database.transaction() as session:
        request_run(session, audit=sqlite_hub.trail)

    (event,) = details(sqlite_hub.database, "submission.not_used")
    assert (event.resource, event.agreement, event.rule) == (f"submission:{left_out.id}", "DSA-PRE", "R-30")
    (requested,) = details(sqlite_hub.database, "linkage.requested")
    assert requested.counts == {"submissions": 1, "not_used": 1}


def test_on_the_day_after_the_last_day_nothing_is_linked(sqlite_hub):  # noqa: F811
    sqlite_hub.enrol("novato").deliver(range(30))
    sqlite_hub.clock.now = dt.datetime(2039, 7, 1, tzinfo=dt.UTC)

    with pytest.raises(Conflict) as refused, sqlite_hub.database.transaction() as session:
        request_run(session, audit=sqlite_hub.trail)

    assert refused.value.code == "nothing-to-link"


@pytest.mark.parametrize(
    ("elements", "counted", "rules"),
    [
        ("elements: {assessment: [subject]}", [], [("total", "R-17"), ("preschool", "R-17")]),
        ("elements: {preschool: [site]}", ["total"], [("preschool", "R-18")]),
    ],
)
def test_a_table_that_a_contributor_does_not_let_be_counted_is_left_out_and_logged(
    filled,  # noqa: F811
    trail,
    elements,
    counted,
    rules,
):
    with filled.database.transaction() as session:
        row = session.get_one(AgreementVersion, ("a", 1))
        row.text = f"{row.text}{elements}\n"

    snapshot = take_snapshot(filled.database, analysis=filled.analysis, audit=trail)
    found = blocks(filled.database, snapshot, analysis=filled.analysis, tables=TABLES, audit=trail)

    assert [table.name for block in found for table in block.tables] == counted
    told = [(one.resource, one.rule) for one in details(filled.database, "outcomes.count_refused")]
    assert told == [(f"{READING}/{name}", rule) for name, rule in rules]


def test_any_case_is_explained_at_the_command_line_and_leaves_its_event(home):
    ask = ["decide", "--home", str(home), "--as", "steward@novato"]

    permitted = CliRunner().invoke(app, [*ask, "--ask", "submission.read of novato"])
    refused = CliRunner().invoke(app, [*ask, "--ask", "submission.read of reed", "--on", "2026-11-22"])

    assert (permitted.exit_code, refused.exit_code) == (0, 1)
    assert "refused by R-02" in refused.output


def test_an_explanation_is_an_event_of_the_log(home):
    from hub.console import console

    ask = ["decide", "--home", str(home), "--as", "operator", "--ask", "no.such"]
    CliRunner().invoke(app, [*ask[:-1], "linkage.run"])

    with console(home, "test") as opened:
        (event,) = details(opened.database, "decision.explained")
    assert (event.resource, event.decision, event.rule) == ("decision/act", "permitted", "R-00")
