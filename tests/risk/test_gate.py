"""The gate: whatever part of what it passed is filled, the limits hold; reductions pass whatever else is broken."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podshop.nouns.verdict import (
    FROZEN_PRICE,
    GROSS,
    HALTED,
    MIN_ORDER,
    NO_HISTORY,
    OK,
    POSITION_CAP,
    REDUCE_ONLY,
    REDUCES_COIN_RAISES_VAR,
    STALE_PRICE,
    VAR,
    VENUE_MIN,
)
from podshop.risk import bound as bounds
from podshop.risk import gate

TAIL = 1.6448536269514722
RESERVE = 0.01045  # fee and collar
NAV = 100_000_000_000  # 100,000 dollars


@dataclass
class Orders:
    """What is asked of the second wave."""

    held: Any  # (M,) lots after the first wave
    asked: Any  # (M,) lots of increase
    mark: Any
    weight: Any
    covariance: Any
    max_gross: float
    max_var: float
    resting: Any  # (M,) lots of reductions that rest; nothing is asked there
    members: Any = None  # (C, M) clusters, row 0 the whole fund; None = the whole fund without a cap
    caps: Any = None
    max_order: float = 9.0


@st.composite
def orders(draw: st.DrawFn, markets: int | None = None) -> Orders:
    """Positions near their limits and increases well beyond them; hedges, crowds and strangers among the markets."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = markets or draw(st.integers(1, 6))
    mark = np.rint(10.0 ** chance.uniform(4, 9, count)).astype(np.int64)
    share = chance.uniform(-0.2, 0.2, count) * chance.choice([0, 1], count)
    held = np.trunc(share * NAV / mark).astype(np.int64)
    side = np.where(held != 0, np.sign(held), chance.choice([-1, 1], count))
    asked = side * np.trunc(10.0 ** chance.uniform(-3, 0.3, count) * NAV / mark).astype(np.int64)
    loading = chance.normal(0.0, 0.02, (count, 2))
    covariance = loading @ loading.T + np.diag(chance.uniform(0.0, 0.03, count) ** 2)
    rests = (chance.random(count) < 0.3) & (held != 0)
    return Orders(
        held,
        np.where((chance.random(count) < 0.8) & ~rests, asked, 0),
        mark,
        chance.choice([0.05, 0.1, 0.3, 1.0], count),
        covariance,
        float(chance.choice([0.3, 1.0, 3.0])),
        float(chance.choice([0.002, 0.02, 0.1])),
        np.where(rests, -np.trunc(held * chance.uniform(0.2, 1.0, count)), 0).astype(np.int64),
        np.vstack([np.ones((1, count), np.bool_), chance.random((2, count)) < 0.6]),
        chance.choice([0.1, 0.3, 9.0, 9.0, 9.0, 9.0], 3),
        float(chance.choice([0.03, 9.0, 9.0])),
    )


