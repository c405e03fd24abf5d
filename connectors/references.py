"""Record references: what the hub knows a student of one provider by. Meaningless to anybody without the local key.

HMAC-SHA-256 (RFC 2104) under a key that never leaves the provider, over the local student number; 16 bytes of it.
"""

from __future__ import annotations

import hashlib
import hmac

from connectors.keystore import ReferenceKey

REFERENCE_BYTES = 16


def record_reference(key: ReferenceKey, local_id: str) -> bytes:
    """The reference of a local student number: stable over years and epochs."""
    return hmac.digest(key.content, local_id.encode("utf-8"), hashlib.sha256)[:REFERENCE_BYTES]
