"""How common the commonest value of a view is: measured at the edge, held to a limit at the hub.

A view value that many records share is the most recognisable thing an encoded file can show, so
the edge counts it and the hub refuses above the limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from linkage.errors import LinkageError

LARGEST_RECORDS = 20
LARGEST_SHARE = 0.005
"""Policy default of the linkage scheme: the larger of 20 records and 0.5 %, so that a preschool of forty can submit."""


@dataclass(frozen=True)
class ViewProfile:
    """Distinct values of a view, and the number of records that share its commonest value."""

    values: int
    largest: int


def largest_allowed(records: int) -> int:
    """The most records that may share one value of a view."""
    return max(LARGEST_RECORDS, int(records * LARGEST_SHARE))


def check_profile(profile: Mapping[str, ViewProfile], *, records: int) -> None:
    """Raises LinkageError `view_too_common` when a view has a value that too many records share."""
    for view, measured in profile.items():
        if measured.largest > largest_allowed(records):
            raise LinkageError(
                "view_too_common",
                f"view {view}",
                next_step="look for a placeholder that stands in many records (one birth date or name for all), "
                "correct it at the source and prepare the submission again",
            )
