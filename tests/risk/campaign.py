"""Random funds whose orders fill late, in part, in any order or unheard of: does the gate keep every limit?

Markets move, agents want more than the limits allow, and orders stay in flight over several cycles. `run` lets either
the gate decide (docs/live.md, section 4) or `each_alone`, the plain filter that checks each agent's order by itself.
Written out for people: `python -m tests.risk.campaign CYCLES SEED`.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from podshop.nouns.verdict import GROSS, HALTED_STATE, OK, REDUCE_ONLY_STATE, RUNNING, VAR
from podshop.risk import gate

Array = np.ndarray[Any, Any]
AGENTS, MARKETS, CYCLES_OF_A_WORLD = 20, 8, 250
RESERVE = 0.01045  # fee and collar
CAPITAL = 100_000_000_000  # micro-dollars
FLOAT = 1.0 + 1e-9
SEQUENCES = 12  # random orders of random fills that are tried after each decision, beside the worst corners


@dataclass
class Order:
    """One order that may still fill.

    lots     signed, as sent; left: what the venue may still fill
    closes   reduce-only: the venue fills it no further than to flat
    fills    (cycle, share of what was sent) as the venue will fill it
    heard    cycle in which we learn what became of it; before that its fills are not booked
    filled   so far at the venue; of it `booked` are known to us
    since    lots of ordinary orders on its side that were booked since it was sent: see `ends`
    """

    market: int
    lots: int
    closes: bool
    fills: list[tuple[int, float]]
    heard: int
    agent: int = -1
    filled: int = 0
    booked: int = 0
    since: int = 0

    @property
    def left(self) -> int:
        """What may still be booked of it."""
        return self.lots - self.booked


class Limits(NamedTuple):
    """As fractions of NAV. rows: every market alone, the whole fund, the clusters, as (R, M) and caps (R,)."""

    force: gate.InForce
    rows: Array
    caps: Array


@dataclass
class Promise:
    """What the last decision in which an increase passed has promised, by row and side where they differ."""

    cap: Array  # (R, 2) micro-dollars: largest position on the long and the short side; inf where nothing was promised
    value: Array  # (R, 2, M) micro-dollars a lot at that decision
    later: Array  # (R, 2, M) lots by which reductions have filled since
    gross: float = np.inf
    var: float = np.inf
    at: Array = field(default_factory=lambda: np.zeros(0))  # (M,) micro-dollars a lot, for gross and VaR
    covariance: Array = field(default_factory=lambda: np.zeros(0))
    tail: float = 0.0
    since: Array = field(default_factory=lambda: np.zeros(MARKETS, np.int64))  # (M,) as `later`, for gross and VaR


@dataclass
class Fund:
    """One world: where it stands at the venue (`lots`), what is booked, and what is in flight."""

    chance: np.random.Generator
    lots: Array  # (M,) truly held
    booked: Array  # (M,) known to be held
    nav: float
    mark: Array
    covariance: Array
    limits: Limits
    agent_lots: Array  # (AGENTS, M) what each agent believes to hold
    scale: float
    view: Array
    target: Array
    flying: list[Order]
    promise: Promise


def run(worlds: int, seed: int, decide: "Decide", blind: bool = False) -> Counter[str]:
    """Cycles, orders, breaches and refusals over so many worlds.

    blind  orders whose outcome is unknown are forgotten by the gate: what must not be
    """
    seen: Counter[str] = Counter()
    for world in range(worlds):
        fund = new_world(np.random.default_rng([seed, world]))
        for k in range(CYCLES_OF_A_WORLD):
            cycle(fund, k, decide, seen, blind)
            if fund.nav < 0.2 * CAPITAL:
                seen["funds that lost four fifths"] += 1
                fund = new_world(fund.chance)
    return seen


def cycle(fund: Fund, k: int, decide: "Decide", seen: Counter[str], blind: bool) -> None:
    """Prices move, the venue fills, we hear of it, agents wish, the gate decides."""
    _move(fund)
    _happen(fund, k, seen)
    _wish(fund)
    breached = Counter(seen)
    decide(fund, k, seen, blind)
    _happen(fund, k, seen)
    seen["cycles"] += 1
    seen["cycles in flight at the end"] += bool(fund.flying)
    seen["orders in flight"] += len(fund.flying)
    names = ("could breach", "breach by an increase")
    now = any(seen[name] > breached[name] for name in names)
    seen["cycles with a breach"] += now or bool(_breaches(fund, undo=True))


Decide = Callable[[Fund, int, Counter[str], bool], None]


# ------------------------------------------------------------------ the gate


def gated(fund: Fund, k: int, seen: Counter[str], blind: bool) -> None:
    """Two waves, as in run/cycle.py; what is in flight is reserved, and limits are those of the office."""
    chance, limits = fund.chance, fund.limits
    net = fund.target.sum(axis=0) - fund.booked
    busy = np.zeros(MARKETS, np.bool_)
    for order in fund.flying:
        busy[order.market] |= (
            abs(order.heard) > k and chance.random() < 0.5
        )  # the others have lapsed: idle, but watched
    first, code = np.zeros(MARKETS, np.int64), np.full(MARKETS, OK, np.int64)
    gate.pass_reductions(fund.booked, net, fund.mark, np.zeros(MARKETS, np.int64), first, code)
    toward = np.where(fund.booked * net < 0, np.sign(net) * np.minimum(abs(net), abs(fund.booked)), 0)
    seen["reductions"] += int((toward != 0).sum())
    seen["reductions refused"] += int((first != toward).sum())
    sent = [_send(fund, k, m, int(first[m]), closes=True) for m in np.flatnonzero(first)]
    _happen(fund, k, seen)
    settled = np.ones(MARKETS, np.bool_)
    for order in sent:
        settled[order.market] = order.filled == order.booked == order.lots

    state = chance.choice([RUNNING, REDUCE_ONLY_STATE, HALTED_STATE], p=[0.96, 0.02, 0.02])
    second = np.where(settled & ~busy, net - first, 0)
    for m in np.flatnonzero(second):
        age, still, young = (int(chance.choice([0, more], p=[0.97, 0.03])) for more in (9, 99, 1))
        refused = gate.refusal(state, age, still, 3_600_000_000_000, (20 if young else 400) * gate.DAY_NS)
        assert (refused != 0) == (state != RUNNING or age + still + young > 0)
        if refused:
            second[m] = 0
            seen["increases vetoed by state, price or history"] += 1
    flying = [order for order in fund.flying if not (blind and abs(order.heard) > k)]
    low, high = ends(fund.booked, flying)
    seen["lots beyond their ends"] += int(((fund.lots < low) | (fund.lots > high)).sum())
    reserved = RESERVE * sum(abs(order.left) * int(fund.mark[order.market]) for order in flying)
    nav = int(fund.nav - reserved)
    wanted = second.copy()
    passed, code, clipped = _pass(fund, low, high, second, nav)
    seen["increases wanted"] += int((wanted != 0).sum())
    seen["increases passed, whole"] += int(((passed == wanted) & (wanted != 0)).sum())
    seen["increases passed, in part"] += int(((passed != wanted) & (passed != 0)).sum())
    if (code == GROSS).any() or (code == VAR).any():
        _room(fund, clipped, passed, nav, seen)
    if not passed.any():
        return
    for m in np.flatnonzero(passed):
        _send(fund, k, m, int(passed[m]), closes=False)
    made = _promise(fund, passed, passed, nav - RESERVE * float(abs(passed) @ fund.mark))
    seen["could breach"] += _could_breach(fund, made, seen)
    if (abs(passed) * fund.mark > limits.force.max_order[0] * nav * FLOAT).any():
        seen["could breach"] += 1
        seen["order"] += 1


def ends(booked: Array, flying: list[Order]) -> tuple[Array, Array]:
    """Lots between which each market may end: docs/live.md, section 4, and what it leaves out.

    A reduce-only order ends at zero or above when it last fills. What an ordinary order has sold after that may have
    been booked before we hear of it: so the market ends no lower than those (`since`) and what is in flight below zero.
    """
    ordinary, closing, since = np.zeros((3, 2, MARKETS), np.int64)
    for order in flying:
        side = int(order.left < 0)
        (closing if order.closes else ordinary)[side, order.market] += abs(order.left)
        since[side, order.market] = max(since[side, order.market], order.since)
    low = np.maximum(np.minimum(booked, -since[1]), booked - closing[1]) - ordinary[1]
    high = np.minimum(np.maximum(booked, since[0]), booked + closing[0]) + ordinary[0]
    return low, high


def _pass(fund: Fund, low: Array, high: Array, second: Array, nav: int) -> tuple[Array, Array, Array]:
    """What the gate lets through, its codes, and what the caps of markets, orders and clusters alone would."""
    clipped, loose = second.copy(), fund.limits.force._replace(max_gross=np.full(1, 1e9), max_var=np.full(1, 1e9))
    for limits, asked in ((loose, clipped), (fund.limits.force, second)):
        code = np.full(MARKETS, OK, np.int64)
        measured, bound, held, step, risk_of_held, risk_of_step, risk_of_box, box, rest = np.zeros((9, MARKETS))
        zero = np.zeros(MARKETS, np.int64)
        gate.mark_risky_reductions(
            fund.booked, zero, fund.mark, fund.covariance, nav, limits.max_var[0], limits.tail[0], code, measured,
            bound, held, risk_of_held,
        )  # fmt: skip
        gate.pass_increases(
            low, high, asked, fund.mark, limits.max_weight, limits, fund.covariance, nav, RESERVE, code, measured,
            bound, held, step, risk_of_held, risk_of_step, risk_of_box, box, rest,
        )  # fmt: skip
    return second, code, clipped


class Room(NamedTuple):
    """Shares of the increases that passed where the bound cut them: by the bound, and by a gate that only hopes."""

    orders: int  # in flight
    bounded: float
    hoped: float


ROOM: list[Room] = []


def _room(fund: Fund, clipped: Array, passed: Array, nav: int, seen: Counter[str]) -> None:
    """Note what the bound let pass, against a gate that counts on everything to fill: with what flies, and without."""
    value, asked = fund.mark.astype(float), float(abs(clipped) @ fund.mark)
    end = fund.booked.copy()
    if asked == 0.0 or not _holds(fund, end * value, nav):
        seen["a limit is passed before anything is asked"] += 1
        return
    seen["the bound binds"] += 1
    alone, _, _ = _pass(fund, fund.booked, fund.booked, clipped.copy(), nav)
    bounded = float(abs(alone) @ value) / asked
    if bounded < 1.0:
        ROOM.append(Room(0, bounded, _hoped(fund, end, clipped, nav, bounded)))
    if fund.flying:
        for order in fund.flying:
            end[order.market] += order.left
        bounded = float(abs(passed) @ value) / asked
        ROOM.append(Room(len(fund.flying), bounded, _hoped(fund, end, clipped, nav, bounded)))


def _hoped(fund: Fund, end: Array, clipped: Array, nav: int, least: float) -> float:
    """Largest share of the increases that keeps gross and VaR if all of it fills; it is no less than the bound's."""
    value = fund.mark.astype(float)
    asked = float(abs(clipped) @ value)

    def holds(factor: float) -> bool:
        return _holds(fund, (end + factor * clipped) * value, nav - factor * RESERVE * asked)

    if holds(1.0):
        return 1.0
    low, high = least, 1.0
    for _ in range(20):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _holds(fund: Fund, x: Array, nav: float) -> bool:
    """Whether (M,) positions are within gross and VaR."""
    limits = fund.limits.force
    variance = max(float(x @ fund.covariance @ x), 0.0)
    return bool(
        np.abs(x).sum() <= limits.max_gross[0] * nav and limits.tail[0] * np.sqrt(variance) <= limits.max_var[0] * nav
    )


