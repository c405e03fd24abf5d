"""Workbooks: the first worksheet is read like text; broken, packed and swollen ones are refused."""

import datetime as dt
import io
import zipfile

import openpyxl
import pytest

from connectors.errors import FileRefusedError
from connectors.grids import read_grid
from connectors.reading import read_file
from tests.spec.connectors import source_files as made

LATEST = dt.date(2026, 6, 30)


def workbook(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_a_workbook_is_read_with_its_dates_and_numbers(tmp_path):
    titles = made.KSEP_TITLES.split(",")
    row = [
        "L1",
        made.SURNAME,
        made.GIVEN,
        dt.date(2020, 3, 4),
        "KSEP",
        2018,
        dt.datetime(2025, 8, 25, tzinfo=dt.UTC).replace(tzinfo=None),
        51.0,
        "Ready to Go",
    ]

    read = read_file(workbook(tmp_path / "ksep.xlsx", [titles, row, []]), latest=LATEST)

    assert (read.said, read.rows, read.rejected) == ("Kindergarten readiness file, 9 columns", 1, 0)
    assert dict(read.readings[0][1].facts[0][1]) == {
        "instrument": "KSEP",
        "instrument_version": "2018",
        "assessed_on": "2025-08-25",
        "total_score": 51,
        "band": "Ready to Go",
    }


def test_an_input_file_saved_as_a_workbook_with_a_row_of_names_is_read(tmp_path):
    names = ["Record Type Code", *("x" * (place % 5 + 1) for place in range(39))]
    rows = [names, *(made.senr(f9=f"L{n}").split("^") for n in range(6))]

    read = read_file(workbook(tmp_path / "senr.xlsx", rows), latest=LATEST)

    assert (read.layout, read.rows, read.rejected) == ("calpads-senr", 6, 0)


def test_an_empty_workbook_is_refused(tmp_path):
    with pytest.raises(FileRefusedError, match="FIL-001"):
        read_file(workbook(tmp_path / "empty.xlsx", []), latest=LATEST)


def archive(path, **parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return path


def test_another_archive_is_refused(tmp_path):
    with pytest.raises(FileRefusedError, match="FIL-018"):
        read_file(archive(tmp_path / "files.zip", users="x", others="y"), latest=LATEST)


def test_an_archive_of_folders_only_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "files.zip", "w") as packed:
        packed.mkdir("empty")

    with pytest.raises(FileRefusedError, match="FIL-012"):
        read_file(tmp_path / "files.zip", latest=LATEST)


def test_a_worksheet_with_one_cell_at_its_far_corner_is_refused_soon(tmp_path):
    far = openpyxl.Workbook()
    far.active["A1"] = "SSID"
    far.active["XFD1048576"] = "x"
    far.save(tmp_path / "far.xlsx")

    with pytest.raises(FileRefusedError, match="FIL-004"):
        read_file(tmp_path / "far.xlsx", latest=LATEST)


def test_a_workbook_without_its_parts_is_refused(tmp_path):
    with pytest.raises(FileRefusedError, match="FIL-013"):
        read_file(archive(tmp_path / "hollow.xlsx", xl__workbook_xml="<nothing/>"), latest=LATEST)


def test_a_workbook_that_would_fill_the_memory_is_refused_before_it_is_unpacked(tmp_path):
    swollen = tmp_path / "swollen.xlsx"
    with zipfile.ZipFile(swollen, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", "<x/>")
        with packed.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(4):
                sheet.write(bytes(1 << 24))

    with pytest.raises(FileRefusedError, match="FIL-013"):
        read_file(swollen, latest=LATEST)


@pytest.mark.parametrize("cut", [30, 200, 1000, -200, -30])
def test_a_workbook_cut_short_is_refused(cut, tmp_path):
    whole = io.BytesIO()
    workbook(whole, [made.KSEP_TITLES.split(","), made.KSEP_ROW.split(",")])
    (tmp_path / "cut.xlsx").write_bytes(whole.getvalue()[:cut])

    with pytest.raises(FileRefusedError):
        read_file(tmp_path / "cut.xlsx", latest=LATEST)


@pytest.mark.parametrize("at", range(0, 4000, 197))
def test_a_workbook_with_a_spoiled_byte_is_read_or_refused(at, tmp_path):
    whole = io.BytesIO()
    workbook(whole, [made.KSEP_TITLES.split(","), made.KSEP_ROW.split(",")])
    content = bytearray(whole.getvalue())
    content[at % len(content)] ^= 0xFF
    (tmp_path / "spoiled.xlsx").write_bytes(content)

    try:
        read_file(tmp_path / "spoiled.xlsx", latest=LATEST)
    except FileRefusedError as refusal:
        assert refusal.code.startswith("FIL-")


def test_a_long_workbook_is_read_to_its_end(tmp_path):
    rows = [["Child No", "Note"], *([n, "x"] for n in range(25_000))]

    assert len(read_grid(workbook(tmp_path / "long.xlsx", rows)).lines) == 25_001
