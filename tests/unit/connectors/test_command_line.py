"""`promise-edge` as a steward types it: what it prints, what it writes and how it ends."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from connectors.cli import app
from connectors.errors import AgreementRefusedError, MappingError, WorkspaceError
from connectors.keystore import write_key
from linkage.schema import current_schema
from linkage.sealing import generate_recipient_key
from tests.spec.connectors import source_files as made

AGREEMENTS = "policies/agreements"


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def parts(tmp_path):
    keys = {
        "matcher_public_key": generate_recipient_key().public(),
        "resolver_public_key": generate_recipient_key().public(),
    }
    (tmp_path / "hub.json").write_text(json.dumps(keys | {"schema_hash": current_schema().hash, "epoch": 1}))
    write_key(tmp_path / "linkage.secret", bytes(32))
    return tmp_path


@pytest.fixture
def edge(parts):
    folder = parts / "edge"
    done = run(
        "setup", folder, "--organisation", "novato", "--hub", "http://127.0.0.1:9", "--hub-keys", parts / "hub.json",
        "--agreements", AGREEMENTS, "--secret", parts / "linkage.secret",
    )  # fmt: skip
    assert done.exit_code == 0
    return folder


def lay(edge, name, content):
    folder = edge / "inbox" / "2026"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content, encoding="utf-8", newline="")


def test_setup_says_the_key_and_what_is_still_missing(tmp_path):
    done = run("setup", tmp_path / "edge", "--organisation", "reed", "--hub", "https://hub.test")

    assert done.exit_code == 0
    assert "reed:1" in done.output
    assert "--hub-keys, --agreements, --signatories" in done.output


@pytest.mark.parametrize(
    ("organisation", "hub", "code"), [("nobody", "https://hub.test", "EDGE-003"), ("reed", "hub.test", "EDGE-002")]
)
def test_setup_refuses_an_unknown_organisation_or_address(organisation, hub, code, tmp_path):
    done = run("setup", tmp_path / "edge", "--organisation", organisation, "--hub", hub)

    assert isinstance(done.exception, WorkspaceError)
    assert done.exception.code == code
    assert not (tmp_path / "edge").exists()


def test_check_needs_no_workspace_and_ends_0_when_all_rows_may_be_used(tmp_path):
    (tmp_path / "senr.txt").write_text(made.lines(*(made.senr(f9=f"L{n}", f8=f"{10**9 + n}") for n in range(7))))

    done = run("check", tmp_path / "senr.txt", "--summary", tmp_path / "out.json")

    assert done.exit_code == 0
    assert "CALPADS enrollment (SENR) 2026, 40 fields" in done.output
    assert "7 rows: 7 accepted, 0 rejected" in done.output
    (file,) = json.loads((tmp_path / "out.json").read_text())["files"]
    assert (file["layout"], file["rows"], file["accepted"], file["rejected"]) == ("calpads-senr", 7, 7, 0)
    assert file["findings"] == []


def test_check_ends_1_with_causes_in_order_when_something_is_wrong(tmp_path):
    rows = [made.senr(f9=f"L{n}") for n in range(9)] + [made.senr(f24="13"), made.senr(f24="14"), made.senr(f8="12")]
    (tmp_path / "senr.txt").write_text(made.lines(*rows))
    (tmp_path / "users.csv").write_text(made.SDS_USERS)

    done = run("check", tmp_path / "senr.txt", tmp_path / "users.csv")

    assert done.exit_code == 1
    assert done.output.index("COD-051") < done.output.index("IDN-002") < done.output.index("FIL-005")
    assert "(lines 10, 11)" in done.output


def test_check_lists_the_causes_for_which_a_whole_file_is_refused(tmp_path):
    dragged = [made.child(**{"Child Birth Date": "12/30/1899"})] * 7
    (tmp_path / "roster.csv").write_text(made.lines(made.ROSTER_TITLES, *dragged, *[made.child()] * 3))

    done = run("check", tmp_path / "roster.csv", "--summary", tmp_path / "out.json")

    (file,) = json.loads((tmp_path / "out.json").read_text())["files"]
    assert (file["refused"]["code"], file["rows"], file["accepted"], file["rejected"]) == ("FIL-010", 10, 0, 10)
    first = file["findings"][0]
    assert (first["code"], first["column"], first["rows"]) == ("DAT-052", "Child Birth Date", 7)
    assert "DAT-052  The year is 1899 or 1900, column Child Birth Date: 7, row rejected" in done.output


def test_check_can_be_told_the_layout(tmp_path):
    (tmp_path / "x.csv").write_text(made.lines("SSID,Total Score,Date", "1234567890,51,2025-08-25"))

    assert "Kindergarten readiness file" in run("check", tmp_path / "x.csv", "--source", "readiness").output
    wrong = run("check", tmp_path / "x.csv", "--source", "unheard-of")
    assert isinstance(wrong.exception, WorkspaceError)


def test_check_follows_a_sources_file_and_refuses_one_it_cannot_follow(tmp_path):
    (tmp_path / "x.csv").write_text("Who,What,When\nP1,tutoring,2025-09-01\n")
    titles = "{Who: local_id, What: programme, When: start_date}"
    good = f"files: [{{pattern: x.csv, kind: programme, table: programme, titles: {titles}}}]"
    (tmp_path / "sources.yaml").write_text(good)
    (tmp_path / "wrong.yaml").write_text(good.replace("start_date", "begun"))

    assert "mapped file (programme)" in run("check", tmp_path / "x.csv", "--sources", tmp_path / "sources.yaml").output
    assert isinstance(run("check", tmp_path / "x.csv", "--sources", tmp_path / "wrong.yaml").exception, MappingError)


def test_prepare_lays_every_kind_of_the_year_into_the_outbox(edge):
    lay(edge, "senr.txt", made.lines(*(made.senr(f9=f"L{n}", f8=f"{10**9 + n}") for n in range(7))))
    lay(edge, "map.csv", made.lines(made.MAP_TITLES, "a1b2,L1,N,20260820"))
    lay(edge, "nsc.csv", made.lines(made.DETAIL_TITLES, made.detail()))

    done = run("prepare", edge, "--summary", edge / "out.json")

    assert done.exit_code == 0, done.exception
    assert "k12 2026:" in done.output
    assert "clearinghouse 2026: 2 facts, 1 chunks" in done.output
    assert len([path for path in (edge / "outbox").iterdir() if len(path.name) == 64]) == 2
    assert len(json.loads((edge / "out.json").read_text())["files"]) == 3


def test_prepare_stops_when_a_file_of_the_year_is_refused(edge):
    lay(edge, "senr.txt", made.lines(made.senr()))
    lay(edge, "users.csv", made.SDS_USERS)

    done = run("prepare", edge, "--year", "2026")

    assert done.exit_code == 1
    assert list((edge / "outbox").iterdir()) == []


def test_prepare_without_files_says_where_to_lay_them(edge):
    done = run("prepare", edge)

    assert isinstance(done.exception, WorkspaceError)
    assert "inbox" in done.exception.next_step


def test_nothing_is_prepared_without_an_agreement_in_force(edge):
    for path in (edge / "agreements").glob("*.yaml"):
        path.unlink()
    lay(edge, "senr.txt", made.lines(made.senr()))

    done = run("prepare", edge)

    assert isinstance(done.exception, AgreementRefusedError)
    assert (done.exception.code, done.exception.exit_code) == ("R-20", 1)


def test_push_without_anything_prepared_says_so(edge):
    assert "Nothing to send" in run("push", edge).output


def test_receipt_shows_what_the_hub_answered(edge):
    (edge / "receipts" / f"{'ab' * 32}.json").write_text(json.dumps({"state": "held", "next_step": "approve it"}))

    assert f"{'ab' * 32}  held  approve it" in run("receipt", edge).output
    assert isinstance(run("receipt", edge, "ff").exception, WorkspaceError)


def test_a_folder_that_is_no_workspace_is_told(tmp_path):
    done = run("push", tmp_path)

    assert isinstance(done.exception, WorkspaceError)
    assert (done.exception.code, done.exception.exit_code) == ("EDGE-001", 2)


def test_the_program_ends_with_the_errors_own_status_and_next_step(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "connectors.cli", "push", str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr == "EDGE-001  This folder is no workspace.\n  next: Run `promise-edge setup` first.\n"
    assert done.stdout == ""
