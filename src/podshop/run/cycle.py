"""One cycle of the fund: signals have spoken, the shadows have decided; now the fund trades. Read this first.

    open_cycle   funding of the time before, the NAV row
    finance      funding of this instant, markets that have died; then Python: treasury, risk
    wish         what every book wishes to hold
    net          one order per market, opposite interest crossed inside
    gate, fill   reductions;   gate, fill   increases
    allot        fills back to books, to the lot and the micro-dollar

A backtest loops these compiled functions, live calls the same ones. docs/semantics.md, section 9, is their letter.
"""

import math

import numpy as np

from podshop.execution.netting import cap_bound, cap_lots, wishes_within_cap
from podshop.ledger.allot import share_out
from podshop.ledger.settle import fee_of, settle
from podshop.maths.compiled import lean, stage
from podshop.maths.whole import mix
from podshop.nouns import Int, Whole
from podshop.nouns.verdict import (
    BOOK_GROSS,
    CROSS_FILL,
    CURE,
    LIQUIDITY,
    NO_HISTORY,
    OK,
    POSITION_CAP,
    RUNNING,
    STALE_PRICE,
    VENUE_FILL,
    VENUE_MIN,
)
from podshop.risk import gate
from podshop.run import finance, rows
from podshop.run.state import FILLS, FUNDING, NAV, VERDICTS, Facts, Flags, Fund, Rows, Shadows, Terms, Work
from podshop.venues.simulated.fills import slipped_price

YOUNG_NS = 90 * gate.DAY_NS


END, DUE, FULL, RUINED = range(4)  # why a span returned


@lean
def span(
    fund: Fund, work: Work, terms: Terms, facts: Facts, shadows: Shadows, due: Flags, out: Rows, k: int, is_open: bool
) -> tuple[int, int]:
    """Run cycles from k on, until Python is due in the middle of one, the rows are nearly full, or the stretch ends.

    due      (K,) Python agents are to be called in the middle of this cycle
    is_open  cycle k has been opened already: go on from its middle
    ->       the cycle to go on with, and why: END, DUE (go on from its middle), FULL (not begun), RUINED (NAV <= 0)
    """
    while k < facts.time.shape[0]:
        if not is_open:
            events = facts.funding_until[k + 1] - facts.funding_until[k]
            if _nearly_full(out, fund.lots.shape[0], fund.lots.shape[1], events):
                return k, FULL
            finance.open_cycle(fund, work, terms, facts, out, k)
            finance.finance(fund, terms, facts, out, k)
            if fund.nav[0] <= 0:
                return k, RUINED
            if due[k]:
                return k, DUE
        is_open = False
        wish(fund, terms, facts, shadows, out, k)
        net(fund, work, terms, facts, k)
        gate_reductions(fund, work, terms, facts, k)
        fill(work.first, work.filled, facts.reference[k], facts.liquidity[facts.risk_row[k]])
        gate_increases(fund, work, terms, facts, k)
        fill(work.second, work.filled, facts.reference[k], facts.liquidity[facts.risk_row[k]])
        allot(fund, work, terms, facts, out, k)
        k += 1
    return k, END


@stage
def _nearly_full(out: Rows, markets: Int, books: Int, events: Int) -> bool:
    """Whether the fullest possible cycle might not fit any more."""
    full: bool = (
        out.used[FILLS] + 3 * markets * books > out.fills.shape[0]
        or out.used[VERDICTS] + markets * (books + 1) > out.verdicts.shape[0]
        or out.used[FUNDING] + events * (books + 1) > out.funding.shape[0]
        or out.used[NAV] >= out.nav.shape[0]
    )
    return full


@stage
def wish(fund: Fund, terms: Terms, facts: Facts, shadows: Shadows, out: Rows, k: Int) -> None:
    """Each book wishes what its shadow holds, at its own capital; anew at its cadence, on a stop or a ladder step."""
    for b in range(shadows.target.shape[0]):
        if shadows.fires[k, b] or fund.refresh[b]:
            factor = fund.capital[b] * fund.throttle[b] * fund.fund_throttle[0] / terms.reference_micro
            gross = 0.0
            for m in range(fund.lots.shape[0]):
                lots = np.int64(shadows.target[b, m, k] * factor)
                fund.wished[m, b] = lots
                gross += np.float64(abs(lots) * facts.mark[k, m])
            most = terms.book_gross * fund.capital[b]
            if gross > most:
                measured = gross / fund.capital[b] if fund.capital[b] > 0 else math.inf
                for m in range(fund.lots.shape[0]):
                    lots = fund.wished[m, b]
                    cut = np.int64(lots * (most / gross))
                    if cut != lots:
                        fund.wished[m, b] = cut
                        rows.verdict(
                            out.verdicts, out.verdicts_real, out.used, fund.seq,
                            facts.time[k] // terms.interval_ns, m, b, np.int64(BOOK_GROSS), lots, cut, np.int64(0),
                            measured, terms.book_gross,
                        )  # fmt: skip
            fund.refresh[b] = False
        if shadows.urgent[k, b]:
            for m in range(fund.lots.shape[0]):
                if shadows.target[b, m, k] == 0:
                    fund.wished[m, b] = 0


