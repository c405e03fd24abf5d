"""A backup brings a hub back row by row, on either database, and never behind what was signed without saying so."""

import datetime as dt
import json
import os
import shutil

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from hub.audit.events import EventType
from hub.audit.service import append
from hub.audit.signer import signer_of
from hub.audit.tables import Checkpoint
from hub.cli import app
from hub.db import Database
from hub.errors import Conflict, HubError, SettingError, StoreError, Unavailable
from hub.identity.tables import Account, Person
from hub.operations.backup import expired_backups, make_backup, open_backup, remove_backups
from hub.operations.installation import downgrade
from hub.operations.recovery import begin_again
from hub.operations.restoring import check_files, restore, try_backup
from hub.operations.table_copy import sum_of, tables_of
from hub.settings import Home, Settings
from policies.agreement_dates import backups_gone_by
from tests.conftest import NOW
from tests.databases import empty_address, take_away
from tests.integration.hub.conftest import MadeUpHub


@pytest.fixture
def lived_in(made_up_hub):
    """A hub with submissions of two offices, links, and a signed log; its database and home are then left alone."""
    for name, people, year in (("novato", range(20), 2026), ("reed", range(10, 30), 2025)):
        made_up_hub.enrol(name).deliver(people, year=year)
    return made_up_hub


@pytest.fixture
def other_machine(lived_in, tmp_path):
    """A home of which nothing is left but the keys, hub.json and the signer's memory."""
    folder = tmp_path / "other-machine"
    folder.mkdir()
    for name in ("keys", "signer"):
        shutil.copytree(lived_in.home.path / name, folder / name)
    return Home(folder)


def backed_up(hub, tmp_path):
    made = make_backup(hub.home, hub.database, tmp_path / "backups", audit=hub.trail)
    signer = signer_of(hub.settings, clock=hub.clock)
    signer.sign()
    signer.database.close()
    return made


def sums(database):
    with database.snapshot() as connection:
        return {table.name: sum_of(connection, table) for table in tables_of(connection)}


def refused(kind, act):
    with pytest.raises(kind) as told:
        act()
    assert isinstance(told.value, HubError)
    return told.value.code


def test_a_stopped_hub_comes_back_row_by_row_on_either_database_and_works_on(
    lived_in, other_machine, empty_url, tmp_path
):
    made = backed_up(lived_in, tmp_path)
    shutil.copytree(lived_in.home.path / "keys", other_machine.path / "keys", dirs_exist_ok=True)
    shutil.copytree(lived_in.home.path / "signer", other_machine.path / "signer", dirs_exist_ok=True)
    before = sums(lived_in.database)
    target = Database(empty_url)

    found = restore(
        other_machine, open_backup(other_machine, made.folder), target, notes=[], behind=False, audit=lived_in.trail
    )

    after = sums(target)
    logged = ("audit_entries", "audit_details", "audit_nodes", "audit_head", "audit_checkpoints")
    assert {name: one for name, one in after.items() if name not in logged} == {
        name: one for name, one in before.items() if name not in logged
    }
    assert after["audit_entries"].rows == before["audit_entries"].rows + 1
    assert (found.lost, found.rows) == (0, sum(int(table["rows"]) for table in made.tables.values()))
    assert {path.name for path in other_machine.analysis.iterdir()} == {
        path.name for path in lived_in.home.analysis.iterdir()
    }
    target.close()
    again = MadeUpHub(other_machine.path, empty_url, lived_in.clock)
    again.enrol("ross").deliver(range(25, 40), year=2024)
    assert again.events().count("submission.accepted") == 3
    assert "backup.restored" in again.events()
    again.close()


def test_a_trial_reads_everything_and_changes_nothing(lived_in, tmp_path):
    made, before = backed_up(lived_in, tmp_path), sums(lived_in.database)

    found = try_backup(lived_in.home, open_backup(lived_in.home, made.folder), notes=[])

    assert (found.files, found.lost) == (len(made.files), 0)
    assert sums(lived_in.database) == before


