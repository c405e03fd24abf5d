"""How the size of what is stored is told: in bands so wide that no submission can be seen in them.

A size in bytes grows with each record, so that two readings would count the children of what came between. The lowest
band is wider than a school year of the largest district is stored in, and each next one is wider still.
"""

from __future__ import annotations

GIGABYTE = 1_000_000_000
ENDS = tuple(step * 10**power for power in range(6) for step in (1, 2, 5))
"""The ends of the bands in gigabytes."""


def size_band(size: int) -> str:
    """The band that holds this many bytes, in words."""
    below = [end for end in ENDS if size >= end * GIGABYTE]
    if not below:
        return f"under {ENDS[0]} GB"
    if len(below) == len(ENDS):
        return f"{ENDS[-1]} GB or more"
    return f"{below[-1]} to {ENDS[len(below)]} GB"
