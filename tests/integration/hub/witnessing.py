"""The districts' agents witness the log: what its tests share."""

import shutil
from contextlib import closing
from types import SimpleNamespace

from sqlalchemy import select

from connectors.push import Hub
from connectors.witness import witness
from connectors.workspace import make_workspace
from hub.audit.events import EventType
from hub.audit.service import append
from hub.audit.signer import signer_of
from hub.audit.tables import Cosignature
from hub.audit.verify import Trusted, verify_log
from hub.identity.agents import load_roster
from hub.identity.witnesses import every_witness
from hub.release.service import store_release
from policies.translog.note import read_vkey
from tests.integration.hub.conftest import BASE
from tests.integration.web.conftest import hand_made_draft

DISTRICTS = ("novato", "reed", "tamalpais-high")


def agents_of(hub, folder):
    """Three districts' agents on the roster, each with its own workspace."""
    return [agent_of(hub, folder, organisation) for organisation in DISTRICTS]


def agent_of(hub, folder, organisation):
    workspace = make_workspace(folder / organisation, organisation=organisation, hub=BASE)
    shutil.copyfile(hub.home.public, workspace.folder / "hub.json")
    key = workspace.keys.agent()
    entry = {"organisation": organisation, "key_id": workspace.key_id, "public_key": key.public()}
    with hub.database.transaction() as session:
        load_roster(session, {"agents": [entry]}, audit=hub.trail)
    connection = Hub(hub.client, key, workspace.key_id, hub.clock, sleep=lambda seconds: sign(hub))
    return SimpleNamespace(hub=connection, workspace=workspace, visit=lambda: witness(connection, workspace))


def sign(hub):
    signer = signer_of(hub.settings, clock=hub.clock)
    with closing(signer.database):
        signer.sign()


def happen(hub, count=1):
    for _ in range(count):
        with hub.database.transaction() as session:
            append(session, hub.trail, EventType.PAGE_READ, resource="page")


def prepare(hub):
    with hub.database.transaction() as session:
        return store_release(session, hand_made_draft(), audit=hub.trail).id


def verdict(hub, *, log=None, former=()):
    log = log or read_vkey(hub.home.public_facts()["log_verifier"])
    with hub.database.reading() as session:
        witnesses = [one for key in (log, *former) for one in every_witness(session, key).values()]
        return verify_log(session, Trusted(log, tuple(former), tuple(witnesses)))


def agents_line(hub, size):
    with hub.database.reading() as session:
        return (session.scalars(select(Cosignature.line)).one() + "\n").encode()
