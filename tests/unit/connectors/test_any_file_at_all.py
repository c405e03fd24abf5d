"""Any file at all is read with findings or refused by name: huge, packed, noise, spoiled. Never an exception."""

import datetime as dt
import io
import resource
import sys
import time
import zipfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3]))

from connectors.batches import read_reports
from connectors.bundles.archive import MEMBERS_MAX
from connectors.decoding import FILE_BYTES_MAX
from connectors.errors import FileRefusedError
from connectors.lines import KeptLines, Line
from connectors.opening import open_source
from connectors.reading import read_file
from connectors.source_map import EMPTY
from tests.bench import edge_fuzz
from tests.spec.connectors import source_files as made

LATEST = dt.date(2026, 6, 30)
GIGABYTE = 1024 * 1024 * 1024


def test_three_thousand_spoiled_files_are_read_or_refused_and_tell_nothing(tmp_path):
    bases = edge_fuzz._bases()

    outcomes = [edge_fuzz.one(seed, bases, tmp_path) for seed in range(10_000_000, 10_003_000)]

    assert [outcome for outcome in outcomes if outcome.startswith("BROKEN")] == []
    assert sum(outcome.startswith("read") for outcome in outcomes) > 1000


def sparse(path, begin, size):
    with path.open("wb") as stream:
        stream.write(begin)
        stream.truncate(size)
    return path


HUGE = {
    "a line of a gigabyte": (b"a" * (3 * 1024 * 1024), GIGABYTE, "FIL-006"),
    "a gigabyte of nothing": (b"", GIGABYTE, "FIL-003"),
    "over the limit": (b"x,y\n", FILE_BYTES_MAX + 1, "FIL-008"),
}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_file_is_refused_before_it_is_read(name, tmp_path):
    begin, size, code = HUGE[name]
    path = sparse(tmp_path / "huge.csv", begin, size)
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()

    with pytest.raises(FileRefusedError, match=code):
        open_source(path)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
    assert time.process_time() - begun < 1


def packed(*members, method=zipfile.ZIP_DEFLATED):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return written.getvalue()


BOMBS = {
    "a bomb": (packed(("users.csv", b"a," * 20_000_000)), "FIL-013"),
    "a bomb in a bomb": (packed(("a.zip", packed(("b.csv", b"x")))), "FIL-012"),
    "a workbook in an archive": (packed(("a.csv", b"PK\x03\x04"), ("b.csv", b"x")), "FIL-018"),
    "more files than a set has": (packed(*((f"{n}.csv", b"x") for n in range(MEMBERS_MAX + 1))), "FIL-012"),
    "one file that is empty": (packed(("a.csv", b"")), "FIL-001"),
    "a path that climbs": (packed(("../../users.csv", b"sourcedId\r\n1")), "FIL-004"),
    "a method nobody has": (packed(("users.csv", b"sourcedId")).replace(b"\x08\x00", b"\x63\x00"), "FIL-013"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_an_archive_of_anything_is_refused_by_name(name, tmp_path):
    content, code = BOMBS[name]
    (tmp_path / "x.zip").write_bytes(content)
    before = {path.name for path in tmp_path.parent.rglob("*")}

    reports = read_reports([tmp_path / "x.zip"], source_map=EMPTY, school_year=None, latest=LATEST)

    told = [report.refusal.code for report in reports]
    assert told == [code]
    assert {path.name for path in tmp_path.parent.rglob("*")} == before


def test_a_folder_of_too_many_files_or_of_too_much_is_refused(tmp_path):
    many = tmp_path / "many"
    many.mkdir()
    for number in range(MEMBERS_MAX + 1):
        (many / f"{number}.csv").touch()
    big = tmp_path / "big"
    big.mkdir()
    for number in range(2):
        sparse(big / f"{number}.csv", b"", GIGABYTE)

    for folder, code in ((many, "FIL-018"), (big, "FIL-008")):
        with pytest.raises(FileRefusedError, match=code):
            open_source(folder)


def test_a_record_that_holds_the_joining_sign_is_kept_as_it_is():
    kept = KeptLines.of([(1, ["a", "b"]), (2, ["a\x1fb"]), (3, [])])

    assert list(kept) == [Line(1, ["a", "b"]), Line(2, ["a\x1fb"]), Line(3, [])]
    assert kept[1:][0] == Line(2, ["a\x1fb"])
    assert repr(kept) == "KeptLines(3)"


def test_rows_of_a_mixed_file_are_all_accounted_for(tmp_path):
    rows = [made.senr(f9=f"L{n}") for n in range(30)]
    mixed = "\r\n".join(rows[:10]) + "\n" + "\r".join(rows[10:20]) + "\n\n" + "\n".join(rows[20:])

    (tmp_path / "senr.txt").write_text(mixed, newline="")
    read = read_file(tmp_path / "senr.txt", latest=LATEST)

    assert (read.rows, read.accepted, read.rejected) == (30, 30, 0)
