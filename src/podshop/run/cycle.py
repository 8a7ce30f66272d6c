"""One cycle of the fund: signals have spoken, the shadows have decided; now the fund trades. Read this first.

    open_cycle   funding of the time before, what rested through the bar, the NAV row
    finance      funding of this instant, markets that have died; then Python: treasury, risk
    wish         what every book wishes to hold, and how much of it now (run/wishes.py)
    net          one order per market and way of trading, opposite interest crossed inside
    gate, fill   reductions;   gate, fill   increases
    allot        fills back to books, to the lot and the micro-dollar (run/posting.py)

A backtest loops these compiled functions, live calls the same ones. docs/semantics.md, section 9, is their letter.
"""

import numpy as np

from podshop.execution.netting import cap_bound, cap_lots, mark_makers, small, wishes_within_cap
from podshop.maths.compiled import lean, stage
from podshop.nouns import Int, Whole
from podshop.nouns.verdict import (
    CURE,
    FROZEN_PRICE,
    LIQUIDITY,
    NO_HISTORY,
    OK,
    POSITION_CAP,
    RESTING,
    RUNNING,
    STALE_PRICE,
    VENUE_MIN,
)
from podshop.risk import gate
from podshop.run import finance
from podshop.run.posting import allot, settle_rested
from podshop.run.state import FILLS, FUNDING, NAV, VERDICTS, WISHES, Facts, Flags, Fund, Rows, Shadows, Terms, Work
from podshop.run.wishes import wish

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
            open_cycle(fund, work, terms, facts, out, k)
            finance.finance(fund, terms, facts, out, k)
            if fund.nav[0] <= 0:
                return k, RUINED
            if due[k]:
                return k, DUE
        is_open = False
        wish(fund, work, terms, facts, shadows, out, k)
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
        out.used[FILLS] + 4 * markets * books > out.fills.shape[0]
        or out.used[VERDICTS] + 2 * markets * books > out.verdicts.shape[0]
        or out.used[WISHES] + 2 * markets * books > out.wishes.shape[0]
        or out.used[FUNDING] + events * (books + 1) > out.funding.shape[0]
        or out.used[NAV] >= out.nav.shape[0]
    )
    return full


@lean
def open_cycle(fund: Fund, work: Work, terms: Terms, facts: Facts, out: Rows, k: Int) -> None:
    """What happened since the cycle before: funding, then the orders that rested; after them the NAV row of t_k."""
    finance.pay_inside(fund, terms, facts, out, k)
    settle_rested(fund, work, terms, facts, out, k)
    finance.strike(fund, work, terms, facts, out, k)


@stage
def net(fund: Fund, work: Work, terms: Terms, facts: Facts, k: Int) -> None:
    """Sum the wishes of each market into one order, after its cap, cross what is opposite, and choose its ways."""
    for m in range(fund.lots.shape[0]):
        work.code[m] = OK
        work.filled[m] = 0
        work.first[m] = 0
        work.second[m] = 0
        work.rest_first[m] = 0
        work.rest_second[m] = 0
        work.patient[m] = 0
        work.made[m] = 0
        work.wanted[m] = 0
        work.net[m] = 0
        work.crossed[m] = 0
        mark = facts.mark[k, m]
        if mark == 0:
            continue
        held = fund.venue_lots[m]
        weight = _weight(fund.limits.max_weight[m], facts.time[k] - terms.first_trade[m])
        work.weight[m] = weight
        cap = cap_lots(weight, fund.nav[0], mark)
        buys, sells, target = wishes_within_cap(fund.raw, fund.lots, m, held, cap, work.want)
        work.net[m] = buys - sells
        work.wanted[m] = target - held if target != held else buys - sells
        work.crossed[m] = min(buys, sells)
        work.side[m] = 1 if buys >= sells else -1
        if terms.patient.shape[0] > 0 and buys != sells:
            work.patient[m], work.made[m] = _ways(
                work.want, m, work.side[m], max(buys, sells), abs(buys - sells), mark, fund.age, terms.patient,
                terms.style, terms.urgency, work.makers, terms.min_order_micro, terms.min_notional[m],
            )  # fmt: skip
        work.measured[m] = abs(held + work.net[m]) * mark / fund.nav[0]
        work.bound[m] = weight
        bound = cap_bound(held, target, cap)
        if abs(target) > bound:
            cure = held * target > 0 and bound < abs(held)
            work.code[m] = CURE if cure else POSITION_CAP
            work.measured[m] = abs(held if cure else target) * mark / fund.nav[0]


