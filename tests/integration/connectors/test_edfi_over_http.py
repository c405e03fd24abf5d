"""Ed-Fi resources are fetched from a real HTTP server: whole, by pages, by changes, and through its bad moods."""

import datetime as dt
import json

import httpx
import pytest
from typer.testing import CliRunner

from connectors.batches import read_reports
from connectors.cli import app
from connectors.edfi_api import Store, StoreSettings, fetch
from connectors.errors import FetchRefusedError, StoreUnreachableError, WorkspaceError
from connectors.sample_sets import edfi_resources
from connectors.source_map import EMPTY
from tests.integration.connectors.edfi_store import KEY, SECRET, EdFiStore, serving

PEOPLE = [(number, f"Qz{number}x", f"Vw{number}q") for number in range(1, 9)]
LATEST = dt.date(2026, 6, 30)


def store_of(url, client, *, waits=None, **changed):
    settings = StoreSettings(**{"url": url, "key": KEY, "secret_file": "s", "page_rows": 3, **changed})
    return Store(client, settings, SECRET, (waits if waits is not None else []).append)


def fetched(store, folder, *, whole=False, waits=None, secret=SECRET, **changed):
    with serving(store) as url, httpx.Client() as client:
        one = store_of(url, client, waits=waits, **changed)
        one.secret = secret
        return fetch(one, folder, whole=whole)


