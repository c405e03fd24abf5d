"""Checkpoints, cosignatures, policies, proofs, tiles, witnesses and receipts: each holds, and one change refuses it."""

import datetime as dt
import json
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policies.translog import merkle
from policies.translog.checkpoint import CheckpointBody, body_of, open_checkpoint, read_body, sign_checkpoint
from policies.translog.entries import DETAIL_FIELDS, detail_hash, detail_json, entry_bytes, entry_text
from policies.translog.errors import (
    CheckpointError,
    CosignatureError,
    EntryError,
    NoteError,
    PolicyError,
    ProofError,
    TileError,
    TranslogError,
    WitnessError,
)
from policies.translog.note import COSIGNATURE, Note, Signature, Verifier, cosign_text, read_note, read_vkey, signed_by
from policies.translog.policy import NONE, check_cosigned, majority_policy, read_policy, witness_name
from policies.translog.proof import TlogProof, check_proof, read_proof
from policies.translog.receipt import Receipt, check_receipt, read_receipt
from policies.translog.tiles import Tile, index_path, read_index, read_tile, tile_content, tiles_of
from policies.translog.vectors import run_vectors
from policies.translog.witness import Fork, ForkError, Growth, Seen, check_growth, is_proven, read_fork, read_growth

ORIGIN = "log.test/hub"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG = Verifier(ORIGIN, KEY.public_key())
DISTRICTS = ("fenbrook", "quollmere", "zarnholt")
WITNESS_KEYS = {name: Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"-")) for name in DISTRICTS}
WITNESSES = {
    name: Verifier(witness_name(ORIGIN, name), key.public_key(), COSIGNATURE) for name, key in WITNESS_KEYS.items()
}
POLICY = majority_policy(LOG, {name: {f"{name}:1": verifier} for name, verifier in WITNESSES.items()})
NOW = 1_795_000_000


def tree(leaves):
    """A tree in memory: its root, and a reader of its nodes."""
    levels = merkle.levels_of(leaves)
    return merkle.root_of(leaves), lambda level, at: levels[level][at]


def leaves_of(count, *, salt=b""):
    return [merkle.leaf_hash(salt + bytes([number])) for number in range(count)]


def note_of(leaves, *, key=KEY, origin=ORIGIN):
    return read_note(sign_checkpoint(CheckpointBody(origin, len(leaves), merkle.root_of(leaves)), key=key))


def cosigned(note, *names, at=NOW):
    lines = [cosign_text(note.text, name=witness_name(ORIGIN, name), key=WITNESS_KEYS[name], at=at) for name in names]
    return Note(note.text, (*note.signatures, *lines))


def growth_of(old, new, *, salt=b""):
    leaves = leaves_of(new, salt=salt)
    proof = merkle.consistency_proof(old, new, read=tree(leaves)[1]) if old else []
    return Growth(old, tuple(proof), note_of(leaves))


def seen_of(count, *, salt=b""):
    note = note_of(leaves_of(count, salt=salt))
    return Seen(note, body_of(note, LOG))


# The examples of the specifications of signed notes, checkpoints and cosignatures.
SPEC_NOTE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+"
    "zyWE+xeMcTOAYQ8=\n"
    "\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0"
    "xUe+mbIUBkBIfZ+qnA==\n"
)


def test_the_example_of_the_cosignature_specification_is_read_and_written_back():
    note = read_note(SPEC_NOTE)

    assert note.written() == SPEC_NOTE
    assert read_body(note.text).size == 20852163
    assert int.from_bytes(note.signatures[1].content[:8], "big") == 1679315147


def test_a_cosignature_is_over_its_time_and_the_whole_text_and_stands_for_no_other_signature():
    note = cosigned(note_of(leaves_of(3)), "fenbrook")
    line = note.signatures[1]
    key = WITNESS_KEYS["fenbrook"].public_key()

    key.verify(line.content[8:], f"cosignature/v1\ntime {NOW}\n{note.text}".encode())
    assert signed_by(note, [LOG, WITNESSES["fenbrook"]]) == {LOG: 0, WITNESSES["fenbrook"]: NOW}
    assert WITNESSES["fenbrook"].key_id != Verifier(WITNESSES["fenbrook"].name, key).key_id
    assert LOG != "another thing"


