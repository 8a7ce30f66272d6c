"""The worst days replayed: what a fund at its limits would have lost, and which limit or rung would have acted.

The fund of the replay is its own worst case: every agent is sure, all of them long, so it always wants as much of every
market as its limits leave. Beside it stands the same fund frozen: it starts at the fund file's limits and never trades.
Everything else is the risk office as it is: three agents, asked at their cadences, and the tightest holds.
"""

import copy
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from podshop.nouns import DAY_NS, HOUR_NS, Panel, Times, Whole, duration_ns, utc_ns
from podshop.nouns.limits import NORMAL_95, Health, InForce, RiskView, Shadows
from podshop.nouns.verdict import RUNNING, STATES
from podshop.research.var_history import MARKETS, Prices, judged, read
from podshop.risk.correlation import CorrelationTracker
from podshop.risk.covariance import HALF_LIFE_DAYS, WINDOW_DAYS, covariances
from podshop.risk.office import Office, Ruling
from podshop.run.config.sections import Fund

EPISODES = {  # days replayed before and after
    "2020-03-12": (1, 8),
    "2021-05-19": (1, 8),
    "2022-06-13": (3, 8),
    "2022-11-08": (1, 8),
}
FUNDS = {"starter": 0.05, "invested": 0.20}  # largest weight of a market: the starter's, and one at which VaR binds
CLUSTER = 3  # a cluster may hold as much as so many markets
LOST_IN_TRADING = 0.01  # of what is traded, the whole collar: in such hours nobody trades at the middle
WORTH_BUYING = 1.02  # nobody pays that to hold a little more
CURE_FROM, CURE_HOURS = 1.25, 12  # a limit passed because prices moved is cured from here, or after so long
MEMORY = (500 + WINDOW_DAYS) * 24


class Market(NamedTuple):
    """Hours of real prices and what the gate knew: `covariance` (T, M, M) daily, `ends` rows of midnights."""

    prices: Prices
    covariance: Panel
    ends: Whole
    daily: Panel


class Episode(NamedTuple):
    """One episode of one fund, by hour: (H,) each; losses are against the first hour's NAV of 1.

    frozen, nav   NAV of the fund that never trades, and of the one whose limits act
    gross, var    after the hour's trades, fractions of NAV; var is tail x sigma
    max_var, allowed  the VaR limit, and the gross that all limits leave
    bought        gross that was added
    steps         (row, what the office or the gate did)
    """

    time: Times
    frozen: Panel
    nav: Panel
    gross: Panel
    var: Panel
    max_var: Panel
    allowed: Panel
    bought: Panel
    steps: list[tuple[int, str]]


def load(root: Path) -> Market:
    """Read the hours of all episodes and everything that is made once."""
    prices = read(root)
    _, ends = judged(prices)
    window, decay = WINDOW_DAYS * 24, 0.5 ** (1 / (HALF_LIFE_DAYS * 24))
    gate = covariances(np.ascontiguousarray(prices.bars), 0, window, decay, 24.0)
    return Market(prices, gate, ends, np.diff(np.log(prices.mark[ends]), axis=0))


def limits_of(fund: Fund, max_weight: float) -> InForce:
    """A fund file's own limits, with another cap of a market."""
    limits, books = fund.limits, len(fund.mandates)
    return InForce(
        version=0, max_weight=np.full(len(MARKETS), max_weight), max_gross=float(limits.max_gross),
        max_net=float(limits.max_gross), max_order=float(limits.max_gross), max_var=float(limits.max_var),
        tail=NORMAL_95, cluster=np.zeros((0, len(MARKETS)), np.bool_), max_cluster=np.zeros(0),
        throttle=np.ones(books), fund_throttle=1.0, state=RUNNING, latched=RUNNING,
    )  # fmt: skip


