"""Who had no opinion, when and why."""

from typing import Any

import numpy as np

from podshop.market import resample
from podshop.nouns import Market, Panel, duration_ns, utc_text
from podshop.run.config.sections import Fund, SignalSeat
from podshop.run.opinions import Seat


def silent(fund: Fund, market: Market, since_ns: int, until_ns: int) -> list[dict[str, Any]]:
    """For every signal agent and market that it was silent about in (since, until]: see `silences`, and `agent`.

    Asks every agent again, which takes as long as it took the run.
    """
    market = market[: int(np.searchsorted(market.time, until_ns, side="right"))]
    bars: dict[int, Market] = {}
    found = []
    for seat in fund.signals:
        bar_ns = duration_ns(seat.agent.bar)
        if bar_ns not in bars:
            bars[bar_ns] = resample(market, bar_ns)
        mine = bars[bar_ns].pick(seat.markets)
        first, last = int(np.searchsorted(mine.time, since_ns, side="right")), len(mine)
        said = Seat(seat, mine, fund.confidence).convictions(first, last)
        found += [{"agent": seat.name, **row} for row in silences(seat, mine, slice(first, last), said)]
    return found


def silences(seat: SignalSeat, mine: Market, rows: slice, opinion: Panel) -> list[dict[str, Any]]:
    """For each market of an agent that it was silent about: since when it spoke, how much of the time not, and why.

    mine     the agent's markets on its own bar, rows the period's; opinion (R, M) with NaN where it had none
    ->       one row per market with a listed bar without opinion: market, share of its listed bars, first and last
             opinion (None = never), why
    """
    found = []
    for m, name in enumerate(mine.names):
        listed = ~np.isnan(mine.columns["close"][rows, m])
        silent = listed & np.isnan(opinion[:, m])
        if not silent.any() and listed.any():
            continue
        spoke = np.flatnonzero(~np.isnan(opinion[:, m]))
        time = mine.time[rows]
        found.append(
            {
                "market": name,
                "share": float(silent.sum() / listed.sum()) if listed.any() else 1.0,
                "first": utc_text(int(time[spoke[0]])) if len(spoke) else None,
                "last": utc_text(int(time[spoke[-1]])) if len(spoke) else None,
                "why": _why(seat, mine, rows, m, listed, silent),
            }
        )
    return found


def _why(seat: SignalSeat, mine: Market, rows: slice, m: int, listed: np.ndarray, silent: np.ndarray) -> str:
    """The first reason that explains most of it: not listed, a column unknown, or too little of it in the window."""
    if not listed.any():
        return "not listed in this period"
    start = max(rows.start - seat.agent.lookback_bars, 0)
    for name in seat.agent.reads:
        known = ~np.isnan(mine.columns[name][start : rows.stop, m])
        if not known.any():
            return f"{name} is not known"
        if (~known[rows.start - start :] & silent).sum() > silent.sum() / 2:
            return f"{name} is known for {known.mean():.0%} of the time"
    return f"too little of {', '.join(seat.agent.reads)} in its {seat.agent.lookback_bars} bars"
