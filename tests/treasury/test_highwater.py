"""Gains above the mark are not risked until somebody asks; losses are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from podshop.treasury.highwater import base_micro, high_water, uncompounded

MONEY = st.integers(0, 10**15)


def test_a_fund_that_doubles_risks_the_same_dollars_until_asked() -> None:
    mark, nav, held = 100_000_000, 100_000_000, []
    for day in range(60):
        mark = high_water(mark, nav, asked=day == 40)
        capital = float(uncompounded(np.array([0.8]), nav, mark)[0]) * nav
        held.append(capital)
        nav += int(capital * 0.02)
    assert np.ptp(held[:40]) < 1e-3
    assert held[0] == 80_000_000
    assert held[40] > 1.5 * held[39]
    assert np.ptp(held[40:]) < 1e-3


def test_a_fund_that_lost_works_with_what_it_has() -> None:
    assert base_micro(70, 100) == 70
    assert uncompounded(np.array([0.3, 0.7]), 70, 100).tolist() == [0.3, 0.7]


@given(mark=MONEY, before=MONEY, moved=st.integers(-(10**14), 10**14), asked=st.booleans())
def test_only_asking_lets_gains_be_risked(mark: int, before: int, moved: int, asked: bool) -> None:
    nav = before + moved
    if nav < 0:
        return
    after = high_water(mark, nav, moved, asked=asked)
    assert after >= 0
    free = max(0, before - mark)  # what stood above the mark
    if moved >= 0 and not asked:
        assert max(0, nav - after) == free  # a deposit is at risk at once, what was above stays above
    if moved < 0 and not asked:
        assert after <= mark
        assert max(0, nav - after) == max(0, free + moved)
    if asked:
        assert base_micro(nav, after) == nav


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=5), st.integers(1, 10**15), st.integers(1, 10**15))
def test_books_never_share_more_than_the_base(weights: list[float], nav: int, mark: int) -> None:
    given = uncompounded(np.array(weights), nav, mark)
    assert (given <= np.array(weights)).all()
    assert given.sum() * nav <= base_micro(nav, mark) * (1 + 1e-12)
