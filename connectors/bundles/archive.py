"""A folder or zip archive of source files as one thing: names and bytes, within limits, before anything is composed.

A zip bomb, a nested archive or a folder of a million files is refused by name; nothing is unpacked to disk.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from connectors.decoding import FILE_BYTES_MAX, raw_bytes, refuse

MEMBERS_MAX = 500
UNPACKED_BYTES_MAX = 512 * 1024 * 1024
RATIO_MAX = 200
"""Text packs five to twenty times; what unpacks to more than this is no source file."""
RATIO_BYTES_MIN = 16 * 1024 * 1024
WORKBOOK_MEMBER = "xl/workbook.xml"


@dataclass(frozen=True, repr=False)
class Bundle:
    """Files that belong together, by their names in small letters; contents are read when asked for."""

    name: str
    files: Mapping[str, Callable[[], bytes]]

    def __repr__(self) -> str:
        return f"Bundle({self.name!r}, {len(self.files)} files)"

    def read(self, name: str) -> bytes:
        """The bytes of one file; raises FileRefusedError FIL-013 where the archive is broken."""
        return self.files[name]()


def folder_bundle(folder: Path) -> Bundle:
    """The files of a folder, hidden ones and folders in it left out; raises FileRefusedError FIL-007 or FIL-018."""
    try:
        paths = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
        size = sum(path.stat().st_size for path in paths)
    except OSError:
        raise refuse("FIL-007", folder.name) from None
    if not paths or len(paths) > MEMBERS_MAX:
        raise refuse("FIL-018", folder.name)
    if size > FILE_BYTES_MAX:
        raise refuse("FIL-008", folder.name)
    return Bundle(folder.name, {path.name.casefold(): partial(raw_bytes, path) for path in paths})


def archive_bundle(content: bytes, name: str) -> Bundle | None:
    """The files of a zip archive, or None when it is a workbook; raises FileRefusedError FIL-012 or FIL-013."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError):
        raise refuse("FIL-013", name) from None
    check_sizes(members, name=name)
    if any(info.filename == WORKBOOK_MEMBER for info in members):
        return None
    own = {_base_name(info): info for info in members if _is_source(info)}
    if not own or len(own) > MEMBERS_MAX:
        raise refuse("FIL-012", name)
    return Bundle(name, {member: partial(_member, archive, info, name) for member, info in own.items()})


def check_sizes(members: list[zipfile.ZipInfo], *, name: str) -> None:
    """Raises FileRefusedError FIL-013 when the members unpack to more than the limit, or far more than they weigh."""
    unpacked = sum(info.file_size for info in members)
    packed = sum(info.compress_size for info in members)
    if unpacked > UNPACKED_BYTES_MAX or unpacked > max(RATIO_BYTES_MIN, packed * RATIO_MAX):
        raise refuse("FIL-013", name)


def _base_name(info: zipfile.ZipInfo) -> str:
    """The name without folders, in small letters; signs that no screen shows are replaced, since names are told."""
    name = PurePosixPath(info.filename.replace("\\", "/")).name.casefold()
    return "".join(sign if sign.isprintable() else "?" for sign in name)


def _is_source(info: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(info.filename.replace("\\", "/")).parts
    return bool(parts) and not parts[-1].startswith(".") and "__MACOSX" not in parts


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> bytes:
    try:
        return archive.read(info)
    except Exception:  # a foreign format under a foreign password or method: whatever it raises means not readable
        raise refuse("FIL-013", name) from None
