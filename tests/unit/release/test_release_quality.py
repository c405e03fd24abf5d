"""Our release beside three simpler ways: each does what its method says, and what it gives away is counted."""

from dataclasses import replace

import pytest

from hub.release.quality import (
    CELL_KEY,
    NOISE_MAX,
    OURS,
    PRIMARY,
    ROUNDING,
    Kept,
    _noise_table,
    as_text,
    noise,
    release_quality,
)
from policies.disclosure.engine import protect
from policies.disclosure.types import BaseCell, Block, Dimension, Rules, TableDeclaration, Tally

BLOCK = Block(
    indicator="reading",
    cohort_year=2026,
    dimensions=(
        Dimension(name="group", levels=("a", "b", "c", "d"), parents={"a": "north", "b": "north"}),
        Dimension(name="sex", levels=("f", "m")),
    ),
    cells=tuple(
        BaseCell(levels=(group, sex), tally=Tally(n, n, n // 2))
        for group, n in (("a", 4), ("b", 31), ("c", 24), ("d", 40))
        for sex in ("f", "m")
    ),
    tables=(
        TableDeclaration(name="group", dimensions=("group",), priority=1),
        TableDeclaration(name="sex", dimensions=("sex",), priority=2),
    ),
    complete=True,
)


def measured(block: Block = BLOCK):
    return release_quality([block], protect([block], rules=Rules(insiders=False)).cells)


def test_ours_is_exact_adds_up_and_gives_nothing_away() -> None:
    ours = measured().methods[0]

    assert ours.method == OURS
    assert (ours.rate_error, ours.astray, ours.small, ours.given_away) == (0.0, 0.0, 1, 0)
    assert ours.exact + ours.ranged + ours.hidden == pytest.approx(1)
    assert ours.hidden > 0


def test_primary_suppression_alone_shows_all_and_gives_the_small_group_away() -> None:
    primary = measured().methods[1]

    assert (primary.method, primary.exact, primary.given_away) == (PRIMARY, 1.0, 1)


def test_rounding_and_noise_are_wrong_by_a_little_and_do_not_add_up() -> None:
    rounding, key = measured().methods[2:]

    assert (rounding.method, key.method) == (ROUNDING, CELL_KEY)
    assert rounding.rate_error > 0
    assert key.rate_error > 0
    assert rounding.astray + key.astray > 0


def test_what_is_kept_is_told_by_table_and_by_level() -> None:
    found = measured()

    assert [kept.name for kept in found.tables] == ["group", "sex"]
    assert Kept("sex: f", 1, 1, 1) in found.levels
    assert all(kept.ours <= kept.groups == kept.primary for kept in found.levels)
    assert as_text(found).splitlines()[-1].startswith("  sex: 3 of 3")


def test_a_block_without_persons_has_no_shares() -> None:
    empty = replace(BLOCK, cells=())

    assert {one.exact for one in measured(empty).methods} == {0.0}


def test_noise_has_no_drift_never_goes_under_nought_and_leaves_nobody_alone() -> None:
    for count in range(1, NOISE_MAX + 1):
        steps, shares = _noise_table(count)

        assert min(steps) == -count
        assert sum(shares) == pytest.approx(1)
        assert sum(step * share for step, share in zip(steps, shares, strict=True)) == pytest.approx(0, abs=1e-6)
    assert noise(0.5, 0) == 0
    assert noise(1.0, 50) == NOISE_MAX
    assert noise(0.0, 50) == -NOISE_MAX


def test_the_same_group_gets_the_same_noise_in_every_table() -> None:
    twice = replace(BLOCK, tables=(*BLOCK.tables, TableDeclaration(name="again", dimensions=("group",), priority=3)))

    assert measured(twice).methods[3].rate_error == measured().methods[3].rate_error