@pytest.mark.parametrize("at", range(8 + 64))
def test_every_changed_byte_of_a_cosignature_refuses_the_note(at):
    note = cosigned(note_of(leaves_of(3)), "fenbrook")
    line = note.signatures[1]
    content = bytes(byte ^ (at == place) for place, byte in enumerate(line.content))
    changed = Note(note.text, (note.signatures[0], Signature(line.name, line.key_id, content)))

    with pytest.raises(CosignatureError) as refused:
        signed_by(changed, [LOG, WITNESSES["fenbrook"]])

    assert refused.value.code == "COSIGN-002"


def test_a_time_beyond_the_format_is_refused():
    note = note_of(leaves_of(1))
    verifier = WITNESSES["fenbrook"]
    beyond = Signature(verifier.name, verifier.key_id, b"\xff" * 72)

    with pytest.raises(CosignatureError):
        signed_by(Note(note.text, (beyond,)), [verifier])


def test_signatures_of_unknown_keys_are_ignored_and_alone_they_are_not_enough():
    note = cosigned(note_of(leaves_of(2)), "fenbrook")

    assert signed_by(note, [LOG]) == {LOG: 0}
    with pytest.raises(NoteError) as refused:
        signed_by(note, [WITNESSES["zarnholt"]])
    assert refused.value.code == "NOTE-003"


def test_a_false_signature_of_a_known_key_refuses_the_note():
    other = note_of(leaves_of(2), key=Ed25519PrivateKey.from_private_bytes(bytes(32)))
    forged = Note(other.text, (Signature(LOG.name, LOG.key_id, other.signatures[0].content),))

    with pytest.raises(NoteError) as refused:
        signed_by(forged, [LOG])

    assert refused.value.code == "NOTE-002"


def test_a_checkpoint_under_a_good_signature_but_of_another_origin_is_refused():
    text = f"other.test/log\n0\n{b64encode(merkle.EMPTY_ROOT).decode()}\n"
    note = Note(text, (Signature(LOG.name, LOG.key_id, KEY.sign(text.encode())),))

    with pytest.raises(CheckpointError) as refused:
        body_of(note, LOG)

    assert refused.value.code == "CHECKPOINT-002"


def test_extension_lines_of_a_checkpoint_are_let_pass_and_empty_ones_are_not():
    text = CheckpointBody(ORIGIN, 1, bytes(32)).text()

    assert read_body(f"{text}extension\n").size == 1
    for wrong in (f"{text}\nafter nothing\n", text[:-1], "\n1\nAAAA\n"):
        with pytest.raises(CheckpointError):
            read_body(wrong)


def test_a_note_that_is_too_long_or_has_control_characters_is_refused():
    for wrong in ("x" * 70_000, SPEC_NOTE.replace("example", "exa\tmple"), SPEC_NOTE + SPEC_NOTE.split("\n\n")[1] * 70):
        with pytest.raises(NoteError):
            read_note(wrong)


BASE64_OF_OTHER_SPELLING = LOG.vkey()[:-2] + ("B=" if LOG.vkey()[-2] != "B" else "C=")


@pytest.mark.parametrize(
    "vkey",
    ["", "name", "name+00000000+AAAA", LOG.vkey().replace("+", "", 1), LOG.vkey() + "x", BASE64_OF_OTHER_SPELLING],
)
def test_a_verifier_key_that_does_not_hold_together_is_refused(vkey):
    with pytest.raises(NoteError):
        read_vkey(vkey)


def test_a_verifier_key_under_another_name_or_type_is_refused():
    name, key_id, encoded = LOG.vkey().split("+", 2)

    for wrong in (
        f"other+{key_id}+{encoded}",
        f"a b+{key_id}+{encoded}",
        f"{name}+{key_id}+{b64encode(bytes(33)).decode()}",
    ):
        with pytest.raises(NoteError):
            read_vkey(wrong)


def test_a_majority_of_districts_has_to_cosign_and_an_organisation_counts_once():
    note = note_of(leaves_of(5))

    body, cosigners = check_cosigned(cosigned(note, "fenbrook", "zarnholt"), POLICY)

    assert (body.size, set(cosigners.values())) == (5, {NOW})
    for names in ((), ("fenbrook",), ("fenbrook", "fenbrook")):
        with pytest.raises(CosignatureError) as refused:
            check_cosigned(cosigned(note, *names), POLICY)
        assert refused.value.code == "COSIGN-003"


def test_cosignatures_without_the_log_s_own_signature_are_not_enough():
    note = note_of(leaves_of(5))
    witnesses_alone = Note(note.text, cosigned(note, "fenbrook", "zarnholt").signatures[1:])

    with pytest.raises(CosignatureError):
        check_cosigned(witnesses_alone, POLICY)


