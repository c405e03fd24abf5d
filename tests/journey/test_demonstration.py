"""The whole road on a small county: what the demonstration prints holds every bar, and a second run is the same."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import CHOSEN, empty_address, settings_of

ROOT = Path(__file__).parents[2]
MADE = os.environ.get("DEMONSTRATION_MADE", "")
"""The summary of a small demonstration that stands in `demo/`, made of this commit: CI runs one before the tests."""
pytestmark = pytest.mark.journey


def run_demonstration(folder):
    summary = folder / "summary.json"
    command = [
        sys.executable,
        "deploy/demo.py",
        "--small",
        "--no-open",
        "--folder",
        folder / "demo",
        "--summary",
        summary,
    ]
    with settings_of(empty_address(folder / "hub")):
        done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(summary.read_text())


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    if MADE and not CHOSEN:
        return ROOT / "demo", json.loads((ROOT / MADE).read_text())
    folder = tmp_path_factory.mktemp("first")
    return folder / "demo", run_demonstration(folder)


def test_linkage_meets_its_bars_overall_and_by_name_custom(first):
    _, found = first

    groups = found["recall_by_group"]

    assert found["precision"] >= 0.995
    assert found["recall"] >= 0.96
    assert len(groups) >= 2
    assert max(groups.values()) - min(groups.values()) <= 0.04


def test_the_seven_outcomes_equal_the_truth_within_what_linkage_missed(first):
    folder, found = first
    compared = [row for row in json.loads((folder / "outcomes.json").read_text()) if row["group"] == "all"]

    missed = 1 - found["recall"]

    assert len({row["indicator"] for row in compared}) == 7
    for row in compared:
        name = (row["indicator"], row["cohort_year"])
        for count in ("n", "known", "k"):
            assert row[f"true_links_{count}"] == row[f"truth_{count}"], name
            assert abs(row[f"linked_{count}"] - row[f"truth_{count}"]) <= 1 + 2 * missed * row[f"truth_{count}"], name
        assert abs(row["linked_rate"] - row["truth_rate"]) <= 1, name


def test_nothing_is_recovered_and_nobody_is_found_and_the_log_is_whole(first):
    _, found = first

    assert (found["recovered"], found["identity_hits"], found["audit_ok"]) == (0, 0, True)
    assert found["audit_events"] > 100
    assert found["cells_shown"] > 0
    assert found["cells_withheld"] > 0


def test_each_bad_file_is_refused_or_held_with_code_place_cause_and_fix(first):
    folder, found = first
    bad = json.loads((folder / "push.json").read_text())["bad"]

    assert len(bad) == 3
    for case in bad:
        findings = [finding for file in case["files"] for finding in file["findings"]]
        refusals = [file["refused"] for file in case["files"] if file["refused"]]
        holds = [hold for holds in case.get("hub_findings", []) for hold in holds]
        assert case["state"] in case["expect"]
        assert refusals or holds
        assert all(finding["code"] and finding["cause"] and finding["fix"] for finding in findings)
        assert all(finding["first_rows"] for finding in findings if finding["rows"])
        assert all(refusal["code"] and refusal["sentence"] and refusal["next_step"] for refusal in refusals)
        assert all(hold["code"] and hold["at"] and hold["rule"] for hold in holds)
    assert {case["state"] for case in bad} == {"refused", "held"}
    assert found["files"]["held"] >= 1
    assert found["files"]["rejected"] >= 1


def test_every_file_is_accounted_for(first):
    _, found = first
    files = found["files"]

    assert files["total"] == files["accepted"] + files["held"] + files["rejected"]
    assert files["providers"] >= 20


def test_the_same_attack_finds_a_cell_that_was_hidden_alone_in_its_line(first, tmp_path):
    """The planted fault: one of two groups is hidden and nothing else, so that the total gives it away."""
    folder, _ = first
    with (folder / "cells.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    told = {(c["indicator"], c["cohort_year"], c["economic-status"]) for c in cells if told_in_full(c)}
    planted = next(
        cell
        for cell in cells
        if told_in_full(cell)
        and cell["economic-status"] == "disadvantaged"
        and (cell["indicator"], cell["cohort_year"], "not-disadvantaged") in told
    )
    planted |= dict.fromkeys(NUMBERS, "")
    planted["status"] = "C"
    leaky = tmp_path / "leaky.csv"
    with leaky.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, cells[0].keys())
        writer.writeheader()
        writer.writerows(cells)

    attack = [sys.executable, "tests/attacker/attack_release.py", leaky, folder / "hierarchies.json"]
    done = subprocess.run([str(part) for part in attack], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 1, done.stdout + done.stderr
    assert planted["indicator"] in done.stdout


NUMBERS = ("n", "k", "rate", "rate_low", "rate_high", "persons", "coverage_low", "coverage_high")


def told_in_full(cell):
    return cell["table"] == "economic-status" and cell["status"] == "F" and cell["k"] != ""


@pytest.mark.slow
def test_two_runs_with_one_seed_link_alike_and_give_the_same_release_byte_for_byte(first, tmp_path):
    folder, _ = first

    run_demonstration(tmp_path)

    for name in ("linkage.json", "outcomes.json", "cells.csv", "hierarchies.json"):
        assert (folder / name).read_bytes() == (tmp_path / "demo" / name).read_bytes(), name
