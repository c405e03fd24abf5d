"""The resolver's last step on Spark: persons by an iteration over DataFrames, then the constrained joining.

Accepted pairs first fall into connected components (labels spread along pairs until none changes). A component is
never a person by itself: inside each, pairs are taken in falling weight under the same constraints, by the same
compiled code and in the same order as `linkage.match.persons.joined_heads`. Components do not touch each other, so
the persons are the same.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from linkage.match.evidence import Evidence
from linkage.match.persons import PairsToJoin, heads_of_pairs
from linkage.match.spans import Records

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SPAN_FIELDS = 5
_HEADS_SPARK = "record long, head long"
_HEADS = pa.schema([("record", pa.int64()), ("head", pa.int64())])
_RECORDS_A_PART = 100_000


def joined_heads(
    evidence: Evidence, *, accepted: NDArray[np.bool_], records: Records, session: SparkSession, folder: Path
) -> NDArray[np.int64]:
    """For every record the first record of its person, as the embedded engine finds it."""
    from pyspark.sql import functions as f

    heads = np.arange(len(records.provider))
    if not accepted.any():
        return heads
    work = folder / "persons"
    work.mkdir(mode=0o700)
    _write_pairs(evidence, accepted=accepted, path=work / "pairs.parquet")
    used = _write_records(evidence, accepted=accepted, records=records, path=work / "records.parquet")
    parts = 1 + used // _RECORDS_A_PART
    pairs = session.read.parquet(str(work / "pairs.parquet"))
    labels = _components(pairs.where("accepted"), parts=parts)
    part = f.pmod(f.xxhash64("label"), f.lit(parts)).alias("part")
    placed = labels.select("record", part)
    of_records = session.read.parquet(str(work / "records.parquet")).join(placed, "record")
    of_pairs = pairs.join(placed.selectExpr("record as left", "part as part_of_pair"), "left")
    (
        of_pairs.groupBy("part_of_pair")
        .cogroup(of_records.groupBy("part"))
        .applyInArrow(_join_part, schema=_HEADS_SPARK)
        .write.parquet(str(work / "heads"))
    )
    found = pq.read_table(str(work / "heads"))
    heads[found.column("record").to_numpy()] = found.column("head").to_numpy()
    shutil.rmtree(work)
    return heads


def _write_pairs(evidence: Evidence, *, accepted: NDArray[np.bool_], path: Path) -> None:
    """Accepted pairs, and vetoes between records of accepted ones: both decide who may be one person."""
    used = np.zeros(int(max(evidence.left.max(), evidence.right.max())) + 1, dtype=np.bool_)
    used[evidence.left[accepted]] = used[evidence.right[accepted]] = True
    wanted = accepted | (evidence.vetoed & used[evidence.left] & used[evidence.right])
    pq.write_table(
        pa.table(
            {
                "left": evidence.left[wanted],
                "right": evidence.right[wanted],
                "weight": evidence.weight[wanted],
                "accepted": accepted[wanted],
                "vetoed": evidence.vetoed[wanted],
            }
        ),
        str(path),
    )


def _write_records(evidence: Evidence, *, accepted: NDArray[np.bool_], records: Records, path: Path) -> int:
    """Records of accepted pairs with their provider and spans; how many there are."""
    used = np.unique(np.concatenate([evidence.left[accepted], evidence.right[accepted]]))
    starts, ends = records.span_starts[used], records.span_starts[used + 1]
    sizes = ends - starts
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    places = np.repeat(starts - offsets[:-1], sizes) + np.arange(offsets[-1])
    spans = pa.ListArray.from_arrays(pa.array(offsets * _SPAN_FIELDS, pa.int32()), records.spans[places].reshape(-1))
    pq.write_table(pa.table({"record": used, "provider": records.provider[used], "spans": spans}), str(path))
    return len(used)


def _components(pairs: DataFrame, *, parts: int) -> DataFrame:
    """The smallest record of the component of every record: each takes the smallest label among its neighbours and
    then its label's own label, until nothing changes."""
    from pyspark.sql import functions as f

    edges = pairs.selectExpr("left as record", "right as neighbour")
    edges = edges.union(pairs.selectExpr("right as record", "left as neighbour")).repartition(parts, "record")
    edges = edges.localCheckpoint()
    labels = edges.groupBy("record").agg(f.min("neighbour").alias("label"))
    labels = labels.select("record", f.least("record", "label").alias("label")).localCheckpoint()
    while True:
        told = edges.join(labels.withColumnRenamed("record", "neighbour"), "neighbour")
        near = told.groupBy("record").agg(f.min("label").alias("near"))
        renewed = labels.join(near, "record").select("record", "label", f.least("label", "near").alias("nearer"))
        onward = labels.selectExpr("record as nearer", "label as onward")
        renewed = renewed.join(onward, "nearer").localCheckpoint()
        changed = renewed.where("onward < label").limit(1).count()
        labels = renewed.selectExpr("record", "onward as label")
        if not changed:
            return labels


def _join_part(pairs: pa.Table, records: pa.Table) -> pa.Table:
    """The records of one part (whole components, many of them) and the first record of each one's person."""
    records = records.take(pa.array(np.argsort(records.column("record").to_numpy()))).combine_chunks()
    number = records.column("record").to_numpy()
    left, right = pairs.column("left").to_numpy(), pairs.column("right").to_numpy()
    here = np.isin(right, number)  # a veto may lead to a record of another component, where it forbids nothing
    heads = heads_of_pairs(
        PairsToJoin(
            np.searchsorted(number, left[here]),
            np.searchsorted(number, right[here]),
            pairs.column("weight").to_numpy()[here],
            pairs.column("accepted").to_numpy(zero_copy_only=False)[here],
            pairs.column("vetoed").to_numpy(zero_copy_only=False)[here],
        ),
        provider=records.column("provider").to_numpy(),
        spans=_spans(records.column("spans")),
        span_starts=_starts(records.column("spans")),
    )
    return pa.table({"record": number, "head": number[heads]}, schema=_HEADS)


def _spans(lists: pa.ChunkedArray) -> NDArray[np.int64]:
    flat: NDArray[np.int64] = np.concatenate(
        [np.empty(0, dtype=np.int64), *(chunk.flatten().to_numpy(zero_copy_only=False) for chunk in lists.chunks)]
    )
    return flat.reshape(-1, _SPAN_FIELDS)


def _starts(lists: pa.ChunkedArray) -> NDArray[np.int64]:
    sizes = [chunk.value_lengths().to_numpy(zero_copy_only=False) for chunk in lists.chunks]
    ends: NDArray[np.int64] = np.cumsum(np.concatenate([[0], *sizes])).astype(np.int64)
    return ends // _SPAN_FIELDS
