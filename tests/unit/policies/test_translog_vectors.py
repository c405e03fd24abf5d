"""The log's mathematics and forms against published constants and vectors."""

import json
from base64 import b64encode

import pytest

from policies.translog import merkle
from policies.translog.checkpoint import CheckpointBody, open_checkpoint, sign_checkpoint
from policies.translog.errors import (
    NoteError,
)
from policies.translog.note import read_note, read_vkey, signed_by
from policies.translog.vectors import run_vectors
from tests.unit.policies.made_up_log import (
    KEY,
    LOG,
    SPEC_NOTE,
    leaves_of,
    tree,
)
from tests.unit.policies.published_tree import ROOTS

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_note_of_the_format_s_authors_opens_and_a_changed_one_does_not():
    note = f"{PETER_TEXT}\n{PETER_LINE}"

    assert signed_by(read_note(note), [read_vkey(PETER)])
    with pytest.raises(NoteError):
        signed_by(read_note(note.replace("answer", "question")), [read_vkey(PETER)])


def vector_files():
    leaves = leaves_of(8)
    root, read = tree(leaves)
    b64 = lambda value: b64encode(value).decode()  # noqa: E731
    inclusion = {
        "leafIdx": 3, "treeSize": 8, "root": b64(root), "leafHash": b64(leaves[3]),
        "proof": [b64(value) for value in merkle.inclusion_proof(3, 8, read=read)], "wantErr": False,
    }  # fmt: skip
    consistency = {
        "size1": 3, "size2": 8, "root1": b64(merkle.root_of(leaves[:3])), "root2": b64(root),
        "proof": [b64(value) for value in merkle.consistency_proof(3, 8, read=read)], "wantErr": False,
    }  # fmt: skip
    tlog = {
        "hashes": {
            "empty_root": merkle.EMPTY_ROOT.hex(), "empty_leaf": ROOTS[0],
            "leaf_L123456": "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56",
            "node_N123_N456": "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb",
        },
        "record_hash_hello_world_b64": "TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=",
        "checkpoint_example": SPEC_NOTE.split("\n\n", maxsplit=1)[0] + "\n", "cosigned_example_note": SPEC_NOTE,
        "cosig_timestamp": 1679315147, "tile_paths_ok": ["tile/4/0/001.p/5", "tile/3/5/x123/x456/078"],
        "tlog_tiles_index_example": {"index": 1234067, "path": "x001/x234/067"},
        "tile_count_example": {
            "size": 70000, "full_level0": 273, "partial_level0_width": 112, "full_level1": 1,
            "partial_level1_width": 17, "partial_level2_width": 1,
        },
    }  # fmt: skip
    notes = {"notes": [{"note": f"{PETER_TEXT}\n{PETER_LINE}", "keys": [PETER], "wantErr": False}]}
    return {"inclusion": inclusion, "consistency": consistency, "tlog": tlog, "notes": notes}


def test_published_vectors_of_each_known_form_are_run():
    found = run_vectors((name, json.dumps(value).encode()) for name, value in vector_files().items())

    assert (found.passed, found.failed, found.skipped) == (14, (), 0)


def test_a_vector_that_does_not_hold_is_named_and_an_unknown_file_is_skipped():
    files = vector_files()
    wrong = {
        "a": files["inclusion"] | {"leafIdx": 2}, "b": files["consistency"] | {"wantErr": True},
        "c": {"hashes": {}, "checkpoint_example": "", "tile_paths_ok": [], "cosigned_example_note": "none"},
        "d": files["notes"] | {"notes": [files["notes"]["notes"][0] | {"wantErr": True}]},
    }  # fmt: skip

    found = run_vectors(
        [
            *((name, json.dumps(value).encode()) for name, value in wrong.items()),
            ("e", b"{"),
            ("f", b"[]"),
            ("g", b"{}"),
        ]
    )

    assert {"a", "b", "d 0", "c checkpoint", "c cosigned note"} <= set(found.failed)
    assert (found.passed, found.skipped) == (0, 3)


def test_an_origin_is_needed_to_open_a_checkpoint_of_another_log():
    with pytest.raises(NoteError):
        open_checkpoint(sign_checkpoint(CheckpointBody("other.test/log", 1, bytes(32)), key=KEY), LOG)
