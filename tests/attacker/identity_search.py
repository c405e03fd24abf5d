"""Searches a folder for identities as somebody who stole it would: names in any form, names beside birth dates.

    python tests/attacker/identity_search.py PEOPLE.csv FOLDER... [--summary FILE]

It shares no code with the product. PEOPLE.csv is the truth of a made-up county: columns given, surname, birth_date
(YYYY-MM-DD), marked (1 for planted people whose names are no words). For marked people every form counts: plain,
folded, reversed, hexadecimal, Base64 in each alignment, URL, UTF-16, and unsalted digests of names and of the usual
joined forms. For everybody else a hit is the full name within 256 bytes of the birth date. Exit 0 nothing, 1 found.
Files are read as they lie and, where they are gzip or Parquet, unpacked as well. A path is reported, never a find.
"""

from __future__ import annotations

import argparse
import base64
import csv
import gzip
import hashlib
import io
import json
import multiprocessing
import os
import sys
import unicodedata
import urllib.parse
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import compute, parquet

SHORTEST = 6  # bytes; shorter forms would be found in random bytes
NEAR = 256  # bytes between a birth date and a name
BLOCK = 1 << 20
MULTIPLIER, SHIFT, LOW = 2654435761, 10, np.uint64(0xFFFFFFFF)
ROWS = 100_000  # of a table at once
MUCH = 100_000_000  # bytes; more is looked through by several processes
Seen = tuple[str, int, int, set[str], set[str]]
DIGESTS = ("md5", "sha1", "sha256", "sha512")


def fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return plain.lower()


def plain_forms(text: str) -> set[str]:
    folded = fold(text)
    bare = "".join(letter for letter in folded if letter.isalnum())
    return {form for form in (text, folded, folded.upper(), folded.title(), bare, bare.upper()) if form}


def encoded(form: str) -> Iterator[bytes]:
    """Every way in which one spelling may stand in a file."""
    for raw in {form.encode("utf-8"), form.encode("utf-16-le"), form[::-1].encode("utf-8")}:
        yield raw
        yield raw.hex().encode()
        yield raw.hex().upper().encode()
        for shift in range(3):  # Base64 of the spelling at each alignment inside a longer text
            whole = base64.b64encode(bytes(shift) + raw).decode().rstrip("=")
            yield whole[shift + 1 : len(whole) - 1].encode()
    yield urllib.parse.quote(form).encode()


def digested(text: str) -> Iterator[bytes]:
    for name in DIGESTS:
        digest = hashlib.new(name, text.encode("utf-8"), usedforsecurity=False).digest()
        yield digest
        yield digest.hex().encode()
        yield digest.hex().upper().encode()
        yield base64.b64encode(digest).rstrip(b"=")


def marked_patterns(person: dict[str, str]) -> set[bytes]:
    given, surname, born = person["given"], person["surname"], person["birth_date"]
    patterns = {found for name in (given, surname) for form in plain_forms(name) for found in encoded(form)}
    digits = born.replace("-", "")
    for first, last in {(given, surname), (fold(given), fold(surname)), (given.upper(), surname.upper())}:
        joined = [first, last]
        joined += [gap.join((first, last)) for gap in ("", " ", "|", ",", "_")]
        joined += [gap.join((first, last, date)) for gap in ("", "|", " ") for date in (born, digits)]
        patterns |= {found for text in joined for found in digested(text)}
    return {pattern for pattern in patterns if len(pattern) >= SHORTEST}


def birth_date_forms(born: str) -> list[bytes]:
    year, month, day = born.split("-")
    texts = (born, f"{year}{month}{day}", f"{month}/{day}/{year}", f"{int(month)}/{int(day)}/{year}")
    return [text.encode() for text in texts]


