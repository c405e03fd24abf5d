"""Every attack on every store under every kind of knowledge, in one run, each scored against the truth.

    run_suite(people, settings) -> findings

Stores: the matcher's (rows of each view, sealed ids that tie nothing), the same with the resolver's key (rows tied by
record), and plain CLKs of the same people. docs/attacks.md tells what each attack does and where it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linkage.schema import LinkageSchema
from tests.attacker.linkage import block_matching, components, graph_matching, mining, refinement, sizes
from tests.attacker.linkage.claims import NOBODY, Finding, score
from tests.attacker.linkage.clk import plain_clks
from tests.attacker.linkage.figures import Figures, figures_of
from tests.attacker.linkage.people import People, another_file, made_up_people
from tests.attacker.linkage.remedies import REMEDIES, applied
from tests.attacker.linkage.stores import ATTACKER_SECRET, HUB_SECRET, SECOND_SECRET, encoded_store

MATCHER, RESOLVER, CLK = "matcher", "matcher and resolver", "plain CLK"
PUBLIC, ANOTHER = "public distributions", "another provider's file"
OVERLAP = 0.7
_ROUNDS = 4
_SURE = 5.0
"""A block match is built upon when it leads the next best by e^5 to one."""


@dataclass(frozen=True)
class Settings:
    """What a run covers."""

    schema: LinkageSchema
    views: tuple[str, ...]
    shares: tuple[float, ...] = (0.5, 0.8, 1.0)
    seeds: int = 100
    clk_people: int = 20_000
    seed: int = 1


@dataclass(frozen=True, repr=False)
class Held:
    """The hub's figures by view, and the attacker's own of the people he knows: under two keys of his."""

    target: dict[str, Figures]
    own: dict[str, Figures]
    again: dict[str, Figures]
    people: int
    known: int
    share: float
    exact: bool
    knowledge: str


def run_suite(count: int, settings: Settings) -> Iterator[Finding]:
    """Findings as they come; the people and every draw follow from the seed of the settings."""
    people = made_up_people(count, seed=settings.seed)
    target = _figures(people, settings, secret=HUB_SECRET)
    yield from public_attacks(people, target, settings)
    yield from purity_findings(people, target)
    for share in settings.shares:
        yield from plaintext_attacks(held_with_share(people, target, settings, share=share), settings)
    yield from plaintext_attacks(held_with_another_file(people, target, settings), settings)
    yield from clk_attacks(people.take(np.arange(min(count, settings.clk_people))), settings)


def run_remedies(count: int, settings: Settings, *, share: float = 0.8) -> Iterator[Finding]:
    """Graph matching in blocks and refinement, on what each remedy would leave of the matcher's store."""
    people = made_up_people(count, seed=settings.seed)
    target = _figures(people, settings, secret=HUB_SECRET)
    held = held_with_share(people, target, settings, share=share)
    for name, remedies in REMEDIES.items():
        changed = replace(
            held, target=applied(remedies, held.target), own=applied(remedies, held.own),
            again=applied(remedies, held.again), knowledge=f"{held.knowledge}, remedy: {name}",
        )  # fmt: skip
        yield from plaintext_attacks(changed, settings)


def _figures(people: People, settings: Settings, *, secret: bytes) -> dict[str, Figures]:
    """Figures of a store; of one the attacker makes himself, with keys that hold in all of his."""
    store = encoded_store(people, schema=settings.schema, secret=secret, views=settings.views, seed=settings.seed)
    common = store
    if secret == SECOND_SECRET:
        common = encoded_store(
            people, schema=settings.schema, secret=ATTACKER_SECRET, views=settings.views, seed=settings.seed
        )
    return {view: figures_of(rows, store.person[view], common.rows[view]) for view, rows in store.rows.items()}