@stage
def _ways(
    want: Whole, m: Int, side: Int, majority: Int, order: Int, mark: Int, age: Whole, patient: Whole, style: Whole,
    urgency: Whole, makers: Flags, min_order_micro: Int, min_notional: Int,
) -> tuple[np.int64, np.int64]:  # fmt: skip
    """Lots that waiting makers wish, and the part of the order that is made (signed); what is too small joins."""
    waiting = mark_makers(want, m, side, patient, style, age, urgency, makers)
    made = order * waiting // majority
    if made > 0 and small(made, mark, min_order_micro, min_notional):
        return np.int64(0), np.int64(0)
    if made > 0 and order > made and small(order - made, mark, min_order_micro, min_notional):
        for b in range(want.shape[1]):
            makers[m, b] = want[m, b] * side > 0
        return np.int64(majority), np.int64(order * side)
    return waiting, np.int64(made * side)


@stage
def _weight(weight: float, history_ns: Int) -> float:
    """Cap of a market as a fraction of NAV: half for a market under 90 days old."""
    return weight if history_ns >= YOUNG_NS else 0.5 * weight


@stage
def gate_reductions(fund: Fund, work: Work, terms: Terms, facts: Facts, k: Int) -> None:
    """First wave: what brings a market toward flat passes."""
    gate.pass_reductions(fund.venue_lots, work.net, facts.mark[k], terms.min_notional, work.first, work.code)
    for m in range(work.net.shape[0]):
        work.second[m] = work.net[m] - work.first[m]
        if work.made[m] != 0 and work.first[m] != 0:
            taken = min(abs(work.net[m]) - abs(work.made[m]), abs(work.first[m])) * work.side[m]
            work.rest_first[m] = work.first[m] - taken
            work.first[m] = taken
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
        fund.venue_lots, work.filled, facts.mark[k], covariance, fund.nav[0], fund.limits.max_var[0],
        fund.limits.tail[0], work.code, work.measured, work.bound, work.held, work.risk_of_held,
    )  # fmt: skip
    for m in range(markets):
        if work.second[m] == 0:
            continue
        history = facts.time[k] - terms.first_trade[m]
        code = gate.refusal(fund.state[0], facts.age[k, m], facts.frozen[k, m], terms.interval_ns, history)
        if code != 0:
            work.code[m] = code
            work.measured[m] = np.float64(fund.state[0])
            work.bound[m] = np.float64(RUNNING)
            if code == STALE_PRICE:
                work.measured[m], work.bound[m] = np.float64(facts.age[k, m]), np.float64(gate.STALE_BARS)
            elif code == FROZEN_PRICE:
                work.measured[m], work.bound[m] = np.float64(facts.frozen[k, m]), np.float64(gate.FROZEN_BARS)
            elif code == NO_HISTORY:
                work.measured[m], work.bound[m] = history / gate.DAY_NS, np.float64(gate.HISTORY_DAYS)
            work.second[m] = 0
        elif work.rest_first[m] != 0:
            work.code[m] = RESTING
            work.measured[m], work.bound[m] = np.float64(abs(work.rest_first[m])), 0.0
            work.second[m] = 0
        elif work.filled[m] != work.first[m]:
            work.code[m] = LIQUIDITY
            work.measured[m], work.bound[m] = np.float64(abs(work.filled[m])), np.float64(abs(work.first[m]))
            work.second[m] = 0
    for m in range(markets):
        after = fund.venue_lots[m] + work.filled[m]
        work.low[m] = min(after, after + work.rest_first[m])
        work.high[m] = max(after, after + work.rest_first[m])
        work.rest_second[m] = work.second[m]  # as it was before the gate
    gate.pass_increases(
        work.low, work.high, work.second, facts.mark[k], work.weight, fund.limits, covariance, fund.nav[0],
        terms.fee_e8 / 1e8 + terms.collar, work.code, work.measured, work.bound,
        work.held, work.step, work.risk_of_held, work.risk_of_step, work.risk_of_box, work.box, work.risk_of_rest,
    )  # fmt: skip
    for m in range(markets):
        asked, passed = work.rest_second[m], work.second[m]
        work.rest_second[m] = 0
        if passed != 0 and work.made[m] != 0:
            taken = abs(work.net[m]) - abs(work.made[m]) - abs(work.first[m])
            work.rest_second[m] = (abs(passed) - abs(passed) * taken // abs(asked)) * work.side[m]
        work.second[m] = passed - work.rest_second[m]
    gate.drop_small(
        work.first, work.second, facts.mark[k], terms.min_order_micro, terms.min_notional,
        work.code, work.measured, work.bound,
    )  # fmt: skip
    gate.drop_small(
        work.rest_first, work.rest_second, facts.mark[k], terms.min_order_micro, terms.min_notional,
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
