"""An exported log is verified without the hub: every changed byte, and every operator's trick, is found and placed."""

from dataclasses import replace
from itertools import chain, islice

import pytest

from policies.translog import merkle
from policies.translog.bundle import (
    BadBundleError,
    Trust,
    begun,
    chained,
    checkpoint_line,
    end_line,
    ended,
    entry_line,
    head_line,
    read_line,
    selected_event,
    selection,
    verify_bundle,
    verify_selection,
)
from policies.translog.entries import DETAIL_FIELDS, detail_hash, entry_text
from policies.translog.policy import majority_policy
from tests.unit.policies.made_up_log import (
    DISTRICTS,
    LOG,
    ORIGIN,
    POLICY,
    WITNESSES,
    cosigned,
    leaves_of,
    note_of,
    tree,
)

TRUST = Trust(LOG)


def event(number, *, resource="page"):
    """Detail, entry and salt of one made-up event."""
    detail = dict.fromkeys(DETAIL_FIELDS) | {
        "event": "page.read", "actor": "anonymous", "request_id": f"{number:016x}", "method": "GET /",
        "outcome": "done", "resource": f"{resource}:{number}", "counts": {"rows": number}, "versions": {},
    }  # fmt: skip
    salt = number.to_bytes(16, "big")
    time = f"2026-11-22T13:00:{number % 60:02d}.000000+00:00"
    return detail, entry_text(number, time, "page.read", detail_hash(detail, salt)), salt


def bundle(count, *, every=3, resource="page", witnesses=(), events=None):
    """The lines of a bundle with a checkpoint after every so many events and after the last."""
    lines, leaves = [head_line(ORIGIN)], []
    for number, (detail, entry, salt) in enumerate(events or [event(n, resource=resource) for n in range(count)]):
        leaf = merkle.leaf_hash(entry)
        leaves.append(leaf)
        lines.append(entry_line(number, entry=entry, leaf=leaf, salt=salt, detail=detail))
        if len(leaves) % every == 0 or len(leaves) == count:
            lines.append(checkpoint_line(cosigned(note_of(leaves), *witnesses)))
    return finished(lines, len(leaves))


def finished(lines, count):
    chain = b""
    for line in lines:
        chain = chained(chain, line)
    return [*lines, end_line(count, chain)]


def test_a_whole_bundle_is_whole():
    verdict = verify_bundle(bundle(8), TRUST)

    assert (verdict.whole, verdict.events, verdict.checkpoints) == (True, 8, 3)


def flipped_bundles(lines, bits):
    """Every byte of a bundle changed in turn: the reading before the line, line number, place and changed lines."""
    reading = begun(lines[0], TRUST)
    yield from ((None, 0, changed) for changed in flipped(lines[0], bits))
    for number, line in enumerate(lines[1:], start=1):
        yield from ((reading, number, changed) for changed in flipped(line, bits))
        reading = read_line(reading, line, TRUST)


def flipped(line, bits):
    for at in range(len(line)):
        for bit in bits:
            yield line[:at] + bytes([line[at] ^ (1 << bit)]) + line[at + 1 :]


def found_at(lines, reading, number, changed):
    """The entry named when one line is changed; lines are split anew where a newline came or went."""
    rest = split_anew(lines, number, changed)
    try:
        if reading is None:
            reading = begun(next(rest), TRUST)
        for line in rest:
            reading = read_line(reading, line, TRUST)
        return None if ended(reading, TRUST).whole else -1
    except BadBundleError as bad:
        return bad.entry


def split_anew(lines, number, changed):
    """The lines from the changed one on; only where its newline came or went are they others than before."""
    if changed.find(b"\n") == len(changed) - 1:
        return chain([changed], islice(lines, number + 1, None))
    return iter((changed + b"".join(lines[number + 1 :])).splitlines(keepends=True))


def check_every_byte(lines, bits, *, step=1):
    """What was not found, or named elsewhere, and how many were tried: every byte, or every `step`-th flip."""
    named_by, entries, signed = [], 0, 0
    for line in lines:
        is_checkpoint = line.startswith(b'{"checkpoint"')
        # A checkpoint vouches for the entries since the one before; one that cannot be read is named by its place.
        named_by.append({signed, entries} if is_checkpoint else {entries})
        entries += line.startswith(b'{"detail"')
        signed = entries if is_checkpoint else signed
    wrong, tried = [], 0
    for reading, number, changed in islice(flipped_bundles(lines, bits), 0, None, step):
        tried += 1
        if found_at(lines, reading, number, changed) not in named_by[number]:
            wrong.append((number, changed))
    return wrong, tried


