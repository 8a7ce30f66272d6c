"""The gate: from what the fund wishes to what may be sent, with a reason.

Agents propose, the gate disposes. It judges what may happen, not what is hoped: every market may end anywhere between
nothing and all of its open orders filling (docs/live.md, section 4). Reductions pass first and always; then, with
their lots known, increases pass under one common factor found by bisection.
"""

import math
from typing import NamedTuple

import numpy as np

from podshop.maths.compiled import lean
from podshop.nouns import Flags, Int, Panel, Whole
from podshop.nouns.verdict import (
    CLUSTER,
    FROZEN_PRICE,
    HALTED,
    HALTED_STATE,
    MIN_ORDER,
    NET_CAP,
    NO_HISTORY,
    OK,
    ORDER_SIZE,
    POSITION_CAP,
    REDUCE_ONLY,
    REDUCE_ONLY_STATE,
    REDUCES_COIN_RAISES_VAR,
    STALE_PRICE,
    VAR,
    VENUE_MIN,
)
from podshop.risk.bound import common_factor, recheck, times_both, times_matrix, value_at_risk

STALE_BARS = 3
FROZEN_BARS, FROZEN_NS = 12, 6 * 3_600_000_000_000
HISTORY_DAYS = 30
DAY_NS = 86_400_000_000_000


class InForce(NamedTuple):
    """The limits that the office has set, for compiled code: what changes is an array of one. Fractions of NAV."""

    version: Whole  # (1,)
    max_weight: Panel  # (M,)
    max_gross: Panel  # (1,)
    max_order: Panel  # (1,)
    max_var: Panel  # (1,)
    tail: Panel  # (1,) VaR / sigma
    clusters: Whole  # (1,) rows of the next two that count
    members: Flags  # (C, M); row 0 is the whole fund
    caps: Panel  # (C,) net


@lean
def reducing_leg(held: np.int64, change: np.int64) -> np.int64:
    """The part of a change that brings a position toward flat: never more than what is held.

    >>> reducing_leg(10, -4), reducing_leg(10, -25), reducing_leg(10, 5), reducing_leg(0, 5)
    (-4, -10, 0, 0)
    """
    if held > 0 and change < 0:
        return max(change, -held)
    if held < 0 and change > 0:
        return min(change, -held)
    return np.int64(0)


@lean
def pass_reductions(held: Whole, net: Whole, mark: Whole, min_notional: Whole, first: Whole, code: Whole) -> None:
    """Wave 1: the part of each order that reduces passes, whatever else is broken; only the venue's minimum binds.

    held, net     (M,) lots; the order is `net`
    min_notional  (M,) micro-dollars; a full close is exempt
    first         (M,) receives the leg that passes; code (M,) receives VENUE_MIN where the order cannot be sent
    """
    for m in range(held.shape[0]):
        first[m] = 0
        if net[m] == 0:
            continue
        if abs(net[m]) * mark[m] < min_notional[m] and net[m] != -held[m]:
            code[m] = VENUE_MIN
            continue
        first[m] = reducing_leg(held[m], net[m])


@lean
def refusal(state: Int, age_bars: Int, frozen_bars: Int, interval_ns: Int, history_ns: Int) -> int:
    """Code that forbids any increase in a market, or 0. NaN-proof: everything here is whole.

    frozen_bars  since the price last moved; history_ns since the market first traded
    """
    if state >= HALTED_STATE:
        return HALTED
    if state >= REDUCE_ONLY_STATE:
        return REDUCE_ONLY
    if age_bars > STALE_BARS:
        return STALE_PRICE
    if frozen_bars >= FROZEN_BARS and np.int64(frozen_bars) * interval_ns >= FROZEN_NS:
        return FROZEN_PRICE
    if history_ns < HISTORY_DAYS * DAY_NS:
        return NO_HISTORY
    return 0


