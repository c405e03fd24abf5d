"""The matcher on Spark: rows of a view lie in Parquet by view and bucket, and the same kernel compares each bucket.

One Python call a bucket, never one a token. What comes back is, array for array, what
`linkage.match.matcher.compare_view` gives (`linkage.match.buckets`).
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from numpy.typing import NDArray

from linkage.match.buckets import BUCKET_BITS_MAX, BucketPairs, bucket_numbers, compare_bucket, pairs_of_buckets
from linkage.match.grouping import RosterRows
from linkage.match.matcher import patterns_to_keep
from linkage.match.pairs import ViewPairs
from linkage.match.patterns import PATTERNS
from linkage.rows import VIEW_ROW, Rows
from linkage.schema import LinkageSchema

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_ROWS_A_BUCKET = 50_000
_ROWS_AT_ONCE = 500_000
_FEW_ROWS = 10_000
_PAIR, _REPEAT, _DROPPED, _SAME_PROVIDER, _TOTALS = range(5)
_GROUPS, _PAIRS, _SHARED = range(3)
_FOUND = pa.schema(
    [("bucket", pa.int32()), ("kind", pa.int8()), ("one", pa.int64()), ("other", pa.int64()), ("pattern", pa.int32()),
     ("size", pa.int64())]
)  # fmt: skip
_FOUND_SPARK = "bucket int, kind tinyint, one long, other long, pattern int, size long"


def compare_view(
    rosters: Sequence[RosterRows], *, schema: LinkageSchema, view: str, session: SparkSession, folder: Path
) -> ViewPairs:
    """Groups and pairs of one view over all rosters, compared by Spark; `folder` is one that all its workers reach."""
    schema.view(view)
    ordered = sorted(rosters, key=lambda roster: (roster.provider, roster.submission))
    count = sum(len(roster.rows) for roster in ordered)
    bits = _bucket_bits(count)
    rows_folder = folder / f"rows-{view}"
    _write_rows(ordered, folder=rows_folder, view=view, bits=bits)
    expected = patterns_to_keep(count, pairs=0 if count <= _FEW_ROWS else PATTERNS * count)
    found = _compared(session, folder, view=view, buckets=2**bits, cuts=schema.similarity_cuts, kept=expected)
    kept = patterns_to_keep(sum(of.groups for of in found), pairs=sum(of.pairs for of in found))
    if (kept != expected).any():  # what is kept goes by the pairs of the whole view, known only now
        found = _compared(session, folder, view=view, buckets=2**bits, cuts=schema.similarity_cuts, kept=kept)
    shutil.rmtree(rows_folder)
    return pairs_of_buckets(
        found,
        view=view,
        submission=np.repeat(
            np.array([roster.submission for roster in ordered], dtype=np.int64), [len(r.rows) for r in ordered]
        ),
        sealed_id=np.concatenate([np.empty(0, dtype="V16"), *(roster.rows["sealed_id"] for roster in ordered)]),
    )


def _bucket_bits(rows: int) -> int:
    return min(BUCKET_BITS_MAX, max(2, (rows // _ROWS_A_BUCKET).bit_length()))


def _write_rows(rosters: Sequence[RosterRows], *, folder: Path, view: str, bits: int) -> None:
    """Rows without their sealed ids, numbered over the whole view, in Parquet by view and bucket."""
    start = 0
    folder.mkdir(mode=0o700)
    for roster in rosters:
        for first in range(0, len(roster.rows), _ROWS_AT_ONCE):
            part = roster.rows[first : first + _ROWS_AT_ONCE]
            owners = roster.owners[first : first + _ROWS_AT_ONCE] if roster.owners is not None else None
            provider = np.full(len(part), roster.provider, dtype=np.int32) if owners is None else owners
            table = pa.table(
                {
                    "number": np.arange(start, start + len(part)),
                    "provider": provider,
                    "content": _content(part),
                    "bucket": bucket_numbers(part, bits=bits),
                }
            )
            pq.write_to_dataset(table, str(folder / f"view={view}"), partition_cols=["bucket"])
            start += len(part)


def _content(rows: Rows) -> pa.Array:
    """All of each row but its sealed id, as fixed-width binary."""
    words = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), VIEW_ROW.itemsize)[:, 16:]
    layout = pa.binary(VIEW_ROW.itemsize - 16)
    return pa.FixedSizeBinaryArray.from_buffers(layout, len(rows), [None, pa.py_buffer(words.tobytes())])


def _compared(
    session: SparkSession,
    folder: Path,
    *,
    view: str,
    buckets: int,
    cuts: tuple[int, ...],
    kept: NDArray[np.bool_],
) -> list[BucketPairs]:
    """What every bucket gives, in the order of buckets, by way of Parquet, since it may be more than a driver takes."""
    rows, found = folder / f"rows-{view}" / f"view={view}", folder / f"found-{view}"
    if not rows.exists():
        return []
    (
        session.read.schema("number long, provider int, content binary, bucket int")
        .parquet(str(rows))
        .repartition(buckets, "bucket")
        .groupBy("bucket")
        .applyInArrow(_bucket_worker(cuts, kept), schema=_FOUND_SPARK)
        .write.mode("overwrite")
        .parquet(str(found))
    )
    results = list(_read_found(found))
    shutil.rmtree(found)
    return results


def _bucket_worker(cuts: tuple[int, ...], kept: NDArray[np.bool_]) -> Callable[[pa.Table], pa.Table]:
    """What runs where Spark wants it: one table of rows in, one table of findings out."""

    def work(table: pa.Table) -> pa.Table:
        table = table.combine_chunks()
        numbers = table.column("number").to_numpy()
        compared = compare_bucket(
            numbers, table.column("provider").to_numpy(), rows=_rows(table.column("content")), cuts=cuts, kept=kept
        )
        return _as_table(compared, bucket=table.column("bucket")[0].as_py())

    return work


def _rows(content: pa.ChunkedArray) -> Rows:
    joined = b"".join(content.to_pylist())
    rows = np.zeros(len(content), dtype=VIEW_ROW)
    rows.view(np.uint8).reshape(len(rows), VIEW_ROW.itemsize)[:, 16:] = np.frombuffer(joined, dtype=np.uint8).reshape(
        len(rows), VIEW_ROW.itemsize - 16
    )
    return rows


def _as_table(found: BucketPairs, *, bucket: int) -> pa.Table:
    nothing = np.empty(0, dtype=np.int64)
    totals = np.array([found.groups, found.pairs, found.shared], dtype=np.int64)
    parts = [
        _part(_PAIR, found.left, found.right, found.pattern, found.size),
        _part(_REPEAT, found.repeat, found.repeated, nothing, nothing),
        _counted(_DROPPED, found.dropped),
        _counted(_SAME_PROVIDER, found.same_provider),
        _part(_TOTALS, np.arange(3), totals, nothing, nothing),
    ]
    joined = pa.concat_tables(parts)
    return joined.add_column(0, _FOUND.field(0), pa.array(np.full(len(joined), bucket, dtype=np.int32)))


def _counted(kind: int, counts: NDArray[np.int64]) -> pa.Table:
    patterns = np.flatnonzero(counts)
    return _part(kind, counts[patterns], np.zeros(len(patterns), dtype=np.int64), patterns, np.empty(0, dtype=np.int64))


def _part(
    kind: int,
    one: NDArray[np.int64],
    other: NDArray[np.int64],
    pattern: NDArray[np.integer],
    size: NDArray[np.integer],
) -> pa.Table:
    """Rows of one kind; a column that says nothing for it is given empty and filled with 0."""
    columns = {
        "kind": np.full(len(one), kind, dtype=np.int8),
        "one": one.astype(np.int64),
        "other": other.astype(np.int64),
        "pattern": (pattern if len(pattern) else np.zeros(len(one))).astype(np.int32),
        "size": (size if len(size) else np.zeros(len(one))).astype(np.int64),
    }
    return pa.table(columns)


def _read_found(folder: Path) -> Iterator[BucketPairs]:
    """The buckets in order; rows of a bucket lie in one file in the order in which they were written."""
    by_bucket: dict[int, list[pa.Table]] = {}
    for fragment in sorted(ds.dataset(str(folder), format="parquet").get_fragments(), key=lambda each: each.path):
        table = fragment.to_table()
        buckets = table.column("bucket").to_numpy()
        starts = np.flatnonzero(np.diff(buckets, prepend=-1)).tolist()
        for start, end in itertools.pairwise([*starts, len(buckets)]):
            by_bucket.setdefault(int(buckets[start]), []).append(table.slice(start, end - start))
    for bucket in sorted(by_bucket):
        yield _bucket_pairs(pa.concat_tables(by_bucket[bucket]))


def _bucket_pairs(table: pa.Table) -> BucketPairs:
    columns = {name: table.column(name).to_numpy() for name in ("kind", "one", "other", "pattern", "size")}
    of = {kind: {name: values[columns["kind"] == kind] for name, values in columns.items()} for kind in range(5)}
    totals = of[_TOTALS]["other"][np.argsort(of[_TOTALS]["one"])]
    return BucketPairs(
        repeat=of[_REPEAT]["one"],
        repeated=of[_REPEAT]["other"],
        left=of[_PAIR]["one"],
        right=of[_PAIR]["other"],
        pattern=of[_PAIR]["pattern"],
        size=of[_PAIR]["size"],
        dropped=_spread(of[_DROPPED]),
        same_provider=_spread(of[_SAME_PROVIDER]),
        groups=int(totals[_GROUPS]),
        pairs=int(totals[_PAIRS]),
        shared=int(totals[_SHARED]),
    )


def _spread(counted: dict[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    counts = np.zeros(PATTERNS, dtype=np.int64)
    counts[counted["pattern"]] = counted["one"]
    return counts
