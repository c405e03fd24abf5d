"""For all agreements: another one never shows a party more, and a stricter clause never does."""

import datetime as dt
from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.release.slices import PublishedCell, hide_below
from policies.agreements import ElementTerms, Purpose, effective, in_force, read_agreement
from policies.decision import (
    Query,
    Resource,
    decide,
    decide_count,
    decide_submission,
    decide_use,
    permitted_elements,
    threshold,
)
from policies.principal import Principal, Role

pytestmark = pytest.mark.access
DAYS = [dt.date(2026, 1, 1), dt.date(2026, 11, 22), dt.date(2040, 1, 1)]
SPLITS = ("race", "gender", "district", "preschool", "economic-status")
INDICATORS = ("third-grade-reading", "chronic-absence", "employment", "postsecondary-completion")
PURPOSES = ("close-equity-gap-2028", "tutoring")
ORGANISATIONS = ("novato", "canal-alliance", "community-action-marin", "another-partner")


def example(name):
    return read_agreement(resources.files("policies").joinpath(f"agreements/{name}.yaml").read_text("utf-8"))


BASES = [example(name) for name in ("dsa-k12", "dsa-preschool", "dsa-college", "dsa-employment", "dul-7", "mou")]


@st.composite
def agreements(draw, name=None):
    """An agreement like the examples, with other parties, purposes, elements, outputs and days."""
    base = draw(st.sampled_from(BASES))
    party = base.parties[0].model_copy(update={"organisation": draw(st.sampled_from(ORGANISATIONS))})
    purposes = [Purpose(id=one, text="Some words", activity="Some words") for one in draw(subsets(PURPOSES))]
    return base.model_copy(
        update={
            "id": name or draw(st.sampled_from(["A-1", "A-2", base.id])),
            "version": draw(st.integers(1, 3)),
            "parties": (*base.parties, party) if draw(st.booleans()) else (party,),
            "purposes": tuple(purposes),
            "elements": draw(elements(base)),
            "outputs": base.outputs.model_copy(
                update={
                    "min_n": draw(st.integers(11, 40)),
                    "indicators": frozenset(draw(subsets(INDICATORS))),
                    "dimensions": frozenset(draw(subsets(SPLITS))),
                    "max_dimensions": draw(st.integers(0, 3)),
                    "geographic_floor": draw(st.sampled_from(["county", "district"])),
                }
            ),
            "retention": base.retention.model_copy(
                update={"effective": draw(st.sampled_from(DAYS)), "expires": draw(st.sampled_from(DAYS))}
            ),
        }
    )


def subsets(among):
    return st.lists(st.sampled_from(among), unique=True)


@st.composite
def elements(draw, base):
    found = {}
    for table, names in base.elements.items():
        if draw(st.integers(0, 4)):
            found[table] = {
                name: ElementTerms(may_report=draw(st.booleans()), may_disaggregate=draw(st.booleans()))
                if draw(st.integers(0, 5)) == 0
                else ElementTerms()
                for name in names
                if draw(st.integers(0, 9))
            }
    return found


@st.composite
def questions(draw, known):
    """A partner's question, mostly one that has a chance: under a licence that is known, as its licensee."""
    licences = [one for one in known if one.tier == "DUL"]
    organisation, name = draw(st.sampled_from(ORGANISATIONS)), draw(st.sampled_from(["A-1", "DUL-7", None]))
    if licences and draw(st.integers(0, 4)):
        licence = draw(st.sampled_from(licences))
        organisation, name = draw(st.sampled_from(sorted(licence.licensees()))), licence.id
    query = Query(
        name,
        draw(st.sampled_from([*PURPOSES, None])),
        draw(st.sampled_from(INDICATORS)),
        tuple(draw(subsets(SPLITS))),
    )
    return Principal("person:1", frozenset({Role.PARTNER}), organisation), query


def answer(question, known, day):
    who, query = question
    return decide(who, "aggregate.query", Resource("table", query=query), agreements=known, day=day)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_another_agreement_never_shows_a_party_more_unless_it_is_its_own_licence(data):
    known = data.draw(st.lists(agreements(), max_size=4))
    question, day = data.draw(questions(known)), data.draw(st.sampled_from(DAYS))
    added = data.draw(agreements(name="NEW-1"))

    before, after = (answer(question, those, day) for those in (known, [*known, added]))

    own = added.tier == "DUL" and question[0].organisation in added.licensees()
    assert before.permitted or not after.permitted or own


