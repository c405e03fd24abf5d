"""One file of encoded people: what is written is read, and anything else is refused by its code."""

import base64
import json
import pickle

import numpy as np
import pytest

from linkage.errors import LinkageError
from linkage.rows import SPAN_ROW, VIEW_ROW
from linkage.rows_file import ABOUT, FORMAT, RowsFile, read_rows_file, rows_file_parts

KEY = b"\x05" * 32


@pytest.fixture
def file():
    rng = np.random.default_rng(1)
    spans = np.frombuffer(rng.bytes(3 * SPAN_ROW.itemsize), dtype=SPAN_ROW)
    rows = {view: np.frombuffer(rng.bytes(n * VIEW_ROW.itemsize), dtype=VIEW_ROW) for view, n in (("a", 4), ("b", 0))}
    return RowsFile("0" * 64, "1" * 16, KEY, 3, spans, rows)


def written(file):
    return b"".join(rows_file_parts(file))


def with_header(file, **changes):
    head, body = written(file).removeprefix(FORMAT).split(b"\n", 1)
    return FORMAT + json.dumps(json.loads(head) | changes).encode() + b"\n" + body


def refusal(content):
    with pytest.raises(LinkageError) as told:
        read_rows_file(content, name="a.rows")
    assert told.value.place == "a.rows"
    return told.value.code


def test_what_is_written_is_read(file):
    read = read_rows_file(written(file), name="a.rows")

    assert (read.schema_hash, read.key_check, read.submission_key, read.records) == ("0" * 64, "1" * 16, KEY, 3)
    assert read.spans.tobytes() == file.spans.tobytes()
    assert {view: rows.tobytes() for view, rows in read.rows.items()} == {
        view: rows.tobytes() for view, rows in file.rows.items()
    }


def test_the_file_says_that_it_carries_its_key(file):
    header = json.loads(written(file).split(b"\n")[1])

    assert header["about"] == ABOUT
    assert "carries its own submission key" in ABOUT
    assert base64.b64decode(header["submission_key"]) == KEY


def test_a_file_shows_no_key_and_is_never_pickled(file):
    assert repr(file) == "RowsFile(records=3, views=['a', 'b'], masked)"
    with pytest.raises(TypeError):
        pickle.dumps(file)


@pytest.mark.parametrize("content", [b"", b"given,surname\nNoone,Nobody\n", FORMAT, FORMAT + b"{", FORMAT + b"[]\n"])
def test_what_is_no_file_of_ours_is_refused(content):
    assert refusal(content) == "not_a_rows_file"


@pytest.mark.parametrize(
    "changes",
    [
        {"submission_key": "AAAA"},
        {"submission_key": "&"},
        {"records": -1},
        {"spans": "many"},
        {"views": {"../a": 4, "b": 0}},
        {"views": 3},
        {"views": {"a": None}},
    ],
)
def test_a_header_that_does_not_keep_the_form_is_refused(file, changes):
    assert refusal(with_header(file, **changes)) == "not_a_rows_file"


@pytest.mark.parametrize("change", [lambda content: content[:-1], lambda content: content + b"\x00"])
def test_a_file_that_is_cut_or_continued_is_refused(file, change):
    assert refusal(change(written(file))) == "truncated_rows_file"