def test_every_changed_byte_of_a_bundle_is_found_and_its_entry_named():
    lines = bundle(4)

    wrong, tried = check_every_byte(lines, bits=(0, 5))

    assert wrong == []
    assert tried == 2 * sum(map(len, lines))


def test_changed_bytes_all_over_a_bundle_of_a_thousand_events_are_found_and_their_entry_named():
    wrong, tried = check_every_byte(bundle(1_000, every=50), bits=(1,), step=997)

    assert wrong == []
    assert tried > 500


@pytest.mark.slow
def test_every_changed_byte_of_a_bundle_of_a_thousand_events_is_found_and_its_entry_named():
    lines = bundle(1_000, every=50)

    wrong, tried = check_every_byte(lines, bits=(1,))

    assert wrong == []
    assert tried == sum(map(len, lines))


def test_a_removed_doubled_or_moved_event_is_found_where_it_happened():
    lines = bundle(8, every=8)
    removed = [*lines[:4], *lines[5:]]
    doubled = [*lines[:4], lines[3], *lines[4:]]
    moved = [*lines[:4], lines[5], lines[4], *lines[6:]]

    assert [verify_bundle(one, TRUST).first_bad for one in (removed, doubled, moved)] == [3, 3, 3]


def test_an_inserted_event_is_found():
    detail, own, salt = event(3, resource="other")
    true = bundle(8, every=2)
    inserted = entry_line(3, entry=own, leaf=merkle.leaf_hash(own), salt=salt, detail=detail)

    verdict = verify_bundle([*true[:5], inserted, *true[5:]], TRUST)

    # The inserted one fits by itself; the first that cannot stand where it stands is the true one behind it.
    assert (verdict.whole, verdict.first_bad) == (False, 4)


@pytest.mark.parametrize("cut", [1, 3, 6])
def test_a_bundle_that_was_cut_short_is_found(cut):
    verdict = verify_bundle(bundle(8)[:-cut], TRUST)

    assert verdict.whole is False
    assert verdict.first_bad is not None


def test_a_bundle_cut_short_with_a_new_end_is_found_by_a_checkpoint_kept_elsewhere():
    whole, short = bundle(8), bundle(6)
    kept = note_of([merkle.leaf_hash(event(number)[1]) for number in range(8)])

    assert verify_bundle(short, TRUST).whole is True
    verdict = verify_bundle(short, Trust(LOG, notes=(kept,)))
    assert (verdict.whole, verdict.first_bad) == (False, 6)
    assert verify_bundle(whole, Trust(LOG, notes=(kept,))).whole is True


def test_a_rewritten_entry_without_the_log_s_key_is_found_by_the_next_checkpoint():
    events = [event(number) for number in range(8)]
    rewritten = [*events[:4], event(4, resource="other"), *events[5:]]
    true, false = bundle(8), bundle(8, events=rewritten)
    lines = [line if line.startswith(b'{"detail"') else old for line, old in zip(false, true, strict=True)]

    verdict = verify_bundle(finished(lines[:-1], 8), TRUST)

    assert (verdict.whole, verdict.first_bad) == (False, 3)
    assert "another log" in verdict.reason


def test_a_history_rewritten_with_the_log_s_key_is_found_by_a_witness_s_checkpoint():
    kept = cosigned(note_of([merkle.leaf_hash(event(number)[1]) for number in range(6)]), "fenbrook")
    forged = bundle(8, resource="other")

    assert verify_bundle(forged, TRUST).whole is True
    assert verify_bundle(forged, Trust(LOG, policy=POLICY)).whole is None
    verdict = verify_bundle(forged, Trust(LOG, notes=(kept,)))
    assert (verdict.whole, verdict.first_bad) == (False, 3)
    assert "kept elsewhere" in verdict.reason


def test_a_bundle_with_its_quorum_is_whole_and_says_how_much_is_not_cosigned():
    verdict = verify_bundle(bundle(8, witnesses=DISTRICTS[:2]), Trust(LOG, policy=POLICY))

    assert verdict.whole is True
    assert "last 0 entries" in verdict.reason


