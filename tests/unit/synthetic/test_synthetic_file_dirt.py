"""What is wrong with whole files of the county, and what the edge says to each."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from connectors.errors import FileRefusedError
from connectors.reading import read_file
from connectors.synthetic.dirt import all_repeats, repeated, told_dirt
from connectors.synthetic.file_dirt import FEW, FILE_CHANGES, all_file_dirt, all_strays, kept_files, spoil_file
from connectors.synthetic.forms import FileLines, forms, one_file
from connectors.synthetic.organisations import Organisation
from connectors.synthetic.people import Span
from connectors.synthetic.world import make_world
from tests.spec.connectors import source_files as made

LATEST = dt.date(2026, 6, 30)
FILES = 4_000


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    world = make_world(300, seed=1, span=Span(2025, 2026))
    return next(one for one in world.county.organisations if one.encoding == "utf-8" and not one.spreadsheet)


def readiness_lines(count: int) -> list[str]:
    return [f"L{n},Qzaxi,Veltor,03/0{n % 9 + 1}/2019,KSEP,1,09/01/2025,4{n % 9},Ready" for n in range(count)]


def read(folder: Path, name: str, content: bytes):
    path = folder / name
    path.write_bytes(content)
    return read_file(path, latest=LATEST, school_year=2026)


@pytest.mark.parametrize("form", sorted({one.form for one in all_file_dirt()}))
def test_files_are_spoiled_at_their_rates(form: str, organisation: Organisation) -> None:
    own = [one for one in all_file_dirt() if one.form == form]
    strays = [one for one in all_strays() if one.form == form]
    lines = ["^".join("abcde")] * 9
    rng = np.random.default_rng(5)
    whole = kept_files(forms()[form], lines, organisation=organisation, rng=np.random.default_rng(1))[0]
    clean = Counter[bool]()
    beside = 0
    for _ in range(FILES):
        found = kept_files(forms()[form], lines, organisation=organisation, rng=rng)
        clean[found[0].content == whole.content] += 1
        beside += any(one.name.endswith(("_new.txt", "_new.csv")) for one in found)

    assert clean[False] / FILES == pytest.approx(sum(one.rate for one in own), abs=0.02)
    assert beside / FILES == pytest.approx(sum(one.rate for one in strays), abs=0.012)


@pytest.mark.parametrize(
    "change", ["spaced_titles", "capital_titles", "snake_titles", "empty_titles_behind", "columns_turned",
               "column_inserted", "byte_order_mark", "blank_lines", "line_feeds"]
)  # fmt: skip
def test_the_edge_reads_a_titled_file_with_any_fault_of_its_titles(
    change: str, organisation: Organisation, tmp_path: Path
) -> None:
    form = forms()["KSEP"]
    file = kept_files(form, readiness_lines(8), organisation=organisation, rng=np.random.default_rng(1))[0]
    plain = read(tmp_path, "plain.csv", file.content)

    changed = read(tmp_path, "changed.csv", spoil_file(file, change, titled=True)[0].content)

    assert spoil_file(file, change, titled=True)[0].content != file.content or change == "byte_order_mark"
    assert (changed.layout, changed.rows, changed.accepted) == (plain.layout, 8, 8)
    assert [row.local_id for _, row in changed.readings] == [row.local_id for _, row in plain.readings]


@pytest.mark.parametrize("change", ["quoted_cells", "commas", "line_feeds", "blank_lines", "byte_order_mark"])
def test_the_edge_reads_a_state_file_with_any_fault_of_its_cells_and_lines(
    change: str, organisation: Organisation, tmp_path: Path
) -> None:
    lines = [made.senr(f9=f"L{number}", f8=f"{1_000_000_000 + number}") for number in range(10, 18)]
    file = kept_files(forms()["SENR"], lines, organisation=organisation, rng=np.random.default_rng(1))[0]

    changed = read(tmp_path, "senr.txt", spoil_file(file, change, titled=False)[0].content)

    assert (changed.layout, changed.rows, changed.accepted) == ("calpads-senr", 8, 8)


def test_a_line_cut_short_is_rejected_and_the_rest_is_kept(organisation: Organisation, tmp_path: Path) -> None:
    lines = [made.senr(f9=f"L{number}", f8=f"{1_000_000_000 + number}") for number in range(10, 18)]
    file = kept_files(forms()["SENR"], lines, organisation=organisation, rng=np.random.default_rng(1))[0]

    changed = read(tmp_path, "senr.txt", spoil_file(file, "last_line_cut", titled=False)[0].content)

    assert (changed.rows, changed.accepted, changed.rejected) == (8, 7, 1)
    assert changed.findings.by_code() == {"ROW-001": 1}


def test_rows_exported_later_lie_in_a_file_of_their_own(organisation: Organisation) -> None:
    file = kept_files(forms()["KSEP"], readiness_lines(8), organisation=organisation, rng=np.random.default_rng(1))[0]

    first, late = spoil_file(file, "last_rows_apart", titled=True)

    assert late.name == "KSEP_{year}_late.csv"
    assert late.lines == (file.lines[0], *file.lines[-FEW:])
    assert first.lines + late.lines[1:] == file.lines
    assert spoil_file(late, "last_rows_apart", titled=True) == [late]


def test_useless_files_are_refused_by_name(organisation: Organisation, tmp_path: Path) -> None:
    codes = {}
    for stray in all_strays():
        rng = np.random.default_rng(2)
        found = [
            kept
            for _ in range(400)
            for kept in kept_files(forms()[stray.form], readiness_lines(8), organisation=organisation, rng=rng)
            if "_new" in kept.name
        ]
        with pytest.raises(FileRefusedError) as refusal:
            read(tmp_path, "new.csv", found[0].content)
        codes[stray.content] = refusal.value.code

    assert codes == {"nothing": "FIL-001", "titles": "FIL-002"}


def test_a_row_that_stands_twice_differs_in_one_cell_and_the_true_one_is_last() -> None:
    width = forms()["CDD801A"].titles.count(",") + 1
    place = next(one for one in all_repeats() if one.form == "CDD801A" and one.change == "next_day").place
    cells = ["x"] * width
    cells[place] = "05/28/2019"
    before = one_file("CDD801A", [",".join(cells)] * 20_000, year=2026, organisation=3)

    after = repeated(before, np.random.default_rng(3))

    more = len(after.lines) - 20_000
    assert more / 20_000 == pytest.approx(0.003, abs=0.001)
    assert len(after.year) == len(after.organisation) == len(after.lines)
    assert after.lines[-1] == before.lines[-1]
    assert {line.split(",")[place] for line in after.lines} == {"05/28/2019", "05/27/2019"}


def test_files_without_repeats_stay() -> None:
    before = FileLines("SENR", np.array([2026]), np.array([1]), ["a"])

    assert repeated(before, np.random.default_rng(3)) is before


def test_every_fault_of_files_says_on_what_it_rests() -> None:
    assert set(told_dirt()) == {"version", "dirt", "repeats", "files", "strays"}
    assert {one.change for one in all_file_dirt()} <= {*FILE_CHANGES, "last_rows_apart"}
    assert all(one.basis and 0 < one.rate < 1 for one in (*all_file_dirt(), *all_strays(), *all_repeats()))