@stage
def net(fund: Fund, work: Work, terms: Terms, facts: Facts, k: Int) -> None:
    """Sum the wishes of each market into one order, after its cap, and cross what is opposite."""
    for m in range(fund.lots.shape[0]):
        work.code[m] = OK
        work.filled[m] = 0
        work.first[m] = 0
        work.second[m] = 0
        work.wanted[m] = 0
        work.net[m] = 0
        work.crossed[m] = 0
        mark = facts.mark[k, m]
        if mark == 0:
            continue
        held = fund.venue_lots[m]
        weight = _weight(terms, facts, k, m)
        work.weight[m] = weight
        cap = cap_lots(weight, fund.nav[0], mark)
        buys, sells, target = wishes_within_cap(fund.wished, fund.lots, m, held, cap, work.want)
        work.net[m] = buys - sells
        work.wanted[m] = target - held if target != held else buys - sells
        work.crossed[m] = min(buys, sells)
        work.side[m] = 1 if buys >= sells else -1
        work.measured[m] = abs(held + work.net[m]) * mark / fund.nav[0]
        work.bound[m] = weight
        bound = cap_bound(held, target, cap)
        if abs(target) > bound:
            cure = held * target > 0 and bound < abs(held)
            work.code[m] = CURE if cure else POSITION_CAP
            work.measured[m] = abs(held if cure else target) * mark / fund.nav[0]


@stage
def _weight(terms: Terms, facts: Facts, k: Int, m: Int) -> float:
    """Cap of a market as a fraction of NAV: half for a market under 90 days old."""
    weight: float = terms.max_weight[m]
    return weight if facts.time[k] - terms.first_trade[m] >= YOUNG_NS else 0.5 * weight


@stage
def gate_reductions(fund: Fund, work: Work, terms: Terms, facts: Facts, k: Int) -> None:
    """First wave: what brings a market toward flat passes."""
    gate.pass_reductions(fund.venue_lots, work.net, facts.mark[k], terms.min_notional, work.first, work.code)
    for m in range(work.net.shape[0]):
        work.second[m] = work.net[m] - work.first[m]
        if work.code[m] == VENUE_MIN:
            work.measured[m] = abs(work.net[m]) * facts.mark[k, m] / 1e6
            work.bound[m] = terms.min_notional[m] / 1e6
            work.second[m] = 0


@stage
def gate_increases(fund: Fund, work: Work, terms: Terms, facts: Facts, k: Int) -> None:
    """Second wave: with the reductions' fills known, increases pass as far as every outcome stays within the limits."""
    markets = work.net.shape[0]
    covariance = facts.covariance[facts.risk_row[k]]
    gate.mark_risky_reductions(
        fund.venue_lots, work.filled, facts.mark[k], covariance, fund.nav[0], terms.max_var, terms.tail,
        work.code, work.measured, work.bound, work.held, work.risk_of_held,
    )  # fmt: skip
    for m in range(markets):
        if work.second[m] == 0:
            continue
        history = facts.time[k] - terms.first_trade[m]
        code = gate.refusal(fund.state[0], facts.age[k, m], history)
        if code != 0:
            work.code[m] = code
            work.measured[m] = np.float64(fund.state[0])
            work.bound[m] = np.float64(RUNNING)
            if code == STALE_PRICE:
                work.measured[m], work.bound[m] = np.float64(facts.age[k, m]), np.float64(gate.STALE_BARS)
            elif code == NO_HISTORY:
                work.measured[m], work.bound[m] = history / gate.DAY_NS, np.float64(gate.HISTORY_DAYS)
            work.second[m] = 0
        elif work.filled[m] != work.first[m]:
            work.code[m] = LIQUIDITY
            work.measured[m], work.bound[m] = np.float64(abs(work.filled[m])), np.float64(abs(work.first[m]))
            work.second[m] = 0
    for m in range(markets):
        work.after_first[m] = fund.venue_lots[m] + work.filled[m]
    gate.pass_increases(
        work.after_first, work.second, facts.mark[k], work.weight, covariance, fund.nav[0],
        terms.max_gross, terms.max_var, terms.tail, terms.fee_e8 / 1e8 + terms.collar,
        work.code, work.measured, work.bound,
        work.held, work.step, work.risk_of_held, work.risk_of_step, work.risk_of_box,
    )  # fmt: skip
    gate.drop_small(
        work.first, work.second, facts.mark[k], terms.min_order_micro, terms.min_notional,
        work.code, work.measured, work.bound,
    )  # fmt: skip


@lean
def fill(leg: Whole, filled: Whole, reference: Whole, most: Whole) -> None:
    """Add what the venue fills of one leg: nothing without trading in the next bar, and no more than it can bear.

    leg, filled  (M,) signed lots: allowed now, and filled so far; most (M,) lots that one bar bears
    """
    for m in range(leg.shape[0]):
        if leg[m] != 0 and reference[m] != 0:
            lots = min(abs(leg[m]), max(most[m] - abs(filled[m]), 0))
            filled[m] += lots if leg[m] > 0 else -lots