def held_with_share(people: People, target: dict[str, Figures], settings: Settings, *, share: float) -> Held:
    """The attacker knows a share of the people exactly as they were encoded."""
    rng = np.random.default_rng(settings.seed + 10)
    known = people.take(np.sort(rng.choice(len(people), int(share * len(people)), replace=False)))
    return Held(
        target=target,
        own=_figures(known, settings, secret=ATTACKER_SECRET),
        again=_figures(known, settings, secret=SECOND_SECRET),
        people=len(people), known=len(known), share=share, exact=True, knowledge=f"plaintext of {share:.0%}",
    )  # fmt: skip


def held_with_another_file(people: People, target: dict[str, Figures], settings: Settings) -> Held:
    """The attacker knows another provider's file: most of the same children, written in its own way."""
    known = another_file(people, share=OVERLAP, seed=settings.seed + 20)
    return Held(
        target=target,
        own=_figures(known, settings, secret=ATTACKER_SECRET),
        again=_figures(another_file(known, share=1.0, seed=settings.seed + 21), settings, secret=SECOND_SECRET),
        people=len(people), known=len(known), share=OVERLAP, exact=False, knowledge=ANOTHER,
    )  # fmt: skip


def public_attacks(people: People, target: dict[str, Figures], settings: Settings) -> Iterator[Finding]:
    """With names and dates as common as everybody knows them, drawn anew: what is told are values, not persons."""
    drawn = made_up_people(len(people), seed=settings.seed + 30)
    own = _figures(drawn, settings, secret=ATTACKER_SECRET)
    in_hub = _figures(drawn, settings, secret=HUB_SECRET)
    names, theirs = _full_names(people), _full_names(drawn)
    dates = people.birth_date
    for view, figures in target.items():
        claims = sizes.align_blocks(figures, own[view])
        values = figures.token, _tokens_of_persons(in_hub[view], drawn)
        rates = {
            "value": _told(claims, values[0], values[1][own[view].person[claims]]),
            "name": _told(claims, names[figures.person], theirs[own[view].person[claims]]),
            "birth date": _told(claims, dates[figures.person], drawn.birth_date[own[view].person[claims]]),
        }
        chances = {
            "value": _commonest(values[0]), "name": _commonest(names), "birth date": _commonest(dates),
        }  # fmt: skip
        for what, rate in rates.items():
            yield Finding(f"frequency alignment, {what}, {view}", MATCHER, PUBLIC, 1.0, rate, chances[what])
        given = mining_rate(figures, people.given, drawn.given)
        yield Finding(f"pattern mining, given name, {view}", MATCHER, PUBLIC, 1.0, *given)


def mining_rate(figures: Figures, given: NDArray[np.object_], public: NDArray[np.object_]) -> tuple[float, float]:
    """Share of given names told in the fifty largest blocks, and by always saying the commonest there."""
    drawn = [name.lower() for name in public]
    listed = mining.public_names(drawn)
    right, total, true_names = 0, 0, []
    for block in np.argsort(-figures.sizes, kind="stable")[:50]:
        here = slice(figures.starts[block], figures.starts[block + 1])
        told = mining.mined_names(figures.names[here, :4], drawn)
        true = [name.lower() for name in given[figures.person[here]]]
        right += sum(listed[place] == name for place, name in zip(told.tolist(), true, strict=True))
        total += len(true)
        true_names += true
    return right / max(1, total), _commonest(np.array(true_names, dtype=object))


