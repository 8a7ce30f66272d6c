"""The definitions of risk and volume, by hand."""

import math

import pytest

from tests.reference import measure
from tests.reference.facts import DAY_NS, HOUR_NS

NAN = math.nan


def test_a_market_that_swings_one_percent_a_day_has_that_sigma() -> None:
    closes = [[100.0 * math.exp(0.01 * (i % 2)), 100.0 * math.exp(-0.01 * (i % 2))] for i in range(60)]
    s = measure.daily_covariance(closes, DAY_NS)
    assert s[0] == pytest.approx([1e-4, -1e-4])


def test_a_return_weighs_half_after_ten_days_and_nothing_after_fifty() -> None:
    """One return of 1 % among zeros, `age` days ago, in a full window: A = 2^(-age/10) r^2 over the sum of weights."""
    weights = [0.5 ** (age / 10) for age in range(50)]
    for age, expected in ((0, 1.0), (10, 0.5), (49, weights[49]), (50, 0.0)):
        closes = [[101.0 if i >= 79 - age else 100.0] for i in range(80)]
        (variance,) = measure.daily_covariance(closes, DAY_NS)[0]
        assert variance == pytest.approx(expected * math.log(1.01) ** 2 / sum(weights))


def test_a_missing_close_costs_two_returns() -> None:
    closes = [[100.0], [101.0], [NAN], [101.0], [102.01]]
    decay = 0.5**0.1
    (variance,) = measure.daily_covariance(closes, DAY_NS)[0]
    assert variance == pytest.approx(math.log(1.01) ** 2 * (1 + decay**3) / (1 + decay**3))


def test_the_young_are_no_calmer_than_three_quarters_of_the_old() -> None:
    """Old variances of 1, 2, 3 and 4 have their 75th percentile at 3.25. Ten days old: that at least. Nine: unknown."""
    s = [[0.0] * 6 for _ in range(6)]
    for m, variance in enumerate((1.0, 2.0, 3.0, 4.0, 1.0, 1.0)):
        s[m][m] = variance
    s[0][4] = s[4][0] = 0.5
    gated, sigma = measure.gate_covariance(s, [90 * DAY_NS] * 4 + [10 * DAY_NS, 9 * DAY_NS])
    assert [gated[m][m] for m in range(6)] == pytest.approx([1.0, 2.0, 3.0, 4.0, 3.25, 0.0])
    assert gated[0][4] == pytest.approx(0.5 * math.sqrt(3.25))
    assert math.isnan(sigma[5])


def test_depth_is_the_median_of_a_week_and_needs_a_day() -> None:
    assert measure.depth([9.0] * 10 + [1.0, 2.0, 3.0, NAN, 5.0, 6.0, 7.0], DAY_NS, 0.5) == 4.0 / 0.5
    assert math.isnan(measure.depth([5.0] * 23 + [NAN], HOUR_NS, 1.0))
    assert measure.depth([5.0] * 24, HOUR_NS, 1.0) == 120.0


def test_liquidity_is_the_smaller_of_share_and_collar() -> None:
    """A tenth of an hour's 1,000 lots; with sigma 2 % and a collar 98 bp beyond the spread, 0.49^2 of the day's."""
    assert measure.liquidity(24_000.0, 0.02, HOUR_NS, 0.10, 0.01, 2e-4, 1.0) == 100
    assert measure.liquidity(24_000.0, 0.02, HOUR_NS, 10.0, 0.01, 2e-4, 1.0) == math.floor(24_000 * 0.49**2)
    assert measure.liquidity(NAN, 0.02, HOUR_NS, 0.10, 0.01, 2e-4, 1.0) == 0


def test_the_mark_is_the_last_close_that_traded() -> None:
    closes, volumes = [[NAN], [2.5], [NAN], [NAN]], [[NAN], [3.0], [0.0], [NAN]]
    assert measure.marks(closes, volumes, [10.0], 0) == ([0], [1])
    assert measure.marks(closes, volumes, [10.0], 3) == ([25], [2])


def test_a_sigma_of_ones_own_forgets_at_its_own_pace() -> None:
    """A move of 1 % a day ago and none since, half-life one day of five: A = r^2 / 2, n = 1 + 1/2 + ... + 1/16."""
    closes = [100.0] * 9 + [101.0, 101.0]
    r = math.log(1.01)
    assert measure.own_sigma(closes, DAY_NS, DAY_NS) == pytest.approx(math.sqrt(r * r / 2 / (31 / 16)))
    assert math.isnan(measure.own_sigma([101.0] * 9, DAY_NS, DAY_NS))


def test_ranges_are_rounded_inward_and_queues_down() -> None:
    """Half of a tenth of 96 lots a day stands open to us in an hour: 0.2. Of 960: 2."""
    assert measure.bar_range(1.00001, 1.99999, 5.0, 1e4) == (10_001, 19_999)
    assert measure.bar_range(NAN, NAN, 0.0, 1e4) == (0, 0)
    assert [measure.queued(depth, HOUR_NS, 0.1, 0.5) for depth in (96.0, 960.0, NAN)] == [0, 2, 0]


def test_carry_is_an_hours_share_of_the_latest_settlement() -> None:
    recorded = [(0, 8e-4), (HOUR_NS, 1e-4), (21 * HOUR_NS, 8e-4)]
    for hours, expected in ((-1, NAN), (0, 1e-4), (1, 1e-4), (17, 1e-4), (18, NAN), (21, 1e-4), (37, 1e-4), (38, NAN)):
        assert measure.carry(recorded, hours * HOUR_NS) == pytest.approx(expected, nan_ok=True)
