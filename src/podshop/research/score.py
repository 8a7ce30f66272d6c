"""A scorecard for each signal agent: what it covered, how often it was right, what that would pay, and how sure it is.

Every figure is gross of costs unless it says otherwise, over the period given, of forecasts that were not chosen after
the fact; but agents and markets were chosen by people who had seen this history, and that is said beside them.

- *What followed* is the change of the log price over the agent's horizon, less the funding a long paid in that time
  where a settlement is recorded; for the information coefficient it is divided by the market's deviation of the 30 days
  before, so that wild markets do not speak for all.
- *Horizon*: `podshop.run.calibrate.horizon_bars`, from the agent's own windows.
- *What it would pay*: positions are the voices a fund hears (open at 0.65, shut at 0.35), of equal notional, traded at
  the close they are known at. Break-even is what a trade may cost until nothing is left, bps of what is traded.

Source: Grinold & Kahn (2000), "Active portfolio management", 2nd edition, chapters 6 and 12 (information coefficient
and its decay).
"""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np

from podshop import maths
from podshop.execution.calibration import EDGES
from podshop.execution.voices import voices
from podshop.market import resample
from podshop.maths import rolling
from podshop.nouns import DAY_NS, Funding, Market, Panel, Times, duration_ns, utc_text
from podshop.research.evidence import correlation, difference, hit_rate, mean_ratio
from podshop.run.calibrate import Calibrator, horizon_bars, worth
from podshop.run.config.sections import Fund, SignalSeat
from podshop.run.heard import correlations
from podshop.run.opinions import Progress, Seat
from podshop.run.silence import Silence

RISK_DAYS = 30
LAGS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)  # of the horizon
SURE, HALF_SURE = 0.65, (0.45, 0.65)  # around 0.55
PAY_BLOCK_DAYS = 5


def score(
    fund: Fund, market: Market, funding: Funding, since_ns: int, until_ns: int, progress: Progress
) -> dict[str, Any]:
    """Score every signal agent of a fund on (since, until].

    market  the fund's markets with every column its agents read, and the warm-up before `since`
    ->      what `podshop agents score --json` prints: agents (one card each), correlations, names, period, notes
    """
    market = market[: int(np.searchsorted(market.time, until_ns, side="right"))]
    bars: dict[int, Market] = {}
    cards, daily = [], []
    for i, seat in enumerate(fund.signals):
        progress(i, len(fund.signals), seat.name)
        bar_ns = duration_ns(seat.agent.bar)
        if bar_ns not in bars:
            bars[bar_ns] = resample(market, bar_ns)
        mine = bars[bar_ns].pick(seat.markets)
        said, rows = _said(seat, mine, fund, since_ns, until_ns)
        cards.append(_card(seat, mine, rows, said, funding, market.names, fund))
        daily.append(_at_midnights(mine.time[rows], said, seat, market.names, since_ns, until_ns))
    cost_bps = fund.venue.taker_fee_bps + fund.venue.half_spread_bps
    return {
        "fund": fund.name,
        "period": {"since": utc_text(since_ns), "until": utc_text(until_ns), "interval": fund.market.interval},
        "cost_bps": cost_bps,
        "trials": len(cards),
        "names": [seat.name for seat in fund.signals],
        "agents": cards,
        "correlations": correlations(daily).tolist(),
        "luck": _luck(cards),
        "gross": True,
    }


def _said(seat: SignalSeat, mine: Market, fund: Fund, since_ns: int, until_ns: int) -> tuple[Panel, slice]:
    """An agent's convictions on its own bars of the period, and which rows those are."""
    first, last = (int(i) for i in np.searchsorted(mine.time, [since_ns, until_ns], side="right"))
    return Seat(seat, mine, fund.confidence).convictions(first, last), slice(first, last)


