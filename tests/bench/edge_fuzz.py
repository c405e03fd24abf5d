"""Spoils every kind of source file in every way we know: each is read with findings or refused by name, no more.

`python tests/bench/edge_fuzz.py [--inputs N] [--from SEED] [--summary FILE]`. Each input is made from its own seed, so
that one that breaks can be made again. Held: no exception, rows in = accepted + rejected, no word of a record told.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import json
import os
import random
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import openpyxl

from connectors.batches import read_reports
from connectors.error_extract import extract
from connectors.joining import joined
from connectors.layout_files import layouts
from connectors.reports import as_json, as_lines
from connectors.samples import SETS, sample, sample_sets
from connectors.source_map import EMPTY
from policies.rules.rulebook import rulebook

INPUTS = 1_000_000
LATEST = dt.date(2026, 6, 30)
ROWS = 4
MARK = "zqxwolk"
"""Laid into cells at random; neither it nor a name of the samples may ever be told."""
WORDS = (MARK, "qzaxiwol", "zzyqlmor", "vrixquen", "vwolkatrix", "xuqqobren", "zhaqwemil", "hzelquot", "kvexatul")
_CELLS = (
    "", " ", MARK, f"={MARK}+1", f"@SUM({MARK})", "-1+1", "+44", "\t", '"', '"" ""', "'", "\x00", "\x1a", "\x07",
    "NULL", "N/A", "#REF!", "1899-12-30", "12/30/1899", "99-99-9999", "10-08-2020", "31/12/2015", "2015-02-30",
    "20150230", "1e5", "1E+09", "٣", "１２３４５６７８９０",
    "9" * 40, "-0", "0000000000", "1234567890", "ñ" * 5, "\U0001f600", "é",
    "true", "TRUE", "Y", "N", "1", "01", "501;700", "200,700",
    "a^b", "a,b", "a|b", "{SSID:" + MARK + "}", "x" * 5000,
)  # fmt: skip
_BYTES = (
    b"\x00", b"\xff", b"\xfe", b'"', b"^", b",", b"\t", b"\r", b"\n", b"\r\n", b"\n\n\n", b"\x1a", b"\xef\xbb\xbf",
    b"=",
    b"PK\x03\x04", b"<!DOCTYPE x>", b"<", b"</Student>", b"{", b"}]", b"[" * 50, b"&amp;&x;", b"\xc3", b"9" * 60,
    b"SENR^",
)  # fmt: skip
_ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1", "utf-32", "utf-16-le", "cp437")


def main() -> int:
    options = _options()
    bases = _bases()
    outcomes: Counter[str] = Counter()
    broken: list[str] = []
    begun, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        for seed in range(options.first, options.first + options.inputs):
            outcome = one(seed, bases, Path(folder))
            outcomes[outcome] += 1
            if outcome.startswith("BROKEN"):
                broken.append(f"seed {seed}: {outcome}")
    rows = _summary(options.inputs, outcomes, broken, time.process_time() - cpu)
    for row in rows:
        print(f"{row['name']:44} {row['value']:>12}  {'held' if row['held'] else 'NOT HELD'}")
    for outcome, count in outcomes.most_common():
        print(f"  {outcome:40} {count:>10,}")
    print("\n".join(broken[:20]))
    print(f"{time.perf_counter() - begun:.0f} s")
    if options.summary:
        options.summary.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0 if not broken else 1


def one(seed: int, bases: list[tuple[str, bytes]], folder: Path) -> str:
    """What became of the input of this seed: the layout it was read as, the code it was refused by, or BROKEN."""
    chance = random.Random(seed)
    name, content = spoiled(chance, bases)
    path = folder / name
    path.write_bytes(content)
    try:
        reports = read_reports([path], source_map=EMPTY, school_year=chance.choice((None, None, 2026)), latest=LATEST)
        if seed % 8 == 0:
            reports, _ = joined(reports)
        said = "\n".join([json.dumps(as_json(reports)), *as_lines(reports), *map(extract, reports), repr(reports)])
    except Exception:  # anything at all is what this looks for
        return f"BROKEN {traceback.format_exc(limit=-2)}"
    finally:
        path.unlink()
    return _judged(reports, said.casefold())


def _judged(reports: list, said: str) -> str:
    if any(word in said for word in WORDS):
        return "BROKEN a word of a record was told"
    for report in reports:
        reading = report.reading
        if reading is None and (report.refusal is None or report.refusal.code not in rulebook()):
            return "BROKEN neither read nor refused by name"
        if reading is not None and (
            len(reading.readings) != reading.accepted or reading.rows != reading.accepted + reading.rejected
        ):
            return "BROKEN rows in are not accepted and rejected"
    first = reports[0]
    return f"read as {first.reading.layout}" if first.reading is not None else f"refused by {first.refusal.code}"


def spoiled(chance: random.Random, bases: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """A file name and bytes: a sound file with a few things wrong, or nothing but noise."""
    name, content = chance.choice(bases)
    kind = chance.random()
    if kind < 0.02:
        return "noise.txt", chance.randbytes(chance.randint(0, 400))
    if name.endswith(".zip") and kind < 0.9:
        return name, _set_spoiled(sample_sets()[name.removesuffix(".zip")], chance)
    if name.endswith((".xlsx", ".zip")):
        return name, _bytes_spoiled(content, chance, most=3)
    if kind < 0.75:
        content = _cells_spoiled(content, chance)
    if kind < 0.12 or kind > 0.7:
        content = _bytes_spoiled(content, chance, most=4)
    if chance.random() < 0.15:
        text = content.decode("utf-8", "replace")
        content = text.encode(chance.choice(_ENCODINGS), "replace")
    if chance.random() < 0.05:
        content = chance.choice((content * 3, content[: len(content) // 2], b"", content + b"\x1a", content.upper()))
    return name, content


def _set_spoiled(files: Mapping[str, str], chance: random.Random) -> bytes:
    """A set with one file spoiled, left out or empty, whole as an archive."""
    name = chance.choice(sorted(files))
    content = files[name].encode()
    spoil = _cells_spoiled if name.endswith(".csv") and chance.random() < 0.8 else _bytes_spoiled
    packed = {**{other: text.encode() for other, text in files.items()}, name: spoil(content, chance)}
    if chance.random() < 0.1:
        del packed[chance.choice(sorted(packed))]
    return _archive(packed)


def _cells_spoiled(content: bytes, chance: random.Random) -> bytes:
    """Some cells replaced, columns left out, doubled or changed in place, lines cut."""
    text = content.decode()
    delimiter = max("^,\t", key=text.split("\r\n", 1)[0].count)
    lines = [line.split(delimiter) for line in text.split("\r\n")]
    for _ in range(chance.randint(1, 6)):
        line = chance.choice(lines[chance.random() < 0.8 :] or lines)
        place = chance.randrange(len(line))
        line[place] = chance.choice(_CELLS)
    match chance.randrange(24):
        case 0:
            lines = [line[:-1] for line in lines]
        case 1:
            place = chance.randrange(len(lines[0]))
            lines = [[*line[:place], "", *line[place:]] for line in lines]
        case 2:
            place, cell = chance.randrange(len(lines[0])), chance.choice(_CELLS)
            lines = [lines[0], *([*line[:place], cell, *line[place + 1 :]] for line in lines[1:])]
        case 3:
            lines[0] = [f" {title.upper()} " for title in lines[0]]
        case 4:
            order = chance.sample(range(len(lines[0])), len(lines[0]))
            lines = [[line[place] for place in order if place < len(line)] for line in lines]
        case 5:
            delimiter = chance.choice("^,\t;|")
    return (
        chance.choice(("\r\n", "\r\n", "\n", "\r"))
        .join(delimiter.join(line) for line in lines)
        .encode("utf-8", "surrogatepass")
    )


def _bytes_spoiled(content: bytes, chance: random.Random, most: int = 3) -> bytes:
    for _ in range(chance.randint(1, most)):
        at = chance.randrange(len(content) + 1)
        match chance.choice((0, 0, 0, 1, 1, 3, 3, 4, 4, 4, 2)):
            case 0:
                content = content[:at] + chance.choice(_BYTES) + content[at:]
            case 1:
                content = content[:at] + content[at + chance.randint(1, 30) :]
            case 2:
                content = content[at:] + content[:at]
            case 3:
                content = content[:at] + content[max(0, at - 60) : at] + content[at:]
            case _:
                content = content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
    return content


def _bases() -> list[tuple[str, bytes]]:
    """A sound file of every layout and of every set, some of them as workbooks and archives."""
    texts = [(f"{one.id}.csv", sample(one, rows=ROWS)) for one in layouts().values() if one.id not in SETS]
    bases = [(name, text.encode()) for name, text in texts] * 4
    for name, files in sample_sets().items():
        bases += [(f"{name}.zip", _archive(files))] * 4
    for name, text in sample_sets()["edfi-xml"].items():
        bases.append((name, text.encode()))
    bases += [(f"{name}.xlsx", _workbook(text)) for name, text in texts if name.startswith(("readiness", "gold"))]
    return bases


def _archive(files: Mapping[str, str | bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def _workbook(text: str) -> bytes:
    book = openpyxl.Workbook()
    for line in text.splitlines():
        book.active.append(line.split(","))
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _summary(inputs: int, outcomes: Counter[str], broken: list[str], seconds: float) -> list[dict[str, object]]:
    read = sum(count for outcome, count in outcomes.items() if outcome.startswith("read"))
    return [
        {"name": "inputs", "value": inputs, "bar": INPUTS, "held": inputs >= INPUTS},
        {"name": "exceptions, words told, rows lost", "value": len(broken), "bar": 0, "held": not broken},
        {"name": "read with findings", "value": read, "bar": None, "held": read > 0},
        {"name": "refused by name", "value": inputs - read - len(broken), "bar": None, "held": inputs > read},
        {"name": "CPU seconds", "value": round(seconds, 1), "bar": None, "held": True},
    ]


def _options() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="bench edge_fuzz", description=__doc__)
    reader.add_argument("--inputs", type=int, default=INPUTS)
    reader.add_argument("--from", type=int, default=0, dest="first")
    reader.add_argument("--summary", type=Path)
    return reader.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
