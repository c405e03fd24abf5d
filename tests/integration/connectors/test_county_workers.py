"""The years of a county prepared in one process and in two: the same submissions, counts and findings."""

import json
import os
from pathlib import Path

import pytest

from connectors.county_ceremony import register
from connectors.county_edges import edge_folder, prepared_years, providers_of, years_of
from connectors.errors import WorkspaceError
from connectors.installing import Given, install
from connectors.keystore import write_key
from connectors.synthetic.county import make_county
from connectors.synthetic.people import Span
from connectors.workspace import open_workspace, write_json
from linkage.schema import current_schema
from linkage.sealing import generate_recipient_key

AGREEMENTS = Path("policies/agreements")
SAME = ("provider", "kind", "school_year", "records", "facts", "findings")


@pytest.fixture
def folder(tmp_path):
    """A made-up county of two years whose providers' workspaces are complete."""
    home = tmp_path / "county"
    make_county(home, people=150, seed=3, span=Span(2025, 2026))
    register(home, epoch=1)
    hub_keys, secret = tmp_path / "hub.json", tmp_path / "linkage.secret"
    keys = {name: generate_recipient_key().public() for name in ("matcher_public_key", "resolver_public_key")}
    write_json(hub_keys, keys | {"schema_hash": current_schema().hash, "epoch": 1})
    write_key(secret, os.urandom(32))
    for provider in providers_of(home):
        workspace = open_workspace(edge_folder(home, provider))
        install(workspace, Given(hub_keys, AGREEMENTS, secret=secret))
    return home


def told(years):
    """What is in each submission, without what is drawn anew every time."""
    found = []
    for year in years:
        for prepared, files in year.submissions:
            manifest = json.loads((prepared / "manifest.json").read_text("utf-8"))
            same = {name: manifest[name] for name in SAME}
            sizes = [chunk["count"] for chunk in manifest["chunks"]]
            found.append((year.provider, files, same, sizes, dict(year.outcome.rows), dict(year.outcome.findings)))
    return found


def test_two_processes_prepare_what_one_prepares(folder):
    alone = told(prepared_years(folder, AGREEMENTS))
    together = told(prepared_years(folder, AGREEMENTS, bytes_for_workers=0))

    assert together == alone
    assert {provider for provider, *_ in alone} == set(providers_of(folder))
    assert len(alone) >= len(years_of(folder))


def test_an_error_in_another_process_is_the_same_error(folder):
    (edge_folder(folder, "novato") / "edge.yaml").unlink()

    with pytest.raises(WorkspaceError, match="EDGE-001"):
        list(prepared_years(folder, AGREEMENTS, bytes_for_workers=0))