@lean
def pass_increases(
    low: Whole,
    high: Whole,
    second: Whole,
    mark: Whole,
    weight: Panel,
    limits: InForce,
    covariance: Panel,
    nav: Int,
    reserve: float,
    code: Whole,
    measured: Panel,
    bound: Panel,
    held: Panel,
    step: Panel,
    risk_of_held: Panel,
    risk_of_step: Panel,
    risk_of_box: Panel,
    box: Panel,
    risk_of_rest: Panel,
) -> None:
    """Wave 2: increases pass as far as every outcome of them, and of what is in flight, stays within the limits.

    low, high  (M,) lots between which each market may end without the increases: equal where nothing is in flight
    second     (M,) lots of increase asked, changed in place to what may be sent
    weight     (M,) cap of each market in this cycle, fraction of NAV
    reserve    share of the notional in flight that fees and the collar may cost
    code, measured, bound  (M,) written where something was cut
    held, risk_of_held     (M,) notional after the reductions that are known, and S times it, as
                           `mark_risky_reductions` left them
    step, risk_of_step, risk_of_box, box, risk_of_rest  (M,) scratch; dollars here are micro-dollars as floats
    """
    markets = second.shape[0]
    asked = 0.0
    gross = 0.0
    for m in range(markets):
        asked += np.float64(abs(second[m]) * mark[m])
        gross += np.float64(max(abs(low[m]), abs(high[m])) * mark[m])
    if asked == 0.0:
        return
    nav_low = nav - reserve * asked
    _clip(low, high, second, mark, weight, limits.max_order[0], nav, nav_low, code, measured, bound)
    clip_clusters(low, high, second, mark, limits.members, limits.caps, limits.clusters[0], nav, nav_low, code,
                  measured, bound)  # fmt: skip
    asked = 0.0
    for m in range(markets):
        asked += np.float64(abs(second[m]) * mark[m])
    if asked == 0.0:
        return
    max_gross, max_var, tail = limits.max_gross[0], limits.max_var[0], limits.tail[0]
    _surround(low, high, mark, covariance, held, step, risk_of_held, risk_of_step, box, risk_of_rest)
    for m in range(markets):
        step[m] = 0.5 * np.float64(second[m] * mark[m])
    times_both(covariance, step, risk_of_step, risk_of_box)
    factor, cause, var = common_factor(
        nav, reserve, asked, gross, max_gross, max_var, tail, held, step, risk_of_held, risk_of_step, risk_of_box,
        box, risk_of_rest,
    )  # fmt: skip
    if cause == 0:
        return
    for m in range(markets):
        if second[m] != 0:
            cut = np.int64(math.floor(factor * abs(second[m])))
            second[m] = cut if second[m] > 0 else -cut
            code[m] = cause
            measured[m] = var / nav if cause == VAR else (gross + asked) / nav
            bound[m] = max_var if cause == VAR else max_gross
    recheck(
        second, mark, covariance, nav, gross, max_gross, max_var, tail, reserve,
        held, step, risk_of_held, risk_of_step, risk_of_box, box, risk_of_rest,
    )  # fmt: skip


@lean
def _surround(
    low: Whole, high: Whole, mark: Whole, covariance: Panel, held: Panel, step: Panel, risk_of_held: Panel,
    risk_of_step: Panel, box: Panel, risk_of_rest: Panel,
) -> None:  # fmt: skip
    """Move `held` to the middle of what is in flight; `box` is half the distance of its ends."""
    any_in_flight = False
    for m in range(low.shape[0]):
        box[m] = 0.0
        risk_of_rest[m] = 0.0
        any_in_flight = any_in_flight or low[m] != high[m]
    if not any_in_flight:
        return
    for m in range(low.shape[0]):
        step[m] = 0.5 * np.float64((high[m] - low[m]) * mark[m])
        box[m] = step[m]
    times_both(covariance, step, risk_of_step, risk_of_rest)
    for m in range(low.shape[0]):
        held[m] = 0.5 * np.float64((low[m] + high[m]) * mark[m])
    times_matrix(covariance, held, risk_of_held)


