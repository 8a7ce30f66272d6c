"""The history that the loopback exchange walks through: what a backtest reads, row by row, and nothing more.

At a time t inside [t_k, t_k+1) the middle of the book is the open of bar k+1, which is what a backtest calls the
reference of cycle k; the mark is the close of the last bar with trading, up to bar k (docs/semantics.md, section 9).
"""

from typing import NamedTuple, Protocol

import numpy as np

from podshop.market import marks, ranges, references
from podshop.nouns import DAY_NS, Flags, Funding, Instrument, Market, Panel, Times, Whole
from podshop.nouns.venue import Quote

ENDLESS = 1 << 31  # lots that one bar bears where nobody said how liquid it is


class Liquid(NamedTuple):
    """How much one bar bears and what it costs to take it, as the backtest sees it. Risk rows are coarser than bars.

    first_row     row of the market's time that risk_row[0] belongs to
    risk_row      (K,) last complete risk bar of each row
    depth, sigma  (H, M) lots a day, daily volatility; NaN = unknown: then nothing can be taken
    most, queued  (H, M) lots that one bar fills of what is taken, and of what rests
    """

    first_row: int
    risk_row: Whole
    depth: Panel
    sigma: Panel
    most: Whole
    queued: Whole


class Stretch(Protocol):
    """The part of `run.state.Facts` that says how liquid markets are."""

    @property
    def risk_row(self) -> Whole:
        """(K,)"""
        ...

    @property
    def depth(self) -> Panel:
        """(H, M)"""
        ...

    @property
    def sigma(self) -> Panel:
        """(H, M)"""
        ...

    @property
    def liquidity(self) -> Whole:
        """(H, M)"""
        ...

    @property
    def queued(self) -> Whole:
        """(H, M)"""
        ...


class MarketFacts(Protocol):
    """The part of `run.facts.MarketFacts` that is needed here; venues know nothing of run."""

    market: Market

    def stretch(self, first: int, last: int) -> Stretch:
        """Facts of the rows [first, last)."""
        ...


def liquid_of(facts: MarketFacts, since_ns: int) -> Liquid:
    """How liquid the markets of a backtest are, from `since` to their end: the same numbers, so the same fills."""
    first = int(np.searchsorted(facts.market.time, since_ns))
    found = facts.stretch(first, len(facts.market))
    return Liquid(first, found.risk_row, found.depth, found.sigma, found.liquidity, found.queued)


class Tape:
    """Columns of a market in whole micro-dollars per lot, by row (bar close) and market.

    time       (T,) bar closes;  mark, age, reference, low, high  (T, M);  dead  (T, M)
    funding    settlements in the order of time
    """

    def __init__(
        self, market: Market, funding: Funding, instruments: tuple[Instrument, ...], liquid: Liquid | None = None
    ) -> None:
        scale = np.array([each.lot_micro_scale for each in instruments])
        self.names, self.interval_ns = market.names, market.interval_ns
        self.market, self.funding = market, funding
        self.time: Times = market.time
        self.mark, self.age = marks(market, scale)
        self.reference = references(market, scale)
        self.low, self.high = ranges(market, scale)
        self.dead = _dead(market)
        self.liquid = _endless(len(market), len(market.names)) if liquid is None else liquid

    def row(self, now_ns: int) -> int:
        """The last bar that has closed by now; -1 before the first."""
        return int(np.searchsorted(self.time, now_ns, side="right")) - 1

    def mids(self, row: int, now_ns: int) -> dict[str, Quote]:
        """The middle of the book of every market that trades in the bar after this row."""
        found = zip(self.names, self.reference[row].tolist(), strict=True)
        return {name: Quote(price, now_ns) for name, price in found if price > 0}

    def marks(self, row: int) -> dict[str, Quote]:
        """Close of each market's last bar with trading up to this row, and when it ended."""
        if row < 0:
            return {}
        found = zip(self.names, self.mark[row].tolist(), self.age[row].tolist(), strict=True)
        closed_ns = int(self.time[row])
        return {name: Quote(mark, closed_ns - age * self.interval_ns) for name, mark, age in found if mark > 0}

    def liquidity(self, row: int, m: int) -> tuple[float, float, int, int]:
        """Depth, daily volatility, most lots taken, most lots of what rests, for orders of this row."""
        at = row - self.liquid.first_row
        if at < 0 or at >= len(self.liquid.risk_row):
            return 1.0, 0.0, 0, 0
        h = int(self.liquid.risk_row[at])
        most, queued = int(self.liquid.most[h, m]), int(self.liquid.queued[h, m])
        return float(self.liquid.depth[h, m]), float(self.liquid.sigma[h, m]), most, queued


def _endless(rows: int, markets: int) -> Liquid:
    whole = np.full((1, markets), ENDLESS, np.int64)
    return Liquid(0, np.zeros(rows, np.int64), np.full((1, markets), 1e18), np.zeros((1, markets)), whole, whole)


def _dead(market: Market) -> Flags:
    """(T, M) no bar for a day while another market trades in this one."""
    volume = market.columns["volume"].T
    rows = np.arange(len(market))
    last_bar = np.maximum.accumulate(np.where(~np.isnan(volume), rows, -1), axis=1)
    quiet_ns = (rows - last_bar) * market.interval_ns
    dead: Flags = (last_bar >= 0) & (quiet_ns >= DAY_NS) & (volume > 0).any(axis=0)
    return dead.T
