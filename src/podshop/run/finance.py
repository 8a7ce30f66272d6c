"""What happens to the books before anybody wishes anything: funding, the NAV row, markets that have died."""

import math

import numpy as np

from podshop.ledger.settle import funding_of, settle
from podshop.maths.compiled import lean, stage
from podshop.nouns import ASSUMED, Int, Whole
from podshop.nouns.verdict import SETTLEMENT_FILL
from podshop.risk.bound import value_at_risk
from podshop.run import rows
from podshop.run.state import DELAY, FILLS, IMPACT, OPPORTUNITY, PAID, Facts, Fund, Rows, Terms, Work

DEAD_LOSS = 0.05  # a market that died is settled this much worse than its last mark


@stage
def pay_inside(fund: Fund, terms: Terms, facts: Facts, out: Rows, k: Int) -> None:
    """Charge the funding stamped inside (t_{k-1}, t_k) at the mark before."""
    cycle = facts.time[k] // terms.interval_ns
    mark = facts.mark[k - 1] if k > 0 else facts.mark_before
    for event in range(facts.funding_until[k], facts.funding_until[k + 1]):
        if facts.funding_at[event] < facts.time[k]:
            m = facts.funding_market[event]
            _pay(
                fund.lots[m], fund.venue_lots[m], fund.cash, fund.venue_cash, fund.costs[m], mark[m],
                facts.funding_rate[event], facts.funding_source[event],
                out.funding, out.used, fund.seq, cycle, event, m,
            )  # fmt: skip


@stage
def strike(fund: Fund, work: Work, terms: Terms, facts: Facts, out: Rows, k: Int) -> None:
    """Strike the NAV row of t_k."""
    cycle = facts.time[k] // terms.interval_ns
    nav = net_worth(fund.cash, fund.venue_lots, facts.mark[k])
    cash = np.int64(0)
    for b in range(fund.cash.shape[0]):
        cash += fund.cash[b]
    gross = 0.0
    net = 0.0
    for m in range(fund.venue_lots.shape[0]):
        work.held[m] = np.float64(fund.venue_lots[m] * facts.mark[k, m])
        gross += abs(work.held[m])
        net += work.held[m]
    var = value_at_risk(facts.covariance[facts.risk_row[k]], work.held, fund.limits.tail[0], work.risk_of_held)
    fund.peak[0] = max(fund.peak[0], nav)
    fund.nav[0] = nav
    rows.nav(
        out.nav, out.nav_real, out.used, fund.seq, cycle, nav, cash,
        gross / nav, net / nav, 1.0 - nav / fund.peak[0], var / nav,
    )  # fmt: skip
    fund.seq[0] += fund.venue_lots.shape[0]  # the numbers of this cycle's rows of marks


@stage
def finance(fund: Fund, terms: Terms, facts: Facts, out: Rows, k: Int) -> None:
    """Charge the funding stamped t_k, settle dead markets; after this NAV is what sizing and limits use."""
    cycle = facts.time[k] // terms.interval_ns
    for event in range(facts.funding_until[k], facts.funding_until[k + 1]):
        if facts.funding_at[event] == facts.time[k]:
            m = facts.funding_market[event]
            _pay(
                fund.lots[m], fund.venue_lots[m], fund.cash, fund.venue_cash, fund.costs[m], facts.mark[k, m],
                facts.funding_rate[event], facts.funding_source[event],
                out.funding, out.used, fund.seq, cycle, event, m,
            )  # fmt: skip
    for m in range(fund.venue_lots.shape[0]):
        if facts.dead[k, m] and _anyone_holds(fund.lots[m]):
            _end_wishes(
                fund.lots[m], fund.wished[m], fund.raw[m], fund.decision[m], fund.costs[m], facts.mark[k, m],
                out.wishes, out.used, fund.seq, k, m,
            )  # fmt: skip
            fund.venue_cash[0] += _settle_dead(
                fund.lots[m], fund.cash, fund.decision[m], fund.costs[m], facts.mark[k, m],
                dead_price(fund.venue_lots[m], facts.mark[k, m]), out.fills, out.used, fund.seq, k, m,
            )  # fmt: skip
            fund.venue_lots[m] = 0
    fund.nav[0] = net_worth(fund.cash, fund.venue_lots, facts.mark[k])


