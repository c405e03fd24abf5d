"""Names of tiles (C2SP tlog-tiles): how a log is read as static files of 256 hashes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from policies.translog.errors import TileError
from policies.translog.merkle import NodeReader

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
LEVEL_MAX = 7  # tiles of level 8 would begin above 2^64 entries
_INDEX = re.compile(r"(?:x[0-9]{3}/){0,5}[0-9]{3}")


@dataclass(frozen=True)
class Tile:
    """One tile: level in tiles, place in its level, and how many hashes it holds."""

    level: int
    index: int
    width: int = TILE_WIDTH

    def path(self) -> str:
        """`<level>/<index>[.p/<width>]`, as it stands behind `tile/`."""
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"{self.level}/{index_path(self.index)}{partial}"


def index_path(index: int) -> str:
    """The index in groups of three digits, all but the last after an x: 1234067 is x001/x234/067."""
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03d}")
    return "/".join(groups)


def read_index(path: str) -> int:
    """The index of such a path; raises TileError where another path names the same index."""
    index = int(path.replace("/", "").replace("x", "")) if _INDEX.fullmatch(path) else -1
    if index < 0 or index_path(index) != path:
        raise TileError("the tile's index is not written in groups of three digits")
    return index


def read_tile(path: str) -> Tile:
    """The tile of `<level>/<index>[.p/<width>]`; raises TileError."""
    level, _, rest = path.partition("/")
    index, partial, width = rest.partition(".p/")
    plain = re.fullmatch(r"[0-9]|[1-5][0-9]|6[0-3]", level) and (not partial or re.fullmatch(r"[1-9][0-9]{0,2}", width))
    if not plain or (partial and int(width) >= TILE_WIDTH):
        raise TileError("there is no tile of this name")
    return Tile(int(level), read_index(index), int(width) if partial else TILE_WIDTH)


def tiles_of(size: int) -> tuple[Tile, ...]:
    """Every tile of a log of this size, full ones first, level by level."""
    found: list[Tile] = []
    level = 0
    while size:
        found += [Tile(level, index) for index in range(size // TILE_WIDTH)]
        if size % TILE_WIDTH:
            found.append(Tile(level, size // TILE_WIDTH, size % TILE_WIDTH))
        level, size = level + 1, size // TILE_WIDTH
    return tuple(found)


def tile_content(tile: Tile, size: int, *, read: NodeReader) -> bytes:
    """The hashes of a tile of a log of this size, joined; raises TileError where the log does not reach so far."""
    first = tile.index * TILE_WIDTH
    if tile.level > LEVEL_MAX or first + tile.width > size >> (TILE_HEIGHT * tile.level):
        raise TileError("the log does not reach so far")
    height = TILE_HEIGHT * tile.level
    return b"".join(read(height, first + offset) for offset in range(tile.width))
