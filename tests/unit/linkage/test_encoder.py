"""The encoder: what crosses the wall, and what never does."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from linkage.aes import decrypt_blocks, encrypt_blocks
from linkage.encode.encoder import encode_roster
from linkage.encode.filling import fill_filters, write_gram_inputs
from linkage.encode.filters import GramTable, gram_codes, name_filters
from linkage.encode.forms import NameForm
from linkage.encode.keys import subkey
from linkage.encode.person import GRADE_UNKNOWN, ClearPerson, SpanFacts, grade_number
from linkage.encode.tables import name_tables
from linkage.errors import LinkageError
from linkage.match.matcher import check_rows
from linkage.profile import ViewProfile
from linkage.rows import FLAG_GIVEN_ABSENT, FLAG_SURNAME_ABSENT, VARIANT_SURNAME_PART, VIEW_ROW
from linkage.schema import current_schema
from linkage.sealed_ids import open_records, seal_records
from tests.unit.linkage.rosters import ALL_VIEWS, SECRET, Sent, made_up_people, reference, span

SCHEMA = current_schema()


def _content(rows: np.ndarray) -> list[bytes]:
    return sorted(row.tobytes()[16:] for row in rows)


def test_every_view_row_of_a_roster_passes_the_hubs_check() -> None:
    people = [
        replace(person, ssid=f"12{person.local_record}", guardian=("Quzam Xelo",)) for person in made_up_people(30)
    ]

    sent = Sent(1, 1, people, views=ALL_VIEWS)

    for view in ALL_VIEWS:
        check_rows(sent.encoded.rows[view], schema=SCHEMA, view=view)
        assert len(sent.encoded.rows[view]) >= 30


def test_two_submissions_of_one_roster_differ_only_in_sealed_ids_and_order() -> None:
    people = made_up_people(40)

    first, second = Sent(1, 1, people), Sent(2, 1, people)

    for view in first.encoded.rows:
        assert _content(first.encoded.rows[view]) == _content(second.encoded.rows[view])
        assert not set(first.encoded.rows[view]["sealed_id"].tolist()) & set(
            second.encoded.rows[view]["sealed_id"].tolist()
        )


def test_another_secret_changes_every_token_filter_and_tag() -> None:
    person = ClearPerson(0, given="Quzam", surname="Xelor", birth_date="2010-02-03", sex="F", postcode="94901")
    roster = {"spans": [span(0)], "schema": SCHEMA, "submission_key": SECRET, "minimum_records": 0, "views": ("dob",)}

    rows = [
        encode_roster([person], secret=bytes([n]) * 32, rng=np.random.default_rng(0), **roster).rows["dob"]
        for n in (1, 2)
    ]

    for name in ("token", "given", "surname"):
        assert rows[0][name].tobytes() != rows[1][name].tobytes()
    assert (rows[0]["tags"][0][[0, 1, 2, 3, 4]] != rows[1]["tags"][0][[0, 1, 2, 3, 4]]).all()


def test_absent_values_are_flagged_and_tagged_absent() -> None:
    nobody = ClearPerson(3, birth_date="2010-02-03")

    rows = Sent(1, 1, [nobody]).encoded.rows

    assert [len(rows[view]) for view in ("dob", "names", "ssid")] == [1, 0, 0]
    assert rows["dob"]["flags"][0] == FLAG_GIVEN_ABSENT | FLAG_SURNAME_ABSENT
    assert (rows["dob"]["given"] == 0).all()
    assert rows["dob"]["tags"][0].tolist()[3:] == [0, 0, 0, 0, 0]


def test_a_record_without_a_birth_date_has_no_row_in_the_birth_date_view() -> None:
    rows = Sent(1, 1, [ClearPerson(3, given="Quzam", surname="Xelor", middle="Zu")]).encoded.rows

    assert (len(rows["dob"]), len(rows["names"])) == (0, 1)
    assert rows["names"]["tags"][0][5] > 0


def test_the_place_view_has_a_row_for_each_name_code() -> None:
    alike = ClearPerson(0, given="Quzam", surname="Kuzam", postcode="94901")
    unlike = ClearPerson(1, given="Quzam", surname="Xelor", postcode="94901")

    rows = Sent(1, 1, [alike, unlike], views=("place",)).encoded.rows["place"]

    assert len(rows) == 3


def test_a_spelled_view_finds_only_names_spelled_alike() -> None:
    one, other = (ClearPerson(0, given=name, surname="Xelor", birth_date="2010-02-03") for name in ("Quzam", "Kuzam"))

    sent = [Sent(n, n, [person], views=("names", "spellings_year")) for n, person in enumerate((one, other))]

    assert [len({s.encoded.rows[view]["token"].tobytes() for s in sent}) for view in ("names", "spellings_year")] == [
        1,
        2,
    ]


def test_names_of_a_spelled_view_are_marks_that_change_places_with_the_names() -> None:
    one = ClearPerson(0, given="Quzam", surname="Xelor", birth_date="2010-02-03")
    swapped = replace(one, given=one.surname, surname=one.given)

    rows, other = (
        Sent(1, 1, [person], views=("spellings_day",)).encoded.rows["spellings_day"] for person in (one, swapped)
    )

    assert rows["token"].tobytes() == other["token"].tobytes()
    assert rows["given"].tobytes() == other["surname"].tobytes() != rows["surname"].tobytes()


def test_marks_tell_no_name_apart_between_blocks() -> None:
    rows = Sent(1, 1, made_up_people(200), views=("spellings_year",)).encoded.rows["spellings_year"]

    marks = [row.tobytes() for row in rows["given"]]

    assert len(set(marks)) == 2
    assert 60 < marks.count(marks[0]) < 140


def test_the_date_view_has_one_row_for_each_form_of_either_name() -> None:
    person = ClearPerson(0, given="Quzam", surname="Xelor Zumi", birth_date="2010-02-03")

    rows = Sent(1, 1, [person], views=("date_spelling",)).encoded.rows["date_spelling"]

    assert len(rows) == len({row.tobytes() for row in rows["token"]}) == 4
    assert sorted(rows["variant"].tolist()) == [0, 0, VARIANT_SURNAME_PART, VARIANT_SURNAME_PART]


def test_a_given_name_that_is_the_surname_too_has_one_row_in_the_date_view() -> None:
    person = ClearPerson(0, given="Quzam", surname="Quzam", birth_date="2010-02-03")

    assert len(Sent(1, 1, [person], views=("date_spelling",)).encoded.rows["date_spelling"]) == 1


def test_rows_of_one_record_carry_different_sealed_ids_that_open_to_it() -> None:
    sent = Sent(1, 1, [ClearPerson(77, given="Quzam", surname="Xelor Zumi", birth_date="2010-02-03")])

    sealed = np.ascontiguousarray(sent.encoded.rows["dob"]["sealed_id"]).view(np.uint8).reshape(-1, 16)

    assert len({row.tobytes() for row in sealed}) == len(sealed) == 3
    assert open_records(sealed, key=sent.key).tolist() == [77, 77, 77]


def test_a_small_roster_is_padded_with_dummies_of_its_own_shape() -> None:
    people = [replace(person, ssid=str(1000 + person.local_record), middle="Zu") for person in made_up_people(5)]

    sent = Sent(1, 1, people, minimum_records=50)

    assert sent.encoded.padded
    assert sent.encoded.records == 50
    assert len(sent.encoded.spans) == 50
    assert all(len(rows) >= 50 for rows in sent.encoded.rows.values())
    assert set(sent.encoded.spans["school_year"].tolist()) == {2020}


def test_dummies_lack_what_the_roster_lacks() -> None:
    bare = ClearPerson(0, given="Quzam", birth_date="2010")

    sent = Sent(1, 1, [bare], minimum_records=20)

    assert len(sent.encoded.rows["names"]) == 0
    assert (sent.encoded.rows["dob"]["flags"] == FLAG_SURNAME_ABSENT).all()
    assert (sent.encoded.rows["dob"]["tags"][:, 3:] == 0).all()


def test_dummies_of_people_without_a_birth_date_have_none() -> None:
    sent = Sent(1, 1, [ClearPerson(0, surname="Xelor")], minimum_records=20)

    assert len(sent.encoded.rows["dob"]) == 0


def test_an_empty_roster_is_made_of_dummies() -> None:
    sent = Sent(1, 1, [], minimum_records=20)

    assert sent.encoded.records == 20
    assert len(sent.encoded.rows["dob"]) == 20


def test_an_empty_roster_with_no_minimum_has_no_rows() -> None:
    encoded = Sent(1, 1, []).encoded

    assert (encoded.records, encoded.padded, len(encoded.spans)) == (0, False, 0)
    assert encoded.profile["dob"] == ViewProfile(values=0, largest=0)


def test_the_profile_counts_records_and_not_rows() -> None:
    people = [ClearPerson(n, given="Quzam", surname="Xelor Zumi", birth_date="2010-02-03") for n in range(4)]

    profile = Sent(1, 1, people).encoded.profile

    assert profile["dob"] == ViewProfile(values=1, largest=4)
    assert profile["names"] == ViewProfile(values=2, largest=4)


@pytest.mark.parametrize(
    ("people", "spans", "code"),
    [
        ([ClearPerson(1), ClearPerson(1)], [span(1)], "record_repeated"),
        ([ClearPerson(1), ClearPerson(2)], [span(1)], "record_without_span"),
        ([ClearPerson(1)], [span(1), span(2)], "span_without_record"),
        ([ClearPerson(1)], [SpanFacts(1, b"short", 2020, 3, True, 0, 9)], "bad_reference"),
    ],
)
def test_a_roster_that_contradicts_itself_is_refused(
    people: list[ClearPerson], spans: list[SpanFacts], code: str
) -> None:
    with pytest.raises(LinkageError) as refusal:
        encode_roster(
            people, spans=spans, schema=SCHEMA, secret=SECRET, submission_key=SECRET, rng=np.random.default_rng(0)
        )

    assert refusal.value.code == code


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(LinkageError, match="wrong_key_length"):
        encode_roster([], spans=[], schema=SCHEMA, secret=b"short", submission_key=SECRET, rng=np.random.default_rng(0))


def test_a_clear_person_shows_nothing_and_is_never_pickled() -> None:
    person = ClearPerson(1, given="Quzam")

    assert repr(person) == "ClearPerson(masked)"
    assert repr(NameForm("quzam", "quzam", 0)) == "NameForm(masked)"
    with pytest.raises(TypeError):
        pickle.dumps(person)


@pytest.mark.parametrize(
    ("code", "number"), [("PS", -2), ("TK", -1), ("KN", 0), ("07", 7), ("12", 12), ("UE", GRADE_UNKNOWN)]
)
def test_a_grade_is_a_number_that_grows_by_one_a_year(code: str, number: int) -> None:
    assert grade_number(code) == number


def test_subkeys_of_two_purposes_differ() -> None:
    assert subkey(SECRET, schema=SCHEMA, purpose="view/dob/token") != subkey(
        SECRET, schema=SCHEMA, purpose="view/dob/filter"
    )


def test_changed_tables_are_refused() -> None:
    with pytest.raises(LinkageError, match="tables_changed"):
        name_tables(replace(SCHEMA, tables_sha256="0" * 64))


def test_sealed_ids_open_to_their_records() -> None:
    records = np.array([0, 5, 2**63], dtype=np.uint64)

    sealed = seal_records(records, nonces=np.arange(3, dtype=np.uint64), key=SECRET)

    assert open_records(sealed, key=SECRET).tolist() == records.tolist()


def test_blocks_come_back_from_deciphering() -> None:
    blocks = np.arange(64, dtype=np.uint8).reshape(4, 16)

    assert decrypt_blocks(encrypt_blocks(blocks, key=SECRET), key=SECRET).tolist() == blocks.tolist()


def test_grams_of_other_alphabets_have_codes_of_their_own() -> None:
    codes = gram_codes("иqи")

    assert len(codes) == 4
    assert all(code >= 1 << 23 for code in codes)


@pytest.mark.parametrize("name", ["x", "quzam", "quzamirabelothranidexiflomugapevotisyu" * 3])
def test_a_filter_has_the_same_weight_whatever_the_length_of_the_name(name: str) -> None:
    grams = GramTable([name, ""])
    tokens = np.frombuffer(np.random.default_rng(1).bytes(16 * 40), dtype=np.uint8).reshape(-1, 16)

    filters = name_filters(np.zeros(40, dtype=np.int64), tokens=tokens, grams=grams, key=SECRET, weight=64)

    assert set(np.bitwise_count(filters).sum(axis=1).tolist()) == {64}
    assert len({row.tobytes() for row in filters}) == 40


def test_a_filter_draws_further_words_until_it_is_full() -> None:
    grams = GramTable(["x"])
    tokens = np.frombuffer(np.random.default_rng(2).bytes(16 * 300), dtype=np.uint8).reshape(-1, 16)

    filters = name_filters(np.zeros(300, dtype=np.int64), tokens=tokens, grams=grams, key=SECRET, weight=90)

    assert set(np.bitwise_count(filters).sum(axis=1).tolist()) == {90}


def test_a_rosters_filters_are_the_same_interpreted_and_compiled() -> None:
    grams = GramTable(["quzam"])
    count = np.array([grams.counts[0]])
    tokens = np.arange(16, dtype=np.uint8).reshape(1, 16)
    starts, blocks, offsets = np.array([0]), np.array([3]), grams.offsets[:1]
    inputs = [np.zeros((int(count[0]) * 3, 4), dtype=np.uint32) for _ in range(2)]
    filters = [np.zeros((1, 4), dtype=np.uint64) for _ in range(2)]

    for place, (write, fill) in enumerate(
        [(write_gram_inputs, fill_filters), (_interpreted(write_gram_inputs), _interpreted(fill_filters))]
    ):
        write(inputs[place], starts, blocks, offsets, count, grams.codes, tokens.view(np.uint32))
        fill(filters[place], encrypt_blocks(inputs[place].view(np.uint8), key=SECRET), starts, blocks, count, 64)

    assert inputs[0].tolist() == inputs[1].tolist()
    assert filters[0].tolist() == filters[1].tolist()


def _interpreted(function):  # type: ignore[no-untyped-def]
    return getattr(function, "py_func", function)


def test_the_layout_of_a_view_row_is_that_of_the_contract() -> None:
    assert VIEW_ROW.itemsize == 120
    assert {name: VIEW_ROW.fields[name][1] for name in VIEW_ROW.names} == {
        "sealed_id": 0, "view": 16, "variant": 17, "flags": 18, "token": 20, "given": 36, "surname": 68,
        "tags": 100, "spare": 116,
    }  # fmt: skip
    assert len(reference(1)) == 16


def test_positions_that_do_not_suffice_tell_how_far_they_reached() -> None:
    filters = np.zeros((1, 4), dtype=np.uint64)
    positions = np.full((1, 16), 7, dtype=np.uint8)
    one = np.array([1], dtype=np.int64)

    reached = _interpreted(fill_filters)(filters, positions, one - 1, one, one, 3)

    assert reached.tolist() == [1]
    assert filters.tolist() == [[1 << 7, 0, 0, 0]]