def test_without_agents_of_districts_the_policy_asks_for_no_witness_and_says_so():
    empty = majority_policy(LOG, {"fenbrook": {}})

    assert empty.written() == f"log {LOG.vkey()}\nquorum none\n"
    assert check_cosigned(note_of(leaves_of(2)), empty)[0].size == 2
    assert read_policy(empty.written()).quorum == NONE


def test_a_policy_is_written_and_read_back_the_same():
    assert read_policy(POLICY.written()) == POLICY
    text = POLICY.written()
    assert read_policy(f"# who cosigns\n\n{text}").quorum == "districts"


W = [f"{name}:1" for name in DISTRICTS]
VKEYS = {name: verifier.vkey() for name, verifier in WITNESSES.items()}
TWO = f"witness a {VKEYS['fenbrook']}\nwitness b {VKEYS['zarnholt']} https://b.test\n"


def test_groups_of_groups_and_shorthands_are_understood():
    policy = read_policy(
        f"log {LOG.vkey()} https://log.test\n{TWO}witness c {VKEYS['quollmere']}\n"
        "group one any a b\ngroup whole all one c\nquorum whole\n"
    )
    note = note_of(leaves_of(2))

    assert check_cosigned(cosigned(note, "zarnholt", "quollmere"), policy)
    with pytest.raises(CosignatureError):
        check_cosigned(cosigned(note, "fenbrook", "zarnholt"), policy)


@pytest.mark.parametrize(
    "text",
    [
        "", "quorum none\nquorum none\n", f"{TWO}quorum c\n", f"{TWO}group g 3 a b\nquorum g\n",
        f"{TWO}group g x a b\nquorum g\n", f"{TWO}group g any a a\nquorum g\n", f"{TWO}group g any c\nquorum g\n",
        f"{TWO}group g any a\ngroup h any a\nquorum h\n", f"{TWO}group a any b\nquorum a\n",
        f"witness none {VKEYS['fenbrook']}\nquorum none\n", f"witness a {LOG.vkey()}\nquorum a\n",
        f"log {VKEYS['fenbrook']}\nquorum none\n", f"{TWO}witness d {VKEYS['fenbrook']}\nquorum a\n", "what\n",
    ],
)  # fmt: skip
def test_a_policy_that_is_not_well_defined_is_refused(text):
    with pytest.raises(PolicyError):
        read_policy(text)


