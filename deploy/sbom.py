"""Writes what the programs are made of as CycloneDX, from the lock files, and holds it to them: one part a pin."""

import json
import subprocess
import sys

from check_locks import EDGE, ROOT, USER, versions

BUILD = ROOT / "build"


def write(lock: str, name: str) -> int:
    """One list; how many parts stand in it."""
    target = BUILD / f"sbom-{name}.cdx.json"
    command = ["requirements", str(ROOT / lock), "--output-reproducible", "-o", str(target)]
    subprocess.run([sys.executable, "-m", "cyclonedx_py", *command], check=True)
    return len(json.loads(target.read_text("utf-8"))["components"])


def main() -> int:
    """1 when a list lacks a pin of its lock file."""
    BUILD.mkdir(exist_ok=True)
    for lock, name in ((USER, "hub"), (EDGE, "edge")):
        parts, pins = write(lock, name), len(versions((ROOT / lock).read_text("utf-8")))
        print(f"build/sbom-{name}.cdx.json: {parts} parts")
        if parts != pins:
            print(f"the lock file has {pins} pins")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
