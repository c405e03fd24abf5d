"""What is wrong in the county's files, at the rates that dirt.yaml and errors.yaml state."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest
import yaml

from connectors.synthetic.calibration import load_calibration, load_pool
from connectors.synthetic.dirt import CHANGES, Dirt, all_dirt, spoiled
from connectors.synthetic.forms import FileLines, forms

ROWS = 20_000


def lines_of(form: str, cell: str) -> FileLines:
    separator = forms()[form].separator
    width = max([40, forms()[form].titles.count(separator) + 1])
    return FileLines(form, np.full(ROWS, 2026), np.zeros(ROWS, dtype=np.int64), [separator.join([cell] * width)] * ROWS)


@pytest.mark.parametrize("one", all_dirt(), ids=lambda one: f"{one.form} {one.cell} {one.change}")
def test_a_fault_befalls_its_cell_at_its_rate(one: Dirt) -> None:
    cell = {"iso_date": "03/05/2019", "short_date": "03/05/2019", "gender_word": "F", "no_zero": "03"}.get(
        one.change, "12/28/2019"
    )
    separator = forms()[one.form].separator

    after = spoiled(lines_of(one.form, cell), np.random.default_rng(3))

    changed = CHANGES[one.change](cell) if one.change in CHANGES else cell + cell
    found = [line.split(separator) for line in after.lines]
    spoiled_so = sum(cells[one.place] == changed for cells in found)
    assert changed != cell
    assert spoiled_so / ROWS == pytest.approx(one.rate, abs=0.012, rel=0.1)


def test_only_the_cells_that_are_named_are_spoiled() -> None:
    before = lines_of("SINF", "94901")
    places = {one.place for one in all_dirt() if one.form == "SINF"}

    after = spoiled(before, np.random.default_rng(3))

    apart = {
        place
        for one, other in zip(before.lines, after.lines, strict=True)
        for place, (a, b) in enumerate(zip(one.split("^"), other.split("^"), strict=True))
        if a != b
    }
    assert apart == places


@pytest.mark.parametrize(
    ("change", "cell", "expected"),
    [
        ("iso_date", "03/05/2019", "2019-03-05"),
        ("iso_date", "", ""),
        ("dashed_date", "03/05/2019", "03-05-2019"),
        ("short_date", "03/05/2019", "3/5/2019"),
        ("blank", "anything", ""),
        ("first_letter", "Female", "F"),
        ("gender_word", "F", "Female"),
        ("gender_word", "", ""),
        ("five_digits", "1234567890", "12345"),
        ("zip_plus_4", "94901", "94901-1234"),
        ("no_zero", "03", "3"),
        ("no_zero", "11", "11"),
        ("underscore", "R1", "R1_"),
    ],
)
def test_a_cell_is_spoiled_as_offices_spoil_it(change: str, cell: str, expected: str) -> None:
    assert CHANGES[change](cell) == expected


def test_every_fault_and_every_error_says_on_what_it_rests() -> None:
    text = resources.files("connectors.synthetic").joinpath("errors.yaml").read_text("utf-8")
    processes = yaml.safe_load(text)["processes"]

    assert all(one.basis and 0 < one.rate < 1 for one in all_dirt())
    assert {one.change for one in all_dirt()} <= {*CHANGES, "after_field"}
    assert set(load_calibration().writing) == set(processes)
    assert all(one["whom"] and one["what"] and 0 < one["rate"] < 1 for one in processes.values())
    assert "Harron" in text
    assert "Damerau" in text


def test_no_name_is_much_commoner_than_in_life() -> None:
    pools = [load_pool(name) for name in ("given_girl", "given_boy", "given_hispanic_girl", "given_hispanic_boy")]

    assert all(pool.weights.max() < 0.05 for pool in pools)
    assert all(len(set(pool.words)) == len(pool.words) for pool in pools)
