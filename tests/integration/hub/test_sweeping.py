"""What a killed worker left is swept: files that no row names go, and nothing that is named or new."""

import os
from datetime import timedelta

import pytest
from sqlalchemy import String

from hub.db import Base
from hub.files import FileStore
from hub.linking import service
from hub.operations import roles
from hub.operations.sweeping import ask_for_sweep

FOLDERS = {"rows": "linkage/rows", "spans": "linkage/spans", "analysis": "analysis", "salts": "salts"}


@pytest.fixture
def linked(sqlite_hub):
    """A hub that holds submissions, a run and its memory."""
    sqlite_hub.enrol("novato").deliver(range(40))
    sqlite_hub.enrol("reed").deliver(range(20, 50), year=2025)
    with sqlite_hub.database.transaction() as session:
        run = service.request_run(session, audit=sqlite_hub.trail)
    sqlite_hub.work()
    with sqlite_hub.database.transaction() as session:
        service.accept_run(session, run, audit=sqlite_hub.trail)
    return sqlite_hub


def files_of(hub):
    folders = [hub.home.path / folder for folder in FOLDERS.values()] + [hub.home.handover]
    return {path for folder in folders for path in folder.glob("*")}


def aged(paths, hub, *, days):
    then = (hub.clock() - timedelta(days=days)).timestamp()
    for path in paths:
        os.utime(path, (then, then))


def left_by_a_killed_worker(hub):
    """Files that a worker stored and never named, whole and broken off, in each store and in the hand-over folder."""
    keys = {
        "rows": ("matcher", "rows.key"),
        "spans": ("resolver", "spans.key"),
        "analysis": ("resolver", "analysis.key"),
    }
    left = []
    for store, (role, key) in keys.items():
        folder = hub.home.path / FOLDERS[store]
        left.append(folder / FileStore(folder, hub.home.key(role, key)).put(b"rows that nobody names"))
        left.append(folder / ".broken.off")
    left.append(hub.home.handover / "99-names-0")
    for path in left[1::2] + left[-1:]:
        path.write_bytes(b"half")
    return left


def sweep(hub):
    for make in (roles.matcher, roles.resolver):
        worker = make(hub.settings, log=hub.parts.log, clock=hub.clock)
        with hub.database.transaction() as session:
            ask_for_sweep(session, worker.broom, due=hub.clock())
        worker.run_until_idle()
        worker.close()


def test_what_a_killed_worker_left_goes_after_a_day_and_what_is_named_stays(linked):
    named = files_of(linked)
    left = left_by_a_killed_worker(linked)
    aged([*named, *left], linked, days=2)

    sweep(linked)

    assert files_of(linked) == named
    assert linked.events().count("files.swept") == 2


def test_what_is_younger_than_a_day_stays(linked):
    left = left_by_a_killed_worker(linked)
    aged(left, linked, days=0.9)

    sweep(linked)

    assert files_of(linked) >= set(left)
    assert "files.swept" not in linked.events()


def test_content_that_is_put_again_is_young_again(linked):
    rows = linked.home.path / FOLDERS["rows"]
    store = FileStore(rows, linked.home.key("matcher", "rows.key"))
    file = rows / store.put(b"rows that nobody names")
    aged([file], linked, days=2)
    store.put(b"rows that nobody names")

    sweep(linked)

    assert file.is_file()


def test_every_column_that_can_name_a_file_is_known_to_the_sweep():
    columns = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if "file" in column.name and not (isinstance(column.type, String) and column.foreign_keys)
    }

    assert columns == {
        "submissions.key_file", "submissions.references_file", "submission_chunks.file", "snapshots.files",
        "agreement_salts.file",
    }  # fmt: skip