@stage
def allot(fund: Fund, work: Work, terms: Terms, facts: Facts, out: Rows, k: Int) -> None:
    """One venue fill per market, both legs at one price; then every book its share. Verdict rows come first."""
    row = facts.risk_row[k]
    cycle = facts.time[k] // terms.interval_ns
    salt = mix(np.uint64(cycle))
    net_row = np.int64(fund.lots.shape[1])
    seat, wished, got, from_venue, fees, minor, scratch = work.parts
    for m in range(work.net.shape[0]):
        if work.wanted[m] != 0:
            rows.verdict(
                out.verdicts, out.verdicts_real, out.used, fund.seq, cycle, m, net_row, work.code[m], work.wanted[m],
                work.first[m] + work.second[m], work.filled[m], work.measured[m], work.bound[m],
            )  # fmt: skip
    for m in range(work.net.shape[0]):
        reference, filled, crossed = facts.reference[k, m], work.filled[m], work.crossed[m]
        if reference == 0 or (filled == 0 and crossed == 0):
            continue
        price, fee = reference, np.int64(0)
        depth, sigma = facts.depth[row, m], facts.sigma[row, m]
        if filled != 0:
            price = slipped_price(reference, filled, depth, sigma, terms.half_spread, terms.impact)
            fee = fee_of(filled, price, terms.fee_e8)
        if crossed != 0:
            fund.saved[0] += _saved(crossed, reference, depth, sigma, terms.half_spread, terms.impact, terms.fee_e8)
        seats, minors = share_out(
            work.want, m, work.side[m], crossed, filled, fee, mix(salt ^ terms.market_key[m]), terms.book_key,
            seat, wished, got, from_venue, fees, minor, scratch,
        )  # fmt: skip
        cash = settle(filled, price, fee)
        fund.venue_lots[m] += filled
        fund.venue_cash[0] += cash
        post_fills(
            work.want, seat, got, from_venue, fees, minor, seats, minors if crossed != 0 else np.int64(0), fund.lots,
            fund.cash, filled, cash, price, reference, fund.residual, out.fills, out.used, fund.seq, k, m,
        )  # fmt: skip
    for m in range(fund.mark_before.shape[0]):
        fund.mark_before[m] = facts.mark[k, m]


@stage
def post_fills(
    want: Whole, seat: Whole, got: Whole, from_venue: Whole, fees: Whole, minor: Whole, seats: Int, minors: Int,
    lots: Whole, cash: Whole, filled: Int, paid: Int, price: Int, reference: Int, residual: Whole,
    to: Whole, count: Whole, seq: Whole, k: Int, m: Int,
) -> None:  # fmt: skip
    """Post the books' shares of one market: crossed at the reference (minority, majority), then at the venue's price.

    seat .. minors  as `share_out` left them; lots (M, B1), cash (B1,) of the books
    filled, paid    what the venue filled and what it did to the account's cash: the books must sum to both
    """
    row = count[FILLS]
    number = seq[0] - row
    lots_in_books = np.int64(0)
    cash_in_books = np.int64(0)
    for i in range(minors):
        change = want[m, minor[i]]
        received = settle(change, reference, np.int64(0))
        lots[m, minor[i]] += change
        cash[minor[i]] += received
        lots_in_books += change
        cash_in_books += received
        row = rows.fill(to, row, number, k, m, minor[i], change, reference, np.int64(0), np.int64(CROSS_FILL))
    if minors > 0:
        for i in range(seats):
            change = got[i] - from_venue[i]
            received = settle(change, reference, np.int64(0))
            lots[m, seat[i]] += change
            cash[seat[i]] += received
            lots_in_books += change
            cash_in_books += received
            row = rows.fill(to, row, number, k, m, seat[i], change, reference, np.int64(0), np.int64(CROSS_FILL))
    if filled != 0:
        for i in range(seats):
            change = from_venue[i]
            received = settle(change, price, fees[i])
            lots[m, seat[i]] += change
            cash[seat[i]] += received
            lots_in_books += change
            cash_in_books += received
            row = rows.fill(to, row, number, k, m, seat[i], change, price, fees[i], np.int64(VENUE_FILL))
    count[FILLS] = row
    seq[0] = number + row
    residual[0] = max(residual[0], abs(lots_in_books - filled))
    residual[1] = max(residual[1], abs(cash_in_books - paid))


@lean
def _saved(
    crossed: Int, reference: Int, depth: float, sigma: float, half_spread: float, impact: float, fee_e8: Int
) -> np.int64:
    """What both sides of a crossing would have paid at the venue: fee, half-spread and impact; micro-dollars."""
    cost = half_spread + fee_e8 / 1e8
    if impact > 0.0 and depth > 0.0 and sigma >= 0.0:
        cost += impact * sigma * math.sqrt(crossed / depth)
    return np.int64(2.0 * cost * (crossed * reference))
