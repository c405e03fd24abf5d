"""`promise-hub audit ...`: verify the log or an exported bundle, export it, run published vectors, recover."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.console import CANNOT_TELL, DONE, REFUSED, Console, console, telling_errors

if TYPE_CHECKING:
    from policies.translog.bundle import Verdict
    from policies.translog.note import Verifier

app = typer.Typer(name="audit", help="The audit log.", no_args_is_help=True)

HomeOption = Annotated[Path, typer.Option("--home", envvar="PROMISE_HUB_HOME", help="Folder of the hub.")]
SummaryOption = Annotated[Path | None, typer.Option("--summary", help="Write the figures as JSON.")]


@app.command()
def verify(
    bundle: Annotated[
        Path | None, typer.Argument(help="An exported bundle or selection; the hub's own log when left out.")
    ] = None,
    *,
    home: Annotated[Path | None, typer.Option("--home", envvar="PROMISE_HUB_HOME", help="Folder of the hub.")] = None,
    key: Annotated[Path | None, typer.Option(help="hub.json with the log's key, for a bundle.")] = None,
    policy: Annotated[Path | None, typer.Option(help="Who must have cosigned (C2SP tlog-policy).")] = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="A checkpoint that was kept elsewhere.")
    ] = None,
    summary: SummaryOption = None,
) -> None:
    """Exit 0 whole, 1 changed, with the first bad entry named, 3 cannot tell. A bundle needs no hub."""
    notes = [path.read_text("utf-8") for path in checkpoint or []]
    with telling_errors():
        if bundle is None:
            if home is None:
                raise typer.BadParameter("a bundle, or --home for the hub's own log", param_hint="BUNDLE")
            verdict = _verified_home(home, notes)
        else:
            facts = key or (None if home is None else home / "hub.json")
            if facts is None:
                raise typer.BadParameter("hub.json, which holds the log's key", param_hint="--key")
            verdict = _verified_file(bundle, facts, policy=policy, notes=notes)
    _tell(verdict, summary)


@app.command()
def export(home: HomeOption, out: Annotated[Path, typer.Option(help="A new file, JSON Lines.")]) -> None:
    """Write every event with what verifies it offline; the export is an event itself."""
    from hub.audit.export import export_log

    with console(home, "audit export") as opened, out.open("xb") as file, opened.database.transaction() as session:
        count = export_log(session, file, origin=_log_of(opened).name, audit=opened.trail())
    print(f"{count} events written. Check: promise-hub audit verify {out} --key hub.json")


@app.command()
def vectors(folder: Annotated[Path, typer.Argument(help="A folder of published vectors.", exists=True)]) -> None:
    """Run published vectors (merkle, tlog, signed notes, RFC 9180, HPKE-PQ, RFC 9421) against this program."""
    from hub.operations.vectors import run_every_vector

    found = run_every_vector(
        (path.relative_to(folder).as_posix(), path.read_bytes()) for path in sorted(folder.rglob("*.json"))
    )
    for name in found.failed:
        print(f"fails: {name}", file=sys.stderr)
    print(
        f"{found.passed} of {found.passed + len(found.failed)} cases pass; {found.skipped} files hold no known cases."
    )
    sys.exit(DONE if found.passed and not found.failed else REFUSED)


@app.command()
def reconcile(home: HomeOption, summary: SummaryOption = None) -> None:
    """Compare the HTTP answers that the API sent with the events of the log: exit 1 where an answer has no event."""
    from hub.audit.answers import reconcile as compare

    with console(home, "audit reconcile") as opened, opened.database.transaction() as session:
        found = compare(session, opened.home.answers, audit=opened.trail())
    if summary is not None:
        summary.write_text(json.dumps(found.as_json(), indent=1) + "\n", "utf-8")
    print(f"{found.answers:,} answers, {found.events:,} events of requests; without an event: {len(found.unlogged)}.")
    for request_id in found.unlogged[:20]:
        print(f"no event: request {request_id}", file=sys.stderr)
    sys.exit(REFUSED if found.unlogged else DONE)


@app.command()
def recover(
    home: HomeOption, sure: Annotated[bool, typer.Option(help="The events after the backup are lost.")] = False
) -> None:
    """After a backup was restored that the signer refuses, and none newer exists: begin a new log over what is left."""
    from hub.operations.recovery import begin_again

    if not sure:
        raise typer.BadParameter("give --sure once no newer backup can be had", param_hint="--sure")
    with console(home, "audit recover") as opened:
        told = begin_again(opened.home, opened.database, audit=opened.trail())
    print(
        f"Log {told.origin} goes on from {told.kept} events; {told.lost} signed events are lost, and the log says so."
    )
    print("Give the new hub.json to every district: each agent must be set up with it before it cosigns again.")


def _verified_home(home: Path, notes: list[str]) -> Verdict:
    from hub.audit.verify import Trusted, verify_log
    from hub.identity.witnesses import every_witness
    from policies.translog.note import read_vkey

    with console(home, "audit verify") as opened:
        log, last = _log_of(opened), opened.home.signer / "last-checkpoint"
        former = tuple(read_vkey(one) for one in opened.home.public_facts().get("log_verifiers_before", "").split())
        kept = [last.read_text("utf-8")] if last.is_file() else []
        with opened.database.reading() as session:
            witnesses = tuple(
                every_witness(session, one)[agent] for one in (log, *former) for agent in every_witness(session, one)
            )
            return verify_log(session, Trusted(log, former, witnesses, (*kept, *notes)))


def _verified_file(bundle: Path, facts: Path, *, policy: Path | None, notes: list[str]) -> Verdict:
    from policies.translog.bundle import Trust, Verdict, verify_bundle, verify_selection
    from policies.translog.errors import TranslogError
    from policies.translog.note import read_note, read_vkey
    from policies.translog.policy import read_policy

    try:
        told = json.loads(facts.read_text("utf-8"))
        trust = Trust(
            read_vkey(told["log_verifier"]),
            tuple(read_vkey(one) for one in str(told.get("log_verifiers_before", "")).split()),
            None if policy is None else read_policy(policy.read_text("utf-8")),
            tuple(read_note(note) for note in notes),
        )
    except (TranslogError, OSError, ValueError, KeyError, TypeError) as error:
        return Verdict(None, 0, 0, None, f"key, policy or checkpoint cannot be read ({type(error).__name__})")
    with bundle.open("rb") as file:
        first = file.readline()
        file.seek(0)
        return verify_selection(file.read(), trust) if b'"events":' in first else verify_bundle(file, trust)


def _log_of(opened: Console) -> Verifier:
    from policies.translog.note import read_vkey

    return read_vkey(opened.home.public_facts()["log_verifier"])


def _tell(verdict: Verdict, summary: Path | None) -> None:
    if summary is not None:
        told = {
            "ok": verdict.whole is True,
            "events": verdict.events,
            "checkpoints": verdict.checkpoints,
            "first_bad": verdict.first_bad,
            "reason": verdict.reason,
        }
        summary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    if verdict.whole:
        print(f"The log is whole: {verdict.events} events under {verdict.checkpoints} checkpoints ({verdict.reason}).")
        sys.exit(DONE)
    if verdict.whole is None:
        print(f"Cannot tell: {verdict.reason}", file=sys.stderr)
        sys.exit(CANNOT_TELL)
    print(f"The log was changed at entry {verdict.first_bad}: {verdict.reason}", file=sys.stderr)
    sys.exit(REFUSED)
