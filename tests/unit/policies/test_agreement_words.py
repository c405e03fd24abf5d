"""Agreements for people: plain words, what changed, warnings and the calendar."""

import datetime as dt
from importlib import resources

import pytest

from policies.agreement_dates import backups_gone_by, calendar_file, destroyed_by, milestones, warning
from policies.agreement_words import Change, changes, plain_words
from policies.agreements import Outputs, read_agreement

pytestmark = pytest.mark.access
FOLDER = resources.files("policies")
NAMES = (
    "agreements/mou",
    "agreements/dsa-k12",
    "agreements/dsa-preschool",
    "agreements/dul-7",
    "agreement_examples/dsa-studies",
)


def example(name):
    return read_agreement(FOLDER.joinpath(f"{name}.yaml").read_text("utf-8"))


STUDY, LICENCE = example("agreement_examples/dsa-studies"), example("agreements/dul-7")


@pytest.mark.parametrize("name", NAMES)
def test_every_party_purpose_element_and_clause_is_told_in_words(name):
    agreement = example(name)

    words = plain_words(agreement)

    told = [party.organisation for party in agreement.parties] + [one.text for one in agreement.purposes]
    told += [f"{table}.{element} (" for table, names in agreement.elements.items() for element in names]
    told += [clause for _, clause in agreement.clauses if clause]
    assert [one for one in told if one not in words] == []


def test_what_may_not_be_done_with_an_element_is_told():
    words = plain_words(STUDY)

    assert "demographics.english_learner_status (quasi; English Learner Status): is reported, does not split" in words
    assert "no place finer than the county" in words
    assert "school years 2019 to 2026" in words
    assert "objections honoured from the next cohort's release: directory block, parents' list" in words


def test_a_licence_tells_its_indicators_splits_and_smallest_numerator():
    stricter = LICENCE.model_copy(update={"outputs": LICENCE.outputs.model_copy(update={"numerator_min": 5})})

    words = plain_words(stricter)

    assert "indicators: eighth-grade-math" in words
    assert "splits: district" in words
    assert "at least 5 who reached the outcome" in words


def test_who_honours_no_objection_says_so():
    nobody = STUDY.opt_outs.model_copy(update={"directory_block": False, "parent_list": False})

    assert "next cohort's release: none" in plain_words(STUDY.model_copy(update={"opt_outs": nobody}))


def test_an_agreement_without_a_basis_says_so():
    assert "Legal basis: none." in plain_words(STUDY.model_copy(update={"legal_basis": (), "state_basis": ()}))


def test_two_versions_differ_in_just_what_was_changed():
    parties = (*STUDY.parties, STUDY.parties[0].model_copy(update={"organisation": "reed"}))
    elements = {name: named for name, named in STUDY.elements.items() if name != "assessment"}
    after = STUDY.model_copy(
        update={"version": 2, "parties": parties, "elements": elements, "outputs": Outputs(min_n=30, max_dimensions=1)}
    )

    found = changes(STUDY, after)

    places = {change.place for change in found}
    assert {"version", "outputs.min_n", "outputs.geographic_floor", "parties.reed.role"} <= places
    assert all(place.startswith(("elements.assessment.", "outputs.", "parties.reed.", "version")) for place in places)
    assert changes(STUDY, STUDY) == ()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (Change("a", None, "1"), "+ a: 1"),
        (Change("a", "1", None), "- a: 1"),
        (Change("a", "1", "2"), "~ a: 1 -> 2"),
    ],
)
def test_a_change_is_one_line(change, line):
    assert change.line() == line


@pytest.mark.parametrize(
    ("day", "within"),
    [("2028-03-31", None), ("2028-04-01", 90), ("2028-05-31", 30), ("2028-06-23", 7), ("2028-06-30", 7),
     ("2028-07-01", None)],
)  # fmt: skip
def test_the_end_is_warned_of_ninety_sixty_thirty_and_seven_days_before(day, within):
    assert warning(STUDY, dt.date.fromisoformat(day)) == within


def test_the_days_of_an_agreement_come_in_order():
    found = [(one.kind, one.day.isoformat()) for one in milestones(STUDY)]

    assert found == [
        ("effective", "2026-07-01"), ("review", "2027-06-30"), ("warning", "2028-04-01"), ("warning", "2028-05-01"),
        ("warning", "2028-05-31"), ("warning", "2028-06-23"), ("last-day", "2028-06-30"), ("destruction", "2028-07-30"),
    ]  # fmt: skip
    assert "review" not in {one.kind for one in milestones(STUDY.model_copy(update={"review": None}))}


def test_what_was_destroyed_is_gone_from_every_backup_35_days_later():
    destroyed = destroyed_by(STUDY, ended=dt.date(2027, 1, 1))

    assert (destroyed, backups_gone_by(destroyed)) == (dt.date(2027, 1, 31), dt.date(2027, 3, 7))


def test_a_long_line_of_the_calendar_goes_on_in_the_next():
    named = STUDY.model_copy(update={"id": "DSA-" + "X" * 36})

    text = calendar_file([named], made_at=dt.datetime(2028, 6, 1, tzinfo=dt.UTC))

    assert all(len(line) <= 75 for line in text.split("\r\n"))
    assert "all use stops by itself after it" in text.replace("\r\n ", "")


def test_the_calendar_holds_the_days_to_come_in_lines_of_75_octets():
    text = calendar_file([STUDY, LICENCE], made_at=dt.datetime(2028, 6, 1, tzinfo=dt.UTC))

    lines = text.split("\r\n")
    assert (lines[0], lines[-2:]) == ("BEGIN:VCALENDAR", ["END:VCALENDAR", ""])
    assert all(len(line) <= 75 for line in lines)
    assert text.count("BEGIN:VEVENT") == 3 + 6
    assert "DTSTART;VALUE=DATE:20280630" in lines
    assert "20280501" not in text


def test_duties_that_an_agreement_does_not_have_are_not_told():
    bare = STUDY.model_copy(update={"opt_outs": None, "breach": None, "review": None})

    words = plain_words(bare)

    assert "looked at again" in plain_words(STUDY)
    assert [duty for duty in ("objections", "a breach is told", "looked at again") if duty in words] == []
    assert "destroyed within" in words
