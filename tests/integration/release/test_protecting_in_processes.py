"""Groups of blocks that are independent may be protected in several processes: what comes out is the same."""

from hub.release.processes import processes_for
from policies.disclosure.engine import protect
from policies.disclosure.types import Rules
from tests.bench.disclosure import small_county


def test_several_processes_protect_as_one_does_and_every_release_after_it_too():
    blocks = [small_county(seed, complete=True, people=60) for seed in (3, 4)]
    one = protect(blocks, rules=Rules())

    with processes_for(blocks, cells_min=0) as each:
        several = protect(blocks, rules=Rules(), each=each)
        again = protect(blocks, rules=Rules(), ledger=one.cells, each=each)

    assert several.cells == one.cells
    assert several.verdict.reasons == one.verdict.reasons
    assert again.cells == one.cells


def test_little_is_protected_in_this_process_alone():
    with processes_for([small_county(3)]) as each:
        assert each is map
