"""Holds the lock files: every package pinned and hashed, no address in them, one version of each over all locks.

The peers of the benchmarks stand apart: they are never in one environment with the program (clkhash forces an old
cryptography).
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
USER, DEVELOPER, SPARK = "requirements.lock", "requirements-dev.lock", "requirements-spark.lock"
EDGE = "requirements-edge.lock"
LOCKS = ("requirements-uv.lock", USER, DEVELOPER, SPARK, EDGE, "requirements-peers.lock")
PIN = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)(?: ;([^\\]*))? ?(\\?)$")


def faults(name: str, text: str) -> list[str]:
    """What is wrong with one lock file, in words."""
    found = [f"{name}: holds an address" for line in text.splitlines() if "://" in line][:1]
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    for block in blocks:
        first = block.splitlines()[0] if block else ""
        if PIN.match(first) is None:
            found.append(f"{name}: a line that is no exact pin: {first[:60]}")
        elif "--hash=sha256:" not in block:
            found.append(f"{name}: a pin without a hash: {first[:60]}")
    return found


def versions(text: str) -> dict[tuple[str, str], str]:
    """Package and marker to version."""
    pins = (PIN.match(line) for line in text.splitlines())
    return {(pin[1], (pin[3] or "").strip()): pin[2] for pin in pins if pin}


def main() -> int:
    """Prints each fault; 1 when there is one."""
    texts = {name: (ROOT / name).read_text("utf-8") for name in LOCKS}
    found = [fault for name, text in texts.items() for fault in faults(name, text)]
    user, developer, spark, edge = (versions(texts[name]) for name in (USER, DEVELOPER, SPARK, EDGE))
    found += [f"{key[0]}: another version for developers" for key in user if developer.get(key, user[key]) != user[key]]
    found += [f"{key[0]}: another version on Spark" for key in spark if developer.get(key, spark[key]) != spark[key]]
    found += [f"{key[0]}: another version at the edge" for key in edge if user.get(key) != edge[key]]
    for fault in found:
        print(fault)
    print(f"{len(user)} packages for use, {len(developer)} for development: {'not ' if found else ''}in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