class Finder:
    """Finds many byte patterns in one pass: bit tables over the first six bytes, then an exact look at what is left."""

    def __init__(self, patterns: Iterable[bytes]) -> None:
        self.patterns = frozenset(patterns)
        self.lengths: dict[bytes, set[int]] = defaultdict(set)
        for pattern in self.patterns:
            self.lengths[pattern[:SHORTEST]].add(len(pattern))
        self.first, self.second = self._table(0), self._table(2)
        self.places: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray] = places

    def _table(self, at: int) -> np.ndarray:
        words = np.frombuffer(b"".join(head[at : at + 4] for head in self.lengths), dtype="<u4")
        table = np.zeros(1 << (32 - SHIFT), dtype=np.uint8)
        table[slots_of(words)] = 1
        return np.packbits(table, bitorder="little")

    def hits(self, content: bytes) -> Iterator[tuple[int, bytes]]:
        """(offset, pattern) of every pattern in the content."""
        for offset in self._candidates(content):
            for length in self.lengths.get(content[offset : offset + SHORTEST], ()):
                if content[offset : offset + length] in self.patterns:
                    yield offset, content[offset : offset + length]

    def _candidates(self, content: bytes) -> Iterator[int]:
        raw = np.frombuffer(content, dtype=np.uint8)
        for start in range(0, len(raw), BLOCK):
            found = self.places(raw[start : start + BLOCK + SHORTEST - 1], self.first, self.second)
            yield from (found + start).tolist()


def slots_of(words: np.ndarray) -> np.ndarray:
    """The place of each word in a bit table."""
    return (words * np.uint32(MULTIPLIER)) >> np.uint32(SHIFT)


def is_in(table: np.ndarray, slots: np.ndarray) -> np.ndarray:
    return (table[slots >> 3] >> (slots & 7).astype(np.uint8) & 1).astype(bool)


