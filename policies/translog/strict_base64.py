"""Base64 as the log's formats use it: standard alphabet, and one spelling only for the same bytes (RFC 4648 s. 3.5)."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode


def encoded(content: bytes) -> str:
    return b64encode(content).decode()


def decoded(text: str) -> bytes | None:
    """The bytes, or None where the text is no base64 or spells its bytes in another way than `encoded` does."""
    try:
        content = b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if encoded(content) == text else None
