"""The fund's loop: stretches of compiled cycles, and between them the Python agents that are due.

Knows neither files nor reports: it takes facts, asks signals, runs shadows and the fund, and hands every row on.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from podshop.nouns import (
    DAY_NS,
    HOUR_NS,
    MINUTE_NS,
    ConfigError,
    Flags,
    LedgerError,
    Times,
    Whole,
    duration_ns,
    utc_text,
)
from podshop.run import cycle, opinions, wishes
from podshop.run.config.sections import Fund as FundFile
from podshop.run.desk import Desk, Seen
from podshop.run.facts import MarketFacts
from podshop.run.opinions import Progress, Seat
from podshop.run.shadows import ShadowBooks
from podshop.run.state import Facts, Rows, new_fund, new_rows, new_work
from podshop.run.state import Shadows as ShadowTargets
from podshop.run.tables import Sink, Tables
from podshop.run.terms import terms_of
from podshop.run.treasurer import Treasurer

MOST_LOTS = 1 << 30  # half of what an allotment can carry: prices may halve until the next midnight


class Stretch(NamedTuple):
    """A stretch of K cycles, ready for the fund's own loop."""

    facts: Facts
    limits: Flags  # (K,) risk agents are due
    treasury: Flags  # (K,) treasury agents are due
    targets: ShadowTargets
    equity: Whole  # (K, B) of the shadows, where it is looked at


