"""The attacks are able, blind to keys, and name nobody where there is nothing to find."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from linkage.schema import LinkageSchema, current_schema
from tests.attacker.linkage import block_matching, components, mining, refinement, sizes
from tests.attacker.linkage.claims import Finding, score
from tests.attacker.linkage.figures import Figures, figures_of
from tests.attacker.linkage.people import People, another_file, made_up_people
from tests.attacker.linkage.remedies import REMEDIES, applied, finer_schema
from tests.attacker.linkage.stores import ATTACKER_SECRET, HUB_SECRET, SECOND_SECRET, encoded_store
from tests.attacker.linkage.suite import CLK, MATCHER, RESOLVER, Settings, run_remedies, run_suite
from tests.bench.attacks import bar_of

pytestmark = pytest.mark.slow
PEOPLE = 2_000
SETTINGS = Settings(schema=current_schema(), views=("dob", "names", "ssid"), clk_people=PEOPLE)


@cache
def findings() -> tuple[Finding, ...]:
    return tuple(run_suite(PEOPLE, SETTINGS))


def named(attack: str, store: str, knowledge: str) -> float:
    return next(
        f.named for f in findings() if (f.attack, f.store, f.knowledge) == (attack, store, knowledge)
    )  # fmt: skip


def figures(people: People, secret: bytes, view: str = "dob", schema: LinkageSchema | None = None) -> Figures:
    store = encoded_store(people, schema=schema or current_schema(), secret=secret, views=(view,))
    return figures_of(store.rows[view], store.person[view])


def matched_rate(people: People, known: People, *, hub: bytes = HUB_SECRET, view: str = "dob") -> float:
    target, own = figures(people, hub, view), figures(known, ATTACKER_SECRET, view)
    again = figures(known, SECOND_SECRET, view)
    share = len(known) / len(people)
    gains = block_matching.learnt_gains(own, again, share=share, exact=True, rng=np.random.default_rng(4))
    who = block_matching.match_blocks(target, own, gains).who
    return float(np.sum((who >= 0) & (own.person[who] == target.person)) / len(people))


def test_plain_keys_give_up_most_people_to_somebody_who_knows_most_of_them():
    assert named("graph matching and spreading", CLK, "plaintext of 80%") > 0.6
    assert named("spreading from 100 seeds", CLK, "plaintext of 100%") > 0.8


def test_graph_matching_in_blocks_finds_people_of_whom_all_are_known():
    assert named("graph matching in blocks", MATCHER, "plaintext of 100%") > 0.1


def test_the_resolver_s_key_gives_colour_refinement_more():
    alone = named("colour refinement", MATCHER, "plaintext of 100%")

    assert named("colour refinement", RESOLVER, "plaintext of 100%") > alone


def test_each_store_and_knowledge_meets_each_attack_once():
    keys = [(f.attack, f.store, f.knowledge) for f in findings()]

    assert len(keys) == len(set(keys))
    assert {f.store for f in findings()} == {MATCHER, RESOLVER, CLK}
    assert {f.knowledge for f in findings()} >= {
        "public distributions", "plaintext of 50%", "plaintext of 80%", "plaintext of 100%", "another provider's file",
    }  # fmt: skip


def test_only_what_the_matcher_alone_can_do_below_full_knowledge_has_a_bar():
    barred = {(f.store, f.knowledge) for f in findings() if bar_of(f) is not None}

    assert {store for store, _ in barred} == {MATCHER}
    assert "plaintext of 100%" not in {knowledge for _, knowledge in barred}


def test_the_linkage_secret_makes_no_difference_to_what_is_found():
    people = made_up_people(3_000, seed=3)

    rates = [matched_rate(people, people, hub=bytes([number]) * 32) for number in (60, 61, 62)]

    assert max(rates) - min(rates) < 0.05


def test_nobody_is_named_among_strangers():
    people = made_up_people(2_000, seed=5)
    strangers = replace(made_up_people(2_000, seed=6), person=np.arange(2_000) + 2_000)

    assert matched_rate(people, strangers) == 0.0


def test_finer_views_give_far_less_to_match():
    people, schema = made_up_people(5_000, seed=8), finer_schema()

    coarse_sizes, finer_sizes = (figures(people, HUB_SECRET, view, schema).sizes for view in ("names", "names-day"))

    assert (finer_sizes > 1).sum() * 5 < (coarse_sizes > 1).sum()


def test_each_remedy_keeps_equal_names_equal_and_every_figure():
    people = made_up_people(1_000, seed=14)
    before = figures(people, HUB_SECRET, "names")

    for name, remedies in REMEDIES.items():
        after = applied(remedies, {"names": before})["names"]
        assert np.array_equal(after.starts, before.starts), name
        assert _equal_neighbours(after) == _equal_neighbours(before), name


def _equal_neighbours(of: Figures) -> list[bool]:
    together = np.flatnonzero(of.token[1:] == of.token[:-1])
    return (of.names[together] == of.names[together + 1]).all(axis=1).tolist()


def test_remedies_are_tried_one_by_one_at_the_matcher():
    tried = [f for f in run_remedies(1_000, replace(SETTINGS, seeds=5)) if f.attack == "graph matching in blocks"]

    assert [f.knowledge.split("remedy: ")[1] for f in tried] == list(REMEDIES)


def test_blocks_of_one_size_are_taken_for_each_other_when_no_other_block_has_it():
    people = made_up_people(10_000, seed=9)
    target, own = figures(people, HUB_SECRET, "dob"), figures(people, ATTACKER_SECRET, "dob")

    who = sizes.align_unique_sizes(target, own)

    spoken = who >= 0
    block_of = {person: size for size, person in zip(np.repeat(own.sizes, own.sizes), own.person, strict=True)}
    assert spoken.any()
    assert all(
        block_of[person] == size
        for person, size in zip(target.person[spoken], np.repeat(target.sizes, target.sizes)[spoken], strict=True)
    )


def test_refinement_names_rightly_whom_it_names_of_fully_known_people():
    people = made_up_people(2_000, seed=10)
    target, own = figures(people, HUB_SECRET), figures(people, ATTACKER_SECRET)

    claims = refinement.refine({"dob": target}, {"dob": own}, records=False)

    found = score(
        claims, {"dob": target.person}, people=2_000, attack="", store="", knowledge="", known=2_000
    )  # fmt: skip
    assert found.named > 0.1
    assert found.named > 0.98 * found.claimed


def test_heaps_tied_by_a_shared_part_are_measured_against_it():
    people = made_up_people(2_000, seed=11)
    dob, names = figures(people, HUB_SECRET), figures(people, HUB_SECRET, "names")
    years = np.array([int(date[:4]) for date in people.birth_date])

    heaps = components.purity(dob, names, record_token=dob.person, record_tag=names.person, value=years)

    assert heaps.pure > 0.3
    assert heaps.largest < 0.2


def test_mining_reads_names_from_filters_that_share_one_salt():
    rng = np.random.default_rng(12)
    names = ["wexa"] * 500 + ["zuqi"] * 300 + ["vofe"] * 150
    bits = {gram: rng.choice(256, 12, replace=False) for name in set(names) for gram in _grams(name)}
    filters = np.zeros((len(names), 256), dtype=np.uint8)
    for place, name in enumerate(names):
        for gram in _grams(name):
            filters[place, bits[gram]] = 1

    told = mining.mined_names(np.packbits(filters, axis=1, bitorder="little").view("<u8"), names)

    listed = mining.public_names(names)
    assert np.mean([listed[place] == name for place, name in zip(told, names, strict=True)]) > 0.5


def test_another_file_holds_children_of_the_first_with_differences():
    people = made_up_people(1_000, seed=13)

    other = another_file(people, share=0.7)

    assert len(other) == 700
    same = people.surname[other.person] == other.surname
    assert 0.7 < same.mean() < 0.99


def _grams(name: str) -> list[str]:
    padded = f"_{name}_"
    return [padded[place : place + 2] for place in range(len(padded) - 1)]
