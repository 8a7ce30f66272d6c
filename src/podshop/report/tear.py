"""Figures of a tear sheet: what a NAV earned over a stretch, how sure that is, and how much money the edge would bear.

Sources: Sortino & Price (1994), "Performance measurement in a downside risk framework", Journal of Investing 3(3),
59-64; Young (1991), "Calmar ratio: a smoother tool", Futures 20(1), 40; for the square-root law of impact Almgren et
al. (2005), "Direct estimation of equity market impact", Risk 18(7), 58-62, and Toth et al. (2011), Physical Review X 1.
Every return is net of fees, slippage and funding unless it is called gross. A year has 365 days.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from podshop.nouns import DAY_NS, Panel, Times, Whole, utc_text
from podshop.report.accounts import SETTLEMENT, Record
from podshop.report.stats import _Z, DAYS_A_YEAR, FEWEST_DAYS, daily_returns, gross_return, sharpe_interval, stats

Row = dict[str, Any]

WORST = 5  # drawdowns shown
WINDOW = 90  # days of the rolling figures
HALF = 0.5  # share of the gross edge that impact may eat


def tear(record: Record, told: Mapping[str, Any], since_ns: int, until_ns: int) -> Row:
    """The figures of [since, until).

    told  the statement of the same stretch
    ->    stats (see `podshop.report.stats.stats`, with sortino, calmar, gross_return, best_day, worst_day, up_days),
          path (NAV in USD, drawdown), daily and rolling, columns over time; drawdowns, months, turnover, capacity
    """
    nav = record.tables["nav"]
    shown = (nav["time"] >= since_ns) & (nav["time"] <= until_ns)
    time, worth = nav["time"][shown], nav["nav_micro"][shown]
    daily = daily_returns(time, worth)
    total = told["pnl"]["total"]
    mean_nav = float(worth.mean()) / 1e6
    years = float(time[-1] - time[0]) / DAY_NS / DAYS_A_YEAR
    costs = {name: total[f"{name}_micro"] / 1e6 for name in ("fees", "slippage", "funding")}
    figures = dict(stats(time, worth))
    return {
        "stats": figures
        | {
            "gross_return": gross_return(worth[0] / 1e6, worth[-1] / 1e6, costs),
            "sortino": sortino(daily),
            "calmar": calmar(figures["annual_return"], figures["max_drawdown"]),
            "best_day": float(daily.max()) if len(daily) else None,
            "worst_day": float(daily.min()) if len(daily) else None,
            "up_days": float((daily > 0).mean()) if len(daily) else None,
        },
        "path": {
            "time": time.tolist(),
            "nav": (worth / 1e6).tolist(),
            "drawdown": (1 - worth / np.maximum.accumulate(worth)).tolist(),
        },
        "drawdowns": drawdowns(time, worth),
        "months": months(time, worth),
        "daily": {"time": time[time % DAY_NS == 0][1:].tolist(), "return": daily.tolist()},
        "rolling": rolling(nav["time"], nav["nav_micro"], since_ns, until_ns),
        "turnover": {
            "traded": total["traded_micro"] / 1e6,
            "mean_nav": mean_nav,
            "a_year": total["traded_micro"] / 1e6 / mean_nav / years if years > 0 else None,
        },
        "capacity": capacity(mean_nav, *_edge(record, time, worth)),
    }


def sortino(daily: Panel) -> float | None:
    """Annual mean over the downside deviation of daily returns, sqrt(mean(min(r, 0)^2)); None as for a Sharpe ratio."""
    down = float(np.sqrt(np.mean(np.minimum(daily, 0.0) ** 2))) if len(daily) else 0.0
    return float(daily.mean()) / down * DAYS_A_YEAR**0.5 if len(daily) >= FEWEST_DAYS and down > 0 else None


def calmar(annual_return: float | None, max_drawdown: float | None) -> float | None:
    """Annual return over the worst drawdown of the same stretch; Young took 36 months."""
    return annual_return / max_drawdown if annual_return is not None and max_drawdown else None


def drawdowns(time: Times, nav: Whole) -> list[Row]:
    """The deepest stretches below an earlier high, deepest first: from that high to the row that reaches it again.

    -> depth (fraction of the high), peak, trough, recovered (None = not yet), days from the high to the end of it
    """
    high = np.maximum.accumulate(nav)
    below = nav < high
    edges = np.flatnonzero(np.diff(np.concatenate(([False], below, [False])).astype(np.int8)))
    found: list[Row] = []
    for first, after in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        lowest = first + int(nav[first:after].argmin())
        ended = int(time[after]) if after < len(time) else None
        found.append(
            {
                "depth": 1 - int(nav[lowest]) / int(high[lowest]),
                "peak": utc_text(int(time[first - 1])),
                "trough": utc_text(int(time[lowest])),
                "recovered": None if ended is None else utc_text(ended),
                "days": ((int(time[-1]) if ended is None else ended) - int(time[first - 1])) / DAY_NS,
            }
        )
    return sorted(found, key=lambda row: -float(row["depth"]))[:WORST]


def months(time: Times, nav: Whole) -> list[Row]:
    """Years of twelve returns, None outside the run: from a month's first NAV row, or its start, to its end."""
    starts = (time - 1).astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)  # 00:00 of the 1st ends one
    last = np.flatnonzero(np.append(np.diff(starts) != 0, True))
    value = nav[last] / nav[np.append(0, last[:-1])] - 1
    of = dict(zip(starts[last].tolist(), value.tolist(), strict=True))
    if last[0] == 0:
        del of[int(starts[0])]  # the very first row ends a month nobody saw
    table = []
    for year in sorted({1970 + key // 12 for key in of}):
        row = [of.get((year - 1970) * 12 + m) for m in range(12)]
        table.append({"year": year, "months": row, "total": float(np.prod([1 + r for r in row if r is not None])) - 1})
    return table


def rolling(time: Times, nav: Whole, since_ns: int, until_ns: int) -> Row:
    """Return, annual volatility and Sharpe ratio with its 90 % interval over the 90 days before each midnight shown.

    time, nav  of the whole run: a month shown may look back beyond its start
    """
    daily, midnight = daily_returns(time, nav), time[time % DAY_NS == 0]
    rows = [
        _window(int(midnight[end]), daily[end - WINDOW : end])
        for end in range(WINDOW, len(midnight))
        if since_ns <= midnight[end] <= until_ns
    ]
    keys = ("time", "return", "volatility", "sharpe", "sharpe_low", "sharpe_high")
    return {"days": WINDOW} | {key: [row[key] for row in rows] for key in keys}


def _window(at_ns: int, daily: Panel) -> Row:
    deviation = float(daily.std(ddof=1))
    low, high = sharpe_interval(daily)
    return {
        "time": at_ns,
        "return": float(np.prod(1 + daily)) - 1,
        "volatility": deviation * DAYS_A_YEAR**0.5,
        "sharpe": None if low is None else float(daily.mean()) / deviation * DAYS_A_YEAR**0.5,
        "sharpe_low": low,
        "sharpe_high": high,
    }


def capacity(mean_nav: float, gross: float, low: float, high: float, impact: float) -> Row:
    """At which capital the square-root impact would eat half of the gross edge, in USD.

    mean_nav   capital of the stretch, C; gross  its P&L before fees, spread and impact, G; low, high its 90 % interval
    impact     what impact cost, I

    Trades grow in proportion to capital and cost a fraction of their value that grows with the root of their size. So
    the edge is G / C of any capital K, and impact is (I / C) (K / C)^(1/2) of it. Half of the edge is eaten where

        (I / C) (K / C)^(1/2) = G / (2 C),    that is    K = C (G / 2I)^2

    0 where there is no edge, None where no impact was paid.
    """

    def bears(edge: float) -> float | None:
        if edge <= 0:
            return 0.0
        return mean_nav * (HALF * edge / impact) ** 2 if impact > 0 else None

    return {
        "capital": bears(gross), "low": bears(low), "high": bears(high), "mean_nav": mean_nav, "gross": gross,
        "gross_low": low, "gross_high": high, "impact": impact,
    }  # fmt: skip


def _edge(record: Record, time: Times, nav: Whole) -> tuple[float, float, float, float]:
    """Gross P&L between the first and the last of these NAV rows, its 90 % interval, and impact paid; USD.

    The interval is that of a sum of independent days; without two whole days it is everything.
    """
    fills, costs = record.tables["fills"], record.tables["costs"]
    slippage = (fills["price_micro"] - fills["reference_micro"]) * fills["lots"]
    paid = np.zeros(len(time) + 1, np.int64)
    np.add.at(paid, np.searchsorted(time, fills["time"], side="right"), fills["fee_micro"] + slippage)
    gross_nav = (nav + paid.cumsum()[:-1] - paid[0]) / 1e6  # NAV had trading been free since the first row
    daily = np.diff(gross_nav[time % DAY_NS == 0])
    error = _Z * float(daily.std(ddof=1)) * len(daily) ** 0.5 if len(daily) > 1 else np.inf
    gross = float(gross_nav[-1] - gross_nav[0])
    counted = (costs["time"] > time[0]) & (costs["time"] <= time[-1])
    died = record.is_one_of("fills", "kind", SETTLEMENT) & (fills["time"] > time[0]) & (fills["time"] <= time[-1])
    impact = int(costs["impact_micro"][counted].sum()) - int(slippage[died].sum())  # a dead market's loss is no impact
    return gross, gross - error, gross + error, impact / 1e6
