"""A receipt shows what happened, when and where it stands, and nothing in it can be changed."""

import datetime as dt
import json

import pytest

from policies.translog.entries import detail_json, entry_bytes
from policies.translog.errors import (
    EntryError,
    TranslogError,
)
from policies.translog.proof import TlogProof
from policies.translog.receipt import Receipt, check_receipt, read_receipt
from tests.unit.policies.made_up_log import (
    DETAIL,
    LOG,
    leaves_of,
    note_of,
    receipt_of,
)


def test_a_receipt_shows_what_happened_when_and_where_it_stands():
    shown = check_receipt(receipt_of(), LOG)

    assert (shown.sequence, shown.event, shown.resource, shown.size) == (4, "submission.accepted", "submission:1", 6)


@pytest.mark.parametrize("part", ["entry", "detail", "salt", "proof"])
def test_every_changed_character_of_a_receipt_is_refused_with_a_code(part):
    receipt = receipt_of()
    text = getattr(receipt, part)

    for at in range(len(text)):
        changed = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        with pytest.raises(TranslogError) as refused:
            check_receipt(Receipt(**(vars(receipt) | {part: changed})), LOG)
        assert refused.value.code != "TRANSLOG-000"


def test_a_receipt_whose_parts_belong_to_two_events_is_refused():
    receipt, other = receipt_of(), receipt_of(size=9, at=5)
    leaves = leaves_of(6)
    shifted = TlogProof(4, (), note_of(leaves)).written().replace("index 4", "index 3")

    for changed in ({"proof": other.proof}, {"sequence": 5}, {"proof": shifted}, {"salt": "é" * 32}):
        with pytest.raises(TranslogError):
            check_receipt(Receipt(**(vars(receipt) | changed)), LOG)


@pytest.mark.parametrize("detail", [b"{", b"[]", b"{}", detail_json(DETAIL).replace(b",", b", ", 1)])
def test_a_detail_that_is_not_an_event_s_is_refused(detail):
    with pytest.raises(EntryError):
        check_receipt(receipt_of(detail=detail), LOG)


def test_a_proof_written_in_another_way_is_refused():
    receipt = receipt_of()

    with pytest.raises(EntryError):
        check_receipt(Receipt(**(vars(receipt) | {"proof": receipt.proof.replace("@v1\n", "@v1\nextra AA==\n")})), LOG)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        vars(receipt_of()) | {"sequence": "4"},
        vars(receipt_of()) | {"more": 1},
        vars(receipt_of()) | {"salt": 1},
    ],
)
def test_what_is_no_receipt_is_refused(value):
    with pytest.raises(EntryError):
        read_receipt(value)


def test_a_receipt_of_json_is_read():
    assert read_receipt(json.loads(json.dumps(vars(receipt_of())))) == receipt_of()


def test_the_detail_is_written_as_canonical_json():
    expected = json.dumps(DETAIL, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    assert detail_json(DETAIL) == expected
    time = dt.datetime(2026, 11, 22, 13, tzinfo=dt.UTC)
    assert entry_bytes(3, time=time, event="e", detail_hash="h").split(b"\n")[2] == b"2026-11-22T13:00:00.000000+00:00"
