"""What may be said beside a number, what a reviewer looks at twice, and who must have read it."""

import pytest

from policies.voices import FAULTS, may_review, may_show, to_look_at
from policies.voices import faults_of as faults

GOOD = "Nobody at the school could answer us in Spanish, so we missed the place in 2024."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (GOOD, ()),
        ("Después de la escuela no había transporte para volver al Canal.", ()),
        ("When I was called in, the teacher read with me every day.", ()),
        ("Too short.", ("VOICE-001",)),
        ("Word " * 200, ("VOICE-001",)),
        ("We were told that 7 places were left for the whole neighbourhood.", ("VOICE-002",)),
        ("Write to qorvax@example.org and we tell you the whole story.", ("VOICE-003",)),
        ("Three Black students of our class waited a whole year for help.", ("VOICE-004",)),
        ("Sólo dos niñas de la clase recibieron ayuda con la lectura.", ("VOICE-004",)),
        ("My son Qorvax could not find a preschool place near us.", ("VOICE-005",)),
        ("Se llama Zyblen y le gusta mucho el programa de la tarde.", ("VOICE-005",)),
    ],
)
def test_a_voice_names_no_child_and_tells_no_number(text, found):
    assert faults(text) == found


def test_every_code_has_its_next_step():
    assert sorted(FAULTS) == [f"VOICE-00{number}" for number in range(1, 6)]
    assert all(FAULTS.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD, ()),
        ("The bus from San Rafael left before Qorvax could board it.", ("Qorvax",)),
        ("They speak of at-risk families. Nobody asked us what we need.", ("at-risk",)),
    ],
)
def test_a_reviewer_is_shown_what_may_be_a_name_or_puts_a_fault_on_children(text, words):
    assert to_look_at(text) == words


@pytest.mark.parametrize(("organisation", "may"), [("novato", True), ("canal-alliance", False), (None, False)])
def test_nobody_reviews_what_their_own_organisation_wrote(organisation, may):
    assert may_review(organisation, wrote="canal-alliance") is may


@pytest.mark.parametrize(("approved", "shows"), [((), False), (("a",), False), (("a", "a"), False), (("a", "b"), True)])
def test_two_different_persons_approve_before_it_shows(approved, shows):
    assert may_show(approved) is shows
