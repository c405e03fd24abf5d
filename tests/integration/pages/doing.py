"""With which names and bodies each operation of the API can be done in a filled hub, by each caller; and the programs
of a district that do theirs as they do them for real: the ceremony of an epoch, the witness of the log.
"""

import json
import shutil

from connectors import ceremony
from connectors.keystore import AgentKey
from connectors.push import Hub
from connectors.witness import witness
from connectors.workspace import SIGNATORIES_FILE, make_workspace, write_json
from hub.audit.service import latest_checkpoint
from hub.audit.signer import signer_of
from hub.epochs.service import propose_epoch
from hub.release.requests.cost import NOTHING_COUNTED
from hub.release.requests.service import record_cost
from policies.principal import Role
from policies.translog.tiles import tiles_of
from tests.conftest import stand_in_force
from tests.integration.access.conftest import NOVATO
from tests.integration.hub.conftest import BASE
from tests.integration.pages.conftest import LICENCE

PARTNER = (Role.PARTNER, "canal-alliance")
COMMENTS_DAYS = 6
EPOCH = 2
CUSTODIANS = ("college-of-marin", "marin-coe")
SIGNATORIES = {name: AgentKey(bytes([number]) * 32) for number, name in enumerate(("marin-coe", "novato"), start=1)}
AMENDED = tuple(
    LICENCE.replace("DUL-PAGES", "DUL-AMENDED").replace("version: 1", f"version: {number}").replace("2026-12-15", last)
    for number, last in ((1, "2026-12-15"), (2, "2027-12-15"))
)
WANTED = {"indicator": "third-grade-reading", "agreement": "DUL-PAGES", "purpose": "close-equity-gap-2028"}


def things(people, filled, caller):
    """By operation the names and the body with which it can be done, what must come before done."""
    sign(people.hub)
    one, request = "/v1/submissions/{submission}", "/v1/table-requests/{number}"
    ready, declined = (ask_for(people, by) for by in (["gender", "race"], ["gender", "preschool"]))
    told = submissions(people, filled) if caller == "agent" else {}
    decided = {
        f"POST {request}/approve": ({"number": ready}, b""),
        f"POST {request}/decline": ({"number": declined}, b""),
        f"POST {request}/comments": ({"number": ready}, b""),
        f"GET {request}": ({"number": ready}, b""),
    }
    with people.hub.database.transaction() as session:
        record_cost(session, ready, NOTHING_COUNTED, audit=people.hub.trail)
        for version in AMENDED:
            stand_in_force(session, version, audit=people.hub.trail)
    return told | decided | bodies(people, filled, caller) | {
        "GET /v1/agreements/{agreement}/versions/{number}/changes": ({"agreement": "DUL-AMENDED", "number": 2}, b""),
        "GET /v1/log/tile/{path}": ({"path": newest_tile(people.hub)}, b""),
        f"POST {one}/approve": ({"submission": str(filled["held"])}, b""),
        f"POST {one}/discard": ({"submission": str(filled["spare"])}, b""),
    }  # fmt: skip


def after_comments(people):
    """Let the time for comments pass; the operations that could not be done before."""
    people.hub.clock.advance(days=COMMENTS_DAYS)
    sign(people.hub)
    return tuple(f"POST /v1/table-requests/{{number}}/{word}" for word in ("approve", "decline"))