def test_a_false_cosignature_is_found():
    note = note_of([merkle.leaf_hash(event(number)[1]) for number in range(2)])
    false = cosigned(note, "fenbrook")
    line = false.signatures[1]
    forged = replace(false, signatures=(false.signatures[0], replace(line, content=bytes(72))))
    lines = finished([*bundle(2, every=9)[:3], checkpoint_line(forged)], 2)

    assert verify_bundle(lines, Trust(LOG, policy=POLICY)).whole is False
    assert verify_bundle(lines, TRUST).whole is True


def test_what_no_checkpoint_covers_cannot_be_told():
    lines = [line for line in bundle(4, every=9) if not line.startswith(b'{"checkpoint"')]

    assert verify_bundle(finished(lines[:-1], 4), TRUST).whole is None
    assert verify_bundle(finished([head_line(ORIGIN)], 0), TRUST).whole is None


def test_a_bundle_of_another_log_or_behind_its_end_is_refused():
    assert verify_bundle(bundle(3), Trust(replace(LOG, name="other.test/log"))).first_bad == 0
    assert verify_bundle([*bundle(3), head_line(ORIGIN)], TRUST).reason == "something stands behind the end"
    assert verify_bundle([], TRUST).whole is False


def test_a_line_of_other_fields_is_refused():
    lines = bundle(2, every=9)
    odd = [
        b'{"entries":1}\n', b'{"chain":"00","entries":1}\n', b'{"checkpoint":1}\n', b"[]\n",
        lines[1].replace(b'"sequence":0', b'"sequence":true').replace(b"\n0\n", b"\n0\n"),
        lines[1].replace(b'"salt":"00', b'"salt":"zz', 1), lines[1].replace(b'"event":"page.read",', b"", 1),
        lines[1].replace(b"promise-audit/1", b"promise-audit/2"),
        lines[1].replace(b'"salt":"', b'"salt":["').replace(b'","sequence', b'"],"sequence'),
    ]  # fmt: skip

    for line in odd:
        assert verify_bundle([lines[0], line, *lines[2:]], TRUST).first_bad == 0


def test_a_checkpoint_of_another_key_or_place_is_found():
    lines = bundle(4, every=2)
    other = checkpoint_line(note_of(leaves_of(2), origin="other.test/log"))
    early = checkpoint_line(note_of([merkle.leaf_hash(event(0)[1])]))

    for line in (other, early):
        assert verify_bundle([*lines[:3], line, *lines[4:]], TRUST).first_bad == 0


def test_two_checkpoints_from_elsewhere_that_contradict_each_other_are_refused():
    first, second = note_of(leaves_of(3)), note_of(leaves_of(3, salt=b"x"))
    foreign = note_of(leaves_of(3), origin="other.test/log")

    assert verify_bundle(bundle(4), Trust(LOG, notes=(first, second))).whole is False
    assert verify_bundle(bundle(4), Trust(LOG, notes=(foreign,))).whole is False


def chosen(numbers=(1, 4), *, witnesses=()):
    events = [event(number) for number in range(6)]
    leaves = [merkle.leaf_hash(entry) for _, entry, _ in events]
    read = tree(leaves)[1]
    told = [
        selected_event(
            number, entry=events[number][1], salt=events[number][2], detail=events[number][0],
            path=merkle.inclusion_proof(number, 6, read=read),
        )
        for number in numbers
    ]  # fmt: skip
    return selection(cosigned(note_of(leaves), *witnesses), told)


def test_a_choice_of_events_holds_by_its_proofs():
    assert verify_selection(chosen(), TRUST).whole is True
    assert verify_selection(chosen(), Trust(LOG, policy=POLICY)).whole is None
    assert verify_selection(chosen(witnesses=DISTRICTS), Trust(LOG, policy=POLICY)).whole is True
    empty = majority_policy(LOG, {})
    assert verify_selection(chosen(), Trust(LOG, policy=empty)).whole is True


def test_every_changed_byte_of_a_choice_of_events_is_found():
    content = chosen()

    missed = [line for line in flipped(content, (0,)) if verify_selection(line, TRUST).whole is not False]

    assert missed == []


def test_what_is_no_selection_is_refused():
    content = chosen()
    odd = [
        b"", b"{}\n", content.replace(b'"events":[', b'"events":[1,'), content.replace(b'"salt"', b'"salz"'),
        b'{"checkpoint":"x","events":1,"format":"promise-audit-selection/1"}\n',
        selection(note_of(leaves_of(2)), 1), selection(note_of(leaves_of(2), origin="other.test/log"), []),
    ]  # fmt: skip

    assert [verify_selection(one, TRUST).whole for one in odd] == [False] * len(odd)
    assert WITNESSES
