"""What is wrong with a hub, and what to do: each finding has a code, a sentence and a next step, and no value.

Every check reads and changes nothing. A `fault` stops something that the hub promises; a `warning` will.
"""

from __future__ import annotations

import shutil
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hub.audit.events import EventType
from hub.audit.service import head, newest_time
from hub.audit.signer import check_grew
from hub.audit.tables import Checkpoint, Detail
from hub.audit.witnessing import newest_witnessed
from hub.db import Clock, Database
from hub.errors import HubError, SettingError, StoreError
from hub.identity.witnesses import needs_witnesses, witness_policy
from hub.jobs import FAILED, RUNNING, WAITING, Job
from hub.operations.destruction import waiting_destructions
from hub.operations.grants import differences
from hub.operations.installation import newest_revision, present_revision
from hub.operations.retention import to_be_destroyed
from hub.settings import Home, Settings, read_key
from hub.stores import FOLDERS, IN_BUCKET, bucket_of
from policies.translog.checkpoint import open_checkpoint
from policies.translog.errors import TranslogError
from policies.translog.note import read_vkey

FAULT, WARNING = "fault", "warning"
KEYS = {
    "matcher": ("sealing.key", "rows.key"),
    "resolver": ("sealing.key", "spans.key", "analysis.key", "pepper.key", "salts.key"),
    "api": ("accounts.key",),
    "signer": ("log.key",),
    "backup": ("backup.key",),
}
"""What must lie in `HOME/keys`, by role."""
DISK_FREE_LEAST = 0.10
CLOCK_APART = timedelta(seconds=5)
"""Far less than a lease of a job lasts."""
UNSIGNED_FOR = timedelta(minutes=10)
WITNESSED_WITHIN = timedelta(days=3)
JOB_WAITS = timedelta(minutes=15)
FAILED_WITHIN = timedelta(days=7)
BACKUP_WITHIN = timedelta(days=2)
CERTIFICATE_DAYS = 21
CERTIFICATE_PART = 4
"""Short-lived certificates are renewed late: nothing is wrong until a quarter of their life is left."""
TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    code: str
    level: str
    words: str
    next_step: str


@dataclass(frozen=True)
class Patient:
    """The hub that is looked at."""

    settings: Settings
    home: Home
    database: Database
    clock: Clock


def examine(patient: Patient) -> Sequence[Finding]:
    """Everything that is found, in the order in which it is to be mended: a part that cannot be read is a finding."""
    found = [finding for check in OUTSIDE for finding in check(patient)]
    try:
        with patient.database.reading() as session:
            session.execute(text("SELECT 1"))
            found += _revision(session)
            if not found or found[-1].code != "revision-behind":
                for check in INSIDE:
                    found += check(patient, session)
    except (HubError, SQLAlchemyError):
        found.append(
            _fault("database-unavailable", "The database cannot be read.",
                   "Start it, or mend database_url and the login; then run doctor again.")
        )  # fmt: skip
    return found


def _home(patient: Patient) -> Iterator[Finding]:
    try:
        patient.home.public_facts()
    except SettingError:
        yield _fault("home-missing", "hub.json is missing in the home.", "Restore it from a backup, or name the home.")
    if patient.home.path.is_dir() and patient.home.path.stat().st_mode & 0o007:
        yield _warning("home-open", "Everybody on this machine can enter the home.", "chmod 0750 HOME.")


def _keys(patient: Patient) -> Iterator[Finding]:
    for role, names in KEYS.items():
        for name in names:
            path = patient.home.key_file(role, name)
            try:
                read_key(path)
            except PermissionError:
                continue  # another system user's key, as it should be
            except SettingError as error:
                step = "Put it back from where keys are kept; promise-hub migrate makes those that are new."
                yield _fault(error.code, error.detail, error.next_step if error.code == "key-open" else step)


def is_low(free: int, total: int) -> bool:
    """Whether too little of a disk is free (bytes)."""
    return free < total * DISK_FREE_LEAST


def _disk(patient: Patient) -> Iterator[Finding]:
    places = {"the home": patient.home.path}
    if patient.database.is_sqlite and patient.database.engine.url.database:
        places["the database"] = Path(patient.database.engine.url.database).parent
    for name, place in [(name, place) for name, place in places.items() if place.is_dir()]:
        usage = shutil.disk_usage(place)
        if is_low(usage.free, usage.total):
            yield _warning(
                "disk-low", f"Of the disk that holds {name} {usage.free / usage.total:.0%} is free.",
                "Make room or a larger volume; nothing is lost when it is full, but nothing is accepted either.",
            )  # fmt: skip


