"""The page of the results API names every route, every column and every code."""

import re
from pathlib import Path

import hub.release
from hub.release.routes import router
from hub.release.slices import PublishedCell

ROOT = Path(hub.release.__path__[0])
PAGE = (ROOT.parents[1] / "docs" / "api.md").read_text("utf-8")


def test_every_route_of_results_is_described() -> None:
    paths = {route.path for route in router.routes if hasattr(route, "path")}

    assert paths
    assert not sorted(path for path in paths if f"`{path}`" not in PAGE and f"GET {path}`" not in PAGE)


def test_every_code_of_an_error_is_described() -> None:
    sources = [file.read_text("utf-8") for file in sorted(ROOT.glob("*.py"))]
    codes = {code for text in sources for code in re.findall(r'code="([a-z-]+)"', text)}

    assert len(codes) > 10
    assert not sorted(code for code in codes if f"`{code}`" not in PAGE)


def test_every_column_of_a_row_is_described() -> None:
    cell = PublishedCell("i", 2026, "final", 0, "total", {}, *(None,) * 8, "C", "", "1")

    assert not [column for column in cell.row("release") if column not in PAGE]
