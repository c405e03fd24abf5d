"""The attacker's lists of persons near one that agrees with everything printed: what lets it end on a large card."""

import numpy as np
import pytest

from policies.disclosure.engine import protect
from policies.disclosure.types import Rules
from tests.attacker.attack_release import Attack, Solver, attack_release, read_printed, secrets
from tests.attacker.exchanges import Exchanges
from tests.attacker.release_equations import Dimensions, Joined, Unknowns
from tests.bench.disclosure import hierarchies_of, report_card, rows_of, small_county


def printed_of(block, cells):
    names = tuple(dimension.name for dimension in block.dimensions)
    dimensions = Dimensions(hierarchies_of(block))
    printed = read_printed(rows_of(cells, names), names, dimensions)
    part = Unknowns(printed, dimensions, whole=block.complete)
    return printed, Joined([part]), secrets(printed, part)


def test_a_list_that_is_found_agrees_with_everything_printed_and_has_the_number_asked_for() -> None:
    block = small_county(3, complete=True)
    cells = protect([block], rules=Rules(insiders=False)).cells
    _, system, secret = printed_of(block, cells)
    solver = Solver(system)
    start = solver.whole_extreme(np.zeros(len(system.rows)))[1].round()

    exchanges = Exchanges(system, start, seed=1)
    wanted = [system.targets[0, *place] for place in sorted(secret, key=str)]
    found = [(row, exchanges.move(row, 1)) for row in wanted]

    assert any(point is not None for _, point in found)
    for row, point in found:
        sums = solver.sums(start if point is None else point)
        assert (sums >= np.array(system.low) - 1e-6).all()
        assert (sums <= np.array(system.high) + 1e-6).all()
        assert point is None or round(sums[row]) == round(solver.sums(start)[row]) + 1


def test_what_is_printed_cannot_be_another_number() -> None:
    block = small_county(3, complete=True)
    printed, system, _ = printed_of(block, protect([block], rules=Rules(insiders=False)).cells)
    start = Solver(system).whole_extreme(np.zeros(len(system.rows)))[1].round()
    told = [system.targets[0, group, "known"] for group, item in printed.items() if "known" in item.told]

    exchanges = Exchanges(system, start, seed=1)

    assert told
    assert [exchanges.move(row, 1) for row in told] == [None] * len(told)


def test_searching_first_finds_what_bounds_find() -> None:
    """Lists show only what is safe; what they leave is bounded as before."""
    block = small_county(3, complete=True)
    cells = protect([block], rules=Rules(insiders=False)).cells
    loose = tuple(cell for cell in cells if cell.table in ("total", "ses", "gender"))
    _, system, secret = printed_of(block, loose)
    wanted = {place: row for place, row in system.targets.items() if place[1:] in secret}
    plain, searched = Attack(system, wanted), Attack(system, wanted)

    searched.exchange()
    ends = [attack.run() for attack in (plain, searched)]

    narrow = [{row for row in wanted.values() if np.diff(attack.interval(row))[0] < 3} for attack in (plain, searched)]
    assert ends == [True, True]
    assert narrow[0] == narrow[1]


@pytest.mark.slow
def test_a_whole_card_that_is_protected_withstands_to_the_end() -> None:
    block = report_card(300, plain=True)
    names = tuple(dimension.name for dimension in block.dimensions)
    cells = protect([block], rules=Rules(insiders=False)).cells

    summary = attack_release(rows_of(cells, names), hierarchies_of(block))[1]

    assert summary["withheld_numbers"] > 0
    assert summary["recovered"] == 0
