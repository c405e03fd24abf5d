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
import sys
import unicodedata
import urllib.parse
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from pyarrow import parquet

SHORTEST = 6  # bytes; shorter forms would be found in random bytes
NEAR = 256  # bytes between a birth date and a name
BLOCK = 1 << 22
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
    """Finds many byte patterns in one pass: a bit table over four-byte words, then an exact look at each candidate."""

    def __init__(self, patterns: Iterable[bytes]) -> None:
        self.by_head: dict[bytes, list[bytes]] = defaultdict(list)
        self.table = np.zeros(1 << 22, dtype=bool)
        for pattern in patterns:
            self.by_head[pattern[:SHORTEST]].append(pattern)
            self.table[self._slots(np.frombuffer(pattern[:4], dtype="<u4"))] = True

    @staticmethod
    def _slots(words: np.ndarray) -> np.ndarray:
        return (words * np.uint32(2654435761)) >> np.uint32(10)

    def hits(self, content: bytes) -> Iterator[tuple[int, bytes]]:
        """(offset, pattern) of every pattern in the content."""
        for start in range(0, max(len(content) - 3, 0), BLOCK):
            block = np.frombuffer(content[start : start + BLOCK + 3], dtype=np.uint8).astype(np.uint32)
            words = block[:-3] | (block[1:-2] << 8) | (block[2:-1] << 16) | (block[3:] << 24)
            for offset in np.flatnonzero(self.table[self._slots(words)]) + start:
                for pattern in self.by_head.get(content[offset : offset + SHORTEST], ()):
                    if content.startswith(pattern, offset):
                        yield int(offset), pattern


def contents(folders: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if not path.is_file():
                continue
            raw = path.read_bytes()
            yield path, str(path.name).encode() + b"\n" + raw
            if raw[:2] == b"\x1f\x8b":
                try:
                    yield path, gzip.decompress(raw)
                except (OSError, EOFError, zlib.error):
                    continue
            if raw[:4] == b"PAR1":
                yield path, table_text(raw)


def table_text(raw: bytes) -> bytes:
    """Every value of a Parquet file, a line a row, as it would read once unpacked."""
    rows = parquet.read_table(io.BytesIO(raw)).to_pylist()
    return "\n".join("|".join(str(value) for value in row.values()) for row in rows).encode("utf-8")


def search(people: list[dict[str, str]], folders: list[Path]) -> dict[str, object]:
    """Counts: files and bytes looked at, marked identities found, names found beside birth dates, paths of the hits."""
    marked = [person for person in people if person.get("marked") in ("1", "yes", "true")]
    of_pattern: dict[bytes, set[str]] = defaultdict(set)
    for person in marked:
        for pattern in marked_patterns(person):
            of_pattern[pattern].add(person["person"])
    born: dict[bytes, list[dict[str, str]]] = defaultdict(list)
    for person in people:
        for form in birth_date_forms(person["birth_date"]) if person["birth_date"] else ():
            born[form].append(person)
    names, dates = Finder(of_pattern), Finder(born)
    found: set[str] = set()
    beside: set[str] = set()
    paths: set[str] = set()
    files = size = 0
    for path, content in contents(folders):
        files, size = files + 1, size + len(content)
        for _, pattern in names.hits(content):
            found |= of_pattern[pattern]
            paths.add(str(path))
        for offset, form in dates.hits(content):
            near = fold(content[max(offset - NEAR, 0) : offset + NEAR].decode("utf-8", "ignore"))
            for person in born[form]:
                if (
                    person["given"]
                    and person["surname"]
                    and fold(person["given"]) in near
                    and fold(person["surname"]) in near
                ):
                    beside.add(person["person"])
                    paths.add(str(path))
    return {
        "files": files,
        "bytes": size,
        "marked": len({person["person"] for person in marked}),
        "people": len({person["person"] for person in people}),
        "marked_found": len(found),
        "named_with_birth_date": len(beside),
        "hits": len(found | beside),
        "paths": sorted(paths)[:20],
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