def bodies(people, filled, caller):
    """Bodies that hold in this hub, each in place of the one that the description shows."""
    act = people.ask("GET", f"/v1/acts/{filled['number']}", people.cookie(Role.ADMINISTRATOR)).json()
    office = {"administrator": "reed", "analyst": PARTNER[1]}.get(caller, NOVATO)
    role = Role.PARTNER if caller == "analyst" else Role.STEWARD
    leaving = people.principal(role, office, name="leaves").actor.removeprefix("person:")
    told = {
        "POST /v1/acts/{number}/approve": {"payload_sha256": act["payload_sha256"]},
        "POST /v1/acts": {"kind": "person.remove", "fields": {"person": leaving}, "why": "Left."},
        "POST /v1/table-requests": {**WANTED, "by": ["race", "preschool"], "why": "Plan where."},
    }
    if caller == "agent":
        lines = people.edge.ask("GET", "/v1/linkage/reviews").json()["lines"]
        answers = [{"item": line["item"], "answers": dict.fromkeys(line["fields"], "right")} for line in lines]
        reference = people.edge.reference(1).hex()
        told |= {
            "POST /v1/linkage/reviews/answers": {"answers": answers},
            "POST /v1/records": {"reference": reference},
            "POST /v1/opt-outs": {"reference": reference, "scope": "studies", "word": "record"},
        }
    return {name: ({}, json.dumps(body).encode()) for name, body in told.items()}


def submissions(people, filled):
    """A submission that is not yet opened, one that is open, and one of which every chunk is there."""
    edge, one = people.edge, "/v1/submissions/{submission}"
    opened, whole, fresh = (edge.prepare(range(10), year=year) for year in (2020, 2021, 2022))
    edge.open(opened)
    for name in edge.open(whole).json()["missing"]:
        edge.ask("PUT", f"/v1/submissions/{whole.id}/chunks/{name}", whole.chunks[name])
    chunk = next(iter(opened.chunks))
    body = {"manifest": fresh.manifest, "signature": fresh.signature}
    return {
        "POST /v1/submissions": ({}, json.dumps(body).encode()),
        f"PUT {one}/chunks/{{sha256}}": ({"submission": opened.id, "sha256": chunk}, opened.chunks[chunk]),
        f"GET {one}/missing": ({"submission": opened.id}, b""),
        f"POST {one}/commit": ({"submission": whole.id}, b""),
    }


def ask_for(people, by):
    """A partner's request for a table beside the catalogue; its number."""
    asked = people.ask("POST", "/v1/table-requests", people.cookie(*PARTNER), json={**WANTED, "by": by, "why": "Plan."})
    return asked.json()["id"]


def newest_tile(hub):
    """The address of the tile that grows."""
    with hub.database.reading() as session:
        size = latest_checkpoint(session).size
    return next(one.path() for one in reversed(tiles_of(size)) if one.level == 0)


def sign(hub):
    """Let the signer put all that happened under a checkpoint."""
    signer = signer_of(hub.settings, clock=hub.clock)
    signer.sign()
    signer.database.close()


def programs(people, folder):
    """What the programs of two offices ask of this hub when they hold a ceremony and witness its log."""
    hub = people.hub
    offices = [_office(hub, folder, name) for name in CUSTODIANS]
    roster = ceremony.make_roster(
        [ceremony.member_of(workspace).model_dump() for workspace, _ in offices],
        epoch=EPOCH, custodians=CUSTODIANS, accept_by="2026-12-06T10:00:00Z",
    )  # fmt: skip
    for name, key in SIGNATORIES.items():
        roster = ceremony.sign_roster(roster, organisation=name, key=key.signer())
    with hub.database.transaction() as session:
        known = {name: key.public() for name, key in SIGNATORIES.items()}
        propose_epoch(session, roster, signatories=known, audit=hub.trail)
    for workspace, connection in (*offices, *offices):
        ceremony.give(connection, workspace, ceremony.look(connection, workspace))
    for workspace, connection in offices:
        ceremony.accept(connection, workspace, ceremony.look(connection, workspace, epoch=EPOCH))
    sign(hub)
    witness(offices[0][1], offices[0][0])


def _office(hub, folder, name):
    workspace = make_workspace(folder / name, organisation=name, hub=BASE)
    write_json(workspace.folder / SIGNATORIES_FILE, {one: key.public() for one, key in SIGNATORIES.items()})
    shutil.copyfile(hub.home.public, workspace.folder / "hub.json")
    key = workspace.keys.agent()
    return workspace, Hub(hub.client, key, workspace.key_id, hub.clock, sleep=lambda seconds: sign(hub))