def passed(
    o: Orders, reserve: float = RESERVE, function: Any = gate.pass_increases, nav: int = NAV, blind: bool = False,
    deaf: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """Lots that the second wave lets through, and the codes. blind: not told what rests, deaf: of clusters."""
    resting = np.zeros_like(o.resting) if blind else o.resting
    count = len(o.held)
    second, code = o.asked.copy(), np.full(count, OK, np.int64)
    measured, bound, held, step, risk_of_held, risk_of_step, risk_of_box, box, of_rest = (
        np.zeros(count) for _ in range(9)
    )
    gate.mark_risky_reductions(
        o.held, np.zeros(count, np.int64), o.mark, o.covariance, nav, o.max_var, TAIL, code, measured, bound,
        held, risk_of_held,
    )  # fmt: skip
    function(
        np.minimum(o.held, o.held + resting), np.maximum(o.held, o.held + resting), second, o.mark, o.weight,
        limits_of(o, deaf), o.covariance, nav, reserve, code, measured, bound, held, step, risk_of_held, risk_of_step,
        risk_of_box, box, of_rest,
    )  # fmt: skip
    return second, code


def limits_of(o: Orders, deaf: bool = False) -> gate.InForce:
    members = np.ones((1, len(o.held)), np.bool_) if o.members is None or deaf else o.members
    caps = np.full(1, 99.0) if o.caps is None or deaf else o.caps
    return gate.InForce(
        version=np.ones(1, np.int64),
        max_weight=o.weight,
        max_gross=np.full(1, o.max_gross),
        max_order=np.full(1, o.max_order),
        max_var=np.full(1, o.max_var),
        tail=np.full(1, TAIL),
        clusters=np.full(1, len(caps)),
        members=members,
        caps=caps,
    )


def outcomes(o: Orders, second: Any, chance: np.random.Generator) -> list[Any]:
    """Lots filled: nothing, everything, every single one, each but one, random subsets, random parts."""
    count = len(second)
    shares = [np.zeros(count), np.ones(count), *np.eye(count), *(1 - np.eye(count))]
    shares += [chance.integers(0, 2, count).astype(float) for _ in range(10)] + [chance.random(count) for _ in range(5)]
    return [np.trunc(share * second).astype(np.int64) for share in shares]


def broken(o: Orders, second: Any, chance: np.random.Generator, held: Any = None) -> list[str]:
    """Limits that some outcome breaks, at the decision's prices and after what it may cost."""
    if not second.any():
        return []
    held = o.held if held is None else held
    value = o.mark.astype(float)
    found = set()
    resting = [(chance.integers(0, 2, len(second)) * o.resting) for _ in range(2)]
    rested = [np.zeros_like(o.resting), o.resting, *resting, np.trunc(chance.random(len(second)) * o.resting)]
    for i, filled in enumerate(outcomes(o, second, chance)):
        low = (NAV - RESERVE * float(np.abs(filled) @ value)) * (1 + 1e-12)
        x = (held + filled + rested[i % len(rested)]) * value
        if (np.abs(x) > o.weight * low)[filled != 0].any():
            found.add("position")
        if np.abs(x).sum() > o.max_gross * low:
            found.add("gross")
        if (np.abs(filled) * value > o.max_order * low).any():
            found.add("order")
        limits = limits_of(o)
        for members, cap in zip(limits.members, limits.caps, strict=True):
            for side in (1, -1):  # a cluster already beyond its cap: nothing more on that side
                if side * x[members].sum() > cap * low and (side * filled[members] > 0).any():
                    found.add("cluster")
        if TAIL * math.sqrt(max(x @ o.covariance @ x, 0.0)) > o.max_var * low:
            found.add("var")
    return sorted(found)


@given(orders(), st.integers(0, 2**32))
@settings(max_examples=400 if settings().max_examples <= 100 else 20_000)
def test_whatever_part_is_filled_the_limits_hold(o: Orders, seed: int) -> None:
    second, _ = passed(o)
    assert broken(o, second, np.random.default_rng(seed)) == []
    assert (np.abs(second) <= np.abs(o.asked)).all()
    assert (second * o.asked >= 0).all()


def breaks(make: Any, markets: int | None = None, funds: int = 400) -> set[str]:
    """Limits broken by a spoilt gate over random funds."""
    found: set[str] = set()

    @given(orders(markets))
    @settings(max_examples=funds, database=None, derandomize=True)
    def search(o: Orders) -> None:
        found.update(make(o))

    search()
    return found


def test_a_gate_that_does_not_see_what_rests_breaks_limits_when_a_hedge_is_closed() -> None:
    """A resting reduction may fill or not: both must be within the limits."""
    assert "var" in breaks(lambda o: broken(o, passed(o, blind=True)[0], np.random.default_rng(0)), markets=4)


def test_a_gate_that_is_deaf_to_clusters_breaks_their_caps() -> None:
    assert "cluster" in breaks(lambda o: broken(o, passed(o, deaf=True)[0], np.random.default_rng(0)), markets=4)


def test_without_a_reserve_costs_break_the_limits() -> None:
    assert breaks(lambda o: broken(o, passed(o, reserve=0.0)[0], np.random.default_rng(0))) >= {"gross", "position"}


def test_if_all_orders_were_hoped_to_fill_one_alone_breaks_var(monkeypatch: pytest.MonkeyPatch) -> None:
    """The closed form for "all filled": opposite legs hide each other's risk."""

    def hopeful(
        factor: float, nav: int, reserve: float, asked: float, base_gross: float, max_gross: float, max_var: float,
        tail: float, held: Any, step: Any, *more: Any,
    ) -> tuple[int, float]:  # fmt: skip
        x = held + 2.0 * factor * step
        low = nav - factor * reserve * asked
        var = tail * math.sqrt(max(float(x @ covariance[0] @ x), 0.0))
        if base_gross + factor * asked > max_gross * low:
            return GROSS, var
        return (VAR if var > max_var * low else 0), var

    covariance: list[Any] = [None]
    monkeypatch.setattr(bounds, "fails", hopeful)
    monkeypatch.setattr(gate, "common_factor", bounds.common_factor.py_func)  # which calls the one above

    def hoped(o: Orders) -> list[str]:
        covariance[0] = o.covariance
        o.caps[:], o.max_order, o.resting[:] = 99.0, 9.0, 0
        return broken(o, passed(o, function=gate.pass_increases.py_func)[0], np.random.default_rng(0))

    assert "var" in breaks(hoped, markets=4, funds=2000)


def test_one_wave_that_counts_on_its_reductions_breaks_limits_when_they_do_not_fill() -> None:
    def counted_on(o: Orders) -> list[str]:
        reduced = np.where(np.arange(len(o.held)) % 2 == 0, 0, o.held)
        increases = np.where(reduced == o.held, o.asked, 0)
        nothing = np.zeros_like(o.resting)
        hoped = Orders(reduced, increases, o.mark, o.weight, o.covariance, o.max_gross, o.max_var, nothing)
        return broken(o, passed(hoped)[0], np.random.default_rng(0), held=o.held)

    assert breaks(counted_on, markets=4) >= {"gross", "var"}


@given(orders(), st.sampled_from([math.nan, math.inf, -math.inf]), st.data())
def test_an_unknown_covariance_never_lets_an_increase_pass(o: Orders, unknown: float, data: st.DataObject) -> None:
    count = len(o.held)
    i = data.draw(st.sampled_from([m for m in range(count) if o.asked[m] != 0] or [0]))
    j = data.draw(st.sampled_from([m for m in range(count) if o.asked[m] != 0 or o.held[m] != 0] or [0]))
    if not o.asked.any():
        return
    o.covariance[i, j] = o.covariance[j, i] = unknown
    o.weight[:], o.caps[:], o.max_order = 1.0, 99.0, 9.0  # other bounds are not to hide it
    for function in (gate.pass_increases, gate.pass_increases.py_func):
        second, code = passed(o, function=function)
        if second[i] != 0 or (second[j] != 0 and i != j):
            raise AssertionError(f"{second} passed with S[{i},{j}] = {unknown}")
        assert not second.any()
        assert set(code[o.asked != 0].tolist()) <= {VAR, GROSS, POSITION_CAP}


def test_an_unknown_nav_or_weight_lets_nothing_pass() -> None:
    none = np.zeros(1, np.int64)
    o = Orders(none, np.array([10]), np.array([1_000_000]), np.ones(1), np.array([[1e-4]]), 1.0, 0.02, none)
    assert passed(o)[0].tolist() == [10]
    assert passed(o, nav=0)[0].tolist() == [0]
    assert passed(o, nav=-NAV)[0].tolist() == [0]


LOT = st.integers(-1000, 1000)


@given(st.lists(st.tuples(LOT, LOT, st.integers(1, 10**9)), min_size=1, max_size=6), st.integers(0, 10**9))
def test_a_reduction_always_passes_but_for_the_venues_minimum(book: list[tuple[int, int, int]], least: int) -> None:
    held, net, mark = (np.array(column, np.int64) for column in zip(*book, strict=True))
    first, code = np.full(len(book), 77, np.int64), np.full(len(book), OK, np.int64)
    gate.pass_reductions(held, net, mark, np.full(len(book), least), first, code)
    for m, (p, d, v) in enumerate(book):
        reducing = max(d, -p) if p > 0 > d else min(d, -p) if p < 0 < d else 0
        if abs(d) * v < least and d != -p and d != 0:
            assert (first[m], code[m]) == (0, VENUE_MIN)
        else:
            assert (first[m], code[m]) == (reducing, OK)


@pytest.mark.parametrize(
    ("state", "age", "days", "code"),
    [
        (0, 0, 400, 0),
        (0, 3, 30, 0),
        (0, 4, 400, STALE_PRICE),
        (0, 0, 29.99, NO_HISTORY),
        (0, 0, -5, NO_HISTORY),
        (1, 0, 400, REDUCE_ONLY),
        (2, 9, 1, HALTED),
    ],
)
def test_what_forbids_any_increase(state: int, age: int, days: float, code: int) -> None:
    assert gate.refusal(state, age, 0, gate.DAY_NS, int(days * gate.DAY_NS)) == code


@pytest.mark.parametrize(
    ("bars", "minutes", "code"),
    [(11, 600, 0), (12, 60, FROZEN_PRICE), (12, 29, 0), (72, 5, FROZEN_PRICE), (71, 5, 0)],
)
def test_a_price_that_does_not_move_for_long_is_frozen(bars: int, minutes: int, code: int) -> None:
    """At least twelve bars, and six hours."""
    assert gate.refusal(0, 0, bars, minutes * 60 * 10**9, 400 * gate.DAY_NS) == code


def test_the_smallest_order_is_judged_on_both_legs_and_only_increases_are_dropped() -> None:
    first, second = np.array([0, 0, -90, 0, 0]), np.array([100, 101, -11, 150, 0])
    code, measured, bound = np.full(5, OK), np.zeros(5), np.zeros(5)
    mark, venue = np.full(5, 1_000_000), np.array([0, 0, 0, 200_000_000, 0])
    gate.drop_small(first, second, mark, 100_000_000, venue, code, measured, bound)
    assert second.tolist() == [0, 101, -11, 0, 0]
    assert code.tolist() == [MIN_ORDER, OK, OK, VENUE_MIN, OK]
    assert (measured[0], bound[0], measured[3], bound[3]) == (100.0, 100.0, 150.0, 200.0)


def test_closing_one_leg_of_a_hedge_passes_by_its_name() -> None:
    held, filled = np.array([90_000, -90_000]), np.array([-90_000, 0])
    mark, covariance = np.full(2, 1_000_000), np.full((2, 2), 4e-4)
    code, measured, bound = np.full(2, OK), np.zeros(2), np.zeros(2)
    gate.mark_risky_reductions(
        held, filled, mark, covariance, 200_000_000_000, 0.01, TAIL, code, measured, bound, np.zeros(2), np.zeros(2)
    )
    assert code.tolist() == [REDUCES_COIN_RAISES_VAR, OK]
    assert measured[0] == pytest.approx(TAIL * 0.02 * 90_000 / 200_000)


def test_with_nothing_in_flight_the_bound_is_plain_var() -> None:
    """Bit for bit: c = held, r = 0."""
    chance = np.random.default_rng(1)
    for _ in range(100):
        x = chance.normal(0.0, 1e10, 5)
        loading = chance.normal(0.0, 0.02, (5, 5))
        covariance = loading @ loading.T
        covariance = (covariance + covariance.T) / 2
        risk, zero = np.zeros(5), np.zeros(5)
        plain = bounds.value_at_risk(covariance, x, TAIL, risk)
        _, var = bounds.fails(1.0, NAV, RESERVE, 0.0, 0.0, 1.0, 1.0, TAIL, x, zero, risk, zero, zero, zero, zero)
        assert var == plain


def test_room_is_found_to_a_millionth_and_the_cut_is_common() -> None:
    """Two equal strangers at 2 % a day: f solves TAIL x 0.02 x sqrt(2) f q = m (NAV - 2 rho f q), less a lot."""
    lots = 10**6
    o = Orders(
        np.zeros(2, np.int64),
        np.full(2, lots),
        np.full(2, 10_000),
        np.ones(2),
        np.diag([4e-4, 4e-4]),
        9.0,
        1e-3,
        np.zeros(2, np.int64),
    )
    o.mark[:] = 100_000
    second, code = passed(o)
    assert code.tolist() == [VAR, VAR]
    assert second[0] == second[1]
    # the box: c = r = f q v / 2 a market, so c'Sc + 2 r'|Sc| + r'|S|r = (f q v)^2 x 2 x 4e-4
    f = 1e-3 * NAV / (TAIL * math.sqrt(2 * 4e-4) + 1e-3 * 2 * RESERVE) / (lots * 100_000)
    assert second[0] == pytest.approx(f * lots, abs=lots * 2.0**-20 + 1)