def test_a_backup_behind_what_was_signed_is_refused_and_the_written_recovery_works(lived_in, tmp_path):
    empty_url = empty_address(tmp_path / "restored")
    made = backed_up(lived_in, tmp_path)
    with lived_in.database.transaction() as session:
        append(session, lived_in.trail, EventType.PAGE_READ, resource="page:lost")
    lived_in.work()
    backup, home, target = open_backup(lived_in.home, made.folder), lived_in.home, Database(empty_url)

    code = refused(Conflict, lambda: restore(home, backup, target, notes=[], behind=False, audit=lived_in.trail))
    found = restore(home, backup, target, notes=[], behind=True, audit=lived_in.trail)
    signer = signer_of(Settings(home=home.path, database_url=empty_url), clock=lived_in.clock)
    signed = refused(StoreError, signer.sign)
    begun = begin_again(home, target, audit=lived_in.trail)
    signer.database.close()
    signer = signer_of(Settings(home=home.path, database_url=empty_url), clock=lived_in.clock)
    signer.sign()

    assert (code, found.lost, signed) == ("backup-behind", 1, "log-rewritten")
    assert begun.origin == "promise-hub/log-2"
    with target.reading() as session:
        assert session.scalars(select(Checkpoint.size)).all() != []
    signer.database.close()
    target.close()


def test_a_machine_that_lost_the_signers_memory_asks_for_a_districts_checkpoint(sqlite_hub, tmp_path):
    lived_in, empty_url = sqlite_hub, empty_address(tmp_path / "restored")
    made = backed_up(lived_in, tmp_path)
    kept = (lived_in.home.signer / "last-checkpoint").read_text()
    (lived_in.home.signer / "last-checkpoint").unlink()
    backup, target = open_backup(lived_in.home, made.folder), Database(empty_url)

    def brought_back(notes):
        return restore(lived_in.home, backup, target, notes=notes, behind=False, audit=lived_in.trail)

    assert refused(SettingError, lambda: brought_back([])) == "checkpoint-missing"
    assert refused(SettingError, lambda: brought_back(["not a note"])) == "checkpoint-wrong"
    assert brought_back([kept]).lost == 0
    assert (lived_in.home.signer / "last-checkpoint").read_text() == kept
    target.close()


def test_what_does_not_fit_is_refused_before_anything_is_written(sqlite_hub, tmp_path):
    sqlite_hub.enrol("novato").deliver(range(10))
    made = backed_up(sqlite_hub, tmp_path)
    backup, home = open_backup(sqlite_hub.home, made.folder), sqlite_hub.home
    rows = home.key_file("matcher", "rows.key")
    key, target = rows.read_bytes(), Database(empty_address(tmp_path / "new"))

    def tried(database=target):
        return restore(home, backup, database, notes=[], behind=False, audit=sqlite_hub.trail)

    assert refused(Conflict, lambda: tried(sqlite_hub.database)) == "database-not-empty"
    rows.write_bytes(bytes(32))
    assert refused(SettingError, tried) == "backup-key"
    rows.unlink()
    assert refused(SettingError, tried) == "backup-key"
    rows.write_bytes(key)
    spoiled = next((made.folder / "files" / "analysis").iterdir())
    spoiled.write_bytes(spoiled.read_bytes()[:-1] + b"\x00")
    assert refused(StoreError, tried) == "backup-damaged"
    with target.snapshot() as connection:
        assert tables_of(connection) == []
    target.close()


def test_every_byte_of_a_backup_that_is_changed_is_found(sqlite_hub, tmp_path):
    made = backed_up(sqlite_hub, tmp_path)
    found = []
    for path in sorted(path for path in made.folder.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        path.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:] if whole else b"x")
        try:
            backup = open_backup(sqlite_hub.home, made.folder)
            check_files(backup)
            try_backup(sqlite_hub.home, backup, notes=[])
        except StoreError:
            found.append(path)
        path.write_bytes(whole)

    # The list of keys in the outer file is there to be read by people; what is checked stands in the sealed inventory.
    assert {path.name for path in made.folder.rglob("*") if path.is_file()} - {path.name for path in found} <= {
        "backup.json"
    }


