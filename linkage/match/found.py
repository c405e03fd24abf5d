"""The share of matches that at least one view can find, by the model of matches: at the hub, in the resolver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from linkage.match.em import Combinations, Table, shares_of
from linkage.match.model import Matches, date_table, name_tables
from linkage.match.patterns import AGREES
from linkage.match.signatures import Blocking, Signatures, agreeing_dates

_POSTCODE, _SSID = 3, 5
_FIRST_TAG = 2
"""The fields before it are names and birth date."""


def found_share(
    matches: Matches,
    *,
    combinations: Combinations,
    matched: Table,
    signatures: Signatures,
    blockings: Sequence[Blocking],
) -> float:
    """The chance that a match agrees in all that some view blocks on, errors in its fields being independent.

    How often postcode and SSID agree is taken from matches that were found without them, and is the usual share where
    none was; views that block on what is not compared are left out, so that the share errs to the low side where there
    are such.
    """
    found_by = [blocking for blocking in blockings if not blocking.other]
    not_both, one, both = name_tables(matches).sum(axis=1)
    codes = shares_of(np.array([not_both - one, one, both]))
    dates = shares_of(date_table(matches))
    postcode = _agreeing(combinations, matched, field=_POSTCODE, free=signatures.free["postcode"], usual=matches)
    ssid = _agreeing(combinations, matched, field=_SSID, free=signatures.free["ssid"], usual=matches)
    share = 0.0
    for names, of_names in enumerate(codes):
        for same_place, of_place in enumerate((1.0 - postcode, postcode)):
            for same_ssid, of_ssid in enumerate((1.0 - ssid, ssid)):
                by_date = np.zeros(len(dates), dtype=np.bool_)
                for blocking in found_by:
                    if names >= blocking.names and same_place >= blocking.postcode and same_ssid >= blocking.ssid:
                        by_date |= agreeing_dates(blocking)
                share += float(of_names * of_place * of_ssid * dates[by_date].sum())
    return share


def _agreeing(
    combinations: Combinations,
    matched: Table,
    *,
    field: int,
    free: np.ndarray[tuple[int], np.dtype[np.bool_]],
    usual: Matches,
) -> float:
    """The share of matches that agree in a tag, absence counting as no agreement; of matches whose tag is known, as
    the model has it, where the tag helped to find all."""
    keep = free[combinations.signature]
    whole = float(matched[keep].sum())
    agreeing = float(matched[keep & (combinations.outcomes[:, field] == AGREES)].sum())
    return agreeing / whole if whole > 0 else float(usual.tags[field - _FIRST_TAG][AGREES])
