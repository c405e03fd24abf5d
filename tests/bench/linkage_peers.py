"""Peers of the benchmarks, run in an environment of their own (`.cache/peers`) on the same people in the same command.

`run.py bench linkage --peers` and `bench encode --peers` make that environment from requirements-peers.lock. Splink and
recordlinkage read clear text; clkhash encodes and anonlink compares encodings, all pairs, at the threshold that truth
chooses. Every peer runs in one thread. A bar that names a peer is not held unless the peer ran.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.linkage_people import Side

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".cache" / "peers" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
SCRIPTS = Path(__file__).resolve().parent / "peers"
SPLINK, RECORDLINKAGE, ANONLINK = "Splink", "recordlinkage", "clkhash with anonlink"
_COMMANDS = {
    SPLINK: ("clear_text.py", "splink"),
    RECORDLINKAGE: ("clear_text.py", "recordlinkage"),
    ANONLINK: ("hashed.py", "link"),
}
SPLINK_CPU_SHARE = 1 / 3
"""At most a third of the processor time of Splink on clear text, at a million records a side (issue 4)."""
TIMES_CLKHASH = 3.0
SEVERAL_HOURS = 36_000
MANY_RECORDS = 200_000


class PeersMissingError(Exception):
    """There is no environment of the peers."""


@dataclass(frozen=True)
class Ours:
    """What we measured on the same people: F1 at 0.5, processor seconds from stored rows to persons, peak bytes of a
    process that does no more."""

    f1: float
    cpu_seconds: float
    peak_bytes: float


def compared_with_peers(
    name: str,
    sides: Sequence[Side],
    *,
    ours: Ours,
    run: bool,
    suburbs: Sequence[Sequence[str | None]] | None = None,
) -> list[dict[str, Any]]:
    """The rows about peers on one set of people; where they are not to run, only the bar that names one, not held.

    Beyond MANY_RECORDS a side recordlinkage's table of pairs
    and anonlink's comparison of all pairs are left out: they need more memory than the machine has, and hours.
    """
    many = len(sides[0].people) > MANY_RECORDS
    if not run:
        return [splink_share_row(name, None)] if many else []
    peers = (SPLINK,) if many else (SPLINK, RECORDLINKAGE, ANONLINK)
    return peer_rows(name, sides, ours=ours, peers=peers, suburbs=suburbs)


def peer_rows(
    name: str,
    sides: Sequence[Side],
    *,
    ours: Ours,
    peers: Sequence[str],
    suburbs: Sequence[Sequence[str | None]] | None = None,
) -> list[dict[str, Any]]:
    """Rows of the benchmark: each peer on these people, and the ratio of ours to it."""
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        _write(Path(folder), sides, suburbs=suburbs)
        return [row for peer in peers for row in _rows(name, peer, measured(peer, Path(folder)), ours=ours)]


def measured(peer: str, folder: Path) -> Mapping[str, float]:
    """What a peer says of the people in a folder."""
    return _run(*_COMMANDS[peer], str(folder))


def clkhash_records_a_second(count: int) -> float:
    """The speed of clkhash over its own made-up names, in one process."""
    return float(_run("hashed.py", "encode", str(count))["records_a_second"])


def clkhash_row(rate: float, peer: float | None) -> dict[str, Any]:
    """The bar that names clkhash: how many times its speed ours is; not held where it did not run."""
    times = None if peer is None else rate / peer
    return peer_row("times clkhash", times, bar=f">= {TIMES_CLKHASH}", held=(times or 0.0) >= TIMES_CLKHASH)


def peer_row(name: str, value: float | None, *, bar: str = "none", held: bool = True) -> dict[str, Any]:
    """A row of the benchmark; the value of what did not run is None."""
    return {"name": name, "value": value, "bar": bar, "held": held}


def _rows(name: str, peer: str, told: Mapping[str, float], *, ours: Ours) -> list[dict[str, Any]]:
    said = f"{name} {peer}"
    spent = told["cpu_seconds"] + told.get("encode_cpu_seconds", 0.0)
    share = ours.cpu_seconds / spent
    return [
        peer_row(f"{said} F1", told["f1"]),
        peer_row(f"{said} F1 at the threshold truth chooses", told["best_f1"]),
        peer_row(f"{said} CPU seconds", spent),
        peer_row(f"{said} peak GB", told["peak_bytes"] / 1e9),
        peer_row(f"{name} F1 less that of {peer}", ours.f1 - told["f1"]),
        splink_share_row(name, share) if peer == SPLINK else peer_row(f"{name} CPU, share of {peer}", share),
        peer_row(f"{name} memory, share of {peer}", ours.peak_bytes / told["peak_bytes"]),
    ]


def splink_share_row(name: str, share: float | None) -> dict[str, Any]:
    """Our processor time as a share of Splink's: a bar at a million a side, not held where Splink did not run."""
    barred = name.startswith("1000k")
    held = not barred or (share is not None and share <= SPLINK_CPU_SHARE)
    return peer_row(
        f"{name} CPU, share of {SPLINK}", share, bar=f"<= {SPLINK_CPU_SHARE:.3f}" if barred else "none", held=held
    )


def _run(script: str, *words: str) -> dict[str, float]:
    """One peer's script in its own environment and process."""
    if not PYTHON.exists():
        raise PeersMissingError("start the benchmark as: python3 run.py bench NAME --peers")
    return _told([str(PYTHON), "-W", "ignore", str(SCRIPTS / script), *words])


def _told(command: Sequence[str]) -> dict[str, float]:
    """The last line of JSON that a program prints; it works in one thread."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    environment = {"PATH": "/usr/bin:/bin", **one_thread}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=SEVERAL_HOURS)
    if done.returncode:
        raise RuntimeError(f"{Path(command[-2]).name} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _write(folder: Path, sides: Sequence[Side], *, suburbs: Sequence[Sequence[str | None]] | None) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for number, (letter, side) in enumerate(zip("ab", sides, strict=True)):
        columns: dict[str, list[Any]] = {
            "unique_id": [person.local_record for person in side.people],
            "person_id": list(side.truth),
            "given_name": [person.given for person in side.people],
            "surname": [person.surname for person in side.people],
            "date_of_birth": [person.birth_date for person in side.people],
            "postcode": [person.postcode for person in side.people],
        }
        if suburbs is None:
            columns["sex"] = [person.sex for person in side.people]
        else:
            columns["suburb"] = list(suburbs[number])
        pq.write_table(pa.table(columns), folder / f"{letter}.parquet")
