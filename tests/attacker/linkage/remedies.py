"""What might be changed in the scheme, tried on the attacker's figures before anybody changes the scheme itself.

Each remedy takes the figures of one view and leaves what a store with that change would still show.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from linkage.schema import LinkageSchema, parse_schema
from tests.attacker.linkage.figures import TAGS, Figures

Remedy = Callable[[Figures], Figures]
FINER_VIEWS = ("date-name", "names-year", "names-day", "names-place")
_FINER = (
    ("date-name", ("birth_year", "birth_month_day"), "each"),
    ("names-year", ("birth_year",), "pair"),
    ("names-day", ("birth_month_day",), "pair"),
    ("names-place", ("postcode",), "pair"),
)
_SEX, _MIDDLE = 3, 5
_BITS, _WEIGHT = 256, 64


def finer_schema() -> LinkageSchema:
    """The current schema with views so fine that most rows are alone under their token."""
    content = json.loads(resources.files("linkage").joinpath("schema", "v2.json").read_text(encoding="utf-8"))
    first = 1 + max(view["number"] for view in content["views"])
    views = [
        {
            "name": name,
            "number": first + place,
            "values": list(values),
            "names": names,
            "spelled": False,
            "default": False,
        }
        for place, (name, values, names) in enumerate(_FINER)
    ]
    return parse_schema({**content, "views": [*content["views"], *views]})


def nothing_changed(figures: Figures) -> Figures:
    return figures


def forms_hidden(figures: Figures) -> Figures:
    """One row for a record and token: only what is absent still shows."""
    absent = (figures.tags[:, :TAGS] == 0) @ (1 << np.arange(TAGS))
    return replace(figures, shape=absent.astype(np.uint64))


def names_apart(figures: Figures) -> Figures:
    """Given name and surname under keys of their own: the bits of the surname lie elsewhere in every block."""
    bits = np.unpackbits(np.ascontiguousarray(figures.names[:, 4:]).view(np.uint8), axis=1)
    salt = figures.token.view(np.uint64) % np.uint64(97)
    for part in range(97):
        here = salt == part
        moved = np.random.default_rng([part, int(figures.token[0] & 0xFFFF)]).permutation(_BITS)
        bits[here] = bits[here][:, moved]
    return _with_names(figures, figures.names[:, :4], np.packbits(bits, axis=1).view("<u8"))


def names_equal_or_not(figures: Figures) -> Figures:
    """No filters: two names show whether they are the same, and nothing else."""
    given, surname = (_by_value(figures.names[:, at : at + 4], seed=at) for at in (0, 4))
    return _with_names(figures, given, surname)


def without_sex_and_middle(figures: Figures) -> Figures:
    tags = figures.tags.copy()
    tags[:, [_SEX, _MIDDLE]] = 0
    return replace(figures, tags=tags)


REMEDIES: dict[str, tuple[Remedy, ...]] = {
    "none": (nothing_changed,),
    "forms hidden": (forms_hidden,),
    "forms hidden, names apart": (forms_hidden, names_apart),
    "forms hidden, names equal or not": (forms_hidden, names_equal_or_not),
    "forms hidden, names equal or not, without sex and middle": (
        forms_hidden,
        names_equal_or_not,
        without_sex_and_middle,
    ),
}


def applied(remedies: tuple[Remedy, ...], figures: dict[str, Figures]) -> dict[str, Figures]:
    """The figures of every view after all the remedies."""
    for remedy in remedies:
        figures = {view: remedy(of_view) for view, of_view in figures.items()}
    return figures


def _by_value(filters: NDArray[np.uint64], *, seed: int) -> NDArray[np.uint64]:
    """A random filter for each distinct one."""
    _, value = np.unique(filters, axis=0, return_inverse=True)
    draws = np.random.default_rng(seed).random((int(value.max()) + 1, _BITS), dtype=np.float32)
    bits = np.zeros(draws.shape, dtype=np.uint8)
    np.put_along_axis(bits, np.argpartition(draws, _WEIGHT, axis=1)[:, :_WEIGHT], 1, axis=1)
    return np.packbits(bits, axis=1).view("<u8")[value.reshape(-1)]


def _with_names(figures: Figures, given: NDArray[np.uint64], surname: NDArray[np.uint64]) -> Figures:
    within = np.bitwise_count(given & surname).sum(axis=1, dtype=np.int64)
    return replace(figures, names=np.ascontiguousarray(np.concatenate([given, surname], axis=1)), within=within)