# ------------------------------------------------------------------ the plain filter


def each_alone(fund: Fund, k: int, seen: Counter[str], blind: bool) -> None:
    """Each agent's order is checked alone against the same positions; nobody sees the others', or what is in flight."""
    limits, value, x = fund.limits, fund.mark.astype(float), fund.booked * fund.mark.astype(float)
    busy = np.zeros((AGENTS, MARKETS), np.bool_)
    for order in fund.flying:
        busy[order.agent, order.market] = True
    orders = np.where(busy, 0, fund.target - fund.agent_lots)
    q = orders * value
    after = x + q
    risk = fund.covariance @ x
    variance = x @ risk + 2.0 * q * risk + q * q * np.diag(fund.covariance)
    gross = np.abs(x).sum() - np.abs(x) + np.abs(after)
    fits = np.abs(after) <= limits.force.max_weight * fund.nav
    fits &= gross <= limits.force.max_gross[0] * fund.nav
    fits &= np.abs(q) <= limits.force.max_order[0] * fund.nav
    fits &= limits.force.tail[0] * np.sqrt(np.maximum(variance, 0.0)) <= limits.force.max_var[0] * fund.nav
    inside = limits.rows[MARKETS:] @ x
    for members, cap, net in zip(limits.rows[MARKETS:], limits.caps[MARKETS:], inside, strict=True):
        fits &= ~members | (np.abs(net + q) <= cap * fund.nav)
    reduces = (x * q < 0) & (np.abs(q) <= np.abs(x))
    send = np.where(fits | reduces, orders, 0)
    if not send.any():
        return
    for agent, m in np.argwhere(send):
        _send(fund, k, m, int(send[agent, m]), closes=bool(reduces[agent, m]), agent=int(agent))
    increases = np.where(reduces, 0, send)
    if increases.any():
        nav_low = fund.nav - RESERVE * float(np.abs(send).sum(axis=0) @ value)
        made = _promise(fund, increases.max(axis=0), increases.min(axis=0), nav_low)
        seen["could breach"] += _could_breach(fund, made, seen)


