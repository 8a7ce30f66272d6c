"""Measures against hand-made series and published numbers."""

import numpy as np
import pytest

from podshop.nouns import DAY_NS, HOUR_NS
from podshop.report.stats import daily_returns, gross_return, sharpe_interval, stats

SINCE_NS = 19_723 * DAY_NS  # 2024-01-01


def two_valued(days: int, ratio: float) -> np.ndarray:
    """Returns of mean ratio x deviation (of the sample), skewness 0 and kurtosis 1."""
    z = np.tile([-1.0, 1.0], days // 2)
    return 0.01 * (z + ratio * z.std(ddof=1))


# Lo (2002), FAJ 58(4), Table 1: standard error of the Sharpe ratio of independent normal returns.
@pytest.mark.parametrize(
    ("ratio", "periods", "error"),
    [(0.5, 60, 0.137), (0.5, 125, 0.095), (1.0, 60, 0.158), (2.0, 60, 0.224), (3.0, 500, 0.105)],
)
def test_the_interval_of_normal_returns_is_los_table(ratio: float, periods: int, error: float) -> None:
    """A sample with the moments of a normal: quantiles, shifted to the kurtosis of 3 by its tails."""
    z = normal_sample(periods)
    low, high = sharpe_interval(z + ratio * z.std(ddof=1))
    assert low is not None
    assert high is not None
    assert (high - low) / 2 / 1.6449 / 365**0.5 == pytest.approx(error, abs=0.0006)
    assert (high + low) / 2 / 365**0.5 == pytest.approx(ratio)


def normal_sample(count: int) -> np.ndarray:
    """Symmetric, so of skewness 0; the outermost pair is moved until the kurtosis is 3."""
    z = np.linspace(-1.5, 1.5, count)
    low, high = 1.5, 1.5 * count
    for _ in range(100):
        z[0], z[-1] = -(low + high) / 2, (low + high) / 2
        low, high = ((low + high) / 2, high) if (z**4).mean() / (z**2).mean() ** 2 < 3 else (low, (low + high) / 2)
    return z


def test_the_interval_follows_mertens_when_returns_are_not_normal() -> None:
    """Kurtosis 1 and skewness 0 leave a variance of exactly 1 / n, whatever the ratio."""
    low, high = sharpe_interval(two_valued(100, ratio=0.8))
    assert low is not None
    assert high is not None
    assert (high - low) / 2 == pytest.approx(1.6448536 * (365 / 100) ** 0.5)


def test_fewer_than_thirty_days_prove_nothing() -> None:
    assert sharpe_interval(two_valued(28, 0.1)) == (None, None)
    assert sharpe_interval(np.zeros(100)) == (None, None)
    assert None not in sharpe_interval(two_valued(30, 0.1))


def test_stats_of_a_nav_known_by_hand() -> None:
    """Two days of hourly rows, from an hour before midnight: 100, then 110, then 99."""
    time = SINCE_NS + HOUR_NS * np.arange(-1, 49)
    nav = np.full(50, 100_000_000)
    nav[25:] = 110_000_000
    nav[30] = 55_000_000
    nav[49:] = 99_000_000
    answer = stats(time, nav)
    assert daily_returns(time, nav) == pytest.approx([0.10, -0.10])
    assert answer["return"] == pytest.approx(-0.01)
    assert answer["max_drawdown"] == pytest.approx(0.5)  # within the day, not only from midnight to midnight
    assert answer["days"] == 2
    assert answer["volatility"] == pytest.approx(np.std([0.1, -0.1], ddof=1) * 365**0.5)
    unknown = ("sharpe", "sharpe_low", "sharpe_high", "annual_return")  # nothing is said of two days
    assert [answer[name] for name in unknown] == [None] * 4


def test_who_has_lost_everything_has_no_sharpe() -> None:
    """Whatever the days before look like: the day of ruin may end before midnight and be no daily return."""
    nav = 100_000_000 + 1_000_000 * (np.arange(60) % 7)
    nav = np.append(nav, -5)
    answer = stats(SINCE_NS + DAY_NS * np.arange(61) - np.append(np.zeros(60, np.int64), HOUR_NS), nav)
    assert (answer["sharpe"], answer["sharpe_low"], answer["sharpe_high"]) == (None, None, None)
    assert stats(SINCE_NS + DAY_NS * np.arange(60), nav[:60])["sharpe"] is not None


def test_a_year_of_nothing_has_no_sharpe() -> None:
    answer = stats(SINCE_NS + DAY_NS * np.arange(366), np.full(366, 100_000_000))
    assert (answer["sharpe"], answer["volatility"], answer["annual_return"]) == (None, 0.0, 0.0)


def test_gross_adds_back_what_was_paid() -> None:
    costs = {"fees": 300.0, "slippage": 200.0, "funding": -500.0}
    assert gross_return(100_000, 99_000, costs) == pytest.approx(0.0)
