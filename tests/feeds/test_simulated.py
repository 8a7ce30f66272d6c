"""The exchange that does not exist behaves like one that could."""

import time

import numpy as np
import pytest

from podshop.feeds import simulated
from podshop.feeds.simulated import exchange, simulate
from podshop.market import data_sha256
from podshop.nouns import ASSUMED, DAY_NS, HOUR_NS, MINUTE_NS, ConfigError
from podshop.nouns.symbols import BASES

FIVE = ("BTC", "ETH", "XRP", "LTC", "ADA")
SIX = (*FIVE, "SOL")
SINCE_NS = 19_000 * DAY_NS
YEAR_NS = 365 * DAY_NS


def test_the_same_seed_gives_the_same_world_and_another_one_another():
    period = (HOUR_NS, SINCE_NS, SINCE_NS + 30 * DAY_NS)
    assert data_sha256(*simulate(FIVE, *period, seed=1)) == data_sha256(*simulate(FIVE, *period, seed=1))
    assert data_sha256(*simulate(FIVE, *period, seed=1)) != data_sha256(*simulate(FIVE, *period, seed=2))


@pytest.mark.parametrize("interval_ns", [5 * MINUTE_NS, HOUR_NS, DAY_NS])
def test_bars_are_possible_and_follow_one_another(interval_ns):
    market, _ = simulate(FIVE, interval_ns, SINCE_NS, SINCE_NS + 60 * DAY_NS, seed=3)
    bar = market.columns
    assert market.time[0] == SINCE_NS + interval_ns
    assert market.time[-1] == SINCE_NS + 60 * DAY_NS
    assert (bar["low"] > 0).all()
    assert (bar["low"] <= np.minimum(bar["open"], bar["close"])).all()
    assert (bar["high"] >= np.maximum(bar["open"], bar["close"])).all()
    assert (bar["volume"] > 0).all()
    np.testing.assert_array_equal(bar["open"][1:], bar["close"][:-1])
    assert all(panel.T.flags.c_contiguous for panel in bar.values())


def test_markets_move_like_crypto():
    market, funding = simulate(FIVE, HOUR_NS, SINCE_NS, SINCE_NS + 2 * YEAR_NS, seed=4)
    hourly = np.diff(np.log(market.columns["close"]), axis=0)
    volatility = hourly.std(axis=0) * np.sqrt(365 * 24)
    assert ((volatility > 0.4) & (volatility < 1.3)).all()
    correlation = np.corrcoef(hourly.T)[np.triu_indices(5, 1)]
    assert ((correlation > 0.4) & (correlation < 0.85)).all()
    kurtosis = ((hourly - hourly.mean(axis=0)) ** 4).mean(axis=0) / hourly.var(axis=0) ** 2
    assert (kurtosis > 6).all()  # 3 would be normal
    daily = np.abs(hourly[: 24 * 700, 0]).reshape(-1, 24).sum(axis=1)
    assert np.corrcoef(daily[1:], daily[:-1])[0, 1] > 0.2  # volatility comes in regimes
    turnover = (market.columns["volume"] * market.columns["close"])[:, 0].mean() * 24
    assert 3e8 < turnover < 1e10
    rate = funding.rate[funding.market == 0]
    assert np.corrcoef(rate[1:], rate[:-1])[0, 1] > 0.8
    assert (rate < 0).any()
    assert 0 < rate.mean() < 5e-4


def test_funding_leans_with_the_trend():
    market, funding = simulate(FIVE, HOUR_NS, SINCE_NS, SINCE_NS + 2 * YEAR_NS, seed=5)
    close, rate = market.columns["close"][:, 0], funding.rate[funding.market == 0]
    row = np.searchsorted(market.time, funding.at_ns[funding.market == 0], side="right") - 1
    moved = np.log(close[row[24:]] / close[row[24:] - 7 * 24])
    assert np.corrcoef(moved, rate[24:])[0, 1] > 0.4


def test_every_settlement_is_recorded_and_none_is_assumed():
    _, funding = simulate(FIVE, 5 * MINUTE_NS, SINCE_NS, SINCE_NS + 10 * DAY_NS, seed=6)
    assert funding.assumed_share == dict.fromkeys(FIVE, 0.0)
    assert ASSUMED not in funding.source
    assert len(funding.at_ns) == 5 * 30


def test_with_more_than_five_markets_the_last_is_listed_later():
    market, funding = simulate(SIX, HOUR_NS, SINCE_NS, SINCE_NS + 30 * DAY_NS, seed=7)
    for values in market.columns.values():
        assert np.isnan(values[: 10 * 24, 5]).all()
        assert not np.isnan(values[10 * 24 + 8 :, 5]).any()
    assert funding.at_ns[funding.market == 5].min() > SINCE_NS + 10 * DAY_NS


def test_it_says_that_it_is_no_performance():
    assert "NOT performance" in (exchange.__doc__ or "")
    assert "never for performance" in (simulated.__doc__ or "")


def test_what_cannot_be_simulated_is_refused():
    with pytest.raises(ConfigError, match="'BTX' is not a market in the symbol table"):
        simulate(("BTX",), HOUR_NS, SINCE_NS, SINCE_NS + DAY_NS, seed=1)
    with pytest.raises(ConfigError, match="shorter than one bar"):
        simulate(FIVE, DAY_NS, SINCE_NS, SINCE_NS + HOUR_NS, seed=1)


def test_a_year_of_thirty_markets_takes_about_a_second():
    began = time.perf_counter()
    market, _ = simulate(BASES[:30], 5 * MINUTE_NS, SINCE_NS, SINCE_NS + YEAR_NS, seed=1)
    assert market.columns["close"].shape == (105_120, 30)
    assert time.perf_counter() - began < 5.0  # measured 1.1 s; the rest is for a busy machine
