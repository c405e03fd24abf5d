"""Spoils notes, checkpoints, proofs, manifests and chunks in every way we know: each is read, or refused as declared.

`python tests/bench/parser_fuzz.py [--inputs N] [--from SEED] [--summary FILE]`, a million by default, in equal parts.
Each input is made from its own seed, so that one that breaks can be made again. Held: no error but the declared one,
what is read can be written again, a spoiled signature or seal never holds, and no refusal tells a marked word.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import gzip
import json
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from linkage.errors import LinkageError
from linkage.rows import span_rows, view_rows
from linkage.sealing import SealingError, generate_recipient_key, seal
from policies.dictionary import FactError, dictionary
from policies.submission import SubmissionError, manifest_bytes, pack_facts, read_facts, read_manifest, submission_id
from policies.translog.checkpoint import CheckpointBody, open_checkpoint, read_body, sign_checkpoint
from policies.translog.errors import TranslogError
from policies.translog.merkle import inclusion_proof, leaf_hash, levels_of, root_of
from policies.translog.note import Verifier, read_note, read_signature, read_vkey
from policies.translog.proof import TlogProof, check_proof, read_proof

INPUTS = 1_000_000
MARK = "zqxwolk"
ORIGIN = "promise-hub/log"
KINDS = ("note", "checkpoint", "proof", "manifest", "chunk")
DECLARED = (TranslogError, SubmissionError, FactError, LinkageError, SealingError)
_PIECES = (
    "\n", "\n\n", "\n\n\n", " ", "\u2014 ", "\u2014", "+", "\x00", "\r\n", "=", "==", "-1", "00",
    "18446744073709551616", "9" * 25, "\u0661\u0662", MARK, f"{MARK}\n", "\ud7ff", "\U0001f600",
    "A" * 44, "AAAA" * 30, "index ", "extra ",
)  # fmt: skip
_VALUES = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**30, 0.5, 1e308, "", MARK, "a" * 300, "0" * 64, "\ud800",
    "\x00", "\u0661", [], {}, [[]], [MARK], {MARK: 1}, {"": 0}, {"\ud800": 1}, "2026-11-22T10:00:00Z", "k12", "rows",
)  # fmt: skip


def main() -> int:
    options = _options()
    world, outcomes, broken = _world(), Counter[str](), []
    begun = time.process_time()
    for seed in range(options.first, options.first + options.inputs):
        outcome = one(seed, world)
        outcomes[outcome] += 1
        if "BROKEN" in outcome:
            broken.append(f"seed {seed}: {outcome}")
    rows = [_row(f"generated inputs, {kind}", _of(outcomes, kind), None) for kind in KINDS]
    rows += [
        _row("generated inputs", sum(outcomes.values()), None),
        _row("inputs that broke a promise", len(broken), 0),
    ]
    rows.append(_row("CPU seconds", round(time.process_time() - begun, 1), None))
    for each in rows:
        print(f"{each['name']:44} {each['value']:>12,}  {'held' if each['held'] else 'NOT HELD'}")
    for outcome, count in sorted(outcomes.items()):
        print(f"  {outcome[:60]:60} {count:>10,}")
    print("\n".join(broken[:20]))
    if options.summary:
        options.summary.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 1 if broken else 0


@dataclass(frozen=True)
class World:
    """Sound ones of every kind, and the keys that they are checked by."""

    verifier: Verifier
    checkpoint: str
    proof: str
    leaf: bytes
    manifest: dict[str, Any]
    rows: bytes
    spans: bytes
    facts: list[dict[str, Any]]
    recipient: Any
    sealed: bytes


def one(seed: int, world: World) -> str:
    """What became of the input of this seed: kind and `read`, the code of its refusal, or BROKEN."""
    chance = random.Random(seed)
    kind = KINDS[seed % len(KINDS)]
    try:
        said = READERS[kind](chance, world)
    except DECLARED as refused:
        told = f"{refused} {refused!r}"
        return f"{kind} BROKEN tells a word" if MARK in told else f"{kind} refused {refused.code}"
    except Exception:  # anything else at all is what this looks for
        return f"{kind} BROKEN {traceback.format_exc(limit=-2)}"
    return f"{kind} {said}"


def _note(chance: random.Random, world: World) -> str:
    text = _spoiled_text(world.checkpoint, chance)
    if chance.random() < 0.2:
        part = _spoiled_text(chance.choice((world.verifier.vkey(), world.checkpoint.splitlines()[-1])), chance)
        return _read_again(chance.choice((read_vkey, read_signature)), part)
    note = read_note(text)
    return "read" if note.written() == text else "BROKEN is not written as it was read"


def _read_again(read: Callable[[str], object], text: str) -> str:
    return "read a part" if repr(read(text)) else "BROKEN"


def _checkpoint(chance: random.Random, world: World) -> str:
    if chance.random() < 0.4:
        body = read_body(_spoiled_text(world.checkpoint.split("\n\n")[0] + "\n", chance))
        return "read a body" if read_body(body.text()) == body else "BROKEN is not written as it was read"
    text = _spoiled_text(world.checkpoint, chance)
    body = open_checkpoint(text, world.verifier)
    sound = open_checkpoint(world.checkpoint, world.verifier)
    return "read" if body == sound else "BROKEN a spoiled checkpoint holds"


def _proof(chance: random.Random, world: World) -> str:
    text = _spoiled_text(world.proof, chance)
    proof = read_proof(text)
    if read_proof(proof.written()) != proof:
        return "BROKEN is not written as it was read"
    check_proof(proof, world.leaf, world.verifier)
    sound = read_proof(world.proof)
    same = (proof.index, proof.path) == (sound.index, sound.path)
    return "read" if same else "BROKEN another path holds"


def _manifest(chance: random.Random, world: World) -> str:
    value = _spoiled_json(world.manifest, chance)
    if chance.random() < 0.3:
        try:
            value = json.loads(_spoiled_text(json.dumps(world.manifest), chance))
        except ValueError:
            return "is no JSON"
    manifest = read_manifest(value)
    again = read_manifest(json.loads(manifest_bytes(manifest)))
    return "read" if submission_id(again) == submission_id(manifest) else "BROKEN has two ids"


def _chunk(chance: random.Random, world: World) -> str:
    draw = chance.random()
    if draw < 0.1:
        sealed = _spoiled_bytes(world.sealed, chance)
        opened = world.recipient.open(sealed, b"info")
        return "opened" if sealed == world.sealed and opened == world.rows else "BROKEN a spoiled seal opens"
    if draw < 0.3:
        view_rows(_spoiled_bytes(world.rows, chance))
        return "read rows"
    if draw < 0.4:
        span_rows(_spoiled_bytes(world.spans, chance))
        return "read spans"
    return _facts(chance, world)


def _facts(chance: random.Random, world: World) -> str:
    packed = b"".join(content for content, _ in pack_facts(world.facts))
    if chance.random() < 0.4:
        packed = _spoiled_bytes(packed, chance)
    elif chance.random() < 0.5:
        packed = gzip.compress(_spoiled_bytes(gzip.decompress(packed), chance), 1, mtime=0)
    else:
        lines = [json.dumps(_spoiled_json(row, chance)) for row in world.facts]
        packed = gzip.compress("\n".join(lines).encode("utf-8", "surrogatepass"), 1, mtime=0)
    law = dictionary()
    for row in read_facts(packed):
        law.check_fact(row, chance.choice(("k12", "k12", "college")))
    return "read facts"


READERS: dict[str, Callable[[random.Random, World], str]] = {
    "note": _note,
    "checkpoint": _checkpoint,
    "proof": _proof,
    "manifest": _manifest,
    "chunk": _chunk,
}


def _spoiled_text(text: str, chance: random.Random) -> str:
    """The text with a few things wrong; sometimes noise; sometimes as it was."""
    if chance.random() < 0.02:
        return "".join(chr(chance.randrange(1, 0xD7FF)) for _ in range(chance.randint(0, 200)))
    for _ in range(chance.randint(0, 4)):
        at, to = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
        to = min(to, at + 60)
        text = chance.choice(
            (
                text[:at] + text[at + 1 :],
                text[:at] + text[to:],
                text[:at] + chance.choice(_PIECES) + text[at:],
                text[:at] + chance.choice(_PIECES) + text[to:],
                text[:at] + text[at:to] * 2 + text[to:],
                text[:at] + text[at:to][::-1] + text[to:],
                text[:at] + text[at:to].swapcase() + text[to:],
                text[:at],
                text[at:],
            )
        )
    return text


def _spoiled_bytes(content: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.02:
        return chance.randbytes(chance.randint(0, 400))
    spoiled = bytearray(content)
    for _ in range(chance.randint(0, 4)):
        at = chance.randint(0, len(spoiled))
        kind = chance.randrange(5)
        if kind == 0 and at < len(spoiled):
            spoiled[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del spoiled[at : at + chance.randint(1, 40)]
        elif kind == 2:
            spoiled[at:at] = chance.choice((b"\x00", b"\xff", b"{", b"[" * 2000, b'"', b"\n", chance.randbytes(7)))
        elif kind == 3:
            del spoiled[at:]
        else:
            spoiled += spoiled[at : at + 80]
    return bytes(spoiled)


def _spoiled_json(value: Any, chance: random.Random) -> Any:
    """A copy with a few members replaced, left out, renamed or doubled, at any depth."""
    copied = json.loads(json.dumps(value))
    for _ in range(chance.randint(0, 3)):
        inner = copied
        while isinstance(inner, (dict, list)) and inner:
            key = chance.choice(list(inner)) if isinstance(inner, dict) else chance.randrange(len(inner))
            if isinstance(inner[key], (dict, list)) and inner[key] and chance.random() < 0.7:
                inner = inner[key]
                continue
            _spoil_member(inner, key, chance)
            break
    return deepcopy(chance.choice(_VALUES)) if chance.random() < 0.01 else copied


def _spoil_member(inner: Any, key: Any, chance: random.Random) -> None:
    kind = chance.randrange(4)
    if kind == 0:
        del inner[key]
    elif kind == 1 and isinstance(inner, list):
        inner.append(inner[key])
    elif kind == 1:
        inner[chance.choice(("", MARK, "sha256", "\ud800", str(key).upper()))] = inner[key]
    else:
        inner[key] = deepcopy(chance.choice(_VALUES))


def _world() -> World:
    key, recipient = Ed25519PrivateKey.from_private_bytes(bytes(range(32))), generate_recipient_key()
    verifier = Verifier(ORIGIN, key.public_key())
    leaves = [leaf_hash(bytes([number]) * 32) for number in range(7)]
    levels = levels_of(leaves)
    proof = inclusion_proof(3, len(leaves), read=lambda level, at: levels[level][at])
    checkpoint = sign_checkpoint(CheckpointBody(ORIGIN, len(leaves), root_of(leaves)), key=key)
    rows, reference = bytes(120 * 3), "0" * 31 + "1"
    chunks = [
        {"sha256": f"{number:064x}", "size": 100, "holds": holds, "view": view, "count": 3}
        for number, (holds, view) in enumerate((("rows", "dob"), ("spans", ""), ("facts", "")))
    ]
    manifest = {
        "format": "promise-submission/1", "provider": "novato", "kind": "k12", "school_year": 2026, "epoch": 1,
        "schema_hash": "0" * 64, "agreement": {"id": "DSA-K12", "version": 1},
        "created_at": f"{dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC):%Y-%m-%dT%H:%M:%SZ}", "records": 3,
        "padded": False, "submission_key": base64.b64encode(bytes(60)).decode(), "chunks": chunks,
        "profile": {"dob": {"values": 3, "largest": 1}}, "facts": {"demographics": 3}, "findings": {"ROW-001": 1},
        "agent_key": "novato:1",
    }  # fmt: skip
    facts = [{"t": "demographics", "r": reference, "gender": "F", "race_ethnicity": "500"} for _ in range(3)]
    read_manifest(manifest)
    written = TlogProof(3, tuple(proof), read_note(checkpoint)).written()
    sealed = seal(recipient.public(), rows, b"info")
    return World(verifier, checkpoint, written, leaves[3], manifest, rows, bytes(96), facts, recipient, sealed)


def _of(outcomes: Counter[str], kind: str) -> int:
    return sum(count for outcome, count in outcomes.items() if outcome.startswith(kind))


def _row(name: str, value: float, bar: float | None) -> dict[str, Any]:
    return {"name": name, "value": value, "bar": bar, "held": bar is None or value <= bar}


def _options() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="run.py bench parser_fuzz", description=__doc__)
    reader.add_argument("--inputs", type=int, default=INPUTS)
    reader.add_argument("--from", dest="first", type=int, default=0)
    reader.add_argument("--summary", type=Path)
    return reader.parse_args()


if __name__ == "__main__":
    sys.exit(main())
