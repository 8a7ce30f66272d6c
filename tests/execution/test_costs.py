"""Expected cost and edge, by hand: a mandate's own style, its slices, funding on either side, and what is unknown."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.execution.costs import expected_edge, one_way, round_trip
from podshop.maths.compiled import original
from podshop.nouns.verdict import MAKER, TAKER, TWAP

SPREAD, TAKES, MAKES, IMPACT = 2e-4, 4.5e-4, 1.5e-4, 0.5
SIGMA, DEPTH = 0.04, 10_000.0


def way(style: int, lots: int, urgency: int = 1, impact: float = IMPACT) -> float:
    return float(one_way(style, lots, urgency, SIGMA, DEPTH, SPREAD, TAKES, MAKES, impact))


def test_a_taker_pays_spread_fee_and_the_root_of_its_size() -> None:
    """100 of 10,000 lots a day: a tenth of half a day's volatility, 20 bps; with 2 and 4.5 bps 26.5."""
    assert way(TAKER, 100) == pytest.approx(26.5e-4, rel=1e-12)
    assert way(TAKER, 400) == pytest.approx(46.5e-4, rel=1e-12)


def test_a_twap_pays_the_impact_of_one_slice() -> None:
    """400 lots in 4 cycles move the price as 100 do; 401 as ceil(401 / 4) = 101."""
    assert way(TWAP, 400, 4) == way(TAKER, 100)
    assert way(TWAP, 401, 4) == way(TAKER, 101)
    assert way(TWAP, 400, 1) == way(TAKER, 400)
    assert way(TAKER, 400, 4) == way(TAKER, 400)


def test_a_maker_pays_its_fee_and_counts_the_spread_it_earns_as_given_back() -> None:
    assert way(MAKER, 100) == way(MAKER, 10**6) == SPREAD + MAKES


def test_without_impact_nothing_has_to_be_known_of_the_market() -> None:
    assert one_way(TAKER, 100, 1, math.nan, math.nan, SPREAD, TAKES, MAKES, 0.0) == SPREAD + TAKES
    assert math.isnan(one_way(TAKER, 100, 1, math.nan, DEPTH, SPREAD, TAKES, MAKES, IMPACT))


@given(st.integers(0, 10**6), st.integers(1, 500))
def test_slicing_never_costs_more_than_taking_at_once(lots: int, urgency: int) -> None:
    assert way(TWAP, lots, urgency) <= way(TAKER, lots)
    assert way(TAKER, lots) <= way(TAKER, lots + 1)


def test_funding_is_a_cost_of_one_side_and_pays_the_other() -> None:
    """1 bp an hour over two days is 48 bps; in and out of 5 bps are 10."""
    assert round_trip(5e-4, 1, 1e-4, 1e-4, 48.0) == pytest.approx(58e-4)
    assert round_trip(5e-4, -1, 1e-4, 1e-4, 48.0) == pytest.approx(-38e-4)
    assert round_trip(5e-4, 1, -1e-4, 1e-4, 48.0) == pytest.approx(-38e-4)
    assert round_trip(5e-4, 1, 0.0, 1e-4, 48.0) == pytest.approx(10e-4)


@pytest.mark.parametrize("side", [1, -1])
def test_an_unknown_rate_is_a_cost_of_both_sides(side: int) -> None:
    """1/8 bp an hour, as what nobody recorded is booked: 6 bps in two days."""
    assert round_trip(5e-4, side, math.nan, 1e-4, 48.0) == pytest.approx(16e-4)


def test_the_edge_by_hand() -> None:
    """Half a conviction worth 0.05 standard deviations of four days at 4 % a day: 0.5 x 0.05 x 0.08."""
    assert expected_edge(0.05, 0.5, 0.04, 4.0) == pytest.approx(0.002)
    assert expected_edge(0.05, -0.5, 0.04, 4.0) == expected_edge(0.05, 0.5, 0.04, 4.0)
    assert expected_edge(-0.05, 0.5, 0.04, 4.0) == pytest.approx(-0.002)
    assert math.isnan(expected_edge(0.05, math.nan, 0.04, 4.0))


@given(
    st.sampled_from((TAKER, MAKER, TWAP)), st.integers(0, 10**9), st.integers(1, 500), st.floats(1e-4, 1.0),
    st.floats(1.0, 1e9), st.sampled_from((-1, 1)), st.floats(-1e-3, 1e-3) | st.just(math.nan),
)  # fmt: skip
def test_the_plain_originals_agree_to_the_bit(
    style: int, lots: int, urgency: int, sigma: float, depth: float, side: int, carry: float
) -> None:
    given_ = (style, lots, urgency, sigma, depth, SPREAD, TAKES, MAKES, IMPACT)
    cost = one_way(*given_)
    assert original(one_way)(*given_) == cost
    assert original(round_trip)(cost, side, carry, 1e-4, 24.0) == round_trip(cost, side, carry, 1e-4, 24.0)
    assert original(expected_edge)(0.03, cost, sigma, 2.0) == expected_edge(0.03, cost, sigma, 2.0)