@lean
def _clip(
    low: Whole, high: Whole, second: Whole, mark: Whole, weight: Panel, max_order: float, nav: Int, nav_low: float,
    code: Whole, measured: Panel, bound: Panel,
) -> None:  # fmt: skip
    """Bring each market alone within its cap, and each order within its own, in place.

    nav_low  NAV left when all that is asked has cost its reserve
    """
    for m in range(second.shape[0]):
        if second[m] != 0:
            most = np.int64(max(math.floor(weight[m] * nav_low / mark[m]), 0.0))
            end = high[m] if second[m] > 0 else -low[m]
            room = max(most - end, 0)
            if abs(second[m]) > room:
                code[m] = POSITION_CAP
                measured[m] = (end + abs(second[m])) * mark[m] / nav
                bound[m] = weight[m]
                second[m] = room if second[m] > 0 else -room
            most = np.int64(max(math.floor(max_order * nav_low / mark[m]), 0.0))
            if abs(second[m]) > most:
                code[m] = ORDER_SIZE
                measured[m] = abs(second[m]) * mark[m] / nav
                bound[m] = max_order
                second[m] = most if second[m] > 0 else -most


@lean
def clip_clusters(
    low: Whole, high: Whole, second: Whole, mark: Whole, members: Flags, caps: Panel, clusters: Int, nav: Int,
    nav_low: float, code: Whole, measured: Panel, bound: Panel,
) -> None:  # fmt: skip
    """Bring each cluster alone within its cap, in place: its buys by one factor, then its sells by another.

    members  (C, M), caps (C,) fractions of NAV, of which the first `clusters` count; row 0 is the whole fund
    """
    for c in range(clusters):
        cap = caps[c] * nav_low
        for side in (1, -1):
            end = 0.0
            more = 0.0
            for m in range(second.shape[0]):
                if members[c, m]:
                    end += np.float64((high[m] if side > 0 else -low[m]) * mark[m])
                    if second[m] * side > 0:
                        more += np.float64(abs(second[m]) * mark[m])
            if more == 0.0 or end + more <= cap:
                continue
            factor = max(cap - end, 0.0) / more
            for m in range(second.shape[0]):
                if members[c, m] and second[m] * side > 0:
                    second[m] = side * np.int64(math.floor(abs(second[m]) * factor))
                    code[m] = NET_CAP if c == 0 else CLUSTER
                    measured[m] = (end + more) / nav
                    bound[m] = caps[c]


@lean
def mark_risky_reductions(
    held: Whole, filled: Whole, mark: Whole, covariance: Panel, nav: Int, max_var: float, tail: float,
    code: Whole, measured: Panel, bound: Panel, notional: Panel, risk: Panel,
) -> None:  # fmt: skip
    """A reduction passes even if, closing one leg of a hedge, it lifts VaR over its limit; then its verdict says so.

    held, filled    (M,) lots before the reductions, and what was filled of them
    notional, risk  (M,) receive the notional after the reductions, and S times it: the increases are judged on them
    """
    any_filled = False
    for m in range(held.shape[0]):
        notional[m] = np.float64((held[m] + filled[m]) * mark[m])
        any_filled = any_filled or filled[m] != 0
    after = value_at_risk(covariance, notional, tail, risk)
    if not any_filled or after <= max_var * nav:
        return
    for m in range(held.shape[0]):
        if risk[m] * filled[m] > 0.0 and code[m] == OK:
            code[m] = REDUCES_COIN_RAISES_VAR
            measured[m] = after / nav
            bound[m] = max_var


@lean
def drop_small(
    first: Whole,
    second: Whole,
    mark: Whole,
    min_order_micro: Int,
    min_notional: Whole,
    code: Whole,
    measured: Panel,
    bound: Panel,
) -> None:
    """An increase that is not worth its order, or that the venue would refuse, is not sent; it stays wished.

    first, second  (M,) the two legs of one order; called once for what is taken and once for what rests
    """
    for m in range(second.shape[0]):
        if second[m] == 0:
            continue
        order = abs(first[m] + second[m]) * mark[m]
        if order <= min_order_micro or order < min_notional[m]:
            second[m] = 0
            code[m] = MIN_ORDER if order <= min_order_micro else VENUE_MIN
            measured[m] = order / 1e6
            bound[m] = (min_order_micro if order <= min_order_micro else min_notional[m]) / 1e6
