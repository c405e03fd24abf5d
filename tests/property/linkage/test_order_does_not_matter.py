"""What must hold for all inputs: order, orientation and repetition change nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.encode.normalise import name_parts
from linkage.encode.phonetic import phonetic_code
from linkage.encode.tables import name_tables
from linkage.schema import current_schema
from tests.unit.linkage.rosters import Sent, linked, made_up_people

TABLES = name_tables(current_schema())


def _rosters(shuffle: int) -> list[Sent]:
    rng = np.random.default_rng(shuffle)
    people = made_up_people(30)
    sent = []
    for submission in range(6):
        part = [people[i] for i in rng.permutation(30)] if shuffle else people
        changed = [replace(p, postcode="94999", surname=f"{p.surname} Zumo") if submission % 2 else p for p in part]
        sent.append(Sent(submission, submission % 3, changed, year=2018 + submission // 3 + 2 * (submission % 3)))
    return [sent[i] for i in rng.permutation(6)] if shuffle else sent


@settings(max_examples=5, deadline=None)
@given(st.integers(min_value=1, max_value=1000))
def test_linkage_does_not_depend_on_the_order_of_rosters_people_or_views(shuffle: int) -> None:
    straight, shuffled = linked(_rosters(0)), linked(_rosters(shuffle), views=("ssid", "names", "dob"))

    assert straight.persons == shuffled.persons
    assert straight.pairs.tobytes() == shuffled.pairs.tobytes()
    assert straight.quality == shuffled.quality


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_normalising_twice_is_normalising_once(raw: str) -> None:
    parts = name_parts(raw, tables=TABLES)

    assert name_parts(" ".join(parts), tables=TABLES) == parts


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_every_name_has_a_short_code_and_only_the_empty_name_an_empty_one(raw: str) -> None:
    for part in name_parts(raw, tables=TABLES):
        assert 1 <= len(phonetic_code(part)) <= 4
