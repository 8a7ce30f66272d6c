"""What the gate costs in the compiled loop, and its parts: thirty markets, eight clusters; figures in docs/gate.md.

The loops are compiled, so that the doorway from Python is not counted. `python -m tests.risk.test_gate_speed` prints.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from podshop.maths.compiled import lean
from podshop.nouns.verdict import TAKER, VAR
from podshop.risk import bound, gate
from podshop.run import cycle
from podshop.run.state import Facts, Fund, Terms, Work, new_fund, new_work
from tests.run.books import CAPITAL_MICRO, Limits, one_cycle, terms_for
from tests.run.worlds import random_world

MARKETS, CLUSTERS, ROUNDS, TIMES = 30, 8, 15, 1_000
MOST_US, MOST_WHAT_IF_US = 8.0, 200.0
BUSY = 4.0  # how much slower a shared machine may be than the one of docs/gate.md


class Scene(NamedTuple):
    """One cycle of a fund, and what it wishes."""

    fund: Fund
    work: Work
    terms: Terms
    facts: Facts
    net: Any


def binding(resting: bool) -> Scene:
    """The same, with a limit on VaR at which about half of the increases pass."""
    for percent in range(100, 1, -1):
        found = scene(percent / 1000, resting)
        both_waves(*found, found.work.made.copy(), 1)
        asked = int(abs(found.net[::2]).sum())
        if abs(found.work.second).sum() < 0.6 * asked:
            return found
    raise AssertionError("no limit binds")


def scene(max_var: float = 9.0, resting: bool = False) -> Scene:
    """Half of the thirty markets reduce a little, the other half increase; the caps of clusters let nearly all pass."""
    chance = np.random.default_rng(7)
    world = random_world(1, MARKETS, 2, cycles=1)
    terms = terms_for([TAKER, TAKER], [1, 1], world.names, MARKETS)
    facts, _ = one_cycle(world, 0)
    mark = np.rint(10.0 ** chance.uniform(5, 8, (1, MARKETS))).astype(np.int64)
    loading = chance.normal(0.0, 0.02, (MARKETS, 3))
    covariance = (loading @ loading.T + np.diag(np.full(MARKETS, 4e-4)))[None]
    facts = facts._replace(
        mark=mark, age=np.zeros_like(mark), frozen=np.zeros(mark.shape, np.int32), covariance=covariance,
        risk_row=np.zeros(1, np.int64),
    )  # fmt: skip
    fund, work = new_fund(MARKETS, 2), new_work(MARKETS, 2)
    fund.nav[0] = CAPITAL_MICRO
    share = chance.uniform(-0.04, 0.04, MARKETS)
    fund.venue_lots[:] = np.trunc(share * CAPITAL_MICRO / mark[0])
    members = chance.random((CLUSTERS, MARKETS)) < 0.3
    Limits(np.full(MARKETS, 0.1), 5.0, max_var, 0.1, 2.0, 1.7, members, (0.2,) * CLUSTERS).put(fund)
    grows = np.arange(MARKETS) % 2 == 0
    net = np.where(grows, 1, -1) * np.trunc(fund.venue_lots * np.where(grows, 0.8, 0.3)).astype(np.int64)
    if resting:  # the reductions are made, not taken: they rest, and either end counts
        work.made[:] = np.where(grows, 0, net)
        work.side[:] = np.sign(net)
    return Scene(fund, work, terms, facts, net)


@lean
def both_waves(fund: Fund, work: Work, terms: Terms, facts: Facts, net: Any, made: Any, times: int) -> int:
    """The gate of a whole cycle, so many times; what is taken of the reductions fills."""
    passed = 0
    for _ in range(times):
        for m in range(net.shape[0]):
            work.net[m] = net[m]
            work.made[m] = made[m]
            work.code[m] = 0
            work.rest_first[m] = 0
            work.weight[m] = 0.1
        cycle.gate_reductions(fund, work, terms, facts, 0)
        for m in range(net.shape[0]):
            work.filled[m] = work.first[m]
        cycle.gate_increases(fund, work, terms, facts, 0)
        passed += work.second[0] != 0
    return passed


@lean
def refill(second: Any, net: Any, code: Any, times: int) -> None:
    for _ in range(times):
        for m in range(net.shape[0]):
            second[m] = net[m]
            code[m] = 0


@lean
def clips(low: Any, second: Any, net: Any, mark: Any, weight: Any, nav: int, code: Any, measured: Any, bounds: Any,
          times: int) -> None:  # fmt: skip
    for _ in range(times):
        refill(second, net, code, 1)
        gate._clip(low, low, second, mark, weight, 0.1, nav, 1.0 * nav, code, measured, bounds)


@lean
def cluster_clips(low: Any, second: Any, net: Any, mark: Any, members: Any, caps: Any, rows: int, nav: int, code: Any,
                  measured: Any, bounds: Any, times: int) -> None:  # fmt: skip
    for _ in range(times):
        refill(second, net, code, 1)
        gate.clip_clusters(low, low, second, mark, members, caps, rows, nav, 1.0 * nav, code, measured, bounds)


@lean
def one_product(covariance: Any, x: Any, out: Any, times: int) -> None:
    for _ in range(times):
        bound.times_matrix(covariance, x, out)


@lean
def two_products(covariance: Any, x: Any, out: Any, absolute: Any, times: int) -> None:
    for _ in range(times):
        bound.times_both(covariance, x, out, absolute)


@lean
def factors(nav: int, max_var: float, x: Any, step: Any, risk: Any, of_step: Any, of_box: Any, zero: Any,
            times: int) -> float:  # fmt: skip
    found = 0.0
    for _ in range(times):
        factor, _, _ = bound.common_factor(
            nav, 0.01, 1e10, 1e10, 9.0, max_var, 1.7, x, step, risk, of_step, of_box, zero, zero
        )
        found += factor
    return found


@lean
def rechecks(second: Any, mark: Any, covariance: Any, nav: int, x: Any, step: Any, risk: Any, of_step: Any,
             of_box: Any, zero: Any, times: int) -> None:  # fmt: skip
    for _ in range(times):
        bound.recheck(second, mark, covariance, nav, 1e10, 9.0, 9.0, 1.7, 0.01, x, step, risk, of_step, of_box, zero,
                      zero)  # fmt: skip


@lean
def what_ifs(covariance: Any, x: Any, scratch: Any, times: int) -> float:
    total = 0.0
    for _ in range(times):
        total += bound.value_at_risk(covariance, x, 1.7, scratch)
    return total


def microseconds(work: Callable[..., Any], *given: Any, times: int = TIMES) -> float:
    """Of one turn: the best of several rounds, by the processor's clock."""
    work(*given, 1)
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work(*given, times)
        taken.append(time.process_time() - started)
    return min(taken) / times * 1e6


