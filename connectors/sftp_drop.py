"""An SFTP server inside the district whose accounts can only lay files into the watched folder (asyncssh).

    sftp/host.key             the server's key, made at the first start
    sftp/accounts/NAME.pub    one OpenSSH public key an account; no passwords

No shell, no forwarding, no listing, no reading back, no removing. A file is hidden until its writer closes it, so that
the watched folder never sees half of one.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import asyncssh

from connectors.arrivals import drop_folder, is_unfinished
from connectors.errors import WorkspaceError
from connectors.workspace import Workspace

FOLDER, ACCOUNTS, HOST_KEY = "sftp", "accounts", "host.key"
FILE_BYTES_MAX = 1024**3
"""As large as a source file may be (docs/edge.md)."""
FILES_OPEN_MAX, FILES_MAX = 8, 500
CONNECTIONS_MAX = 20
LOGIN_SECONDS = 30
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_YEAR = re.compile(r"[12]\d{3}", re.ASCII)
_NAME_BYTES_MAX = 200


@dataclass
class Incoming:
    """A file that is being written: hidden until it is closed."""

    handle: int
    hidden: Path
    target: Path
    whole: bool = True


class DropServer(asyncssh.SFTPServer):
    """One connection's view: one folder that it may write to and not look into."""

    def __init__(self, chan: asyncssh.SSHServerChannel[bytes], drop: Path) -> None:
        super().__init__(chan, chroot=os.fsencode(drop))
        self._drop, self._open, self._files, self._ended = drop, 0, 0, False

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """A new file; refused for reading, appending, and names that are no plain ones."""
        if pflags & (asyncssh.FXF_READ | asyncssh.FXF_APPEND) or not pflags & asyncssh.FXF_WRITE:
            _refuse()
        if self._open >= FILES_OPEN_MAX or self._files >= FILES_MAX:
            raise asyncssh.SFTPFailure("too many files in one connection")
        target = self._target(path)
        if target.is_dir():
            _refuse()
        target.parent.mkdir(exist_ok=True, mode=0o700)
        hidden = target.with_name(f".{secrets.token_hex(8)}.part")
        handle = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        self._open, self._files = self._open + 1, self._files + 1
        return Incoming(handle, hidden, target)

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        incoming = _incoming(file_obj)
        if offset + len(data) > FILE_BYTES_MAX:
            incoming.whole = False
            raise asyncssh.SFTPFailure("the file is too large")
        os.lseek(incoming.handle, offset, os.SEEK_SET)
        view = memoryview(data)
        while view:
            view = view[os.write(incoming.handle, view) :]
        return len(data)

    def close(self, file_obj: object) -> None:
        """The file is there under its name, whole, in the next turn of the loop: asyncssh also closes what is open
        when a connection is cut, and tells that the connection ended in the same turn."""
        incoming = _incoming(file_obj)
        self._open -= 1
        os.fsync(incoming.handle)
        os.close(incoming.handle)
        asyncio.get_running_loop().call_soon(self._finish, incoming)

    def _finish(self, incoming: Incoming) -> None:
        if incoming.whole and not self._ended:
            incoming.hidden.replace(incoming.target)
        else:
            incoming.hidden.unlink(missing_ok=True)

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Clients that write under a name of unfinished files may give the real one; nothing else is renamed."""
        source, target = self._target(oldpath), self._target(newpath)
        if not is_unfinished(source.name) or not source.is_file():
            _refuse()
        source.replace(target)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        self.rename(oldpath, newpath)

    def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """Folders are there, files are not: nothing tells what lies in the drop."""
        name = path.strip(b"/.")
        if not name or _YEAR.fullmatch(os.fsdecode(name)):
            return asyncssh.SFTPAttrs(permissions=0o40300, size=0)
        raise asyncssh.SFTPNoSuchFile("there is none")

    lstat = stat

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Times and modes that a client wishes for are not kept."""

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        """The same."""

    def _refused(self, *_: object, **__: object) -> NoReturn:
        _refuse()

    open56 = read = scandir = remove = mkdir = rmdir = readlink = symlink = link = _refused
    lsetstat = statvfs = fstatvfs = lock = unlock = fstat = _refused

    def exit(self) -> None:
        """The connection ended: what is not closed yet was cut off, and is not taken."""
        self._ended = True

    def _target(self, path: bytes) -> Path:
        """The place in the drop of NAME or YEAR/NAME; SFTPPermissionDenied for any other."""
        parts = os.fsdecode(path).strip("/").split("/")
        name = parts[-1]
        plain = 0 < len(os.fsencode(name)) <= _NAME_BYTES_MAX and name.isprintable() and "\\" not in name
        if not plain or name.startswith((".", "~")) or ":" in name or len(parts) > 2:
            _refuse()
        if len(parts) == 2 and not _YEAR.fullmatch(parts[0]):
            _refuse()
        return self._drop.joinpath(*parts)