# ------------------------------------------------------------------ what the venue does


def _send(fund: Fund, k: int, m: int, lots: int, closes: bool, agent: int = -1) -> Order:
    """Send one order, and draw what will become of it and when we hear of it."""
    chance = fund.chance
    whole = float(chance.choice([0.0, 1.0, chance.random()], p=[0.15, 0.6, 0.25]))
    if chance.random() < 0.5:
        fills, heard = [(k, whole)], k
    else:
        heard = k + int(chance.integers(1, 9))
        pieces = int(chance.integers(1, 4))
        fills = [(int(chance.integers(k, heard + 1)), whole / pieces) for _ in range(pieces)]
        if chance.random() < 0.5:  # acknowledged: each fill is heard of when it happens
            heard = -heard
    order = Order(int(m), lots, closes, sorted(fills), heard, agent)
    fund.flying.append(order)
    return order


def _happen(fund: Fund, k: int, seen: Counter[str]) -> None:
    """All fills that are due, in random order; each may breach. Then what we hear is booked, in random order too."""
    due = [(order, n) for order in fund.flying for n, (at, _) in enumerate(order.fills) if at <= k]
    for i in fund.chance.permutation(len(due)).tolist():
        order, n = due[i]
        left = abs(order.lots) - abs(order.filled)
        lots = min(int(np.ceil(order.fills[n][1] * abs(order.lots))), left) * (1 if order.lots > 0 else -1)
        if order.closes:
            held = int(fund.lots[order.market])
            lots = int(gate.reducing_leg(np.int64(held), np.int64(lots)))
        if lots == 0:
            continue
        before = _breaches(fund)
        fund.lots[order.market] += lots
        order.filled += lots
        fund.nav -= fund.chance.uniform(0.0, RESERVE) * abs(lots) * float(fund.mark[order.market])
        seen["fills"] += 1
        if order.closes:
            fund.promise.later[:, :, order.market] += lots
            fund.promise.since[order.market] += lots
        for name in _breaches(fund) - before:
            blameless = order.closes or name not in _breaches(fund, undo=True)
            seen["breach by a reduction" if blameless else "breach by an increase"] += 1
            if not blameless:
                seen[name] += 1
    for order in fund.flying:
        order.fills = [(at, share) for at, share in order.fills if at > k]
    for i in fund.chance.permutation(len(fund.flying)).tolist():
        order = fund.flying[i]
        if order.heard < 0 or order.heard <= k:
            _book(fund, order)
    fund.flying = [order for order in fund.flying if abs(order.heard) > k]