def replay(
    market: Market, fund: Fund, mandate: InForce, day: str, before: int, after: int, office: Office | None = None
) -> Episode:
    """Walk one episode by the hour: mark, ask, reduce what must be, buy what may be.

    mandate  the fund file's limits; office: the risk agents, all three by default
    """
    office = office or office_of(fund, CLUSTER * float(mandate.max_weight.max()))
    prices = market.prices
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
    first, last = (
        int(np.searchsorted(prices.time, utc_ns(midnight + timedelta(days=days)))) for days in (-before, after)
    )
    shape = np.full(len(MARKETS), 1 / len(MARKETS))  # of whatever is held
    frozen = room(shape, mandate, market.covariance[first]) * shape
    most = room(shape, replace(mandate, max_var=np.inf), market.covariance[first])
    shadow, best_shadow = _shadow_weights(fund, market.covariance[first]), np.ones(len(fund.mandates))
    held, nav, peak, day_open, above = np.zeros(len(MARKETS)), 1.0, 1.0, 1.0, 0
    ruling: Ruling | None = None
    hours, steps = [], [(first, f"frozen starts at {100 * frozen.sum():.1f} % gross, by the fund file's limits")]
    for row in range(first, last + 1):
        if row > first:
            moved = prices.mark[row] / prices.mark[row - 1]
            nav, held = nav + float(held @ (moved - 1.0)), held * moved
        peak = max(peak, nav)
        day_open = nav if prices.time[row] % DAY_NS == 0 else day_open
        since = prices.mark[row] / prices.mark[first] - 1.0
        best_shadow = np.maximum(best_shadow, 1.0 + shadow @ since)
        was = ruling.in_force if ruling else mandate
        seen = _view(
            market, fund, row, held / nav, mandate, was, 1.0 + shadow @ since, best_shadow, (nav, peak, day_open)
        )
        ruling = office(seen, ruling)
        now = ruling.in_force
        allowed = room(shape, now, market.covariance[row])
        wished = most * now.fund_throttle * float(now.throttle.mean())
        gross = float(held.sum() / nav)
        above = above + 1 if gross > allowed else 0
        target = target_gross(gross, wished, allowed, above, now.state)
        if target != gross:
            nav -= LOST_IN_TRADING * abs(target - gross) * nav if row > first else 0.0  # what it starts with it has
            held = target * nav * shape
        steps += [(row, what) for what in told(was, now, gross, target, wished)]
        var = now.tail * float(np.sqrt(held @ market.covariance[row] @ held)) / nav
        hours.append((1.0 + frozen @ since, nav, held.sum() / nav, var, now.max_var, allowed, max(target - gross, 0.0)))
    columns = np.array(hours).T
    return Episode(
        time=prices.time[first : last + 1], frozen=columns[0], nav=columns[1], gross=columns[2], var=columns[3],
        max_var=columns[4], allowed=columns[5], bought=columns[6], steps=steps,
    )  # fmt: skip


def target_gross(gross: float, wished: float, allowed: float, hours_above: int, state: int) -> float:
    """What the fund goes to: down to its wish at once, down to its limits by the rule of cures, up only if it may.

    >>> target_gross(0.2, wished=0.1, allowed=0.3, hours_above=0, state=RUNNING)
    0.1
    >>> [target_gross(0.2, wished=0.3, allowed=0.18, hours_above=hours, state=RUNNING) for hours in (12, 13)]
    [0.2, 0.18]
    """
    if gross > CURE_FROM * allowed or hours_above > CURE_HOURS:
        return min(wished, allowed)
    if wished < gross:
        return wished
    most = min(wished, allowed)
    return most / (1 + LOST_IN_TRADING) if state == RUNNING and most > WORTH_BUYING * gross else gross


def room(shape: Panel, limits: InForce, covariance: Panel) -> float:
    """The largest gross of a long portfolio of this shape that every limit allows.

    shape  (M,) weights that sum to 1
    """
    sigma = float(np.sqrt(shape @ covariance @ shape))
    held = shape > 0
    bounds = [limits.max_gross, limits.max_net, float((limits.max_weight[held] / shape[held]).min())]
    bounds += [limits.max_var / (limits.tail * sigma)] if sigma > 0 else []
    shares = limits.cluster @ shape
    bounds += [float(cap / share) for cap, share in zip(limits.max_cluster, shares, strict=True) if share > 0]
    return min(bounds)


