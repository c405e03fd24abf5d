"""The peers that read clear text, run in `.cache/peers`: Splink 5 and recordlinkage. Imports nothing of ours.

python clear_text.py TOOL FOLDER          TOOL: splink, recordlinkage
FOLDER holds a.parquet and b.parquet (unique_id, person_id, given_name, surname, date_of_birth, sex, postcode and, for
FEBRL, suburb). Prints one line of JSON: precision, recall and F1 at the tool's own 0.5 and at the best threshold that
truth could choose, one-to-one; processor seconds (whole, reading and imports left out) and peak bytes.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

NAMES = ("given_name", "surname")
THRESHOLDS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)

MANY_RECORDS = 200_000
TRAINING_PAIRS_MAX = 5_000_000
YEAR = "substr(date_of_birth, 1, 4)"
RULES = (
    ("date_of_birth",),
    ("surname", "given_name"),
    ("surname", "postcode"),
    ("given_name", "postcode"),
    (YEAR, "surname"),
)
RULES_OF_MANY = (
    ("date_of_birth", "given_name"),
    ("date_of_birth", "surname"),
    ("date_of_birth", "postcode"),
    ("surname", "given_name", YEAR),
    ("surname", "given_name", "postcode"),
)
"""Blocks for Splink. At a million a side the first rules give hundreds of millions of pairs (13 GB and many minutes);
the second are what its manual advises there: each so narrow that the pairs stay some tens of millions."""


def main() -> None:
    tool, folder = sys.argv[1], Path(sys.argv[2])
    sides = [pd.read_parquet(folder / f"{side}.parquet") for side in "ab"]
    prepare = {"splink": _import_splink, "recordlinkage": _import_recordlinkage}[tool]
    work = prepare()
    began = _spent()
    scored = work(*sides)
    seconds = _spent() - began
    told = {"cpu_seconds": seconds, "peak_bytes": _peak(), **_measured(scored, sides)}
    print(json.dumps(told))


def _spent() -> float:
    return sum(os.times()[:4])


def _peak() -> int:
    """The most memory of this program; what getrusage tells counts the process that started it too."""
    status = Path("/proc/self/status").read_text("utf-8")
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def _import_splink():
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    def work(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
        febrl = "suburb" in a.columns
        comparisons = [
            cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
            cl.NameComparison("surname").configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, invalid_dates_as_null=False),
            cl.DamerauLevenshteinAtThresholds("postcode", [1]).configure(term_frequency_adjustments=True),
            *([cl.NameComparison("suburb").configure(term_frequency_adjustments=True)] if febrl else []),
            *([] if febrl else [cl.ExactMatch("sex")]),
        ]
        blocks = [block_on(*rule) for rule in (RULES if len(a) <= MANY_RECORDS else RULES_OF_MANY)]
        settings = SettingsCreator(
            link_type="link_only",
            comparisons=comparisons,
            blocking_rules_to_generate_predictions=blocks,
            retain_matching_columns=False,
        )
        api = DuckDBAPI()
        api.duckdb_con.execute("SET threads = 1")
        api.duckdb_con.execute("SET memory_limit = '6GB'")
        names = ("a", "b")
        frames = [api.register(frame, dataset_display_name=name) for name, frame in zip(names, (a, b), strict=True)]
        linker = Linker(frames, settings, log_level="ERROR")
        train = linker.training
        train.estimate_probability_two_random_records_match(
            [block_on("given_name", "surname", "date_of_birth")], recall=0.6
        )
        train.estimate_u_using_random_sampling(max_pairs=1_000_000, seed=1)
        for rule in (block_on("date_of_birth"), block_on("surname", "given_name")):
            train.estimate_parameters_using_expectation_maximisation(rule, max_pairs=TRAINING_PAIRS_MAX)
        found = linker.inference.predict(threshold_match_probability=THRESHOLDS[0])
        scored = found.as_pandas_dataframe()[["unique_id_l", "unique_id_r", "match_weight", "match_probability"]]
        scored.columns = ["left", "right", "weight", "probability"]
        return scored

    return work


def _import_recordlinkage():
    import recordlinkage

    def work(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
        one, other = a.set_index("unique_id"), b.set_index("unique_id")
        keys = (["date_of_birth"], ["given_name", "surname"], ["surname", "postcode"], ["given_name", "postcode"])
        found = None
        for key in keys:
            pairs = recordlinkage.index.Block(key).index(one, other)
            found = pairs if found is None else found.union(pairs)
        compare = recordlinkage.Compare()
        for name in [*NAMES, *(["suburb"] if "suburb" in one else [])]:
            compare.string(name, name, method="jarowinkler", threshold=0.85)
        for name in ("date_of_birth", "postcode", *(["sex"] if "suburb" not in one else [])):
            compare.exact(name, name)
        features = compare.compute(found, one, other)
        chance = recordlinkage.ECMClassifier()
        chance.fit(features)
        probability = chance.prob(features)
        scored = probability.rename("probability").reset_index()
        scored.columns = ["left", "right", "probability"]
        scored["weight"] = scored["probability"]
        return scored

    return work


def _measured(scored: pd.DataFrame, sides: list[pd.DataFrame]) -> dict[str, float]:
    """Shares over one-to-one links, taken greedily in falling weight: at 0.5, and at the best threshold by truth."""
    of_left = dict(zip(sides[0]["unique_id"], sides[0]["person_id"], strict=True))
    of_right = dict(zip(sides[1]["unique_id"], sides[1]["person_id"], strict=True))
    true = len(set(of_left.values()) & set(of_right.values()))
    kept = _one_to_one(scored)
    correct = np.array([of_left[x] == of_right[y] for x, y in zip(kept["left"], kept["right"], strict=True)])
    at = {threshold: _shares(correct[(kept["probability"] >= threshold).to_numpy()], true) for threshold in THRESHOLDS}
    best = max(at.values(), key=lambda shares: shares["f1"])
    return {**at[0.5], "best_f1": best["f1"]}


def _one_to_one(scored: pd.DataFrame) -> pd.DataFrame:
    ordered = scored.sort_values(["weight", "left", "right"], ascending=[False, True, True], kind="stable")
    lefts, rights, kept = set(), set(), []
    for place, (left, right) in enumerate(zip(ordered["left"], ordered["right"], strict=True)):
        if left not in lefts and right not in rights:
            lefts.add(left)
            rights.add(right)
            kept.append(place)
    return ordered.iloc[kept]


def _shares(correct: np.ndarray, true: int) -> dict[str, float]:
    precision = float(correct.mean()) if len(correct) else 1.0
    recall = float(correct.sum()) / true
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / max(1e-12, precision + recall)}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
