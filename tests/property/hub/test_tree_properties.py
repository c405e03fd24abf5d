"""What must hold for trees of every size: proofs hold, and nothing else does."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.translog import merkle
from policies.translog.errors import ProofError

SIZES = st.integers(1, 200)


def leaves_of(size):
    return [sha256(number.to_bytes(4, "big")).digest() for number in range(size)]


def reader(leaves):
    known = {}
    frontier = []
    for number, leaf in enumerate(leaves):
        known[0, number] = leaf
        known.update({(level, at): value for level, at, value in merkle.push(frontier, number, leaf)})
    return lambda level, position: known[level, position]


def recursive_root(leaves):
    """RFC 6962 section 2.1, as written."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.node_hash(recursive_root(leaves[:split]), recursive_root(leaves[split:]))


@given(SIZES)
def test_the_root_is_that_of_the_definition(size):
    leaves = leaves_of(size)

    assert merkle.root_of(leaves) == merkle.range_root(0, size, read=reader(leaves)) == recursive_root(leaves)


@given(SIZES, st.data())
def test_a_proof_of_inclusion_holds_and_no_altered_one_does(size, data):
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, read=reader(leaves))
    root = merkle.root_of(leaves)

    merkle.verify_inclusion(leaves[index], index, size=size, root=root, proof=proof)

    if proof:
        at, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
        altered = (int.from_bytes(proof[at], "big") ^ (1 << bit)).to_bytes(32, "big")
        with pytest.raises(ProofError):
            merkle.verify_inclusion(
                leaves[index], index, size=size, root=root, proof=[*proof[:at], altered, *proof[at + 1 :]]
            )


@given(SIZES, st.data())
def test_a_proof_of_growth_holds_and_no_other_old_root_does(new, data):
    leaves = leaves_of(new)
    old = data.draw(st.integers(1, new))
    proof = merkle.consistency_proof(old, new, read=reader(leaves))
    old_root, new_root = merkle.root_of(leaves[:old]), merkle.root_of(leaves)

    merkle.verify_consistency(old, new, old_root=old_root, new_root=new_root, proof=proof)

    with pytest.raises(ProofError):
        merkle.verify_consistency(old, new, old_root=bytes(32), new_root=new_root, proof=proof)
