"""How cost grows with the number of people: linkage, counting, files and database; what docs/sizing.md is made from.

`python tests/bench/sizing.py [--people N ...] [--counties N ...] [--districts N ...]
[--only linkage|counting|stores|protection] [--summary FILE]`.
Linkage: two rosters of which 54 % of the people are in both, default views, one thread. Counting: the facts of a small
made-up county, each person many times over, two indicators with all their tables. Stores: whole counties sent, linked
and counted, and what they leave on the disk. Protection: one block of the county's usual tables over so many
districts, each with a cohort of 460 at the mean, insiders and all. Each size is a process of its own. Bars: from one
size to the next
neither CPU a candidate pair nor CPU a person counted grows by more than 20 %.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "deploy")]

PEOPLE = (55_000, 250_000, 1_000_000)
COUNTIES = (1_000, 3_000)
DISTRICTS = (19, 50, 200)
COHORT = 460
"""Pupils of one grade a district: six million pupils of thirteen grades in a thousand districts."""
IN_BOTH = 0.7
"""Of each roster; the two together then hold 1.3 times as many people as one."""
WITHIN = 1.2
INDICATORS = ("third-grade-reading", "postsecondary-completion")
SEED_COUNTY = 1_000
STORES = {"rows": "linkage/rows", "spans": "linkage/spans", "facts and snapshots": "analysis"}


def main() -> int:
    options = _options()
    if options.one:
        print(json.dumps(PARTS[options.one](options.people[0])))
        return 0
    rows: list[dict[str, Any]] = []
    for part in PARTS if options.only is None else (options.only,):
        sizes = {"stores": options.counties, "protection": options.districts}.get(part, options.people)
        rows += ROWS[part]({size: _measured(part, size) for size in sizes})
    for each in rows:
        held = "" if each["bar"] is None else f"  bar {each['bar']}  {'held' if each['held'] else 'MISSED'}"
        print(f"{each['name']:62} {each['value']:>14,}{held}")
    if options.summary:
        options.summary.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0 if all(each["held"] for each in rows) else 1


def linkage(people: int) -> dict[str, float]:
    """Two rosters from rows to persons."""
    from linkage.schema import current_schema
    from tests.bench.linkage import roster_of
    from tests.bench.linkage_people import two_rosters
    from tests.bench.linkage_rows import linked_in_own_process

    views = tuple(view for view in current_schema().default_views if view != "ssid")
    sides = two_rosters(int(people / (2 - IN_BOTH)), overlap=IN_BOTH)
    begun, rosters = time.process_time(), []
    for number, side in enumerate(sides):
        rosters.append(roster_of(side.people, number=number, views=views))
        side.people.clear()
    encoding = time.process_time() - begun
    stored = sum(rows.nbytes for roster in rosters for rows in roster.rows.values())
    found = linked_in_own_process(rosters, views=views)
    return {
        "records": found.records, "pairs": found.candidate_pairs, "cpu": found.cpu_seconds, "peak": found.peak_bytes,
        "row_bytes": stored, "encoding": encoding,
    }  # fmt: skip


def counting(people: int) -> dict[str, float]:
    """Two indicators with all their tables, over the facts of a small county many times over."""
    from connectors.synthetic.county import make_county
    from connectors.synthetic.people import Span
    from hub.outcomes.counting import count_together
    from hub.outcomes.rows import open_counter
    from hub.outcomes.snapshot import PersonLinks, snapshot_tables
    from hub.release.publishing import declared_tables
    from policies.catalogue_files import catalogue
    from policies.organisation_files import organisations
    from policies.pseudonyms import pseudonyms
    from tests.integration.synthetic.true_county import facts_of, true_links

    with tempfile.TemporaryDirectory(prefix="sizing-") as folder:
        make_county(Path(folder), people=SEED_COUNTY, seed=1, span=Span(2017, 2026), file_faults=False)
        links, under = true_links(Path(folder)), pseudonyms(b"p" * 32, ())
        persons = PersonLinks(links.provider, links.reference, links.person)
        once = snapshot_tables(facts_of(Path(folder)), links=persons, organisations=organisations(), under=under)
    tables = {name: _many(table, people // SEED_COUNTY) for name, table in once.items()}
    declared = {name: declared_tables(catalogue())[name] for name in INDICATORS}
    begun = time.process_time()
    with open_counter(tables, organisations=organisations()) as counter:
        loaded = time.process_time() - begun
        blocks = count_together(counter, declared)
    rows = sum(table.num_rows for table in tables.values())
    return {
        "people": people // SEED_COUNTY * SEED_COUNTY, "facts": rows, "cpu": time.process_time() - begun,
        "loading": loaded, "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, "blocks": len(blocks),
    }  # fmt: skip


def _many(table: Any, times: int) -> Any:
    """Every person of a table so many times over; a table without persons as it is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if "person_id" not in table.column_names:
        return table
    at = table.column_names.index("person_id")

    def copy(number: int) -> Any:
        named = pc.binary_join_element_wise(table["person_id"], f"{number:05d}", "")
        return table.set_column(at, table.field(at), named)

    return pa.concat_tables([copy(number) for number in range(times)])


