"""Destruction: after it no row, link, key or pseudonym is in the database, the files or a backup; and a certificate."""

import datetime as dt
import json
import shutil
import sqlite3

import pytest
from sqlalchemy import inspect, select, text

from hub.agreements.activation import register_keys, withdraw
from hub.audit.tables import Detail
from hub.errors import Conflict, NotFound, Refused
from hub.files import FileStore, analysis_store
from hub.identity.two_persons import list_acts
from hub.linking.service import accept_run, request_run, revert_run
from hub.linking.tables import Link, LinkageRun
from hub.operations import acts
from hub.operations.destruction import begin_destruction, complete_destruction, waiting_destructions
from hub.outcomes.service import newest_snapshot, read_snapshot, take_snapshot
from hub.submissions.tables import Submission
from policies.party_keys import party_key
from policies.principal import Principal, Role
from tests.integration.agreements.test_activation import key_of, leaving
from tests.integration.hub.conftest import made_up_hub, sqlite_hub  # noqa: F401 (fixtures)

pytestmark = pytest.mark.access
NAME, OTHER = "community-action-marin", "novato"
ADMINISTRATOR = Principal("person:administrator", frozenset({Role.ADMINISTRATOR}), "promise-partnership")
OFFICER = Principal("person:officer", frozenset({Role.COMPLIANCE}), "promise-partnership")
SIGNATORY = Principal("person:signatory", frozenset({Role.SIGNATORY}), NAME)
TOLD = {"agreement": "DSA-PRE", "organisation": NAME}


class Partnership:
    """A hub on which a preschool and a district were linked and counted, twice."""

    def __init__(self, hub, *, again=False):
        self.hub = hub
        self.preschool, self.district = hub.enrol(NAME), hub.enrol(OTHER)
        self.sent = self.preschool.deliver(range(40), kind="preschool", under="DSA-PRE", year=2020)
        self.district.deliver(range(20, 60))
        objection = {"reference": self.preschool.reference(7).hex(), "scope": "all", "word": "record"}
        assert self.preschool.ask("POST", "/v1/opt-outs", json.dumps(objection).encode()).status_code == 200
        self.link()
        if again:
            self.link()
        self.snapshot = take_snapshot(hub.database, analysis=analysis_store(hub.home), audit=hub.trail)

    def within(self, act):
        with self.hub.database.transaction() as session:
            return act(session)

    def link(self):
        version = self.within(lambda session: request_run(session, audit=self.hub.trail))
        self.hub.work()
        self.within(lambda session: accept_run(session, version, audit=self.hub.trail))

    def leave(self):
        public = {NAME: party_key(NAME, key_of(NAME))}
        word = leaving("DSA-PRE", NAME, now=self.hub.clock())
        self.within(lambda session: register_keys(session, public, audit=self.hub.trail))
        self.within(lambda session: withdraw(session, word, audit=self.hub.trail))

    def ask(self):
        how = {"why": "They left.", "principal": ADMINISTRATOR, "audit": self.hub.trail}
        return self.within(lambda session: acts.ask(session, "data.destroy", TOLD, **how))

    def approve(self, number, principal):
        def act(session):
            seen = next(
                one for one in list_acts(session, principal=principal, audit=self.hub.trail) if one.id == number
            )
            acts.approve(session, number, digest=seen.digest, principal=principal, audit=self.hub.trail)

        self.within(act)

    def destroy(self):
        number = self.ask()
        for principal in (OFFICER, SIGNATORY):
            self.approve(number, principal)
        self.hub.work()
        with self.hub.database.reading() as session:
            (waiting,) = waiting_destructions(session)
        return complete_destruction(self.hub.database, self.hub.home, waiting, audit=self.hub.trail)

    def marks(self):
        """What must be nowhere: references, persons who are only theirs, and the names of their files."""
        with self.hub.database.reading() as session:
            own = dict(session.execute(select(Link.reference, Link.person).where(Link.provider == NAME)).all())
            others = set(session.scalars(select(Link.person).where(Link.provider != NAME)))
            keys = session.scalars(select(Submission.key_file).where(Submission.provider == NAME)).all()
        references = {self.preschool.reference(number).hex() for number in range(40)}
        assert references == set(own)
        return references | (set(own.values()) - others) | set(keys)


@pytest.fixture
def on_both(made_up_hub):  # noqa: F811
    return Partnership(made_up_hub)


@pytest.fixture
def partnership(sqlite_hub):  # noqa: F811
    return Partnership(sqlite_hub, again=True)


def everything(database):
    """Every stored value of the database, as text."""
    told = []
    with database.engine.connect() as connection:
        names = inspect(connection).get_table_names()
        for name in names:
            told += [repr(tuple(row)) for row in connection.execute(text(f"SELECT * FROM {name}"))]
    return "\n".join(told)


def opened(home):
    """The content of every stored file, in clear."""
    analysis = analysis_store(home)
    rows = FileStore(home.linkage / "rows", home.key("matcher", "rows.key"))
    spans = FileStore(home.linkage / "spans", home.key("resolver", "spans.key"))
    return [store.get(name) for store in (rows, spans, analysis, analysis.salts) for name in store.names()]


