"""From the books' wishes to what may be ordered: market caps, the two waves, the bound, the verdict.

Dollars here are floats in micro-dollars: v = float(mark), the value of one lot. Sums run over markets in index order.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tests.reference.facts import DAY_NS, HOUR_NS, NET, Facts, Terms, VerdictRow, sign
from tests.reference.limits import Limits

HALVINGS = 20
OK = "OK"


@dataclass
class Order:
    """One market of one cycle on its way through the gate. Lots, signed.

    held     net lots before the cycle (p)
    wanted   T - p: what the books would trade together
    d        the same under the market cap
    made     of d, unsigned: the lots that shall rest at the touch; the others are taken
    leg      the part of d toward zero, as approved: first what is taken, of which the venue will fill `filled`,
             then leg_made, which rests
    q        the rest, as approved so far: q_taken and q_made of it, unsigned
    code     why less than wanted is allowed: the last rule that took something away
    """

    held: int = 0
    wanted: int = 0
    d: int = 0
    made: int = 0
    leg: int = 0
    leg_made: int = 0
    filled: int = 0
    q: int = 0
    q_made: int = 0
    code: str = OK

    @property
    def after(self) -> int:
        """Net lots once wave 1 is done (p1)."""
        return self.held + self.filled

    @property
    def leg_taken(self) -> int:
        return self.leg - self.leg_made

    @property
    def q_taken(self) -> int:
        return abs(self.q) - self.q_made

    @property
    def resting(self) -> int:
        """Signed lots of the order that rests: never of both kinds, since what may not fill opens nothing beyond."""
        return self.leg_made + sign(self.q) * self.q_made


def cap_market(
    facts: Facts, limits: Limits, k: int, m: int, raw: Sequence[int], held: int, nav: int
) -> tuple[list[int], str]:
    """Scale the majority side of the books' targets until the market's net is inside its cap. -> (targets, code)"""
    total = sum(raw)
    if facts.mark[k][m] == 0:
        return [0] * len(raw), OK
    bound = cap = math.floor(limits.cap(m, facts.history_ns[k][m]) * nav / facts.mark[k][m])
    same_side = sign(held) == sign(total)
    if same_side and cap < abs(held) <= 1.25 * cap:
        bound = abs(held)  # a passive breach stops increases; only above 1.25 caps is it cured
    if abs(total) <= bound:
        return list(raw), OK
    majority = sum(abs(lots) for lots in raw if sign(lots) == sign(total))
    factor = (bound + (majority - abs(total))) / majority
    capped = [math.trunc(lots * factor) if sign(lots) == sign(total) else lots for lots in raw]
    return capped, "CURE" if same_side and bound < abs(held) else "POSITION_CAP"


def judge(facts: Facts, terms: Terms, k: int, orders: Sequence[Order], nav: int, limits: Limits) -> list[VerdictRow]:
    """Both waves. Fills in leg, filled, q and code of every order, and answers its verdicts."""
    for m, order in enumerate(orders):
        _reduce(facts, terms, k, m, order)
    covariance = facts.covariance(k)
    value = [float(mark) for mark in facts.mark[k]]
    _increase(facts, terms, k, orders, nav, limits, covariance, value)
    _mark_hedges_lost(limits, orders, nav, covariance, value)
    rows = [_verdict(facts, k, m, order, limits.number) for m, order in enumerate(orders)]
    return [row for row in rows if row is not None]


def _reduce(facts: Facts, terms: Terms, k: int, m: int, order: Order) -> None:
    """Wave 1: what goes toward zero passes, but for orders that the venue would refuse."""
    if sign(order.d) == -sign(order.held):
        order.leg = sign(order.d) * min(abs(order.d), abs(order.held))
        order.leg_made = sign(order.d) * max(0, abs(order.leg) - (abs(order.d) - order.made))
    order.q = order.d - order.leg
    if order.d == 0:
        return
    if abs(order.d) * facts.mark[k][m] < terms.min_notional_micro[m] and order.d != -order.held:
        order.leg, order.leg_made, order.q, order.code = 0, 0, 0, "VENUE_MIN"
        return
    if facts.reference[k][m] != 0:
        order.filled = sign(order.leg) * min(abs(order.leg_taken), facts.liquidity[k][m])


def _increase(
    facts: Facts,
    terms: Terms,
    k: int,
    orders: Sequence[Order],
    nav: int,
    limits: Limits,
    covariance: Sequence[Sequence[float]],
    value: Sequence[float],
) -> None:
    """Wave 2: vetoes, each market's own bounds, then the clusters', then one common factor for gross and VaR, then the
    smallest order.
    """
    before = [abs(order.q) for order in orders]
    for m, order in enumerate(orders):
        code = _veto(facts, k, m, limits.state, order)
        if order.q != 0 and code:
            order.q, order.code = 0, code

    rho = terms.fee_e8 / 1e8 + terms.collar
    low = nav - rho * _reserved(orders, value)
    for m, order in enumerate(orders):
        if order.q != 0:
            bound = math.floor(limits.cap(m, facts.history_ns[k][m]) * low / value[m])
            room = max(0, bound - abs(order.after))
            if abs(order.q) > room:
                order.q, order.code = sign(order.q) * room, "POSITION_CAP"
            _limit_size(limits, order, low, value[m])
    _clip_cluster(orders, range(len(orders)), limits.max_net * low, value, "NET")
    for members, cap in limits.clusters:
        _clip_cluster(orders, members, cap * low, value, "CLUSTER")

    if any(order.q for order in orders):
        f, code = _common_factor(limits, orders, nav, rho, covariance, value)
        _scale(orders, f, code)
        if code and breach(limits, orders, 1.0, nav, rho, covariance, value):
            _scale(orders, 0.0, code)

    for m, order in enumerate(orders):
        if order.q != 0:
            _split(terms, m, order, before[m], value[m])


def _split(terms: Terms, m: int, order: Order, before: int, v: float) -> None:
    """Take and make the increase in the proportion in which it was wanted, and drop what is too small an order."""
    side, to_take = sign(order.q), abs(order.d) - order.made - abs(order.leg_taken)
    q_taken = abs(order.q) * to_take // before
    order.q_made = abs(order.q) - q_taken
    if q_taken > 0:
        code = _too_small(terms, m, (abs(order.leg_taken) + q_taken) * v)
        if code:
            q_taken, order.code = 0, code
    if order.q_made > 0:
        code = _too_small(terms, m, (abs(order.leg_made) + order.q_made) * v)
        if code:
            order.q_made, order.code = 0, code
    order.q = side * (q_taken + order.q_made)


def _too_small(terms: Terms, m: int, size: float) -> str:
    if size <= terms.min_order_usd * 1e6:
        return "MIN_ORDER"
    return "VENUE_MIN" if size < terms.min_notional_micro[m] else ""


def _veto(facts: Facts, k: int, m: int, state: str, order: Order) -> str:
    if state in ("HALTED", "REDUCE_ONLY"):
        return state
    if facts.age[k][m] > 3:
        return "STALE_PRICE"
    if frozen(facts, k, m):
        return "FROZEN_PRICE"
    if facts.history_ns[k][m] < 30 * DAY_NS:
        return "NO_HISTORY"
    if order.leg_made != 0:
        return "RESTING"
    # nothing is opened beyond zero before zero is reached
    return "LIQUIDITY" if order.filled != order.leg_taken else ""


def frozen(facts: Facts, k: int, m: int) -> bool:
    """Whether the price has not moved for twelve bars and six hours."""
    bars = facts.frozen[k][m]
    return bars >= 12 and bars * facts.interval_ns >= 6 * HOUR_NS


def _limit_size(limits: Limits, order: Order, low: float, v: float) -> None:
    most = max(0, math.floor(limits.max_order * low / v))
    if abs(order.q) > most:
        order.q, order.code = sign(order.q) * most, "ORDER_SIZE"


def _clip_cluster(
    orders: Sequence[Order], members: Sequence[int], cap: float, value: Sequence[float], code: str
) -> None:
    """Markets that move as one: clip the increases on each side until their net stays inside, whatever fills."""
    for side in (1, -1):
        held = sum((side * _end(orders[m], side) * value[m] for m in members), 0.0)
        growing = [m for m in members if sign(orders[m].q) == side]
        more = sum((abs(orders[m].q) * value[m] for m in growing), 0.0)
        if held + more > cap:
            for m in growing:
                q = side * math.floor(abs(orders[m].q) * (max(cap - held, 0.0) / more))
                if q != orders[m].q:
                    orders[m].q, orders[m].code = q, code


def _end(order: Order, side: int) -> int:
    """Where a market ends without its increase, at the most (side 1) or the least."""
    ends = order.after, order.after + order.leg_made
    return max(ends) if side == 1 else min(ends)


def _common_factor(
    limits: Limits,
    orders: Sequence[Order],
    nav: int,
    rho: float,
    covariance: Sequence[Sequence[float]],
    value: Sequence[float],
) -> tuple[float, str]:
    """The largest share of all increases that keeps the bound, and the limit that asked for less ("" at 1)."""
    code = breach(limits, orders, 1.0, nav, rho, covariance, value)
    if not code:
        return 1.0, ""
    at_zero = breach(limits, orders, 0.0, nav, rho, covariance, value)
    if at_zero:
        return 0.0, at_zero
    holds, fails = 0.0, 1.0
    for _ in range(HALVINGS):
        f = (holds + fails) / 2.0
        found = breach(limits, orders, f, nav, rho, covariance, value)
        if found:
            fails, code = f, found
        else:
            holds = f
    return holds, code


def _scale(orders: Sequence[Order], f: float, code: str) -> None:
    for order in orders:
        q = sign(order.q) * math.floor(f * abs(order.q))
        if q != order.q:
            order.q, order.code = q, code


def breach(
    limits: Limits,
    orders: Sequence[Order],
    f: float,
    nav: int,
    rho: float,
    covariance: Sequence[Sequence[float]],
    value: Sequence[float],
) -> str:
    """Name the first limit that some outcome of the orders f q may break, GROSS or VAR; "" when none.

    docs/live.md section 4 with nothing else in flight: a market ends between lo and hi, c and r are the middle and
    the half width of that range, and VaR is bounded term by term over the box |d| <= r. A reduction that rests may fill
    or not, whatever f is.
    """
    low = nav - f * rho * _reserved(orders, value)
    gross = 0.0
    for order, v in zip(orders, value, strict=True):
        lo = order.after + min(0.0, f * order.q, order.leg_made)
        hi = order.after + max(0.0, f * order.q, order.leg_made)
        gross += max(abs(lo), abs(hi)) * v
    if not gross <= limits.max_gross * low:
        return "GROSS"
    a = [f * (order.q * v / 2.0) + order.leg_made * v / 2.0 for order, v in zip(orders, value, strict=True)]
    c = [order.after * v + a_m for order, v, a_m in zip(orders, value, a, strict=True)]
    r = [abs(a_m) for a_m in a]
    s_c = [sum(s * x for s, x in zip(row, c, strict=True)) for row in covariance]
    s_r = [sum(abs(s) * x for s, x in zip(row, r, strict=True)) for row in covariance]
    variance = (
        sum(x * y for x, y in zip(c, s_c, strict=True))
        + 2.0 * sum(x * abs(y) for x, y in zip(r, s_c, strict=True))
        + sum(x * y for x, y in zip(r, s_r, strict=True))
    )
    return "" if limits.tail * math.sqrt(max(0.0, variance)) <= limits.max_var * low else "VAR"


def _reserved(orders: Sequence[Order], value: Sequence[float]) -> float:
    """Notional of the increases: what their fees and collars may still take from NAV."""
    return sum((abs(order.q) * v for order, v in zip(orders, value, strict=True)), 0.0)


def _mark_hedges_lost(
    limits: Limits,
    orders: Sequence[Order],
    nav: int,
    covariance: Sequence[Sequence[float]],
    value: Sequence[float],
) -> None:
    """Name the reductions that leave VaR beyond its limit because they closed one side of a hedge. They pass."""
    x = [order.after * v for order, v in zip(orders, value, strict=True)]
    s_x = [sum(s * y for s, y in zip(row, x, strict=True)) for row in covariance]
    variance = quadratic(covariance, x)
    if limits.tail * math.sqrt(max(0.0, variance)) <= limits.max_var * nav:
        return
    for order, slope in zip(orders, s_x, strict=True):
        if order.filled != 0 and order.code == OK and sign(slope) == sign(order.leg):
            order.code = "REDUCES_COIN_RAISES_VAR"


def _verdict(facts: Facts, k: int, m: int, order: Order, number: int) -> VerdictRow | None:
    """One row for every market with a net wish."""
    wanted, allowed = order.wanted or order.d, order.leg + order.q
    if wanted == 0:
        return None
    verdict = "approve" if allowed == wanted else "veto" if allowed == 0 else "shrink"
    rests = order.resting if facts.reference[k][m] != 0 else 0
    return VerdictRow(facts.id(k), facts.names[m], NET, verdict, order.code, wanted, allowed, rests, number)


def quadratic(covariance: Sequence[Sequence[float]], x: Sequence[float]) -> float:
    """x'Sx, row by row."""
    return sum(
        (x_m * sum(s * y for s, y in zip(row, x, strict=True)) for x_m, row in zip(x, covariance, strict=True)), 0.0
    )