class Run:
    """One fund over one period. `run()` drives it; afterwards the attributes hold what it came to.

    overlap  prepare the next stretch on another core while the fund trades this one: nothing in it depends on the fund
    """

    overlap = True

    def __init__(self, file: FundFile, facts: MarketFacts, seats: dict[str, Seat], sink: Sink) -> None:
        self.file, self.facts, self.seats = file, facts, seats
        self.interval_ns = duration_ns(file.market.interval)
        self.books = tuple(m.name for m in file.mandates)
        self.terms = terms_of(file, facts.first_trade)
        markets, books = len(file.market.markets), len(self.books)
        self.fund, self.work = new_fund(markets, books), new_work(markets, books)
        self.tables = Tables(sink, self.interval_ns, facts.scale)
        self.stretch_ns = stretch_ns(self.interval_ns)
        self.shadows = ShadowBooks(file, facts, self.terms, seats)
        self.desk = Desk(file, facts)
        self.desk.begin(self.fund)
        self.treasurer = Treasurer(file, self.terms.reference_micro)
        self.rows: Rows = new_rows(markets, books, cycles=self.stretch_ns // self.interval_ns)
        self.equity = np.full(books, self.terms.reference_micro)
        self.equity_peak = self.equity.copy()
        self.equity_midnight: Whole | None = None
        self.daily_return = np.empty((0, books))
        self.ended_ns: int | None = None  # NAV fell to nothing

    def run(self, times: Times, progress: Progress) -> None:
        """Decide at each of `times[:-1]`; strike the last NAV row at `times[-1]`."""
        first, end = self.facts.row(int(times[0])), self.facts.row(int(times[-1]))
        self.shadows.begin(int(times[0]))
        self._deposit(int(times[0]))
        rows = self._rows(times, first, end)
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self._prepare, *rows[0], True)
            for i, (_, last) in enumerate(rows):
                stretch = coming.result()
                if self.overlap and i + 1 < len(rows):
                    coming = ahead.submit(self._prepare, *rows[i + 1], False)
                self._live(stretch)
                progress(last - first, end - first, utc_text(int(times[last - first])))
                if self.ended_ns is not None:
                    break
                if not self.overlap and i + 1 < len(rows):
                    coming = ahead.submit(self._prepare, *rows[i + 1], False)
        if self.ended_ns is None:
            facts = self.facts.stretch(end, end + 1)
            cycle.open_cycle(self.fund, self.work, self.terms, facts, self.rows, 0)
            self.tables.flush(self.rows, facts)
            self._close_wishes(facts, 0)
        self._check()

    def _rows(self, times: Times, first: int, end: int) -> list[tuple[int, int]]:
        """Rows [first, last) of every stretch: they end at the same instants whenever a run began."""
        rows, row = [], first
        while row < end:
            boundary = (int(times[row - first]) // self.stretch_ns + 1) * self.stretch_ns
            last = min(self.facts.row(boundary), end)
            rows.append((row, last))
            row = last
        return rows

    def _prepare(self, row: int, last: int, starts: bool) -> Stretch:
        """What rows [row, last) need before the fund's own loop: facts, signals, shadows."""
        facts = self.facts.stretch(row, last)
        limits = np.zeros(len(facts.time), np.bool_)
        for cadence_ns in self.desk.cadences_ns:
            limits |= opinions.fires(facts.time, self.interval_ns, cadence_ns)
        treasury = facts.time % DAY_NS == 0
        limits[0] |= starts
        treasury[0] |= starts
        strike = limits | treasury | opinions.fires(facts.time, self.interval_ns, HOUR_NS)
        targets, equity = self.shadow_targets(facts, strike)
        return Stretch(facts, limits, treasury, targets, equity)

    def _live(self, stretch: Stretch) -> None:
        """The fund's cycles over one stretch."""
        facts, limits, treasury, targets, equity = stretch
        due = limits | treasury
        peaks = np.maximum(np.maximum.accumulate(equity, axis=0), self.equity_peak)
        k, why, is_open = 0, cycle.FULL, False
        while why != cycle.END:
            k, why = cycle.span(self.fund, self.work, self.terms, facts, targets, due, self.rows, k, is_open)
            is_open = why == cycle.DUE
            if why == cycle.DUE:
                self.equity, self.equity_peak = equity[k], peaks[k]
                self._python(facts, k, bool(treasury[k]), bool(limits[k]))
            else:
                self.tables.flush(self.rows, facts)
            if why == cycle.RUINED:
                self.ended_ns = int(facts.time[k])
                self._close_wishes(facts, k)
                return
        self.equity_peak = peaks[-1]

    def shadow_targets(self, facts: Facts, strike: Flags) -> tuple[ShadowTargets, Whole]:
        """Run every shadow book over the stretch; equity (K, B) where `strike`."""
        return self.shadows.decide(facts, strike)

    def _close_wishes(self, facts: Facts, k: int) -> None:
        """At the end every wish is over; the last row of costs says what it came to."""
        fund = self.fund
        wishes.close_wishes(fund.wished, fund.lots, fund.decision, fund.costs, facts.mark[k])
        self.tables.costs(int(facts.time[k]), fund)

    def _python(self, facts: Facts, k: int, treasury: bool, limits: bool) -> None:
        """Call the agents that are due in the middle of cycle k: the treasury, then risk; then write the books."""
        at_ns = int(facts.time[k])
        if treasury:
            if at_ns % DAY_NS == 0:
                self._close_day()
            self._check_lots(facts.mark[k])
            worth = self.fund.cash + self.fund.lots.T @ facts.mark[k]
            self._allocate(at_ns, worth)
        if limits:
            self.desk.look(facts, k, self.fund, Seen(self.equity, self.equity_peak, self.daily_return))
        if treasury:
            self.tables.costs(at_ns, self.fund)
            self.tables.books(at_ns, self.fund, worth, self.treasurer.weights, self.equity)

    def _close_day(self) -> None:
        """At midnight: what each shadow made of its day."""
        if self.equity_midnight is not None:
            change = (self.equity - self.equity_midnight) / self.terms.reference_micro
            self.daily_return = np.concatenate([self.daily_return[-365:], change[None]])
        self.equity_midnight = self.equity

    def _allocate(self, at_ns: int, equity: Whole) -> None:
        """Move capital to where the treasury wants it. equity: (B1,) of every book, before the transfers."""
        fund, house = self.fund, len(self.books)
        nav = int(fund.nav[0])
        weights = self.treasurer.share(at_ns, self.daily_return, nav)
        fund.refresh[:house] |= self.treasurer.suspended  # who is out goes at once
        capital = np.floor(weights * nav).astype(np.int64)
        transfer = np.zeros(house + 1, np.int64)
        transfer[:house] = capital - equity[:house]
        transfer[house] = -transfer.sum()
        fund.cash[:] += transfer
        fund.capital[:house] = capital
        fund.capital[house] = nav - capital.sum()
        self.tables.transfers(at_ns, fund, transfer, "allocation")

    def _deposit(self, first_ns: int) -> None:
        """The owner's money to the house, then house to books, one interval before the first decision."""
        fund, house = self.fund, len(self.books)
        at_ns = first_ns - self.interval_ns
        total = self.terms.reference_micro
        deposit = np.zeros(house + 1, np.int64)
        deposit[house] = total
        shares = np.full(house + 1, total // house)
        shares[house] = -shares[:house].sum()
        for change, reason in ((deposit, "deposit"), (shares, "allocation")):
            fund.cash[:] += change
            self.tables.transfers(at_ns, fund, change, reason)
        fund.capital[:house] = shares[:house]
        fund.capital[house] = total - shares[:house].sum()
        fund.venue_cash[0] = total
        fund.peak[0] = fund.nav[0] = total

    def _check_lots(self, mark: Whole) -> None:
        """Quotas of an allotment are products of lots: a NAV must be worth few enough of them."""
        nav = int(self.fund.nav[0])
        for m in np.flatnonzero((mark > 0) & (nav // np.maximum(mark, 1) > MOST_LOTS)):
            lots, name = nav // int(mark[m]), self.file.market.markets[m]
            raise ConfigError(
                f"the fund's {nav / 1e6:,.0f} USD are {lots:,} lots of {name}, expected at most {MOST_LOTS:,}: "
                "set a larger lot in [venue.lots]"
            )

    def _check(self) -> None:
        """The books must sum to the venue, to the lot and the micro-dollar."""
        fund = self.fund
        lots = int(np.abs(fund.lots.sum(axis=1) - fund.venue_lots).max(initial=0))
        micro = abs(int(fund.cash.sum() - fund.venue_cash[0]))
        fund.residual[0], fund.residual[1] = max(fund.residual[0], lots), max(fund.residual[1], micro)
        if fund.residual.any():
            raise LedgerError(
                f"books and venue differ by {fund.residual[0]} lots and {fund.residual[1]} micro-dollars, expected 0"
            )


def stretch_ns(interval_ns: int) -> int:
    """How much time is worked through at once: 28 days of 5-minute cycles, less for shorter ones."""
    return next(ns for ns in (28 * DAY_NS, DAY_NS, HOUR_NS, MINUTE_NS) if ns <= 8192 * interval_ns)
