"""What the matcher tells the resolver of one view: groups of rows by their sealed ids, and pairs of groups.

No token, filter or tag is in it. `pairs_to_bytes` and `pairs_from_bytes` are its stored form.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.errors import LinkageError

_MAGIC = b"promise-pairs/1\n"
_DTYPES = {
    "member_group": "<i8",
    "member_submission": "<i8",
    "member_sealed_id": "|V16",
    "left": "<i8",
    "right": "<i8",
    "pattern": "<i4",
    "rarity": "|u1",
    "dropped": "<i8",
    "same_provider": "<i8",
}


@dataclass(frozen=True)
class ViewPairs:
    """One view's pairs. Groups are numbered from 0; a member is one sealed row id of a group in one submission.

    `left`, `right`: group numbers of kept pairs, of two providers; `pattern`: `match.patterns`;
    `rarity`: twice the binary logarithm of (groups of the view / groups that share the pair's view value);
    `usual_rarity`: the same logarithm, not doubled, of the chance that two groups share a value;
    `dropped`: by pattern number, how many pairs were compared and not kept;
    `same_provider`: by pattern number, pairs inside one provider of names as written, which no link may join, so
    that they show what other people look like; `groups`: rows told apart.
    """

    view: str
    groups: int
    usual_rarity: float
    member_group: NDArray[np.int64]
    member_submission: NDArray[np.int64]
    member_sealed_id: NDArray[np.void]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    pattern: NDArray[np.int32]
    rarity: NDArray[np.uint8]
    dropped: NDArray[np.int64]
    same_provider: NDArray[np.int64]


@dataclass(frozen=True)
class ViewChange:
    """What changed in one view since the run before: which groups and pairs of that run stay, in their order, and
    behind them the new ones.

    `pairs` counts the whole (`groups`, `dropped`, `same_provider`, and `rarity` of every pair); its members and its
    `left`, `right` and `pattern` are those that came, under the group numbers after the change.
    """

    group_stays: NDArray[np.bool_]
    pair_stays: NDArray[np.bool_]
    pairs: ViewPairs


def pairs_to_bytes(pairs: ViewPairs) -> bytes:
    """A header line of JSON, then the arrays end to end."""
    header = {
        "view": pairs.view,
        "groups": pairs.groups,
        "usual_rarity": pairs.usual_rarity,
        "lengths": {name: len(getattr(pairs, name)) for name in _DTYPES},
    }
    arrays = (np.ascontiguousarray(getattr(pairs, name), dtype=dtype) for name, dtype in _DTYPES.items())
    return b"".join([_MAGIC, json.dumps(header).encode(), b"\n", *(array.tobytes() for array in arrays)])


def pairs_from_bytes(content: bytes) -> ViewPairs:
    """The inverse of `pairs_to_bytes`; LinkageError `truncated_pairs` when it is not whole."""
    head, _, body = content.removeprefix(_MAGIC).partition(b"\n")
    if not content.startswith(_MAGIC) or not head.endswith(b"}"):
        raise _truncated()
    header = json.loads(head)
    arrays: dict[str, NDArray[np.generic]] = {}
    offset = 0
    for name, dtype in _DTYPES.items():
        size = header["lengths"][name] * np.dtype(dtype).itemsize
        arrays[name] = (
            np.frombuffer(body[offset : offset + size], dtype=dtype) if offset + size <= len(body) else np.empty(0)
        )
        offset += size
    if offset != len(body):
        raise _truncated()
    return ViewPairs(view=header["view"], groups=header["groups"], usual_rarity=header["usual_rarity"], **arrays)  # type: ignore[arg-type]


def _truncated() -> LinkageError:
    return LinkageError("truncated_pairs", "pairs file", next_step="compare the views again")
