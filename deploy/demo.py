"""Conducts the demonstration: starts the two sides as separate programs and prints the true figures of this run.

It imports nothing of ours (docs/decisions/0004): the county, the edges and the hub are programs that it starts, the
attacker and the search for identities are tools that share no code with them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from waiting_line import Waiting

from process_memory import PeakMemory

ROOT = Path(__file__).resolve().parents[1]
AGREEMENTS = ROOT / "policies" / "agreements"
SMALL_PEOPLE = 3_000
FULL_PEOPLE = 55_000
READY_SECONDS = 60
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Twenty programs start one after the other: each but the first is to find the code compiled."""
SIDE_BY_SIDE = 2


class DemonstrationError(Exception):
    """A program of the demonstration ended with an error; says which and shows the end of what it printed."""


class Demonstration:
    """One run in one folder; every program's output goes to `logs/`."""

    def __init__(self, folder: Path, *, people: int, seed: int) -> None:
        self.folder, self.people, self.seed = folder, people, seed
        self.county, self.home, self.logs = folder / "county", folder / "hub", folder / "logs"
        self.timings: dict[str, float] = {}
        self.processor_seconds: dict[str, float] = {}
        self.server: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.waiting = Waiting()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def clear(self) -> None:
        """An empty folder of the demonstration's own."""
        marker = self.folder / "this-folder-is-made-by-the-demonstration"
        if self.folder.exists() and any(self.folder.iterdir()) and not marker.exists():
            raise DemonstrationError(f"{self.folder.name}/ holds something else: move it away or give --folder")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.logs.mkdir(parents=True)
        marker.touch()

    def together(self, *steps: Callable[[], object]) -> None:
        """Runs steps side by side, since there is more than one processor; raises the first error of any."""
        with ThreadPoolExecutor(SIDE_BY_SIDE) as workers:
            for running in [workers.submit(step) for step in steps]:
                running.result()

    def step(self, name: str, *command: object, accept: tuple[int, ...] = (0,)) -> str:
        """Runs one program to its end; what it printed. Raises DemonstrationError on another exit status."""
        begun, log = time.perf_counter(), self.logs / f"{name.replace(' ', '-')}.log"
        with log.open("wb") as told, tempfile.TemporaryFile() as complained:
            program = [sys.executable, *(str(part) for part in command)]
            environment = ENVIRONMENT | {"PROMISE_PROGRESS_FILE": str(log.with_suffix(".progress"))}
            started = subprocess.Popen(program, cwd=ROOT, env=environment, stdout=told, stderr=complained)
            with self.waiting.on(name, log.with_suffix(".progress")):
                _, status, used = os.wait4(started.pid, 0)
            started.returncode = os.waitstatus_to_exitcode(status)
            complained.seek(0)
            complaint = complained.read()
        output = log.read_text("utf-8", "replace")
        log.write_bytes(output.encode() + complaint)
        self.timings[name] = round(time.perf_counter() - begun, 2)
        self.processor_seconds[name] = round(used.ru_utime + used.ru_stime, 2)
        self.waiting.say(f"  {name:34} {self.timings[name]:6.1f} s")
        if started.returncode not in accept:
            tail = "\n".join((output + complaint.decode("utf-8", "replace")).splitlines()[-15:])
            raise DemonstrationError(f"'{name}' ended with status {started.returncode}:\n{tail}")
        return output

    def hub(self, name: str, *command: object) -> str:
        """Runs one command of `promise-hub` on this demonstration's home."""
        return self.step(name, "-m", "hub.cli", *command, "--home", self.home)

    def start(self) -> None:
        """Starts the hub's processes and waits until they answer."""
        log = (self.logs / "serve.log").open("wb")
        command = [sys.executable, "-m", "hub.cli", "serve", "--home", str(self.home), "--port", str(self.port)]
        self.server = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + READY_SECONDS
        while not answers(f"{self.url}/v1/ready"):
            if self.server.poll() is not None or time.monotonic() > deadline:
                tail = (self.logs / "serve.log").read_text("utf-8", "replace").splitlines()[-15:]
                raise DemonstrationError("the hub did not start:\n" + "\n".join(tail))
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends the hub's processes in order."""
        if self.server is not None and self.server.poll() is None:
            self.server.terminate()
            try:
                self.server.wait(15)
            except subprocess.TimeoutExpired:
                self.server.kill()

    def read(self, name: str) -> Any:
        """A JSON summary that a step has written."""
        return json.loads((self.folder / name).read_text("utf-8"))


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether the address answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def bring_in(run: Demonstration) -> None:
    """Makes the county, starts the hub, and lets every provider's edge send its years and the three bad files."""
    roster, signatories = run.folder / "roster.json", run.folder / "signatories.json"
    party_keys, words_file = run.folder / "party-keys.json", run.folder / "words.json"

    def make_county() -> None:
        command = ("-m", "connectors.synthetic", "make", "--people", run.people, "--seed", run.seed)
        run.step("make the county", *command, "--out", run.county)
        command = ("-m", "connectors.county", "register", run.county, "--out", roster, "--agreements", AGREEMENTS)
        words = ("--party-keys", party_keys, "--words", words_file)
        run.step("make keys, sign agreements", *command, "--signatories", signatories, *words)

    def make_hub() -> None:
        run.step("prepare the hub", "-m", "hub.cli", "init", run.home, "--synthetic")
        run.start()

    def agree() -> None:
        signed = ("--keys", party_keys, "--words", words_file)
        run.hub("load the signed agreements", "agreements", "load", AGREEMENTS, *signed)
        run.hub("activate the agreements", "operations", "agree-made-up")
        hold_ceremony(run, 1, roster=roster, signatories=signatories)

    run.together(make_county, make_hub)
    run.together(agree, lambda: run.step("compile what links", "-m", "hub.cli", "linkage", "compile"))
    push(run, "check, encode and push", summary=run.folder / "push.json")


