"""Who must cosign: the majority of districts, and policies as they are written."""

import pytest

from policies.translog.errors import (
    CosignatureError,
    PolicyError,
)
from policies.translog.note import Note
from policies.translog.policy import NONE, check_cosigned, majority_policy, read_policy
from tests.unit.policies.made_up_log import DISTRICTS, LOG, NOW, POLICY, WITNESSES, cosigned, leaves_of, note_of


def test_a_majority_of_districts_has_to_cosign_and_an_organisation_counts_once():
    note = note_of(leaves_of(5))

    body, cosigners = check_cosigned(cosigned(note, "fenbrook", "zarnholt"), POLICY)

    assert (body.size, set(cosigners.values())) == (5, {NOW})
    for names in ((), ("fenbrook",), ("fenbrook", "fenbrook")):
        with pytest.raises(CosignatureError) as refused:
            check_cosigned(cosigned(note, *names), POLICY)
        assert refused.value.code == "COSIGN-003"


def test_cosignatures_without_the_log_s_own_signature_are_not_enough():
    note = note_of(leaves_of(5))
    witnesses_alone = Note(note.text, cosigned(note, "fenbrook", "zarnholt").signatures[1:])

    with pytest.raises(CosignatureError):
        check_cosigned(witnesses_alone, POLICY)


def test_without_agents_of_districts_the_policy_asks_for_no_witness_and_says_so():
    empty = majority_policy(LOG, {"fenbrook": {}})

    assert empty.written() == f"log {LOG.vkey()}\nquorum none\n"
    assert check_cosigned(note_of(leaves_of(2)), empty)[0].size == 2
    assert read_policy(empty.written()).quorum == NONE


def test_a_policy_is_written_and_read_back_the_same():
    assert read_policy(POLICY.written()) == POLICY
    text = POLICY.written()
    assert read_policy(f"# who cosigns\n\n{text}").quorum == "districts"


W = [f"{name}:1" for name in DISTRICTS]
VKEYS = {name: verifier.vkey() for name, verifier in WITNESSES.items()}
TWO = f"witness a {VKEYS['fenbrook']}\nwitness b {VKEYS['zarnholt']} https://b.test\n"


def test_groups_of_groups_and_shorthands_are_understood():
    policy = read_policy(
        f"log {LOG.vkey()} https://log.test\n{TWO}witness c {VKEYS['quollmere']}\n"
        "group one any a b\ngroup whole all one c\nquorum whole\n"
    )
    note = note_of(leaves_of(2))

    assert check_cosigned(cosigned(note, "zarnholt", "quollmere"), policy)
    with pytest.raises(CosignatureError):
        check_cosigned(cosigned(note, "fenbrook", "zarnholt"), policy)


@pytest.mark.parametrize(
    "text",
    [
        "", "quorum none\nquorum none\n", f"{TWO}quorum c\n", f"{TWO}group g 3 a b\nquorum g\n",
        f"{TWO}group g x a b\nquorum g\n", f"{TWO}group g any a a\nquorum g\n", f"{TWO}group g any c\nquorum g\n",
        f"{TWO}group g any a\ngroup h any a\nquorum h\n", f"{TWO}group a any b\nquorum a\n",
        f"witness none {VKEYS['fenbrook']}\nquorum none\n", f"witness a {LOG.vkey()}\nquorum a\n",
        f"log {VKEYS['fenbrook']}\nquorum none\n", f"{TWO}witness d {VKEYS['fenbrook']}\nquorum a\n", "what\n",
    ],
)  # fmt: skip
def test_a_policy_that_is_not_well_defined_is_refused(text):
    with pytest.raises(PolicyError):
        read_policy(text)
