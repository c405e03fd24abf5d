"""Files that a steward writes or is given: each mistake in them is told by its place."""

import json

import pytest

from connectors.errors import MappingError, WorkspaceError
from connectors.source_map import read_source_map
from connectors.workspace import make_workspace, open_workspace, read_agreements, read_hub_keys

ENTRY = "files: [{{pattern: '*', {0}}}]"


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("files: [}", "MAP-001", "line 1"),
        ("files: [{kind: college}]", "MAP-001", "files.0.pattern"),
        (ENTRY.format("delimiter: ';;'"), "MAP-001", "files.0.delimiter"),
        (ENTRY.format("layout: unheard-of"), "MAP-002", "calpads-senr"),
        (ENTRY.format("kind: kindergarten"), "MAP-003", "preschool"),
        (ENTRY.format("kind: college, table: marks"), "MAP-003", "award"),
        (ENTRY.format("kind: college, table: award, titles: {A: grade}"), "MAP-003", "award_level"),
        (ENTRY.format("kind: college, table: award, titles: {A: marks.grade}"), "MAP-003", "marks"),
        (ENTRY.format("kind: college, table: person, constants: {race: x}"), "MAP-003", "race"),
    ],
)
def test_a_sources_file_that_cannot_be_followed_is_told_by_place(text, code, told, tmp_path):
    (tmp_path / "sources.yaml").write_text(text)

    with pytest.raises(MappingError) as error:
        read_source_map(tmp_path / "sources.yaml")

    assert error.value.code == code
    assert told in str(error.value)


def test_no_sources_file_is_an_empty_map(tmp_path):
    assert read_source_map(tmp_path / "sources.yaml").files == ()


def test_scalars_are_taken_as_the_text_a_steward_wrote(tmp_path):
    codes = "missing: ['', 0], codes: {award_level: {01: associate, yes: bachelor}}"
    (tmp_path / "sources.yaml").write_text(ENTRY.format(f"kind: college, table: award, {codes}"))

    (entry,) = read_source_map(tmp_path / "sources.yaml").files

    assert entry.missing == ("", "0")
    assert entry.codes == {"award_level": {"01": "associate", "yes": "bachelor"}}


def test_the_first_entry_that_fits_is_followed_without_regard_to_case(tmp_path):
    (tmp_path / "sources.yaml").write_text(
        "files: [{pattern: 'A*.csv', layout: readiness}, {pattern: '*', layout: toms-scores}]"
    )

    found = read_source_map(tmp_path / "sources.yaml")

    assert [found.entry_for(name).layout for name in ("a1.CSV", "b.csv")] == ["readiness", "toms-scores"]


def test_a_workspace_opens_as_it_was_made(tmp_path):
    made = make_workspace(tmp_path / "edge", organisation="reed", hub="https://hub.test")

    opened = open_workspace(tmp_path / "edge")

    assert opened == made
    assert (opened.key_id, opened.organisation_kind) == ("reed:1", "elementary")


@pytest.mark.parametrize(
    "content", ["organisation: [", "organisation: reed", "organisation: Reed District\nhub: http://x"]
)
def test_settings_that_cannot_be_read_are_told(content, tmp_path):
    (tmp_path / "edge.yaml").write_text(content)

    with pytest.raises(WorkspaceError, match="EDGE-002"):
        open_workspace(tmp_path)


@pytest.mark.parametrize("content", [None, "{", "[]", json.dumps({"epoch": 1})])
def test_hub_keys_that_are_not_whole_are_told(content, tmp_path):
    if content is not None:
        (tmp_path / "hub.json").write_text(content)

    with pytest.raises(WorkspaceError, match="EDGE-004"):
        read_hub_keys(tmp_path / "hub.json")


def test_an_agreement_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "dsa.yaml").write_text("id: 1\n")

    with pytest.raises(WorkspaceError, match="EDGE-005"):
        read_agreements(tmp_path)