def hold_ceremony(run: Demonstration, epoch: int, *, roster: Path, signatories: Path) -> None:
    """From the signed roster to the epoch's beginning: custodians give, every provider accepts."""
    run.hub("propose the epoch", "epochs", "propose", roster, "--signatories", signatories)
    run.step(
        "hold the key ceremony", "-m", "connectors.county", "ceremony", run.county, "--hub", run.url,
        "--signatories", signatories,
    )  # fmt: skip
    run.hub("begin the epoch", "epochs", "begin", epoch)


def push(run: Demonstration, name: str, *, summary: Path) -> None:
    """Every provider checks, encodes and sends all its years in the present epoch."""
    run.step(
        name, "-m", "connectors.county", "push", run.county, "--hub", run.url, "--hub-keys", run.home / "hub.json",
        "--agreements", AGREEMENTS, "--summary", summary,
    )  # fmt: skip


def bring_out(run: Demonstration) -> None:
    """Links; then releases what is linked and, beside that, compares it with the truth."""
    run.hub("link", "linkage", "run", "--accept")
    run.hub("a second person accepts the run", "operations", "approve-made-up")
    run.together(lambda: release(run), lambda: compare(run))


def release(run: Demonstration) -> None:
    """From counts to a published release, its card, and an outsider's attack on it."""
    run.hub("count and protect", "release", "publish")
    run.hub("a second person publishes", "operations", "approve-made-up")
    # Nobody outside sees the release before a majority of the districts has cosigned the log.
    run.step("districts cosign the log", "-m", "connectors.county", "witness", run.county, "--hub", run.url)
    run.together(
        lambda: run.hub("write the report card", "release", "report", "--out", run.folder / "report.html"),
        lambda: attack(run),
    )


def attack(run: Demonstration) -> None:
    """What an outsider could collect, and what he can compute from it."""
    run.hub("export what was released", "release", "export", "--out", run.folder / "cells.csv")
    run.step(
        "attack the release", ROOT / "tests" / "attacker" / "attack_release.py",
        run.folder / "cells.csv", run.folder / "hierarchies.json", "--links", run.folder / "links.json",
        "--summary", run.folder / "attack.json", accept=(0, 1),
    )  # fmt: skip


def compare(run: Demonstration) -> None:
    """Linkage and outcomes beside the truth, which only a made-up county has."""
    references, outcomes = run.county / "truth" / "references.csv", run.county / "truth" / "outcomes.csv"
    run.hub(
        "compare linkage with the truth", "linkage", "evaluate",
        "--truth", references, "--summary", run.folder / "linkage.json",
    )  # fmt: skip
    run.hub(
        "compare outcomes with the truth", "outcomes", "compare",
        "--truth", outcomes, "--references", references, "--summary", run.folder / "outcomes.json",
    )  # fmt: skip


def look_for_leaks(run: Demonstration) -> None:
    """Searches every file of the hub, opened with all its keys, for identities, and verifies the log."""
    opened = run.folder / "opened"

    def search() -> None:
        run.hub("open every file of the hub", "operations", "open", "--out", opened)
        run.step(
            "search for identities", ROOT / "tests" / "attacker" / "identity_search.py",
            run.county / "truth" / "people.csv",
            run.home, opened, run.logs, run.folder / "cells.csv", run.folder / "report.html",
            "--summary", run.folder / "identities.json", accept=(0, 1),
        )  # fmt: skip
        shutil.rmtree(opened, ignore_errors=True)

    run.together(
        search, lambda: run.hub("verify the audit log", "audit", "verify", "--summary", run.folder / "audit.json")
    )


