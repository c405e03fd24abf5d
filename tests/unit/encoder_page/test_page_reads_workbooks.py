"""The page reads the first worksheet of a workbook as the program does: the same lines, or the same refusal."""

import base64
import datetime as dt
import io
import json
import zipfile

import openpyxl
import pytest

from connectors.errors import FileRefusedError
from connectors.grids import grid_of_bytes
from tests.unit.encoder_page.page_runner import needs_node, run_page

pytestmark = [pytest.mark.doors, needs_node]
SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ONE_CELL = '<row r="1"><c r="A1">{}</c></row>'
TITLES = ["Child No", "First", "Last", "DOB", "Days", "Note"]


def made(*rows, formats=None, change=None):
    """A workbook as openpyxl writes it."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cell, shape in (formats or {}).items():
        book.active[cell].number_format = shape
    if change is not None:
        change(book)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def with_parts(content, parts, *, without=()):
    """The same workbook with some members written otherwise."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts and name not in without:
                new.writestr(name, old.read(name))
        for name, text in parts.items():
            new.writestr(name, text)
    return kept.getvalue()


def at(*moment):
    """A moment of a day; a workbook knows no zones."""
    return dt.datetime(2021, 2, 3, *moment, tzinfo=dt.UTC).replace(tzinfo=None)


def sheet_of(inner):
    """A sheet written by hand."""
    return f'<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>{inner}</sheetData></worksheet>'


def stored(content):
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return kept.getvalue()


def two_sheets(book):
    book.create_sheet("Other", 0).append(["of the first sheet"])


def late_epoch(book):
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904


GOOD = made(
    TITLES, [1, "Quzam", "Xelor", dt.date(2021, 2, 3), 171.5, None], [2, "Zoë", "O'Zumi", dt.date(2021, 3, 4), 170, "x"]
)
with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
    CHECKSUM = archive.getinfo(SHEET).CRC.to_bytes(4, "little")
FILES = {
    "as Excel gives a roster": GOOD,
    "packed without being made smaller": stored(GOOD),
    "gaps, blank rows and wide rows": made(TITLES, [], [None, None, "Xelor"], [], [*"abcdefgh"]),
    "white space, signs of XML and accents": made(
        ["  Child No\u00a0", "A & B <c> \"d\" 'e'"], ["\n1\t", "Iqра & Ñuzé 李"]
    ),
    "numbers": made(
        *[
            [value]
            for value in (
                0,
                7,
                -3,
                1.0,
                1.5,
                0.1,
                1e-7,
                12345678901234567890,
                1.5e300,
                9490.0,
                3.00001,
                1e15,
                123456789.123,
            )
        ]
    ),
    "yes and no, and an error": made([True, False, "#N/A", "=1"][:3]),
    "days and moments": made(
        *[
            [value]
            for value in (
                dt.date(2021, 2, 3),
                at(14, 30),
                at(14, 30, 5, 250000),
                dt.time(9, 5),
                dt.date(1900, 1, 15),
                dt.date(1899, 12, 30),
                dt.date(2100, 12, 31),
            )
        ]
    ),
    "numbers under formats of dates": made(
        *[[44230.0] for _ in range(9)],
        formats={
            "A1": "m/d/yyyy",
            "A2": "[$-409]d-mmm-yy;@",
            "A3": "yyyy\\-mm\\-dd",
            "A4": "0.00",
            "A5": '"day" 0',
            "A6": "[Red]0",
            "A7": "h:mm",
            "A8": "mm-dd-yy",
            "A9": "@",
        },
    ),
    "days counted from 1904": made(TITLES, [1, "a", "b", dt.date(2021, 2, 3)], change=late_epoch),
    "the first of two sheets": made(TITLES, change=two_sheets),
    "text in the cells, and runs": with_parts(
        GOOD,
        {
            SHEET: sheet_of(
                '<row r="1"><c r="A1" t="inlineStr"><is><t>Child </t><r><t>No</t></r><rPh sb="0" eb="1">'
                "<t>no</t></rPh></is></c>"
                '<c r="C1" t="str"><f>A1</f><v>First</v></c></row><row r="3">'
                '<c t="str"><v> 1 </v></c><c t="str"><v>a</v></c>'
                '<c t="d"><v>2021-02-03T00:00:00</v></c></row><row><c r="B4"><v>2</v></c></row>'
            )
        },
    ),
    "names of parts with a prefix": with_parts(
        GOOD,
        {
            SHEET: (
                f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="1"><x:c r="A1"><x:v>5</x:v></x:c></x:row>'
                "</x:sheetData></x:worksheet>"
            )
        },
    ),
    "a formula with its value": with_parts(GOOD, {SHEET: sheet_of(ONE_CELL.format("<f>1+1</f><v>2</v>"))}),
    "a formula without its value": made(TITLES, ["=1+1"]),
    "a shared formula without its value": with_parts(
        GOOD, {SHEET: sheet_of('<row r="1"><c r="A1"><f t="shared" si="0"/></c></row>')}
    ),
    "macros": with_parts(GOOD, {"xl/vbaProject.bin": b"made up"}),
    "no worksheet": with_parts(GOOD, {}, without=[SHEET]),
    "nothing in it": made(),
    "cut short": GOOD[: len(GOOD) // 2],
    "another checksum": GOOD.replace(CHECKSUM, bytes([CHECKSUM[0] ^ 1]) + CHECKSUM[1:]),
    "swollen": with_parts(GOOD, {SHEET: sheet_of(" " * (40 * 1024 * 1024))}),
    "a number that is none": with_parts(GOOD, {SHEET: sheet_of(ONE_CELL.format("<v>1x</v>"))}),
    "encrypted": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000),
}
REFUSED = {
    "a formula without its value": "FIL-022",
    "a shared formula without its value": "FIL-022",
    "macros": "FIL-021",
    "no worksheet": "FIL-013",
    "nothing in it": "FIL-001",
    "cut short": "FIL-013",
    "another checksum": "FIL-013",
    "swollen": "FIL-013",
    "a number that is none": "FIL-013",
    "encrypted": "FIL-012",
}


def read_by_program(content):
    """Lines of cells, or the code of the refusal."""
    try:
        return [[line.number, list(line.cells)] for line in grid_of_bytes(content, "made.xlsx").lines]
    except FileRefusedError as refusal:
        return refusal.code


@pytest.fixture(scope="module")
def of_page():
    contents = [base64.b64encode(content).decode() for content in FILES.values()]
    return dict(zip(FILES, run_page("reading.js", "linesOfAll", contents), strict=True))


@pytest.mark.parametrize("name", FILES)
def test_a_workbook_is_read_alike(of_page, name):
    told = json.loads(json.dumps(read_by_program(FILES[name])))

    assert of_page[name] == told
    assert told == REFUSED[name] if name in REFUSED else isinstance(told, list)
