"""The operator's commands over releases, and the rules that a release takes from its agreements."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.audit.events import AuditTrail
from hub.cli import app as hub_app
from hub.console import console
from hub.release.draft import Draft
from hub.release.publishing import declared_tables, release_rules
from hub.release.service import store_release
from policies.agreements import Agreement, read_agreement
from policies.catalogue_files import catalogue
from policies.disclosure.types import DEFAULT_RULES

AGREEMENT = """
id: {name}
tier: DSA
version: 1
title: A made-up agreement
parties: [{{organisation: {organisation}, role: contributor, authority: LEA}}]
legal_basis: [public-record]
purposes: []
outputs: {{min_n: {min_n}, numerator_min: {numerator_min}}}
retention: {{effective: 2026-01-01, expires: {expires}, destroy_within_days: 90}}
"""


def run(home: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(hub_app, ["release", *words, "--home", str(home)])
    return done.exit_code, done.output


def agreement(
    name: str, organisation: str, min_n: int, *, numerator_min: int = 0, expires: str = "2030-01-01"
) -> Agreement:
    return read_agreement(
        AGREEMENT.format(
            name=name, organisation=organisation, min_n=min_n, numerator_min=numerator_min, expires=expires
        )
    )


@pytest.fixture
def waiting(home: Path, draft: Draft, trail: AuditTrail) -> Path:
    with console(home, "test") as hub, hub.database.transaction() as session:
        store_release(session, draft, audit=trail)
    return home


def test_on_a_new_hub_nothing_is_released_and_every_command_says_what_to_do(home: Path, tmp_path: Path) -> None:
    shown = run(home, "show")
    withdrawn = run(home, "withdraw")
    report = run(home, "report", "--out", str(tmp_path / "report.html"))
    published = run(home, "publish")

    assert shown == (0, "Nothing has been released yet.\n")
    assert withdrawn == (0, "No release waits.\n")
    assert report[0] == published[0] == 1
    assert "no-release: Nothing has been released yet." in report[1]
    assert "Next step:" in published[1]
    assert not (tmp_path / "report.html").exists()


def test_a_waiting_release_is_published_and_written_out_in_each_form(
    waiting: Path, draft: Draft, tmp_path: Path
) -> None:
    asked = run(waiting, "publish")
    before = run(waiting, "show")
    approved = CliRunner().invoke(hub_app, ["operations", "approve-made-up", "--home", str(waiting)])
    shown = run(waiting, "show")
    for command, name in (("content", "release.json"), ("export", "cells.csv"), ("report", "report.html")):
        assert run(waiting, command, "--out", str(tmp_path / name))[0] == 0

    figures = json.loads((tmp_path / "report.json").read_text("utf-8"))
    rows = list(csv.DictReader((tmp_path / "cells.csv").read_text("utf-8").splitlines()))
    assert asked[1].startswith(
        f"Release 2026-11-22.1 is prepared: {draft.verdict.shown} cells shown, {draft.verdict.withheld} withheld.\n"
        "Act 1 is asked."
    )
    assert before[1] == "Nothing has been released yet.\n"
    assert approved.output == "1 acts are approved.\n"
    assert shown[1].startswith("2026-11-22.1  published")
    assert (tmp_path / "release.json").read_bytes() == draft.content
    assert len(rows) == draft.verdict.shown + draft.verdict.withheld
    assert json.loads((tmp_path / "hierarchies.json").read_text("utf-8"))["race"]["white"] == "Total"
    assert (figures["cells_shown"], figures["cells_withheld"]) == (draft.verdict.shown, draft.verdict.withheld)
    assert figures["gap"]["sentence"].startswith("third grade reading, gap by economic status")
    assert "<script" not in (tmp_path / "report.html").read_text("utf-8")


def test_a_waiting_release_can_be_taken_back(waiting: Path) -> None:
    assert run(waiting, "withdraw") == (0, "Release 2026-11-22.1 is taken back.\n")


def test_the_strictest_agreement_in_force_of_a_contributor_sets_the_thresholds(trail: AuditTrail) -> None:
    agreements = [
        agreement("DSA-1", "novato", 11),
        agreement("DSA-2", "reed", 20, numerator_min=5),
        agreement("DSA-3", "ross", 40),
        agreement("DSA-4", "reed", 50, expires="2026-02-01"),
    ]

    found = release_rules(agreements, providers=frozenset({"novato", "reed"}), audit=trail)
    alone = release_rules(agreements, providers=frozenset(), audit=trail)

    assert (found.min_n, found.numerator_min) == (20, 5)
    assert alone == replace(DEFAULT_RULES, pairs=True)


def test_every_table_of_the_catalogue_is_declared_for_protection() -> None:
    declared = declared_tables(catalogue())

    assert {name: len(tables) for name, tables in declared.items()} == {
        name: len(tables) for name, tables in catalogue().tables.items()
    }
