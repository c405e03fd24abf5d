"""Asks every operation of the API with made-up questions, right and wrong, as each role: no failure, no other form.

`python tests/bench/api_fuzz.py [--cases N] [--role NAME] [--summary FILE]`, and `--join FILE...` for summaries of
single roles. Schemathesis makes the cases from the hub's own description; half of those meant to be right name things
that there are. Held for each role: no answer of 500 or above; each status, content type and body as described; each
refusal with code, place and next step; and over all roles at least 80 % of the operations are answered as asked (2xx)
at least once.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import json
import math
import re
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
from tests.conftest import StandingClock
from tests.integration.access.conftest import ROLES, People
from tests.integration.hub.conftest import MadeUpHub
from tests.integration.pages.conftest import fill
from tests.integration.pages.doing import after_comments, programs, things

CASES = 2_000
REACHED_SHARE = 0.8
SEED = 20261122
TURNS_MAX = 12
STRANGE_BODIES = (b"[" * 100_000, b"null", b"[]", b"{}", b'"\xff', b'{"":{}}')
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
        found = [*wanting(answer), *([] if case is None else unlike(answer, case))]
        self.faults += [f"{self.caller}: {name} {answer.status_code} {one}" for one in found]

    def _cookie(self) -> str:
        """A session that still holds: a new one each quarter of an hour."""
        quarter = str(int(self.hub.clock().timestamp()) // 600)
        return self.people.cookie(*ROLES[self.caller], name=quarter)


def unlike(answer, case) -> list[str]:
    """In what an answer is not as the description says."""
    try:
        case.validate_response(answer, checks=CHECKS)
    except (AssertionError, BaseExceptionGroup) as error:
        return sorted({type(one).__name__ for one in getattr(error, "exceptions", (error,))})
    return []


def wanting(answer) -> list[str]:
    """What a failure is, or what a refusal leaves out of code, place and next step."""
    if answer.status_code < 400:
        return []
    if answer.status_code >= 500:
        return ["failure"]
    told = answer.json()
    missing = [f"without {name}" for name in ("code", "detail", "next_step") if not told.get(name)]
    if answer.status_code == 422 and not all(one.get("at") for one in told["errors"] or [{}]):
        missing.append(f"without a place: {told['code']}")
    return missing


def names_of(there: Mapping[str, tuple[dict[str, str], bytes]], filled: Mapping[str, object]) -> dict[str, dict]:
    """By operation the names of things that there are, for every place of its address."""
    known = {name: filled[name] for name in ("number", "submission", "agreement", "indicator")}
    return {
        name: {**told.get("parameters", {}), **known, **there.get(name, ({}, b""))[0]}
        for name, told in told_by_example().items()
    }


def examples(
    asker: Asker,
    there: Mapping[str, tuple[dict[str, str], bytes]],
    live: Mapping[str, dict],
    *,
    only: tuple[str, ...] = (),
) -> None:
    """Every operation, or only some, by its own example, with names of things that there are."""
    for name, told in told_by_example().items():
        if only and name not in only:
            continue
        method, _, path = name.partition(" ")
        body, named = there.get(name, ({}, b""))[1], live[name]
        query = {key: value for key, value in told.get("parameters", {}).items() if f"{{{key}}}" not in path}
        content = body or (json.dumps(told["body"]).encode() if "body" in told else b"")
        address = asker.hub.client.build_request(method, path.format(**named), params=query).url.raw_path.decode()
        asker.note(name, asker.ask(method, address, content, {}))
        for strange in STRANGE_BODIES if content else ():
            asker.note(name, asker.ask(method, address, strange, {}))


def made_up(asker: Asker, operations: list, *, cases: int, live: Mapping[str, Mapping[str, object]]) -> None:
    """So many cases over all operations, half of them meant to be wrong; rounds until there are so many."""
    before = sum(asker.statuses.values())
    for turn in range(TURNS_MAX):
        missing = cases + before - sum(asker.statuses.values())
        if missing <= 0:
            return
        each = math.ceil(missing / len(operations) / len(MODES))
        for operation in operations:
            for mode in MODES:
                with suppress(Unsatisfiable):  # nothing can be wrong about an operation that takes nothing
                    asks_so(asker, operation, mode, cases=each, turn=turn, live=live)()


def asks_so(
    asker: Asker, operation, mode: GenerationMode, *, cases: int, turn: int, live: Mapping[str, Mapping[str, object]]
):
    """A function that asks one operation so many times; every other case meant to be right names what there is."""
    name = f"{operation.method.upper()} {operation.path}"
    there, asked_so_far = live.get(name, {}), itertools.count()

    @seed(SEED + turn)
    @settings(
        max_examples=cases, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(mode))
    def asked(case) -> None:
        if mode is GenerationMode.POSITIVE and next(asked_so_far) % 2 and case.path_parameters:
            case.path_parameters.update({key: there[key] for key in case.path_parameters if key in there})
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


def programs_of(asker: Asker, folder: Path) -> None:
    """What the programs of two offices ask, noted by operation."""
    forms = {name: re.sub(r"\{\w+\}", "[^/]+", name) for name in told_by_example()}

    def noted(answer) -> None:
        answer.read()
        asked = f"{answer.request.method} {answer.request.url.path}"
        names = [name for name, form in forms.items() if re.fullmatch(form, asked)]
        asker.note(min(names, key=lambda name: name.count("{")), answer)

    asker.hub.client.event_hooks["response"].append(noted)
    programs(asker.people, folder)
    asker.hub.client.event_hooks = {}


def stocked() -> People:
    """A hub in which everything has happened once."""
    folder = Path(tempfile.mkdtemp(prefix="api-fuzz-")) / "hub"
    make_home(folder, clock=StandingClock(), synthetic=True)
    upgrade(f"sqlite:///{folder / 'hub.db'}")
    return People(MadeUpHub(folder, f"sqlite:///{folder / 'hub.db'}", StandingClock()))


def measure(callers: list[str], *, cases: int) -> dict[str, object]:
    """What came of the cases, by caller."""
    told: dict[str, dict] = {}
    operations: list = []
    for caller in callers:
        people = stocked()
        filled = fill(people)
        there = things(people, filled, caller)
        live = names_of(there, filled)
        found = people.hub.client.get("/v1/openapi.json").json()
        operations = [one.ok() for one in schemathesis.openapi.from_dict(found).get_all_operations()]
        asker, begun = Asker(people, caller), time.process_time()
        examples(asker, there, live)
        if caller == "compliance":
            examples(asker, there, live, only=after_comments(people))
        if caller == "agent":
            programs_of(asker, people.hub.settings.home.parent)
        by_example = sum(asker.statuses.values())
        made_up(asker, operations, cases=cases, live=live)
        told[caller] = {
            "cases": sum(asker.statuses.values()) - by_example, "by_example": by_example,
            "statuses": dict(asker.statuses), "reached": sorted(asker.reached), "faults": sorted(set(asker.faults)),
            "cpu_seconds": round(time.process_time() - begun, 1),
        }  # fmt: skip
        print(f" {caller}: {said(told[caller])}", flush=True)
        people.hub.close()
        shutil.rmtree(people.hub.settings.home.parent, ignore_errors=True)
    every = {f"{one.method.upper()} {one.path}" for one in operations}
    return summed(told, every)


def summed(callers: Mapping[str, Mapping], every: set[str]) -> dict[str, object]:
    """The share of all operations that some caller was answered as asked."""
    reached = {name for told in callers.values() for name in told["reached"]}
    share, left = round(len(reached) / len(every), 3), sorted(every - reached)
    return {"callers": callers, "operations": sorted(every), "reached_share": share, "unreached": left}


def said(told: Mapping[str, object]) -> dict[str, object]:
    """What came of one caller's cases, short."""
    return {**told, "reached": len(told["reached"])}


