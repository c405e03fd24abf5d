"""A refresh protects again only the groups of blocks that have changed, and tells what it would tell from nothing."""

from dataclasses import replace
from functools import cache

import pytest

from hub.release.draft import Ledger, draft_release
from hub.release.kept import KeptProtections, keep_protections, kept_protections
from policies.disclosure.audit import Finding
from policies.disclosure.engine import Result, protect, protect_provisionally
from policies.disclosure.kept import states
from policies.disclosure.types import DEFAULT_RULES, Block, Rules, Tally
from tests.bench.disclosure import small_county
from tests.integration.release.conftest import proposal_of


def name_of(content: bytes) -> str:
    return content.hex()


@cache
def counted() -> tuple[Block, ...]:
    return tuple(small_county(seed, people=70, complete=seed % 2 == 0) for seed in (3, 4, 5))


@pytest.fixture(scope="module")
def first():
    """What was told when the counts were protected from nothing, and what was kept of it."""
    kept = KeptProtections({}, rules=DEFAULT_RULES, name_of=name_of)
    told = protect(counted(), rules=DEFAULT_RULES, each=kept)
    assert kept.taken_over == 0
    return told, kept.found


def corrected(block: Block) -> Block:
    """One child more."""
    first, *others = block.cells
    own = {name: tally + Tally(1, 1, 1) for name, tally in first.provider_counts.items()}
    more = replace(first, tally=first.tally + Tally(1, 1, 1), provider_counts=own)
    return replace(block, cells=(more, *others))


def test_what_has_not_changed_is_taken_over_and_what_has_is_protected_again(first):
    changed = [corrected(block) if block.cohort_year == 2004 else block for block in counted()]
    again = KeptProtections(first[1], rules=DEFAULT_RULES, name_of=name_of)

    refreshed = protect(changed, rules=DEFAULT_RULES, each=again)

    scratch = protect(changed, rules=DEFAULT_RULES)
    assert again.taken_over == 2
    assert refreshed.cells == scratch.cells
    assert refreshed.verdict == scratch.verdict


def test_the_order_of_rows_and_categories_does_not_matter(first):
    turned = [
        replace(block, cells=block.cells[::-1], dimensions=block.dimensions, tables=block.tables[::-1])
        for block in counted()[::-1]
    ]
    again = KeptProtections(first[1], rules=DEFAULT_RULES, name_of=name_of)

    protect(turned, rules=DEFAULT_RULES, each=again)

    assert again.taken_over == 3


def test_told_again_in_the_same_words_nothing_is_protected_a_third_time():
    blocks, ledger, taken, results = counted()[:2], (), [], []
    found, earlier = {}, {}
    for telling in (1, 2, 3):
        kept = KeptProtections(found, rules=DEFAULT_RULES, name_of=name_of)
        told = {"vintage": f"provisional-{telling}", "rules": DEFAULT_RULES, "ledger": ledger, "earlier": dict(earlier)}
        result = protect_provisionally(blocks, **told, each=kept)
        scratch = protect_provisionally(blocks, **told)
        assert result.cells == scratch.cells
        assert result.verdict == scratch.verdict
        ledger, found = (*ledger, *result.cells), kept.found
        earlier[f"provisional-{telling}"] = blocks
        taken.append(kept.taken_over)
        results.append(result)

    assert taken == [0, 0, 2]
    assert all(result.verdict.clean for result in results)


@pytest.mark.parametrize("rules", [Rules(min_n=12), Rules(strict=True), Rules(pairs=True)])
def test_under_other_rules_nothing_is_taken_over(first, rules):
    again = KeptProtections(first[1], rules=rules, name_of=name_of)

    protect(counted()[:1], rules=rules, each=again)

    assert again.taken_over == 0


def test_a_block_with_final_figures_is_never_kept(first):
    block = counted()[0]
    final = [cell for cell in first[0].cells if cell.cohort_year == block.cohort_year]
    kept = KeptProtections({}, rules=DEFAULT_RULES, name_of=name_of)

    protect([block], rules=DEFAULT_RULES, ledger=final, each=kept)

    assert kept.found == {}


def test_what_an_observer_could_tell_is_never_kept():
    found = Finding(row=0, observer=(), width=0, attribute=False)

    assert states(Result({}, [found])) is None


def test_the_hub_keeps_what_the_latest_preparation_found_and_nothing_older(empty):
    kept = KeptProtections({}, rules=DEFAULT_RULES, name_of=lambda content: "a" * 64)
    draft_release(proposal_of(counted()[0]), rules=DEFAULT_RULES, ledger=Ledger({}, {}, "0.0"), each=kept)
    with empty.transaction() as session:
        keep_protections(session, {"b" * 64: []})

    with empty.transaction() as session:
        keep_protections(session, kept.found)

    with empty.reading() as session:
        assert kept_protections(session) == kept.found
