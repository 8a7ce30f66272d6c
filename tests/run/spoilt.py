"""Protections taken away: each is called instead of a function of the cycle, with that function as first argument."""

from typing import Any

import numpy as np

from podshop.nouns.verdict import OK, RUNNING
from podshop.run.state import FEE, HALF_SPREAD


def forget_a_book(share_out: Any, *given: Any) -> Any:
    """The last of several books of the majority gets nothing."""
    seats, minors = share_out(*given)
    return max(seats - 1, min(seats, 1)), minors


def fee_by_book(share_out: Any, *given: Any) -> Any:
    """Each book pays its own share of the fee, rounded up: the sum is more than was paid."""
    seats, minors = share_out(*given)
    filled, fee_micro, from_venue, fee = given[4], given[5], given[15], given[16]
    for i in range(seats if filled else 0):
        fee[i] = -(-fee_micro * abs(from_venue[i]) // abs(filled))
    return seats, minors


def no_difference_to_the_house(pay: Any, lots: Any, net_lots: Any, cash: Any, *given: Any) -> None:
    """Each book bears its own funding, and nobody what rounding leaves."""
    house = cash[-1]
    pay(lots, net_lots, cash, *given)
    cash[-1] = house


def all_to_the_first(share_out: Any, *given: Any) -> Any:
    """The first book of the majority gets all there is: order of arrival."""
    seats, minors = share_out(*given)
    got, from_venue, fee = given[14:17]
    for part in (got, from_venue, fee):
        part[0] = part[:seats].sum()
        part[1:seats] = 0
    return seats, minors


def rested_to_the_first(share_rested: Any, *given: Any) -> Any:
    """The first book gets all that an order at rest has filled."""
    seats = share_rested(*given)
    for part in (given[9], given[10]):
        part[0] = part[:seats].sum()
        part[1:seats] = 0
    return seats


def slices_that_overshoot(next_lots: Any, lots: Any, wished: Any, age: Any, urgency: Any) -> Any:
    """A slice is never less than ten lots, though fewer are wished."""
    way = int(wished > lots) - int(wished < lots)
    return lots + way * max(abs(next_lots(lots, wished, age, urgency) - lots), 10 * abs(way))


def cap_of_newcomers(wishes_within_cap: Any, wished: Any, lots: Any, m: int, held: Any, cap: Any, want: Any) -> Any:
    """What is beyond the cap is cut from the last books alone."""
    buys, sells, target = wishes_within_cap(wished, lots, m, held, cap, want)
    change = wished[m] - lots[m]
    over = change.sum() - want[m].sum()
    for b in range(len(change) - 1, -1, -1):
        if change[b] * over > 0:
            cut = min(abs(over), abs(change[b])) * (1 if over > 0 else -1)
            change[b] -= cut
            over -= cut
    if over == 0:
        want[m] = change
        buys, sells = change[change > 0].sum(), -change[change < 0].sum()
    return buys, sells, target


def crossed_more_than_was_sold(share_out: Any, *given: Any) -> Any:
    """A lot that the venue filled is booked as crossed."""
    seats, minors = share_out(*given)
    from_venue = given[15]
    if minors and seats:
        from_venue[0] -= np.sign(from_venue[0])
    return seats, minors


def crossed_at_the_venues_price(post_fills: Any, *given: Any) -> None:
    post_fills(*given[:15], given[14], *given[16:])


def the_minority_waits(net: Any, fund: Any, work: Any, *given: Any) -> None:
    """Nothing is crossed inside."""
    net(fund, work, *given)
    work.crossed[:] = work.patient[:] = work.made[:] = 0


def every_book_alone(allot_: Any, fund: Any, work: Any, terms: Any, facts: Any, out: Any, k: Any) -> None:
    """Nothing is netted: each book sends its own order."""
    want = work.want.copy()
    work.crossed[:] = work.patient[:] = work.rest_first[:] = work.rest_second[:] = 0
    for b in range(want.shape[1]):
        work.want[:] = 0
        work.want[:, b] = want[:, b]
        most = facts.liquidity[facts.risk_row[k]] * (facts.mark[k] != 0)
        work.filled[:] = np.clip(want[:, b], -most, most)
        work.side[:] = np.where(want[:, b] < 0, -1, 1)
        allot_(fund, work, terms, facts, out, k)
        work.wanted[:] = 0
    work.want[:] = want


def a_touch_fills(trades_beyond: Any, side: Any, limit: Any, low: Any, high: Any) -> bool:
    return bool(0 < low <= limit if side > 0 else high >= limit)


def nobody_stands_before_us(place: Any, resting: Any, m: Any, lots: Any, reference: Any, most: Any, half: Any) -> None:
    place(resting, m, lots, reference, np.int64(2**31), half)


def the_other_touch(touch_price: Any, reference: Any, side: Any, half_spread: Any) -> Any:
    """A limit that crosses the spread."""
    return touch_price(reference, side, -max(half_spread, 1e-6))


def endless_liquidity(fill: Any, leg: Any, filled: Any, reference: Any, most: Any) -> None:
    fill(leg, filled, reference, np.where(most > 0, 2**31, 0))


def an_order_that_lives_on(settle_rested: Any, fund: Any, *given: Any) -> None:
    """What rested is not cancelled at the end of its bar."""
    lots = fund.resting.lots.copy()
    settle_rested(fund, *given)
    fund.resting.lots[:] = lots


def missed_is_free(change: Any, wished: Any, raw: Any, lots: Any, decision: Any, costs: Any, *given: Any) -> None:
    """A wish that was never filled costs nothing."""
    change(wished, raw, lots, decision, costs.copy(), *given)


def crossing_is_timeless(account: Any, costs: Any, *given: Any) -> None:
    """The delay of what was crossed is forgotten."""


def resting_is_free(post: Any, seat: Any, got: Any, fees: Any, seats: Any, lots: Any, cash: Any, decision: Any,
                    costs: Any, *given: Any) -> None:  # fmt: skip
    """The maker's fee is forgotten, and what the limit earned."""
    before = costs[:, :, [FEE, HALF_SPREAD]].copy()
    post(seat, got, fees, seats, lots, cash, decision, costs, *given)
    costs[:, :, [FEE, HALF_SPREAD]] = before


def dying_is_free(settle_dead: Any, lots: Any, cash: Any, decision: Any, costs: Any, *given: Any) -> Any:
    return settle_dead(lots, cash, decision, costs.copy(), *given)


def halted_means_all(gate_reductions: Any, fund: Any, work: Any, *given: Any) -> None:
    """Who may not increase may not reduce."""
    gate_reductions(fund, work, *given)
    if fund.state[0] != RUNNING:
        work.first[:] = work.second[:] = work.rest_first[:] = 0


def small_reductions_wait(drop_small: Any, first: Any, second: Any, mark: Any, least: Any, *given: Any) -> None:
    drop_small(first, second, mark, least, *given)
    first[abs(first) * mark <= least] = 0


def no_part_joins(small: Any, *given: Any) -> bool:
    return False


def nothing_rests_it_says(verdict: Any, *given: Any) -> None:
    verdict(*given[:11], np.int64(0), *given[12:])


def hope(common_factor: Any, *given: Any) -> Any:
    """Every increase passes."""
    return 1.0, OK, 0.0


def hope_that_what_rests_fills(surround: Any, low: Any, high: Any, *given: Any) -> None:
    """A reduction at rest counts as if it had not been placed: the end that it leads to is not looked at."""
    now = np.where(abs(high) > abs(low), high, low)
    surround(now, now, *given)


def no_cap(clip: Any, *given: Any) -> None:
    """What the cap of a market leaves room for is not looked at."""


def no_clusters(clip_clusters: Any, *given: Any) -> None:
    """Nor what the caps of clusters and of the net leave."""


def first_come(mix: Any, value: Any) -> Any:
    """Ties go by position."""
    return np.uint64(0)
