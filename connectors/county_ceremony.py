"""The ceremony of the demonstration county: every provider's steward, custodian and signatory in turn.

Keys and shares come out of the county's seed, so that two runs of one demonstration encode alike; those of a district
are random.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from connectors import ceremony
from connectors.county_edges import edge_folder, providers_of, seed_keys, seeded_key
from connectors.keystore import AgentKey, write_key
from connectors.push import Hub
from connectors.submitting import TIMEOUT_SECONDS
from connectors.workspace import SIGNATORIES_FILE, Workspace, make_workspace
from policies.agreement_signatures import sign_word, signing
from policies.agreements import Agreement
from policies.party_keys import party_key

HUB_UNKNOWN = "http://localhost"
CUSTODIANS_WANTED = ("college-of-marin", "marin-coe")
SIGNATORIES = ("marin-coe", "novato")
ACCEPT_BY = "2100-01-01T00:00:00Z"
"""Far away: the secret is bound to the roster, and the same on every day."""
SENDERS = 3
"""So many agents speak with the hub at a time."""


def register(county: Path, *, epoch: int) -> tuple[dict[str, Any], dict[str, str]]:
    """A workspace with keys for every provider; the signed roster and the signatories' public keys."""
    members = []
    for provider in providers_of(county):
        seed_keys(county, provider)
        workspace = make_workspace(
            edge_folder(county, provider), organisation=provider, hub=HUB_UNKNOWN, inbox="../inbox"
        )
        members.append(ceremony.member_of(workspace).model_dump())
    roster = ceremony.make_roster(members, epoch=epoch, custodians=_custodians(county), accept_by=ACCEPT_BY)
    keys = {name: AgentKey(seeded_key(county, f"signatory {name}")) for name in SIGNATORIES}
    for name, key in keys.items():
        roster = ceremony.sign_roster(roster, organisation=name, key=key.signer())
    return roster, {name: key.public() for name, key in keys.items()}


def sign_agreements(
    county: Path, agreements: Iterable[Agreement], *, now: dt.datetime
) -> tuple[dict[str, dict[str, str]], list[dict[str, Any]]]:
    """Every party's public key with its proof, and its signature of every agreement that it is a party of."""
    keys: dict[str, AgentKey] = {}
    words = []
    for agreement in agreements:
        for party in agreement.parties:
            if party.role != "hub":
                name = party.organisation
                key = keys.setdefault(name, AgentKey(seeded_key(county, f"party {name}")))
                words.append(sign_word(signing(agreement, name, now=now), key.signer()).model_dump(mode="json"))
    return {name: party_key(name, key.signer()) for name, key in keys.items()}, words


def hold_ceremony(county: Path, *, hub: str, signatories: Path, clock: Callable[[], dt.datetime]) -> None:
    """Every custodian commits, then gives; every provider accepts."""
    edges = {provider: _edge(county, provider, hub) for provider in providers_of(county)}
    known = signatories.read_bytes()
    for edge in edges.values():
        (edge.folder / SIGNATORIES_FILE).write_bytes(known)
    with httpx.Client(base_url=hub, timeout=TIMEOUT_SECONDS) as client:
        givers = [edges[name] for name in _custodians(county)]
        for edge in (*givers, *givers):
            agent = _agent(client, edge, clock)
            seen = ceremony.look(agent, edge)
            _seed_share(county, edge, seen.roster.epoch)
            ceremony.give(agent, edge, seen)
        with ThreadPoolExecutor(SENDERS) as agents:
            list(agents.map(lambda edge: _accept(_agent(client, edge, clock), edge), edges.values()))


def begin_epoch(edges: Iterable[Workspace], *, hub: str, clock: Callable[[], dt.datetime]) -> None:
    """Every provider encodes in the newest epoch from now on."""
    with httpx.Client(base_url=hub, timeout=TIMEOUT_SECONDS) as client, ThreadPoolExecutor(SENDERS) as agents:
        seen = agents.map(lambda edge: (edge, ceremony.look(_agent(client, edge, clock), edge)), edges)
        for edge, epoch in seen:
            ceremony.begin(edge, epoch)


def _accept(agent: Hub, edge: Workspace) -> None:
    ceremony.accept(agent, edge, ceremony.look(agent, edge))


def _edge(county: Path, provider: str, hub: str) -> Workspace:
    return make_workspace(edge_folder(county, provider), organisation=provider, hub=hub, inbox="../inbox")


def _agent(client: httpx.Client, edge: Workspace, clock: Callable[[], dt.datetime]) -> Hub:
    return Hub(client, edge.keys.agent(), edge.key_id, clock)


def _custodians(county: Path) -> list[str]:
    """The wanted custodians, or the first two providers of a county that lacks them."""
    there = providers_of(county)
    wanted = [name for name in CUSTODIANS_WANTED if name in there]
    return wanted if len(wanted) == len(CUSTODIANS_WANTED) else there[:2]


def _seed_share(county: Path, edge: Workspace, epoch: int) -> None:
    path = edge.keys.folder / f"share-{epoch}.key"
    if not path.exists():
        write_key(path, seeded_key(county, f"share {edge.settings.organisation} {epoch}"))
