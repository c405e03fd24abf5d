"""The county's truth and the hub's definitions are written twice and apart: over true links they say the same.

The road without linkage: files are read and assembled as at the edge, joined by the truth, and judged by the SQL.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow as pa
import pytest

from connectors.synthetic.county import make_county
from connectors.synthetic.people import Span
from hub.outcomes.rows import make_outcome_rows, open_counter
from hub.outcomes.snapshot import snapshot_tables
from policies.indicator_files import indicators
from policies.organisation_files import organisations
from policies.pseudonyms import pseudonyms
from tests.integration.synthetic.true_county import facts_of, table, true_links

UNDER = pseudonyms(b"p" * 32, ())
TODAY = dt.date(2026, 11, 22)
OF_PERSONS = (
    "kindergarten-readiness",
    "third-grade-reading",
    "eighth-grade-math",
    "high-school-graduation",
    "postsecondary-enrollment",
    "postsecondary-completion",
)


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    make_county(folder, people=1200, seed=11, span=Span(2019, 2026))
    return folder


@pytest.fixture(scope="module")
def snapshot(county: Path) -> dict[str, pa.Table]:
    return snapshot_tables(facts_of(county), links=true_links(county), organisations=organisations(), under=UNDER)


def judged(snapshot: dict[str, pa.Table], indicator: str, columns: str) -> list[tuple[object, ...]]:
    with open_counter(snapshot, organisations=organisations()) as counter:
        make_outcome_rows(counter, indicators()[indicator])
        return counter.engine.rows(f"SELECT {columns} FROM outcome_rows")


@pytest.mark.parametrize("indicator", OF_PERSONS)
def test_an_indicator_over_true_links_judges_everybody_as_the_truth_does(
    county: Path, snapshot: dict[str, pa.Table], indicator: str
) -> None:
    truth = {
        (int(row["cohort_year"]), UNDER.of(row["person"])): row["outcome"]
        for row in table(county / "truth" / "outcomes.csv")
        if row["indicator"] == indicator
    }

    found = {
        (year, person): outcome
        for year, person, outcome in judged(snapshot, indicator, "cohort_year, person_id, outcome")
    }

    assert len(truth) > 40
    assert Counter(found.values()) == Counter(truth.values())
    assert found == truth


def test_employment_counts_as_many_as_the_truth(county: Path, snapshot: dict[str, pa.Table]) -> None:
    truth: dict[tuple[int, str], int] = defaultdict(int)
    for row in table(county / "truth" / "outcomes.csv"):
        if row["indicator"] == "employment":
            truth[int(row["cohort_year"]), row["outcome"]] += 1

    weighed: dict[tuple[object, object], int] = defaultdict(int)
    for year, outcome, weight in judged(snapshot, "employment", "cohort_year, outcome, weight"):
        weighed[year, outcome] += int(str(weight))

    assert {key: count for key, count in weighed.items() if count} == dict(truth)
