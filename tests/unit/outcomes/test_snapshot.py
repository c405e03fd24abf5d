"""Snapshots: facts chunks and links in, tables out, the same bytes from the same inputs."""

import datetime as dt
import gzip
import hashlib
import json
import random
from typing import Any

import pytest

from hub.errors import StoreError
from hub.outcomes.schema import line_schema, person_tables, snapshot_schemas
from hub.outcomes.snapshot import (
    BATCH_BYTES,
    PersonLinks,
    SubmittedFacts,
    parquet_bytes,
    read_parquet,
    snapshot_tables,
)
from policies.dictionary import dictionary
from policies.organisation_files import organisations
from policies.pseudonyms import AgreementSalt, pseudonyms

MARKED = "zzqmarkedvalue"
ANN, BOB = "a" * 32, "b" * 32
NOBODY = PersonLinks((), (), ())
UNDER = pseudonyms(b"p" * 32, (AgreementSalt("DSA-K12", 1, b"s" * 32),))


def chunk(*rows: dict[str, Any]) -> bytes:
    lines = "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows)
    return gzip.compress(lines.encode(), mtime=0)


def submitted(*chunks: bytes, provider: str = "novato", kind: str = "k12", year: int = 2023) -> SubmittedFacts:
    return SubmittedFacts(f"{provider}-{kind}-{year}", provider, kind, year, chunks)


def attended(reference: str, days: float = 171.5) -> dict[str, Any]:
    return {"t": "attendance", "r": reference, "school": "2199999", "days_expected": 180, "days_attended": days}


def take(*facts: SubmittedFacts, links: PersonLinks = NOBODY) -> dict[str, Any]:
    return snapshot_tables(facts, links=links, organisations=organisations(), under=UNDER)


def test_the_person_stands_in_the_place_of_the_reference_and_provider_and_year_are_added() -> None:
    born = {"t": "program", "r": ANN, "program_code": "181", "start_date": "2022-08-20"}
    links = PersonLinks(["novato", "reed"], [ANN, ANN], ["1" * 32, "2" * 32])

    tables = take(submitted(chunk(born, attended(ANN))), links=links)

    assert tables["program"].to_pylist() == [
        {
            "person_id": UNDER.of("1" * 32), "provider": "novato", "kind": "k12", "school_year": 2023,
            "program_code": "181", "start_date": dt.date(2022, 8, 20), "end_date": None,
        }
    ]  # fmt: skip
    assert tables["attendance"].to_pylist()[0]["days_expected"] == 180.0


def test_a_record_that_no_link_names_is_a_person_of_its_own_in_every_year() -> None:
    tables = take(
        submitted(chunk(attended(ANN), attended(BOB))),
        submitted(chunk(attended(ANN)), year=2024),
        submitted(chunk(attended(ANN)), provider="reed"),
    )

    persons = {(row["provider"], row["school_year"]): set() for row in tables["attendance"].to_pylist()}
    for row in tables["attendance"].to_pylist():
        persons[row["provider"], row["school_year"]].add(row["person_id"])
    assert persons["novato", 2024] < persons["novato", 2023]
    assert persons["reed", 2023].isdisjoint(persons["novato", 2023])
    assert all(len(person) == 32 and person not in (ANN, BOB) for found in persons.values() for person in found)
    alone = hashlib.sha256(f"alone\nreed\n{ANN}".encode()).hexdigest()[:32]
    assert persons["reed", 2023] == {UNDER.of(alone)}


def test_a_child_linked_across_providers_is_one_person() -> None:
    links = PersonLinks(["novato", "reed"], [ANN, BOB], ["1" * 32, "1" * 32])

    tables = take(submitted(chunk(attended(ANN))), submitted(chunk(attended(BOB)), provider="reed"), links=links)

    assert set(tables["attendance"]["person_id"].to_pylist()) == {UNDER.of("1" * 32)}


def test_aggregate_rows_have_no_person() -> None:
    row = {
        "t": "employment_aggregate", "completion_year": 2020, "years_after": 6, "gender": "F", "race_ethnicity": "500",
        "economic_disadvantage": "Y", "persons": 5, "matchable": 4, "employed": 3,
    }  # fmt: skip

    tables = take(submitted(chunk(row), provider="wage-authority", kind="employment"))

    assert "person_id" not in tables["employment_aggregate"].column_names
    assert tables["employment_aggregate"].to_pylist()[0]["employed"] == 3


