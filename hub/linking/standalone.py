"""Links files of encoded people without a hub: the work of `promise-hub link`. One process is matcher and resolver.

files of `promise-edge encode` -> rows compared by view -> pairs weighed -> persons -> two tables of record numbers
"""

from __future__ import annotations

import csv
import itertools
import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hub.errors import Invalid
from hub.linking.comparing import Engine
from linkage.errors import LinkageError
from linkage.match.decision import DECISION_MATCH, DECISION_POSSIBLE
from linkage.match.matcher import RosterRows, check_rows
from linkage.match.pairs import ViewPairs
from linkage.match.persons import RecordKey
from linkage.match.quality import Quality
from linkage.match.resolver import LinkageResult, RosterSpans, resolve, resolve_with_duplicates
from linkage.match.spans import check_spans
from linkage.match.words import pattern_words
from linkage.rows import Rows
from linkage.rows_file import RowsFile, read_rows_file
from linkage.schema import LinkageSchema, current_schema
from linkage.sealed_ids import open_records

PAIR_COLUMNS = (
    "left_file",
    "left_record",
    "right_file",
    "right_record",
    "agreement",
    "weight",
    "posterior",
    "decision",
    "person",
)
PERSON_COLUMNS = ("file", "record", "person")
MATCH, SET_ASIDE, POSSIBLE, NO_MATCH = "match", "set aside", "possible match", "no match"
_ENCODE_AGAIN = "Encode both with this version of promise-edge, the same key and the same views."


@dataclass(frozen=True)
class Linked:
    """What was linked: the names of the files by number, the views compared, and the result."""

    files: tuple[str, ...]
    views: tuple[str, ...]
    result: LinkageResult

    @property
    def quality(self) -> Quality:
        return self.result.quality


Step = Callable[[], None]


def link_files(
    paths: Sequence[Path], *, engine: Engine, views: Sequence[str] = (), step: Step = lambda: None
) -> Linked:
    """Persons across files; two records of one file stay two persons. Raises Invalid with a code and next step."""
    if len(paths) < 2:
        raise Invalid(
            "One file cannot be linked with itself this way.",
            code="one-file",
            next_step="Give two files or more, or add --dedupe to find one person's records inside a file.",
        )
    files, chosen = _opened(paths, views=views)
    compared = [_compared(files, view=view, owners=_no_owners, engine=engine, step=step) for view in chosen]
    ids = itertools.count(1)
    with _telling_of(_names(paths)):
        result = resolve(
            _spans(files),
            schema=current_schema(),
            views=compared,
            previous={},
            new_id=lambda: str(next(ids)),
            join=engine.join,
        )
    return Linked(_names(paths), chosen, result)


def link_files_and_duplicates(
    paths: Sequence[Path], *, engine: Engine, views: Sequence[str] = (), step: Step = lambda: None
) -> Linked:
    """As `link_files`, and records of one file may be one person too."""
    files, chosen = _opened(paths, views=views)
    compared = [_compared(files, view=view, owners=_owners, engine=engine, step=step) for view in chosen]
    ids = itertools.count(1)
    with _telling_of(_names(paths)):
        result = resolve_with_duplicates(
            _spans(files), schema=current_schema(), views=compared, new_id=lambda: str(next(ids)), join=engine.join
        )
    return Linked(_names(paths), chosen, result)


def pair_rows(linked: Linked) -> Iterator[tuple[object, ...]]:
    """The rows of pairs.csv: every pair that is linked or has a posterior of a thousandth, in the order of records."""
    pairs, persons, files = linked.result.pairs, linked.result.persons, linked.files
    words = pattern_words(pairs["pattern"])
    left, right = _keys(pairs, "left"), _keys(pairs, "right")
    for place, row in enumerate(zip(*(pairs[name].tolist() for name in _TOLD), strict=True)):
        weight, posterior, decision, together = row
        yield (
            files[left[place][0]],
            int.from_bytes(left[place][1], "big"),
            files[right[place][0]],
            int.from_bytes(right[place][1], "big"),
            words[place],
            f"{weight:.3f}",
            f"{posterior:.6f}",
            _decision(decision, together=bool(together)),
            persons[left[place]] if together else "",
        )


_TOLD = ("weight", "posterior", "decision", "linked")


def _decision(decision: int, *, together: bool) -> str:
    """`match` where both records are in one person; `set aside` where a heavier pair stood against a likely one."""
    if together:
        return MATCH
    return {DECISION_MATCH: SET_ASIDE, DECISION_POSSIBLE: POSSIBLE}.get(decision, NO_MATCH)


def person_rows(linked: Linked) -> Iterator[tuple[object, ...]]:
    """The rows of persons.csv: every record of every file once."""
    for (file, reference), person in sorted(linked.result.persons.items()):
        yield linked.files[file], int.from_bytes(reference, "big"), person


def write_table(path: Path, columns: Sequence[str], rows: Iterator[tuple[object, ...]]) -> int:
    """A new CSV file; how many rows it has."""
    check_new(path)
    count = 0
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the last number is the count
            writer.writerow(row)
    return count


