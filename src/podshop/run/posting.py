"""Fills back to the books: crossed lots, the venue's fill, what rested; to the lot, the micro-dollar, and the cause."""

import math

import numpy as np

from podshop.execution.pace import touch_price, trades_beyond
from podshop.ledger.allot import share_out, share_rested
from podshop.ledger.settle import fee_of, settle
from podshop.maths.compiled import lean, stage
from podshop.maths.whole import mix
from podshop.nouns import Int, Whole
from podshop.nouns.verdict import CROSS_FILL, MAKER_FILL, VENUE_FILL
from podshop.run import rows
from podshop.run.state import DELAY, FEE, FILLS, HALF_SPREAD, IMPACT, SAVED, Facts, Fund, Resting, Rows, Terms, Work
from podshop.venues.simulated.fills import slipped_price


@stage
def allot(fund: Fund, work: Work, terms: Terms, facts: Facts, out: Rows, k: Int) -> None:
    """One venue fill per market, both legs at one price; then every book its share. Verdict rows come first."""
    row = facts.risk_row[k]
    cycle = facts.time[k] // terms.interval_ns
    salt = mix(np.uint64(cycle))
    net_row = np.int64(fund.lots.shape[1])
    seat, wished, got, from_venue, fees, minor, inside, scratch = work.parts
    for m in range(work.net.shape[0]):
        if work.wanted[m] != 0:
            rests = work.rest_first[m] + work.rest_second[m] if facts.reference[k, m] != 0 else np.int64(0)
            rows.verdict(
                out.verdicts, out.verdicts_real, out.used, fund.seq, cycle, m, net_row, work.code[m], work.wanted[m],
                work.first[m] + work.rest_first[m] + work.second[m] + work.rest_second[m], work.filled[m], rests,
                fund.limits.version[0], work.measured[m], work.bound[m],
            )  # fmt: skip
    for m in range(work.net.shape[0]):
        reference, filled, crossed = facts.reference[k, m], work.filled[m], work.crossed[m]
        rests = work.rest_first[m] + work.rest_second[m]
        if reference == 0 or (filled == 0 and crossed == 0 and rests == 0):
            continue
        price, fee, saving = reference, np.int64(0), 0.0
        depth, sigma = facts.depth[row, m], facts.sigma[row, m]
        if filled != 0:
            price = slipped_price(reference, filled, depth, sigma, terms.half_spread, terms.impact)
            fee = fee_of(filled, price, terms.fee_e8)
        if crossed != 0:
            saving = _cost_of_taking(crossed, depth, sigma, terms.half_spread, terms.impact, terms.fee_e8)
        if rests != 0:
            for b in range(fund.lots.shape[1]):
                fund.resting.want[m, b] = 0
        seats, minors = share_out(
            work.want, m, work.side[m], crossed, filled, fee, work.patient[m], abs(work.made[m]), work.makers,
            fund.resting.want, mix(salt ^ terms.market_key[m]), terms.book_key,
            seat, wished, got, from_venue, fees, minor, inside, scratch,
        )  # fmt: skip
        if rests != 0:
            _place(fund.resting, m, rests, reference, facts.queued[row, m], terms.half_spread)
        cash = settle(filled, price, fee)
        fund.venue_lots[m] += filled
        fund.venue_cash[0] += cash
        post_fills(
            work.want, seat, got, from_venue, fees, minor, seats, minors if crossed != 0 else np.int64(0), fund.lots,
            fund.cash, fund.decision, fund.costs, filled, cash, price, reference, terms.half_spread, saving,
            fund.residual, out.fills, out.used, fund.seq, k, m,
        )  # fmt: skip


@lean
def _place(resting: Resting, m: Int, lots: Int, reference: Int, most: Int, half_spread: float) -> None:
    """Lay an order at the touch; it rests through the next bar."""
    resting.lots[m] = lots
    resting.limit[m] = touch_price(reference, lots, half_spread)
    resting.most[m] = most
    resting.reference[m] = reference