def test_backups_age_out_by_the_day_that_certificates_name(sqlite_hub, tmp_path):
    folder = tmp_path / "backups"
    first = make_backup(sqlite_hub.home, sqlite_hub.database, folder, audit=sqlite_hub.trail)
    day = sqlite_hub.clock().date()
    sqlite_hub.clock.advance(days=3)
    second = make_backup(sqlite_hub.home, sqlite_hub.database, folder, audit=sqlite_hub.trail)
    (folder / "promise-hub-broken-off").mkdir()
    os.utime(folder / "promise-hub-broken-off", (sqlite_hub.clock().timestamp(),) * 2)

    assert expired_backups(folder, today=backups_gone_by(day) - dt.timedelta(1)) == []
    gone = expired_backups(folder, today=backups_gone_by(day))
    remove_backups(gone)

    assert (gone, sorted(path.name for path in folder.iterdir())) == (
        [first.folder], sorted(["promise-hub-broken-off", second.folder.name]),
    )  # fmt: skip


def test_a_backup_of_a_hub_whose_files_are_gone_is_not_told_to_be_one(sqlite_hub, tmp_path):
    sqlite_hub.enrol("novato").deliver(range(10))
    next(sqlite_hub.home.analysis.iterdir()).unlink()

    with pytest.raises(Unavailable) as told:
        make_backup(sqlite_hub.home, sqlite_hub.database, tmp_path / "backups", audit=sqlite_hub.trail)

    assert (told.value.code, list((tmp_path / "backups").iterdir())) == ("backup-moved", [])


def test_no_key_and_no_value_of_a_key_lies_in_a_backup(sqlite_hub, tmp_path):
    made = backed_up(sqlite_hub, tmp_path)
    keys = [path.read_bytes() for path in (sqlite_hub.home.path / "keys").glob("*/*")]
    held = [path.read_bytes() for path in made.folder.rglob("*") if path.is_file()]

    assert len(keys) >= 9
    assert [key for key in keys for content in held if key in content or key.hex().encode() in content] == []


def test_a_database_of_another_revision_is_not_backed_up_and_said_to_be_so(made_up_hub, tmp_path):
    downgrade(made_up_hub.database.url, "0014")

    told = refused(
        Conflict, lambda: make_backup(made_up_hub.home, made_up_hub.database, tmp_path / "b", audit=made_up_hub.trail)
    )

    assert told == "revision-behind"


def test_migrating_makes_the_keys_that_came_later_but_none_that_accounts_rest_under(home):
    lost = [Home(home).key_file(role, name) for role, name in (("resolver", "pepper.key"), ("api", "accounts.key"))]
    for file in lost:
        file.unlink()

    first = CliRunner().invoke(app, ["migrate", "--home", str(home)])
    made = [file.exists() for file in lost]
    database = Database(Settings(home=home).resolved_database_url("migration"))
    with database.transaction() as session:
        session.add(Person(id="0" * 32, organisation="novato", roles=["steward"], added_at=NOW))
        session.flush()
        session.add(Account(person="0" * 32, name="somebody", password="p", codes=b"c"))
    database.close()
    lost[1].unlink()
    CliRunner().invoke(app, ["migrate", "--home", str(home)])

    assert (first.exit_code, made, lost[1].exists()) == (0, [True, True], False)


def test_the_commands_back_up_try_and_restore(sqlite_hub, tmp_path):
    sqlite_hub.enrol("novato").deliver(range(10))
    home, folder = sqlite_hub.home.path, tmp_path / "backups"

    made = CliRunner().invoke(app, ["backup", str(folder), "--home", str(home)])
    one = next(folder.iterdir())
    sqlite_hub.work()
    tried = CliRunner().invoke(app, ["restore", str(one), "--home", str(home), "--verify"])
    sqlite_hub.close()
    full = CliRunner().invoke(app, ["restore", str(one), "--home", str(home)])
    take_away(home)
    empty_address(home)
    done = CliRunner().invoke(app, ["restore", str(one), "--home", str(home)])
    none = CliRunner().invoke(app, ["restore", str(folder), "--home", str(home)])

    assert [run.exit_code for run in (made, tried, full, done, none)] == [0, 0, 1, 0, 1], done.stderr
    assert "Keep the keys" in made.stdout
    assert "database-not-empty" in full.stderr
    assert "as they were" in done.stdout
    assert "backup-unreadable" in none.stderr
    assert "backup.begun" in sqlite_hub.events()
    assert json.loads((one / "backup.json").read_text())["keys"]
