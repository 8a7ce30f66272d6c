"""Shadow books: every execution agent trades alone, at the fund's initial capital, with full costs.

The shadow decides, the fund follows. Voices, blend, buffer, stop and longest holding act here, once; allocation,
ladders and graduation read what the shadow earned, so they depend neither on capital nor on other books.
"""

import math
from typing import NamedTuple

import numpy as np

from podshop.execution.targets import buffered, entry_after, must_leave, unit_lots
from podshop.ledger.settle import fee_of, funding_of, settle
from podshop.maths.compiled import compiled, stage
from podshop.nouns import Panel, Times, Whole
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


@compiled
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
) -> None:
    """Run one shadow book through a stretch of K cycles.

    mark_before  (M,) marks of the cycle before the stretch
    opinion      (C, m) blend at each of the C cycles in which the cadence fires; NaN = none
    fires        (K,) the cadence; strike (K,) cycles whose equity is kept
    target_out   (K, M) receives the lots the shadow wants after deciding at each cycle
    urgent_out   (K,) a stop or the longest holding struck; equity_out (K,) micro-dollars, where `strike`
    """
    spoken = 0
    pending = True  # the first cycle looks whether something is left to trade
    for k in range(facts.time.shape[0]):
        _finance(book, orders, facts, mark_before, k)
        if strike[k]:
            equity = book.cash[0]
            for i in range(orders.markets.shape[0]):
                equity += book.lots[i] * facts.mark[k, orders.markets[i]]
            equity_out[k] = equity
        if _stop(book, orders, facts, k):
            urgent_out[k] = True
            pending = True
        if fires[k]:
            for i in range(orders.markets.shape[0]):
                _retarget(book, orders, terms, facts, k, i, opinion[spoken, i])
            spoken += 1
            pending = True
        for i in range(orders.markets.shape[0]):
            target_out[k, orders.markets[i]] = book.target[i]
        if pending:
            pending = _trade(book, orders, terms, facts, k)


@stage
def _finance(book: Shadow, orders: Orders, facts: Facts, mark_before: Whole, k: int) -> None:
    """Funding since the cycle before, and markets that have died."""
    for event in range(facts.funding_until[k], facts.funding_until[k + 1]):
        m = facts.funding_market[event]
        for i in range(orders.markets.shape[0]):
            if orders.markets[i] == m and book.lots[i] != 0:
                now = facts.funding_at[event] == facts.time[k]
                before = facts.mark[k - 1, m] if k > 0 else mark_before[m]
                mark = facts.mark[k, m] if now else before
                book.cash[0] += funding_of(
                    book.lots[i], mark, facts.funding_rate[event], facts.funding_source[event] == 0
                )
    for i in range(orders.markets.shape[0]):
        m = orders.markets[i]
        if facts.dead[k, m] and (book.lots[i] != 0 or book.target[i] != 0):
            book.cash[0] += settle(-book.lots[i], dead_price(book.lots[i], facts.mark[k, m]), np.int64(0))
            book.lots[i] = 0
            book.target[i] = 0


@stage
def _stop(book: Shadow, orders: Orders, facts: Facts, k: int) -> bool:
    """Close what has lost its stop or outstayed its time; True when something was newly closed."""
    struck = False
    for i in range(orders.markets.shape[0]):
        lots = book.lots[i]
        if lots == 0:
            continue
        mark = facts.mark[k, orders.markets[i]]
        if mark == 0 or (book.blocked[i] != 0 and book.target[i] == 0):
            continue
        held_ns = facts.time[k] - book.since[i]
        if must_leave(lots, mark, book.entry[i], book.sigma_entry[i], orders.stop, held_ns, orders.longest_ns):
            book.target[i] = 0
            book.blocked[i] = 1 if lots > 0 else -1
            struck = True
    return struck


@stage
def _retarget(book: Shadow, orders: Orders, terms: Terms, facts: Facts, k: int, i: int, opinion: float) -> None:
    """Decide one market's target at the mandate's cadence."""
    m = orders.markets[i]
    mark = facts.mark[k, m]
    sigma = facts.sigma[facts.risk_row[k], m]
    if math.isnan(opinion) or math.isnan(sigma) or mark == 0:
        if book.silent_since[i] == 0:
            book.silent_since[i] = facts.time[k]
        patient = facts.time[k] - book.silent_since[i] < orders.patience_ns
        blocked = book.blocked[i] != 0
        book.target[i] = book.lots[i] if patient and not blocked else 0
        return
    book.silent_since[i] = 0
    if book.blocked[i] * opinion <= 0.0:
        book.blocked[i] = 0
    if book.blocked[i] != 0:
        book.target[i] = 0
        return
    unit = unit_lots(orders.volatility_target, sigma, orders.markets.shape[0], terms.reference_micro, mark)
    book.target[i] = buffered(opinion, unit, orders.buffer, book.lots[i])


@stage
def _trade(book: Shadow, orders: Orders, terms: Terms, facts: Facts, k: int) -> bool:
    """Trade toward the targets; True when something is left for the next cycle."""
    left = False
    row = facts.risk_row[k]
    for i in range(orders.markets.shape[0]):
        change = book.target[i] - book.lots[i]
        if change == 0:
            continue
        m = orders.markets[i]
        small = abs(change) * facts.mark[k, m] < terms.min_notional[m] and book.target[i] != 0
        lots = min(abs(change), facts.liquidity[row, m])
        left = True
        if small or facts.reference[k, m] == 0 or lots == 0:
            continue
        traded = lots if change > 0 else -lots
        price = slipped_price(
            facts.reference[k, m], traded, facts.depth[row, m], facts.sigma[row, m], terms.half_spread, terms.impact
        )
        book.cash[0] += settle(traded, price, fee_of(traded, price, terms.fee_e8))
        new = book.lots[i] + traded
        if book.lots[i] == 0 or new * book.lots[i] < 0:
            book.sigma_entry[i] = facts.sigma[row, m]
            book.since[i] = facts.time[k]
        book.entry[i] = entry_after(book.lots[i], traded, book.entry[i], price)
        book.lots[i] = new
    return left