def stricter_ways(one):
    """The agreement with one clause stricter, in every way that there is."""
    outputs = one.outputs
    less = [("max_dimensions", max(0, outputs.max_dimensions - 1)), ("geographic_floor", "county"),
            ("min_n", outputs.min_n + 5), ("numerator_min", outputs.numerator_min + 5),
            ("indicators", frozenset(sorted(outputs.indicators)[1:])),
            ("dimensions", frozenset(sorted(outputs.dimensions)[1:]))]  # fmt: skip
    ways = [{"outputs": outputs.model_copy(update={name: value})} for name, value in less]
    ways += [{"purposes": one.purposes[1:]}]
    for table, named in one.elements.items():
        for name in named:
            for barred in ({"may_report": False}, {"may_disaggregate": False}):
                terms = {
                    **{other: one.terms(table, other) for other in named},
                    name: one.terms(table, name).model_copy(update=barred),
                }
                ways.append({"elements": {**one.elements, table: terms}})
            kept = {other: one.terms(table, other) for other in named if other != name}
            ways.append({"elements": {**one.elements, table: kept}})
    if one.tier == "DUL":
        ways.append({"retention": one.retention.model_copy(update={"expires": dt.date(2020, 1, 1)})})
    return [one.model_copy(update=way) for way in ways]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_stricter_clause_never_shows_more(data):
    known = data.draw(st.lists(agreements(), min_size=1, max_size=4))
    at = data.draw(st.integers(0, len(known) - 1))
    question, day = data.draw(questions(known)), data.draw(st.sampled_from(DAYS))
    stricter = data.draw(st.sampled_from(stricter_ways(known[at])))
    narrowed = [*known[:at], stricter, *known[at + 1 :]]
    given_under = {one.id for one in known}

    assert answer(question, known, day).permitted or not answer(question, narrowed, day).permitted
    for dimensions in (question[1].dimensions, ()):
        before, after = (
            decide_count(question[1].indicator, dimensions, agreements=those, given=given_under, day=day)
            for those in (known, narrowed)
        )
        assert before.permitted or not after.permitted
    assert permitted_elements(stricter) <= permitted_elements(known[at])
    everybody = frozenset(ORGANISATIONS)
    assert threshold(narrowed, providers=everybody) >= threshold(known, providers=everybody)


def fewer_tables(one):
    """The agreement with one table of its elements less, in every way that there is."""
    return [
        one.model_copy(update={"elements": {name: of for name, of in one.elements.items() if name != table}})
        for table in one.elements
    ]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_an_amendment_that_is_stricter_or_names_fewer_tables_never_shows_more_of_what_was_given_before(data):
    known = [one.model_copy(update={"version": 1}) for one in data.draw(st.lists(agreements(), min_size=1, max_size=3))]
    known = list({one.id: one for one in known}.values())
    at = data.draw(st.integers(0, len(known) - 1))
    question, day = data.draw(questions(known)), data.draw(st.sampled_from(DAYS))
    stricter = data.draw(st.sampled_from([*stricter_ways(known[at]), *fewer_tables(known[at])]))
    amended = [*known, stricter.model_copy(update={"version": 2})]
    given_under = {one.id for one in known}

    assert answer(question, known, day).permitted or not answer(question, amended, day).permitted
    for dimensions in (question[1].dimensions, ()):
        before, after = (
            decide_count(question[1].indicator, dimensions, agreements=those, given=given_under, day=day)
            for those in (known, amended)
        )
        assert before.permitted or not after.permitted


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_stricter_threshold_hides_at_least_what_a_looser_one_hides(data):
    least, numerator = data.draw(st.integers(11, 30)), data.draw(st.integers(0, 12))
    more, further = least + data.draw(st.integers(0, 10)), numerator + data.draw(st.integers(0, 10))
    cells = [
        PublishedCell(
            indicator="graduation", cohort_year=2025, table="total", levels={}, vintage="final", ordinal=0,
            definition_version="1", n=None, known=known, k=k, rate=None, rate_low=None, rate_high=None,
            coverage_low=None, coverage_high=None, status="F", status_reason="",
        )
        for known, k in data.draw(st.lists(st.tuples(st.integers(11, 60), st.integers(0, 20)), max_size=8))
    ]  # fmt: skip

    loose = hide_below(cells, min_n=least, numerator_min=numerator)
    strict = hide_below(cells, min_n=more, numerator_min=further)

    assert all(one.known is None or other.known is not None for one, other in zip(strict, loose, strict=True))


@settings(max_examples=40, deadline=None)
@given(st.lists(agreements(), max_size=6), st.sampled_from(DAYS))
def test_what_ends_shows_nothing_that_it_did_not_show_before(known, day):
    ended = [one for one in effective(known, day) if one not in in_force(known, day)]

    for one in ended:
        agent = Principal("agent:1", frozenset({Role.AGENT}), "novato")
        sent = decide_submission(
            agent, provider="novato", agreement=(one.id, None), school_year=2026, agreements=known, day=day
        )
        used = decide_use(provider="novato", agreement=one.id, school_year=2026, kinds=(), agreements=known, day=day)
        assert not sent.permitted
        assert not used.permitted


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_question_that_is_not_ones_own_is_answered_as_one_that_names_nothing(data):
    known = data.draw(st.lists(agreements(), min_size=1, max_size=4))
    (_, query), day = data.draw(questions(known)), data.draw(st.sampled_from(DAYS))
    stranger = Principal("person:2", frozenset({Role.PARTNER}), "nobody-s-party")

    assert answer((stranger, query), known, day) == answer((stranger, replace(query, agreement="NONE")), known, day)
