"""Two looks at the same report that share no code find the same numbers: the command and the attacker of the tests."""

import csv
import io
import random
from dataclasses import replace

import pytest

from hub.release.reports.finding import check_report
from hub.release.reports.reading import Wanted, read_report
from policies.disclosure.engine import protect
from policies.disclosure.types import Block, ReleasedCell, Rules
from tests.attacker.attack_release import attack_release
from tests.bench.disclosure import hierarchies_of, rows_of, small_county, truth_of

Found = set[tuple[tuple[tuple[str, str], ...], str, int, int]]


def usual_report(block: Block, cells: tuple[ReleasedCell, ...], chance: random.Random) -> tuple[ReleasedCell, ...]:
    """Every group of 11 or more with its rate, and some of them hidden by somebody's hand."""
    hidden = {cell.levels: chance.random() < 0.1 for cell in cells}
    return tuple(
        replace(cell, status="C", n=None, known=None, k=None, rate=None, rate_low=None, rate_high=None)
        if int(row["known"]) < 11 or hidden[cell.levels]
        else replace(cell, status="F", n=int(row["n"]), known=int(row["n"]), k=int(row["k"]), rate=None, rate_low=None)
        for cell, row in zip(cells, truth_of(block, cells), strict=True)
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_command_and_the_attacker_give_the_same_numbers_away(seed: int) -> None:
    chance = random.Random(seed)
    block = small_county(seed, people=chance.randrange(60, 140), complete=True)
    cells = usual_report(block, protect([block], rules=Rules(insiders=False)).cells, chance)
    names = tuple(dimension.name for dimension in block.dimensions)
    rows = [{**row, **{name: row[name] or "Total" for name in names}} for row in rows_of(cells, names)]

    by_attacker: Found = {
        (group(item["levels"]), {"known": "n"}.get(item["count"], item["count"]), item["low"], item["high"])
        for item in attack_release(rows, hierarchies_of(block))[0]
    }
    text = io.StringIO()
    writer = csv.DictWriter(text, [*names, "n", "k"], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    report = read_report(text.getvalue(), Wanted(hierarchies=hierarchies_of(block)))
    lines = {line.number: line.group for line in report.sheets[0].lines}
    by_command: Found = {
        (lines[one.line], one.number.replace("n - k", "no"), one.low, one.high)
        for one in check_report(report).found
        if one.kind != "small"
    }

    assert {one for one in by_attacker if one[1] in ("n", "k")} == {one for one in by_command if one[1] in ("n", "k")}
    assert by_command


def group(levels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(pair for pair in levels.items() if pair[1] != "Total"))
