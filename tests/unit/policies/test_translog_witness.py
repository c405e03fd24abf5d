"""What a witness takes and refuses, and what shows a fork."""

import json

import pytest

from policies.translog import merkle
from policies.translog.checkpoint import CheckpointBody
from policies.translog.errors import (
    NoteError,
    ProofError,
    TranslogError,
    WitnessError,
)
from policies.translog.witness import Fork, ForkError, Seen, check_growth, is_proven, read_fork, read_growth
from tests.unit.policies.made_up_log import LOG, ORIGIN, WITNESSES, growth_of, leaves_of, note_of, seen_of


def test_a_witness_takes_the_first_checkpoint_and_then_only_what_grew_out_of_it():
    first = check_growth(read_growth(growth_of(0, 5).written()), seen=None, log=LOG)
    second = check_growth(read_growth(growth_of(5, 9).written()), seen=first, log=LOG)
    again = check_growth(growth_of(9, 9), seen=second, log=LOG)

    assert (first.body.size, second.body.size, again.body.size) == (5, 9, 9)


def test_a_witness_that_saw_an_empty_log_takes_any_growth():
    empty = Seen(note_of([]), CheckpointBody(ORIGIN, 0, merkle.EMPTY_ROOT))

    assert check_growth(growth_of(0, 3), seen=empty, log=LOG).body.size == 3


def test_growth_from_another_place_than_was_seen_is_refused():
    with pytest.raises(ProofError):
        check_growth(growth_of(3, 5), seen=None, log=LOG)
    with pytest.raises(ProofError):
        check_growth(growth_of(3, 9), seen=seen_of(5), log=LOG)


@pytest.mark.parametrize(("old", "new"), [(5, 9), (8, 9), (5, 5), (7, 16)])
def test_a_rewritten_log_is_refused_and_the_fork_is_kept(old, new):
    with pytest.raises(ForkError) as found:
        check_growth(growth_of(old, new, salt=b"other"), seen=seen_of(old), log=LOG)

    fork = read_fork(found.value.fork.written())
    assert found.value.code == "WITNESS-002"
    assert fork == found.value.fork
    # From a power of two the proof leaves the old root out, so it has to be asked for: a challenge until then.
    assert is_proven(fork, LOG) is (old & (old - 1) != 0 or old == new)


def test_a_fork_from_a_power_of_two_is_proven_once_the_other_root_is_there():
    growth = growth_of(8, 9, salt=b"other")
    other_root = merkle.root_of(leaves_of(9, salt=b"other")[:8])
    fork = Fork(LOG, seen_of(8).note, growth.checkpoint, (other_root, *growth.proof))

    assert is_proven(fork, LOG)


def test_a_log_that_became_shorter_is_refused():
    with pytest.raises(ForkError) as found:
        check_growth(growth_of(0, 3), seen=seen_of(5), log=LOG)

    assert found.value.code == "WITNESS-001"
    assert not is_proven(found.value.fork, LOG)


def test_two_checkpoints_of_one_history_prove_no_fork():
    growth = growth_of(5, 9)

    assert not is_proven(Fork(LOG, seen_of(5).note, growth.checkpoint, growth.proof), LOG)
    assert not is_proven(Fork(LOG, seen_of(0).note, growth.checkpoint, (bytes(31),)), LOG)
    with pytest.raises(NoteError):
        is_proven(Fork(LOG, seen_of(5).note, growth.checkpoint, ()), WITNESSES["fenbrook"])


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "promise-fork/1"}', '{"format": "x", "proof": []}'])
def test_what_is_no_fork_proof_is_refused(text):
    with pytest.raises(WitnessError):
        read_fork(text)


def test_a_fork_proof_with_a_broken_note_is_refused_as_a_note():
    value = json.loads(Fork(LOG, seen_of(5).note, seen_of(6).note, ()).written())

    with pytest.raises(NoteError):
        read_fork(json.dumps(value | {"seen": "nothing"}))


@pytest.mark.parametrize("text", ["", "old 1", "new 1\n\nx", "old 01\n\nx", "old x\n\nx"])
def test_what_is_no_growth_is_refused(text):
    with pytest.raises(TranslogError):
        read_growth(text)
