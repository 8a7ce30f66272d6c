"""What the gate must answer, from docs/live.md section 4 and docs/semantics.md section 9: plain lists, no hurry.

Written to be read beside the text, not beside the gate: the box of every market is made anew for each factor.
"""

import math
from dataclasses import dataclass
from typing import Any

from podshop.nouns.verdict import (
    CLUSTER,
    FROZEN_PRICE,
    GROSS,
    HALTED,
    MIN_ORDER,
    NET_CAP,
    NO_HISTORY,
    OK,
    ORDER_SIZE,
    POSITION_CAP,
    REDUCE_ONLY,
    REDUCES_COIN_RAISES_VAR,
    STALE_PRICE,
    VAR,
    VENUE_MIN,
)

HOUR_NS, DAY_NS = 3_600_000_000_000, 86_400_000_000_000


@dataclass
class Case:
    """One second wave. Lists of M; members is a list of rows, the first of which is the whole fund."""

    low: list[int]
    high: list[int]
    asked: list[int]
    mark: list[int]
    weight: list[float]
    covariance: list[list[float]]
    nav: int
    reserve: float
    max_gross: float
    max_order: float
    max_var: float
    tail: float
    members: list[list[bool]]
    caps: list[float]

    @property
    def markets(self) -> range:
        return range(len(self.mark))


@dataclass
class Answer:
    """Lots that pass, and why not more."""

    lots: list[int]
    code: list[int]
    measured: list[float]
    bound: list[float]

    def cut(self, m: int, lots: int, code: int, measured: float, bound: float) -> None:
        self.lots[m] = lots if self.lots[m] > 0 else -lots
        self.code[m], self.measured[m], self.bound[m] = code, measured, bound


def second_wave(case: Case) -> Answer:
    """Each market and order alone, then each cluster, then one factor for gross and VaR."""
    zeros = [0.0 for _ in case.markets]
    answer = Answer(list(case.asked), [OK for _ in case.markets], list(zeros), list(zeros))
    nav_low = case.nav - case.reserve * notional(case, answer.lots)
    for m in case.markets:
        lots = abs(answer.lots[m])
        end = case.high[m] if answer.lots[m] > 0 else -case.low[m]
        room = max(max(math.floor(case.weight[m] * nav_low / case.mark[m]), 0) - end, 0)
        if lots > room:
            answer.cut(m, room, POSITION_CAP, (end + lots) * case.mark[m] / case.nav, case.weight[m])
        lots, most = abs(answer.lots[m]), max(math.floor(case.max_order * nav_low / case.mark[m]), 0)
        if lots > most:
            answer.cut(m, most, ORDER_SIZE, lots * case.mark[m] / case.nav, case.max_order)
    for number, (row, cap) in enumerate(zip(case.members, case.caps, strict=True)):
        for side in (1, -1):
            _cluster(case, answer, [m for m in case.markets if row[m]], cap, nav_low, side, number == 0)
    _factor(case, answer)
    return answer


def notional(case: Case, lots: list[int]) -> float:
    return sum((float(abs(q) * v) for q, v in zip(lots, case.mark, strict=True)), 0.0)


def _cluster(case: Case, answer: Answer, row: list[int], cap: float, nav_low: float, side: int, whole: bool) -> None:
    """The net of a cluster, if all that grows on this side fills, and all that is in flight there."""
    net = sum((float((case.high[m] if side > 0 else -case.low[m]) * case.mark[m]) for m in row), 0.0)
    growing = [m for m in row if answer.lots[m] * side > 0]
    more = sum((float(abs(answer.lots[m]) * case.mark[m]) for m in growing), 0.0)
    if growing and net + more > cap * nav_low:
        share = max(cap * nav_low - net, 0.0) / more
        for m in growing:
            lots = math.floor(abs(answer.lots[m]) * share)
            answer.cut(m, lots, NET_CAP if whole else CLUSTER, (net + more) / case.nav, cap)


def _factor(case: Case, answer: Answer) -> None:
    """One factor for all that is left, by twenty halvings."""
    if not any(answer.lots):
        return
    cause, var = broken(case, answer.lots, 1.0)
    if not cause:
        return
    gross = (base_gross(case) + notional(case, answer.lots)) / case.nav
    at_rest, _ = broken(case, answer.lots, 0.0)
    share, high = 0.0, 1.0
    for _ in range(0 if at_rest else 20):
        middle = (share + high) / 2.0
        found, _ = broken(case, answer.lots, middle)
        share, high, cause = (share, middle, found) if found else (middle, high, cause)
    cause = at_rest or cause
    for m in case.markets:
        if answer.lots[m] != 0:
            seen, limit = (gross, case.max_gross) if cause == GROSS else (var / case.nav, case.max_var)
            answer.cut(m, math.floor(share * abs(answer.lots[m])), cause, seen, limit)


