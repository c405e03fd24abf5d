"""The inbox: chunks of submissions that are being received or checked, one folder a submission.

Rows and spans lie as the edge sealed them. Facts come in clear over the wire, are checked at once, and are
sealed by the API to the resolver before they touch the disk, so that nothing in the inbox can be read by the API.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from hub.errors import StoreError
from hub.files import sync_folder, write_file


class Inbox:
    """Chunks by submission and SHA-256 of the bytes as they were sent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, submission: str, sha256: str, content: bytes) -> None:
        """Keep a chunk whole or not at all; its name is made safe against a power cut by `secure`."""
        write_file(self._folder / submission / sha256, content)

    def has(self, submission: str, sha256: str) -> bool:
        return (self._folder / submission / sha256).is_file()

    def get(self, submission: str, sha256: str) -> bytes:
        path = self._folder / submission / sha256
        if not path.is_file():
            raise StoreError("A received chunk is missing from the inbox.", code="chunk-missing")
        return path.read_bytes()

    def secure(self, submission: str) -> None:
        """Bring the names of a submission's chunks to the disk before its commit is promised."""
        folder = self._folder / submission
        if folder.is_dir():
            sync_folder(folder)

    def clear(self, submission: str) -> None:
        """Remove all that a submission left here; again is nothing."""
        shutil.rmtree(self._folder / submission, ignore_errors=True)
