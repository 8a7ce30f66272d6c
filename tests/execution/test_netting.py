"""From wishes to one order per market: the cap, and who gives way to it."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from podshop.execution.netting import cap_bound, cap_lots, wishes_within_cap

LOTS = st.integers(-(10**6), 10**6)


def within(wished: list[int], held: list[int], cap: int) -> tuple[list[int], int, int, int]:
    """(change each book wishes, bought, sold, net wished before the cap) in the second of two markets."""
    want = np.zeros((2, len(wished)), np.int64)
    lots = np.array([[7] * len(held), held], np.int64)
    found = wishes_within_cap(np.array([[9] * len(held), wished], np.int64), lots, 1, sum(held), cap, want)
    assert not want[0].any()
    return (want[1].tolist(), *map(int, found))


def test_by_hand() -> None:
    """Cap 50: +90 +30 against -20 is net 100, so the buyers get 70 / 120 of theirs."""
    change, buys, sells, target = within([90, 30, -20], [0, 0, 0], 50)
    assert change == [math.trunc(90 * (70 / 120)), math.trunc(30 * (70 / 120)), -20]
    assert (buys, sells, target) == (69, 20, 100)
    assert within([90, 30, -20], [0, 0, 0], 100)[0] == [90, 30, -20]
    assert within([-90, -30, 20], [0, 0, 0], 50)[0] == [-52, -17, 20]
    assert within([0, 0], [5, -5], 0)[0] == [-5, 5]


@given(st.lists(st.tuples(LOTS, LOTS), min_size=1, max_size=8), st.integers(0, 10**6))
def test_the_net_stays_within_the_bound_and_only_the_majority_gives_way(books: list[tuple[int, int]], cap: int) -> None:
    wished, held = (list(column) for column in zip(*books, strict=True))
    change, buys, sells, target = within(wished, held, cap)
    after = [p + d for p, d in zip(held, change, strict=True)]
    bound = cap_bound(sum(held), sum(wished), cap)
    assert target == sum(wished)
    assert buys - sells == sum(change)
    assert buys == sum(max(d, 0) for d in change)
    assert abs(sum(after)) <= max(bound, 0) or abs(sum(wished)) <= bound or sum(after) * target < 0
    assert sum(after) * target >= -len(books) * abs(target)  # truncation may turn it, by less than a lot a book
    for wish, got in zip(wished, after, strict=True):
        if wish * target <= 0 or abs(target) <= bound:
            assert got == wish
        else:
            assert 0 <= got * (1 if wish > 0 else -1) <= abs(wish)


@given(LOTS, LOTS, st.integers(0, 10**6))
def test_what_is_held_may_stay_until_it_has_drifted_by_a_quarter(held: int, target: int, cap: int) -> None:
    bound = int(cap_bound(held, target, cap))
    assert bound in (cap, abs(held))
    assert bound >= cap
    assert bound == cap or (held * target > 0 and abs(held) <= 1.25 * cap)


def test_the_cap_in_lots_is_rounded_down() -> None:
    assert cap_lots(0.05, 100_000_000_000, 3_333_333) == 1500
    assert cap_lots(0.05, 100_000_000_000, 3_333_334) == 1499
    assert cap_lots(0.05, -1, 3_333_334) == 0