class DropDoor(asyncssh.SSHServer):
    """Lets in whoever holds the key of an account; there are no passwords."""

    def __init__(self, accounts: Path) -> None:
        self._accounts = accounts

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        if _ACCOUNT.fullmatch(username) is None:
            return False
        try:
            known = asyncssh.read_public_key(self._accounts / f"{username}.pub")
        except (OSError, asyncssh.KeyImportError):
            return False
        return known.public_data == key.public_data


async def serve_drop(workspace: Workspace, *, host: str, port: int) -> asyncssh.SSHAcceptor:
    """The listening server; it runs until it is closed. Port 0 takes a free one."""
    drop = drop_folder(workspace)
    drop.mkdir(exist_ok=True, mode=0o700)
    _clear_cut_off(drop)
    return await asyncssh.create_server(
        lambda: DropDoor(accounts_folder(workspace)),
        host,
        port,
        server_host_keys=[_host_key(workspace)],
        sftp_factory=lambda chan: DropServer(chan, drop),
        allow_scp=False,
        allow_pty=False,
        agent_forwarding=False,
        x11_forwarding=False,
        server_version="promise-edge",
        login_timeout=LOGIN_SECONDS,
        keepalive_interval=60,
        password_auth=False,
        kbdint_auth=False,
        backlog=CONNECTIONS_MAX,
    )


def accounts_folder(workspace: Workspace) -> Path:
    return workspace.folder / FOLDER / ACCOUNTS


def add_account(workspace: Workspace, name: str, public_key: Path) -> str:
    """Lets the holder of a key in under this name; its fingerprint. Raises WorkspaceError EDGE-045."""
    try:
        key = asyncssh.read_public_key(public_key)
    except (OSError, asyncssh.KeyImportError):
        key = None
    if key is None or _ACCOUNT.fullmatch(name) is None:
        raise WorkspaceError(
            "EDGE-045", "The account's name or key cannot be used.", "Give a-z, 0-9 and -, and an OpenSSH public key."
        )
    folder = accounts_folder(workspace)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key.write_public_key(folder / f"{name}.pub")
    return str(key.get_fingerprint())


def _host_key(workspace: Workspace) -> Path:
    path = workspace.folder / FOLDER / HOST_KEY
    path.parent.mkdir(exist_ok=True, mode=0o700)
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
    return path


def _clear_cut_off(drop: Path) -> None:
    """Removes what earlier connections left when this server was killed."""
    for path in (*drop.glob(".*.part"), *drop.glob("[12][0-9][0-9][0-9]/.*.part")):
        path.unlink(missing_ok=True)


def _incoming(file_obj: object) -> Incoming:
    if not isinstance(file_obj, Incoming):
        _refuse()
    return file_obj


def _refuse() -> NoReturn:
    raise asyncssh.SFTPPermissionDenied("only new files may be laid in here")
