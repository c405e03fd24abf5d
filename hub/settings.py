"""The settings of the hub and the layout of its home folder; built once at the start and passed down.

Nothing else reads the environment. Each setting can be given as PROMISE_HUB_<NAME>.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from hub.engine_choice import EngineChoice
from hub.errors import SettingError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

KEY_BYTES = 32
PORT = re.compile(r":[0-9]+$")
LOOPBACK = ("", "127.0.0.1", "::1", "localhost")
OPERATOR, MIGRATION = "operator", "migration"
"""The logins of commands: those that work with rows, and those that make tables."""


class Settings(BaseSettings):
    """All that an operator may set."""

    model_config = SettingsConfigDict(env_prefix="PROMISE_HUB_", frozen=True)

    home: Path = Field(description="Folder of the hub: keys, files and, by default, the database.")
    database_url: str = Field(
        default="",
        description="Address of the database; empty means a SQLite file inside the home folder. `{role}` in it stands "
        "for each process's own login.",
    )
    files_url: str = Field(
        default="",
        description="Bucket for rows, spans and facts: s3://BUCKET/PREFIX?endpoint=https://HOST&region=NAME; empty "
        "means folders of the home.",
    )
    files_keys: str = Field(
        default="",
        description="File with the bucket's keys, mode 0600; `{role}` in it stands for each process's own. Empty means "
        "what the machine is given by its system.",
    )
    host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    port: int = Field(default=8400, ge=0, le=65535, description="Port the API listens on; 0 takes a free one.")
    public_url: str = Field(
        default="", description="Address that callers use, where it differs from host and port (behind a proxy)."
    )
    proxy_address: str = Field(
        default="",
        description="Address or network of the proxy that is believed on who asks (X-Forwarded-For); empty: none is.",
    )
    session_idle_minutes: int = Field(default=15, ge=1, le=60, description="A session ends after this long unused.")
    session_hours: int = Field(default=8, ge=1, le=12, description="A session ends after this long in any case.")
    sign_in_providers: str = Field(
        default="", description="File that names the identity providers people sign in with; empty means none."
    )
    requests_per_minute: int = Field(
        default=6000, ge=10, le=1_000_000, description="How often one caller may ask in a minute."
    )
    job_poll_milliseconds: int = Field(
        default=30, ge=5, le=5000, description="How often a worker looks for its next job."
    )
    messages: bool = Field(
        default=False, description="Whether `serve` also sends messages to offices, by a process of its own."
    )
    smtp_host: str = Field(default="", description="Mail server for messages; empty means no e-mail is sent.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Port of the mail server; STARTTLS is required.")
    smtp_sender: str = Field(default="promise-hub@localhost", description="Address that messages come from.")
    smtp_user: str = Field(default="", description="Name to sign in with at the mail server; empty signs in not.")
    smtp_ca_file: str = Field(
        default="", description="Certificates by which the mail server is known; empty means those of the system."
    )
    smtp_password_file: str = Field(default="", description="File with the password for the mail server, mode 0600.")
    metrics_host: str = Field(
        default="127.0.0.1", description="Internal address of the figures for a monitor; no proxy passes it on."
    )
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Port of the figures for a monitor (Prometheus); 0 serves none."
    )
    linkage_engine: Literal["embedded", "spark"] = Field(
        default="embedded", description="What compares rows and joins persons: this machine, or Apache Spark."
    )
    counting_engine: Literal["embedded", "spark"] = Field(
        default="embedded", description="What joins facts and counts them: this machine, or Apache Spark."
    )
    spark_master: str = Field(default="local[*]", description="Where Spark runs: local[N], or spark://HOST:7077.")
    spark_folder: str = Field(
        default="", description="A folder that all workers of Spark reach; empty means a temporary one of this machine."
    )

    def resolved_database_url(self, role: str = OPERATOR) -> str:
        """The address under which a role comes to the database; raises SettingError for a way that is not encrypted."""
        url = (self.database_url or f"sqlite:///{self.home / 'hub.db'}").replace("{role}", role)
        check_database_address(url)
        return url

    def engine(self, work: Literal["linkage", "counting"]) -> EngineChoice:
        """The engine that is chosen for a kind of work."""
        folder = Path(self.spark_folder) if self.spark_folder else None
        name = self.linkage_engine if work == "linkage" else self.counting_engine
        return EngineChoice(name, self.spark_master, folder)

    def environment(self) -> dict[str, str]:
        """These settings as the environment of a process of ours."""
        return {f"PROMISE_HUB_{name.upper()}": str(value) for name, value in self.model_dump().items()}

    def own_url(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"


def check_database_address(url: str) -> None:
    """Raises SettingError for a database on another machine without TLS that knows the server (ASVS 5.0, 12.3.1)."""
    from sqlalchemy.engine import make_url

    address = make_url(url)
    if address.get_backend_name() == "sqlite" or all(map(_is_here, _hosts(address))):
        return
    if address.query.get("sslmode") != "verify-full":
        raise SettingError(
            "The database is on another machine, and the way to it is not surely encrypted.",
            code="database-plain",
            next_step="Add ?sslmode=verify-full&sslrootcert=FILE to database_url; FILE is the server's certificate "
            "authority, or `system`.",
        )


def _hosts(address: URL) -> Iterator[str]:
    """Every host that libpq may go to by this address; a service file names others that are not seen here."""
    yield address.host or ""
    for name in ("host", "hostaddr", "service"):
        told = address.query.get(name, ())
        for part in (told,) if isinstance(told, str) else told:
            yield from part.split(",")


def _is_here(host: str) -> bool:
    """Whether a host of libpq's is this machine: none, a socket's folder, or the loopback, perhaps with a port."""
    return host.startswith(("/", "@")) or host in LOOPBACK or PORT.sub("", host) in LOOPBACK[1:]


@dataclass(frozen=True)
class Home:
    """Where things lie in the home folder. A role reads `keys/<role>/` of its own and no other."""

    path: Path

    @property
    def inbox(self) -> Path:
        """Chunks of submissions that are being received; sealed, or sealed by the API to the resolver."""
        return self.path / "inbox"

    @property
    def handover(self) -> Path:
        """Pairs that the matcher sealed to the resolver."""
        return self.path / "handover"

    @property
    def linkage(self) -> Path:
        return self.path / "linkage"

    @property
    def analysis(self) -> Path:
        return self.path / "analysis"

    @property
    def salts(self) -> Path:
        """The salts of agreements, of which pseudonyms are made; beside the analysis store, never in it."""
        return self.path / "salts"

    @property
    def signer(self) -> Path:
        """The signer's own last checkpoint, outside the database."""
        return self.path / "signer"

    @property
    def answers(self) -> Path:
        """Which HTTP answers were sent, to be compared with the log's events."""
        return self.path / "answers"

    @property
    def public(self) -> Path:
        """hub.json: what edges and verifiers need to know."""
        return self.path / "hub.json"

    def key_file(self, role: str, name: str) -> Path:
        return self.path / "keys" / role / name

    def key(self, role: str, name: str) -> bytes:
        """The bytes of one key of a role; a missing, short or open-to-others file stops the caller."""
        return read_key(self.key_file(role, name))

    def backup_key(self) -> bytes:
        """The key under which tables rest in backups; a home made before there were backups gets one."""
        return self._made_key("backup", "backup.key")

    def accounts_key(self) -> bytes:
        """The API's key for the secrets of changing codes; a home made before accounts gets one."""
        return self._made_key("api", "accounts.key")

    def _made_key(self, role: str, name: str) -> bytes:
        path = self.key_file(role, name)
        if not path.exists():
            with suppress(FileExistsError):
                write_key(path, secrets.token_bytes(KEY_BYTES))
        return read_key(path)

    @property
    def synthetic_mark(self) -> Path:
        """Stands in a home whose people are all made up; truth may be compared and files opened only there."""
        return self.path / "synthetic"

    def check_synthetic(self) -> None:
        """Raises SettingError unless the home was made for made-up people."""
        if not self.synthetic_mark.is_file():
            raise SettingError(
                "This is done only in a home of made-up people.",
                code="home-not-synthetic",
                next_step="Make another home with promise-hub init HOME --synthetic.",
            )

    def public_facts(self) -> dict[str, str]:
        """The content of hub.json."""
        if not self.public.is_file():
            raise SettingError(f"{self.public.name} is missing in the home folder.", code="home-missing")
        facts = json.loads(self.public.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in facts.items()}


def read_key(path: Path) -> bytes:
    """The bytes of a key file of mode 0600."""
    if not path.is_file():
        raise SettingError(f"The key {path.parent.name}/{path.name} is missing.", code="key-missing")
    if path.stat().st_mode & 0o077:
        raise SettingError(
            f"The key {path.parent.name}/{path.name} can be read by others.",
            code="key-open",
            next_step="Set its mode to 0600 and its owner to the role's user.",
        )
    key = path.read_bytes()
    if len(key) < KEY_BYTES:
        raise SettingError(f"The key {path.parent.name}/{path.name} is too short.", code="key-short")
    return key


def write_key(path: Path, key: bytes) -> None:
    """Write a key once, readable by its owner alone; an existing key is never overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
