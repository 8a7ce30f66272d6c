"""Is the value at risk true on real history? Fixed weights, every day from 2020 on: `podshop risk --history`.

At each 00:00 the monitor says what the weights may lose until the next 00:00, from what was known then; the prices of
the next day tell. The tests are those of the report (`podshop.report.var_test`). The weights never change, so a day's
P&L is clean: no trade, no cost, only the model is judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from podshop.feeds.parquet import read_market
from podshop.maths import log_return
from podshop.nouns import DAY_NS, HOUR_NS, Panel, Times, Whole, utc_ns, utc_text
from podshop.report.var_test import CONTROL, Flags, days_needed, period_test
from podshop.risk.covariance import HALF_LIFE_DAYS, WINDOW_DAYS, covariances
from podshop.risk.monitor import LEVELS, METHODS, PortfolioMonitor, largest
from podshop.run.opinions import Progress

VENUE, MARKETS = "binance_spot", ("BTC", "ETH", "XRP", "LTC", "ADA")  # those whose history is the longest
SINCE, UNTIL = datetime(2018, 5, 5, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)  # all five had traded by then
JUDGED_FROM = datetime(2020, 1, 1, tzinfo=UTC)  # 500 days of history come before
LARGEST = "largest"
PORTFOLIOS = {
    "long": (0.05, 0.05, 0.05, 0.05, 0.05),  # the fund at its market caps, the day every agent agrees
    "short": (-0.05, -0.05, -0.05, -0.05, -0.05),
    "hedged": (0.075, 0.075, -0.05, -0.05, -0.05),
    "one coin": (0.25, 0.0, 0.0, 0.0, 0.0),
}


class Prices(NamedTuple):
    """time (T,) closes of hours; mark (T, M) last price with volume; bars (T, M) log returns, NaN over a gap."""

    time: Times
    mark: Panel
    bars: Panel


@dataclass(frozen=True, slots=True)
class Spot:
    """Which bars to read; see `podshop.feeds.parquet.read.Wanted`."""

    venue: str = VENUE
    interval: str = "1h"
    markets: tuple[str, ...] = MARKETS
    funding: tuple[str, ...] = ()
    assumed_funding_bps_8h: float = 0.0


def var_history(root: Path, portfolios: Sequence[str], progress: Progress) -> dict[str, Any]:
    """Judge every method, and the largest of them, on portfolios of fixed weights.

    root  folder of history
    ->    what `podshop risk --history --json` prints: for each portfolio and method the test of each level (see
          `podshop.report.var_test.period_test`) on all days, by year, and of the same VaR x 0.7
    """
    prices = read(root)
    first, ends = judged(prices)
    at = prices.time[ends]
    simple = prices.mark[ends[1:]] / prices.mark[ends[:-1]] - 1
    found = []
    for n, name in enumerate(portfolios):
        progress(n, len(portfolios), name)
        weights = np.array(PORTFOLIOS[name])
        var = forecasts(prices, ends, first, weights)
        pnl = (simple @ weights)[first:]
        found.append(
            {
                "name": name,
                "weights": dict(zip(MARKETS, weights.tolist(), strict=True)),
                "methods": [
                    {"name": method, "levels": [_level(at[first:-1], pnl, each[level], level) for level in LEVELS]}
                    for method, each in var.items()
                ],
            }
        )
    return {
        "venue": VENUE,
        "since": utc_text(int(at[first])),
        "until": utc_text(int(at[-1])),
        "days": len(simple) - first,
        "portfolios": found,
    }


def read(root: Path) -> Prices:
    """Read the hours, carry each last price on; an hour without trading has no return, nor has the next."""
    market, _, _ = read_market(root, Spot(), utc_ns(SINCE), utc_ns(UNTIL))
    close = market.columns["close"]
    known = np.where(np.isfinite(close), np.arange(len(market))[:, None], 0)
    return Prices(
        market.time, np.take_along_axis(close, np.maximum.accumulate(known, axis=0), axis=0), log_return(close)
    )


def judged(prices: Prices) -> tuple[int, Whole]:
    """The first day that is judged, and the rows of all midnights at which every market had a price."""
    ends = np.flatnonzero((prices.time % DAY_NS == 0) & np.isfinite(prices.mark).all(axis=1))
    return int(np.searchsorted(prices.time[ends], utc_ns(JUDGED_FROM))), ends


def forecasts(prices: Prices, ends: Whole, first: int, weights: Panel) -> Mapping[str, Mapping[float, Panel]]:
    """What each method said at each midnight from `first` on, knowing nothing later: method -> level -> VaR (D,)."""
    monitor = PortfolioMonitor()
    window, decay = WINDOW_DAYS * 24, 0.5 ** (1 / (HALF_LIFE_DAYS * 24))
    gate = covariances(np.ascontiguousarray(prices.bars), 0, window, decay, 24.0)
    daily = np.diff(np.log(prices.mark[ends]), axis=0)
    days = len(ends) - 1 - first
    said = {method: {level: np.full(days, np.nan) for level in LEVELS} for method in (*METHODS, LARGEST)}
    memory = (monitor.history_days + WINDOW_DAYS) * 24
    for day in range(days):
        now = int(ends[first + day])
        found = monitor.measure(
            weights,
            gate[now],
            prices.bars[max(now + 1 - memory, 0) : now + 1],
            daily[max(first + day - monitor.history_days, 0) : first + day],
            HOUR_NS,
            int(prices.time[now]),
        )
        for level in LEVELS:
            for method in METHODS:
                tail = found.tails[method][level]
                said[method][level][day] = np.nan if tail is None else tail.var
            worst = largest(found.tails, level)
            said[LARGEST][level][day] = np.nan if worst is None else worst[1]
    return said


def _level(time: Times, pnl: Panel, var: Panel, level: float) -> dict[str, Any]:
    """The tests of one VaR, as the report makes them."""
    known = np.isfinite(var)
    year = time.astype("datetime64[ns]").astype("datetime64[Y]").astype(np.int64) + 1970

    def test(scale: float, inside: Flags) -> dict[str, Any]:
        return period_test(known & inside, known & (-pnl > scale * var), 1 - level)

    everything = np.ones(len(pnl), np.bool_)
    return {
        "level": level,
        "days_needed": days_needed(1 - level),
        "mean_var": float(var[known].mean()),
        **test(1.0, everything),
        "years": [{"name": str(each), **test(1.0, year == each)} for each in np.unique(year)],
        "control": {"scale": CONTROL, **test(CONTROL, everything)},
    }
