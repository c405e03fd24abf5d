"""Of two states of a group, what neither of them tells: where two stricter rules meet."""

import pytest

from policies.disclosure.standing import Standing, State


@pytest.mark.parametrize(
    ("mine", "other", "told"),
    [
        # Exact here, in a band there.
        ((False, None, (90, 100)), (False, (20, 40), (90, 100)), (False, (20, 40), (90, 100))),
        # The band that holds both.
        ((False, (10, 20), None), (False, (0, 20), None), (False, (0, 20), None)),
        ((False, (0, 100), None), (False, (0, 20), None), (False, (0, 100), None)),
        # Without a coverage, or withheld whole.
        ((False, None, (90, 100)), (False, None, None), (False, None, None)),
        ((False, None, None), (True, None, None), (True, None, None)),
        ((True, None, None), (False, (0, 20), None), (True, None, None)),
    ],
)
def test_no_more_is_told_than_either_tells(mine, other, told) -> None:
    standing = Standing(40, 7, 42)
    standing.state = State(*mine, "coded")

    changed = standing.tell_no_more_than(State(*other, "protective"))

    assert standing.state[:3] == told
    assert changed is (standing.state[:3] != mine)


def test_what_was_released_stays_as_it_is() -> None:
    standing = Standing(40, 7, 42, fixed=True)

    assert not standing.tell_no_more_than(State(True, None, None, "small"))
    assert not standing.hidden