def students(folder):
    return [json.loads(line)["firstName"] for line in (folder / "students.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("standard", ["4.0.0", "5.1.0"])
def test_every_resource_comes_page_by_page_and_is_read(standard, tmp_path):
    store = EdFiStore(edfi_resources(PEOPLE), standard=standard)

    done = fetched(store, tmp_path / "edfi")

    assert done.kept["students"] == 8
    assert (done.changed, done.deleted, done.forbidden) == (8 * 5 + 1 + 20, 0, ())
    pages = [query["offset"] for path, query in store.asked if path.endswith("/students")]
    assert pages == [0, 3, 6]
    reports = read_reports([tmp_path / "edfi"], source_map=EMPTY, school_year=2026, latest=LATEST)
    assert [(one.reading.layout, one.reading.accepted) for one in reports] == [
        ("edfi-enrollment", 8),
        ("edfi-assessments", 8),
        ("edfi-attendance", 8),
    ]
    days = [dict(one.facts[0][1]) for _, one in reports[2].reading.readings]
    assert days == [{"school": "6111111", "days_expected": 20, "days_attended": 19}] * 8


def test_the_next_fetch_asks_only_for_what_changed_and_was_deleted(tmp_path):
    store = EdFiStore(edfi_resources(PEOPLE))
    fetched(store, tmp_path / "edfi")
    first = next(iter(store.objects["students"]))
    store.put("students", {**store.objects["students"][first][1], "firstName": "Zq"})
    store.delete("students", list(store.objects["students"])[3])
    store.asked.clear()

    done = fetched(store, tmp_path / "edfi")

    assert (done.changed, done.deleted, done.kept["students"]) == (1, 1, 7)
    assert students(tmp_path / "edfi")[0] == "Zq"
    assert {(query["minChangeVersion"], query["maxChangeVersion"]) for _, query in store.asked} == {(2, 3)}


def test_everything_comes_again_when_it_is_asked_for_or_the_store_keeps_no_changes(tmp_path):
    store = EdFiStore(edfi_resources(PEOPLE))
    fetched(store, tmp_path / "edfi")

    assert fetched(store, tmp_path / "edfi", whole=True).kept["students"] == 8
    store.changes = False
    assert fetched(store, tmp_path / "edfi").changed == 61


def test_a_store_of_several_years_is_asked_for_the_year(tmp_path):
    store = EdFiStore(edfi_resources(PEOPLE), years=True)

    fetched(store, tmp_path / "edfi", school_year=2026)

    assert all(path.startswith("/v7/data/v3/2026/ed-fi/") for path, _ in store.asked)


def test_a_busy_store_is_asked_again_after_the_time_it_names(tmp_path):
    store = EdFiStore(edfi_resources(PEOPLE))
    store.moods = [(503, {}, {}), (429, {}, {"Retry-After": "7"}), None, None, (500, {}, {})]
    waits = []

    done = fetched(store, tmp_path / "edfi", waits=waits)

    assert done.kept["students"] == 8
    assert waits == [0.5, 7.0, 0.5]


def test_a_token_that_ran_out_is_fetched_anew(tmp_path):
    store = EdFiStore(edfi_resources(PEOPLE), token_uses=2)

    done = fetched(store, tmp_path / "edfi")

    assert done.kept["students"] == 8
    assert store.tokens["given"] > 3


def test_a_resource_that_this_client_may_not_read_is_named(tmp_path):
    store = EdFiStore(edfi_resources(PEOPLE))
    store.forbidden = {"studentAssessments"}

    done = fetched(store, tmp_path / "edfi")

    assert done.forbidden == ("studentAssessments",)
    assert not (tmp_path / "edfi" / "studentAssessments.jsonl").exists()


def test_a_store_that_never_answers_changes_nothing(tmp_path):
    store = EdFiStore(edfi_resources(PEOPLE))
    fetched(store, tmp_path / "edfi")
    before = {path.name: path.read_bytes() for path in (tmp_path / "edfi").iterdir()}
    store.moods = [None] * 6 + [(503, {}, {})] * 6

    with pytest.raises(StoreUnreachableError) as refusal:
        fetched(store, tmp_path / "edfi", whole=True)

    assert refusal.value.code == "EDF-004"
    assert {path.name: path.read_bytes() for path in (tmp_path / "edfi").iterdir()} == before


def test_nobody_there_is_told_as_nobody_there(tmp_path):
    with httpx.Client() as client, pytest.raises(StoreUnreachableError):
        fetch(store_of("http://127.0.0.1:9/v7", client), tmp_path / "edfi")


WRONG = {
    "another secret": (lambda store: None, "EDF-003", {"secret": "other"}),
    "an older standard": (lambda store: setattr(store, "standard", "2.0.0"), "EDF-005", {}),
    "a page of words": (lambda store: setattr(store, "page_answer", (200, ["x"], {})), "EDF-005", {}),
    "a page that is none": (lambda store: setattr(store, "page_answer", (200, b"<html>", {})), "EDF-005", {}),
    "a page of an error": (lambda store: setattr(store, "page_answer", (400, {}, {})), "EDF-005", {}),
    "a root that sends to another host": (
        lambda store: setattr(store, "elsewhere", "http://localhost/v7"),
        "EDF-005",
        {},
    ),
    "a root of nothing": (lambda store: setattr(store, "moods", [(200, {}, {})]), "EDF-005", {}),
    "a token of nothing": (lambda store: setattr(store, "moods", [None, (200, {}, {})]), "EDF-005", {}),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_store_for_us_is_refused_with_its_own_code(name, tmp_path):
    spoil, code, how = WRONG[name]
    store = EdFiStore(edfi_resources(PEOPLE))
    spoil(store)

    with pytest.raises(FetchRefusedError) as refusal:
        fetched(store, tmp_path / "edfi", **how)

    assert refusal.value.code == code
    assert SECRET not in f"{refusal.value} {refusal.value.next_step}"


def workspace(folder, url, *, secret=SECRET, mode=0o600):
    CliRunner().invoke(app, ["setup", str(folder), "--organisation", "novato", "--hub", "http://127.0.0.1:9"])
    (folder / "edfi.yaml").write_text(f"url: {url}\nkey: {KEY}\nsecret_file: edfi.secret\n")
    if secret is not None:
        (folder / "edfi.secret").write_text(secret)
        (folder / "edfi.secret").chmod(mode)


def test_the_command_fetches_into_the_inbox_and_names_the_next_step(tmp_path):
    store = EdFiStore(edfi_resources(PEOPLE))
    store.forbidden = {"assessments"}
    with serving(store) as url:
        workspace(tmp_path / "edge", url)

        done = CliRunner().invoke(app, ["fetch", str(tmp_path / "edge"), "--year", "2026"])

    assert done.exit_code == 0, done.output
    assert "this client may not read it" in done.output
    assert "61 objects came, 0 were deleted" in done.output
    checked = CliRunner().invoke(app, ["check", str(tmp_path / "edge" / "inbox" / "2026" / "edfi")])
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize(
    ("url", "how", "code"),
    [
        ("http://store.test/v7", {}, "EDF-001"),
        ("https://127.0.0.1:9/v7", {"secret": None}, "EDF-002"),
        ("https://127.0.0.1:9/v7", {"secret": ""}, "EDF-002"),
        ("https://127.0.0.1:9/v7", {"mode": 0o644}, "KEY-002"),
        ("ftp://store.test", {}, "EDF-001"),
    ],
)
def test_settings_that_would_tell_the_secret_are_refused(url, how, code, tmp_path):
    workspace(tmp_path / "edge", url, **how)

    done = CliRunner().invoke(app, ["fetch", str(tmp_path / "edge"), "--year", "2026"])

    assert isinstance(done.exception, WorkspaceError)
    assert done.exception.code == code


def test_files_that_were_spoiled_between_two_fetches_are_noticed(tmp_path):
    store = EdFiStore(edfi_resources(PEOPLE))
    fetched(store, tmp_path / "edfi")
    (tmp_path / "edfi" / "students.jsonl").write_text("{")

    with pytest.raises(WorkspaceError) as refusal:
        fetched(store, tmp_path / "edfi")

    assert refusal.value.code == "EDF-006"
