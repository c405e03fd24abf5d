"""The encoder gives the vectors that any other encoder is held to, bit for bit."""

from __future__ import annotations

import json

import pytest

from tests.vectors.make_encoding import FILE, PEOPLE, vectors

WRITTEN = json.loads(FILE.read_text("utf-8"))
MADE = json.loads(json.dumps(vectors()))


@pytest.mark.parametrize("part", sorted(WRITTEN.keys() | MADE.keys()))
def test_the_encoder_gives_the_vectors(part: str) -> None:
    assert MADE[part] == WRITTEN[part]


def test_the_vectors_hold_a_row_of_every_view_and_somebody_without_names() -> None:
    assert all(WRITTEN["rows"].values())
    assert any("given" not in person and "surname" not in person for person in PEOPLE)