def _book(fund: Fund, order: Order) -> None:
    """Book what has filled of an order."""
    lots = order.filled - order.booked
    fund.booked[order.market] += lots
    order.booked = order.filled
    if order.agent >= 0:
        fund.agent_lots[order.agent, order.market] += lots
    for other in fund.flying:
        if not order.closes and other.closes and other.market == order.market and other.lots * lots > 0:
            remember(other, abs(lots))


def remember(order: Order, lots: int) -> None:
    """So much was booked on the side of a reduce-only order while it was in flight."""
    order.since += lots


# ------------------------------------------------------------------ what is judged


def _promise(fund: Fund, bought: Array, sold: Array, nav_low: float) -> Promise:
    """What this decision promises: caps of rows on sides where it lets grow, gross and VaR. The fund keeps it, too."""
    limits, value, made = fund.limits, fund.mark.astype(float), _no_promise(fund.limits)
    for side, grows in enumerate((bought > 0, sold < 0)):
        rows = (limits.rows & grows).any(axis=1)
        made.cap[rows, side] = limits.caps[rows] * nav_low * FLOAT
        made.value[rows, side] = value
        fund.promise.cap[rows, side], fund.promise.value[rows, side] = made.cap[rows, side], value
        fund.promise.later[rows, side] = 0
    force = limits.force
    for promise in (made, fund.promise):
        promise.gross, promise.var = force.max_gross[0] * nav_low * FLOAT, force.max_var[0] * nav_low * FLOAT
        promise.at, promise.covariance, promise.tail = value, fund.covariance, force.tail[0]
    fund.promise.since[:] = 0
    return made


