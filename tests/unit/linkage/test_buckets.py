"""A view compared bucket by bucket gives, array for array, what it gives as a whole."""

from dataclasses import fields, replace

import numpy as np
import pytest

from linkage.match.buckets import bucket_numbers, compare_bucket, pairs_of_buckets
from linkage.match.grouping import RosterRows
from linkage.match.matcher import TokenOrder, compare_view, patterns_to_keep
from linkage.match.pairs import ViewPairs
from linkage.rows import VIEW_ROW
from linkage.schema import current_schema
from tests.unit.linkage.rosters import Sent, made_up_people


def rosters(view):
    """Two providers, one of them with a second year of the same people, and some spelled otherwise."""
    one = made_up_people(120)
    other = [replace(p, surname=f"{p.surname} Zumo") if n % 3 == 0 else p for n, p in enumerate(one[30:])]
    sent = [Sent(0, 0, one), Sent(1, 1, other), Sent(2, 0, one[:100], year=2021)]
    return [each.rows(view) for each in sent]


def by_buckets(given, *, view, bits):
    ordered = sorted(given, key=lambda roster: (roster.provider, roster.submission))
    rows = np.concatenate([roster.rows for roster in ordered])
    provider = np.concatenate([np.full(len(r.rows), r.provider, dtype=np.int32) for r in ordered])
    submission = np.concatenate([np.full(len(r.rows), r.submission, dtype=np.int64) for r in ordered])
    number = bucket_numbers(rows, bits=bits)
    whole = compare_bucket(
        np.arange(len(rows)),
        provider,
        rows=rows,
        cuts=current_schema().similarity_cuts,
        kept=patterns_to_keep(1, pairs=0),
    )
    kept = patterns_to_keep(whole.groups, pairs=whole.pairs)
    parts = []
    for bucket in range(2**bits):
        places = np.random.default_rng(bucket).permutation(np.flatnonzero(number == bucket))
        parts.append(
            compare_bucket(
                places, provider[places], rows=rows[places], cuts=current_schema().similarity_cuts, kept=kept
            )
        )
    return pairs_of_buckets(parts, view=view, submission=submission, sealed_id=rows["sealed_id"])


@pytest.mark.parametrize("view", ["dob", "names"])
@pytest.mark.parametrize("bits", [0, 1, 5])
def test_buckets_together_give_what_the_whole_view_gives(view, bits):
    given = rosters(view)

    whole = compare_view(given, schema=current_schema(), view=view)
    parts = by_buckets(given, view=view, bits=bits)

    assert len(whole.left) > 50
    for field in fields(ViewPairs):
        one, other = getattr(whole, field.name), getattr(parts, field.name)
        assert type(one) is type(other)
        assert np.array_equal(one, other), field.name
        assert getattr(one, "dtype", None) == getattr(other, "dtype", None), field.name


def test_a_view_without_rows_has_no_pairs():
    empty = np.empty(0, dtype=VIEW_ROW)

    whole = compare_view([RosterRows(0, 0, empty)], schema=current_schema(), view="dob")
    parts = pairs_of_buckets([], view="dob", submission=np.empty(0, dtype=np.int64), sealed_id=empty["sealed_id"])

    assert (parts.groups, len(parts.left), parts.usual_rarity) == (whole.groups, len(whole.left), whole.usual_rarity)


def test_tokens_that_begin_alike_are_told_apart():
    high = 1 << 63
    tokens = np.zeros((5, 2), dtype=np.uint64)
    tokens[:, 0] = [high + 2, high + 1, high + 2, 7, high + 1]

    ordered = TokenOrder(tokens)

    assert ordered.order.tolist() == [3, 1, 4, 0, 2]
    assert ordered.sizes.tolist() == [1, 2, 2, 2, 2]
    assert ordered.pairs == 2
