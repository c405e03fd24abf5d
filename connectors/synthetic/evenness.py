"""Even draws: chances that come out nearly exactly, so that a published share is met in every class and district.

Plain draws of a district of a hundred pupils miss a share by five points; these miss it by a pupil or two. Kronecker's
sequence by the golden ratio (Niederreiter, Random Number Generation and Quasi-Monte Carlo Methods, 1992, ch. 3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from connectors.synthetic.calibration import Floats

GOLDEN = (5**0.5 - 1) / 2


def even_draws(group: NDArray[np.int64], order: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Numbers between 0 and 1, evenly spread among the members of each group and along the order within it."""
    tie = rng.random(len(group))
    places = np.lexsort((tie, order, group))
    sorted_group = group[places]
    starts = np.flatnonzero(np.diff(sorted_group, prepend=sorted_group[:1] - 1))
    rank = np.arange(len(group)) - np.repeat(starts, np.diff([*starts, len(group)]))
    offset = rng.random(len(starts))[np.repeat(np.arange(len(starts)), np.diff([*starts, len(group)]))]
    drawn = np.empty(len(group))
    drawn[places] = (offset + rank * GOLDEN) % 1.0
    return drawn