def test_the_same_facts_and_links_give_the_same_bytes_in_whatever_order_they_come() -> None:
    shuffle = random.Random(7)
    references = [f"{number:032x}" for number in range(60)]
    parts = [
        submitted(chunk(*[attended(one, days=number) for one in references]), year=2019 + number) for number in range(4)
    ]
    links = list(zip(["novato"] * 40, references, [f"{number // 2:032x}" for number in range(40)], strict=False))
    first = take(*parts, links=PersonLinks(*zip(*links, strict=True)))
    shuffle.shuffle(parts)
    shuffle.shuffle(links)

    second = take(*parts, links=PersonLinks(*zip(*links, strict=True)))

    assert {name: parquet_bytes(table) for name, table in first.items()} == {
        name: parquet_bytes(table) for name, table in second.items()
    }


def test_a_table_comes_back_from_its_file_as_it_was() -> None:
    tables = take(submitted(chunk(attended(ANN))))

    back = {name: read_parquet(parquet_bytes(table), name) for name, table in tables.items()}

    assert back == tables


def test_every_table_of_the_dictionary_is_there_though_nobody_sent_it() -> None:
    tables = take()

    assert {name: table.schema for name, table in tables.items()} == snapshot_schemas()
    assert set(tables) == {*dictionary().tables, "organisations"}
    assert "employment_aggregate" not in person_tables()


def test_chunks_without_rows_and_a_last_line_without_its_end_are_ordinary() -> None:
    open_end = gzip.compress(json.dumps(attended(ANN)).encode(), mtime=0)

    tables = take(submitted(gzip.compress(b"", mtime=0), open_end, chunk(attended(BOB))))

    assert tables["attendance"].num_rows == 2


def test_more_than_one_batch_is_read_whole() -> None:
    rows = BATCH_BYTES // 150 + 1
    lines = b"".join(json.dumps(attended(f"{number:032x}")).encode() + b"\n" for number in range(rows))
    big = gzip.compress(lines, compresslevel=1, mtime=0)

    tables = take(submitted(big), submitted(chunk(attended(ANN)), year=2024))

    assert tables["attendance"].num_rows == rows + 1


def test_a_line_gives_the_same_row_in_whatever_way_it_names_its_table() -> None:
    told = {"days_attended": 171.5, "days_expected": 180, "r": ANN, "school": "2199999"}
    ways = (
        json.dumps({**told, "t": "attendance"}, separators=(",", ":")),
        json.dumps({"t": "attendance", **told}),
        json.dumps(told, separators=(",", ":"))[:-1] + ',"\\u0074":"att\\u0065ndance"}',
    )

    tables = take(submitted(gzip.compress("".join(f"{way}\n" for way in ways).encode(), mtime=0)))

    assert tables["attendance"].num_rows == 3
    assert len({str(row) for row in tables["attendance"].to_pylist()}) == 1


@pytest.mark.parametrize(
    "broken",
    [
        gzip.compress(f'{{"r":"{ANN}","t":"attendance"}}\n\n'.encode(), mtime=0),
        gzip.compress(f'{{"r":"{ANN}","\\u0074":"program","t":"attendance"}}\n'.encode(), mtime=0),
        gzip.compress(b"", mtime=0) + b"not gzip",
        chunk(attended(ANN))[:-9],
        gzip.compress(b'{"t": "attendance", "r": "' + MARKED.encode() + b"\n", mtime=0),
        chunk({"t": "attendance", "r": ANN, MARKED: 1}),
        chunk({"t": "attendance", "r": ANN, "days_expected": MARKED}),
    ],
)
def test_a_chunk_that_cannot_be_read_is_named_without_a_value_of_it(broken: bytes) -> None:
    with pytest.raises(StoreError) as caught:
        take(submitted(broken))

    assert caught.value.code == "facts-unreadable"
    assert MARKED not in str(caught.value)


def test_an_element_of_two_tables_has_one_type() -> None:
    assert set(line_schema().names) == {"t", "r"} | {
        name for table in dictionary().tables.values() for name in table.elements
    }


def test_what_is_held_does_not_show_itself() -> None:
    links = PersonLinks([MARKED], [MARKED], [MARKED])

    shown = repr(submitted(MARKED.encode())) + repr(links)

    assert MARKED not in shown
