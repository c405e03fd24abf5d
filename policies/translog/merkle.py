"""The Merkle tree of the audit log: hashes, proofs and their verification, as RFC 6962 section 2.1 has them.

Pure; the database stores complete nodes, a district's agent verifies with the same functions.
A node is (level, index): level 0 holds leaf hashes, and node (l, i) covers leaves i * 2^l to (i + 1) * 2^l - 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from policies.translog.errors import ProofError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

NodeReader = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, computed from nothing else."""
    frontier: list[bytes] = []
    for index, leaf in enumerate(leaves):
        push(frontier, index, leaf)
    return frontier_root(frontier)


def levels_of(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All complete nodes over leaves that begin at a multiple of their power of two: level 0 is the leaves."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([sha256(b"\x01" + below[at] + below[at + 1]).digest() for at in range(0, len(below) - 1, 2)])
    return levels


def push(frontier: list[bytes], size: int, leaf: bytes) -> list[tuple[int, int, bytes]]:
    """Add the leaf number `size` to the right edge of a tree; the nodes that became complete come back.

    The frontier holds the roots of the complete subtrees from left (largest) to right.
    """
    completed = []
    level, index, current = 0, size, leaf
    while index & 1:
        current = node_hash(frontier.pop(), current)
        level, index = level + 1, index >> 1
        completed.append((level, index, current))
    frontier.append(current)
    return completed


def frontier_root(frontier: Sequence[bytes]) -> bytes:
    """The root of a tree whose right edge is the frontier."""
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = node_hash(left, root)
    return root


def subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Complete subtrees that cover leaves start to end, left to right; start is a multiple of the first's size."""
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level


def range_root(start: int, end: int, *, read: NodeReader) -> bytes:
    """The hash of the leaves start to end as one subtree of an RFC 6962 tree."""
    return frontier_root([read(level, index) for level, index in subtrees(start, end)])


def inclusion_proof(index: int, size: int, *, read: NodeReader) -> list[bytes]:
    """The audit path of a leaf in the tree of a size (RFC 6962 section 2.1.1)."""
    if not 0 <= index < size:
        raise ProofError("the entry lies outside the tree")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_root(middle, end, read=read))
            end = middle
        else:
            path.append(range_root(start, middle, read=read))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, *, read: NodeReader) -> list[bytes]:
    """The proof that the tree of size old is a prefix of the tree of size new (RFC 6962 section 2.1.2)."""
    if not 0 <= old <= new:
        raise ProofError("the older tree is larger than the newer")
    if old in (0, new):
        return []
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(range_root(middle, end, read=read))
            end = middle
        else:
            path.append(range_root(start, middle, read=read))
            start, whole = middle, False
    if not whole:
        path.append(range_root(start, end, read=read))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, *, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Raises ProofError unless the leaf stands at index in the tree of that size and root (RFC 9162 2.1.3.2)."""
    _check_hashes([leaf, root, *proof])
    if not 0 <= index < size:
        raise ProofError("the entry lies outside the tree")
    current, position, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            raise ProofError("the proof is too long")
        if position & 1 or position == last:
            current = node_hash(sibling, current)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofError("the proof is too short")
    if current != root:
        raise ProofError("the proof leads to another root")


def verify_consistency(old: int, new: int, *, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raises ProofError unless the old tree is a prefix of the new (RFC 9162 section 2.1.4.2).

    A proof from the empty tree is refused: it would show nothing.
    """
    if not 0 <= old <= new or (old == 0 and new > 0):
        raise ProofError("the sizes show nothing")
    if old == new:
        if proof or old_root != new_root or (old == 0 and old_root != EMPTY_ROOT):
            raise ProofError("two trees of one size have two roots, or a proof too many")
        return
    _follow_consistency(old, new, old_root=old_root, new_root=new_root, proof=proof)


def consistency_roots(old: int, new: int, *, proof: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The two roots that a consistency proof leads to, old and new; None where it is no proof between such sizes.

    Where the old size is a power of two, the proof's first hash must stand for the old root itself.
    """
    if not 0 < old < new or any(len(value) != HASH_BYTES for value in proof):
        return None
    try:
        return _roots(old, new, path=proof)
    except ProofError:
        return None


def _follow_consistency(old: int, new: int, *, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    _check_hashes([old_root, new_root, *proof])
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if _roots(old, new, path=path) != (old_root, new_root):
        raise ProofError("the proof leads to another root")


def _roots(old: int, new: int, *, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    if not path:
        raise ProofError("the proof is too short")
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    seen_old = seen_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the proof is too long")
        if position & 1 or position == last:
            seen_old, seen_new = node_hash(sibling, seen_old), node_hash(sibling, seen_new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            seen_new = node_hash(seen_new, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofError("the proof is too short")
    return seen_old, seen_new


def _split(size: int) -> int:
    """The largest power of two smaller than size."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise ProofError("a hash is not 32 bytes long")
