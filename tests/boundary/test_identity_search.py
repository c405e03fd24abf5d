"""The search for identities itself: it finds a planted leak in every form it promises, and nothing where nothing is."""

import base64
import datetime as dt
import gzip
import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

SPEC = importlib.util.spec_from_file_location(
    "identity_search", Path(__file__).parents[1] / "attacker" / "identity_search.py"
)
identity_search = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(identity_search)

PEOPLE = [
    {"person": "1", "given": "Qwixelin", "surname": "Zzyxtorv", "birth_date": "2012-03-04", "marked": "1"},
    {"person": "2", "given": "Plain", "surname": "Made-Up", "birth_date": "2011-05-06", "marked": "0"},
]
LEAKS = {
    "plain": b"x Zzyxtorv x",
    "folded": b"x zzyxtorv x",
    "capitals": b"ZZYXTORV^QWIXELIN",
    "reversed": b"vrotxyzz",
    "hexadecimal": b"Zzyxtorv".hex().encode(),
    "base64 at an odd place": base64.b64encode(b"ab,Zzyxtorv,cd"),
    "utf-16": "Zzyxtorv".encode("utf-16-le"),
    "unsalted digest": hashlib.sha256(b"qwixelinzzyxtorv2012-03-04").hexdigest().encode(),
    "raw digest": hashlib.md5(b"Zzyxtorv").digest(),
    "packed": gzip.compress(b"Zzyxtorv"),
    "name and birth date": b'{"n":"Plain MADE-UP","d":"05/06/2011"}',
}


def test_what_is_compiled_for_much_finds_the_same_places():
    finder = identity_search.Finder([b"Zzyxtorv", b"Qwixelin", *(bytes(range(at, at + 9)) for at in range(200))])
    content = np.random.default_rng(1).bytes(identity_search.BLOCK + 70_000) + b"Zzyxtorv" + bytes(range(90))
    ends = (b"", b"Zzyxt", b"Zzyxtorv", bytes(5))
    plainly = [list(finder.hits(one)) for one in (content, *ends)]

    finder.places = identity_search.compiled_places()

    assert [sorted(finder.hits(one)) for one in (content, *ends)] == [sorted(one) for one in plainly]
    assert len(plainly[0]) > 80
    assert [len(one) for one in plainly[1:]] == [0, 0, 1, 0]


@pytest.mark.parametrize("form", LEAKS)
def test_a_planted_leak_is_found_in_every_form(tmp_path, form):
    noise = np.random.default_rng(1).bytes(100_000)
    (tmp_path / "clean.bin").write_bytes(noise)
    around = b"" if form == "packed" else noise
    (tmp_path / "leaky.bin").write_bytes(around + LEAKS[form] + around)

    result = identity_search.search(PEOPLE, [tmp_path])

    assert result["hits"] == 1
    assert result["paths"] == [str(tmp_path / "leaky.bin")]


PACKED_TABLES = {
    "a marked name": ({"person_id": ["0a", "0b"], "note": ["Zzyxtorv", "-"]}, (1, 0)),
    "a name beside a birth date": ({"n": ["-", "plain made-up"], "d": [None, dt.date(2011, 5, 6)]}, (0, 1)),
    "a list that is no text": ({"person_id": ["0a"], "names": [["Zzyxtorv"]]}, (1, 0)),
}


@pytest.mark.parametrize("name", PACKED_TABLES)
def test_a_leak_in_a_packed_table_is_found(tmp_path, name):
    columns, found = PACKED_TABLES[name]
    parquet.write_table(pa.table(columns), tmp_path / "snapshot", compression="zstd")

    result = identity_search.search(PEOPLE, [tmp_path])

    assert (result["marked_found"], result["named_with_birth_date"]) == found


def test_a_leak_is_found_wherever_it_stands_in_a_large_file(tmp_path):
    size, leak = 2 * identity_search.BLOCK, b"Zzyxtorv"
    for number, place in enumerate((0, 1, size // 2 - 4, size // 2 - 1, size - len(leak) - 2, size - len(leak))):
        content = bytearray(np.random.default_rng(number).bytes(size))
        content[place : place + len(leak)] = leak
        (tmp_path / f"{number}.bin").write_bytes(content)

    assert len(identity_search.search(PEOPLE, [tmp_path])["paths"]) == 6


def test_several_processes_find_what_one_finds(tmp_path):
    for number, form in enumerate(LEAKS):
        (tmp_path / f"{number}.bin").write_bytes(LEAKS[form])

    one, several = (identity_search.search(PEOPLE, [tmp_path], processes=number) for number in (1, 3))

    assert several == one
    assert len(several["paths"]) == len(LEAKS)


def test_nothing_is_found_where_nothing_is(tmp_path):
    (tmp_path / "dates.json").write_bytes(b'{"start":"2011-05-06"}' + np.random.default_rng(2).bytes(500_000))

    result = identity_search.search(PEOPLE, [tmp_path])

    assert (result["hits"], result["files"], result["marked"], result["people"]) == (0, 1, 1, 2)
