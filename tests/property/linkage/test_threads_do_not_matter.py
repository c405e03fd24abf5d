"""However many threads the libraries beneath may use, a run gives the same bytes; run as a program it prints them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SETTINGS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def _told(threads: int) -> str:
    environment = os.environ | dict.fromkeys(SETTINGS, str(threads)) | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, __file__], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.slow
def test_a_run_gives_the_same_pairs_posteriors_and_persons_on_one_thread_and_on_several() -> None:
    one, two, four = _told(1), _told(2), _told(4)

    assert one == two == four
    assert len(one.split()) == 2


def _digests() -> str:
    from tests.unit.linkage.rosters import Sent, linked, made_up_people

    people = made_up_people(2_000)
    moved = [replace(one, postcode="94999", surname=f"{one.surname} Zumo") for one in people[500:]]
    result = linked([Sent(0, 0, people, year=2018), Sent(1, 1, moved, year=2020), Sent(2, 2, people[:900], year=2022)])
    persons = repr(sorted(result.persons.items())).encode()
    return " ".join(hashlib.sha256(content).hexdigest() for content in (result.pairs.tobytes(), persons))


if __name__ == "__main__":
    print(_digests())