@stage
def settle_rested(fund: Fund, work: Work, terms: Terms, facts: Facts, out: Rows, k: Int) -> None:
    """Fill what rested through bar k where the bar traded beyond its limit; then nothing rests any more."""
    salt = mix(np.uint64(facts.time[k] // terms.interval_ns))
    seat, wished, got, _, fees, _, _, scratch = work.parts
    resting = fund.resting
    for m in range(resting.lots.shape[0]):
        lots = resting.lots[m]
        if lots == 0:
            continue
        resting.lots[m] = 0
        filled = min(abs(lots), resting.most[m])
        if filled == 0 or not trades_beyond(lots, resting.limit[m], facts.low[k, m], facts.high[k, m]):
            continue
        fee = fee_of(filled, resting.limit[m], terms.maker_fee_e8)
        side = np.int64(1) if lots > 0 else np.int64(-1)
        seats = share_rested(
            resting.want, m, side, filled, fee, mix(salt ^ terms.market_key[m]), terms.book_key,
            seat, wished, got, fees, scratch,
        )  # fmt: skip
        filled *= side
        cash = settle(filled, resting.limit[m], fee)
        fund.venue_lots[m] += filled
        fund.venue_cash[0] += cash
        _post_rested(
            seat, got, fees, seats, fund.lots, fund.cash, fund.decision, fund.costs, filled, cash, resting.limit[m],
            resting.reference[m], fund.residual, out.fills, out.used, fund.seq, k, m,
        )  # fmt: skip


@stage
def _post_rested(
    seat: Whole, got: Whole, fees: Whole, seats: Int, lots: Whole, cash: Whole, decision: Whole, costs: Whole,
    filled: Int, paid: Int, price: np.int64, reference: np.int64, residual: Whole, to: Whole, count: Whole, seq: Whole,
    k: Int, m: Int,
) -> None:  # fmt: skip
    """Post the books' shares of what rested; against the mid of when it was placed the spread is earned."""
    row = count[FILLS]
    number = seq[0] - row
    lots_in_books = np.int64(0)
    cash_in_books = np.int64(0)
    for i in range(seats):
        b, change = seat[i], got[i]
        received = settle(change, price, fees[i])
        lots[m, b] += change
        cash[b] += received
        lots_in_books += change
        cash_in_books += received
        costs[m, b, DELAY] += change * (reference - decision[m, b])
        costs[m, b, HALF_SPREAD] += change * (price - reference)
        costs[m, b, FEE] += fees[i]
        row = rows.fill(to, row, number, k, m, b, change, price, fees[i], np.int64(MAKER_FILL))
    count[FILLS] = row
    seq[0] = number + row
    residual[0] = max(residual[0], abs(lots_in_books - filled))
    residual[1] = max(residual[1], abs(cash_in_books - paid))


@stage
def post_fills(
    want: Whole, seat: Whole, got: Whole, from_venue: Whole, fees: Whole, minor: Whole, seats: Int, minors: Int,
    lots: Whole, cash: Whole, decision: Whole, costs: Whole, filled: Int, paid: Int, price: np.int64,
    reference: np.int64, half_spread: float, saving: float, residual: Whole,
    to: Whole, count: Whole, seq: Whole, k: Int, m: Int,
) -> None:  # fmt: skip
    """Post the books' shares of one market: crossed at the reference (minority, majority), then at the venue's price.

    seat .. minors  as `share_out` left them; lots (M, B1), cash (B1,) of the books
    filled, paid    what the venue filled and what it did to the account's cash: the books must sum to both
    saving          what a crossed lot would have cost at the venue, fraction of its price
    """
    row = count[FILLS]
    number = seq[0] - row
    lots_in_books = np.int64(0)
    cash_in_books = np.int64(0)
    for i in range(minors):
        b = minor[i]
        change = want[m, b]
        received = settle(change, reference, np.int64(0))
        lots[m, b] += change
        cash[b] += received
        lots_in_books += change
        cash_in_books += received
        _account_crossed(costs, decision, m, b, change, reference, saving)
        row = rows.fill(to, row, number, k, m, b, change, reference, np.int64(0), np.int64(CROSS_FILL))
    if minors > 0:
        for i in range(seats):
            b = seat[i]
            change = got[i] - from_venue[i]
            received = settle(change, reference, np.int64(0))
            lots[m, b] += change
            cash[b] += received
            lots_in_books += change
            cash_in_books += received
            _account_crossed(costs, decision, m, b, change, reference, saving)
            row = rows.fill(to, row, number, k, m, b, change, reference, np.int64(0), np.int64(CROSS_FILL))
    if filled != 0:
        slipped = price - reference
        for i in range(seats):
            b = seat[i]
            change = from_venue[i]
            received = settle(change, price, fees[i])
            lots[m, b] += change
            cash[b] += received
            lots_in_books += change
            cash_in_books += received
            half = np.int64(np.float64(abs(change) * reference) * half_spread)
            costs[m, b, DELAY] += change * (reference - decision[m, b])
            costs[m, b, HALF_SPREAD] += half
            costs[m, b, IMPACT] += change * slipped - half
            costs[m, b, FEE] += fees[i]
            row = rows.fill(to, row, number, k, m, b, change, price, fees[i], np.int64(VENUE_FILL))
    count[FILLS] = row
    seq[0] = number + row
    residual[0] = max(residual[0], abs(lots_in_books - filled))
    residual[1] = max(residual[1], abs(cash_in_books - paid))


@lean
def _account_crossed(
    costs: Whole, decision: Whole, m: Int, b: Int, change: np.int64, reference: np.int64, saving: float
) -> None:
    """A crossed lot costs its delay alone; beside it, what it would have cost at the venue."""
    costs[m, b, DELAY] += change * (reference - decision[m, b])
    costs[m, b, SAVED] += np.int64(np.rint(np.float64(abs(change) * reference) * saving))


@lean
def _cost_of_taking(lots: Int, depth: float, sigma: float, half_spread: float, impact: float, fee_e8: Int) -> float:
    """Fee, half-spread and impact of taking so many lots, as a fraction of their price."""
    cost = half_spread + fee_e8 / 1e8
    if impact > 0.0 and depth > 0.0 and sigma >= 0.0:
        cost += impact * sigma * math.sqrt(lots / depth)
    return cost