def joined(files: list[Path]) -> dict[str, object]:
    """What came of several runs together."""
    found = [json.loads(file.read_text("utf-8")) for file in files]
    callers = {name: told for one in found for name, told in one["callers"].items()}
    return summed(callers, {name for one in found for name in one["operations"]})


def main() -> int:
    """Prints what came of it; 0 when every bar is held."""
    reader = argparse.ArgumentParser(description="Asks the API with made-up questions.")
    reader.add_argument("--cases", type=int, default=CASES)
    reader.add_argument("--role", choices=CALLERS)
    reader.add_argument("--summary", type=Path)
    reader.add_argument("--join", type=Path, nargs="+", metavar="FILE", help="summaries of earlier runs, to be joined")
    options = reader.parse_args()
    callers = [options.role] if options.role else list(CALLERS)
    found = joined(options.join) if options.join else measure(callers, cases=options.cases)
    for caller, told in found["callers"].items() if options.join else ():
        print(f" {caller}: {said(told)}")
    print(f" {len(found['operations'])} operations, {100 * found['reached_share']:.0f} % answered as asked")
    print(f" never answered as asked: {', '.join(found['unreached']) or 'none'}")
    if options.summary:
        options.summary.write_text(json.dumps(found, indent=1), "utf-8")
    faults = any(told["faults"] for told in found["callers"].values())
    few = any(told["cases"] < options.cases for told in found["callers"].values())
    return 1 if faults or few or (not options.role and found["reached_share"] < REACHED_SHARE) else 0


if __name__ == "__main__":
    sys.exit(main())
