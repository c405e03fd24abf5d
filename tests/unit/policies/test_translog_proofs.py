"""Proofs and tiles: written, read back, and refused where they do not hold."""

import pytest

from policies.translog import merkle
from policies.translog.errors import (
    ProofError,
    TileError,
)
from policies.translog.proof import TlogProof, check_proof, read_proof
from policies.translog.tiles import Tile, index_path, read_index, read_tile, tile_content, tiles_of
from tests.unit.policies.made_up_log import LOG, leaves_of, note_of, tree


@pytest.mark.parametrize("size", [1, 2, 5, 8, 13])
def test_a_proof_is_written_read_back_and_holds(size):
    leaves = leaves_of(size)
    path = merkle.inclusion_proof(size // 2, size, read=tree(leaves)[1])
    text = TlogProof(size // 2, tuple(path), note_of(leaves)).written()

    proof = read_proof(text)

    assert proof.written() == text
    assert check_proof(proof, leaves[size // 2], LOG).size == size
    with_extra = text.replace("@v1\n", "@v1\nextra AAAA\n")
    assert read_proof(with_extra) == proof


@pytest.mark.parametrize(
    "text",
    ["", "c2sp.org/tlog-proof@v1\n\n", "c2sp.org/tlog-proof@v1\nindex 01\n\nx", "c2sp.org/tlog-proof@v1\nindex x\n\nx",
     "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx", "other\nindex 1\n\nx"],
)  # fmt: skip
def test_what_is_no_proof_is_refused(text):
    with pytest.raises(ProofError) as refused:
        read_proof(text)

    assert refused.value.code == "PROOF-002"


def test_tiles_are_named_and_filled_as_the_specification_says():
    counted = tiles_of(70_000)

    assert index_path(1_234_067) == "x001/x234/067"
    assert read_index("x001/x234/067") == 1_234_067
    assert sum(tile.level == 0 and tile.width == 256 for tile in counted) == 273
    assert [tile.path() for tile in counted if tile.width < 256] == ["0/273.p/112", "1/001.p/17", "2/000.p/1"]
    assert [tile.path() for tile in tiles_of(256)] == ["0/000", "1/000.p/1"]
    assert all(read_tile(tile.path()) == tile for tile in counted)


@pytest.mark.parametrize(
    "path",
    ["", "0", "0/1", "0/0001", "64/000", "01/000", "0/x000/001", "0/000.p/0", "0/000.p/256", "0/000.p/", "0/abc"],
)
def test_a_path_that_names_no_tile_is_refused(path):
    with pytest.raises(TileError):
        read_tile(path)


def test_a_tile_holds_the_hashes_of_its_range_and_nothing_beyond_the_log():
    leaves = leaves_of(250) + leaves_of(50, salt=b"more")
    read = tree(leaves)[1]

    assert tile_content(Tile(0, 1, 44), 300, read=read) == b"".join(leaves[256:])
    assert tile_content(Tile(1, 0, 1), 300, read=read) == merkle.root_of(leaves[:256])
    for beyond in (Tile(0, 1), Tile(2, 0, 1), Tile(9, 0, 1)):
        with pytest.raises(TileError):
            tile_content(beyond, 300, read=read)
