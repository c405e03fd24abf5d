"""Opens what a steward gives, a file, a folder or an archive: one grid or several come of it. First on the road.

A set of files that belong together (OneRoster, School Data Sync, Ed-Fi) is composed to grids of one row a fact; an
archive with a single file is that file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.bundles import edfi, rosters
from connectors.bundles.archive import Bundle, archive_bundle, folder_bundle
from connectors.bundles.edfi_resources import is_edfi
from connectors.decoding import is_workbook, read_bytes, refuse
from connectors.grids import Grid, fixed_grid, grid_of_bytes

_XML = (b"<?xml", b"\xef\xbb\xbf<?xml", b"<Interchange")


def open_source(
    path: Path, *, delimiter: str | None = None, positions: Mapping[str, tuple[int, int]] | None = None
) -> Sequence[Grid]:
    """The grids of a file, folder or archive, at least one; raises FileRefusedError with a rule of family FIL."""
    if path.is_dir():
        return _composed(folder_bundle(path))
    content = read_bytes(path)
    if positions:
        return [fixed_grid(content, path.name, positions)]
    if is_workbook(content):
        bundle = archive_bundle(content, path.name)
        if bundle is not None:
            return _of_archive(bundle, delimiter=delimiter)
    if content.startswith(_XML):
        return _composed(Bundle(path.name, {f"{path.stem}.xml".casefold(): lambda: content}))
    return [grid_of_bytes(content, path.name, delimiter=delimiter)]


def _of_archive(bundle: Bundle, *, delimiter: str | None) -> Sequence[Grid]:
    if len(bundle.files) == 1 and not is_edfi(bundle):
        (name,) = bundle.files
        return [grid_of_bytes(bundle.read(name), f"{bundle.name}/{name}", delimiter=delimiter)]
    return _composed(bundle)


def _composed(bundle: Bundle) -> Sequence[Grid]:
    if rosters.USERS in bundle.files:
        return [rosters.compose(bundle)]
    if is_edfi(bundle):
        return edfi.compose(bundle)
    raise refuse("FIL-018", bundle.name)
