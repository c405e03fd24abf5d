"""A hub with its stores, and made-up edges that send to it over its own API, signed as real ones are."""

import asyncio
import base64
import datetime as dt
import hashlib
import json
import secrets
import shutil
from contextlib import closing
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.encoder_page.key_file import page_keys
from connectors.workspace import make_workspace
from hub.app import create_app, hub_parts
from hub.audit.events import AuditTrail
from hub.audit.service import open_log
from hub.audit.signer import signer_of
from hub.audit.tables import Detail
from hub.db import Database
from hub.identity.agents import load_roster
from hub.identity.service import add_person, hash_of, load_organisations, make_sign_in_link
from hub.identity.tables import SignedIn
from hub.log import Log
from hub.operations import roles
from hub.operations.installation import organisations
from hub.settings import Home, Settings
from hub.submissions.service import accepted
from linkage.encode.encoder import encode_roster
from linkage.encode.person import ClearPerson, SpanFacts
from linkage.schema import current_schema
from linkage.sealing import seal
from policies.signing import Message, sign_request
from policies.submission import context, pack_facts, read_manifest, sign_manifest, submission_id
from tests.chromium import Chromium
from tests.conftest import stand_in_force
from tests.databases import address_of, settings_address
from tests.encoder_page import OFFICE, PASSPHRASE

SECRET = bytes(range(32))
ROOT = Path(__file__).parents[3]
BASE = "http://hub.test"
SURNAMES = ("Qorvax", "Zyblen", "Wixtho", "Jubrev", "Kazmuf", "Vorpli", "Xandro", "Fynqua")
GIVEN = ("Blixa", "Druvo", "Fenqi", "Gyrth", "Hozpa", "Ixley", "Jarmu", "Kwenzo", "Lyvax", "Mirpo")


class AppTransport(httpx.BaseTransport):
    """Calls the app inside this process, one request at a time."""

    def __init__(self, app, database=None):
        self._inner, self._database = httpx.ASGITransport(app, raise_app_exceptions=False), database

    def handle_request(self, request):
        if self._database is not None:
            carry_form_token(request, self._database)

        async def ask():
            answer = await self._inner.handle_async_request(request)
            return answer.status_code, answer.headers, await answer.aread()

        status, headers, content = asyncio.run(ask())
        return httpx.Response(status, headers=headers, content=content, request=request)


def carry_form_token(request, database):
    """What a page of the session would send with its form; a test that is about it sends its own."""
    cookie = request.headers.get("cookie", "")
    if request.method in ("GET", "HEAD") or "x-form-token" in request.headers or "promise=" not in cookie:
        return
    secret = next((part.split("=", 1)[1] for part in cookie.split("; ") if part.startswith("promise=")), "")
    with database.reading() as session:
        found = session.get(SignedIn, hash_of(secret))
        if found is not None:
            request.headers["x-form-token"] = found.form_secret


class MadeUpHub:
    """A hub of this test: its API, its workers and its signer, each asked to act by hand."""

    def __init__(self, folder, url, clock, *, http=None, filled=False, **settings):
        told = {"home": folder, "database_url": settings_address(url), "public_url": BASE} | settings
        self.settings, self.clock = Settings(**told), clock
        self.home = Home(folder)
        self.database = Database(url)
        self.facts = self.home.public_facts()
        self.parts = hub_parts(self.settings, clock=clock, log=Log(clock=clock), http=http)
        self.app = create_app(self.parts)
        self.client = httpx.Client(transport=AppTransport(self.app, self.database), base_url=self.settings.public_url)
        self.trail = AuditTrail("operator", None, "command", "test", clock)
        if filled:
            return
        with self.database.transaction() as session:
            open_log(session)
            load_organisations(session, organisations())
            for file in resources.files("policies").joinpath("agreements").iterdir():
                stand_in_force(session, file.read_text("utf-8"), audit=self.trail)

    def work(self):
        """Let matcher and resolver do all that is due, and the signer sign."""
        for make in (roles.matcher, roles.resolver, roles.matcher, roles.resolver):
            with closing(make(self.settings, log=Log(clock=self.clock), clock=self.clock)) as worker:
                worker.run_until_idle()
        signer = signer_of(self.settings, clock=self.clock)
        with closing(signer.database):
            signer.sign()

    def events(self):
        """The events so far, in order."""
        with self.database.reading() as session:
            return [row.event for row in session.query(Detail).order_by(Detail.sequence)]

    def enrol(self, organisation):
        """An edge of an organisation whose key stands on the roster."""
        edge = MadeUpEdge(organisation, self)
        entry = {"organisation": organisation, "key_id": edge.key_id, "public_key": edge.public_key}
        with self.database.transaction() as session:
            load_roster(session, {"agents": [entry]}, audit=self.trail)
        return edge

    def sign_in(self, organisation, role):
        """Sign a new person in; the cookie to send."""
        with self.database.transaction() as session:
            person = add_person(session, organisation=organisation, roles=frozenset({role}), audit=self.trail)
            secret = make_sign_in_link(session, person, audit=self.trail)
        answer = self.client.post("/sign-in", content=f"link={secret}")
        self.client.cookies.clear()
        return answer.headers["set-cookie"].split(";")[0]

    def close(self):
        self.database.close()
        self.parts.database.close()