def _breaches(fund: Fund, undo: bool = False) -> set[str]:
    """Promises that are broken by the lots that are truly held; undo: had no reduction filled since."""
    return set(_broken(fund, fund.promise, fund.lots[None], undo))


def _broken(fund: Fund, promise: Promise, lots: Array, undo: bool = False) -> list[str]:
    """Parts of a promise that any row of (N, M) lots breaks."""
    found = []
    for side, sign in enumerate((1.0, -1.0)):
        value = promise.value[:, side] * fund.limits.rows
        held = sign * (lots @ value.T)  # (N, R)
        if undo:
            held = held - sign * (promise.later[:, side] * value).sum(axis=1)
        over = (held > promise.cap[:, side]).any(axis=0)
        found += ["position"] * bool(over[:MARKETS].any())
        found += [("net", "cluster")[min(row, 1)] for row in np.flatnonzero(over[MARKETS:])]
    if promise.gross < np.inf:
        x = (lots - promise.since * undo) * promise.at
        if (np.abs(x).sum(axis=1) > promise.gross).any():
            found.append("gross")
        variance = np.einsum("nm,mk,nk->n", x, promise.covariance, x)
        if (promise.tail * np.sqrt(np.maximum(variance, 0.0)) > promise.var).any():
            found.append("var")
    return found


def _could_breach(fund: Fund, made: Promise, seen: Counter[str]) -> bool:
    """Whether any of many ways in which what is in flight may fill breaks a promise at any step."""
    lots = np.repeat(fund.lots[None], SEQUENCES, axis=0)
    left = np.array([order.lots - order.filled for order in fund.flying])
    market = np.array([order.market for order in fund.flying])
    closes = np.array([order.closes for order in fund.flying])
    share = fund.chance.choice([0.0, 0.3, 1.0], (SEQUENCES, len(left)), p=[0.3, 0.1, 0.6])
    share[0], share[1], share[2], share[3] = 1.0, left > 0, left < 0, ~closes
    states, every = [lots.copy()], np.arange(SEQUENCES)
    turns = np.argsort(fund.chance.random((SEQUENCES, len(left))), axis=1)
    for i in range(len(left)):
        which = turns[:, i]
        m, more = market[which], np.trunc(left[which] * share[every, which]).astype(np.int64)
        held = lots[every, m]
        most = np.where(held * more < 0, np.minimum(np.abs(more), np.abs(held)), 0) * np.sign(more)
        lots[every, m] += np.where(closes[which], most, more)
        states.append(lots.copy())
    broken = _broken(fund, made, np.concatenate([*states, _corners(fund)]))
    for name in broken:
        seen[name] += 1
    seen["outcomes tried"] += SEQUENCES * (len(left) + 1)
    return bool(broken)


def _corners(fund: Fund) -> Array:
    """Ends of the markets at which VaR is large: from the middle and from random ends uphill."""
    low, high = ends(fund.lots, [_unseen(order) for order in fund.flying])
    x = np.where(fund.chance.random((4, MARKETS)) < 0.5, low, high)
    value = fund.mark.astype(float)
    for _ in range(3):
        risk = (x * value) @ fund.covariance
        x = np.where(risk > 0, high, low)
    return np.asarray(x)


def _unseen(order: Order) -> Order:
    """The same order as the venue sees it."""
    return Order(order.market, order.lots, order.closes, [], 0, booked=order.filled)


# ------------------------------------------------------------------ markets and agents


def new_world(chance: np.random.Generator) -> Fund:
    """A fund without positions, in markets of which some move as one."""
    mark = np.rint(10.0 ** chance.uniform(4, 9, MARKETS)).astype(np.int64)
    zero = np.zeros(MARKETS, np.int64)
    limits = _limits(chance)
    return Fund(
        chance, zero.copy(), zero.copy(), float(CAPITAL), mark, _covariance(chance), limits,
        np.zeros((AGENTS, MARKETS), np.int64), float(chance.choice([0.5, 1.0, 2.0])), chance.normal(size=MARKETS),
        np.zeros((AGENTS, MARKETS), np.int64), [], _no_promise(limits),
    )  # fmt: skip


