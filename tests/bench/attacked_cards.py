"""The independent attacker on whole report cards, to its end; part of `bench disclosure`.

There is no person behind the counts.
"""

import time
from collections.abc import Iterator

from policies.disclosure.engine import protect
from policies.disclosure.types import Rules
from tests.attacker.attack_release import attack_release
from tests.bench.disclosure import hierarchies_of, report_card, rows_of
from tests.bench.measures import Row, at_most


def attacked_card(people: int) -> Iterator[Row]:
    """A card of one cohort year, protected against an outsider and attacked by one."""
    block = report_card(people, plain=True)
    cells = protect([block], rules=Rules(insiders=False)).cells
    rows = rows_of(cells, tuple(dimension.name for dimension in block.dimensions))
    start = time.process_time()
    summary = attack_release(rows, hierarchies_of(block))[1]
    taken = f"{summary['withheld_numbers']} withheld numbers, {time.process_time() - start:.0f} s of one processor"
    yield at_most(f"report card, {people} students, attacked: told ({taken})", summary["recovered"], 0)
