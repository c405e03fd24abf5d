"""What a submission draws for itself (dummies, the order of its rows, nonces), out of the provider's own key and of the
roster that is encoded: at the edge, between minimisation and the encoder.

The same roster prepared again has the same dummies in the same places, so that whoever holds both submissions cannot
tell children from dummies by what stands in both; a roster in which one thing changed draws everything anew. Without
the key the draws cannot be foreseen (docs/decisions/0024).
"""

from __future__ import annotations

import hashlib
import hmac
from operator import attrgetter
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connectors.assembly import Assembly
from connectors.keystore import ReferenceKey
from linkage.encode.person import ClearPerson, SpanFacts
from policies.submission import canonical_json

_PURPOSE = b"promise-preparation/1"
_PERSON = attrgetter(*ClearPerson.__slots__)
_STAY = attrgetter("local_record", "school_year", "grade", "full_time", "start_month", "end_month")


def draws_of(key: ReferenceKey, assembly: Assembly, *, epoch: int, schema_hash: str) -> np.random.Generator:
    """The generator of one roster of one epoch: the same for the same people and stays, in their order.

    Facts and findings are no part of it: a correction of facts alone leaves the roster's draws as they were.
    """
    drawing = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.content)
    place = [assembly.provider, assembly.kind, assembly.school_year, epoch, schema_hash]
    people: list[Any] = [_PERSON(person) for person in assembly.people]
    stays: list[Any] = [(span.reference.hex(), *_stay(span)) for span in assembly.spans]
    seed = hmac.digest(drawing, canonical_json([place, people, stays]), hashlib.sha256)
    return np.random.default_rng(int.from_bytes(seed, "little"))


def _stay(span: SpanFacts) -> tuple[Any, ...]:
    stated: tuple[Any, ...] = _STAY(span)
    return stated