@lean
def net_worth(cash: Whole, lots: Whole, mark: Whole) -> np.int64:
    """Cash of all books and the house, and the value of the net lots at these marks; micro-dollars."""
    worth = np.int64(0)
    for b in range(cash.shape[0]):
        worth += cash[b]
    for m in range(lots.shape[0]):
        worth += lots[m] * mark[m]
    return worth


@stage
def _pay(
    lots: Whole, net_lots: np.int64, cash: Whole, venue_cash: Whole, costs: Whole, mark: Int, rate: float, source: Int,
    to: Whole, count: Whole, seq: Whole, cycle: Int, event: Int, m: Int,
) -> None:  # fmt: skip
    """The venue charges the net position once; each book bears its own, and the difference of rounding is the house's.

    lots  (B1,) of each book in market m; cash (B1,); costs (B1, 7) of the market
    """
    house = lots.shape[0] - 1
    of_account = funding_of(net_lots, mark, rate, source == ASSUMED)
    in_books = np.int64(0)
    for b in range(house):
        if lots[b] != 0:
            paid = funding_of(lots[b], mark, rate, source == ASSUMED)
            in_books += paid
            cash[b] += paid
            costs[b, PAID] -= paid
            rows.funding(to, count, seq, cycle, event, m, b, lots[b], mark, paid)
    rest = of_account - in_books
    if rest != 0:
        cash[house] += rest
        costs[house, PAID] -= rest
        rows.funding(to, count, seq, cycle, event, m, house, lots[house], mark, rest)
    venue_cash[0] += of_account


@lean
def dead_price(lots: Int, mark: Int) -> np.int64:
    """Price for `lots` in a market that trades no more: 5 % worse than the last mark, rounded against the holder."""
    if lots > 0:
        return np.int64(math.floor(mark * (1.0 - DEAD_LOSS)))
    if lots < 0:
        return np.int64(math.ceil(mark * (1.0 + DEAD_LOSS)))
    return np.int64(mark)


@stage
def _anyone_holds(lots: Whole) -> bool:
    for b in range(lots.shape[0]):  # noqa: SIM110 - there are no generators in machine code
        if lots[b] != 0:
            return True
    return False


@stage
def _end_wishes(
    lots: Whole, wished: Whole, raw: Whole, decision: Whole, costs: Whole, mark: np.int64, to: Whole, count: Whole,
    seq: Whole, k: Int, m: Int,
) -> None:  # fmt: skip
    """Nobody wishes anything of a market that trades no more."""
    for b in range(lots.shape[0]):
        if wished[b] != 0:
            costs[b, OPPORTUNITY] += (wished[b] - lots[b]) * (mark - decision[b])
            decision[b] = mark
            wished[b] = 0
            raw[b] = 0
            rows.wish(to, count, seq, k, m, b, np.int64(0))


@stage
def _settle_dead(
    lots: Whole, cash: Whole, decision: Whole, costs: Whole, mark: np.int64, price: np.int64, to: Whole, count: Whole,
    seq: Whole, k: Int, m: Int,
) -> np.int64:  # fmt: skip
    """Close every book's position in a market that trades no more, all at one price; answers the account's cash."""
    received = np.int64(0)
    row = count[FILLS]
    number = seq[0] - row
    for b in range(lots.shape[0]):
        proceeds = settle(-lots[b], price, np.int64(0))
        cash[b] += proceeds
        received += proceeds
        costs[b, DELAY] -= lots[b] * (mark - decision[b])
        costs[b, IMPACT] -= lots[b] * (price - mark)
        row = rows.fill(to, row, number, k, m, b, -lots[b], price, np.int64(0), np.int64(SETTLEMENT_FILL))
        lots[b] = 0
    count[FILLS] = row
    seq[0] = number + row
    return received
