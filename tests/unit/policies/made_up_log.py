"""A made-up log with three districts as its witnesses, for the tests of its formats."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policies.translog import merkle
from policies.translog.checkpoint import CheckpointBody, body_of, sign_checkpoint
from policies.translog.entries import DETAIL_FIELDS, detail_hash, detail_json, entry_text
from policies.translog.note import COSIGNATURE, Note, Verifier, cosign_text, read_note
from policies.translog.policy import majority_policy, witness_name
from policies.translog.proof import TlogProof
from policies.translog.receipt import Receipt
from policies.translog.witness import Growth, Seen

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
