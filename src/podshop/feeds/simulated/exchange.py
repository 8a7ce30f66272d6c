"""Simulated markets: one common factor, fat tails, volatility regimes, jumps, trends, funding.

Results on this data are NOT performance. Trends and funding are planted here by us, so an agent that finds them has
found what we hid. It shows that a fund works, not that it earns. Magnitudes are rounded from crypto perpetuals of
2022-24: annual volatility 55 to 110 %, correlation about 0.6, funding near 1 bp per 8 hours that leans with the trend.

The model, per bar: return = trend + beta x factor + own noise + jump; factor and noise are Student t with 4 degrees of
freedom times a volatility that follows a calm, a usual or a stormy regime, the hour of the day and a slow wave.
The same names, interval, period and seed give the same market to the bit on one machine.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from podshop.market import Records, funding_per_hour, settlements
from podshop.nouns import DAY_NS, HOUR_NS, ConfigError, Funding, Market, Times
from podshop.nouns.symbols import check_known

Series = NDArray[np.float64]  # (M, T) or (T,)

SOURCE = "simulated"
YEAR_NS = 365 * DAY_NS
SETTLE_NS = 8 * HOUR_NS

REGIMES = np.array([0.5, 0.9, 1.6])  # volatility, times the usual: calm, usual, stormy; with jumps about 1 overall
REGIME_SHARE = np.array([0.35, 0.5, 0.15])
REGIME_DAYS = 9.0  # mean length
TRENDS = np.array([-1.0, 0.0, 1.0])
TREND_SHARE = np.array([0.3, 0.4, 0.3])
TREND_DAYS = 25.0  # mean length of a trend
TREND_SHARPE = 0.8  # annual, of a trend while it lasts
JUMPS_A_YEAR = 6.0  # per market, and as many that hit all markets
TAIL = 4.0  # degrees of freedom
FACTOR_SHARE = 0.6  # of a market's variance that comes from the common factor
LATE_LISTING = 5  # with more markets than this the last one is listed after a third of the period


@dataclass(frozen=True, slots=True)
class _Coin:
    """What a market starts from: price in USD, annual volatility, turnover in USD a day."""

    price: float
    volatility: float
    turnover: float


_COINS = {
    "BTC": _Coin(40_000.0, 0.55, 2.0e9),
    "ETH": _Coin(2_500.0, 0.70, 1.2e9),
    "SOL": _Coin(90.0, 0.95, 5.0e8),
    "XRP": _Coin(0.60, 0.80, 2.0e8),
    "BNB": _Coin(320.0, 0.65, 1.0e8),
    "DOGE": _Coin(0.10, 0.95, 1.5e8),
    "LTC": _Coin(80.0, 0.75, 8.0e7),
    "ADA": _Coin(0.50, 0.85, 8.0e7),
    "AVAX": _Coin(30.0, 0.95, 8.0e7),
    "PEPE": _Coin(0.000_008, 1.10, 6.0e7),
}


def simulate(
    names: tuple[str, ...], interval_ns: int, since_ns: int, until_ns: int, seed: int
) -> tuple[Market, Funding]:
    """Invent every bar that closes in (since_ns, until_ns], and the funding of that time.

    names  base assets of the symbol table
    ->     Market with the columns of a bar and `funding_per_hour`;
           Funding settled at 00:00, 08:00 and 16:00 UTC, none of it assumed
    """
    for name in names:
        check_known(name)
    time = np.arange(since_ns // interval_ns + 1, until_ns // interval_ns + 1) * interval_ns
    if len(time) == 0:
        raise ConfigError("the simulated period is shorter than one bar")
    rng = np.random.default_rng(seed)
    coins = [_COINS.get(name) or _unknown_coin(rng) for name in names]
    volatility = _volatility(rng, time, interval_ns)
    returns, sigma = _returns(rng, coins, volatility, interval_ns)
    columns = _bars(rng, coins, returns, sigma, interval_ns)
    if len(names) > LATE_LISTING:
        for values in columns.values():
            values[-1, : len(time) // 3] = np.nan
    market = Market(names, interval_ns, time, {name: values.T for name, values in columns.items()})
    records = _funding(rng, market, returns, sigma)
    observed = {"funding_per_hour": funding_per_hour(market, records, (SOURCE,))}
    return (
        Market(names, interval_ns, time, {**market.columns, **observed}),
        settlements(market, records, (SOURCE,), assumed_bps_8h=0.0),
    )


def _unknown_coin(rng: np.random.Generator) -> _Coin:
    return _Coin(float(10 ** rng.uniform(-1, 1.5)), float(rng.uniform(0.85, 1.10)), float(10 ** rng.uniform(7.2, 8.0)))


def _volatility(rng: np.random.Generator, time: Times, interval_ns: int) -> Series:
    """(T,) volatility of all markets, times the usual: regime x hour of the day x a wave of some months."""
    stretch = max(1.0, REGIME_DAYS * DAY_NS / interval_ns)
    regime = _episodes(rng, len(time), stretch, REGIMES, REGIME_SHARE)
    hour = (time % DAY_NS) / HOUR_NS
    depth = 0.25 if interval_ns < DAY_NS else 0.0
    busy = 1.0 + depth * np.cos((hour - 15.0) * (np.pi / 12))  # most trading around 15:00 UTC
    wave = 1.0 + 0.2 * np.sin(time / (75 * DAY_NS) * 2 * np.pi + rng.uniform(0, 2 * np.pi))
    volatility: Series = regime * busy * wave
    return volatility


def _returns(
    rng: np.random.Generator, coins: list[_Coin], volatility: Series, interval_ns: int
) -> tuple[Series, Series]:
    """(M, T) log returns per bar, and the sigma of each that rules at the time."""
    M, T = len(coins), len(volatility)
    years = interval_ns / YEAR_NS
    per_bar = np.array([coin.volatility for coin in coins])[:, None] * np.sqrt(years)
    sigma = per_bar * volatility
    unit = np.sqrt((TAIL - 2) / TAIL)  # a Student t has variance TAIL / (TAIL - 2)
    factor = rng.standard_t(TAIL, T) * unit
    noise = rng.standard_t(TAIL, (M, T))
    noise *= unit * np.sqrt(1 - FACTOR_SHARE)
    lean = rng.uniform(0.9, 1.1, (M, 1)) * np.sqrt(FACTOR_SHARE)
    returns: Series = sigma * (lean * factor + noise)
    stretch = max(1.0, TREND_DAYS * DAY_NS / interval_ns)
    for m in range(M):
        trend = _episodes(rng, T, stretch, TRENDS, TREND_SHARE)
        returns[m] += trend * (TREND_SHARPE * per_bar[m, 0] * np.sqrt(years))
    daily = per_bar * np.sqrt(DAY_NS / interval_ns)
    for hit in (rng.random((1, T)), rng.random((M, T))):  # all markets together, then each alone
        market, row = np.nonzero(np.broadcast_to(hit < JUMPS_A_YEAR * years, (M, T)))
        size = rng.normal(-0.3, 1.2, T)[row]  # in daily sigmas; crashes are likelier than leaps
        returns[market, row] += size * daily[market, 0]
    return np.clip(returns, -0.5, 0.5), sigma


def _bars(
    rng: np.random.Generator, coins: list[_Coin], returns: Series, sigma: Series, interval_ns: int
) -> dict[str, Series]:
    """(M, T) open, high, low, close in USD and volume in coins."""
    M, T = returns.shape
    start = np.array([[coin.price] for coin in coins])
    close = start * np.exp(np.cumsum(returns, axis=1))
    opened = np.concatenate([start, close[:, :-1]], axis=1)
    reach = np.abs(rng.standard_normal((2, M, T))) * sigma * 0.5
    high = np.maximum(opened, close) * (1 + reach[0])
    low = np.minimum(opened, close) * (1 - np.minimum(reach[1], 0.5))
    turnover = np.array([[coin.turnover] for coin in coins]) * (interval_ns / DAY_NS)
    usual = np.array([[coin.volatility] for coin in coins]) * np.sqrt(interval_ns / YEAR_NS)
    excited = sigma / usual * (0.6 + 0.4 * np.abs(returns) / sigma)  # trading follows movement
    volume = turnover * excited * np.exp(rng.normal(-0.08, 0.4, (M, T))) / close
    return {"open": opened, "high": high, "low": low, "close": close, "volume": volume}


def _funding(rng: np.random.Generator, market: Market, returns: Series, sigma: Series) -> list[Records]:
    """Rates that lean with the move of the three days before and keep their sign for days."""
    first = int(market.time[0] - market.interval_ns) // SETTLE_NS + 1
    at_ns = np.arange(first, int(market.time[-1]) // SETTLE_NS + 1) * SETTLE_NS
    row = np.searchsorted(market.time, at_ns, side="right") - 1  # the last bar closed at settlement, -1 for none
    window = max(1, 3 * DAY_NS // market.interval_ns)
    before = np.maximum(row - window, -1)
    run = np.concatenate([np.zeros((len(returns), 1)), np.cumsum(returns, axis=1)], axis=1)
    score = (run[:, row + 1] - run[:, before + 1]) / (np.sqrt(window) * sigma.mean(axis=1, keepdims=True))
    rate = np.empty_like(score)
    level = np.zeros(len(returns))
    surprise = rng.normal(0.0, 0.3, score.shape)
    for k in range(len(at_ns)):
        level = 0.9 * level + 0.1 * 2.0 * np.tanh(score[:, k]) + 0.1 * surprise[:, k]
        rate[:, k] = 1.0 + level
    interval = np.full(len(at_ns), SETTLE_NS)
    return [Records(name, SOURCE, at_ns, rate[m] * 1e-4, interval) for m, name in enumerate(market.names)]


def _episodes(rng: np.random.Generator, rows: int, mean_rows: float, choices: Series, share: Series) -> Series:
    """(rows,) one of the choices, drawn anew after stretches of random length."""
    fresh = rng.random(rows) < 1.0 / mean_rows
    values: Series = rng.choice(choices, int(fresh.sum()) + 1, p=share)[np.cumsum(fresh)]
    return values
