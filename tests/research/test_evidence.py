"""Figures by hand, and intervals that hold what they promise."""

import numpy as np
import pytest

from podshop.research.evidence import FEWEST_ROWS, correlation, difference, estimate, hit_rate, mean_ratio

RNG = np.random.default_rng(11)


def test_correlation_is_numpys():
    x, y = RNG.standard_normal((2, 300, 4))
    y += 0.3 * x
    found = correlation(x, y)
    assert found.value == pytest.approx(np.corrcoef(x.ravel(), y.ravel())[0, 1], abs=1e-12)
    assert (found.rows, found.count) == (300, 1200)
    x[::2, 1] = np.nan
    assert correlation(x, y).count == 1200 - 150


def test_an_interval_is_as_wide_as_theory_says_where_rows_are_independent():
    called = RNG.choice([-1.0, 1.0], (2000, 1))
    found = hit_rate(called, RNG.choice([-1.0, 1.0], (2000, 1)))
    assert (found.high - found.low) == pytest.approx(2 * 1.645 * 0.5 / np.sqrt(2000), rel=0.1)


def test_markets_that_move_together_do_not_make_it_surer():
    """Sixteen copies of one market are one market; resampling cells instead of rows would narrow it fourfold."""
    x, y = RNG.standard_normal((2, 400, 1))
    one, sixteen = correlation(x, y), correlation(np.repeat(x, 16, axis=1), np.repeat(y, 16, axis=1))
    assert sixteen.value == pytest.approx(one.value)
    assert (sixteen.high - sixteen.low) == pytest.approx(one.high - one.low, rel=0.05)
    cells = correlation(np.repeat(x, 16, axis=1).reshape(-1, 1), np.repeat(y, 16, axis=1).reshape(-1, 1))
    assert (cells.high - cells.low) < 0.4 * (one.high - one.low)


def test_noise_is_above_zero_one_time_in_twenty():
    above = sum(correlation(*np.random.default_rng(i).standard_normal((2, 60, 3))).low > 0 for i in range(400))
    assert 8 <= above <= 36  # 20 expected, and a little more in small samples


def test_too_few_rows_have_no_interval():
    found = correlation(*RNG.standard_normal((2, FEWEST_ROWS - 1, 5)))
    assert np.isfinite(found.value)
    assert np.isnan([found.low, found.high]).all()
    nobody = hit_rate(np.full((50, 2), np.nan), np.ones((50, 2)))
    assert (nobody.count, nobody.rows) == (0, 0)
    assert np.isnan(nobody.value)


def test_a_ratio_is_of_sums_and_its_blocks_are_of_rows():
    above, below = np.arange(1.0, 101.0), np.full(100, 4.0)
    assert mean_ratio(above, below).value == pytest.approx(5050 / 400)
    trending = mean_ratio(above, below, block_rows=5)
    assert trending.value == pytest.approx(5050 / 400)
    assert (trending.high - trending.low) > 1.5 * (mean_ratio(above, below).high - mean_ratio(above, below).low)


def test_a_ratio_counts_only_blocks_that_have_something_below():
    """A year of days of which one traded is one observation, and its interval is not a point."""
    above, below = np.zeros(365), np.zeros(365)
    above[200], below[200] = 5.7, 1000.0
    once = mean_ratio(above, below)
    assert (once.value, once.rows) == (pytest.approx(0.0057), 1)
    assert np.isnan([once.low, once.high]).all()
    days = np.arange(FEWEST_ROWS) * 5
    above[days], below[days] = 5.7, 1000.0
    above[200] = below[200] = 0.0
    assert mean_ratio(above, below).rows == FEWEST_ROWS
    assert np.isfinite(mean_ratio(above, below).low)
    assert np.isnan(mean_ratio(above, below, block_rows=20).low), "twenty days of trading in five blocks"


def test_a_difference_of_hit_rates_is_of_the_two_groups():
    x, y = np.array([[1.0, -1.0, 1.0]] * 40), np.array([[1.0, 1.0, 1.0]] * 40)
    first, second = np.where(np.abs(x) > 2, x, np.nan), x
    assert np.isnan(difference((first, y), (second, y)).value), "nobody is in the first group"
    half = np.array([[0.5, -0.5, np.nan]] * 40)
    found = difference((half, y), (np.array([[np.nan, np.nan, 0.9]] * 40), y))
    assert found.value == pytest.approx(0.5)


def test_a_difference_to_a_small_group_has_no_interval():
    x, y = RNG.choice([-1.0, 1.0], (2, 200, 1))
    rare = np.where(np.arange(200)[:, None] < FEWEST_ROWS - 1, x, np.nan)
    assert np.isnan(difference((rare, y), (x, y)).low)
    assert np.isfinite(difference((x, y), (x, y)).low)


def test_an_estimate_is_the_same_twice():
    parts = np.abs(RNG.standard_normal((50, 3)))
    first, second = (estimate(parts, lambda s: s[..., 1] / s[..., 2]) for _ in range(2))
    assert first == second
