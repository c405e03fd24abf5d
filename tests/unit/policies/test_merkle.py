"""The tree of the log against the constants of RFC 6962 and the cases that textbook verifiers get wrong."""

from hashlib import sha256

import pytest

from policies.translog import merkle
from policies.translog.errors import ProofError
from tests.unit.policies.published_tree import LEAVES, ROOTS


def reader(leaves):
    def read(level, position):
        if level == 0:
            return leaves[position]
        return merkle.node_hash(read(level - 1, 2 * position), read(level - 1, 2 * position + 1))

    return read


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference(size):
    assert merkle.root_of(LEAVES[:size]).hex() == ROOTS[size - 1]
    assert merkle.range_root(0, size, read=reader(LEAVES)).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing():
    assert merkle.root_of([]) == sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_every_inclusion_proof_holds(size):
    for index in range(size):
        proof = merkle.inclusion_proof(index, size, read=reader(LEAVES))
        merkle.verify_inclusion(LEAVES[index], index, size=size, root=bytes.fromhex(ROOTS[size - 1]), proof=proof)


@pytest.mark.parametrize("new", range(1, 9))
def test_every_consistency_proof_holds(new):
    for old in range(1, new + 1):
        proof = merkle.consistency_proof(old, new, read=reader(LEAVES))
        merkle.verify_consistency(
            old, new, old_root=bytes.fromhex(ROOTS[old - 1]), new_root=bytes.fromhex(ROOTS[new - 1]), proof=proof
        )


ROOT = bytes.fromhex(ROOTS[7])
PROOF = merkle.inclusion_proof(5, 8, read=reader(LEAVES))


@pytest.mark.parametrize(
    ("index", "size", "root", "proof"),
    [
        (4, 8, ROOT, PROOF),
        (8, 8, ROOT, PROOF),
        (-1, 8, ROOT, PROOF),
        (5, 4, ROOT, PROOF),
        (5, 8, bytes(32), PROOF),
        (5, 8, ROOT, PROOF[:-1]),
        (5, 8, ROOT, [*PROOF, bytes(32)]),
        (5, 8, ROOT, [PROOF[0][:31], *PROOF[1:]]),
        (5, 8, ROOT, []),
    ],
)
def test_an_inclusion_proof_of_something_else_is_refused(index, size, root, proof):
    with pytest.raises(ProofError):
        merkle.verify_inclusion(LEAVES[5], index, size=size, root=root, proof=proof)


OLD = bytes.fromhex(ROOTS[5])
GROWN = merkle.consistency_proof(6, 8, read=reader(LEAVES))


@pytest.mark.parametrize(
    ("old", "new", "old_root", "proof"),
    [
        (6, 8, bytes(32), GROWN),
        (7, 8, OLD, GROWN),
        (6, 8, OLD, GROWN[:-1]),
        (6, 8, OLD, [*GROWN, bytes(32)]),
        (6, 8, OLD, []),
        (6, 8, OLD[:31], GROWN),
        (4, 8, bytes.fromhex(ROOTS[3]), []),
        (8, 8, OLD, []),
        (8, 8, ROOT, [bytes(32)]),
        (9, 8, OLD, GROWN),
        (-1, 8, OLD, GROWN),
        (0, 8, merkle.EMPTY_ROOT, []),
    ],
)
def test_a_consistency_proof_of_something_else_is_refused(old, new, old_root, proof):
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, new, old_root=old_root, new_root=ROOT, proof=proof)


def test_two_empty_logs_agree_only_by_the_root_of_the_empty_tree():
    merkle.verify_consistency(0, 0, old_root=merkle.EMPTY_ROOT, new_root=merkle.EMPTY_ROOT, proof=[])

    with pytest.raises(ProofError):
        merkle.verify_consistency(0, 0, old_root=bytes(32), new_root=bytes(32), proof=[])


@pytest.mark.parametrize(("index", "size"), [(3, 3), (-1, 3), (0, 0)])
def test_there_is_no_proof_of_what_lies_outside(index, size):
    with pytest.raises(ProofError):
        merkle.inclusion_proof(index, size, read=reader(LEAVES))


@pytest.mark.parametrize(("old", "new"), [(3, 2), (-1, 2)])
def test_there_is_no_proof_that_a_log_shrank(old, new):
    with pytest.raises(ProofError):
        merkle.consistency_proof(old, new, read=reader(LEAVES))
