"""Every kind of source, from sample to sealed submission under its own agreement; nothing clear is written."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.cli import app
from connectors.keystore import write_key
from linkage.schema import current_schema
from linkage.sealing import generate_recipient_key

SAMPLES = Path("docs/sources/samples")
WORDS = ("qzaxiwol", "zzyqlmor", "vrixquen", "vwolkatrix", "xuqqobren", "zhaqwemil", "1000000001", "2015-03-02")
ROADS = {
    "a district's OneRoster set with scores and reports": (
        "novato",
        ("oneroster-1.2", "cers-export.csv", "calpads-report-absences.csv", "elpac-scores.txt"),
        {"k12": {"enrollment": 8, "demographics": 8, "assessment": 5, "attendance": 8}},
    ),
    "a district's Ed-Fi store": (
        "reed",
        ("edfi-api",),
        {"k12": {"enrollment": 8, "demographics": 8, "assessment": 8, "attendance": 8}},
    ),
    "School Data Sync with readiness scores": (
        "kentfield",
        ("school-data-sync-2.1", "gold-export.csv"),
        {"k12": {"enrollment": 8, "demographics": 8, "readiness": 8}},
    ),
    "a preschool's Head Start roster and DRDP export": (
        "community-action-marin",
        ("head-start-roster.csv", "drdp-export.csv"),
        {"preschool": {"preschool": 16, "demographics": 16, "attendance": 8}},
    ),
    "a college's three tables": (
        "college-of-marin",
        ("college-people.csv", "college-enrollment.csv", "college-awards.csv"),
        {"college": {"demographics": 8, "college_enrollment": 8, "award": 8}},
    ),
    "a partner's programme roster": (
        "canal-alliance",
        ("programme-roster.csv",),
        {"programme": {"programme": 8, "demographics": 8}},
    ),
    "a district's graduates and their report": (
        "tamalpais-high",
        ("clearinghouse-request-map.csv", "studenttracker-detail.csv"),
        {"clearinghouse": {"college_search": 8, "college_enrollment": 8}},
    ),
    "the wage authority's aggregate beside records": (
        "wage-authority",
        ("employment-aggregate.csv", "wage-records.csv"),
        {"employment": {"employment_aggregate": 8}},
    ),
}


@pytest.fixture
def parts(tmp_path):
    keys = {name: generate_recipient_key().public() for name in ("matcher_public_key", "resolver_public_key")}
    (tmp_path / "hub.json").write_text(json.dumps(keys | {"schema_hash": current_schema().hash, "epoch": 1}))
    write_key(tmp_path / "linkage.secret", bytes(32))
    return tmp_path


@pytest.mark.parametrize("name", ROADS)
def test_a_source_is_prepared_under_its_own_agreement(name, parts):
    organisation, samples, expected = ROADS[name]
    edge = parts / "edge"
    CliRunner().invoke(
        app,
        ["setup", str(edge), "--organisation", organisation, "--hub", "http://127.0.0.1:9", "--hub-keys",
         str(parts / "hub.json"), "--agreements", "policies/agreements", "--secret", str(parts / "linkage.secret")],
    )  # fmt: skip
    for one in samples:
        target = edge / "inbox" / "2026" / one
        target.parent.mkdir(exist_ok=True)
        (shutil.copytree if (SAMPLES / one).is_dir() else shutil.copyfile)(SAMPLES / one, target)

    done = CliRunner().invoke(app, ["prepare", str(edge)])

    assert done.exit_code == 0, done.output + repr(done.exception)
    manifests = [json.loads(path.read_text()) for path in (edge / "outbox").glob("*/manifest.json")]
    assert {one["kind"]: one["facts"] for one in manifests} == expected
    written = b"".join(path.read_bytes() for path in (edge / "outbox").rglob("*") if path.is_file()).lower()
    assert not any(word.encode() in written for word in WORDS)
    assert not any(word in done.output.lower() for word in WORDS)
