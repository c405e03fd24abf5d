"""A sample of every layout: made from the layout, kept beside the manual, recognised by name and read whole."""

import datetime as dt
import io
import zipfile
from pathlib import Path

import pytest

from connectors.batches import read_reports
from connectors.layout_files import layouts
from connectors.reading import read_file
from connectors.samples import SETS, file_name, sample, sample_sets, write_samples
from connectors.source_map import EMPTY
from policies.rules.rulebook import rejects_row

LATEST = dt.date(2026, 6, 30)
KEPT = Path("docs/sources/samples")
FACTLESS = {"calpads-report-cohort", "wage-records"}
SET_LAYOUTS = {
    "oneroster-1.1": ["oneroster"],
    "oneroster-1.2": ["oneroster"],
    "school-data-sync-2.1": ["school-data-sync"],
    "edfi-api": ["edfi-enrollment", "edfi-assessments", "edfi-attendance"],
    "edfi-xml": ["edfi-enrollment"],
}


def reports(path):
    return read_reports([path], source_map=EMPTY, school_year=None, latest=LATEST)


@pytest.mark.parametrize("layout", sorted(set(layouts()) - SETS))
def test_the_sample_of_a_layout_is_recognised_and_every_row_accepted(layout):
    read = read_file(KEPT / file_name(layouts()[layout]), latest=LATEST)

    assert (read.layout, read.rows, read.accepted) == (layout, 8, 8)
    assert read.said.startswith(layouts()[layout].name)
    assert not any(rejects_row(code) for code in read.findings.by_code())
    assert any(reading.facts for _, reading in read.readings) or layout in FACTLESS


@pytest.mark.parametrize("name", SET_LAYOUTS)
def test_a_sample_set_is_composed_and_every_row_accepted(name):
    read = [report.reading for report in reports(KEPT / name)]

    assert [one.layout for one in read] == SET_LAYOUTS[name]
    assert [(one.rows, one.accepted) for one in read] == [(8, 8)] * len(read)
    assert all(reading.facts for one in read for _, reading in one.readings)


@pytest.mark.parametrize("name", SET_LAYOUTS)
def test_a_set_in_an_archive_is_the_set(name, tmp_path):
    archive = tmp_path / f"{name}.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for member, text in sample_sets()[name].items():
            packed.writestr(f"export/{member}", text)
        packed.writestr("__MACOSX/._users.csv", "x")

    of_archive, of_folder = reports(archive), reports(KEPT / name)

    assert [one.reading.layout for one in of_archive] == [one.reading.layout for one in of_folder]
    facts = [[reading.facts for _, reading in one.reading.readings] for one in of_archive]
    assert facts == [[reading.facts for _, reading in one.reading.readings] for one in of_folder]


def test_an_archive_of_one_file_is_that_file(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("senr.txt", sample(layouts()["calpads-senr"]))
    (tmp_path / "senr.zip").write_bytes(packed.getvalue())

    read = read_file(tmp_path / "senr.zip", latest=LATEST)

    assert (read.layout, read.accepted) == ("calpads-senr", 8)


def test_the_samples_beside_the_manual_are_the_ones_the_program_makes(tmp_path):
    write_samples(tmp_path)

    made = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    kept = {str(path.relative_to(KEPT)): path.read_bytes() for path in KEPT.rglob("[!.]*") if path.is_file()}
    assert kept == made


def test_every_layout_has_a_sample():
    composed = {layout for of_set in SET_LAYOUTS.values() for layout in of_set}

    assert composed == SETS
    assert set(SET_LAYOUTS) == set(sample_sets())
