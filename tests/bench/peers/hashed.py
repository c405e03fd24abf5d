"""The peers that hash, run in `.cache/peers`: clkhash encodes, anonlink compares every pair. Imports nothing of ours.

python hashed.py link FOLDER              as clear_text.py; processor seconds of encoding and of comparing are apart
python hashed.py encode N                 records a second of clkhash over its own made-up names, in one process
Weights of fields and the threshold are the best of those tried with the truth in hand: more than a user could do.
"""

from __future__ import annotations

import io
import json
import os
import sys
import warnings
from pathlib import Path

import anonlink
import numpy as np
import pandas as pd
from clkhash import clk, comparators, field_formats, randomnames
from clkhash.schema import Schema

SECRET = "a secret that both have"
BITS = 1024
THRESHOLDS = tuple(hundredths / 100 for hundredths in range(60, 96, 4))
LOWEST_OF_MANY = 0.76
"""Above so many records a lower threshold gives more candidates than memory holds, and all of them false."""
MANY_RECORDS = 20_000
FIELDS = {
    "given_name": (2, 100),
    "surname": (2, 100),
    "date_of_birth": (1, 120),
    "postcode": (1, 80),
    "suburb": (2, 80),
    "sex": (1, 20),
}
"""By field, length of its grams (single digits with their place) and bits a value: the best of eight that were tried
on FEBRL4, among them those of the published examples."""


def main() -> None:
    task, given = sys.argv[1:]
    print(json.dumps(_link(Path(given)) if task == "link" else _encode(int(given))))


def _encode(count: int) -> dict[str, float]:
    names = randomnames.NameList(count)
    text = _text([field.identifier for field in names.SCHEMA.fields], names.names)
    began = _spent()
    _hashed(text, names.SCHEMA)
    return {"records_a_second": count / (_spent() - began), "peak_bytes": _peak()}


def _link(folder: Path) -> dict[str, float]:
    sides = [pd.read_parquet(folder / f"{side}.parquet") for side in "ab"]
    columns = [name for name in FIELDS if name in sides[0].columns]
    thresholds = [each for each in THRESHOLDS if len(sides[0]) < MANY_RECORDS or each >= LOWEST_OF_MANY]
    began = _spent()
    filters = [
        _hashed(_text(columns, side[columns].fillna("").to_numpy().tolist()), _schema(columns)) for side in sides
    ]
    encoded = _spent()
    found = anonlink.candidate_generation.find_candidate_pairs(
        filters, anonlink.similarities.dice_coefficient_accelerated, thresholds[0]
    )
    compared = _spent()
    best = max((_at(found, threshold, sides) for threshold in thresholds), key=lambda shares: shares["f1"])
    spent = {"encode_cpu_seconds": encoded - began, "cpu_seconds": compared - encoded}
    return {**best, **spent, "peak_bytes": _peak()}


def _at(found: object, threshold: float, sides: list[pd.DataFrame]) -> dict[str, float]:
    """One-to-one links of candidates above a threshold, by anonlink's own greedy solver, against the truth."""
    score, datasets, places = found
    enough = np.asarray(score) >= threshold
    some = (
        np.asarray(score)[enough],
        tuple(np.asarray(each)[enough] for each in datasets),
        tuple(np.asarray(each)[enough] for each in places),
    )
    groups = anonlink.solving.greedy_solve(some)
    of = [side["person_id"].to_numpy() for side in sides]
    pairs = [dict(group) for group in groups if len(group) == 2]
    correct = sum(of[0][pair[0]] == of[1][pair[1]] for pair in pairs if len(pair) == 2)
    true = len(set(of[0]) & set(of[1]))
    precision, recall = correct / max(1, len(pairs)), correct / true
    f1 = 2 * precision * recall / max(1e-12, precision + recall)
    return {"precision": precision, "recall": recall, "f1": f1, "best_f1": f1}


def _schema(columns: list[str]) -> Schema:
    """The columns as fields of clkhash."""
    fields = []
    for name in columns:
        grams, bits = FIELDS[name]
        hashing = field_formats.FieldHashingProperties(
            comparator=comparators.NgramComparison(grams, positional=grams == 1),
            strategy=field_formats.BitsPerFeatureStrategy(bits),
        )
        fields.append(field_formats.StringSpec(name, hashing, case="mixed"))
    return Schema(fields, BITS, kdf_info=b"promise", kdf_salt=b"promise", kdf_key_size=64)


def _text(columns: list[str], rows: object) -> str:
    return "\n".join([",".join(columns), *(",".join(str(cell).replace(",", " ") for cell in row) for row in rows)])


def _hashed(text: str, schema: Schema) -> list[object]:
    return clk.generate_clk_from_csv(
        io.StringIO(text), SECRET, schema, validate=False, progress_bar=False, max_workers=1
    )


def _spent() -> float:
    return sum(os.times()[:4])


def _peak() -> int:
    """The most memory of this program; what getrusage tells counts the process that started it too."""
    status = Path("/proc/self/status").read_text("utf-8")
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
