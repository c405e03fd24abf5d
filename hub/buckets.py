"""A place for stored files that is a bucket of an S3-compatible object store, beside the folders of `hub.files`.

What lies there is the same sealed bytes under the same names as in a folder; the store sees neither names of people nor
content. An object appears whole or not at all; its size is looked at after it was written and each time it is put
again. Nothing there can be touched, so what is put again is written again once it is older than half a day: the sweep
takes only what is older than a whole one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from hub.errors import SettingError, StoreError, Unavailable

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

FRESH_FOR = timedelta(hours=12)
CONNECT_SECONDS, REQUEST_SECONDS, ATTEMPTS = 5, 60, 3
REGION = "us-east-1"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
QUERY = ("endpoint", "region", "ca")
WRONG_KEY = (
    "ACCESS_DENIED",
    "INVALID_ACCESS_KEY",
    "SIGNATURE",
    "TOKEN",
    "UNRECOGNIZED_CLIENT",
    "status 403",
    "status 401",
)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Address:
    """Where a bucket is: `s3://BUCKET/PREFIX?endpoint=https://HOST:PORT&region=NAME&ca=FILE`; all but the bucket may be
    left out, which then means Amazon."""

    bucket: str
    prefix: str
    endpoint: str = ""
    region: str = REGION
    ca: str = ""

    @property
    def root(self) -> str:
        return f"{self.bucket}/{self.prefix}".rstrip("/")


@dataclass(frozen=True)
class Credentials:
    """An access key and its secret; neither shows itself. Both empty: what the machine is given by its own system."""

    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)


class Bucket:
    """A place that is one folder of a bucket."""

    def __init__(self, filesystem: AbstractFileSystem, root: str, *, clock: Callable[[], datetime] = _now) -> None:
        self._files, self._root, self._clock = filesystem, root, clock

    @property
    def label(self) -> str:
        return f"bucket, {self._root.rsplit('/', 1)[-1]}"

    def touch(self, name: str, size: int) -> bool:
        found = self._found(name)
        return found is not None and found["size"] == size and found["mtime"] > self._clock() - FRESH_FOR

    def write(self, name: str, content: bytes) -> None:
        with _telling():
            self._files.pipe_file(self._path(name), content)
        found = self._found(name)
        if found is None or found["size"] != len(content):
            raise StoreError(
                "The bucket did not keep a file whole.", code="bucket-half-written",
                next_step="Give the same again: it is then written anew. If it happens again, look at the bucket.",
            )  # fmt: skip

    def settle(self) -> None:
        """Nothing to do: an object that was written is safe."""

    def read(self, name: str) -> bytes:
        with _telling():
            content: bytes = self._files.cat_file(self._path(name))
            return content

    def has(self, name: str) -> bool:
        return self._found(name) is not None

    def names(self) -> Sequence[str]:
        return sorted(name for name in self._listed() if not name.startswith("."))

    def delete(self, name: str) -> None:
        with _telling(), suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def unnamed(self, named: Collection[str], *, before: datetime) -> Sequence[str]:
        return sorted(name for name, mtime in self._listed().items() if name not in named and mtime < before)

    def sweep(self, name: str, *, before: datetime) -> None:
        found = self._found(name)
        if found is not None and found["mtime"] < before:
            self.delete(name)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _found(self, name: str) -> dict[str, Any] | None:
        with _telling():
            try:
                found: dict[str, Any] = self._files.info(self._path(name))
            except FileNotFoundError:
                return None
            return found if found["type"] == "file" else None

    def _listed(self) -> dict[str, datetime]:
        """By name when each object was written."""
        with _telling():
            try:
                entries = self._files.ls(self._root, detail=True)
            except FileNotFoundError:
                return {}
        return {one["name"].rsplit("/", 1)[-1]: one["mtime"] for one in entries if one["type"] == "file"}


def open_bucket(address: Address, credentials: Credentials, folder: str) -> Bucket:
    """The place for one store's files in a bucket; nothing is asked of the bucket yet."""
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    endpoint = urlsplit(address.endpoint)
    filesystem = S3FileSystem(
        access_key=credentials.access_key,
        secret_key=credentials.secret_key,
        region=address.region,
        scheme=endpoint.scheme or "https",
        endpoint_override=endpoint.netloc or None,
        connect_timeout=CONNECT_SECONDS,
        request_timeout=REQUEST_SECONDS,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        allow_delayed_open=True,
        tls_ca_file_path=address.ca or None,
    )
    return Bucket(ArrowFSWrapper(filesystem, skip_instance_cache=True), f"{address.root}/{folder}")


def read_address(url: str) -> Address:
    """The parts of a bucket's address; raises SettingError where it is none, or goes over a network in clear."""
    parts = urlsplit(url)
    told = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme != "s3" or not parts.netloc or "@" in parts.netloc or not told.keys() <= set(QUERY):
        raise SettingError(
            "files_url is no address of a bucket.", code="bucket-address",
            next_step="Write s3://BUCKET/PREFIX?endpoint=https://HOST:PORT&region=NAME, without keys in it.",
        )  # fmt: skip
    endpoint = urlsplit(told.get("endpoint", "https:"))
    if endpoint.scheme != "https" and (endpoint.scheme != "http" or endpoint.hostname not in LOOPBACK):
        raise SettingError(
            "The bucket's endpoint is not https.", code="bucket-plain", next_step="Name its https address in files_url."
        )
    return Address(
        parts.netloc, parts.path.strip("/"), told.get("endpoint", ""), told.get("region", REGION), told.get("ca", "")
    )


def read_credentials(path: Path) -> Credentials:
    """An access key and its secret from a file of mode 0600: JSON, `{"access_key": ..., "secret_key": ...}`."""
    try:
        is_open = path.stat().st_mode & 0o077
        told = json.loads(path.read_text("utf-8"))
        found = Credentials(str(told["access_key"]), str(told["secret_key"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingError(
            "The file of the bucket's keys is missing or is not of its form.", code="bucket-keys",
            next_step='Write {"access_key": "...", "secret_key": "..."} into it, mode 0600, owner the role\'s user.',
        ) from error  # fmt: skip
    if is_open:
        raise SettingError(
            "The file of the bucket's keys can be read by others.", code="bucket-keys", next_step="chmod 0600 it."
        )
    return found


@contextmanager
def _telling() -> Iterator[None]:
    """What the bucket's client says in one of our errors; what is not there stays FileNotFoundError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        said = str(error)
        if "NO_SUCH_BUCKET" in said:
            raise SettingError(
                "There is no such bucket.", code="bucket-missing", next_step="Make it, or mend files_url."
            ) from error
        if any(mark in said for mark in WRONG_KEY):
            raise SettingError(
                "The bucket refuses this role's keys.", code="bucket-refused",
                next_step="Mend the file that files_keys names, or what its key may do: list, read, write, delete.",
            ) from error  # fmt: skip
        raise Unavailable("The bucket does not answer.", code="bucket-unreachable") from error