class MadeUpEdge:
    """An edge agent of this test."""

    def __init__(self, organisation, hub):
        self.organisation, self.hub = organisation, hub
        self.key = Ed25519PrivateKey.generate()
        self.key_id = f"{organisation}:1"
        self.public_key = base64.b64encode(self.key.public_key().public_bytes_raw()).decode()

    def reference(self, number):
        return hashlib.sha256(f"{self.organisation}/{number}".encode()).digest()[:16]

    def prepare(self, people, *, year=2026, kind="k12", under="DSA-K12", facts=None, **changes):
        """A submission of people (numbers of made-up persons) with manifest, signature and chunks."""
        bound = {"provider": self.organisation, "kind": kind, "school_year": year, "epoch": changes.get("epoch", 1)}
        submission_key = secrets.token_bytes(32)
        chunks, entries = {}, []

        def add(content, *, holds, count, view=""):
            name = hashlib.sha256(content).hexdigest()
            chunks[name] = content
            entries.append({"sha256": name, "size": len(content), "holds": holds, "view": view, "count": count})

        profile = {}
        if people:
            roster = self._encoded(people, year, submission_key)
            profile = {view: {"values": of.values, "largest": of.largest} for view, of in roster.profile.items()}
            for view, rows in roster.rows.items():
                sealed = seal(self.hub.facts["matcher_public_key"], rows.tobytes(), context("rows", **bound))
                add(sealed, holds="rows", count=len(rows), view=view)
            sealed = seal(self.hub.facts["resolver_public_key"], roster.spans.tobytes(), context("spans", **bound))
            add(sealed, holds="spans", count=len(roster.spans))
        rows = self.facts_of(people) if facts is None else facts
        for content, count in pack_facts(rows):
            add(content, holds="facts", count=count)
        tables = {}
        for row in rows:
            tables[row["t"]] = tables.get(row["t"], 0) + 1
        sealed_key = seal(self.hub.facts["resolver_public_key"], submission_key, context("key", **bound))
        manifest = {
            "format": "promise-submission/1", **bound, "schema_hash": current_schema().hash,
            "agreement": {"id": under, "version": 1}, "created_at": "2026-11-22T10:00:00Z",
            "records": len(people), "padded": False,
            "submission_key": base64.b64encode(sealed_key).decode() if people else "", "chunks": entries,
            "profile": profile, "facts": tables, "findings": {}, "agent_key": self.key_id, **changes,
        }  # fmt: skip
        return self.sign(manifest, chunks)

    def sign(self, manifest, chunks):
        read = read_manifest(manifest)
        return SimpleNamespace(
            manifest=manifest, signature=sign_manifest(read, self.key), chunks=chunks, id=submission_id(read)
        )

    def facts_of(self, people):
        return [
            {"t": "demographics", "r": self.reference(number).hex(), "gender": "F", "race_ethnicity": "500"}
            for number in people
        ]

    def ask(self, method, path, body=b"", *, key=None, now=None, headers=None):
        """One signed request."""
        request = self.hub.client.build_request(method, path, content=body)
        signed = sign_request(
            Message(method, str(request.url)), body, key=key or self.key, key_id=self.key_id,
            nonce=secrets.token_urlsafe(12), now=now or self.hub.clock(),
        )  # fmt: skip
        request.headers.update(signed)
        request.headers.update(headers or {})
        return self.hub.client.send(request)

    def open(self, prepared):
        body = json.dumps({"manifest": prepared.manifest, "signature": prepared.signature}).encode()
        return self.ask("POST", "/v1/submissions", body)

    def carry(self, prepared, chunks, *, commit=True):
        """Manifest and chunks in one request."""
        carried = {name: base64.b64encode(content).decode() for name, content in chunks.items()}
        envelope = {"manifest": prepared.manifest, "signature": prepared.signature, "chunks": carried, "commit": commit}
        return self.ask("POST", "/v1/submissions", json.dumps(envelope).encode())

    def send(self, prepared):
        """The whole protocol up to the commit; the commit's answer."""
        for name in self.open(prepared).json()["missing"]:
            answer = self.ask("PUT", f"/v1/submissions/{prepared.id}/chunks/{name}", prepared.chunks[name])
            assert answer.status_code == 204, answer.text
        return self.ask("POST", f"/v1/submissions/{prepared.id}/commit")

    def state(self, prepared):
        return self.ask("GET", f"/v1/submissions/{prepared.id}").json()

    def deliver(self, people, **how):
        """Send people and let the hub work; the prepared submission."""
        prepared = self.prepare(people, **how)
        self.send(prepared)
        self.hub.work()
        return prepared

    def _encoded(self, people, year, submission_key):
        clear = [made_up_person(number) for number in people]
        spans = [
            SpanFacts(
                number, self.reference(number), year, year - 2021, True, (year - 2001) * 12 + 7, (year - 2000) * 12 + 5
            )
            for number in people
        ]
        return encode_roster(
            clear, spans=spans, schema=current_schema(), secret=SECRET, submission_key=submission_key,
            minimum_records=0, rng=np.random.default_rng(7),
        )  # fmt: skip