def _no_promise(limits: Limits) -> Promise:
    rows = len(limits.rows)
    return Promise(np.full((rows, 2), np.inf), np.zeros((rows, 2, MARKETS)), np.zeros((rows, 2, MARKETS), np.int64))


def _covariance(chance: np.random.Generator) -> Array:
    loading = chance.normal(0.0, 0.02, (MARKETS, 2)) + chance.choice([0.0, 0.03])
    return np.asarray(loading @ loading.T + np.diag(chance.uniform(0.0, 0.03, MARKETS) ** 2))


def _limits(chance: np.random.Generator) -> Limits:
    """Any of which may be the one that binds."""
    members = np.vstack([np.ones((1, MARKETS), np.bool_), chance.random((3, MARKETS)) < 0.4])
    weight, caps = np.full(MARKETS, chance.choice([0.05, 0.1, 0.2])), chance.choice([0.1, 0.2, 0.4, 9.0], 4)
    force = gate.InForce(
        version=np.ones(1, np.int64), max_weight=weight, max_gross=np.array([chance.choice([0.2, 0.5, 1.0])]),
        max_order=np.array([chance.choice([0.02, 0.05, 9.0])]), max_var=np.array([chance.choice([0.003, 0.01, 0.03])]),
        tail=np.array([chance.uniform(1.645, 2.5)]), clusters=np.array([4]), members=members, caps=caps,
    )  # fmt: skip
    return Limits(force, np.vstack([np.eye(MARKETS, dtype=np.bool_), members]), np.append(weight, caps))


def _move(fund: Fund) -> None:
    """Prices move, now and then far; covariance and limits change once in a while."""
    chance = fund.chance
    wild = 10.0 if chance.random() < 0.01 else 1.0
    step = np.linalg.cholesky(fund.covariance + 1e-12 * np.eye(MARKETS)) @ chance.normal(size=MARKETS) / 5.0 * wild
    mark = np.maximum(np.rint(fund.mark * np.exp(np.clip(step, -1.0, 1.0))), 1000).astype(np.int64)
    fund.nav += float(fund.lots @ (mark - fund.mark))
    fund.mark = mark
    if chance.random() < 0.02:
        fund.covariance = _covariance(chance)
    if chance.random() < 0.02:  # a promise is one of the limits of its day: rows may mean other markets now
        fund.limits = _limits(chance)
        fund.promise = _no_promise(fund.limits)


def _wish(fund: Fund) -> None:
    """Twenty agents: a view that all share in part, each with its own; one in five changes its mind in a cycle."""
    chance, weight = fund.chance, fund.limits.force.max_weight
    fund.view = 0.95 * fund.view + 0.3 * chance.normal(size=MARKETS)
    anew = chance.random(AGENTS) < 0.2
    want = fund.scale * (0.7 * fund.view + 0.7 * chance.normal(size=(AGENTS, MARKETS)))
    want[:, chance.random(MARKETS) < 0.1] = 0.0
    lots = np.trunc(want * weight * fund.nav / AGENTS / fund.mark).astype(np.int64)
    fund.target = np.where(anew[:, None], lots, fund.target)


def room() -> str:
    """How much the bound lets pass, over the cycles where it binds, by how many orders are in flight."""
    lines = []
    for least, most in ((0, 0), (1, 3), (4, 8), (9, 99)):
        some = np.array([each[1:] for each in ROOM if least <= each.orders <= most and each.hoped > 0.0])
        if len(some):
            cuts = np.quantile(some[:, 0] / some[:, 1], [0.1, 0.5, 0.9])
            together = some[:, 0].sum() / some[:, 1].sum()
            lines.append(
                f"room, {least} to {most} in flight: {len(some)} cycles, together {together:.3f}, "
                f"quantiles 10, 50, 90 % {cuts.round(3).tolist()}"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    cycles, seed = int(sys.argv[1]), int(sys.argv[2])
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    print(f"{cycles} cycles, seed {seed}, commit {commit.strip()}")  # noqa: T201
    for name, way in (("gate", gated), ("each alone", each_alone)):
        started = time.monotonic()
        counts = run(cycles // CYCLES_OF_A_WORLD, seed, way)
        print(f"-- {name}, {time.monotonic() - started:.0f} s")  # noqa: T201
        print("\n".join(f"{key}: {count}" for key, count in sorted(counts.items())))  # noqa: T201
    print(room())  # noqa: T201
