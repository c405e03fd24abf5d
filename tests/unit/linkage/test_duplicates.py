"""One roster compared with itself: two records of one provider may then be one person."""

import itertools
from dataclasses import replace

import numpy as np

from linkage.match.matcher import RosterRows, compare_view
from linkage.match.provider_pairs import pairs_across, pairs_everywhere
from linkage.match.resolver import resolve_with_duplicates
from linkage.schema import current_schema
from linkage.sealed_ids import open_records
from tests.unit.linkage.rosters import Sent, made_up_people, reference, span


def people(*, repeats=()):
    made = made_up_people(60)
    return made + [replace(made[n], local_record=60 + place) for place, n in enumerate(repeats)]


def sent_roster(number, roster):
    spans = [span(person.local_record, full_time=False) for person in roster]
    return Sent(number, number, roster, spans=spans, views=("dob", "names"))


def resolved(sent):
    views = []
    for view in ("dob", "names"):
        rosters = []
        for one in sent:
            rows = one.encoded.rows[view]
            sealed = np.ascontiguousarray(rows["sealed_id"]).view(np.uint8).reshape(-1, 16)
            records = open_records(sealed, key=one.key).astype(np.int32)
            rosters.append(RosterRows(one.submission, one.provider, rows, owners=records + 1000 * one.submission))
        views.append(compare_view(rosters, schema=current_schema(), view=view))
    ids = itertools.count()
    return resolve_with_duplicates(
        [one.roster_spans for one in sent], schema=current_schema(), views=views, new_id=lambda: f"{next(ids):032x}"
    )


def together(result):
    persons = {}
    for (provider, of_record), person in result.persons.items():
        persons.setdefault(person, []).append((provider, int.from_bytes(of_record, "big")))
    return sorted(sorted(members) for members in persons.values() if len(members) > 1)


def test_records_of_one_roster_that_are_written_alike_are_one_person():
    sent = [sent_roster(0, people(repeats=(5, 17, 17)))]

    result = resolved(sent)

    assert together(result) == [[(0, 5), (0, 60)], [(0, 17), (0, 61), (0, 62)]]
    assert {(0, 0)} == set(result.quality.by_providers)
    assert result.quality.records == 63
    assert result.quality.persons == 60


def test_duplicates_are_found_inside_and_across_rosters_at_once():
    sent = [sent_roster(0, people(repeats=(5,))), sent_roster(1, people()[:20])]

    result = resolved(sent)

    assert [(0, 5), (0, 60), (1, 5)] in together(result)
    assert len(together(result)) == 20
    assert set(result.quality.by_providers) == {(0, 0), (0, 1), (1, 1)}
    assert result.persons[(0, reference(3))] == result.persons[(1, reference(3))]


def test_twins_of_one_roster_stay_two_persons():
    one = made_up_people(60)
    twins = [replace(one[n], local_record=60 + n, given=f"{one[n + 1].given}") for n in range(10)]

    result = resolved([sent_roster(0, [*one, *twins])])

    assert together(result) == []


def test_pairs_of_providers_count_the_pairs_of_records_that_may_link():
    provider = np.array([0, 0, 0, 4, 4], dtype=np.int32)

    across, everywhere = pairs_across(provider), pairs_everywhere(provider)

    assert across.places.tolist() == [[0, 1]]
    assert across.possible.tolist() == [6.0]
    assert everywhere.places.tolist() == [[0, 0], [0, 1], [1, 1]]
    assert everywhere.possible.tolist() == [3.0, 6.0, 1.0]
