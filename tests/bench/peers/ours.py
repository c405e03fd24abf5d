"""Ours as a process of its own, for processor time and memory beside the peers': stored rows to persons.

python ours.py FOLDER VIEW...      FOLDER holds a.rows and b.rows; prints one line of JSON as the peers do
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from hub.linking.engine import EngineChoice, started
from hub.linking.standalone import link_files


def main() -> None:
    folder, *views = sys.argv[1:]
    small, whole = ([Path(folder, kind, f"{side}.rows") for side in "ab"] for kind in ("small", "whole"))
    with started(EngineChoice()) as engine:
        link_files(small, engine=engine, views=views)  # compiles, or loads what was compiled
        before = time.process_time()
        linked = link_files(whole, engine=engine, views=views)
        seconds = time.process_time() - before
    told = {"cpu_seconds": seconds, "peak_bytes": _peak()}
    print(json.dumps({**told, "persons": linked.quality.persons}))


def _peak() -> int:
    """The most memory of this program; what getrusage tells counts the process that started it too."""
    status = Path("/proc/self/status").read_text("utf-8")
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


if __name__ == "__main__":
    main()
