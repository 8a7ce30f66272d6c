"""What only the market decides, row by row as bars close: what `run/facts.py` makes of whole arrays, to the bit.

History is worked through once, as a backtest does it. From there each new bar costs one row, and what is measured on
risk bars (covariance, volatility, usual volume) is measured anew when one of those is complete, on arrays that begin
where the calendar's chunk has them begin.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from podshop import maths
from podshop.execution.volatility import HALF_LIVES
from podshop.live.brain.growing import Grown, Lengths
from podshop.market.prices import LARGEST_MICRO, NEVER, SMALLEST_MICRO
from podshop.nouns import ASSUMED, DAY_NS, HOUR_NS, Flags, Funding, Market, Panel, Times, Whole
from podshop.risk import covariance as risk
from podshop.run.chunks import chunk_ns
from podshop.run.facts import (
    COVARIANCE_CHUNK_NS,
    MarketFacts,
    covariance_of,
    daily_close,
    usual_volume,
    volatility_of,
)
from podshop.run.state import Facts
from podshop.venues.simulated.fills import liquidity, queued

LONGEST_COVER_NS = 8 * HOUR_NS
CARRY_FRESH_NS = 16 * HOUR_NS
KEPT_RISK_NS = 800 * DAY_NS  # of returns: more than any risk agent is shown


class Row(NamedTuple):
    """One cycle: its facts as a stretch of one, and volatilities by half-life. `reference` is 0 until the next bar."""

    facts: Facts
    sigma: dict[int, Panel]


class GrowingFacts:
    """Facts of a market that grows. `waiting` holds the rows that nobody has finished yet, the newest last."""

    def __init__(self, whole: MarketFacts, lengths: Lengths, half_lives_ns: Sequence[int]) -> None:
        """whole: facts of all history so far; lengths: the same history, with its risk bars among them."""
        self._lengths, self._lives = lengths, tuple(sorted(set(half_lives_ns)))
        self.scale, self.first_trade = whole.scale, whole.first_trade.copy()
        self._terms = whole
        self.interval_ns, self._risk_ns = whole.market.interval_ns, whole.bars.interval_ns
        last = len(whole.market) - 1
        facts = whole.stretch(last, last + 1)
        self.waiting = [Row(facts, {ns: whole.sigma_own(ns, facts) for ns in self._lives})]
        self._mark, self._age, self._frozen = (part[last].copy() for part in (whole.mark, whole.age, whole.frozen))
        self._last_bar_ns = _last_bars(whole.market)
        self._paid_ns, self._per_hour = _latest_funding(whole.funding, len(whole.market.names))
        self._risk_first_ns = int(whole.bars.time[0])
        self._returns = Grown(whole.log_return)
        self._close_before = whole.bars.columns["close"][-1:].copy()
        self._volume_rows = max(whole.volume_window_ns // self._risk_ns, 1)
        self._volume = Grown(whole.bars.columns["volume"][-self._volume_rows :])
        at = np.flatnonzero(whole.market.time % DAY_NS == 0)
        self._closes = daily_close(whole.mark[at], whole.age[at], self.interval_ns)
        self._days = whole.market.time[at]
        self._daily = maths.log_return(self._closes)[1:], self._days[1:]
        self._measured = facts.covariance, facts.sigma, facts.depth, facts.liquidity, facts.queued
        self._own = self.waiting[-1].sigma

    @property
    def last_ns(self) -> int:
        """Close of the newest bar."""
        return int(self.waiting[-1].facts.time[0])

    def add(self, bar: Market, funding: Funding) -> None:
        """One bar, which `lengths` holds already, and what was settled since the bar before."""
        now = int(bar.time[0])
        columns = {name: panel[0] for name, panel in bar.columns.items()}
        traded = columns["volume"] > 0
        self._finish_last(columns["open"], traded)
        before = self._mark
        self._mark_to(columns["close"], traded)
        self._last_bar_ns = np.where(np.isnan(columns["volume"]), self._last_bar_ns, now)
        never = self.first_trade > now
        self.first_trade = np.where(never & traded, now, self.first_trade)
        dead = (self._last_bar_ns >= 0) & (now - self._last_bar_ns >= DAY_NS) & traded.any()
        if now % self._risk_ns == 0:
            self._measure(now)
        if now % DAY_NS == 0:
            self._close_day(now)
        self._pay(funding)
        fresh = (self._paid_ns >= 0) & (now - self._paid_ns <= CARRY_FRESH_NS)
        low, high = columns["low"], columns["high"]
        ranged = traded & (low > 0) & (high > 0)
        covariance, sigma, depth, most, behind = self._measured
        last = self.waiting[-1].facts
        facts = Facts(
            time=np.array([now], np.int64),
            mark=self._mark[None],
            age=self._age[None],
            frozen=self._frozen[None],
            reference=np.zeros((1, len(self.scale)), np.int64),
            mark_before=before,
            reference_before=last.reference[0],
            low=np.ceil(np.where(ranged, low, 0.0) * self.scale).astype(np.int64)[None],
            high=np.floor(np.where(ranged, high, 0.0) * self.scale).astype(np.int64)[None],
            carry=np.where(fresh, self._per_hour, np.nan)[None],
            dead=dead[None],
            risk_row=np.zeros(1, np.int64),
            covariance=covariance,
            sigma=sigma,
            depth=depth,
            liquidity=most,
            queued=behind,
            funding_until=np.array([0, len(funding.at_ns)]),
            funding_at=funding.at_ns,
            funding_market=funding.market,
            funding_rate=funding.rate,
            funding_source=funding.source,
        )
        self.waiting.append(Row(facts, self._own))

    def daily_returns(self) -> tuple[Panel, Times]:
        """(D, M) log return of each whole day, and when it ended; NaN where nothing traded in it."""
        return self._daily

    def risk_returns(self, at_ns: int, days: int) -> tuple[Panel, int]:
        """(R, M) log returns of the risk bars of the last `days` days, the last one closed by then; length of a bar."""
        end = (at_ns - self._risk_first_ns) // self._risk_ns + 1
        return self._returns.panel[max(end - round(days * DAY_NS / self._risk_ns), 0) : end], self._risk_ns

    def drop_old(self) -> None:
        """Forget returns that nobody looks back to."""
        rows = max(self._risk_row(self.last_ns - KEPT_RISK_NS), 0)
        self._returns.drop(rows)
        self._risk_first_ns += rows * self._risk_ns
        self._volume.drop(max(len(self._volume) - self._volume_rows, 0))

    def _finish_last(self, opens: Panel, traded: Flags) -> None:
        """The open of this bar is the price that the cycle before could have had."""
        price = np.where(traded & (opens > 0), opens, 0.0)
        reference = np.rint(price * self.scale).astype(np.int64)
        last = self.waiting[-1]
        self.waiting[-1] = last._replace(facts=last.facts._replace(reference=reference[None]))

    def _mark_to(self, close: Panel, traded: Flags) -> None:
        """Mark what traded at a price that can be one."""
        exact = np.where(traded & (close > 0), close, 0.0) * self.scale
        known = (exact >= SMALLEST_MICRO) & (exact <= LARGEST_MICRO)
        mark = np.where(known, np.rint(np.where(known, exact, 0.0)).astype(np.int64), self._mark)
        same = (mark == self._mark) & (mark != 0)
        self._frozen = np.where(same, self._frozen + 1, 0).astype(np.int32)
        self._age = np.where(known, 0, np.where(self._age >= NEVER, NEVER, self._age + 1))
        self._mark = mark

    def _measure(self, now: int) -> None:
        """A risk bar is complete: returns, covariance, volatilities, depth."""
        bar = self._lengths.of(self._risk_ns).market[-1:]
        close = bar.columns["close"]
        self._returns.add(maths.log_return(np.concatenate([self._close_before, close]))[1:])
        self._close_before = close.copy()
        self._volume.add(bar.columns["volume"])
        returns = self._returns.panel
        first = len(returns) - 1
        begin = self._chunk_begin(now, COVARIANCE_CHUNK_NS)
        age = risk.age_days(np.array([now]), self.first_trade)
        covariance = covariance_of(returns, begin, first, age, self._risk_ns)
        variance = np.einsum("hii->hi", covariance)
        sigma = np.sqrt(np.where(variance > 0, variance, np.nan))
        volume = self._volume.panel[-self._volume_rows :]
        usual = usual_volume(volume, self._terms.volume_window_ns, self._risk_ns)[-1:]
        depth = np.ascontiguousarray(usual * self._terms.per_day / self._terms.lot_size)
        costs = self._terms.costs
        most = liquidity(depth, sigma, self.interval_ns, **costs)
        behind = queued(depth, self.interval_ns, costs["participation"], self._terms.queue)
        self._measured = covariance, sigma, depth, most, behind
        self._own = {ns: self._volatility(ns, returns, now, sigma) for ns in self._lives}

    def _volatility(self, half_life_ns: int, returns: Panel, now: int, sigma: Panel) -> Panel:
        """As `MarketFacts.sigma_own` has it."""
        if half_life_ns == risk.HALF_LIFE_DAYS * DAY_NS:
            return sigma
        begin = self._chunk_begin(now, chunk_ns(HALF_LIVES * half_life_ns, "volatility_half_life"))
        own = volatility_of(returns, begin, len(returns) - 1, half_life_ns, self._risk_ns)
        return np.where(np.isnan(sigma), np.nan, own)

    def _chunk_begin(self, now: int, length_ns: int) -> int:
        """First row of the chunk in which `now` lies."""
        return max(self._risk_row(now // length_ns * length_ns), 0)

    def _risk_row(self, at_ns: int) -> int:
        """The first risk bar that closed at this instant or later."""
        return -(-(at_ns - self._risk_first_ns) // self._risk_ns)

    def _close_day(self, now: int) -> None:
        close = daily_close(self._mark[None], self._age[None], self.interval_ns)
        self._closes = np.concatenate([self._closes, close])
        self._days = np.append(self._days, now)
        self._daily = maths.log_return(self._closes)[1:], self._days[1:]

    def _pay(self, funding: Funding) -> None:
        """Remember the latest rate of each market that somebody recorded."""
        for at_ns, m, rate, source in zip(funding.at_ns, funding.market, funding.rate, funding.source, strict=True):
            if source != ASSUMED:
                before = self._paid_ns[m] if self._paid_ns[m] >= 0 else at_ns - LONGEST_COVER_NS
                span_ns = np.minimum(at_ns - before, LONGEST_COVER_NS)
                with np.errstate(divide="ignore", invalid="ignore"):
                    self._per_hour[m] = rate / (span_ns / HOUR_NS)
                self._paid_ns[m] = at_ns


def _last_bars(market: Market) -> Whole:
    """(M,) close of the last bar there is; -1 where there is none."""
    is_bar = ~np.isnan(market.columns["volume"])
    rows = np.where(is_bar, np.arange(len(market))[:, None], -1).max(axis=0)
    return np.where(rows >= 0, market.time[np.maximum(rows, 0)], -1)


def _latest_funding(funding: Funding, markets: int) -> tuple[Whole, Panel]:
    """(M,) time of the latest recorded settlement, -1 = none, and its rate per hour."""
    paid_ns, per_hour = np.full(markets, -1, np.int64), np.full(markets, np.nan)
    for m in range(markets):
        mine = (funding.market == m) & (funding.source != ASSUMED)
        at_ns, rate = funding.at_ns[mine], funding.rate[mine]
        if len(at_ns):
            before = at_ns[-2] if len(at_ns) > 1 else at_ns[-1] - LONGEST_COVER_NS
            span_ns = min(int(at_ns[-1] - before), LONGEST_COVER_NS)
            with np.errstate(divide="ignore", invalid="ignore"):
                per_hour[m] = rate[-1] / np.float64(span_ns / HOUR_NS)
            paid_ns[m] = at_ns[-1]
    return paid_ns, per_hour
