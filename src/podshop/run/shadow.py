"""Shadow books: every execution agent trades alone, at the fund's initial capital, with full costs.

The shadow decides, the fund follows. Voices, blend, buffer, stop and longest holding act here, once; allocation,
ladders and graduation read what the shadow earned, so they depend neither on capital nor on other books. Markets of
a shadow book share nothing but cash, which is whole: so each is walked through a stretch alone, in registers. The cost
gate and the budget of costs are of a market, too.
"""

import math

import numpy as np

from podshop.execution.costs import expected_edge, one_way, round_trip
from podshop.execution.pace import slice_of, touch_price, trades_beyond
from podshop.execution.targets import buffered, entry_after, stop_price, unit_lots
from podshop.ledger.settle import fee_of, funding_of, settle
from podshop.maths.compiled import lean, stage
from podshop.nouns import ASSUMED, DAY_NS, Flags, Int, Panel, Whole
from podshop.nouns.verdict import COST_BUDGET, COST_GATE, MAKER, TAKER, TWAP
from podshop.run.finance import dead_price
from podshop.run.shadow_state import Notes, Orders, Shadow
from podshop.run.state import Facts, Terms
from podshop.venues.simulated.fills import slipped_price

BUDGET_AHEAD_NS = 30 * DAY_NS
YEAR_NS = 365 * DAY_NS