def made_up_person(number):
    """The same number is the same person everywhere; names are no words."""
    born = dt.date(2014, 1, 1) + dt.timedelta(days=7 * number % 45)
    return ClearPerson(
        number,
        given=GIVEN[number % len(GIVEN)],
        surname=SURNAMES[number // len(GIVEN) % len(SURNAMES)],
        birth_date=born.isoformat(),
        sex="F",
        postcode=f"949{number % 50:02d}",
    )


@pytest.fixture
def made_up_hub(home, database_url, clock):
    """A hub on each kind of database."""
    hub = MadeUpHub(home, database_url, clock)
    yield hub
    hub.close()


@pytest.fixture
def sqlite_hub(home, clock):
    """A hub on SQLite, for what does not depend on the database."""
    hub = MadeUpHub(home, address_of(home), clock)
    yield hub
    hub.close()


@pytest.fixture
def browser(tmp_path):
    chromium = Chromium(tmp_path)
    yield chromium
    chromium.close()


@pytest.fixture
def office(sqlite_hub, tmp_path):
    """The key file of an office whose agent stands on the hub's roster."""
    workspace = make_workspace(tmp_path / "edge", organisation=OFFICE, hub="http://127.0.0.1:9")
    (workspace.folder / "hub.json").write_text(json.dumps(sqlite_hub.facts | {"epoch": 1}), "utf-8")
    shutil.copytree(ROOT / "policies" / "agreements", workspace.folder / "agreements", dirs_exist_ok=True)
    workspace.keys.keep_secret(1, bytes(range(32)))
    workspace.keys.begin(1)
    entry = {"organisation": OFFICE, "key_id": workspace.key_id, "public_key": workspace.keys.agent().public()}
    with sqlite_hub.database.transaction() as session:
        load_roster(session, {"agents": [entry]}, audit=sqlite_hub.trail)
    keys = page_keys(workspace, passphrase=PASSPHRASE.encode(), now=sqlite_hub.clock())
    (tmp_path / "office.keys.json").write_text(json.dumps(keys), "utf-8")
    return tmp_path / "office.keys.json"


def stored_files(hub):
    folders = (hub.home.inbox, hub.home.linkage, hub.home.analysis)
    return sorted(path.name for folder in folders for path in folder.rglob("*") if path.is_file())


def accepted_ids(hub):
    with hub.database.reading() as session:
        return [found.submission for found in accepted(session)]