def figures(run: Demonstration) -> dict[str, Any]:
    """The figures of this run, as `--summary` writes them."""
    pushed, linkage, attack = run.read("push.json"), run.read("linkage.json"), run.read("attack.json")
    audit, release = run.read("audit.json"), run.read("report.json")
    return {
        "files": pushed["files"],
        "records": linkage["records"],
        "persons": linkage["persons"],
        "precision": linkage["precision"],
        "recall": linkage["recall"],
        "recall_by_group": linkage["recall_by_group"],
        "gap": release["gap"],
        "cells_shown": release["cells_shown"],
        "cells_withheld": release["cells_withheld"],
        "recovered": attack["recovered"],
        "audit_events": audit["events"],
        "audit_ok": audit["ok"],
        "identity_hits": run.read("identities.json")["hits"],
    }


def tell(run: Demonstration, found: Mapping[str, Any]) -> None:
    """The end of the demonstration: the true figures and where to look."""
    files, shown, withheld = found["files"], found["cells_shown"], found["cells_withheld"]
    groups = ", ".join(f"{name} {value:.3f}" for name, value in sorted(found["recall_by_group"].items()))
    whole = "verified" if found["audit_ok"] else "NOT WHOLE"
    lines = (
        f"{files['total']} files from {files['providers']} providers: "
        f"{files['accepted']} accepted, {files['held']} held, {files['rejected']} rejected",
        f"{found['records']:,} records -> {found['persons']:,} people   "
        f"precision {found['precision']:.4f}  recall {found['recall']:.4f}  (truth known: nobody here is real)",
        f"recall by name custom: {groups}",
        found["gap"]["sentence"],
        f"{shown + withheld:,} cells, {withheld:,} hidden to protect students; "
        f"attack on what was released: {found['recovered']} recovered",
        f"audit log {found['audit_events']:,} events, {whole}; "
        f"identities found in the hub's files: {found['identity_hits']} (searched)",
        f"{found['seconds']} s, {found['peak_mb']:,} MB at the most",
        f"report: {run.folder / 'report.html'}",
    )
    print("\n " + "\n ".join(lines))


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    reader = argparse.ArgumentParser(prog="run.py demo", description="Runs the whole road on a made-up county.")
    reader.add_argument("--small", action="store_true", help=f"{SMALL_PEOPLE:,} people instead of {FULL_PEOPLE:,}")
    reader.add_argument("--people", type=int, help="another number of people")
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--serve", action="store_true", help="leave the hub running, with sign-in links")
    reader.add_argument("--only-serve", action="store_true", help="start the hub of the last demonstration")
    reader.add_argument("--no-open", action="store_true", help="do not open the report in a browser")
    reader.add_argument("--summary", type=Path, help="write the figures as JSON")
    reader.add_argument("--folder", type=Path, default=ROOT / "demo")
    return reader.parse_args()


def serve(run: Demonstration) -> None:
    """Prints one-time sign-in links for the three people and leaves the hub running until it is interrupted."""
    if run.server is None:
        run.start()
    for role, organisation in (
        ("steward", "novato"),
        ("partner", "canal-alliance"),
        ("compliance", "promise-partnership"),
    ):
        link = run.hub(
            f"link for the {role}", "sign-in-link", "--role", role, "--organisation", organisation, "--url", run.url
        )
        print(f"   {link.strip()}")
    print(f" the hub runs at {run.url}  (Ctrl-C ends it)", flush=True)
    try:
        if run.server is not None:
            run.server.wait()
    except KeyboardInterrupt:
        run.stop()


def show(options: argparse.Namespace, run: Demonstration) -> None:
    """Opens the report, or says what to do next."""
    if not (options.no_open or options.serve) and sys.stdout.isatty():
        webbrowser.open((run.folder / "report.html").as_uri())
    if options.serve:
        serve(run)
    else:
        print(" next: python3 run.py serve, or check a file of your own: promise-edge check FILE (docs/edge.md)")


def main() -> int:
    """Runs the demonstration; 0 when everything held, 1 when a figure of safety did not, 3 when a program stopped."""
    options = arguments()
    begun = time.perf_counter()
    people = options.people or (SMALL_PEOPLE if options.small else FULL_PEOPLE)
    run = Demonstration(options.folder, people=people, seed=options.seed)
    try:
        if options.only_serve:
            serve(run)
            return 0
        run.clear()
        with PeakMemory() as memory:
            bring_in(run)
            bring_out(run)
            look_for_leaks(run)
        found = figures(run)
        found |= {
            "seconds": round(time.perf_counter() - begun, 1),
            "peak_mb": memory.peak_mb,
            "resident_mb": memory.resident_mb,
        }
        found |= {"timings": run.timings, "processor_seconds": run.processor_seconds}
        if options.summary:
            options.summary.parent.mkdir(parents=True, exist_ok=True)
            options.summary.write_text(json.dumps(found, indent=1), "utf-8")
        tell(run, found)
        show(options, run)
    except DemonstrationError as stopped:
        print(f"\n{stopped}\n  logs: {run.logs}", file=sys.stderr)
        return 3
    finally:
        run.stop()
    return 0 if found["audit_ok"] and not found["recovered"] and not found["identity_hits"] else 1


if __name__ == "__main__":
    sys.exit(main())
