"""The stored form of what matcher and resolver remember between runs: one header line of JSON, then the arrays.

Numbers that fit are kept in four bytes. The header names the submissions and providers that the numbers stand for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linkage.errors import LinkageError
from linkage.match.pairs import ViewChange, pairs_from_bytes, pairs_to_bytes
from linkage.match.person_table import PersonTable
from linkage.match.resolver_memory import OpenedView
from linkage.match.spans import Records
from linkage.match.view_memory import ViewMemory
from linkage.rows import VIEW_ROW

_MAGIC = b"promise-memory/1\n"
_SMALL = 2**31

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Numbering:
    """What the numbers of a run stand for: submissions and providers by number."""

    submissions: tuple[str, ...]
    providers: tuple[str, ...]


def view_memory_to_bytes(memory: ViewMemory, numbering: Numbering) -> bytes:
    """The matcher's memory of one view."""
    arrays = _arrays_of(memory)
    return _to_bytes({"view": memory.view, "keeps_all": memory.keeps_all}, numbering, arrays)


def view_memory_from_bytes(content: bytes) -> tuple[ViewMemory, Numbering]:
    """The inverse; LinkageError `truncated_memory` when it is not whole."""
    header, numbering, arrays = _from_bytes(content)
    arrays["rows"] = arrays["rows"].view(VIEW_ROW)
    return ViewMemory(view=header["view"], keeps_all=header["keeps_all"], **arrays), numbering


def opened_view_to_bytes(view: OpenedView, numbering: Numbering) -> bytes:
    """The resolver's memory of one view."""
    return _to_bytes({}, numbering, _arrays_of(view))


def opened_view_from_bytes(content: bytes) -> OpenedView:
    """The inverse; LinkageError `truncated_memory` when it is not whole."""
    return OpenedView(**_from_bytes(content)[2])


def persons_to_bytes(records: Records, table: PersonTable, numbering: Numbering) -> bytes:
    """The resolver's memory of records and persons."""
    arrays = _arrays_of(records) | {"ids": table.ids, "person": table.person}
    keys = sorted(table.departed)
    arrays["departed_provider"] = np.array([provider for provider, _ in keys], dtype=np.int32)
    arrays["departed_reference"] = np.frombuffer(b"".join(reference for _, reference in keys), dtype="V16")
    arrays["departed_person"] = np.array([table.departed[key] for key in keys], dtype=np.int64)
    return _to_bytes({}, numbering, arrays)


def persons_from_bytes(content: bytes) -> tuple[Records, PersonTable, Numbering]:
    """The inverse; LinkageError `truncated_memory` when it is not whole."""
    _, numbering, arrays = _from_bytes(content)
    references = (reference.tobytes() for reference in arrays["departed_reference"])
    keys = zip(arrays["departed_provider"].tolist(), references, strict=True)
    departed = dict(zip(keys, arrays["departed_person"].tolist(), strict=True))
    of_records = {name: arrays[name] for name in ("provider", "reference", "spans", "span_starts", "span_submission")}
    return Records(**of_records, numbers={}), PersonTable(arrays["ids"], arrays["person"], departed), numbering


def change_to_bytes(change: ViewChange, numbering: Numbering) -> bytes:
    """What the matcher hands to the resolver of one view; the names say what its numbers stand for."""
    arrays: Arrays = {"group_stays": change.group_stays, "pair_stays": change.pair_stays}
    arrays["pairs"] = np.frombuffer(pairs_to_bytes(change.pairs), dtype=np.uint8)
    return _to_bytes({}, numbering, arrays)


def change_from_bytes(content: bytes) -> tuple[ViewChange, Numbering]:
    """The inverse; LinkageError `truncated_memory` when it is not whole."""
    _, numbering, arrays = _from_bytes(content)
    pairs = pairs_from_bytes(arrays["pairs"].tobytes())
    return ViewChange(arrays["group_stays"], arrays["pair_stays"], pairs), numbering


def renumbering(old: tuple[str, ...], *, new: tuple[str, ...]) -> NDArray[np.int64]:
    """The new number of every old one; names that the new ones lack are numbered behind them, in their order."""
    place = {name: number for number, name in enumerate(new)}
    for name in old:
        place.setdefault(name, len(place))
    return np.array([place[name] for name in old], dtype=np.int64)


def _arrays_of(value: Any) -> Arrays:
    found: Mapping[str, Any] = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: array for name, array in found.items() if isinstance(array, np.ndarray)}


def _to_bytes(header: Mapping[str, Any], numbering: Numbering, arrays: Arrays) -> bytes:
    stored = {name: _small(array) for name, array in arrays.items()}
    head = {
        **header,
        "submissions": numbering.submissions,
        "providers": numbering.providers,
        "arrays": {
            name: [_type(array), _type(kept), list(array.shape)]
            for (name, array), kept in zip(arrays.items(), stored.values(), strict=True)
        },
    }
    return b"".join([_MAGIC, json.dumps(head).encode(), b"\n", *(array.tobytes() for array in stored.values())])


def _small(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype != np.int64 or (len(array) and int(np.abs(array).max()) >= _SMALL):
        return array
    return array.astype(np.int32)


def _type(array: NDArray[Any]) -> str:
    return f"|V{array.dtype.itemsize}" if array.dtype.names else array.dtype.str


def _from_bytes(content: bytes) -> tuple[dict[str, Any], Numbering, Arrays]:
    head, _, body = content.removeprefix(_MAGIC).partition(b"\n")
    if not content.startswith(_MAGIC) or not head.endswith(b"}"):
        raise _truncated()
    header = json.loads(head)
    arrays: Arrays = {}
    offset = 0
    for name, (kind, kept, shape) in header["arrays"].items():
        count = int(np.prod(shape))
        size = count * np.dtype(kept).itemsize
        if offset + size > len(body):
            raise _truncated()
        arrays[name] = np.frombuffer(body, dtype=kept, count=count, offset=offset).astype(kind).reshape(shape)
        offset += size
    if offset != len(body):
        raise _truncated()
    return header, Numbering(tuple(header["submissions"]), tuple(header["providers"])), arrays


def _truncated() -> LinkageError:
    return LinkageError("truncated_memory", "memory of a run", next_step="link everything again from nothing")
