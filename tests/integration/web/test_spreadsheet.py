"""A spreadsheet opens the downloads with the numbers and words of the answer, blanks where a number is hidden."""

import csv
import io
import shutil
import subprocess

import openpyxl
import pytest

from hub.release.slices import HIDDEN_REASON

pytestmark = pytest.mark.slow
QUESTION = {"indicator": "third-grade-reading", "by": "race"}
NUMBERS = ("known", "k", "rate", "rate_low", "rate_high")
EVERY_SHEET = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"


@pytest.fixture(scope="module")
def calc(tmp_path_factory):
    """Opens a file in LibreOffice Calc without a screen: the rows that it shows, by sheet."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("needs LibreOffice Calc")
    profile = tmp_path_factory.mktemp("profile")

    def opened(path):
        subprocess.run(
            [program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", EVERY_SHEET,
             "--outdir", path.parent / "out", path],
            check=True, capture_output=True, timeout=240,
        )  # fmt: skip
        found = sorted((path.parent / "out").glob(f"{path.stem}*.csv"))
        return {one.stem.removeprefix(f"{path.stem}-"): list(csv.reader(io.StringIO(one.read_text()))) for one in found}

    return opened


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_calc_shows_the_rows_of_the_answer(calc, public, tmp_path, form):
    told = public.get("/v1/observations", params=QUESTION).json()["rows"]
    path = tmp_path / f"rows.{form}"
    path.write_bytes(public.get("/v1/observations", params={**QUESTION, "format": form}).content)

    sheets = calc(path)

    titles, *rows = next(rows for name, rows in sheets.items() if name in ("Data", "rows"))
    shown = [dict(zip(titles, row, strict=True)) for row in rows]
    assert [[row[name] for name in NUMBERS] for row in shown] == [
        ["" if row[name] is None else str(row[name]) for name in NUMBERS] for row in told
    ]
    assert [row["status_reason"] for row in shown] == [row["status_reason"] for row in told]
    hidden = [row for row in shown if row["status"] == "C"]
    assert hidden
    assert {row["status_reason"] for row in hidden} == {HIDDEN_REASON}


def test_a_sum_leaves_hidden_numbers_out(calc, public, tmp_path):
    told = public.get("/v1/observations", params=QUESTION).json()["rows"]
    content = public.get("/v1/observations", params={**QUESTION, "format": "xlsx"}).content
    book = openpyxl.load_workbook(io.BytesIO(content))
    data = book["Data"]
    column = next(cell.column_letter for cell in data[1] if cell.value == "known")
    sums = book.create_sheet("Sums")
    sums["A1"], sums["A2"] = f"=SUM(Data!{column}2:{column}99)", f"=COUNT(Data!{column}2:{column}99)"
    path = tmp_path / "sums.xlsx"
    book.save(path)

    sheets = calc(path)

    known = [row["known"] for row in told if row["known"] is not None]
    assert [row[0] for row in sheets["Sums"]] == [str(sum(known)), str(len(known))]
    assert len(known) < len(told)