@lean
def run_shadow(
    book: Shadow,
    orders: Orders,
    terms: Terms,
    facts: Facts,
    sigma_own: Panel,
    opinion: Panel,
    slope: Panel,
    fires: Flags,
    strike: Flags,
    target_out: Whole,
    urgent_out: Flags,
    equity_out: Whole,
    notes: Notes,
    events: Whole,
) -> None:
    """Run one shadow book through a stretch of K cycles.

    sigma_own    (H, M) daily volatility that the mandate sizes by
    opinion      (C, m) blend at each of the C cycles in which the cadence fires; NaN = none
    slope        (C,) what a full conviction is believed to be worth, standardised; read where there is a cost gate
    fires        (K,) the cadence; strike (K,) cycles whose equity is kept
    target_out   (M, K) receives the lots the shadow wants after deciding at each cycle
    urgent_out   (K,) a stop or the longest holding struck; equity_out (K,) micro-dollars, where `strike`
    notes        receives what was held back, market by market
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
            book, orders, terms, facts, sigma_own, facts.mark_before[m], opinion, slope, fires, strike, target_out[m],
            urgent_out, equity_out, notes, i, m, events, count,
        )  # fmt: skip


@stage
def _market(
    book: Shadow, orders: Orders, terms: Terms, facts: Facts, sigma_own: Panel, mark_before: Int, opinion: Panel,
    slope: Panel, fires: Flags, strike: Flags, target_out: Whole, urgent_out: Flags, equity_out: Whole, notes: Notes,
    i: Int, m: Int, events: Whole, count: Int,
) -> np.int64:  # fmt: skip
    """Walk one market of the book through the stretch; answers the change of cash, micro-dollars."""
    lots, target, entry, sigma_entry = book.lots[i], book.target[i], book.entry[i], book.sigma_entry[i]
    since, blocked, silent_since = book.since[i], book.blocked[i], book.silent_since[i]
    side, age = book.side[i], book.age[i]
    leave_at = stop_price(lots, entry, orders.stop, sigma_entry)
    cash, spoken, paid = np.int64(0), np.int64(0), np.int64(0)
    for k in range(facts.time.shape[0]):
        now, mark, sigma = facts.time[k], facts.mark[k, m], sigma_own[facts.risk_row[k], m]
        while paid < count and facts.funding_at[events[paid]] < now:
            cash += _funding(facts, events[paid], lots, mark_before)
            paid += 1
        if book.resting[i, 0] != 0:
            traded, received = _what_rested(book, terms, facts, i, k, m)
            if traded != 0:
                cash += received
                lots, entry, sigma_entry, since = _after(
                    lots, traded, entry, sigma_entry, since, book.resting[i, 1], sigma, now
                )
                leave_at = stop_price(lots, entry, orders.stop, sigma_entry)
        while paid < count and facts.funding_at[events[paid]] <= now:
            cash += _funding(facts, events[paid], lots, mark)
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
            target, blocked, silent_since = _decide(
                book, orders, terms, facts, notes, i, k, m, lots, blocked, silent_since,
                opinion[spoken, i], slope[spoken], sigma,
            )  # fmt: skip
            spoken += 1
        target_out[k] = target
        mark_before = mark
        now_side = np.int64(target > lots) - np.int64(target < lots)
        age = age + 1 if now_side == side and now_side != 0 else np.int64(0)
        side = now_side
        if now_side != 0:
            traded, price, received = _trade(book, orders, terms, facts, i, k, m, target - lots, age, target, blocked)
            if traded != 0:
                cash += received
                lots, entry, sigma_entry, since = _after(lots, traded, entry, sigma_entry, since, price, sigma, now)
                leave_at = stop_price(lots, entry, orders.stop, sigma_entry)
    book.lots[i], book.target[i], book.entry[i], book.sigma_entry[i] = lots, target, entry, sigma_entry
    book.since[i], book.blocked[i], book.silent_since[i] = since, blocked, silent_since
    book.side[i], book.age[i] = side, age
    return cash


@stage
def _funding(facts: Facts, event: Int, lots: np.int64, mark: Int) -> np.int64:
    """Change of cash of one settlement."""
    return np.int64(funding_of(lots, mark, facts.funding_rate[event], facts.funding_source[event] == ASSUMED))


@lean
def _after(
    lots: np.int64, traded: np.int64, entry: float, sigma_entry: float, since: np.int64, price: np.int64,
    sigma: float, now: np.int64,
) -> tuple[np.int64, float, float, np.int64]:  # fmt: skip
    """Lots, average entry, volatility at entry, and time of it, after a fill: a new position begins anew."""
    if lots == 0 or (lots + traded) * lots < 0:
        sigma_entry = sigma
        since = now
    return lots + traded, entry_after(lots, traded, entry, price), sigma_entry, since


@stage
def _decide(
    book: Shadow, orders: Orders, terms: Terms, facts: Facts, notes: Notes, i: Int, k: Int, m: Int, lots: np.int64,
    blocked: np.int64, silent_since: np.int64, said: float, slope: float, sigma: float,
) -> tuple[np.int64, np.int64, np.int64]:  # fmt: skip
    """At the cadence: target lots, the side that stays blocked, and since when there is no opinion, 0 = there is."""
    now, mark = facts.time[k], facts.mark[k, m]
    held_back = np.int64(0)
    if math.isnan(said) or math.isnan(sigma) or math.isnan(facts.sigma[facts.risk_row[k], m]) or mark == 0:
        if silent_since == 0:
            silent_since = now
        patient = now - silent_since < orders.patience_ns and blocked == 0
        target = lots if patient else np.int64(0)
    else:
        silent_since = np.int64(0)
        if blocked * said <= 0.0:
            blocked = np.int64(0)
        unit = unit_lots(
            orders.volatility_target, sigma, orders.markets.shape[0], orders.typical, terms.reference_micro, mark
        )
        target = buffered(said, unit, orders.buffer, lots) if blocked == 0 else np.int64(0)
        if abs(target) > abs(lots) or target * lots < 0:
            held_back = _hold_back(book, orders, terms, facts, notes, i, k, m, lots, target, said, slope, sigma)
            if held_back != 0:
                target = lots if target * lots >= 0 else np.int64(0)
    book.noted[i] = held_back
    return target, blocked, silent_since


@stage
def _trade(
    book: Shadow, orders: Orders, terms: Terms, facts: Facts, i: Int, k: Int, m: Int, change: np.int64, age: np.int64,
    target: np.int64, blocked: np.int64,
) -> tuple[np.int64, np.int64, np.int64]:  # fmt: skip
    """Lots taken now, their price and the change of cash; a maker may lay an order to rest instead."""
    mark, reference, row = facts.mark[k, m], facts.reference[k, m], facts.risk_row[k]
    size = np.int64(0)
    if reference != 0 and (abs(change) * mark >= terms.min_notional[m] or target == 0):
        compelled = target == 0 and blocked != 0
        if orders.style == MAKER and age < orders.urgency and not compelled:
            _rest(book.resting, i, change, reference, facts.queued[row, m], terms.half_spread)
        else:
            style = TAKER if compelled else orders.style
            size = _taken(abs(change), age, style, orders.urgency, mark, terms.min_notional[m])
            size = min(size, facts.liquidity[row, m])
    if size == 0:
        return size, size, size
    traded = size if change > 0 else -size
    price, received = _take(book, terms, facts, i, k, m, traded)
    return traded, price, received


@stage
def _hold_back(
    book: Shadow, orders: Orders, terms: Terms, facts: Facts, notes: Notes, i: Int, k: Int, m: Int,
    lots: np.int64, target: np.int64, said: float, slope: float, sigma: float,
) -> np.int64:  # fmt: skip
    """Whether a larger position is held back: side x code, 0 = it is not. What is new in that is noted."""
    row = facts.risk_row[k]
    side = np.int64(1) if target > 0 else np.int64(-1)
    change = abs(target - lots)
    cost = one_way(
        orders.style, change, orders.urgency, facts.sigma[row, m], facts.depth[row, m], terms.half_spread,
        terms.fee_e8 / 1e8, terms.maker_fee_e8 / 1e8, terms.impact,
    )  # fmt: skip
    code, measured, bound = np.int64(0), 0.0, 0.0
    if orders.cost_factor > 0.0:
        needed = round_trip(cost, side, facts.carry[k, m], terms.assumed_funding_8h, orders.outlook_days * 24.0)
        if needed > 0.0 and not book.passed[i]:
            needed *= orders.cost_factor
        edge = expected_edge(slope, said, sigma, orders.outlook_days)
        book.passed[i] = edge >= needed
        if not book.passed[i]:
            code, measured, bound = np.int64(COST_GATE), edge * 1e4, needed * 1e4
    if code == 0:
        spent = book.spent[i] + np.float64((change + abs(target)) * facts.mark[k, m]) * cost
        allowed = orders.budget_micro * ((facts.time[k] - orders.began_ns + BUDGET_AHEAD_NS) / YEAR_NS)
        if not (spent <= allowed):
            code, measured, bound = np.int64(COST_BUDGET), spent / 1e6, allowed / 1e6
    if code != 0 and side * code != book.noted[i]:
        n = notes.used[0]
        notes.whole[n, 0] = k
        notes.whole[n, 1] = m
        notes.whole[n, 2] = code
        notes.whole[n, 3] = target
        notes.whole[n, 4] = lots if target * lots >= 0 else np.int64(0)
        notes.real[n, 0] = measured
        notes.real[n, 1] = bound
        notes.used[0] = n + 1
    return side * code


@lean
def _taken(
    change: np.int64, age: np.int64, style: Int, urgency: Int, mark: np.int64, min_notional: np.int64
) -> np.int64:
    """Lots of a want that are taken now: all, or a slice, which the venue must not refuse."""
    if style != TWAP:
        return change
    piece = slice_of(change, age, urgency)
    if piece * mark < min_notional:
        piece = (min_notional + mark - 1) // mark
    return min(piece, change)


@stage
def _take(
    book: Shadow, terms: Terms, facts: Facts, i: Int, k: Int, m: Int, traded: np.int64
) -> tuple[np.int64, np.int64]:
    """Trade at the next open; answers the price and the change of cash."""
    row = facts.risk_row[k]
    price = slipped_price(
        facts.reference[k, m], traded, facts.depth[row, m], facts.sigma[row, m], terms.half_spread, terms.impact
    )
    fee = fee_of(traded, price, terms.fee_e8)
    book.spent[i] += fee + traded * (price - facts.reference[k, m])
    return price, settle(traded, price, fee)


@lean
def _rest(resting: Whole, i: Int, lots: Int, reference: Int, most: Int, half_spread: float) -> None:
    """Lay an order at the touch; it rests through the next bar."""
    resting[i, 0] = lots
    resting[i, 1] = touch_price(reference, lots, half_spread)
    resting[i, 2] = most
    resting[i, 3] = reference


@stage
def _what_rested(book: Shadow, terms: Terms, facts: Facts, i: Int, k: Int, m: Int) -> tuple[np.int64, np.int64]:
    """Settle the order that rested through bar k; answers the lots filled and the change of cash. Then it is gone."""
    lots, limit = book.resting[i, 0], book.resting[i, 1]
    book.resting[i, 0] = 0
    filled = min(abs(lots), book.resting[i, 2])
    if filled == 0 or not trades_beyond(lots, limit, facts.low[k, m], facts.high[k, m]):
        return np.int64(0), np.int64(0)
    traded = filled if lots > 0 else -filled
    fee = fee_of(traded, limit, terms.maker_fee_e8)
    book.spent[i] += fee + traded * (limit - book.resting[i, 3])
    return traded, settle(traded, limit, fee)
