"""Shadow books: every execution agent trades alone, at the fund's initial capital, with full costs.

The shadow decides, the fund follows. Voices, blend, buffer, stop and longest holding act here, once; allocation,
ladders and graduation read what the shadow earned, so they depend neither on capital nor on other books. Markets of
a shadow book share nothing but cash, which is whole: so each is walked through a stretch alone, in registers.
"""

import math
from typing import NamedTuple

import numpy as np

from podshop.execution.targets import buffered, entry_after, stop_price, unit_lots
from podshop.ledger.settle import fee_of, funding_of, settle
from podshop.maths.compiled import lean, stage
from podshop.nouns import ASSUMED, Int, Panel, Times, Whole
from podshop.run.finance import dead_price
from podshop.run.state import Facts, Flags, Terms
from podshop.venues.simulated.fills import slipped_price


class Shadow(NamedTuple):
    """One shadow book, carried from stretch to stretch. m counts the mandate's own markets."""

    lots: Whole  # (m,)
    target: Whole  # (m,)
    entry: Panel  # (m,) average price, micro-dollars per lot
    sigma_entry: Panel  # (m,) daily, when the position was opened
    since: Times  # (m,) when it was opened
    blocked: Whole  # (m,) side that may not be opened again until the opinion has been 0 or turned
    silent_since: Times  # (m,) first cadence without an opinion, 0 = there is one
    cash: Whole  # (1,)


class Orders(NamedTuple):
    """A mandate in numbers."""

    markets: Whole  # (m,) indices into the fund's markets
    volatility_target: float
    buffer: float
    stop: float
    longest_ns: int
    patience_ns: int  # how long a position is held without an opinion


def new_shadow(markets: int, reference_micro: int) -> Shadow:
    """A shadow book with its reference capital in cash."""

    def whole() -> Whole:
        return np.zeros(markets, np.int64)

    return Shadow(
        lots=whole(),
        target=whole(),
        entry=np.zeros(markets),
        sigma_entry=np.zeros(markets),
        since=whole(),
        blocked=whole(),
        silent_since=whole(),
        cash=np.array([reference_micro], np.int64),
    )


@lean
def run_shadow(
    book: Shadow,
    orders: Orders,
    terms: Terms,
    facts: Facts,
    mark_before: Whole,
    opinion: Panel,
    fires: Flags,
    strike: Flags,
    target_out: Whole,
    urgent_out: Flags,
    equity_out: Whole,
    events: Whole,
) -> None:
    """Run one shadow book through a stretch of K cycles.

    mark_before  (M,) marks of the cycle before the stretch
    opinion      (C, m) blend at each of the C cycles in which the cadence fires; NaN = none
    fires        (K,) the cadence; strike (K,) cycles whose equity is kept
    target_out   (M, K) receives the lots the shadow wants after deciding at each cycle
    urgent_out   (K,) a stop or the longest holding struck; equity_out (K,) micro-dollars, where `strike`
    events       scratch, at least as long as the settlements of the stretch
    """
    cycles = facts.time.shape[0]
    for k in range(cycles):
        equity_out[k] = book.cash[0] if strike[k] else 0
    first, last = facts.funding_until[0], facts.funding_until[cycles]
    for i in range(orders.markets.shape[0]):
        m = orders.markets[i]
        count = np.int64(0)
        for event in range(first, last):
            if facts.funding_market[event] == m:
                events[count] = event
                count += 1
        book.cash[0] += _market(
            book, orders, terms, facts, mark_before[m], opinion, fires, strike, target_out[m], urgent_out, equity_out,
            i, m, events, count,
        )  # fmt: skip


@stage
def _market(
    book: Shadow, orders: Orders, terms: Terms, facts: Facts, mark_before: Int, opinion: Panel,
    fires: Flags, strike: Flags, target_out: Whole, urgent_out: Flags, equity_out: Whole,
    i: Int, m: Int, events: Whole, count: Int,
) -> np.int64:  # fmt: skip
    """Walk one market of the book through the stretch; answers the change of cash, micro-dollars."""
    lots, target, entry, sigma_entry = book.lots[i], book.target[i], book.entry[i], book.sigma_entry[i]
    since, blocked, silent_since = book.since[i], book.blocked[i], book.silent_since[i]
    leave_at = stop_price(lots, entry, orders.stop, sigma_entry)
    cash = np.int64(0)
    spoken = np.int64(0)
    paid = np.int64(0)
    markets = orders.markets.shape[0]
    for k in range(facts.time.shape[0]):
        now = facts.time[k]
        mark = facts.mark[k, m]
        while paid < count and facts.funding_at[events[paid]] <= now:
            event = events[paid]
            at = mark if facts.funding_at[event] == now else mark_before
            cash += funding_of(lots, at, facts.funding_rate[event], facts.funding_source[event] == ASSUMED)
            paid += 1
        if facts.dead[k, m] and lots != 0:
            cash += settle(-lots, dead_price(lots, mark), np.int64(0))
            lots = np.int64(0)
            target = np.int64(0)
        if strike[k]:
            equity_out[k] += cash + lots * mark
        if lots != 0 and mark != 0 and (blocked == 0 or target != 0):
            lost = mark <= leave_at if lots > 0 else mark >= leave_at
            if lost or now - since >= orders.longest_ns:
                target = np.int64(0)
                blocked = np.int64(1) if lots > 0 else np.int64(-1)
                urgent_out[k] = True
        if fires[k]:
            said = opinion[spoken, i]
            sigma = facts.sigma[facts.risk_row[k], m]
            spoken += 1
            if math.isnan(said) or math.isnan(sigma) or mark == 0:
                if silent_since == 0:
                    silent_since = now
                patient = now - silent_since < orders.patience_ns and blocked == 0
                target = lots if patient else np.int64(0)
            else:
                silent_since = np.int64(0)
                if blocked * said <= 0.0:
                    blocked = np.int64(0)
                unit = unit_lots(orders.volatility_target, sigma, markets, terms.reference_micro, mark)
                target = buffered(said, unit, orders.buffer, lots) if blocked == 0 else np.int64(0)
        target_out[k] = target
        mark_before = mark
        if target == lots or facts.reference[k, m] == 0:
            continue
        change = target - lots
        row = facts.risk_row[k]
        size = min(abs(change), facts.liquidity[row, m])
        if size == 0 or (abs(change) * mark < terms.min_notional[m] and target != 0):
            continue
        traded = size if change > 0 else -size
        sigma = facts.sigma[row, m]
        price = slipped_price(
            facts.reference[k, m], traded, facts.depth[row, m], sigma, terms.half_spread, terms.impact
        )
        cash += settle(traded, price, fee_of(traded, price, terms.fee_e8))
        new = lots + traded
        if lots == 0 or new * lots < 0:
            sigma_entry = sigma
            since = now
        entry = entry_after(lots, traded, entry, price)
        lots = new
        leave_at = stop_price(lots, entry, orders.stop, sigma_entry)
    book.lots[i], book.target[i], book.entry[i], book.sigma_entry[i] = lots, target, entry, sigma_entry
    book.since[i], book.blocked[i], book.silent_since[i] = since, blocked, silent_since
    return cash
