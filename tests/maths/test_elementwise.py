"""Functions of one cell, against the library's own and against their promises."""

import math

import numpy as np
import pytest

from podshop import maths
from podshop.maths import cross


def test_confidence_is_the_chance_below_the_score() -> None:
    """0.65 is |z| = 0.93, as the design says; Abramowitz & Stegun (1964), table 26.1: P(|z| < 1.96) = 0.95."""
    z = np.array([[0.9346, 1.959964, -0.6744898]])
    np.testing.assert_allclose(maths.confidence(z), [[0.65, 0.95, -0.5]], atol=1e-4)


def test_confidence_leaves_whole_steps_of_two_to_the_minus_twenty() -> None:
    z = np.random.default_rng(1).normal(size=(500, 3))
    c = maths.confidence(z)
    np.testing.assert_array_equal(c * 2**20, np.rint(c * 2**20))
    np.testing.assert_allclose(c, np.vectorize(lambda v: math.erf(v / math.sqrt(2)))(z), atol=2**-21)


@pytest.mark.parametrize("function", [maths.log, maths.root, maths.log_return, maths.confidence, maths.conviction])
def test_unknown_stays_unknown_and_never_infinite(function: object) -> None:
    x = np.array([[1.0], [np.nan], [4.0], [0.0], [-1.0], [1e300], [1e-300], [np.inf]])
    before = x.copy()
    answer = function(x)  # type: ignore[operator]
    np.testing.assert_array_equal(x, before)
    assert np.isnan(answer[1, 0])
    assert not np.isinf(answer).any()


def test_log_return_is_the_same_in_any_unit_of_price() -> None:
    price = np.exp(np.random.default_rng(2).normal(size=(300, 2)).cumsum(0))
    np.testing.assert_allclose(maths.log_return(1000 * price), maths.log_return(price), atol=1e-12)


def test_a_lag_longer_than_the_panel_is_unknown() -> None:
    assert np.isnan(maths.lag(np.ones((3, 2)), 5)).all()


def test_order_of_markets_cannot_matter() -> None:
    x = np.random.default_rng(3).normal(size=(200, 9)) * 10.0 ** np.random.default_rng(4).integers(-9, 9, size=(200, 9))
    x[50:60, 2], x[70, :7], x[80:85, 4] = np.nan, np.nan, np.inf
    order = np.random.default_rng(5).permutation(9)
    for function in (cross.others, cross.rank):
        np.testing.assert_array_equal(function(x)[:, order], function(x[:, order]))


def test_others_is_the_average_of_the_others() -> None:
    x = np.random.default_rng(6).normal(size=(40, 5))
    x[10, 1] = np.nan
    expected = np.stack([np.nanmean(np.delete(x, m, axis=1), axis=1) for m in range(5)], axis=1)
    np.testing.assert_allclose(cross.others(x), expected, atol=1e-12)


def test_rank_is_evenly_spread_and_needs_three() -> None:
    x = np.array([[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, np.nan, np.inf], [5.0, 5.0, 5.0, np.nan], [1.0, 1e9, 2.0, np.nan]])
    expected = [[-0.75, -0.25, 0.25, 0.75], [np.nan] * 4, [0, 0, 0, np.nan], [-2 / 3, 2 / 3, 0, np.nan]]
    np.testing.assert_allclose(cross.rank(x), expected)


def test_sums_that_differ_in_their_last_bits_share_a_place() -> None:
    np.testing.assert_array_equal(cross.rank(np.array([[0.1 + 0.2, 0.3, 0.3 * (1 + 1e-15)]])), [[0.0, 0.0, 0.0]])
