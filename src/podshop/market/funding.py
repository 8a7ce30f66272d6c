"""Funding: what several sources recorded, made one list of settlements that never looks ahead.

Rules (docs/semantics.md, section 6)
- A record stamped t covers (t - min(interval, 8 h), t]; it belongs to the UTC day of the middle of that span.
- One source per market and day: at 00:00 the first in order of preference that has settled in the 24 hours before;
  where none has, the one that settles first on that day. So what a day pays never depends on what comes later.
- An hour whose middle no record covers pays the assumed rate, both sides. Nobody can know that before a record could no
  longer come, so it is posted 8 hours after the hour's end. (Posted at once, the seven hours before each 8-hourly
  settlement would be charged twice, or only if a later record is missing: a look ahead.)
- A settlement counts only while the market is listed: from its first bar until 24 hours after the last one known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from podshop.nouns import ASSUMED, ASSUMED_SOURCE, DAY_NS, HOUR_NS, Funding, Market, Panel, Times, Whole

LONGEST_COVER_NS = 8 * HOUR_NS
POSTED_AFTER_NS = LONGEST_COVER_NS  # after its end, an hour that nobody recorded
LISTED_FOR_NS = DAY_NS  # a market without a bar for longer is gone

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Records:
    """What one source recorded of one market.

    market       base asset
    source       who recorded it
    at_ns        (N,) settlement time, UTC ns, rising
    rate         (N,) fraction of notional paid by longs to shorts for the interval
    interval_ns  (N,) time since the settlement before, > 0
    """

    market: str
    source: str
    at_ns: Times
    rate: NDArray[np.float64]
    interval_ns: Whole


def settlements(market: Market, records: Sequence[Records], sources: tuple[str, ...], assumed_bps_8h: float) -> Funding:
    """List every settlement of the market's period: real ones where recorded, assumed ones where not.

    sources         in order of preference
    assumed_bps_8h  rate of an hour that nobody recorded, in basis points per 8 hours, >= 0
    ->              Funding over (first bar's open, last bar's close]. A real and an assumed row may share a time and a
                    market; the real one comes first. `assumed_share` counts the hours whose fate is known.
    """
    names = (ASSUMED_SOURCE, *sources)
    at, of, rate, source = [], [], [], []
    share: dict[str, float] = {}
    start_ns, end_ns = _period(market)
    for m, name in enumerate(market.names):
        used = _used([r for r in records if r.market == name], sources)
        paid = (used.at_ns > start_ns) & (used.at_ns <= end_ns) & _listed(market, m, used.at_ns)
        hours = np.arange(start_ns // HOUR_NS + 1, end_ns // HOUR_NS + 1) * HOUR_NS  # an hour is named by its end
        known = hours[(hours + POSTED_AFTER_NS <= end_ns) & _listed(market, m, hours)]
        bare = known[~_covered(known, used)]
        share[name] = len(bare) / len(known) if len(known) else 0.0
        at += [used.at_ns[paid], bare + POSTED_AFTER_NS]
        rate += [used.rate[paid], np.full(len(bare), assumed_bps_8h * 1e-4 / 8)]
        source += [used.source[paid] + 1, np.full(len(bare), ASSUMED)]
        of.append(np.full(int(paid.sum()) + len(bare), m))
    at_ns, markets, sourced = (np.concatenate([np.empty(0, np.int64), *part]) for part in (at, of, source))
    order = np.lexsort((sourced == ASSUMED, markets, at_ns))
    rates = np.concatenate([np.empty(0), *rate])
    return Funding(at_ns[order], markets[order], rates[order], sourced[order], names, share)


def funding_per_hour(market: Market, records: Sequence[Records], sources: tuple[str, ...]) -> Panel:
    """The rate per hour of the latest real settlement known at each bar's close.

    -> (T, M), longs pay where > 0; NaN where nothing is known, where the latest is older than twice its span, and where
       the market is not listed. Assumed rates are never seen here.
    """
    panel = np.full((len(market.names), len(market)), np.nan)
    for m, name in enumerate(market.names):
        used = _used([r for r in records if r.market == name], sources)
        if len(used.at_ns) == 0:
            continue
        latest = np.searchsorted(used.at_ns, market.time, side="right") - 1
        i = np.maximum(latest, 0)
        fresh = (latest >= 0) & (market.time - used.at_ns[i] <= 2 * used.span_ns[i]) & _listed(market, m, market.time)
        panel[m] = np.where(fresh, used.rate[i] / (used.span_ns[i] / HOUR_NS), np.nan)
    return panel.T


@dataclass(frozen=True, slots=True)
class _Used:
    """The records of one market that count: one source per day, in the order of time."""

    at_ns: Times
    rate: NDArray[np.float64]
    span_ns: Whole
    source: Whole  # index into the order of preference


def _used(records: Sequence[Records], sources: tuple[str, ...]) -> _Used:
    """Keep each day's records of the one source chosen for it."""
    ranked = [(s, r) for s, source in enumerate(sources) for r in records if r.source == source]
    rank = np.concatenate([np.empty(0, np.int64), *(np.full(len(r.at_ns), s) for s, r in ranked)])
    at_ns = np.concatenate([np.empty(0, np.int64), *(r.at_ns for _, r in ranked)])
    rate = np.concatenate([np.empty(0), *(r.rate for _, r in ranked)])
    span_ns = np.minimum(np.concatenate([np.empty(0, np.int64), *(r.interval_ns for _, r in ranked)]), LONGEST_COVER_NS)
    day = (at_ns - span_ns // 2) // DAY_NS
    keep = rank == _chosen(day, at_ns, rank, sources)
    order = np.flatnonzero(keep)[np.argsort(at_ns[keep], kind="stable")]
    return _Used(at_ns[order], rate[order], span_ns[order], rank[order])


def _chosen(day: Whole, at_ns: Times, rank: Whole, sources: tuple[str, ...]) -> Whole:
    """Choose the source of each record's day, (N,) ranks, from what was known before that record was stamped."""
    days, of_day = np.unique(day, return_inverse=True)
    order = np.lexsort((rank, at_ns))  # first come, then preference
    first = order[np.unique(of_day[order], return_index=True)[1]]
    choice = rank[first]
    midnight = days * DAY_NS
    for s in reversed(range(len(sources))):
        own = np.sort(at_ns[rank == s])
        alive = np.searchsorted(own, midnight, "right") > np.searchsorted(own, midnight - DAY_NS, "right")
        choice = np.where(alive, s, choice)
    return choice[of_day]


def _covered(hours: Times, used: _Used) -> Flags:
    """Whether the middle of each hour lies in the span of any record."""
    middle = hours - HOUR_NS // 2
    begins = np.searchsorted(middle, used.at_ns - used.span_ns, side="right")  # spans are open on the left
    ends = np.searchsorted(middle, used.at_ns, side="right")
    step = np.zeros(len(hours) + 1, np.int64)
    np.add.at(step, begins, 1)
    np.add.at(step, ends, -1)
    return np.cumsum(step)[:-1] > 0


def _listed(market: Market, m: int, at_ns: Times) -> Flags:
    """Whether a bar of the market had closed in the 24 hours up to each instant."""
    closes = market.time[~np.isnan(market.columns["volume"].T[m])]
    if len(closes) == 0:
        return np.zeros(len(at_ns), np.bool_)
    latest = np.searchsorted(closes, at_ns, side="right") - 1
    listed: Flags = (latest >= 0) & (at_ns - closes[np.maximum(latest, 0)] <= LISTED_FOR_NS)
    return listed


def _period(market: Market) -> tuple[int, int]:
    """Open of the first row's bar and close of the last's."""
    if len(market) == 0:
        return 0, 0
    return int(market.time[0]) - market.interval_ns, int(market.time[-1])
