"""What can be told of encoded rows without any key: blocks, plain attributes of a row, relations of two rows.

Rows that carry the names as written are figures of the attack. Further rows of a record tell themselves by equal tags
under one token and become part of its figure's shape; where none of them is as written, the first is the figure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.rows import Rows

TAGS = 7
OVERLAPS = 65


@dataclass(frozen=True, repr=False)
class Figures:
    """Figures of one view sorted by token; block b is the figures from `starts[b]` to `starts[b + 1]`.

    `place` leads back to the row, `token` is half of its token; `key` is the same for the same row of the same person
    in two stores that the attacker made himself, whatever their keys; `names` (n, 8) both filters; `shape` an attribute
    that is equal under every key; `within` the bits that a figure's own two filters share.
    """

    place: NDArray[np.int64]
    person: NDArray[np.int64]
    starts: NDArray[np.int64]
    token: NDArray[np.int64]
    key: NDArray[np.uint64]
    names: NDArray[np.uint64]
    tags: NDArray[np.uint16]
    shape: NDArray[np.uint64]
    within: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        return np.diff(self.starts)


def figures_of(rows: Rows, person: NDArray[np.int64], common: Rows | None = None) -> Figures:
    """The figures of the rows of one view; `common` are the same rows under the key that stores are compared by."""
    company = _companies(rows)
    shape = _shapes(rows, company)
    written = _figure_rows(rows["variant"], company)
    key = _mixed(_halves(rows if common is None else common)[:, 0] ^ _mixed(person.astype(np.uint64)))
    tokens = _halves(rows)[written]
    order = np.lexsort((tokens[:, 1], tokens[:, 0]))
    written, tokens = written[order], tokens[order]
    new = np.flatnonzero(np.concatenate([[True], (tokens[1:] != tokens[:-1]).any(axis=1)])) if len(tokens) else []
    given, surname = rows["given"][written], rows["surname"][written]
    within = np.bitwise_count(given & surname).sum(axis=1, dtype=np.int64)
    return Figures(
        place=written,
        person=person[written],
        starts=np.append(np.asarray(new, dtype=np.int64), len(written)),
        token=np.ascontiguousarray(tokens[:, 0]).view(np.int64),
        key=key[written],
        names=np.concatenate([given, surname], axis=1),
        tags=np.ascontiguousarray(rows["tags"][written]),
        shape=shape[written],
        within=within,
    )


def _halves(rows: Rows) -> NDArray[np.uint64]:
    return np.ascontiguousarray(rows["token"]).view("<u8").reshape(-1, 2)


def _companies(rows: Rows) -> NDArray[np.int64]:
    """A number for each set of rows that share token and tags."""
    keys = _halves(rows)[:, 0].copy()
    for field in range(TAGS):
        keys = _mixed(keys ^ rows["tags"][:, field].astype(np.uint64))
    return np.unique(keys, return_inverse=True)[1]


def _figure_rows(variant: NDArray[np.uint8], company: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows as written, and the first of every company that has none."""
    has_written = np.zeros(int(company.max(initial=-1)) + 1, dtype=np.bool_)
    has_written[company[variant == 0]] = True
    first = np.zeros(len(company), dtype=np.bool_)
    first[np.unique(company, return_index=True)[1]] = True
    return np.flatnonzero((variant == 0) | (first & ~has_written[company]))


def _shapes(rows: Rows, company: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Of each row a number for: absent values, day equal to month, and the set of forms that share token and tags."""
    tags = rows["tags"][:, :TAGS]
    own = (tags == 0) @ (1 << np.arange(TAGS)) + 128 * (tags[:, 1] == tags[:, 2]) + 256 * rows["flags"].astype(int)
    form = _mixed(rows["variant"].astype(np.uint64) * np.uint64(31) + rows["flags"] + np.uint64(1))
    sums = np.zeros(int(company.max(initial=-1)) + 1, dtype=np.uint64)
    np.add.at(sums, company, form)
    return _mixed(sums[company] + own.astype(np.uint64))


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A 64-bit finaliser (splitmix64)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
