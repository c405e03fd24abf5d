"""One file of encoded people that stands by itself: written by `promise-edge encode`, read by `promise-hub link`.

A line that names the form, a line of JSON, then span rows and the view rows of each view end to end. The file
carries its own submission key in the clear and says so: whoever has it is matcher and resolver in one, so it is
for work inside one office and never for sending to a hub, where the two roles stand apart.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from linkage.errors import LinkageError
from linkage.rows import SPAN_ROW, VIEW_ROW, Rows

FORMAT = b"promise-rows/1\n"
ABOUT = "Encoded people. This file carries its own submission key: keep it as you keep the file it was made of."
KEY_CHECK_BYTES = 8
_KEY_BYTES = 32
_HEADER_BYTES_MAX = 100_000
_VIEW_NAME = re.compile(r"[a-z][a-z_]{0,19}")


@dataclass(frozen=True, repr=False)
class RowsFile:
    """What one file holds. `key_check` (16 hex digits) is equal for files that were encoded under one linkage key."""

    schema_hash: str
    key_check: str
    submission_key: bytes
    records: int
    spans: Rows
    rows: Mapping[str, Rows]

    def __repr__(self) -> str:
        return f"RowsFile(records={self.records}, views={sorted(self.rows)}, masked)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a submission key is never pickled")


def rows_file_parts(file: RowsFile) -> Iterator[bytes]:
    """The bytes of the file, part by part, so that a large one is never in memory twice."""
    header = {
        "about": ABOUT,
        "schema_hash": file.schema_hash,
        "key_check": file.key_check,
        "submission_key": base64.b64encode(file.submission_key).decode(),
        "records": file.records,
        "spans": len(file.spans),
        "views": {view: len(rows) for view, rows in file.rows.items()},
    }
    yield FORMAT
    yield json.dumps(header).encode() + b"\n"
    yield file.spans.tobytes()
    for rows in file.rows.values():
        yield rows.tobytes()


def read_rows_file(content: bytes | memoryview, *, name: str) -> RowsFile:
    """The file in these bytes, its arrays views of them; LinkageError `not_a_rows_file` or `truncated_rows_file`."""
    body = memoryview(content)
    head = bytes(body[: len(FORMAT) + _HEADER_BYTES_MAX])
    end = head.find(b"\n", len(FORMAT))
    if not head.startswith(FORMAT) or end < 0:
        raise _refused("not_a_rows_file", name)
    header = _header(head[len(FORMAT) : end], name=name)
    arrays = [(SPAN_ROW, header.spans), *((VIEW_ROW, count) for count in header.views.values())]
    if sum(layout.itemsize * count for layout, count in arrays) != len(body) - end - 1:
        raise _refused("truncated_rows_file", name)
    read: list[Rows] = []
    offset = end + 1
    for layout, count in arrays:
        size = layout.itemsize * count
        read.append(np.frombuffer(body[offset : offset + size], dtype=layout))
        offset += size
    return RowsFile(
        schema_hash=header.schema_hash,
        key_check=header.key_check,
        submission_key=header.submission_key,
        records=header.records,
        spans=read[0],
        rows=dict(zip(header.views, read[1:], strict=True)),
    )


@dataclass(frozen=True, repr=False)
class _Header:
    schema_hash: str
    key_check: str
    submission_key: bytes
    records: int
    spans: int
    views: dict[str, int]


def _header(line: bytes, *, name: str) -> _Header:
    """The header, every part of it checked, since a file may come from anywhere."""
    try:
        content: Any = json.loads(line)
        header = _Header(
            schema_hash=str(content["schema_hash"]),
            key_check=str(content["key_check"]),
            submission_key=base64.b64decode(content["submission_key"], validate=True),
            records=int(content["records"]),
            spans=int(content["spans"]),
            views={str(view): int(count) for view, count in content["views"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise _refused("not_a_rows_file", name) from None
    counts = (header.records, header.spans, *header.views.values())
    known = all(_VIEW_NAME.fullmatch(view) for view in header.views)
    if len(header.submission_key) != _KEY_BYTES or min(counts) < 0 or not known:
        raise _refused("not_a_rows_file", name)
    return header


def _refused(code: str, name: str) -> LinkageError:
    return LinkageError(code, name, next_step="make the file again with `promise-edge encode` and give it whole")
