"""Two made-up providers push to a real hub over loopback HTTP: accepted, refused and held, and references joined."""

import csv
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from typer.testing import CliRunner

from connectors import county
from connectors.cli import app as edge_app
from connectors.errors import WorkspaceError
from connectors.workspace import open_workspace
from hub.cli import app
from tests.databases import empty_address, settings_of
from tests.spec.connectors import source_files as made

STUDENTS = 12
AGREEMENTS = "policies/agreements"


def enrollment(numbers):
    return made.lines(*(made.senr(f9=f"L{n}", f8=f"{10**9 + n}", f10=f"{made.GIVEN}{'aeiou'[n % 5]}") for n in numbers))


@pytest.fixture
def folder(tmp_path):
    """A county of one district and one partner, with two bad deliveries."""
    home = tmp_path / "county"
    files = {
        "providers/novato/inbox/2026/senr.txt": enrollment(range(STUDENTS)),
        "providers/novato/inbox/2026/toms.csv": made.toms_file(
            made.toms(SSID="1000000003"), made.toms(SSID="9999999999")
        ),
        "providers/canal-alliance/inbox/2026/roster.csv": made.lines(made.PARTNER_TITLES, made.PARTNER_ROW),
        "bad/look-alike/users.csv": made.SDS_USERS,
        "bad/third-gone/senr.txt": enrollment(range(STUDENTS // 3, STUDENTS)),
        "truth/records.csv": made.lines(
            "provider,local_id,person,custom", "novato,L3,p1,other", "canal-alliance,P1,p2,other"
        ),
        "county.json": json.dumps(
            {"seed": 1, "providers": [{"id": "novato"}, {"id": "canal-alliance"}, {"id": "novato"}]}
        ),
    }
    for name in ("look-alike", "third-gone"):
        told = {"name": name, "provider": "novato", "kind": "k12", "school_year": 2026, "expect": "refused"}
        files[f"bad/{name}/bad.json"] = json.dumps(told)
    for name, content in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(content, encoding="utf-8", newline="")
    return home


@pytest.fixture
def its_own_database(tmp_path):
    with settings_of(empty_address(tmp_path / "hub")):
        yield


@pytest.fixture
def hub(folder, tmp_path, its_own_database):
    """A hub's address and home, with the county's agents on its roster; stopped at the end."""
    home, roster, signatories = tmp_path / "hub", tmp_path / "roster.json", tmp_path / "signatories.json"
    keys, words = tmp_path / "keys.json", tmp_path / "words.json"
    made = ("--out", roster, "--signatories", signatories, "--party-keys", keys, "--words", words)
    assert county.main(["register", str(folder), "--agreements", AGREEMENTS, *map(str, made)]) == 0
    for command in (
        ("init", home, "--synthetic"),
        ("epochs", "propose", roster, "--signatories", signatories, "--home", home),
        ("agreements", "load", AGREEMENTS, "--keys", keys, "--words", words, "--home", home),
        ("operations", "agree-made-up", "--home", home),
    ):
        done = CliRunner().invoke(app, [str(part) for part in command])
        assert done.exit_code == 0, done.output
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "hub.cli", "serve", "--home", str(home), "--port", str(port)]
    with (tmp_path / "serve.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        wait_for(f"http://127.0.0.1:{port}/v1/ready")
        ceremony = ["ceremony", str(folder), "--hub", f"http://127.0.0.1:{port}", "--signatories", str(signatories)]
        assert county.main(ceremony) == 0
        done = CliRunner().invoke(app, ["epochs", "begin", "1", "--home", str(home)])
        assert done.exit_code == 0, done.output
        yield f"http://127.0.0.1:{port}", home
        server.terminate()
        server.wait(20)


def wait_for(url):
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(url)


def test_a_county_is_pushed_and_each_file_has_its_fate(folder, hub, tmp_path):
    url, home = hub
    arguments = ["push", folder, "--hub", url, "--hub-keys", home / "hub.json", "--agreements", AGREEMENTS]
    arguments += ["--summary", tmp_path / "push.json"]

    status = county.main([str(argument) for argument in arguments])

    told = json.loads((tmp_path / "push.json").read_text())
    assert status == 0
    assert told["files"] == {"total": 5, "providers": 2, "accepted": 3, "held": 1, "rejected": 1}
    assert told["submissions"] == {"accepted": 2, "held": 1}
    assert told["rows"]["rows"] == told["rows"]["accepted"] + told["rows"]["rejected"]
    assert {"code": "ROW-004", "column": "", "rows": 1} in told["findings"]
    fates = {one["name"]: (one["state"], one["by"]) for one in told["bad"]}
    assert fates == {"look-alike": ("refused", "edge"), "third-gone": ("held", "hub")}
    assert told["bad"][0]["files"][0]["refused"]["code"] == "FIL-005"
    references = list(csv.DictReader((folder / "truth" / "references.csv").read_text().splitlines()))
    assert [(row["provider"], row["person"], len(row["record_reference"])) for row in references] == [
        ("novato", "p1", 32),
        ("canal-alliance", "p2", 32),
    ]
    edge = folder / "providers" / "novato" / "edge"
    shown = CliRunner().invoke(edge_app, ["receipt", str(edge)]).output
    states = [line.split()[1] for line in shown.splitlines() if not line.startswith((" ", "next:"))]
    assert sorted(states) == ["accepted", "held"]
    assert "Nothing to send" in CliRunner().invoke(edge_app, ["push", str(edge)]).output
    lost = next(open_workspace(edge).receipts.iterdir())
    lost.unlink()
    again = CliRunner().invoke(edge_app, ["push", str(edge)])
    assert (again.exit_code, "[1/1]" in again.output, lost.exists()) == (0, True, True)


def test_a_folder_that_is_no_county_is_told(tmp_path, capsys):
    out = ["--out", str(tmp_path / "roster.json"), "--signatories", str(tmp_path / "signatories.json")]
    status = county.main(["register", str(tmp_path), *out])

    assert status == WorkspaceError.exit_code
    assert "EDGE-012" in capsys.readouterr().err