@pytest.mark.parametrize("size", [1, 2, 5, 8, 13])
def test_a_proof_is_written_read_back_and_holds(size):
    leaves = leaves_of(size)
    path = merkle.inclusion_proof(size // 2, size, read=tree(leaves)[1])
    text = TlogProof(size // 2, tuple(path), note_of(leaves)).written()

    proof = read_proof(text)

    assert proof.written() == text
    assert check_proof(proof, leaves[size // 2], LOG).size == size
    with_extra = text.replace("@v1\n", "@v1\nextra AAAA\n")
    assert read_proof(with_extra) == proof


@pytest.mark.parametrize(
    "text",
    ["", "c2sp.org/tlog-proof@v1\n\n", "c2sp.org/tlog-proof@v1\nindex 01\n\nx", "c2sp.org/tlog-proof@v1\nindex x\n\nx",
     "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx", "other\nindex 1\n\nx"],
)  # fmt: skip
def test_what_is_no_proof_is_refused(text):
    with pytest.raises(ProofError) as refused:
        read_proof(text)

    assert refused.value.code == "PROOF-002"


def test_tiles_are_named_and_filled_as_the_specification_says():
    counted = tiles_of(70_000)

    assert index_path(1_234_067) == "x001/x234/067"
    assert read_index("x001/x234/067") == 1_234_067
    assert sum(tile.level == 0 and tile.width == 256 for tile in counted) == 273
    assert [tile.path() for tile in counted if tile.width < 256] == ["0/273.p/112", "1/001.p/17", "2/000.p/1"]
    assert [tile.path() for tile in tiles_of(256)] == ["0/000", "1/000.p/1"]
    assert all(read_tile(tile.path()) == tile for tile in counted)


@pytest.mark.parametrize(
    "path",
    ["", "0", "0/1", "0/0001", "64/000", "01/000", "0/x000/001", "0/000.p/0", "0/000.p/256", "0/000.p/", "0/abc"],
)
def test_a_path_that_names_no_tile_is_refused(path):
    with pytest.raises(TileError):
        read_tile(path)


def test_a_tile_holds_the_hashes_of_its_range_and_nothing_beyond_the_log():
    leaves = leaves_of(250) + leaves_of(50, salt=b"more")
    read = tree(leaves)[1]

    assert tile_content(Tile(0, 1, 44), 300, read=read) == b"".join(leaves[256:])
    assert tile_content(Tile(1, 0, 1), 300, read=read) == merkle.root_of(leaves[:256])
    for beyond in (Tile(0, 1), Tile(2, 0, 1), Tile(9, 0, 1)):
        with pytest.raises(TileError):
            tile_content(beyond, 300, read=read)


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


DETAIL = dict.fromkeys(DETAIL_FIELDS) | {
    "event": "submission.accepted", "actor": "resolver", "request_id": "r", "method": "m", "resource": "submission:1",
    "outcome": "done", "counts": {"rows": 3}, "versions": {},
}  # fmt: skip
SALT = bytes(range(16))


def receipt_of(size=6, at=4, detail=None):
    entry = entry_text(at, "2026-11-22T13:00:00.000000+00:00", "submission.accepted", detail_hash(DETAIL, SALT))
    leaves = leaves_of(size)
    leaves[at] = merkle.leaf_hash(entry)
    path = merkle.inclusion_proof(at, size, read=tree(leaves)[1])
    proof = TlogProof(at, tuple(path), note_of(leaves)).written()
    return Receipt(at, entry.decode(), (detail or detail_json(DETAIL)).decode(), SALT.hex(), proof)


def test_a_receipt_shows_what_happened_when_and_where_it_stands():
    shown = check_receipt(receipt_of(), LOG)

    assert (shown.sequence, shown.event, shown.resource, shown.size) == (4, "submission.accepted", "submission:1", 6)


@pytest.mark.parametrize("part", ["entry", "detail", "salt", "proof"])
def test_every_changed_character_of_a_receipt_is_refused_with_a_code(part):
    receipt = receipt_of()
    text = getattr(receipt, part)

    for at in range(len(text)):
        changed = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        with pytest.raises(TranslogError) as refused:
            check_receipt(Receipt(**(vars(receipt) | {part: changed})), LOG)
        assert refused.value.code != "TRANSLOG-000"


def test_a_receipt_whose_parts_belong_to_two_events_is_refused():
    receipt, other = receipt_of(), receipt_of(size=9, at=5)
    leaves = leaves_of(6)
    shifted = TlogProof(4, (), note_of(leaves)).written().replace("index 4", "index 3")

    for changed in ({"proof": other.proof}, {"sequence": 5}, {"proof": shifted}, {"salt": "é" * 32}):
        with pytest.raises(TranslogError):
            check_receipt(Receipt(**(vars(receipt) | changed)), LOG)


@pytest.mark.parametrize("detail", [b"{", b"[]", b"{}", detail_json(DETAIL).replace(b",", b", ", 1)])
def test_a_detail_that_is_not_an_event_s_is_refused(detail):
    with pytest.raises(EntryError):
        check_receipt(receipt_of(detail=detail), LOG)


def test_a_proof_written_in_another_way_is_refused():
    receipt = receipt_of()

    with pytest.raises(EntryError):
        check_receipt(Receipt(**(vars(receipt) | {"proof": receipt.proof.replace("@v1\n", "@v1\nextra AA==\n")})), LOG)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        vars(receipt_of()) | {"sequence": "4"},
        vars(receipt_of()) | {"more": 1},
        vars(receipt_of()) | {"salt": 1},
    ],
)
def test_what_is_no_receipt_is_refused(value):
    with pytest.raises(EntryError):
        read_receipt(value)


def test_a_receipt_of_json_is_read():
    assert read_receipt(json.loads(json.dumps(vars(receipt_of())))) == receipt_of()


def test_the_detail_is_written_as_canonical_json():
    expected = json.dumps(DETAIL, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    assert detail_json(DETAIL) == expected
    time = dt.datetime(2026, 11, 22, 13, tzinfo=dt.UTC)
    assert entry_bytes(3, time=time, event="e", detail_hash="h").split(b"\n")[2] == b"2026-11-22T13:00:00.000000+00:00"


# RFC 6962 and RFC 9162 constants, from the specifications and the reference implementation's published tests.
LEAVES = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    bytes(range(0x50, 0x58)),
    bytes(range(0x60, 0x70)),
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_of_the_standard_s_eight_leaves_are_the_published_ones(size):
    assert merkle.root_of([merkle.leaf_hash(entry) for entry in LEAVES[:size]]).hex() == ROOTS[size - 1]


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
