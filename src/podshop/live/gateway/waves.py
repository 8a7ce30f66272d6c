"""One cycle's arithmetic: the books and the targets on arrays, judged by the machine code that a backtest runs.

`net` sums the wishes into one order a market, `reduce` passes what brings a market toward flat, `increase` passes the
rest as far as every outcome of all that is in flight stays within the limits. Nothing here sends or books anything.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from podshop.ledger.books import Books
from podshop.live.gateway.limits import floored
from podshop.live.gateway.terms import Terms
from podshop.live.messages import Targets
from podshop.maths.compiled import alone
from podshop.nouns import Flags, Panel, Whole
from podshop.nouns.verdict import CODE_NAMES, FROZEN_PRICE, LIQUIDITY, NO_HISTORY, RUNNING, STALE_PRICE
from podshop.risk import gate
from podshop.run import cycle as compiled
from podshop.run.state import Facts, new_fund, new_work
from podshop.run.state import Terms as CycleTerms

_net = alone(compiled.net)
_reduce = alone(compiled.gate_reductions)

BUSY = "IN_FLIGHT"  # an order of this market is still open: nothing ordinary is sent
RATE = "RATE"  # no more orders a minute
TURNOVER = "TURNOVER"  # enough was traded today
UNPROVEN = "UNPROVEN"  # what became of the reduction is not known yet


class Look(NamedTuple):
    """What is in flight beside this cycle's orders, by market.

    low, high  lots at which the market may end; booked where nothing is in flight
    reserved   lots that may still fill
    busy       its coin is not IDLE
    """

    low: Whole
    high: Whole
    reserved: Whole
    busy: Flags


class Waves:
    """Arrays of one fund, used again each cycle."""

    def __init__(self, terms: Terms) -> None:
        markets, books = len(terms.markets), len(terms.books)
        self.terms = terms
        self.fund, self.work = new_fund(markets, books), new_work(markets, books)
        self._lots_at = {
            f"book:{book}:lots:{market}": (m, b)
            for m, market in enumerate(terms.markets)
            for b, book in enumerate(terms.names)
        }
        transit = {f"transit:lots:{market}": (m, books) for m, market in enumerate(terms.markets)}
        self._lots_at |= transit  # counted with the house
        self._nothing = np.zeros(books + 1, np.int64)
        self.cycle_terms = self._terms(np.zeros(markets, np.int64))
        self.why: list[str] = [""] * markets  # codes that a backtest does not know
        self.covariances: tuple[Panel, ...] = ()
        self.mark, self.reference = np.zeros(markets, np.int64), np.zeros(markets, np.int64)
        self.most = np.zeros(markets, np.int64)
        self.facts: Facts

    def load(self, books: Books) -> None:
        """Take lots and marks from the ledger."""
        fund, at = self.fund, self._lots_at
        fund.lots[:] = 0
        for account, units in books.balances.items():
            if units and account in at:
                m, b = at[account]
                fund.lots[m, b] -= units
        fund.venue_lots[:] = fund.lots.sum(axis=1)
        self.mark = np.array([books.marks.get(market, 0) for market in self.terms.markets], np.int64)

    def begin(
        self, at_ns: int, targets: Targets, age: Sequence[int], frozen: Whole, reference: Sequence[int],
        own: Panel | None, nav: int, state: int,
    ) -> None:  # fmt: skip
        """Take a cycle's targets; limits have been put into `fund.limits` already.

        age, frozen  (M,) bars; reference (M,) mids, 0 = unknown
        own          (M, M) the gateway's own covariance, NaN where unknown; None = not asked
        nav          micro-dollars, less what all in flight may cost
        """
        terms, fund, house = self.terms, self.fund, len(self.terms.books)
        markets = len(terms.markets)
        fund.raw[:, :house] = [row[:house] for row in targets.raw]
        fund.raw[:, house] = fund.lots[:, house]  # what the house holds, it keeps
        fund.nav[0], fund.state[0] = nav, state
        covariance = np.array(targets.covariance).reshape(markets, markets)
        self.covariances = (covariance,)
        if own is not None:
            covariance = floored(covariance, own.diagonal(), terms.hard.variance_floor)
            self.covariances = (covariance, np.ascontiguousarray(np.nan_to_num(own)))
        self.reference = np.array(reference, np.int64)
        self.most = np.array(targets.most_lots, np.int64)
        self.cycle_terms = self._terms(at_ns - np.array(targets.history_ns, np.int64))
        self.facts = self._facts(at_ns, targets, age, np.maximum(frozen, targets.frozen_bars))
        self.why = [""] * markets

    def net(self) -> None:
        """One order a market, after its cap; opposite wishes cross inside."""
        _net(self.fund, self.work, self.cycle_terms, self.facts, 0)

    def reduce(self, look: Look) -> Whole:
        """(M,) lots of the first wave, as the gate allows them: a coin in flight sends nothing ordinary."""
        work = self.work
        for m in np.flatnonzero(look.busy):
            if work.net[m] != 0:
                self._stop(int(m), BUSY)
            work.crossed[m] = 0
        _reduce(self.fund, work, self.cycle_terms, self.facts, 0)
        return work.first.copy()

    def increase(self, look: Look, unproven: Flags, own_unknown: Flags) -> Whole:
        """(M,) lots of the second wave; `work.filled` holds what the first has filled, where that is proven.

        look         what is in flight now, orders of the first wave of unknown outcome among it
        unproven     (M,) the first wave's outcome is not known: no second leg
        own_unknown  (M,) the gateway knows too little of the market: no increase
        """
        work, fund, facts, terms = self.work, self.fund, self.facts, self.cycle_terms
        markets = len(self.terms.markets)
        covariance = self.covariances[0]
        for m in range(markets):
            if work.second[m] == 0:
                continue
            history = facts.time[0] - terms.first_trade[m]
            code = gate.refusal(fund.state[0], facts.age[0, m], facts.frozen[0, m], terms.interval_ns, history)
            if code == 0 and own_unknown[m]:
                code = NO_HISTORY
            if code != 0:
                self._veto(m, int(code), int(history))
            elif look.busy[m] or unproven[m]:
                self.why[m] = UNPROVEN
                work.second[m] = 0
            elif work.filled[m] != work.first[m]:
                work.code[m] = LIQUIDITY
                work.measured[m], work.bound[m] = abs(work.filled[m]), abs(work.first[m])
                work.second[m] = 0
        self._bound(look, covariance)
        for other in self.covariances[1:]:
            self._bound(look, other)
        self._drop_small()
        return work.second.copy()

    def cut(self, most_micro: int, code: str) -> None:
        """Scale all increases so that their notional is at most so much: the day's turnover, the venue's rate."""
        work = self.work
        asked = int((np.abs(work.second) * self.mark).sum())
        if asked <= most_micro:
            return
        factor = max(most_micro, 0) / asked
        for m in np.flatnonzero(work.second):
            lots = int(abs(work.second[m]) * factor)
            work.second[m] = lots if work.second[m] > 0 else -lots
            self.why[m] = code
        self._drop_small()

    def drop(self, m: int, code: str) -> None:
        """Send nothing more of a market in this wave."""
        self.work.second[m] = 0
        self.why[m] = code

    def code(self, m: int) -> str:
        """Why a market's order is as it is."""
        return self.why[m] or CODE_NAMES[self.work.code[m]]

    # ---------------------------------------------------------------- parts

    def _stop(self, m: int, code: str) -> None:
        self.work.net[m] = 0
        self.why[m] = code

    def _veto(self, m: int, code: int, history: int) -> None:
        """As run/cycle.py writes it."""
        work, facts, fund = self.work, self.facts, self.fund
        work.code[m] = code
        work.measured[m], work.bound[m] = float(fund.state[0]), float(RUNNING)
        if code == STALE_PRICE:
            work.measured[m], work.bound[m] = float(facts.age[0, m]), float(gate.STALE_BARS)
        elif code == FROZEN_PRICE:
            work.measured[m], work.bound[m] = float(facts.frozen[0, m]), float(gate.FROZEN_BARS)
        elif code == NO_HISTORY:
            work.measured[m], work.bound[m] = history / gate.DAY_NS, float(gate.HISTORY_DAYS)
        work.second[m] = 0

    def _bound(self, look: Look, covariance: Panel) -> None:
        """Pass the increases under one covariance, among everything in flight."""
        work, fund, facts = self.work, self.fund, self.facts
        gate.mark_risky_reductions(
            fund.venue_lots, work.filled, facts.mark[0], covariance, fund.nav[0], fund.limits.max_var[0],
            fund.limits.tail[0], work.code, work.measured, work.bound, work.held, work.risk_of_held,
        )  # fmt: skip
        work.low[:] = look.low + work.filled
        work.high[:] = look.high + work.filled
        gate.pass_increases(
            work.low, work.high, work.second, facts.mark[0], work.weight, fund.limits, covariance, fund.nav[0],
            self.terms.reserve, work.code, work.measured, work.bound,
            work.held, work.step, work.risk_of_held, work.risk_of_step, work.risk_of_box, work.box, work.risk_of_rest,
        )  # fmt: skip

    def _drop_small(self) -> None:
        work, terms = self.work, self.cycle_terms
        gate.drop_small(
            work.first, work.second, self.facts.mark[0], terms.min_order_micro, terms.min_notional, work.code,
            work.measured, work.bound,
        )  # fmt: skip

    def _terms(self, first_trade: Whole) -> CycleTerms:
        """What the compiled cycle wants to know; in live every wish is taken, so nobody is patient."""
        terms, books = self.terms, len(self.terms.books) + 1
        return CycleTerms(
            reference_micro=terms.capital_micro,
            book_gross=0.0,
            collar=terms.hard.collar,
            half_spread=0.0,
            impact=0.0,
            fee_e8=terms.fee_e8,
            maker_fee_e8=0,
            assumed_funding_8h=0.0,
            style=np.zeros(books, np.int64),
            urgency=np.ones(books, np.int64),
            patient=np.zeros(0, np.int64),
            min_order_micro=terms.min_order_micro,
            min_notional=terms.least,
            first_trade=first_trade,
            market_key=terms.market_key,
            book_key=terms.book_key,
            interval_ns=terms.interval_ns,
        )

    def _facts(self, at_ns: int, targets: Targets, age: Sequence[int], frozen: Whole) -> Facts:
        """A stretch of one cycle."""
        markets = len(self.terms.markets)
        none, nothing = np.zeros(0, np.int64), np.zeros((1, markets), np.int64)

        def row(values: object, kind: type) -> Any:
            return np.ascontiguousarray(np.array(values, kind).reshape(1, markets))

        return Facts(
            time=np.array([at_ns], np.int64),
            mark=row(self.mark, np.int64),
            age=row(age, np.int64),
            frozen=row(frozen, np.int32),
            reference=row(self.reference, np.int64),
            mark_before=nothing[0],
            reference_before=nothing[0],
            low=nothing,
            high=nothing,
            carry=nothing.astype(np.float64),
            dead=nothing.astype(np.bool_),
            risk_row=np.zeros(1, np.int64),
            covariance=self.covariances[0].reshape(1, markets, markets),
            sigma=row(targets.sigma_day, np.float64),
            depth=row(targets.depth_lots, np.float64),
            liquidity=row(targets.most_lots, np.int64),
            queued=nothing,
            funding_until=np.zeros(2, np.int64),
            funding_at=none,
            funding_market=none,
            funding_rate=none.astype(np.float64),
            funding_source=none,
        )


def wants_of(want: Whole, names: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """(book, lots) of those who want something."""
    return tuple((names[int(b)], int(want[b])) for b in np.flatnonzero(want))