def plaintext_attacks(held: Held, settings: Settings) -> Iterator[Finding]:
    """All attacks of somebody who knows people by name."""
    truth = {view: figures.person for view, figures in held.target.items()}

    def found(
        attack: str, store: str, claims: dict[str, NDArray[np.int64]], seeds: frozenset[int] = frozenset()
    ) -> Finding:
        return score(
            claims, truth, people=held.people, attack=attack, store=store, knowledge=held.knowledge, known=held.known,
            told_before=seeds,
        )  # fmt: skip

    def named(claims: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
        return {view: np.where(who >= 0, held.own[view].person[who], NOBODY) for view, who in claims.items()}

    ranked = {view: sizes.align_blocks(of, held.own[view]) for view, of in held.target.items()}
    yield found("frequency alignment", MATCHER, named(ranked))
    unique = {view: sizes.align_unique_sizes(of, held.own[view]) for view, of in held.target.items()}
    yield found("block-size alignment", MATCHER, named(unique))
    for store, records in ((MATCHER, False), (RESOLVER, True)):
        yield found("colour refinement", store, refinement.refine(held.target, held.own, records=records))
    rng = np.random.default_rng(settings.seed + 40)
    gains = {
        view: block_matching.learnt_gains(own, held.again[view], share=held.share, exact=held.exact, rng=rng)
        for view, own in held.own.items()
    }
    fits = {view: block_matching.match_blocks(of, held.own[view], gains[view]) for view, of in held.target.items()}
    matched = {view: fit.who for view, fit in fits.items()}
    yield found("graph matching in blocks", MATCHER, named(matched))
    for view, who in named(matched).items():
        yield found(f"graph matching in blocks, {view} alone", MATCHER, {view: who})
    seeds = _seed_people(held, settings)
    start = {view: _seed_figures(of, held.own[view], seeds) for view, of in held.target.items()}
    known = frozenset(seeds.tolist())
    spread = {
        view: block_matching.spread_seeds(of, held.own[view], gains[view], seeds=start[view]).who
        for view, of in held.target.items()
    }
    title = f"spreading from {len(seeds)} seeds"
    yield found(title, MATCHER, named(spread), known)
    both = {view: np.where(matched[view] >= 0, matched[view], spread[view]) for view in spread}
    yield found(f"graph matching and {len(seeds)} seeds", MATCHER, named(both), known)
    yield found(title, RESOLVER, named(spread_through_records(held, gains, start)), known)
    sure = {view: np.where((fit.who >= 0) & (fit.lead > _SURE), fit.who, NOBODY) for view, fit in fits.items()}
    carried = spread_through_records(held, gains, _one_person_a_record(held, sure))
    yield found("graph matching and spreading", RESOLVER, named(carried))


def spread_through_records(
    held: Held, gains: dict[str, block_matching.Gains], start: dict[str, NDArray[np.int64]]
) -> dict[str, NDArray[np.int64]]:
    """With the resolver's key each record named in one view is a seed in the others."""
    claims = start
    for _ in range(_ROUNDS):
        spread = {
            view: block_matching.spread_seeds(of, held.own[view], gains[view], seeds=claims[view]).who
            for view, of in held.target.items()
        }
        renewed = _one_person_a_record(held, spread)
        if all(np.array_equal(renewed[view], claims[view]) for view in claims):
            break
        claims = renewed
    return claims


def _one_person_a_record(held: Held, claims: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    """Claims of any view carried to the record's figures in all views."""
    record_is: dict[int, int] = {}
    for view, who in claims.items():
        here = np.flatnonzero(who >= 0)
        told = held.own[view].person[who[here]]
        record_is.update(zip(held.target[view].person[here].tolist(), told.tolist(), strict=True))
    return {view: _carried(of, held.own[view], record_is) for view, of in held.target.items()}


def purity_findings(people: People, target: dict[str, Figures]) -> Iterator[Finding]:
    """How far heaps of dob tokens, tied through records and the year tags of names, are one birth year."""
    if {"dob", "names"} <= target.keys():
        dob, names = target["dob"], target["names"]
        years = np.array([int(date[:4]) for date in people.birth_date])
        heaps = components.purity(dob, names, record_token=dob.person, record_tag=names.person, value=years)
        chance = float(np.bincount(years).max() / len(years))
        yield Finding("component purity, birth year", RESOLVER, "none", heaps.largest, heaps.pure, chance)


def clk_attacks(people: People, settings: Settings) -> Iterator[Finding]:
    """The published attacks on plain CLKs of the same people, and the spreading of their matches."""
    filters = plain_clks(people, key=HUB_SECRET)
    drawn = made_up_people(len(people), seed=settings.seed + 30)
    told = mining.mined_names(filters[:5000], [name.lower() for name in drawn.given])
    listed = mining.public_names([name.lower() for name in drawn.given])
    given = np.array([name.lower() for name in people.given[:5000]], dtype=object)
    right = float(np.mean([listed[place] == name for place, name in zip(told.tolist(), given, strict=True)]))
    yield Finding("pattern mining, given name", CLK, PUBLIC, 1.0, right, _commonest(given))
    target = graph_matching.likeness_graph(filters)
    rng = np.random.default_rng(settings.seed + 10)
    for share in settings.shares:
        known = np.sort(rng.choice(len(people), int(share * len(people)), replace=False))
        yield from _clk_findings(target, people.take(known), known, settings, knowledge=f"plaintext of {share:.0%}")
    theirs = another_file(people, share=OVERLAP, seed=settings.seed + 20)
    yield from _clk_findings(target, theirs, theirs.person, settings, knowledge=ANOTHER)


def _clk_findings(
    target: graph_matching.Likeness, known: People, persons: NDArray[np.int64], settings: Settings, *, knowledge: str
) -> Iterator[Finding]:
    own = graph_matching.likeness_graph(plain_clks(known, key=ATTACKER_SECRET))
    count = len(target.weights)
    truth = {CLK: np.arange(count)}

    def found(attack: str, match: NDArray[np.int64], told_before: frozenset[int] = frozenset()) -> Finding:
        claims = {CLK: np.where(match >= 0, persons[match], NOBODY)}
        return score(
            claims, truth, people=count, attack=attack, store=CLK, knowledge=knowledge, known=len(known),
            told_before=told_before,
        )  # fmt: skip

    described = graph_matching.match_by_description(target, own)
    yield found("graph matching", described)
    nothing_fixed = np.zeros(count, dtype=np.bool_)
    yield found(
        "graph matching and spreading",
        graph_matching.spread_matches(target, own, start=described, fixed=nothing_fixed),
    )
    chosen = np.random.default_rng(settings.seed + 50).choice(
        len(known), min(settings.seeds, len(known)), replace=False
    )
    start = np.full(count, NOBODY)
    start[persons[chosen]] = chosen
    spread = graph_matching.spread_matches(target, own, start=start, fixed=start >= 0)
    yield found(f"spreading from {len(chosen)} seeds", spread, frozenset(persons[chosen].tolist()))


def _seed_people(held: Held, settings: Settings) -> NDArray[np.int64]:
    known = np.unique(np.concatenate([own.person for own in held.own.values()]))
    rng = np.random.default_rng(settings.seed + 50)
    return rng.choice(known, min(settings.seeds, len(known)), replace=False)


def _seed_figures(target: Figures, own: Figures, seeds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Own figures of the seeds at their places among the target's: what the attacker was told."""
    return _carried(target, own, {seed: seed for seed in seeds.tolist()})


def _carried(target: Figures, own: Figures, record_is: dict[int, int]) -> NDArray[np.int64]:
    """By target figure the own figure of the person its record is taken for; in a view of several, in order."""
    place: dict[int, list[int]] = {}
    for number, person in enumerate(own.person.tolist()):
        place.setdefault(person, []).append(number)
    result = np.full(len(target.place), NOBODY)
    for number, record in enumerate(target.person.tolist()):
        if record in record_is and len(place.get(record_is[record], ())) == 1:
            result[number] = place[record_is[record]][0]
    return result


def _full_names(people: People) -> NDArray[np.object_]:
    pairs = zip(people.given, people.surname, strict=True)
    return np.array([f"{given} {surname}".lower() for given, surname in pairs], dtype=object)


def _tokens_of_persons(in_hub: Figures, drawn: People) -> NDArray[np.int64]:
    by_person = np.zeros(len(drawn), dtype=np.int64)
    by_person[in_hub.person] = in_hub.token
    return by_person


def _told(claims: NDArray[np.int64], true: NDArray[np.object_], said: NDArray[np.object_]) -> float:
    return float(np.mean((claims >= 0) & (true == said))) if len(claims) else 0.0


def _commonest(values: NDArray[np.object_]) -> float:
    _, counts = np.unique(values.astype(str), return_counts=True)
    return float(counts.max() / counts.sum())