def stores(people: int) -> dict[str, float]:
    """A whole county, sent, linked and counted: bytes on the disk and rows of the database."""
    import demo

    with tempfile.TemporaryDirectory(prefix="sizing-") as name:
        run = demo.Demonstration(Path(name), people=people, seed=1)
        run.clear()
        before = os.times()
        try:
            demo.bring_in(run)
            run.hub("link", "linkage", "run", "--accept")
            run.hub("a second person accepts the run", "operations", "approve-made-up")
            run.hub("count and protect", "release", "prepare")
        finally:
            run.stop()
        used = os.times()
        home = run.home
        found = {store: float(_bytes(home / folder)) for store, folder in STORES.items()}
        found["database"] = float(sum(path.stat().st_size for path in home.glob("hub.db*")))
        return (
            found
            | _rows_of(home / "hub.db")
            | {"cpu": used.children_user + used.children_system - before[2] - before[3]}
        )


def protection(districts: int) -> dict[str, float]:
    """One cohort year of one indicator by the usual tables, over districts of very different size."""
    import random

    from policies.disclosure.engine import protect
    from policies.disclosure.types import Rules
    from tests.bench.disclosure import kept, small_county

    chance = random.Random(1)
    enrolment = [max(1, int(chance.lognormvariate(0, 1.2) * 100)) for _ in range(districts)]
    protect([small_county(1)], rules=Rules())  # compiles what searches, once
    block = small_county(2, people=COHORT * districts, enrolment=enrolment, areas=max(4, districts // 17))
    begun = time.process_time()
    result = protect([block], rules=Rules())
    return {
        "districts": districts, "people": COHORT * districts, "cells": len(result.cells),
        "cpu": time.process_time() - begun, "kept": kept([block], result), "clean": float(result.verdict.clean),
        "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }  # fmt: skip


def _rows_of(database: Path) -> dict[str, float]:
    import sqlite3

    opened = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return {
            f"rows of {table}": float(opened.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            for table in ("links", "linkage_history", "audit_entries", "released_cells")
        }
    finally:
        opened.close()


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def linkage_rows(found: Mapping[int, Mapping[str, float]]) -> list[dict[str, Any]]:
    rows = []
    for size, one in found.items():
        name = f"linkage of {size:,} people"
        rows += [
            _row(f"{name}: records", one["records"]),
            _row(f"{name}: candidate pairs a record", one["pairs"] / one["records"]),
            _row(f"{name}: CPU seconds, rows to persons", one["cpu"]),
            _row(f"{name}: nanoseconds a candidate pair", one["cpu"] / one["pairs"] * 1e9),
            _row(f"{name}: peak GB", one["peak"] / 1e9),
            _row(f"{name}: bytes of rows a record", one["row_bytes"] / one["records"]),
            _row(f"{name}: CPU seconds to encode at the edges", one["encoding"]),
        ]
    return [*rows, dearer(found, "pairs", name="linkage: CPU a candidate pair")]


def counting_rows(found: Mapping[int, Mapping[str, float]]) -> list[dict[str, Any]]:
    rows = []
    for size, one in found.items():
        name = f"counting {size:,} people"
        rows += [
            _row(f"{name}: rows of facts", one["facts"]),
            _row(f"{name}: CPU seconds, two indicators, all tables", one["cpu"]),
            _row(f"{name}: of them to load the snapshot", one["loading"]),
            _row(f"{name}: microseconds a person", one["cpu"] / one["people"] * 1e6),
            _row(f"{name}: peak GB", one["peak"] / 1e9),
        ]
    return [*rows, dearer(found, "people", name="counting: CPU a person")]


def protection_rows(found: Mapping[int, Mapping[str, float]]) -> list[dict[str, Any]]:
    rows = []
    for size, one in found.items():
        name = f"protection of {size:,} districts"
        rows += [
            _row(f"{name}: people", one["people"]),
            _row(f"{name}: cells", one["cells"]),
            _row(f"{name}: CPU seconds, one block", one["cpu"]),
            _row(f"{name}: milliseconds a cell", one["cpu"] / one["cells"] * 1e3),
            _row(f"{name}: kept share of cells of 11 or more", one["kept"]),
            _row(f"{name}: clean", one["clean"]),
            _row(f"{name}: peak GB", one["peak"] / 1e9),
        ]
    return rows


def stores_rows(found: Mapping[int, Mapping[str, float]]) -> list[dict[str, Any]]:
    rows = [_row(f"county of {size:,}: {name}", value) for size, one in found.items() for name, value in one.items()]
    sizes = sorted(found)
    for name in found[sizes[0]]:
        slope = (found[sizes[-1]][name] - found[sizes[0]][name]) / (sizes[-1] - sizes[0])
        rows.append(_row(f"a person more: {name}", slope))
    return rows


def dearer(found: Mapping[int, Mapping[str, float]], unit: str, *, name: str) -> dict[str, Any]:
    """How much more CPU one of a unit costs at a size than at the one before; one size alone beside itself."""
    costs = [found[size]["cpu"] / found[size][unit] for size in sorted(found)]
    most = max((later / first for first, later in pairwise(costs)), default=1.0)
    return _row(f"{name}, times that at the size before, at the most", most, at_most=WITHIN)


PARTS: dict[str, Callable[[int], dict[str, float]]] = {
    "linkage": linkage,
    "counting": counting,
    "stores": stores,
    "protection": protection,
}
ROWS: dict[str, Callable[[Mapping[int, Mapping[str, float]]], list[dict[str, Any]]]] = {
    "linkage": linkage_rows,
    "counting": counting_rows,
    "stores": stores_rows,
    "protection": protection_rows,
}


def _measured(part: str, size: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", part, "--people", str(size)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(f"{part} {size:,}: measured", file=sys.stderr, flush=True)
    return told


def _row(name: str, value: float, *, at_most: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "bar": at_most, "held": at_most is None or value <= at_most}


def _options() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="run.py bench sizing", description=__doc__)
    reader.add_argument("--people", type=int, nargs="+", default=PEOPLE)
    reader.add_argument("--counties", type=int, nargs="+", default=COUNTIES)
    reader.add_argument("--districts", type=int, nargs="+", default=DISTRICTS)
    reader.add_argument("--only", choices=PARTS)
    reader.add_argument("--one", choices=PARTS, help=argparse.SUPPRESS)
    reader.add_argument("--summary", type=Path)
    return reader.parse_args()


if __name__ == "__main__":
    sys.exit(main())
