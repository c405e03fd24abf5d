"""What a hub compiles beforehand is all that a run calls by itself."""

from __future__ import annotations

from linkage.match import competition, joining, kernel, row_kernel
from linkage.match.readiness import compile_kernels
from tests.property.linkage.test_a_change_is_a_run_from_nothing import Hub, rosters

MODULES = (competition, joining, kernel, row_kernel)


def compiled() -> dict[str, tuple[object, ...]]:
    return {
        f"{module.__name__}.{name}": tuple(one.signatures)
        for module in MODULES
        for name, one in vars(module).items()
        if hasattr(one, "nopython_signatures")
    }


def test_after_compiling_a_run_compiles_nothing_more() -> None:
    compile_kernels()
    before = compiled()

    Hub().change(rosters(3, crowded=True), ())

    assert len(before) >= 15
    assert compiled() == before
