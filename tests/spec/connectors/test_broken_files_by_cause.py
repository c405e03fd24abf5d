"""A broken file is told by few causes: most messages fall under the first five."""

import datetime as dt
import random

import pytest

from connectors.batches import read_reports
from connectors.layout_files import layouts
from connectors.reading import read_file
from connectors.reports import TOP_CAUSES, top_causes
from connectors.samples import SETS, sample
from connectors.source_map import EMPTY
from tests.spec.connectors import source_files as made

LATEST = dt.date(2026, 6, 30)


def read(folder, content, name="file.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_file(path, latest=LATEST)


BROKEN = (
    "calpads-senr", "calpads-sinf", "calpads-stas", "toms-scores", "cdd-801a", "drdp-export", "programme-roster",
    "studenttracker-detail",
)  # fmt: skip
BREAKS = (
    "dates dragged",
    "dates of 1899",
    "zeros lost",
    "column left blank",
    "column of words",
    "one row shifted",
    "all at once",
)


@pytest.mark.parametrize("how", BREAKS)
@pytest.mark.parametrize("layout", BROKEN)
def test_nine_tenths_of_the_messages_of_a_broken_file_fall_under_its_five_top_causes(layout, how, tmp_path):
    text = broken(sample(layouts()[layout], rows=400), how, random.Random(f"{layout} {how}"), layouts()[layout])
    (tmp_path / "file.csv").write_text(text, newline="")

    (report,) = read_reports([tmp_path / "file.csv"], source_map=EMPTY, school_year=None, latest=LATEST)

    messages, explained = top_causes(report)
    assert messages == 0 or explained >= 0.9 * messages, f"{explained} of {messages} under {TOP_CAUSES}"


def broken(text, how, chance, layout):
    """The file as a spreadsheet or an export gone wrong would leave it."""
    delimiter = layout.delimiters[0]
    rows = [line.split(delimiter) for line in text.splitlines()]
    first = 1 if layout.header else 0
    dates = [
        place
        for place, cell in enumerate(rows[first])
        if cell[:2] in ("20", "19") and cell.count("-") in (0, 2) and len(cell) in (8, 10)
    ]
    filled = [place for place, cell in enumerate(rows[first]) if cell]
    one = chance.choice(filled[1:])
    for number, row in enumerate(rows[first:]):
        if how in ("dates dragged", "all at once") and dates and number % 3 == 0:
            row[dates[0]] = "20991231"
        if how in ("dates of 1899", "all at once") and dates and number % 4 == 0:
            row[dates[-1]] = "12/30/1899"
        if how in ("zeros lost", "all at once"):
            row[:] = [cell.lstrip("0") if cell.isdigit() and len(cell) < 4 else cell for cell in row]
        if how == "column left blank":
            row[one] = ""
        if how == "column of words":
            row[one] = "n/a"
        if how in ("one row shifted", "all at once") and number % 9 == 0:
            row[:] = [row[0], *row[-1:], *row[1:-1]]
    return "\r\n".join(delimiter.join(row) for row in rows) + "\r\n"


def test_a_shifted_row_is_one_message_and_not_one_for_each_cell(tmp_path):
    rows = [made.senr(f9=f"L{n}") for n in range(20)]
    cells = made.senr().split("^")
    rows.append("^".join(["SENR", "x", *cells[1:-1]]))

    found = read(tmp_path, made.lines(*rows), "senr.txt")

    assert [(one.code, one.row) for one in found.findings] == [("ROW-008", 21)]
    assert (found.accepted, found.rejected) == (20, 1)


def test_every_layout_that_is_no_set_can_be_broken_and_told(tmp_path):
    for layout in set(layouts()) - SETS:
        text = sample(layouts()[layout]).replace("2025", "1899").replace("2015", "never")
        (tmp_path / f"{layout}.csv").write_text(text, newline="")
        (report,) = read_reports([tmp_path / f"{layout}.csv"], source_map=EMPTY, school_year=None, latest=LATEST)
        assert report.rows == report.rejected + (report.rows - report.rejected)
