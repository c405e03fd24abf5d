"""Asks every operation of the API with made-up questions, right and wrong, as each role: no failure, no other form.

`python tests/bench/api_fuzz.py [--cases N] [--role NAME] [--summary FILE]`. Schemathesis makes the cases from the
hub's own description. Held for each role: no answer of 500 or above, each status, content type and body as described;
and over all roles at least 80 % of the operations are answered as asked (2xx) at least once.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.operations.installation import make_home, upgrade
from hub.web.openapi import told_by_example
from policies.principal import Role
from tests.conftest import StandingClock
from tests.integration.access.conftest import ROLES, People
from tests.integration.hub.conftest import MadeUpHub
from tests.integration.pages.conftest import fill

CASES = 2_000
REACHED_SHARE = 0.8
SEED = 20261122
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CALLERS = ("anonymous", *ROLES, "agent")
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


class Asker:
    """One caller of a hub: it asks with credentials that hold, a second later each time."""

    def __init__(self, people: People, caller: str) -> None:
        self.people, self.hub, self.caller = people, people.hub, caller
        self.statuses: Counter[str] = Counter()
        self.reached: set[str] = set()
        self.faults: list[str] = []

    def ask(self, method: str, path: str, content: bytes, headers: dict[str, str]):
        """The answer to one request with this caller's credentials in place of any that were made up."""
        self.hub.clock.advance(seconds=1)
        if self.caller == "agent":
            return self.people.edge.ask(method, path, content, headers=headers)
        shown = {} if self.caller == "anonymous" else {"cookie": self._cookie()}
        return self.hub.client.request(method, path, content=content, headers={**headers, **shown})

    def note(self, name: str, answer, case=None) -> None:
        """Count an answer, and keep what is not as described."""
        self.statuses[f"{answer.status_code // 100}xx"] += 1
        if answer.status_code < 300:
            self.reached.add(name)
        try:
            if case is not None:
                case.validate_response(answer, checks=CHECKS)
            elif answer.status_code >= 500:
                raise AssertionError("server error")
        except (AssertionError, BaseExceptionGroup) as error:
            kinds = sorted({type(one).__name__ for one in getattr(error, "exceptions", (error,))})
            self.faults.append(f"{self.caller}: {name} {answer.status_code} {', '.join(kinds)}")

    def _cookie(self) -> str:
        """A session that still holds: a new one each quarter of an hour."""
        quarter = str(int(self.hub.clock().timestamp()) // 600)
        return self.people.cookie(*ROLES[self.caller], name=quarter)


def examples(asker: Asker, there: Mapping[str, tuple[dict[str, str], bytes]], number: object, submission: str) -> None:
    """Every operation by its own example, with names of things that there are."""
    for name, told in told_by_example().items():
        method, _, path = name.partition(" ")
        live, body = there.get(name, ({}, b""))
        named = {**told.get("parameters", {}), "number": number, "submission": submission, **live}
        query = {key: value for key, value in told.get("parameters", {}).items() if f"{{{key}}}" not in path}
        content = body or (json.dumps(told["body"]).encode() if "body" in told else b"")
        address = asker.hub.client.build_request(method, path.format(**named), params=query).url.raw_path.decode()
        asker.note(name, asker.ask(method, address, content, {}))


def things(people: People, filled: Mapping[str, object]) -> dict[str, tuple[dict[str, str], bytes]]:
    """By operation the names and the body with which it can be done in this hub."""
    edge = people.edge
    opened, whole, fresh = (edge.prepare(range(10), year=year) for year in (2020, 2021, 2022))
    edge.open(opened)
    for chunk in edge.open(whole).json()["missing"]:
        edge.ask("PUT", f"/v1/submissions/{whole.id}/chunks/{chunk}", whole.chunks[chunk])
    chunk = next(iter(opened.chunks))
    act = people.ask("GET", f"/v1/acts/{filled['number']}", people.cookie(Role.ADMINISTRATOR)).json()
    reference, leaving = edge.reference(1).hex(), people.principal(Role.STEWARD, "reed", name="leaves").actor
    bodies = {
        "POST /v1/submissions": {"manifest": fresh.manifest, "signature": fresh.signature},
        "POST /v1/records": {"reference": reference},
        "POST /v1/opt-outs": {"reference": reference, "scope": "studies", "word": "record"},
        "POST /v1/acts/{number}/approve": {"payload_sha256": act["payload_sha256"]},
        "POST /v1/acts": {
            "kind": "person.remove",
            "fields": {"person": leaving.removeprefix("person:")},
            "why": "Left.",
        },
    }
    one = "/v1/submissions/{submission}"
    return {name: ({}, json.dumps(body).encode()) for name, body in bodies.items()} | {
        f"PUT {one}/chunks/{{sha256}}": ({"submission": opened.id, "sha256": chunk}, opened.chunks[chunk]),
        f"GET {one}/missing": ({"submission": opened.id}, b""),
        f"POST {one}/commit": ({"submission": whole.id}, b""),
        f"POST {one}/approve": ({"submission": str(filled["held"])}, b""),
        f"POST {one}/discard": ({"submission": str(filled["spare"])}, b""),
    }


def made_up(asker: Asker, operations: list, *, cases: int) -> None:
    """So many cases over all operations, half of them meant to be wrong."""
    each = math.ceil(cases / len(operations) / len(MODES))
    for operation in operations:
        for mode in MODES:
            with suppress(Unsatisfiable):  # nothing can be wrong about an operation that takes nothing
                asks_so(asker, operation, mode, cases=each)()


def asks_so(asker: Asker, operation, mode: GenerationMode, *, cases: int):
    """A function that asks one operation so many times."""
    name = f"{operation.method.upper()} {operation.path}"

    @seed(SEED)
    @settings(
        max_examples=cases, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(mode))
    def asked(case) -> None:
        told = case.as_transport_kwargs(base_url="http://hub.test")
        request = asker.hub.client.build_request(
            told["method"], told["url"], params=told.get("params") or None,
            content=content_of(told), headers=headers_of(told),
        )  # fmt: skip
        kept = {key: value for key, value in request.headers.items() if key not in ("host", "content-length")}
        answer = asker.ask(request.method, request.url.raw_path.decode(), request.content, kept)
        answer.elapsed = dt.timedelta(0)  # a transport inside the process does not time itself
        asker.note(name, answer, case)

    return asked


def content_of(told: dict) -> bytes:
    """The body that a case sends."""
    if "json" in told:
        return json.dumps(told["json"]).encode()
    content = told.get("data") or b""
    return content if isinstance(content, bytes) else str(content).encode("utf-8", "replace")


def headers_of(told: dict) -> dict[str, str]:
    """The headers of a case that say nothing of who asks, and that can be sent."""
    shown = ("cookie", "authorization", "signature", "signature-input", "content-length", "host")
    return {
        name: value
        for name, value in told["headers"].items()
        if name.lower() not in shown and f"{name}{value}".isascii() and f"{name}{value}".isprintable()
    }


def stocked() -> People:
    """A hub in which everything has happened once."""
    folder = Path(tempfile.mkdtemp(prefix="api-fuzz-")) / "hub"
    make_home(folder, clock=StandingClock(), synthetic=True)
    upgrade(f"sqlite:///{folder / 'hub.db'}")
    return People(MadeUpHub(folder, f"sqlite:///{folder / 'hub.db'}", StandingClock()))


def measure(callers: list[str], *, cases: int) -> dict[str, object]:
    """What came of the cases, by caller."""
    told: dict[str, object] = {}
    reached: set[str] = set()
    operations: list = []
    for caller in callers:
        people = stocked()
        filled = fill(people)
        there = things(people, filled)
        found = people.hub.client.get("/v1/openapi.json").json()
        operations = [one.ok() for one in schemathesis.openapi.from_dict(found).get_all_operations()]
        asker, begun = Asker(people, caller), time.process_time()
        examples(asker, there, filled["number"], str(filled["submission"]))
        made_up(asker, operations, cases=cases)
        reached |= asker.reached
        told[caller] = {
            "cases": sum(asker.statuses.values()), "statuses": dict(asker.statuses), "reached": len(asker.reached),
            "faults": sorted(set(asker.faults)), "cpu_seconds": round(time.process_time() - begun, 1),
        }  # fmt: skip
        print(f" {caller}: {told[caller]}", flush=True)
        people.hub.close()
        shutil.rmtree(people.hub.settings.home.parent, ignore_errors=True)
    every = {f"{one.method.upper()} {one.path}" for one in operations}
    share = round(len(reached) / len(every), 3)
    return {"callers": told, "operations": len(every), "reached_share": share, "unreached": sorted(every - reached)}


def main() -> int:
    """Prints what came of it; 0 when every bar is held."""
    reader = argparse.ArgumentParser(description="Asks the API with made-up questions.")
    reader.add_argument("--cases", type=int, default=CASES)
    reader.add_argument("--role", choices=CALLERS)
    reader.add_argument("--summary", type=Path)
    options = reader.parse_args()
    callers = [options.role] if options.role else list(CALLERS)
    found = measure(callers, cases=options.cases)
    print(f" {found['operations']} operations, {100 * found['reached_share']:.0f} % answered as asked")
    print(f" never answered as asked: {', '.join(found['unreached']) or 'none'}")
    if options.summary:
        options.summary.write_text(json.dumps(found, indent=1), "utf-8")
    faults = any(told["faults"] for told in found["callers"].values())
    few = any(told["cases"] < options.cases for told in found["callers"].values())
    return 1 if faults or few or (not options.role and found["reached_share"] < REACHED_SHARE) else 0


if __name__ == "__main__":
    sys.exit(main())
