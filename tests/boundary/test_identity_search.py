"""The search for identities itself: it finds a planted leak in every form it promises, and nothing where nothing is."""

import base64
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


@pytest.mark.parametrize("form", LEAKS)
def test_a_planted_leak_is_found_in_every_form(tmp_path, form):
    noise = np.random.default_rng(1).bytes(100_000)
    (tmp_path / "clean.bin").write_bytes(noise)
    around = b"" if form == "packed" else noise
    (tmp_path / "leaky.bin").write_bytes(around + LEAKS[form] + around)

    result = identity_search.search(PEOPLE, [tmp_path])

    assert result["hits"] == 1
    assert result["paths"] == [str(tmp_path / "leaky.bin")]


def test_a_leak_in_a_packed_table_is_found(tmp_path):
    table = pa.table({"person_id": ["0a", "0b"], "note": ["Zzyxtorv", "-"]})
    parquet.write_table(table, tmp_path / "snapshot", compression="zstd")

    assert identity_search.search(PEOPLE, [tmp_path])["marked_found"] == 1


def test_nothing_is_found_where_nothing_is(tmp_path):
    (tmp_path / "dates.json").write_bytes(b'{"start":"2011-05-06"}' + np.random.default_rng(2).bytes(500_000))

    result = identity_search.search(PEOPLE, [tmp_path])

    assert (result["hits"], result["files"], result["marked"], result["people"]) == (0, 1, 1, 2)