def held(marks, database, home):
    """The marks that are found anywhere: in the database, in a file's name or content, as text or as bytes."""
    told, files = everything(database), opened(home)
    names = "\n".join(path.name for path in home.path.rglob("*"))
    raw = {mark: bytes.fromhex(mark) for mark in marks if len(mark) == 32}
    return sorted(
        mark
        for mark in marks
        if mark in told
        or mark in names
        or any(mark.encode() in content or (mark in raw and raw[mark] in content) for content in files)
    )


def test_destruction_leaves_nothing_in_database_files_or_a_backup_made_after_it(on_both, tmp_path):
    partnership = on_both
    hub, marks = partnership.hub, partnership.marks()
    assert len(held(marks, hub.database, hub.home)) == len(marks) > 40
    partnership.leave()

    certificate = partnership.destroy()

    assert held(marks, hub.database, hub.home) == []
    if hub.database.is_sqlite:
        backup = tmp_path / "backup"
        shutil.copytree(hub.home.path, backup)
        content = b"".join(path.read_bytes() for path in sorted(backup.rglob("*")) if path.is_file())
        assert [mark for mark in marks if mark.encode() in content] == []
        with sqlite3.connect(backup / "hub.db") as copy:
            assert copy.execute("SELECT count(*) FROM links WHERE provider = ?", (NAME,)).fetchone() == (0,)
    assert certificate["counts"]["links"] == 40
    assert certificate["counts"]["objections"] == 1
    assert certificate["counts"]["keys"] == certificate["counts"]["submissions"] == 1
    assert certificate["counts"]["files"] > 0
    assert certificate["destroyed_on"] == hub.clock().date().isoformat()
    assert certificate["backups_gone_by"] == (hub.clock().date() + dt.timedelta(35)).isoformat()


def test_the_certificate_names_its_place_in_a_log_that_is_whole(partnership):
    partnership.leave()
    certificate = partnership.destroy()

    with partnership.hub.database.reading() as session:
        event = session.get_one(Detail, certificate["log_position"])
        begun = session.query(Detail).filter(Detail.event == "destruction.begun").one()
        assert (event.event, event.counts) == ("destruction.completed", certificate["counts"])
        assert begun.agreement == "DSA-PRE"
    again = complete_destruction(
        partnership.hub.database, partnership.hub.home, certificate["destruction"], audit=partnership.hub.trail
    )
    assert again == certificate


def test_those_who_stay_go_on_and_no_run_goes_back(partnership):
    hub = partnership.hub
    partnership.leave()
    partnership.destroy()
    with hub.database.reading() as session:
        assert {run.state for run in session.scalars(select(LinkageRun))} == {"tombstone"}
        assert (newest_snapshot(session), read_snapshot(session, partnership.snapshot.id)) == (None, None)
        persons = dict(session.execute(select(Link.reference, Link.person).where(Link.provider == OTHER)).all())

    with pytest.raises(Conflict) as refused:
        partnership.within(lambda session: revert_run(session, audit=hub.trail))
    partnership.link()
    snapshot = take_snapshot(hub.database, analysis=analysis_store(hub.home), audit=hub.trail)

    assert refused.value.code == "run-destroyed"
    with hub.database.reading() as session:
        after = dict(session.execute(select(Link.reference, Link.person).where(Link.provider == OTHER)).all())
        assert after == persons
        assert set(session.scalars(select(Link.provider))) == {OTHER}
    assert snapshot.manifest["agreements"] == [["DSA-K12", 1]]


def test_nothing_is_destroyed_while_the_agreement_holds_or_on_one_word(partnership):
    with pytest.raises(NotFound):
        partnership.within(lambda session: acts.ask(
            session, "data.destroy", {**TOLD, "organisation": "reed"}, why="They left.", principal=ADMINISTRATOR,
            audit=partnership.hub.trail))  # fmt: skip
    number = partnership.ask()
    with pytest.raises(Refused):
        partnership.approve(number, ADMINISTRATOR)
    partnership.approve(number, OFFICER)
    with pytest.raises(Conflict) as refused:
        partnership.approve(number, SIGNATORY)

    assert refused.value.code == "agreement-holds"
    with partnership.hub.database.reading() as session:
        assert waiting_destructions(session) == []
        assert session.scalars(select(Submission.state).where(Submission.provider == NAME)).all() == ["accepted"]


def test_the_salts_go_with_the_last_party(partnership):
    hub = partnership.hub
    hub.clock.now = dt.datetime(2039, 7, 2, tzinfo=dt.UTC)

    def begin(session):
        return begin_destruction(session, "DSA-PRE", frozenset({NAME}), audit=hub.trail)

    destruction = partnership.within(begin)
    with pytest.raises(Conflict) as waits:
        complete_destruction(hub.database, hub.home, destruction, audit=hub.trail)
    hub.work()
    certificate = complete_destruction(hub.database, hub.home, destruction, audit=hub.trail)

    assert waits.value.code == "salts-wait"
    assert certificate["counts"]["salts"] == 1
    with pytest.raises(NotFound):
        complete_destruction(hub.database, hub.home, "0" * 32, audit=hub.trail)
