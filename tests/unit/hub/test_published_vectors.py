"""Published cases of sealing, signed requests and signed notes: each holds, and none holds once it is altered."""

import copy
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.operations.audit_commands import app
from hub.operations.vectors import run_every_vector

FOLDER = Path(__file__).parents[2] / "vectors" / "published"
HPKE = json.loads((FOLDER / "hpke.json").read_text("utf-8"))
REQUESTS = json.loads((FOLDER / "rfc9421.json").read_text("utf-8"))["requests"]


def run(value):
    found = run_every_vector([("case.json", json.dumps(value).encode())])
    return found.passed, len(found.failed), found.skipped


def test_every_committed_case_passes():
    files = [(path.name, path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))]

    found = run_every_vector(files)

    assert (found.passed, found.failed, found.skipped) == (6, (), 0)


def test_the_command_runs_a_folder_and_says_which_cases_fail(tmp_path):
    altered = copy.deepcopy(HPKE)
    altered[0]["key"] = "00" * 32
    (tmp_path / "hpke.json").write_text(json.dumps(altered), "utf-8")

    whole = CliRunner().invoke(app, ["vectors", str(FOLDER)])
    wrong = CliRunner().invoke(app, ["vectors", str(tmp_path)])

    assert (whole.exit_code, wrong.exit_code) == (0, 1)
    assert "6 of 6 cases pass" in whole.output
    assert "fails: hpke.json 0 kem 0020" in wrong.output


def flipped(text):
    return ("0" if text[0] != "0" else "1") + text[1:]


@pytest.mark.parametrize("field", ["info", "skRm", "pkRm", "enc", "shared_secret", "key", "base_nonce"])
def test_a_case_of_the_rfc_with_one_digit_changed_fails(field):
    case = {**HPKE[0], field: flipped(HPKE[0][field])}

    assert run([case]) == (0, 1, 0)


@pytest.mark.parametrize("field", ["aad", "nonce", "pt", "ct"])
def test_an_encryption_with_one_digit_changed_fails(field):
    (first,) = HPKE[0]["encryptions"]

    assert run([{**HPKE[0], "encryptions": [{**first, field: flipped(first[field])}]}]) == (0, 1, 0)


@pytest.mark.parametrize("field", ["info", "skRm", "enc", "encryptions"])
def test_a_case_of_the_hybrid_with_one_digit_changed_fails(field):
    assert run([{**HPKE[1], field: flipped(HPKE[1][field])}]) == (0, 1, 0)


def test_suites_and_modes_that_are_not_used_here_are_not_looked_at():
    others = [{**HPKE[0], "mode": 1}, {**HPKE[0], "kem_id": 16}, {**HPKE[0], "aead_id": 1}, "no case"]

    assert run([*others, HPKE[0]]) == (1, 0, 0)
    assert run(others) == (0, 0, 1)
    assert run_every_vector([("x.json", b"no JSON")]).skipped == 1


@pytest.mark.parametrize("name", ["Date", "Content-Type", "Content-Length", "Signature", "Signature-Input"])
def test_a_signed_request_with_one_field_changed_fails(name):
    case = copy.deepcopy(REQUESTS[0])
    text = case["headers"][name]
    case["headers"][name] = text.replace("2", "3", 1) if "2" in text else text.upper().replace("18", "19")

    assert run({"requests": [case]}) == (0, 1, 0)


def test_a_request_that_is_signed_to_other_bytes_or_is_no_case_fails():
    covered = [*REQUESTS[0]["covered"][1:], "date"]

    assert run({"requests": [{**REQUESTS[0], "covered": covered}, {**REQUESTS[0], "public_key": "!"}, {}]}) == (0, 3, 0)
