"""Slices, the touch, and what trades beyond it: by hand, and for any numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.execution.pace import next_lots, slice_of, touch_price, trades_beyond
from podshop.maths.compiled import original

LOTS = st.integers(-(10**9), 10**9)
PRICES = st.integers(1, 10**12)


def slices(want: int, urgency: int) -> list[int]:
    """What is taken in each cycle until nothing is left."""
    taken = []
    while want:
        taken.append(int(slice_of(want, len(taken), urgency)))
        want -= taken[-1]
    return taken


def test_slices_by_hand() -> None:
    assert slices(10, 4) == [3, 3, 2, 2]
    assert slices(3, 5) == [1, 1, 1]
    assert slices(7, 1) == [7]
    assert slices(0, 4) == []


@given(st.integers(1, 10**9), st.integers(1, 500))
def test_slices_are_even_and_in_time(want: int, urgency: int) -> None:
    taken = slices(want, urgency)
    assert sum(taken) == want
    assert len(taken) == min(want, urgency)
    assert max(taken) - min(taken) <= 1
    assert taken == sorted(taken, reverse=True)


def test_rounding_slices_down_would_be_late() -> None:
    """The mutant: with floor instead of ceil, three lots in five cycles all wait for the last."""

    def down(want: int, age: int, urgency: int) -> int:
        return want // max(urgency - age, 1)

    assert [down(3, age, 5) for age in range(4)] == [0, 0, 1, 1]
    assert [int(slice_of(3, 0, 5)), int(slice_of(2, 1, 5)), int(slice_of(1, 2, 5))] == [1, 1, 1]


@given(LOTS, LOTS, st.integers(0, 100), st.integers(1, 100))
def test_a_slice_never_passes_the_wish_and_always_moves(lots: int, wished: int, age: int, urgency: int) -> None:
    new = int(next_lots(lots, wished, age, urgency))
    assert min(lots, wished) <= new <= max(lots, wished)
    assert (new == lots) == (lots == wished)
    if age >= urgency - 1:
        assert new == wished
    assert new - lots == -(int(next_lots(-lots, -wished, age, urgency)) + lots)  # buying and selling alike


@pytest.mark.parametrize(
    ("reference", "half_spread", "bid", "ask"),
    [(1_000_000, 0.001, 999_000, 1_001_000), (999_999, 0.001, 998_999, 1_000_999), (7, 0.0, 7, 7), (1, 0.5, 1, 2)],
)
def test_the_touch_by_hand(reference: int, half_spread: float, bid: int, ask: int) -> None:
    assert (touch_price(reference, 1, half_spread), touch_price(reference, -1, half_spread)) == (bid, ask)


@given(PRICES, st.floats(0.0, 0.02))
def test_the_touch_is_never_better_for_the_other_side_than_the_mid(reference: int, half_spread: float) -> None:
    bid, ask = int(touch_price(reference, 5, half_spread)), int(touch_price(reference, -5, half_spread))
    assert 1 <= bid <= reference <= ask
    assert bid == max(1, math.floor(reference * (1.0 - half_spread)))
    assert ask == math.ceil(reference * (1.0 + half_spread))


@pytest.mark.parametrize(
    ("side", "low", "high", "beyond"),
    [
        (1, 100, 120, False),  # a touch
        (1, 99, 100, True),
        (1, 0, 0, False),  # the bar did not trade
        (1, 101, 500, False),
        (-1, 80, 100, False),
        (-1, 100, 101, True),
        (-1, 0, 0, False),
        (-9, 1, 99, False),
    ],
)
def test_a_touch_is_no_fill(side: int, low: int, high: int, beyond: bool) -> None:
    assert trades_beyond(side, 100, low, high) is beyond


@given(st.sampled_from((1, -1)), PRICES, PRICES, PRICES)
def test_beyond_is_strict(side: int, limit: int, one: int, other: int) -> None:
    low, high = min(one, other), max(one, other)
    assert bool(trades_beyond(side, limit, low, high)) == (low < limit if side > 0 else high > limit)
    assert not trades_beyond(side, limit, limit, limit)


@given(LOTS, LOTS, st.integers(0, 50), st.integers(1, 50), PRICES, st.floats(0.0, 0.02))
def test_the_plain_originals_agree(
    lots: int, wished: int, age: int, urgency: int, price: int, half_spread: float
) -> None:
    assert original(slice_of)(abs(lots), age, urgency) == slice_of(abs(lots), age, urgency)
    assert touch_price.py_func(price, lots, half_spread) == touch_price(price, lots, half_spread)  # type: ignore[attr-defined]