def check_new(path: Path) -> None:
    """Raises Invalid `file-exists` or `folder-missing` before an hour of work is lost."""
    if path.exists():
        raise Invalid(f"{path.name} stands already.", code="file-exists", next_step="Give another name or move it.")
    if not path.parent.is_dir():
        raise Invalid(
            f"{path.name} has no folder to lie in.", code="folder-missing", next_step="Make the folder first."
        )


def _keys(pairs: Rows, side: str) -> list[RecordKey]:
    references = np.ascontiguousarray(pairs[f"{side}_reference"]).tobytes()
    return [(file, references[16 * n : 16 * n + 16]) for n, file in enumerate(pairs[f"{side}_provider"].tolist())]


def _names(paths: Sequence[Path]) -> tuple[str, ...]:
    """File names, or whole paths where two names are alike."""
    names = tuple(path.name for path in paths)
    return names if len(set(names)) == len(names) else tuple(str(path) for path in paths)


def _opened(paths: Sequence[Path], *, views: Sequence[str]) -> tuple[list[RowsFile], tuple[str, ...]]:
    """The files, checked one by one and against each other, and the views to compare in the order of the schema."""
    schema = current_schema()
    files = [_read(path) for path in paths]
    for path, file in zip(paths, files, strict=True):
        if file.schema_hash != schema.hash:
            raise Invalid(f"{path.name} was encoded by another schema.", code="schema-other", next_step=_ENCODE_AGAIN)
        if file.key_check != files[0].key_check:
            raise Invalid(f"{path.name} was encoded under another key.", code="key-other", next_step=_ENCODE_AGAIN)
    if len({file.submission_key for file in files}) < len(files):
        raise Invalid("One file is given twice.", code="file-twice", next_step="Give each file once.")
    chosen = _chosen_views(files, views=views, schema=schema)
    for path, file in zip(paths, files, strict=True):
        _check(path.name, file, schema=schema)
    return files, chosen


def _chosen_views(files: Sequence[RowsFile], *, views: Sequence[str], schema: LinkageSchema) -> tuple[str, ...]:
    in_all = set.intersection(*(set(file.rows) for file in files))
    if set(views) - in_all or not in_all:
        raise Invalid(
            "A view is not in every file.",
            code="view-missing",
            next_step=f"These are in all: {', '.join(sorted(in_all)) or 'none'}. {_ENCODE_AGAIN}",
        )
    wanted = set(views) or in_all
    return tuple(view.name for view in schema.views if view.name in wanted)


def _read(path: Path) -> RowsFile:
    """The file, mapped into memory and not copied."""
    try:
        with path.open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return read_rows_file(memoryview(content), name=path.name)
    except OSError:
        raise Invalid(f"{path.name} cannot be opened.", code="file-missing", next_step="Check the path.") from None
    except ValueError:  # an empty file cannot be mapped
        raise _not_whole("not_a_rows_file", path.name, LinkageError("", "", next_step=_ENCODE_AGAIN)) from None
    except LinkageError as error:
        raise _not_whole(error.code, path.name, error) from None


def _check(name: str, file: RowsFile, *, schema: LinkageSchema) -> None:
    """Raises Invalid unless spans and rows keep the layout and every record has its one span."""
    try:
        check_spans(file.spans)
        for view, rows in file.rows.items():
            check_rows(rows, schema=schema, view=view)
    except LinkageError as error:
        raise _not_whole(error.code, f"{name}, {error.place}", error) from None


@contextmanager
def _telling_of(names: Sequence[str]) -> Iterator[None]:
    """A file whose rows and spans do not belong together is told by its name."""
    try:
        yield
    except LinkageError as error:
        raise _not_whole(error.code, names[int(error.place.rsplit(" ", 1)[-1])], error) from None


def _not_whole(code: str, place: str, error: LinkageError) -> Invalid:
    step = error.next_step
    return Invalid(f"{place} does not keep the form.", code=code, next_step=f"{step[0].upper()}{step[1:].rstrip('.')}.")


def _spans(files: Sequence[RowsFile]) -> list[RosterSpans]:
    return [RosterSpans(number, number, file.submission_key, file.spans) for number, file in enumerate(files)]


Owners = Callable[[RowsFile, Rows, int], NDArray[np.int32] | None]


def _compared(files: Sequence[RowsFile], *, view: str, owners: Owners, engine: Engine, step: Step) -> ViewPairs:
    starts = itertools.accumulate((len(file.spans) + 1 for file in files), initial=0)
    rosters = [
        RosterRows(number, number, file.rows[view], owners(file, file.rows[view], start))
        for number, (file, start) in enumerate(zip(files, starts, strict=False))
    ]
    compared = engine.compare(rosters, schema=current_schema(), view=view)
    step()
    return compared


def _no_owners(_file: RowsFile, _rows: Rows, _start: int) -> None:
    return None


def _owners(file: RowsFile, rows: Rows, start: int) -> NDArray[np.int32]:
    """The place of each row's record among the records of all files."""
    sealed = np.ascontiguousarray(rows["sealed_id"]).view(np.uint8).reshape(-1, 16)
    numbers = open_records(sealed, key=file.submission_key)
    known = np.unique(file.spans["record"])
    return (start + np.searchsorted(known, numbers)).astype(np.int32)