def _card(
    seat: SignalSeat,
    mine: Market,
    rows: slice,
    said: Panel,
    funding: Funding,
    names: tuple[str, ...],
    fund: Fund,
) -> dict[str, Any]:
    """One agent's scorecard."""
    agent, bars = seat.agent, horizon_bars(seat.agent)
    time, close = mine.time[rows], mine.columns["close"]
    listed = ~np.isnan(close[rows])
    value = worth(mine, funding, [names.index(name) for name in mine.names])
    risk = _risk(close, mine.interval_ns, bars)
    opinion = np.where(listed, said, np.nan)
    silence = Silence(seat, mine)
    silence.add(rows.start, opinion)

    def sample(lag_bars: int) -> tuple[Panel, Panel]:
        """Convictions a horizon apart, and the return, in its own deviations, that begins `lag_bars` later."""
        followed = (_followed(value, bars, lag_bars) / risk)[rows]
        apart = (time // mine.interval_ns) % bars == 0
        return opinion[apart], followed[apart]

    x, y = sample(0)
    voice = voices(
        np.ascontiguousarray(said),
        np.zeros(said.shape[1], np.int64),
        fund.confidence.open,
        fund.confidence.close,
    )
    return {
        "name": seat.name,
        "kind": seat.kind,
        "family": agent.family,
        "about": (type(agent).__doc__ or "").partition("\n")[0],
        "bar": agent.bar,
        "horizon_bars": bars,
        "horizon_hours": bars * mine.interval_ns / 3.6e12,
        "lookback_bars": agent.lookback_bars,
        "reads": list(agent.reads),
        "markets": list(seat.markets),
        "coverage": float(np.isfinite(opinion).sum() / max(listed.sum(), 1)),
        "opinions": int(np.isfinite(opinion).sum()),
        "silent": silence.rows(),
        "ic": asdict(correlation(x, y)),
        "hit_rate": asdict(hit_rate(x, y)),
        "open_share": float(np.count_nonzero(np.nan_to_num(voice)) / max(np.isfinite(voice).sum(), 1)),
        **_pay(time, voice, _followed(value, 1, 0)[rows], mine.interval_ns, bars, fund),
        "decay": [_decay(sample, round(lag * bars)) for lag in dict.fromkeys(LAGS)],
        "calibration": _calibration(x, y),
        "sharper": _sharper(x, y),
        "calibrated": _calibrated(seat, mine, rows, said, funding, names) if seat.calibrated else None,
    }


def _followed(value: Panel, bars: int, lag_bars: int) -> Panel:
    """(T, M) what a long earned over `bars` bars that begin `lag_bars` later; NaN where a price is missing."""
    answer = np.full(value.shape[::-1], np.nan).T
    end = len(value) - bars - lag_bars
    if end > 0:
        answer[:end] = value[lag_bars + bars :] - value[lag_bars : lag_bars + end]
    return answer


def _risk(close: Panel, interval_ns: int, bars: int) -> Panel:
    """(T, M) deviation of what `bars` bars do, known at the row; of 30 days, of which half will do."""
    window = max(RISK_DAYS * DAY_NS // interval_ns, 10)
    return np.asarray(rolling.std(maths.log_return(close), window, at_least=window // 2) * np.sqrt(bars))


def _pay(time: Times, voice: Panel, followed: Panel, interval_ns: int, bars: int, fund: Fund) -> dict[str, Any]:
    """What its voice would have earned and traded: bps of what is traded, and how often a day it turns over.

    Resampled in blocks of at least the horizon, `bars`: a month's opinion is one observation of what it pays, not six.
    """
    held = np.nan_to_num(voice)
    traded = np.abs(np.diff(held, axis=0, prepend=0.0 * held[:1])).sum(axis=1)
    earned = (held * np.nan_to_num(followed)).sum(axis=1)
    days, of_day = np.unique(time // DAY_NS, return_inverse=True)
    earned_by_day, traded_by_day = (
        np.bincount(of_day, series, len(days)).astype(np.float64) for series in (earned, traded)
    )
    horizon_days = -(-bars * interval_ns // DAY_NS)
    even = mean_ratio(earned_by_day, traded_by_day, max(horizon_days, min(PAY_BLOCK_DAYS, len(days) // 30)))
    cost_bps = fund.venue.taker_fee_bps + fund.venue.half_spread_bps
    invested = np.abs(held).sum()
    per_day = DAY_NS / interval_ns
    low, value, high = (1e4 * v for v in (even.low, even.value, even.high))
    return {
        "turnover_per_day": float(traded.sum() / invested * per_day) if invested else np.nan,
        "gross_bps_per_day": float(1e4 * earned.sum() / invested * per_day) if invested else np.nan,
        "break_even_bps": {"value": value, "low": low, "high": high},
        "pays": "yes"
        if low > cost_bps
        else "no"
        if high < cost_bps
        else "cannot tell"
        if np.isfinite(low)
        else "unknown",
    }


def _decay(sample: Any, lag_bars: int) -> dict[str, Any]:
    found = correlation(*sample(lag_bars))
    return {"lag_bars": lag_bars, "ic": found.value, "low": found.low, "high": found.high}


def _calibration(x: Panel, y: Panel) -> list[dict[str, Any]]:
    """How often it was right at each strength of conviction."""
    table = []
    for low, high in pairwise(EDGES):
        found = hit_rate(_between(x, low, high), y)
        table.append(
            {
                "from": low,
                "to": high,
                "count": found.count,
                "hit_rate": found.value,
                "low": found.low,
                "high": found.high,
            }
        )
    return table


def _sharper(x: Panel, y: Panel) -> dict[str, Any]:
    """Whether convictions of 0.65 and more were right more often than those about 0.55."""
    found = difference((_between(x, *HALF_SURE), y), (_between(x, SURE, 1.0), y))
    answer = "yes" if found.low > 0 else "no, less often" if found.high < 0 else "cannot tell"
    answer = answer if np.isfinite(found.low) else "unknown"
    return {"difference": found.value, "low": found.low, "high": found.high, "answer": answer}


def _calibrated(
    seat: SignalSeat, mine: Market, rows: slice, said: Panel, funding: Funding, names: tuple[str, ...]
) -> list[dict[str, Any]]:
    """What `calibrated = true` asks for, at the last row: for each market how often opinions as strong were right."""
    found = Calibrator(seat, mine, funding, names).rows(rows.start, said)
    if not len(said):
        return []
    return [
        {
            "market": name,
            "conviction": float(said[-1, m]),
            "hit_probability": float(found.hit_probability[-1, m]),
            "low": float(found.low[-1, m]),
            "high": float(found.high[-1, m]),
            "count": int(np.nan_to_num(found.count[-1, m])),
        }
        for m, name in enumerate(mine.names)
    ]


def _between(x: Panel, low: float, high: float) -> Panel:
    size = np.abs(x)
    return np.where((size >= low) & ((size < high) | (high >= 1.0)), x, np.nan)


def _at_midnights(
    time: Times, said: Panel, seat: SignalSeat, names: tuple[str, ...], since_ns: int, until_ns: int
) -> Panel:
    """(D x M,) the conviction in force at each 00:00, for every market of the fund; NaN for those it does not cover."""
    midnights = np.arange(since_ns // DAY_NS + 1, until_ns // DAY_NS + 1) * DAY_NS
    row = np.searchsorted(time, midnights, side="right") - 1
    whole = np.full((len(midnights), len(names)), np.nan)
    for m, name in enumerate(seat.markets):
        if len(time):
            whole[:, names.index(name)] = np.where(row >= 0, said[np.maximum(row, 0), m], np.nan)
    return whole.ravel()


def _luck(cards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How many information coefficients lie above zero for sure, and how many would among worthless agents."""
    known = [card["ic"] for card in cards if np.isfinite(card["ic"]["low"])]
    return {
        "scored": len(known),
        "above_zero": sum(ic["low"] > 0 for ic in known),
        "below_zero": sum(ic["high"] < 0 for ic in known),
        "expected_by_luck": 0.05 * len(known),
    }
