"""What the fund's cycle promises, each judged on a run that was kept: AssertionError where a promise is broken.

Written from docs/semantics.md, in Python's own whole numbers; nothing here asks the loop how it came to its answer.
"""

import itertools
import math
from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from podshop.nouns import ASSUMED, DAY_NS
from podshop.nouns.verdict import (
    APPROVE,
    BOOK_GROSS,
    CODE_NAMES,
    CROSS_FILL,
    MAKER,
    MAKER_FILL,
    SETTLEMENT_FILL,
    SHRINK,
    TWAP,
    VENUE_FILL,
    VENUE_MIN,
    VETO,
)
from podshop.run.state import FEE, HALF_SPREAD, IMPACT, OPPORTUNITY, PAID, SAVED
from tests.run.books import CAPITAL_MICRO, Cycle, Fill, Limits, Verdict, World

E8 = 100_000_000
FLOAT = 1.0 + 1e-9


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


def fee_of_order(fills: list[Fill], fee_e8: int) -> int:
    """Fee of one order, rounded up once."""
    return -(-abs(sum(fill.lots for fill in fills)) * fills[0].price * fee_e8 // E8) if fills else 0


class Order(NamedTuple):
    """What the fund as a whole wants of a market in a cycle."""

    held: int  # lots when it decides
    change: int  # D
    leg: int  # the part of it toward flat
    takes: int  # D_t, lots
    makes: int  # D_m, lots
    joins: int  # a part too small joined: the made (-1) or the taken (1)


def order_of(world: World, each: Cycle, m: int) -> Order:
    """The net order and its two ways, from what the books want."""
    terms, mark = world.terms, int(world.facts.mark[each.k, m])
    want = each.want[m].tolist() if mark else [0] * each.want.shape[1]
    held, change = int(each.deciding[m].sum()), sum(want)
    leg = sign(change) * min(abs(change), abs(held)) if held * change < 0 else 0
    side = sign(change)
    majority = sum(max(side * w, 0) for w in want)
    waits = sum(
        max(side * w, 0)
        for b, w in enumerate(want)
        if terms.style[b] == MAKER and each.age[m, b] < terms.urgency[b]
    )  # fmt: skip
    makes = abs(change) * waits // majority if majority else 0
    takes, joins = abs(change) - makes, 0

    def small(lots: int) -> bool:
        return lots * mark <= terms.min_order_micro or lots * mark < terms.min_notional[m]

    if makes > 0 and small(makes):
        makes, takes, joins = 0, makes + takes, -1
    elif makes > 0 and takes > 0 and small(takes):
        makes, takes, joins = makes + takes, 0, 1
    return Order(held, change, leg, takes, makes, joins)


def net_verdict(each: Cycle, m: int) -> Verdict | None:
    """The verdict on the fund's order in market m."""
    found = [row for row in each.verdicts if row.market == m and row.book == each.lots.shape[1]]
    assert len(found) <= 1, "two orders of one market"
    return found[0] if found else None


def books_are_the_venue(world: World, cycles: list[Cycle]) -> None:
    """Books + house = venue, in lots and micro-dollars; and the venue charges orders and the net, not books."""
    terms, facts = world.terms, world.facts
    held, cash = [0] * facts.mark.shape[1], CAPITAL_MICRO
    for each in cycles:
        assert each.lots.sum(axis=1).tolist() == each.venue_lots.tolist()
        assert int(each.cash.sum()) == each.venue_cash
        assert each.residual.tolist() == [0, 0]
        for m in range(len(held)):
            cash += _funding(world, each.k, m, held[m], inside=True)
            rested, dead, taken = (each.of(m, kind) for kind in (MAKER_FILL, SETTLEMENT_FILL, VENUE_FILL))
            held[m] += sum(fill.lots for fill in rested)
            if each.k < cycles[-1].k:  # what is stamped at the end is not charged
                cash += _funding(world, each.k, m, held[m], inside=False)
            held[m] += sum(fill.lots for fill in (*dead, *taken))
            cash -= sum(fill.lots * fill.price for fill in (*rested, *dead, *taken))
            cash -= fee_of_order(rested, terms.maker_fee_e8) + fee_of_order(taken, terms.fee_e8)
        assert each.venue_lots.tolist() == held
        assert each.venue_cash == cash


def _funding(world: World, k: int, m: int, held: int, inside: bool) -> int:
    """What the account gets for its net lots: stamped inside the time before t_k, or at it."""
    facts, received = world.facts, 0
    mark = int(facts.mark[max(k - 1, 0) if inside else k, m])
    for event in range(int(facts.funding_until[k]), int(facts.funding_until[k + 1])):
        if facts.funding_market[event] == m and (facts.funding_at[event] < facts.time[k]) == inside:
            lots = abs(held) if facts.funding_source[event] == ASSUMED else held
            received -= round(lots * mark * float(facts.funding_rate[event]))
    return received


def nobody_is_moved_beyond_his_wish(world: World, cycles: list[Cycle]) -> None:
    """What one book does, its exit above all, moves no other beyond what that one still wished itself."""
    for each in cycles:
        deciding = each.deciding
        for m, b in np.ndindex(*each.lots.shape):
            rested = sum(fill.lots for fill in each.of(m, MAKER_FILL) if fill.book == b)
            assert _between(0, rested, int(each.rested.want[m, b]))
            held, raw, wished = int(deciding[m, b]), int(each.raw[m, b]), int(each.wished[m, b])
            if each.k == cycles[-1].k:  # nothing is decided any more
                continue
            if world.terms.style[b] == TWAP:
                assert _between(held, raw, wished)
            else:
                assert raw == wished
            change, still = int(each.lots[m, b]) - held, 0
            if each.resting.lots[m] != 0:
                still = int(each.resting.want[m, b])
            wish = _capped(world, each, m)[b]
            assert _between(0, change, wish)
            assert _between(change, change + still, wish)


def _between(first: int, middle: int, last: int) -> bool:
    return first <= middle <= last or first >= middle >= last


def _capped(world: World, each: Cycle, m: int) -> list[int]:
    """What each book wants of market m in this cycle, the majority's targets scaled into the cap."""
    terms, mark = world.terms, int(world.facts.mark[each.k, m])
    raw, held = each.raw[m].tolist(), each.deciding[m].tolist()
    if mark == 0:
        return [0] * len(raw)
    young = world.facts.time[each.k] - terms.first_trade[m] < 90 * DAY_NS
    weight = world.limits.max_weight[m] * 0.5 if young else world.limits.max_weight[m]
    most = max(math.floor(weight * each.nav / mark), 0)
    net, side = abs(sum(held)), sign(sum(raw))
    if sum(held) * side > 0 and most < net <= 1.25 * most:
        most = net
    if abs(sum(raw)) > most:
        majority = sum(max(side * lots, 0) for lots in raw)
        factor = (most + majority - abs(sum(raw))) / majority
        raw = [int(lots * factor) if lots * side > 0 else lots for lots in raw]
    return [lots - now for lots, now in zip(raw, held, strict=True)]


def crossing_leaves_the_fund_as_it_was(world: World, cycles: list[Cycle]) -> None:
    """What is crossed inside sums to nothing, in lots and cash, at the mid of execution and free; the rest is net."""
    for each in cycles:
        for m in range(len(each.lots)):
            inside, reference = each.of(m, CROSS_FILL), int(world.facts.reference[each.k, m])
            assert sum(fill.lots for fill in inside) == 0
            assert sum(fill.lots * fill.price for fill in inside) == 0
            assert all(fill.price == reference and fill.fee == 0 for fill in inside)
            outside = sum(fill.lots for fill in each.of(m, MAKER_FILL, VENUE_FILL, SETTLEMENT_FILL))
            assert int(each.venue_lots[m]) == int(each.before[m].sum()) + outside
            if reference and world.facts.mark[each.k, m] and each.k < len(world.facts.time) - 1:
                crosses = [sum(max(way * w, 0) for w in each.want[m].tolist()) for way in (1, -1)]
                assert sum(max(fill.lots, 0) for fill in inside) == min(crosses)


def one_order_a_way(world: World, cycles: list[Cycle]) -> None:
    """One order a market, cycle and way of trading: what is taken at one price, what rests beyond its limit alone."""
    terms, facts = world.terms, world.facts
    for each in cycles:
        k, row = each.k, facts.risk_row[each.k]
        for m in range(len(each.lots)):
            reference, taken, rested = int(facts.reference[k, m]), each.of(m, VENUE_FILL), each.of(m, MAKER_FILL)
            assert len({(fill.price, sign(fill.lots)) for fill in taken}) <= 1
            assert len({(fill.price, sign(fill.lots)) for fill in rested}) <= 1
            assert sum(fill.fee for fill in taken) == fee_of_order(taken, terms.fee_e8)
            assert sum(fill.fee for fill in rested) == fee_of_order(rested, terms.maker_fee_e8)
            assert abs(sum(fill.lots for fill in taken)) <= facts.liquidity[row, m]
            for fill in taken:
                assert (fill.price - reference) * sign(fill.lots) >= 0 < reference
            lots, limit = int(each.rested.lots[m]), int(each.rested.limit[m])
            low, high = int(facts.low[k, m]), int(facts.high[k, m])
            beyond = 0 < low < limit if lots > 0 else high > limit
            filled = sign(lots) * min(abs(lots), int(each.rested.most[m])) if lots and beyond else 0
            assert sum(fill.lots for fill in rested) == filled
            if lots:
                before = int(facts.reference[k - 1, m])
                assert all(fill.price == limit for fill in rested)
                assert limit == (
                    max(1, math.floor(before * (1.0 - terms.half_spread)))
                    if lots > 0
                    else math.ceil(before * (1.0 + terms.half_spread))
                )
                assert (before - limit) * sign(lots) >= 0
                assert each.rested.most[m] == facts.queued[facts.risk_row[k - 1], m]


def costs_are_what_paper_made_more(world: World, cycles: list[Cycle]) -> None:
    """Paper holds every wish at once, at the mark of its decision, for nothing: shortfall is what it made more."""
    marks = world.facts.mark.tolist()
    last = len(cycles) - 1
    for m, b in np.ndindex(*cycles[0].lots.shape):
        paper = book = paid = slipped = fees = wished = lots = 0
        crossed = False
        for each in cycles:
            if each.k:
                paper += wished * (marks[each.k][m] - marks[each.k - 1][m])
            for market, of, new in each.wishes:
                wished = new if (market, of) == (m, b) else wished
            mine = [fill for fill in each.fills if (fill.market, fill.book) == (m, b)]
            book -= sum(fill.lots * fill.price + fill.fee for fill in mine)
            lots += sum(fill.lots for fill in mine)
            slipped += sum(fill.lots * (fill.price - _reference(world, each, fill)) for fill in mine)
            fees += sum(fill.fee for fill in mine)
            crossed |= any(fill.kind == CROSS_FILL for fill in mine)
            paid -= sum(row[5] for row in each.funding if (row[1], row[2]) == (m, b))
            assert (wished, lots) == (each.wished[m, b], each.lots[m, b])
        found = cycles[last].costs[m, b].tolist()
        assert sum(found[: OPPORTUNITY + 1]) == paper - (book + lots * marks[last][m])
        assert found[HALF_SPREAD] + found[IMPACT] == slipped
        assert (found[FEE], found[PAID]) == (fees, paid)
        assert found[SAVED] == 0 or crossed


def _reference(world: World, each: Cycle, fill: Fill) -> int:
    """The mid that a fill is measured against; of what rested the one of when it was placed."""
    if fill.kind == MAKER_FILL:
        return int(each.rested.reference[fill.market])
    if fill.kind == SETTLEMENT_FILL:
        return int(world.facts.mark[each.k, fill.market])
    return int(world.facts.reference[each.k, fill.market])


def verdicts_tell_what_was_done(world: World, cycles: list[Cycle]) -> None:
    """A verdict for every order; what it says was filled and rests is so; a way to flat is always open."""
    for each in cycles[:-1]:
        for m in range(len(each.lots)):
            order, verdict = order_of(world, each, m), net_verdict(each, m)
            filled = sum(fill.lots for fill in each.of(m, VENUE_FILL))
            rests = int(each.resting.lots[m])
            assert order.change == 0 or verdict is not None
            if verdict is None:
                assert filled == rests == 0
                continue
            reference, mark = int(world.facts.reference[each.k, m]), int(world.facts.mark[each.k, m])
            assert (verdict.filled, verdict.resting) == (filled if reference else verdict.filled, rests)
            assert verdict.wanted != 0
            assert verdict.limits == 1
            assert verdict.verdict == (
                APPROVE if verdict.allowed == verdict.wanted else VETO if verdict.allowed == 0 else SHRINK
            )
            assert _between(0, verdict.allowed, order.change)
            assert _between(0, verdict.filled + rests, verdict.allowed)
            assert _between(0, verdict.filled, order.takes * sign(order.change))
            assert _between(0, rests, order.makes * sign(order.change))
            if not reference:
                assert filled == rests == verdict.filled == 0
            refused = abs(order.change) * mark < world.terms.min_notional[m] and order.change != -order.held
            if not refused:
                assert abs(verdict.allowed) >= abs(order.leg), "a reduction was held back"
            elif order.change:
                assert (verdict.allowed, verdict.code) == (0, VENUE_MIN)
            if verdict.allowed != order.change:
                assert verdict.code != 0, "cut without a reason"


def whatever_fills_the_limits_hold(world: World, cycles: list[Cycle]) -> None:
    """Where anything was increased: every limit holds for every combination of what fills and what does not."""
    terms, facts, limits = world.terms, world.facts, world.limits
    for each in cycles[:-1]:
        ends, gross, asked = [], 0.0, 0.0
        capped, sides, orders = [], [], []
        for m in range(len(each.lots)):
            order, verdict, mark = order_of(world, each, m), net_verdict(each, m), int(facts.mark[each.k, m])
            allowed = verdict.allowed if verdict else 0
            if abs(allowed) > abs(order.leg):
                first, last = order.held + order.leg, order.held + allowed
                young = facts.time[each.k] - terms.first_trade[m] < 90 * DAY_NS
                capped.append((abs(last) * mark, limits.max_weight[m] * (0.5 if young else 1.0)))
                sides.append((m, sign(order.change)))
                orders.append(abs(last - first) * mark)
            else:
                first = order.held + (verdict.filled if verdict else 0)
                last = first + (verdict.resting if verdict else 0)
            increase = abs(last - first) if abs(last) > abs(first) else 0
            gross += abs(first) * mark + increase * mark
            asked += increase * mark
            ends.append({first * mark, last * mark})
        if not capped:
            continue
        low = each.nav - (terms.fee_e8 / 1e8 + terms.collar) * asked
        covariance = facts.covariance[facts.risk_row[each.k]]
        assert gross <= limits.max_gross * low * FLOAT
        assert all(worth <= weight * low * FLOAT for worth, weight in capped)
        assert max(orders) <= limits.max_order * low * FLOAT
        for row, cap in clusters_of(limits, len(ends)):
            for side in {side for m, side in sides if row[m]}:
                assert sum(max(side * end for end in ends[m]) for m in row.nonzero()[0]) <= cap * low * FLOAT
        for corner in itertools.product(*ends):
            x = np.array(corner, np.float64)
            assert limits.tail * math.sqrt(max(x @ covariance @ x, 0.0)) <= limits.max_var * low * FLOAT


def clusters_of(limits: Limits, markets: int) -> list[tuple[np.ndarray[Any, Any], float]]:
    """The whole fund, and each cluster, with its cap."""
    members = np.zeros((0, markets), np.bool_) if limits.members is None else limits.members
    return [(np.ones(markets, np.bool_), limits.max_net), *zip(members, limits.caps, strict=True)]


def happened(world: World, cycles: list[Cycle]) -> Counter[str]:
    """How often what the promises are about took place."""
    seen: Counter[str] = Counter()
    for each in cycles:
        deciding, k = each.deciding, each.k
        for m in range(len(each.lots)):
            order, verdict = order_of(world, each, m) if k < len(cycles) - 1 else None, net_verdict(each, m)
            for b in range(len(world.names)):
                seen["flips of a book"] += int(deciding[m, b] * each.lots[m, b] < 0)
                seen["exits of a book"] += int(deciding[m, b] != 0 and each.lots[m, b] == 0)
            seen["crossings"] += bool(each.of(m, CROSS_FILL))
            seen["settlements"] += bool(each.of(m, SETTLEMENT_FILL))
            if each.rested.lots[m]:
                filled = abs(sum(fill.lots for fill in each.of(m, MAKER_FILL)))
                lots, limit = int(each.rested.lots[m]), int(each.rested.limit[m])
                touched = world.facts.low[k, m] == limit if lots > 0 else world.facts.high[k, m] == limit
                seen["rests touched, not filled"] += bool(touched and not filled)
                seen["rests filled in part"] += 0 < filled < abs(lots)
                seen["rests filled whole"] += filled == abs(lots)
                seen["rests filled for several books"] += len(each.of(m, MAKER_FILL)) > 1
            if order and verdict:
                after = order.held + verdict.filled
                seen["orders"] += 1
                seen["flips of the fund"] += order.held * after < 0
                seen["orders that rest"] += verdict.resting != 0
                seen["orders taken and made"] += verdict.resting != 0 and verdict.filled != 0
                seen["reductions that rest"] += verdict.resting != 0 and order.leg != 0
                seen["small made part joins"] += order.joins < 0
                seen["small taken part joins"] += order.joins > 0
                allowed = abs(verdict.allowed) - abs(verdict.resting)
                seen["taken in part"] += 0 < abs(verdict.filled) < allowed
                if verdict.code:
                    seen[CODE_NAMES[verdict.code]] += 1
        seen[CODE_NAMES[BOOK_GROSS]] += sum(row.code == BOOK_GROSS for row in each.verdicts)
        seen["funding"] += len(each.funding)
    return seen