def _bucket(patient: Patient) -> Iterator[Finding]:
    if not patient.settings.files_url:
        return
    try:
        for store in IN_BUCKET:
            bucket_of(patient.settings, store).names()
    except HubError as error:
        yield _fault(error.code, error.detail, error.next_step)
    left = [store for store in IN_BUCKET if any((patient.home.path / FOLDERS[store]).glob("*"))]
    if left:
        yield _fault(
            "files-left", f"Files of {', '.join(left)} lie in the home beside the bucket: destruction misses them.",
            "Bring them over by backup and restore (operations page, section 3), then delete the home's folders.",
        )  # fmt: skip


def _address(patient: Patient) -> Iterator[Finding]:
    url = urlsplit(patient.settings.own_url())
    if url.scheme == "https" and url.hostname:
        yield from _certificate(url.hostname, url.port or 443, now=patient.clock())
    elif url.hostname not in ("127.0.0.1", "localhost", "::1"):
        yield _fault(
            "url-plain", "public_url is not https.", "Put a proxy with TLS before the hub and name its https address."
        )


def _certificate(host: str, port: int, *, now: datetime) -> Iterator[Finding]:
    try:
        with (
            socket.create_connection((host, port), TIMEOUT_SECONDS) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured,
        ):
            told = secured.getpeercert() or {}
    except ssl.SSLError:
        yield _fault("certificate-wrong", "The certificate of public_url does not hold.", "Renew it at the proxy.")
        return
    except OSError:
        yield _warning("url-unreachable", "public_url does not answer from here.", "Start the proxy, or mend its name.")
        return
    begins, ends = (
        datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told[name])), UTC) for name in ("notBefore", "notAfter")
    )
    if ends - now < min(timedelta(CERTIFICATE_DAYS), (ends - begins) / CERTIFICATE_PART):
        yield _warning(
            "certificate-ends", f"The certificate of public_url ends in {(ends - now).days} days.",
            "Look why the proxy did not renew it.",
        )  # fmt: skip


def _mail(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    if settings.smtp_password_file:
        path = Path(settings.smtp_password_file)
        if not path.is_file() or path.stat().st_mode & 0o077:
            yield _fault("mail-password", "The mail password file is missing or open to others.", "chmod 0600 it.")
    if not settings.smtp_host:
        if settings.messages:
            yield _warning("mail-not-set", "Messages are on, but no mail server is set.", "Set smtp_host.")
        return
    try:
        with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_SECONDS) as server:
            server.noop()
    except (OSError, smtplib.SMTPException):
        yield _fault("mail-unreachable", "The mail server does not answer.", "Look at smtp_host and smtp_port.")


def _revision(session: Session) -> list[Finding]:
    if present_revision(session) == newest_revision():
        return []
    return [_fault("revision-behind", "The database is not at this program's revision.", "Run promise-hub migrate.")]


def _login(patient: Patient, session: Session) -> Iterator[Finding]:
    if patient.database.is_sqlite:
        if session.execute(text("PRAGMA quick_check(1)")).scalar() != "ok":
            yield _fault("database-damaged", "The database file is damaged.", "Stop the hub and restore a backup.")
        return
    query = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    if session.execute(text(query)).scalar():
        yield _fault(
            "database-superuser", "The hub's database login is a superuser: row-level security binds it not.",
            "Give the hub its own logins: promise-hub database roles.",
        )  # fmt: skip
    if "{role}" not in patient.settings.database_url:
        yield _warning(
            "database-one-login", "All processes share one database login.",
            "Put {role} into database_url and make the logins: promise-hub database roles.",
        )  # fmt: skip
    elif differences(session.connection()):
        yield _fault(
            "grants-differ", "A database login has more or less than its work needs.",
            "promise-hub database roles --check says which; --set mends it.",
        )  # fmt: skip


def _clock(patient: Patient, session: Session) -> Iterator[Finding]:
    step = "Set the machine's clock by NTP; signed requests of agents fail when it is minutes off."
    now, newest = patient.clock(), session.scalar(select(func.max(Detail.time)))
    if newest is not None and newest - now > CLOCK_APART:
        yield _fault("clock-behind", "The log's newest event lies in this machine's future.", step)
    if not patient.database.is_sqlite:
        there = session.execute(text("SELECT clock_timestamp()")).scalar_one()
        if abs(there - now) > CLOCK_APART:
            yield _fault("clock-apart", "This machine and the database server do not agree on the time.", step)


