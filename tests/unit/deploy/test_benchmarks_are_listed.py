"""`run.py bench` says which benchmarks there are, before anything is set up."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run.py"), "bench", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_without_a_name_each_benchmark_is_told_in_a_line() -> None:
    scripts = {path.stem for path in (ROOT / "tests" / "bench").glob("*.py") if "def main(" in path.read_text("utf-8")}

    answer = bench()

    lines = [line.split(maxsplit=1) for line in answer.stdout.splitlines()[1:]]
    assert answer.returncode == 0
    assert {name for name, _ in lines} == scripts
    assert all(len(said) > 20 for _, said in lines)


def test_a_name_that_is_none_is_refused_with_the_names_there_are() -> None:
    answer = bench("nothing-of-the-kind")

    assert answer.returncode == 2
    assert answer.stdout.startswith("no benchmark of that name\n")
    assert "  disclosure    What disclosure control costs" in answer.stdout