def of_gate(s: Scene) -> float:
    return microseconds(both_waves, *s, s.work.made.copy())


def what_if(markets: int = 300) -> float:
    chance = np.random.default_rng(0)
    root = chance.normal(0.0, 0.02, (markets, 5))
    return microseconds(what_ifs, root @ root.T, chance.normal(0.0, 1e9, markets), np.zeros(markets), times=50)


def parts() -> dict[str, float]:
    """Microseconds of each part at thirty markets; each of the clips copies the wishes anew, which is counted apart."""
    s = scene()
    mark, covariance, limits = s.facts.mark[0], s.facts.covariance[0], s.fund.limits
    x = (s.fund.venue_lots * mark).astype(float)
    step, second, code = 0.4 * x, s.net.copy(), np.zeros(MARKETS, np.int64)
    measured, bounds, scratch, of_box, zero = np.zeros((5, MARKETS))
    risk, of_step, of_box = covariance @ x, covariance @ step, abs(covariance) @ abs(step)
    nav, weight, low = CAPITAL_MICRO, np.full(MARKETS, 0.1), s.fund.venue_lots
    var = 1.7 * float(np.sqrt(x @ covariance @ x)) / nav
    return {
        "copying the wishes": microseconds(refill, second, s.net, code),
        "clip": microseconds(clips, low, second, s.net, mark, weight, nav, code, measured, bounds),
        "clusters": microseconds(cluster_clips, low, second, s.net, mark, limits.members, limits.caps, CLUSTERS + 1,
                                 nav, code, measured, bounds),
        "S x": microseconds(one_product, covariance, x, scratch),
        "S x and |S| |x|": microseconds(two_products, covariance, x, scratch, zero.copy()),
        "bound, once": microseconds(factors, nav, 9.0, x, step, risk, of_step, of_box, zero),
        "bound, bisected": microseconds(factors, nav, 1.1 * var, x, step, risk, of_step, of_box, zero),
        "recheck": microseconds(rechecks, s.net.copy(), mark, covariance, nav, x, scratch, risk, of_step.copy(),
                                of_box.copy(), zero),
    }  # fmt: skip


WAYS: dict[str, Callable[[], Scene]] = {
    "nothing cut": scene,
    "bisected": lambda: binding(False),
    "bisected, reductions at rest": lambda: binding(True),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_gate_takes_less_than_eight_microseconds(way: str) -> None:
    s = WAYS[way]()
    both_waves(*s, s.work.made.copy(), 1)
    assert (VAR in s.work.code) == (way != "nothing cut")
    assert s.work.second.any()
    assert of_gate(s) < BUSY * MOST_US
    assert bool(s.work.rest_first.any()) == (way == "bisected, reductions at rest")


def test_a_what_if_of_three_hundred_markets_takes_less_than_two_hundred_microseconds() -> None:
    assert what_if() < BUSY * MOST_WHAT_IF_US


def test_the_clock_sees_the_bisection() -> None:
    """So it measures the gate: with it the cycle takes longer."""
    assert statistics.median(of_gate(WAYS["bisected"]()) / of_gate(scene()) for _ in range(3)) > 1.2


if __name__ == "__main__":
    for name, way in WAYS.items():
        print(f"gate, {name}: {of_gate(way()):.2f} us")  # noqa: T201
    for name, taken in parts().items():
        print(f"{name}: {taken:.2f} us")  # noqa: T201
    print(f"what-if of 300 markets: {what_if():.1f} us")  # noqa: T201
