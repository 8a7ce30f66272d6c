"""The funds of the simulation and their made-up history: the shipped fifty, and a small one of the same kinds."""

from dataclasses import replace
from functools import cache

import numpy as np

from podshop.live.brain.mind import Mind, of_time
from podshop.live.gateway.terms import Hard, Terms
from podshop.nouns import DAY_NS, HOUR_NS, Funding, Instrument, Market, duration_ns
from podshop.run.config import Fund, fifty_fund
from tests.live.gateway.world import BAR_NS, START_NS, market_of

WARM_DAYS = 32  # a market of fewer than 30 days is not bought
LENGTHS = {BAR_NS: "5m", HOUR_NS: "1h"}
HARD = Hard(
    max_weight=0.15, max_gross=1.0, max_net=0.8, max_var=0.03, max_order=0.10, turnover=20.0, daily_loss=0.5,
    variance_floor=0.0, orders_a_minute=1 << 30,
)  # fmt: skip
SPEAK = {"trend_day": 6, "trend_three_days": 24, "reversal_three_days": 12}  # bars
TRADE = ("scalper_trend", "intraday_trend", "intraday_reversal", "scalper_fade")


def small_fund(markets: tuple[str, ...], interval_ns: int = BAR_NS) -> Fund:
    """Three signals on bars of a cycle and four that trade them often: every kind of message in a tenth of the time."""
    fifty, bar = fifty_fund(), LENGTHS[interval_ns]
    signals = tuple(
        replace(seat, markets=markets, agent=replace(seat.agent, bar=bar, window_bars=SPEAK[seat.name]))
        for seat in fifty.signals
        if seat.name in SPEAK
    )
    mandates = tuple(
        replace(
            mandate, markets=markets, cadence=bar, style="taker", cost_factor=0.0, cost_budget=1.0,
            listens={name: 1.0 for name in SPEAK if (name in mandate.listens) or name == "trend_day"},
        )
        for mandate in fifty.mandates
        if mandate.name in TRADE
    )  # fmt: skip
    return replace(
        fifty,
        market=replace(fifty.market, markets=markets, interval=bar),
        signals=signals,
        mandates=mandates,
        instruments=tuple(Instrument(name, 0.1, 10.0) for name in markets),
    )


def terms_of(fund: Fund, hard: Hard = HARD) -> Terms:
    """The gateway's terms for a fund."""
    return Terms(
        fund=fund.name,
        fund_sha256=fund.sha256,
        interval_ns=duration_ns(fund.market.interval),
        markets=fund.market.markets,
        lot_sizes=tuple(each.lot_size for each in fund.instruments),
        min_notional=tuple(round(each.min_notional_usd * 1e6) for each in fund.instruments),
        books=tuple(mandate.name for mandate in fund.mandates),
        capital_micro=round(fund.capital_usd * 1e6),
        fee_e8=45_000,
        min_order_micro=20_000_000,
        hard=hard,
    )


class History:
    """Made-up bars and funding of a fund's markets.

    first   row of the last bar before the fund begins
    dies    bars from there on after which the last market trades no more; None = it lives
    """

    def __init__(self, markets: int, bars: int, seed: int, interval_ns: int = BAR_NS, dies: int | None = None) -> None:
        self.first = WARM_DAYS * DAY_NS // interval_ns - 1
        rows = self.first + 1 + bars
        drawn = market_of(markets, rows, seed)
        if dies is not None:
            for panel in drawn.columns.values():
                panel[self.first + dies :, -1] = np.nan
        time_ns = START_NS + (np.arange(rows, dtype=np.int64) + 1) * interval_ns
        self.market = Market(drawn.names, interval_ns, time_ns, drawn.columns)
        self.funding = funding_of(markets, int(time_ns[-1]))
        self.start_ns = int(self.market.time[self.first])

    def until(self, at_ns: int) -> tuple[Market, Funding]:
        """All up to the bar that closed then."""
        row = int(np.searchsorted(self.market.time, at_ns, side="right"))
        return self.market[:row], of_time(self.funding, 0, at_ns)

    def since(self, after_ns: int, until_ns: int) -> tuple[Market, Funding]:
        """What closed and was settled after one instant, up to the other."""
        first, last = np.searchsorted(self.market.time, [after_ns, until_ns], side="right").tolist()
        return self.market[first:last], of_time(self.funding, after_ns, until_ns)


def funding_of(markets: int, until_ns: int) -> Funding:
    """A settlement an hour in every market."""
    hours = np.arange(START_NS, until_ns + 1, HOUR_NS, dtype=np.int64)
    at_ns, market = (np.repeat(hours, markets), np.tile(np.arange(markets, dtype=np.int64), len(hours)))
    rate = np.where(np.arange(len(at_ns)) % 3 == 0, 1e-4, -3e-5)
    return Funding(at_ns, market, rate, np.ones(len(at_ns), np.int64), ("ASSUMED", "made up"), {})


@cache
def history_of(markets: int, bars: int) -> History:
    """One history serves all seeds of a size."""
    return History(markets, bars, seed=7)


class Brain:
    """The real mind, fed bar by bar. It can be restored from what it saved, as a new process is."""

    def __init__(self, fund: Fund, history: History) -> None:
        self.fund, self.history = fund, history
        self.mind = Mind(fund, *history.until(history.start_ns))

    def decide(self, opened):  # type: ignore[no-untyped-def]
        """Feed what has closed since, and decide."""
        if opened.at_ns > self.mind.last_ns:
            self.mind.feed(*self.history.since(self.mind.last_ns, opened.at_ns))
        return self.mind.decide(opened)

    def die(self) -> None:
        """A new process: history as far as the old one had been fed, and what the old one saved."""
        saved, at_ns = self.mind.save(), self.mind.last_ns
        self.mind = Mind(self.fund, *self.history.until(at_ns), since_ns=self.mind.began_ns)
        self.mind.restore(saved)