def _log(patient: Patient, session: Session) -> Iterator[Finding]:
    path = patient.home.signer / "last-checkpoint"
    size, root = head(session)
    signed = session.scalar(select(func.max(Checkpoint.size))) or 0
    step = "Stop the hub. See 'Backup and restore' of the operations page; keep everything as it is until then."
    if not path.is_file():
        if signed:
            yield _fault("signer-forgot", "The signer's own last checkpoint is gone.", step)
        return
    try:
        last = open_checkpoint(path.read_text("utf-8"), read_vkey(patient.home.public_facts()["log_verifier"]))
        check_grew(session, last, size, root)
    except (StoreError, TranslogError):
        yield _fault("log-rewritten", "The log does not grow out of what was signed last.", step)
        return
    oldest = session.scalar(select(Detail.time).where(Detail.sequence == last.size))
    if oldest is not None and patient.clock() - oldest > UNSIGNED_FOR:
        yield _fault("signer-behind", "Events wait for the signer.", "Start promise-hub serve, and read its log.")
    yield from _witnesses(patient, session)


def _witnesses(patient: Patient, session: Session) -> Iterator[Finding]:
    log = read_vkey(patient.home.public_facts()["log_verifier"])
    if not needs_witnesses(session):
        return
    note = newest_witnessed(session, policy=witness_policy(session, log))
    size = 0 if note is None else int(note.text.split("\n")[1])
    after = session.scalar(select(Detail.time).where(Detail.sequence == size))
    if after is not None and patient.clock() - after > WITNESSED_WITHIN:
        yield _warning(
            "witnesses-late", "No majority of the districts has cosigned the log for three days.",
            "Ask the districts to let their agents run; no release becomes public before.",
        )  # fmt: skip


def _jobs(patient: Patient, session: Session) -> Iterator[Finding]:
    now = patient.clock()

    def count(*conditions: object) -> int:
        return session.scalar(select(func.count()).select_from(Job).where(*conditions)) or 0  # type: ignore[arg-type]

    if count(Job.state == RUNNING, Job.lease_until < now):
        yield _warning("lease-lost", "A job's worker is gone.", "Nothing to do: another takes it. Is serve running?")
    if count(Job.state == WAITING, Job.available_at < now - JOB_WAITS):
        yield _fault("jobs-wait", "Jobs wait for their worker.", "Start promise-hub serve, and read its log.")
    if failed := count(Job.state == FAILED, Job.finished_at > now - FAILED_WITHIN):
        yield _fault(
            "jobs-failed", f"{failed} jobs were given up in the last seven days.",
            "The page Administration says what to do for each; with the cause mended: promise-hub operations retry.",
        )  # fmt: skip


def _retention(patient: Patient, session: Session) -> Iterator[Finding]:
    day = patient.clock().date()
    due = to_be_destroyed(session, day=day)
    for name in sorted({left.agreement for left in due if left.destroy_by < day}):
        yield _fault(
            "destruction-late", f"What was given under {name} should be destroyed by now.",
            "Let two persons approve it (page 'Two persons'), then run promise-hub operations destroy.",
        )  # fmt: skip
    for name in sorted({left.agreement for left in due if left.destroy_by >= day}):
        yield _warning(
            "destruction-due", f"{name} has ended; what was given under it is to be destroyed.",
            "Let two persons approve it (page 'Two persons'), then run promise-hub operations destroy.",
        )  # fmt: skip
    if waiting_destructions(session):
        yield _fault("destruction-open", "A destruction's files lie there yet.", "Run promise-hub operations destroy.")


def _backups(patient: Patient, session: Session) -> Iterator[Finding]:
    last = newest_time(session, EventType.BACKUP_BEGUN)
    if last is None or patient.clock() - last > BACKUP_WITHIN:
        words = "There is no backup." if last is None else "The newest backup is older than two days."
        yield _warning("backup-late", words, "Run promise-hub backup FOLDER, daily.")


OUTSIDE: tuple[Callable[[Patient], Iterator[Finding]], ...] = (_home, _keys, _disk, _bucket, _address, _mail)
INSIDE: tuple[Callable[[Patient, Session], Iterator[Finding]], ...] = (
    _login, _clock, _log, _jobs, _retention, _backups,
)  # fmt: skip


def _fault(code: str, words: str, next_step: str) -> Finding:
    return Finding(code, FAULT, words, next_step)


def _warning(code: str, words: str, next_step: str) -> Finding:
    return Finding(code, WARNING, words, next_step)