def places(raw: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Where a pattern may begin, as far as its first six bytes tell."""
    offsets = np.arange(max(len(raw) - SHORTEST + 1, 0))
    for at, table in ((0, first), (2, second)):
        offsets = offsets[is_in(table, slots_of(word_at(raw, offsets + at)))]
    return offsets


def word_at(raw: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The four bytes at each offset as one number."""
    word = raw[offsets].astype(np.uint32)
    for byte in (1, 2, 3):
        word |= raw[offsets + byte].astype(np.uint32) << np.uint32(8 * byte)
    return word


def compiled_places() -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """The same, three times as fast, once it is compiled: for much."""
    import numba

    @numba.njit
    def fill(raw, first, second, found):
        count, word = 0, np.uint64(0)
        for at in range(len(raw)):
            word = (word >> np.uint64(8)) | (np.uint64(raw[at]) << np.uint64(40))
            if at >= SHORTEST - 1:
                slot = ((word & LOW) * np.uint64(MULTIPLIER) & LOW) >> np.uint64(SHIFT)
                if first[slot >> np.uint64(3)] >> (slot & np.uint64(7)) & np.uint64(1):
                    slot = ((word >> np.uint64(16)) * np.uint64(MULTIPLIER) & LOW) >> np.uint64(SHIFT)
                    if second[slot >> np.uint64(3)] >> (slot & np.uint64(7)) & np.uint64(1):
                        found[count] = at - (SHORTEST - 1)
                        count += 1
        return count

    def compiled(raw: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        found = np.empty(max(len(raw), 1), dtype=np.int64)
        return found[: fill(raw, first, second, found)]

    nothing = np.zeros(1 << (29 - SHIFT), dtype=np.uint8)
    compiled(np.zeros(SHORTEST, dtype=np.uint8), nothing, nothing)  # before processes are forked
    return compiled


def files_of(folders: Iterable[Path]) -> list[Path]:
    found = [path for folder in folders for path in (sorted(folder.rglob("*")) if folder.is_dir() else [folder])]
    return [path for path in found if path.is_file()]


def contents(path: Path) -> Iterator[bytes]:
    """A file's name and bytes, and what is packed in it."""
    raw = path.read_bytes()
    yield str(path.name).encode() + b"\n" + raw
    if raw[:2] == b"\x1f\x8b":
        try:
            yield gzip.decompress(raw)
        except (OSError, EOFError, zlib.error):
            return
    if raw[:4] == b"PAR1":
        yield from table_texts(raw)


def table_texts(raw: bytes) -> Iterator[bytes]:
    """Every value of a Parquet file, a line a row, as it would read once unpacked."""
    for batch in parquet.ParquetFile(io.BytesIO(raw)).iter_batches(ROWS):
        try:
            columns = [column.cast(pa.string()) for column in batch.columns]
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            rows = batch.to_pylist()
            yield "\n".join("|".join(str(value) for value in row.values()) for row in rows).encode("utf-8")
            continue
        lines = compute.binary_join_element_wise(*columns, "\n", "|", null_handling="replace", null_replacement="None")
        yield lines.buffers()[2].to_pybytes()


class Search:
    """What is looked for, and how one file is looked through."""

    def __init__(self, people: list[dict[str, str]]) -> None:
        self.of_pattern: dict[bytes, set[str]] = defaultdict(set)
        self.born: dict[bytes, list[tuple[str, bytes, bytes]]] = defaultdict(list)
        for person in people:
            name = (person["person"], fold(person["given"]).encode(), fold(person["surname"]).encode())
            if person["birth_date"] and person["given"] and person["surname"]:
                for form in birth_date_forms(person["birth_date"]):
                    self.born[form].append(name)
            for pattern in marked_patterns(person) if is_marked(person) else ():
                self.of_pattern[pattern].add(person["person"])
        self.finder = Finder([*self.of_pattern, *self.born])

    def look(self, path: Path) -> Seen:
        """What one file holds: its path, its contents and their bytes, marked people, people beside birth dates."""
        number = size = 0
        marked: set[str] = set()
        beside: set[str] = set()
        for content in contents(path):
            number, size = number + 1, size + len(content)
            lowered = content.lower() if content.isascii() else None
            for offset, pattern in self.finder.hits(content):
                marked |= self.of_pattern.get(pattern, set())
                around = slice(max(offset - NEAR, 0), offset + NEAR)
                if pattern in self.born:
                    near = lowered[around] if lowered else fold(content[around].decode("utf-8", "ignore")).encode()
                    beside |= {one for one, given, last in self.born[pattern] if given in near and last in near}
        return str(path), number, size, marked, beside


def is_marked(person: dict[str, str]) -> bool:
    return person.get("marked") in ("1", "yes", "true")


def is_much(paths: list[Path]) -> bool:
    return sum(path.stat().st_size for path in paths) > MUCH


def processes_for(paths: list[Path]) -> int:
    """Several where there is much to read and processes are cheap to start."""
    return min(os.cpu_count() or 1, 4) if is_much(paths) and sys.platform == "linux" else 1


def look_at_all(search: Search, paths: list[Path], processes: int) -> list[Seen]:
    if processes == 1:
        return [search.look(path) for path in paths]
    forking, running = multiprocessing.get_context("fork"), []
    for part in (paths[number::processes] for number in range(processes)):
        here, there = forking.Pipe(duplex=False)
        process = forking.Process(target=lambda part=part, there=there: there.send([search.look(one) for one in part]))
        process.start()
        there.close()  # so that one that dies is noticed
        running.append((process, here))
    seen = [one for _, here in running for one in here.recv()]
    for process, _ in running:
        process.join()
    return seen


def search(people: list[dict[str, str]], folders: list[Path], processes: int | None = None) -> dict[str, object]:
    """Counts: files and bytes looked at, marked identities found, names found beside birth dates, paths of the hits."""
    paths, wanted = files_of(folders), Search(people)
    if is_much(paths):
        wanted.finder.places = compiled_places()
    seen = look_at_all(wanted, paths, processes or processes_for(paths))
    found = {person for *_, marked, _ in seen for person in marked}
    named = {person for *_, beside in seen for person in beside}
    return {
        "files": sum(number for _, number, *_ in seen),
        "bytes": sum(size for _, _, size, *_ in seen),
        "marked": len({person["person"] for person in people if is_marked(person)}),
        "people": len({person["person"] for person in people}),
        "marked_found": len(found),
        "named_with_birth_date": len(named),
        "hits": len(found | named),
        "paths": sorted(path for path, *_, marked, beside in seen if marked or beside)[:20],
    }


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("people", type=Path)
    reader.add_argument("folders", type=Path, nargs="+")
    reader.add_argument("--summary", type=Path)
    options = reader.parse_args()
    with options.people.open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    result = search(people, options.folders)
    if options.summary:
        options.summary.write_text(json.dumps(result, indent=1))
    print(f"{result['files']} files, {result['bytes']} bytes: {result['hits']} of {result['people']} people found")
    return 1 if result["hits"] else 0


if __name__ == "__main__":
    sys.exit(main())
