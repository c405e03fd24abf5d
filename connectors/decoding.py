"""Turns the bytes of a source file into text, or refuses them by name: the first step of the road.

Limits are checked before anything is unpacked or split, so that no file at all can exhaust the machine.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from connectors.errors import FileRefusedError
from policies.rules.rulebook import rulebook

FILE_BYTES_MAX = 1024 * 1024 * 1024
LINE_BYTES_MAX = 1024 * 1024
_PACKED = (b"\x1f\x8b", b"%PDF", b"\xd0\xcf\x11\xe0", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, repr=False)
class SourceText:
    """A file's text and the codes of what was noticed while decoding. Its repr shows no text."""

    text: str
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"SourceText({len(self.text)} characters, notes={self.notes})"


def refuse(code: str, name: str, more: str = "") -> FileRefusedError:
    """The refusal of a file for a rule of the rulebook, in its words."""
    rule = rulebook()[code]
    detail = f" ({more})" if more else ""
    return FileRefusedError(code, f"{name}: {rule.cause}{detail}.", f"{rule.fix}.")


def read_bytes(path: Path) -> bytes:
    """The bytes of a source file; raises FileRefusedError FIL-001 when it is empty, and as raw_bytes does."""
    content = raw_bytes(path)
    if not content.strip():
        raise refuse("FIL-001", path.name)
    return content


def raw_bytes(path: Path) -> bytes:
    """The bytes of a file within the limits; raises FileRefusedError FIL-006, FIL-007 or FIL-008.

    A file that begins with one line longer than any is refused before the rest of it is read.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise refuse("FIL-008", path.name)
        with path.open("rb") as stream:
            begin = stream.read(2 * LINE_BYTES_MAX + 2)
            _check_begin(begin, path.name)
            return begin + stream.read(FILE_BYTES_MAX)
    except OSError:
        raise refuse("FIL-007", path.name) from None


def _check_begin(begin: bytes, name: str) -> None:
    """Raises FileRefusedError FIL-003 or FIL-006 for what can be seen at once; packed files and UTF-16 come later."""
    if begin.startswith((_ZIP, *_PACKED, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return
    if b"\x00" in begin:
        raise refuse("FIL-003", name)
    if len(begin) > 2 * LINE_BYTES_MAX and b"\n" not in begin and b"\r" not in begin:
        raise refuse("FIL-006", name)


def is_workbook(content: bytes) -> bool:
    """Whether the bytes begin like an XLSX workbook (or any zip)."""
    return content.startswith(_ZIP)


def decode(content: bytes, name: str) -> SourceText:
    """The text of the bytes; raises FileRefusedError FIL-003, FIL-006 or FIL-012."""
    if content.startswith(_PACKED) or is_workbook(content):
        raise refuse("FIL-012", name)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded(content, "utf-16", name, notes=())
    if b"\x00" in content:
        raise refuse("FIL-003", name)
    _check_lines(content, name)
    try:
        return SourceText(content.decode("utf-8-sig"), ())
    except UnicodeDecodeError:
        return _decoded(content, "cp1252", name, notes=("FIL-011",))


def _decoded(content: bytes, encoding: str, name: str, *, notes: tuple[str, ...]) -> SourceText:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise refuse("FIL-003", name) from None
    if "\x00" in text or max(map(len, text.splitlines()), default=0) > LINE_BYTES_MAX:
        raise refuse("FIL-003", name)
    return SourceText(text, notes)


def _check_lines(content: bytes, name: str) -> None:
    start = 0
    while len(content) - start > LINE_BYTES_MAX:
        end = start + LINE_BYTES_MAX
        last_break = max(content.rfind(b"\n", start, end), content.rfind(b"\r", start, end))
        if last_break < 0:
            raise refuse("FIL-006", name)
        start = last_break + 1
