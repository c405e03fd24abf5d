"""The security pages are complete and true to the repository: every row of ASVS, every file that is named."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = ("SECURITY.md", "docs/threat-model.md", "docs/asvs.md", "docs/runbook.md")
ROW = re.compile(
    r"^\| (\d+\.\d+\.\d+)(?:-(\d+\.\d+\.\d+))? \| ([123]) \| (met|not met|n/a) \| ([^|]+) \|(.*)\|$", re.MULTILINE
)
ROWS_BY_CHAPTER = {
    1: 27, 2: 11, 3: 19, 4: 10, 5: 9, 6: 35, 7: 18, 8: 7, 9: 7, 10: 29, 11: 14, 12: 9, 13: 13, 14: 9, 15: 13, 16: 16,
    17: 7,
}  # fmt: skip
"""How many rows of levels 1 and 2 each chapter of ASVS 5.0.0 has."""
OF_LEVEL_THREE = {"2.3.5", "8.3.2", "11.1.4", "14.2.7"}


def rows():
    text = (ROOT / "docs" / "asvs.md").read_text("utf-8")
    found = []
    for first, last, level, state, _, evidence in ROW.findall(text):
        section, _, number = first.rpartition(".")
        until = int(last.rpartition(".")[2]) if last else int(number)
        found += [(f"{section}.{one}", int(level), state, evidence.strip()) for one in range(int(number), until + 1)]
    return found


def test_every_row_of_levels_one_and_two_stands_once_with_those_of_level_three():
    found = rows()
    low = [name for name, level, _, _ in found if level < 3]

    assert len({name for name, *_ in found}) == len(found)
    assert dict(Counter(int(name.split(".")[0]) for name in low)) == ROWS_BY_CHAPTER
    assert Counter(level for _, level, *_ in found) == {1: 70, 2: 183, 3: len(OF_LEVEL_THREE)}
    assert {name for name, level, *_ in found if level == 3} == OF_LEVEL_THREE


def test_the_totals_that_are_told_are_those_of_the_rows_and_the_aim_is_held():
    states = Counter(state for _, level, state, _ in rows() if level < 3)
    told = (ROOT / "docs" / "asvs.md").read_text("utf-8")
    applicable = states["met"] + states["not met"]

    assert f"Of 253 rows {states['n/a']} do not apply. Of the {applicable} that do, {states['met']} are met" in told
    assert states["met"] / applicable >= 0.95
    assert all(state == "met" for _, level, state, _ in rows() if level == 3)


def test_a_row_that_is_met_says_by_what():
    assert [name for name, _, state, evidence in rows() if state == "met" and not evidence] == ["6.4.2"]


def test_every_file_that_a_security_page_names_is_there():
    named = {
        (page, path)
        for page in PAGES
        for path in re.findall(r"`((?:tests|docs|hub|deploy|policies)/[^`*\s]+)`", (ROOT / page).read_text("utf-8"))
        + re.findall(r"\]\(((?!http)[^)#]+)", (ROOT / page).read_text("utf-8"))
    }
    missing = {
        (page, path)
        for page, path in named
        if not ((ROOT / path).exists() or (ROOT / page).parent.joinpath(path).exists())
    }

    assert missing == set()
    assert len(named) > 60
