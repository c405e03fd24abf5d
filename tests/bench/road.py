"""How long the whole road takes and how much it holds in memory, stage by stage, at three sizes of the county.

`python tests/bench/road.py [--people N ...] [--summary FILE]` conducts the demonstration's own programs, each as a
process of its own, and writes rows {name, value, bar, held}. A bar of null is a figure without a bar. CPU seconds are
those of the stage's program with all that it starts; those of the hub's serving processes meanwhile stand beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "deploy"))

import demo
from process_memory import PeakMemory

SIZES = (3_000, 15_000, 55_000)
EDGE, SIZE_OF_BARS = "check, encode and push", 55_000
# Seconds of the whole demonstration run again on two cores, and of the edge's step; megabytes of all processes.
ROAD_SECONDS, ROAD_MEGABYTES = 180.0, 3000.0
EDGE_SECONDS: Mapping[int, float] = {3_000: 12.0, 55_000: 60.0}
EDGE_CPU_SECONDS, EDGE_MEGABYTES = 80.0, 900.0
# Stages whose work may grow no faster than the county, within this part.
LINEAR = ("make the county", EDGE, "count and protect")
GROWTH = 1.2
_CLOCK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class Row:
    """One figure with its bar."""

    name: str
    value: float
    bar: float | None
    held: bool


@dataclass(frozen=True)
class Stage:
    """What one program of the road took."""

    seconds: float
    cpu_seconds: float
    hub_cpu_seconds: float
    megabytes: float


class MeasuredRoad(demo.Demonstration):
    """The demonstration with every program run under this module's own measuring parent."""

    def __init__(self, folder: Path, *, people: int, seed: int) -> None:
        super().__init__(folder, people=people, seed=seed)
        self.stages: dict[str, Stage] = {}

    def step(self, name: str, *command: object, accept: tuple[int, ...] = (0,)) -> str:
        """As the demonstration's own, measured."""
        told = self.logs / f"{name.replace(' ', '-')}.json"
        before, begun = self._hub_cpu(), time.perf_counter()
        printed = super().step(name, Path(__file__), "--measure", told, *command, accept=accept)
        seconds = time.perf_counter() - begun
        used = json.loads(told.read_text("utf-8"))
        hub = round(self._hub_cpu() - before, 2)
        self.stages[name] = Stage(round(seconds, 2), used["cpu_seconds"], hub, used["megabytes"])
        return printed

    def _hub_cpu(self) -> float:
        return cpu_seconds_of_tree(self.server.pid) if self.server is not None else 0.0


def measure(told: Path, command: Sequence[str]) -> int:
    """Runs one program as the only child; writes what it and all it started took. Returns its exit status."""
    import resource  # this side runs on POSIX only, as the demonstration's bars do

    status = subprocess.run([sys.executable, *command], check=False).returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {"cpu_seconds": round(used.ru_utime + used.ru_stime, 2), "megabytes": round(used.ru_maxrss / 1000)}
    told.write_text(json.dumps(figures), "utf-8")
    return status


def cpu_seconds_of_tree(root: int) -> float:
    """CPU seconds of a process and its descendants so far; 0 where /proc does not tell."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(fields[1])
        used[int(folder.name)] = sum(int(one) for one in fields[11:15]) / _CLOCK
    return sum(seconds for process, seconds in used.items() if _descends(process, root, parents))


def _descends(process: int, root: int, parents: Mapping[int, int]) -> bool:
    while process not in (0, root):
        process = parents.get(process, 0)
    return process == root


def road(people: int, folder: Path) -> tuple[dict[str, Stage], Iterator[Row]]:
    """The whole road once; its stages and its rows."""
    run = MeasuredRoad(folder, people=people, seed=1)
    run.clear()
    begun = time.perf_counter()
    try:
        with PeakMemory() as memory:
            demo.bring_in(run)
            demo.bring_out(run)
            demo.look_for_leaks(run)
    finally:
        run.stop()
    seconds = round(time.perf_counter() - begun, 1)
    return run.stages, _rows(people, run.stages, seconds=seconds, megabytes=memory.peak_mb)


def _rows(people: int, stages: Mapping[str, Stage], *, seconds: float, megabytes: float) -> Iterator[Row]:
    full = people == SIZE_OF_BARS
    for name, stage in stages.items():
        mine = name == EDGE
        yield at_most(f"{people} people: {name}: seconds", stage.seconds, EDGE_SECONDS.get(people) if mine else None)
        bar = EDGE_CPU_SECONDS if mine and full else None
        yield at_most(f"{people} people: {name}: CPU seconds", stage.cpu_seconds, bar)
        if stage.hub_cpu_seconds:
            yield at_most(f"{people} people: {name}: CPU seconds of the hub meanwhile", stage.hub_cpu_seconds, None)
        yield at_most(f"{people} people: {name}: MB", stage.megabytes, EDGE_MEGABYTES if mine else None)
    yield at_most(f"{people} people: whole road: seconds", seconds, ROAD_SECONDS if full else None)
    yield at_most(f"{people} people: whole road: MB of all processes", megabytes, ROAD_MEGABYTES if full else None)


def growths(found: Mapping[int, Mapping[str, Stage]]) -> Iterator[Row]:
    """How much more CPU time a person costs in the larger of two neighbouring sizes; 1 is linear."""
    sizes = sorted(found)
    for small, large in pairwise(sizes):
        for name, stage in found[large].items():
            before = found[small].get(name)
            if before is None or not before.cpu_seconds:
                continue
            # The smallest county has eight school years and the others ten: its growth is shown without a bar.
            bar = GROWTH if name in LINEAR and small != min(SIZES) else None
            value = stage.cpu_seconds / before.cpu_seconds * small / large
            yield at_most(f"growth from {small} to {large} people: {name}", round(value, 2), bar)


def at_most(name: str, value: float, bar: float | None) -> Row:
    return Row(name, value, bar, bar is None or value <= bar)


def main() -> int:
    if sys.argv[1:2] == ["--measure"]:
        return measure(Path(sys.argv[2]), sys.argv[3:])
    options = _options()
    rows: list[Row] = []
    found: dict[int, Mapping[str, Stage]] = {}
    with tempfile.TemporaryDirectory(prefix="road-") as temporary:
        for people in options.people:
            print(f"{people} people", flush=True)
            try:
                found[people], measured = road(people, (options.folder or Path(temporary)) / str(people))
                rows += measured
            except demo.DemonstrationError as stopped:
                print(stopped, file=sys.stderr)
                rows.append(Row(f"{people} people: the road was gone to its end", 0, 1, held=False))
    rows += growths(found)
    for row in rows:
        bar = "" if row.bar is None else f"{row.bar:g}"
        print(f"{row.name:75} {row.value:>10} {bar:>8}  {'held' if row.held else 'NOT HELD'}")
    if options.summary:
        told: list[dict[str, Any]] = [asdict(row) for row in rows]
        options.summary.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    return 0 if all(row.held for row in rows) else 1


def _options() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="bench road", description=__doc__)
    reader.add_argument("--people", type=int, nargs="+", default=list(SIZES))
    reader.add_argument("--folder", type=Path, help="keep the demonstrations here")
    reader.add_argument("--summary", type=Path, help="write the rows as JSON")
    return reader.parse_args()


if __name__ == "__main__":
    sys.exit(main())
