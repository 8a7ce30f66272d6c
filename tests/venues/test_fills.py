"""Fills of the simulated venue: by hand, then what must hold for every order."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from podshop.nouns import HOUR_NS
from podshop.venues.simulated.fills import liquidity, slipped_price
from tests.reference import measure


def test_a_fill_by_hand() -> None:
    """1 bp of half-spread and 2 % x sqrt(100 / 10,000) = 20 bps of impact: 21 bps worse, rounded against us."""
    assert slipped_price(1_000_000, 100, 10_000.0, 0.02, 1e-4, 1.0) == 1_002_100
    assert slipped_price(1_000_000, -100, 10_000.0, 0.02, 1e-4, 1.0) == 997_900
    assert slipped_price(1_000_001, 100, 10_000.0, 0.02, 1e-4, 1.0) == 1_002_102
    assert slipped_price(1_000_001, -100, 10_000.0, 0.02, 1e-4, 1.0) == 997_900
    assert slipped_price(1, -100, 10_000.0, 0.02, 1e-4, 1.0) == 1  # nothing is sold for nothing


PRICE, LOTS = st.integers(1, 10**10), st.integers(1, 10**6)


@given(PRICE, LOTS, LOTS, st.floats(0.001, 0.3), st.floats(0.0, 0.01), st.floats(0.0, 3.0))
def test_trading_never_pays_and_more_costs_more(
    reference: int, lots: int, more: int, sigma: float, half_spread: float, impact: float
) -> None:
    def price(size: int) -> int:
        return int(slipped_price(reference, size, 1e6, sigma, half_spread, impact))

    assert price(lots) >= reference >= price(-lots) or reference == 1
    assert price(lots + more) >= price(lots)
    assert price(-lots - more) <= price(-lots)


def test_liquidity_is_a_share_of_the_usual_bar_and_never_beyond_the_collar() -> None:
    """The definitions, cell by cell; where depth or volatility is unknown nothing can be traded."""
    depth = np.array([[24_000.0, 240.0, np.nan, 24_000.0, 0.0]])
    sigma = np.array([[0.02, 0.5, 0.02, np.nan, 0.02]])
    terms = {"participation": 0.1, "collar": 0.01, "half_spread": 1e-4, "impact": 1.0}
    found = liquidity(depth, sigma, HOUR_NS, **terms)[0].tolist()
    expected = [measure.liquidity(d, s, HOUR_NS, 0.1, 0.01, 1e-4, 1.0) for d, s in zip(depth[0], sigma[0], strict=True)]
    assert found == expected == [100, 0, 0, 0, 0]
    assert liquidity(depth, sigma, HOUR_NS, **(terms | {"impact": 0.0}))[0, 0] == 100


@given(st.floats(1e3, 1e9), st.floats(0.005, 0.3), st.floats(0.1, 3.0))
def test_what_liquidity_allows_costs_no_more_than_the_collar(depth: float, sigma: float, impact: float) -> None:
    most = int(
        liquidity(
            np.array([[depth]]), np.array([[sigma]]), 24 * HOUR_NS, participation=1.0, collar=0.01, half_spread=1e-4,
            impact=impact,
        )[0, 0]
    )  # fmt: skip
    if most:
        assert slipped_price(10**9, most, depth, sigma, 1e-4, impact) <= math.ceil(10**9 * 1.01) + 1