def base_gross(case: Case) -> float:
    return sum(
        (float(max(abs(a), abs(b)) * v) for a, b, v in zip(case.low, case.high, case.mark, strict=True)), 0.0
    )  # fmt: skip


def broken(case: Case, lots: list[int], share: float) -> tuple[int, float]:
    """The limit that this share of the increases may break, 0 if none, and the VaR bound of the box."""
    asked = notional(case, lots)
    nav_low = case.nav - share * case.reserve * asked
    low = [(a + min(share * q, 0.0)) * v for a, q, v in zip(case.low, lots, case.mark, strict=True)]
    high = [(b + max(share * q, 0.0)) * v for b, q, v in zip(case.high, lots, case.mark, strict=True)]
    middle = [(a + b) / 2.0 for a, b in zip(low, high, strict=True)]
    radius = [(b - a) / 2.0 for a, b in zip(low, high, strict=True)]
    variance = 0.0
    for i in case.markets:
        risk = sum(case.covariance[i][j] * middle[j] for j in case.markets)
        beside = sum(abs(case.covariance[i][j]) * radius[j] for j in case.markets)
        variance += middle[i] * risk + 2.0 * radius[i] * abs(risk) + radius[i] * beside
    var = case.tail * math.sqrt(max(variance, 0.0))
    if base_gross(case) + share * asked > case.max_gross * nav_low:
        return GROSS, var
    return (VAR if var > case.max_var * nav_low else OK), var


def first_wave(held: list[int], net: list[int], mark: list[int], least: list[int]) -> list[tuple[int, int]]:
    """(lots, code) of each market: what goes toward flat, unless the venue would refuse the order."""
    answer = []
    for p, d, v, small in zip(held, net, mark, least, strict=True):
        leg = min(abs(p), abs(d)) * (1 if d > 0 else -1) if p * d < 0 else 0
        refused = d != 0 and abs(d) * v < small and d != -p
        answer.append((0, VENUE_MIN) if refused else (leg, OK))
    return answer


def refused(state: int, age: int, frozen: int, interval_ns: int, history_ns: int) -> int:
    """Why nothing may grow, in the order of docs/semantics.md."""
    reasons = (
        (state == 2, HALTED), (state == 1, REDUCE_ONLY), (age > 3, STALE_PRICE),
        (frozen >= 12 and frozen * interval_ns >= 6 * HOUR_NS, FROZEN_PRICE), (history_ns < 30 * DAY_NS, NO_HISTORY),
    )  # fmt: skip
    return next((code for holds, code in reasons if holds), 0)


def risky(held: list[int], filled: list[int], mark: list[int], covariance: Any, nav: int, max_var: float, tail: float,
          code: list[int]) -> list[tuple[int, float, float]]:  # fmt: skip
    """(code, measured, bound) after a first wave: reductions that have raised VaR over its limit are named."""
    x = [float((p + f) * v) for p, f, v in zip(held, filled, mark, strict=True)]
    risk = [sum(covariance[i][j] * x[j] for j in range(len(x))) for i in range(len(x))]
    var = tail * math.sqrt(max(sum(a * b for a, b in zip(x, risk, strict=True)), 0.0))
    return [
        (REDUCES_COIN_RAISES_VAR, var / nav, max_var)
        if any(filled) and var > max_var * nav and risk[m] * filled[m] > 0.0 and code[m] == OK
        else (code[m], 0.0, 0.0)
        for m in range(len(x))
    ]


def dropped(first: int, second: int, mark: int, least_micro: int, venue_micro: int) -> tuple[int, float, float] | None:
    """(code, measured, bound) of an order whose increase is not worth sending; None where it is sent."""
    size = (abs(first) + abs(second)) * mark
    if second == 0:
        return None
    if size <= least_micro:
        return MIN_ORDER, size / 1e6, least_micro / 1e6
    return (VENUE_MIN, size / 1e6, venue_micro / 1e6) if size < venue_micro else None
