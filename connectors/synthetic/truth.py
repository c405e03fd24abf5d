"""Writes what is true of the county, apart from all that providers hold: for evaluation, never for the road."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from connectors.synthetic.outcomes import OUTCOME_TITLES, outcome_rows
from connectors.synthetic.world import World

RECORD_TITLES = ("provider", "local_id", "person", "custom", "marked", "ssid")
PEOPLE_TITLES = (
    "person",
    "custom",
    "given",
    "middle",
    "surname",
    "birth_date",
    "marked",
    "alias_given",
    "guardian_given",
)


def write_truth(folder: Path, world: World) -> None:
    """`records.csv`, `people.csv` and `outcomes.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "records.csv", RECORD_TITLES, _records(world))
    _write(folder / "people.csv", PEOPLE_TITLES, _spellings(world))
    _write(folder / "outcomes.csv", OUTCOME_TITLES, outcome_rows(world))


def person_name(number: int) -> str:
    """The person's name in the truth."""
    return f"P{number:06d}"


def _records(world: World) -> Iterable[Sequence[str]]:
    records, people = world.records, world.people
    names = [one.name for one in world.county.organisations]
    columns = (records.organisation.tolist(), records.local_id, records.person.tolist(), records.ssid)
    for organisation, local_id, person, ssid in zip(*columns, strict=True):
        marked = "yes" if people.marked[person] else "no"
        yield names[organisation], local_id, person_name(person), people.custom[person], marked, ssid


def _spellings(world: World) -> Iterable[Sequence[str]]:
    """Every writing of every person, once."""
    records, people = world.records, world.people
    seen: set[tuple[int, tuple[str, ...]]] = set()
    found: list[tuple[int, tuple[str, ...]]] = []
    parts = [getattr(spelling, name) for name in ("given", "middle", "surname", "birth", "alias")
             for spelling in (records.before, records.after)]  # fmt: skip
    for i, person in enumerate(records.person.tolist()):
        for late in (0, 1):
            spelling = tuple(str(parts[k + late][i]) for k in range(0, 10, 2))
            if (person, spelling) not in seen:
                seen.add((person, spelling))
                found.append((person, spelling))
    order = np.argsort([person for person, _ in found], kind="stable")
    for k in order.tolist():
        person, (given, middle, surname, birth, alias) = found[k]
        marked = "yes" if people.marked[person] else "no"
        yield (
            person_name(person),
            people.custom[person],
            given,
            middle,
            surname,
            birth,
            marked,
            alias,
            people.names.guardian[person],
        )


def _write(path: Path, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(titles)
        writer.writerows(rows)