def office_of(fund: Fund, max_cluster: float) -> Office:
    """The three agents as the fund file asks for them."""
    agents = {seat.name: copy.deepcopy(seat.agent) for seat in fund.risk}
    for name, agent in agents.items():
        if isinstance(agent, CorrelationTracker):
            agents[name] = replace(agent, max_cluster=max_cluster)
    return Office(agents, {seat.name: duration_ns(seat.cadence) for seat in fund.risk})


def _shadow_weights(fund: Fund, covariance: Panel) -> Panel:
    """(B, M) each shadow long everything at its own volatility target, as it sizes at full conviction."""
    sigma = np.sqrt(np.diagonal(covariance) * 365)
    return np.array([mandate.volatility_target / (sigma * len(MARKETS)) for mandate in fund.mandates])


def _view(
    market: Market, fund: Fund, row: int, weights: Panel, mandate: InForce, in_force: InForce, shadow: Panel,
    best_shadow: Panel, money: Sequence[float],
) -> RiskView:  # fmt: skip
    """What the agents are shown; the books hold alike, and have no past together."""
    prices, books = market.prices, len(fund.mandates)
    nav, peak, day_open = (round(1e12 * value) for value in money)
    past = int(np.searchsorted(market.ends, row, side="right")) - 1
    return RiskView(
        version=row,
        at_ns=int(prices.time[row]),
        books=tuple(each.name for each in fund.mandates),
        families=tuple(each.horizon for each in fund.mandates),
        markets=MARKETS,
        shadows=Shadows(
            equity_micro=np.rint(1e12 * shadow).astype(np.int64),
            peak_micro=np.rint(1e12 * best_shadow).astype(np.int64),
            volatility_target=np.array([each.volatility_target for each in fund.mandates]),
            throttle=in_force.throttle,
            daily_return=np.zeros((0, books)),
        ),
        health=Health(
            nav_micro=nav, peak_micro=peak, throttle=in_force.fund_throttle, state=in_force.latched,
            day_open_micro=day_open,
        ),
        weights=np.append(np.tile(weights / books, (books, 1)), np.zeros((1, len(MARKETS))), axis=0),
        covariance=market.covariance[row],
        daily=market.daily[max(past - 500, 0) : past],
        bars=prices.bars[max(row + 1 - MEMORY, 0) : row + 1],
        bar_ns=HOUR_NS,
        mandate=mandate,
        in_force=replace(in_force, version=row - 1),
    )  # fmt: skip


def told(before: InForce, now: InForce, gross: float, target: float, wished: float) -> list[str]:
    """What changed at this hour, in words."""
    said = []
    if now.state != before.state:
        said.append(f"state {STATES[now.state]}: {now.reason.split('drawdown_limiter: ')[-1].split('; ')[0]}")
    if now.fund_throttle != before.fund_throttle:
        said.append(f"fund throttle {100 * now.fund_throttle:.0f} %")
    if not np.array_equal(now.throttle, before.throttle):
        said.append("book throttles " + ", ".join(f"{100 * each:.0f} %" for each in now.throttle))
    if len(now.cluster) and not np.array_equal(now.cluster, before.cluster):
        groups = " and ".join("+".join(np.array(MARKETS)[each]) for each in now.cluster)
        said.append(f"{groups} count as one, net at most {100 * now.max_cluster.min():.0f} %")
    if now.max_var != before.max_var:
        said.append(f"VaR limit {100 * now.max_var:.2f} % ({now.by['max_var']})")
    if target < gross:
        why = "throttled" if target == wished else "brought back under its limits"
        said.append(f"{why}: gross {100 * gross:.1f} % to {100 * target:.1f} %")
    return said
