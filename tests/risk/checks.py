"""What must be true of a gate, for any machine that offers its functions: the compiled one, its originals, a mutant.

Each check raises AssertionError where the machine answers otherwise than `expected`. Every second case is made of
round numbers, so that limits are met exactly: there < and <= part.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from podshop.nouns.verdict import GROSS, OK, VAR
from podshop.risk.gate import InForce
from tests.risk import expected
from tests.risk.expected import Case

Chance = np.random.Generator
USD = 1_000_000


def close(a: Any, b: Any) -> bool:
    return bool(np.allclose(np.asarray(a, float), np.asarray(b, float), rtol=1e-9, atol=1e-12))


def case_of(chance: Chance) -> Case:
    """A second wave near its limits; two in three in round numbers, one of these in so few that one more is seen."""
    count, kind = int(chance.integers(1, 5)), int(chance.integers(0, 3))
    nav = 20 if kind == 0 else 100_000 * USD
    if kind < 2:
        mark = chance.choice([1, 2] if kind == 0 else [USD, 2 * USD, 100 * USD], count).tolist()
        unit = [max(nav // 10 // v, 1) for v in mark]
        held, asked, flying = (chance.integers(a, b, count) for a, b in ((-3, 4), (-4, 5), (-2, 3)))
        held, asked, flying = ([int(n) * u for n, u in zip(each, unit, strict=True)] for each in (held, asked, flying))
        asked = [q + int(chance.integers(-1, 2)) if kind == 0 else q for q in asked]
        reserve, root = float(chance.choice([0.0, 0.0, 0.5, 3.0])), np.diag(chance.choice([0.0, 0.01, 0.02], count))
        if chance.random() < 0.4:
            root = chance.choice([-0.01, 0.0, 0.01, 0.02], (count, count))
    else:
        mark = np.rint(10.0 ** chance.uniform(3, 9, count)).astype(int).tolist()
        held, asked, flying = (
            [int(chance.normal() * size * nav / v) for v in mark] for size in (0.2, 0.3, float(chance.choice([0, 0.1])))
        )
        reserve, root = 0.01045, chance.normal(0.0, 0.02, (count, count))
    covariance = root @ root.T
    if chance.random() < 0.2:
        flying = [0] * count
    asked = [q if chance.random() < 0.8 else 0 for q in asked]
    members = np.vstack([np.ones((1, count), np.bool_), chance.random((2, count)) < 0.6])
    return Case(
        [min(p, p + f) for p, f in zip(held, flying, strict=True)],
        [max(p, p + f) for p, f in zip(held, flying, strict=True)],
        asked, mark, chance.choice([0.1, 0.2, 0.5, 2.0], count).tolist(), covariance.tolist(), nav, reserve,
        float(chance.choice([0.1, 0.3, 1.0, 9.0])), float(chance.choice([0.1, 0.2, 9.0])),
        float(chance.choice([0.001, 0.002, 0.004, 0.02, 9.0])), float(chance.choice([2.0, 2.0, 1.6448536])),
        members.tolist(), chance.choice([0.1, 0.2, 0.4, 9.0], 3).tolist(),
    )  # fmt: skip


def in_force(case: Case) -> InForce:
    """The limits of a case, with two rows of clusters more than count."""
    count = len(case.mark)
    members = np.vstack([np.array(case.members, np.bool_).reshape(-1, count), np.ones((2, count), np.bool_)])
    return InForce(
        version=np.ones(1, np.int64), max_weight=np.array(case.weight), max_gross=np.full(1, case.max_gross),
        max_order=np.full(1, case.max_order), max_var=np.full(1, case.max_var), tail=np.full(1, case.tail),
        clusters=np.full(1, len(case.caps)), members=members,
        caps=np.array([*case.caps, 0.0, 0.0]),
    )  # fmt: skip


def pass_increases(machine: Any, case: Case, dirt: float = 3.0) -> tuple[Any, ...]:
    """second, code, measured, bound of a machine; its scratch is full of what a cycle before has left there."""
    count = len(case.mark)
    low, high, mark = (np.array(each, np.int64) for each in (case.low, case.high, case.mark))
    second, code = np.array(case.asked, np.int64), np.full(count, OK, np.int64)
    measured, bound, held, step, risk, of_step, of_box, box, rest = np.zeros((9, count))
    for scratch in (step, of_step, of_box, box, rest):
        scratch[:] = dirt
    covariance = np.array(case.covariance)
    held[:] = low * mark  # as the first wave leaves it where nothing is in flight
    risk[:] = covariance @ held
    if not np.isfinite(risk).all():
        risk[:] = np.nan
    machine.pass_increases(
        low, high, second, mark, np.array(case.weight), in_force(case), covariance, case.nav, case.reserve, code,
        measured, bound, held, step, risk, of_step, of_box, box, rest,
    )  # fmt: skip
    return second, code, measured, bound


def increases_pass_as_far_as_the_text_says(machine: Any, seed: int = 0, cases: int = 400) -> None:
    chance = np.random.default_rng(seed)
    for _ in range(cases):
        case = case_of(chance)
        second, code, measured, bound = pass_increases(machine, case)
        answer = expected.second_wave(case)
        assert second.tolist() == answer.lots, case
        assert code.tolist() == answer.code, case
        assert close(measured, answer.measured), case
        assert close(bound, answer.bound), case


def nothing_passes_on_what_is_unknown(machine: Any) -> None:
    """A covariance of NaN or infinity, a NAV of nothing or less."""
    for unknown in (math.nan, math.inf, -math.inf):
        case = plain_case()
        case.covariance[0][1] = case.covariance[1][0] = unknown
        assert not pass_increases(machine, case)[0].any()
    for nav in (0, -(10**11)):
        case = plain_case()
        case.nav = nav
        assert not pass_increases(machine, case)[0].any()
    assert pass_increases(machine, plain_case())[0].tolist() == [1_000, -1_000]


def plain_case() -> Case:
    """Two markets at 1 USD; 1,000 lots of each are asked, and nothing binds."""
    return Case(
        [0, 0], [0, 0], [1_000, -1_000], [USD, USD], [1.0, 1.0], [[4e-4, 0.0], [0.0, 4e-4]], 10**11, 0.0, 9.0, 9.0, 9.0,
        2.0, [[True, True]], [9.0],
    )  # fmt: skip


def a_factor_that_is_wrong_is_caught_by_the_second_look(machine: Any) -> None:
    """Were the common factor too large, the whole lots are judged once more, and nothing goes out."""
    case = plain_case()
    case.max_var, case.tail = 1e-4, 2.0
    spoilt = machine.with_factor(lambda *given: (0.5, VAR, 1.0))
    assert pass_increases(spoilt, case)[0].tolist() == [0, 0]
    case.max_var = 9.0
    assert pass_increases(spoilt, case)[0].tolist() == [500, -500]


def the_second_look_counts_what_it_costs(machine: Any) -> None:
    """Gross and VaR of whole lots, on the NAV that their reserve leaves; exactly at the limit they pass."""
    chance = np.random.default_rng(5)
    for _ in range(200):
        case = case_of(chance)
        count = len(case.mark)
        second, mark = np.array(case.asked, np.int64), np.array(case.mark, np.int64)
        low, high = (np.array(each) * mark.astype(float) for each in (case.low, case.high))
        covariance, box = np.array(case.covariance), (high - low) / 2
        held = (low + high) / 2
        step, of_step, of_box = np.full((3, count), 7.0)
        machine.recheck(
            second, mark, covariance, case.nav, expected.base_gross(case), case.max_gross, case.max_var, case.tail,
            case.reserve, held, step, covariance @ held, of_step, of_box, box, abs(covariance) @ box,
        )  # fmt: skip
        fails, _ = expected.broken(case, case.asked, 1.0)
        assert second.tolist() == ([0] * count if fails else case.asked)


def the_common_factor_is_the_largest(machine: Any) -> None:
    """All, nothing, or what twenty halvings find; with the limit that asked for less."""
    zero, lots = np.zeros(1), 4_000_000
    for held, max_gross, max_var, share, cause in (
        (0.0, 1e9, 1e9, 1.0, OK), (2e9, 1.0, 1e9, 0.0, GROSS), (2e9, 1e9, 1e-4, 0.0, VAR), (1e9, 1.0, 1e-4, 0.0, VAR),
        (0.0, 0.7, 1e9, 0.7, GROSS), (0.0, 1e9, 0.006, 0.3, VAR),
    ):  # fmt: skip
        x, step, covariance = np.array([held]), np.array([0.5e9]), np.array([[1e-4]])
        found = machine.common_factor(
            10**9, 0.0, 1e9, held, max_gross, max_var, 2.0, x, step, 1e-4 * x, 1e-4 * step, 1e-4 * step, zero, zero
        )
        assert found[:2] == (math.floor(share * 2**20) / 2**20, cause)
        assert close(found[2], 2.0 * math.sqrt(covariance[0, 0]) * (held + 1e9))
    case = plain_case()
    case.mark, case.asked, case.nav, case.max_gross = [250, 250], [lots, 0], 10**9, 0.7
    assert pass_increases(machine, case)[0].tolist() == [math.floor(lots * math.floor(0.7 * 2**20) / 2**20), 0]


def a_bound_of_nothing_is_nothing(machine: Any) -> None:
    """No position: no risk, to the last micro-dollar; and a variance below zero by rounding is none."""
    zero, one = np.zeros(1), np.ones(1)
    limits = (100, 0.0, 0.0, 0.0, 1.0, 1.0, 2.0)
    assert machine.fails(1.0, *limits, zero, zero, zero, zero, zero, zero, zero) == (OK, 0.0)
    assert machine.fails(1.0, *limits, one, zero, -one, zero, zero, zero, zero) == (OK, 0.0)


def exactly_at_a_limit_is_within(machine: Any) -> None:
    """A variance of 16 and a tail of 2 are a VaR of 8: half of 16, as is a gross of 8."""
    zero, four = np.zeros(1), np.full(1, 4.0)
    at = (four, zero, four, zero, zero, zero, zero)
    assert machine.fails(1.0, 16, 0.0, 0.0, 8.0, 0.5, 0.5, 2.0, *at) == (OK, 8.0)
    assert machine.fails(1.0, 16, 0.0, 0.0, 8.0, 0.5, 0.4999, 2.0, *at) == (VAR, 8.0)
    assert machine.fails(1.0, 16, 0.0, 0.0, 8.0, 0.4999, 0.5, 2.0, *at) == (GROSS, 8.0)


def what_is_not_held_takes_nothing_from_the_unknown(machine: Any) -> None:
    """A market without a position adds nothing, even where its covariance is unknown; one micro-dollar does."""
    matrix = np.array([[2.0, math.nan], [math.nan, 3.0]])
    for x in (1.0, 4.0):
        out, absolute = np.full((2, 2), 9.0)
        machine.times_matrix(matrix, np.array([x, 0.0]), out)
        assert out[0] == 2.0 * x
        machine.times_both(matrix, np.array([-x, 0.0]), out, absolute)
        assert (out[0], absolute[0]) == (-2.0 * x, 2.0 * x)


def reductions_pass(machine: Any) -> None:
    chance = np.random.default_rng(1)
    for _ in range(200):
        held, net, mark, least = (chance.integers(a, b, 5) for a, b in ((-4, 5), (-6, 7), (1, 4), (0, 9)))
        first, code = np.full(5, 77, np.int64), np.full(5, OK, np.int64)
        machine.pass_reductions(held, net, mark, least, first, code)
        given = (each.tolist() for each in (held, net, mark, least))
        assert list(zip(first.tolist(), code.tolist(), strict=True)) == expected.first_wave(*given)


def the_reducing_leg_ends_at_zero(machine: Any) -> None:
    for held in range(-3, 4):
        for change in range(-5, 6):
            leg = min(abs(held), abs(change)) * (1 if change > 0 else -1) if held * change < 0 else 0
            assert machine.reducing_leg(np.int64(held), np.int64(change)) == leg


def what_may_not_grow_does_not(machine: Any) -> None:
    """Every state, and both sides of every limit of a price and of a history."""
    for state in range(3):
        for age in (0, 3, 4, 5, 50):
            for bars in (0, 11, 12, 13, 71, 72, 73):
                for minutes in (5, 29, 30, 31, 60):
                    for history in (-1, 0, 30 * expected.DAY_NS - 1, 30 * expected.DAY_NS, 10**18):
                        given = (state, age, bars, minutes * 60_000_000_000, history)
                        assert machine.refusal(*given) == expected.refused(*given), given


def risky_reductions_are_named(machine: Any) -> None:
    chance = np.random.default_rng(2)
    for turn in range(300):
        count = int(chance.integers(1, 4))
        size, nav = (1, 30) if turn % 2 else (1000, 10**10)
        held, filled = chance.integers(-3, 4, count) * size, chance.integers(-2, 3, count) * size
        if turn % 5 == 0:
            filled[:] = 0
        mark = chance.choice([1, 2], count) * (1 if turn % 2 else USD)
        root = chance.choice([-0.01, 0.0, 0.01, 0.02], (count, count))
        code = chance.choice([OK, OK, 7], count)
        given = (held.tolist(), filled.tolist(), mark.tolist(), (root @ root.T).tolist())
        x = (held + filled) * mark.astype(float)
        tail = 2.0
        exact = tail * math.sqrt(max(float(x @ (root @ root.T) @ x), 0.0)) / nav
        for max_var in (exact * 1.000001, exact * 0.999999, 0.004, 0.01):
            answer = expected.risky(*given, nav, max_var, tail, code.tolist())
            now, measured, bound, notional, risk = code.copy(), *np.full((4, count), 0.0)
            machine.mark_risky_reductions(
                held, filled, mark, root @ root.T, nav, max_var, tail, now, measured, bound, notional, risk
            )
            assert close(notional, x)
            assert close(risk / nav, root @ root.T @ x / nav)
            found = zip(now.tolist(), measured.tolist(), bound.tolist(), strict=True)
            for mine, theirs in zip(found, answer, strict=True):
                assert mine[0] == theirs[0]
                assert close(mine[1:], theirs[1:])


def risk_at_the_very_limit_is_not_named(machine: Any) -> None:
    """10,000 USD at 1 % a day, tail 2: 200 USD, exactly 2 % of 10,000."""
    for held, filled, max_var, named in ((20_000, -10_000, 0.02, False), (0, 10_000, 0.0199, True)):
        code, measured, bound, notional, risk = np.zeros(1, np.int64), *np.zeros((4, 1))
        machine.mark_risky_reductions(
            np.array([held]), np.array([filled]), np.array([USD]), np.array([[1e-4]]), 10**10, max_var, 2.0, code,
            measured, bound, notional, risk,
        )  # fmt: skip
        assert bool(code[0]) == named


def small_orders_are_dropped(machine: Any) -> None:
    chance = np.random.default_rng(3)
    for _ in range(300):
        side = chance.choice([-1, 1], 6)
        first, second = chance.integers(0, 3, 6) * side, chance.integers(0, 4, 6) * side
        mark, venue, least = chance.integers(1, 4, 6), chance.integers(0, 9, 6), int(chance.integers(0, 8))
        now, code, measured, bound = second.copy(), np.full(6, OK, np.int64), *np.zeros((2, 6))
        machine.drop_small(first, now, mark, least, venue, code, measured, bound)
        for m in range(6):
            given = (int(each[m]) for each in (first, second, mark))
            answer = expected.dropped(*given, least, int(venue[m]))
            assert now[m] == (second[m] if answer is None else 0)
            assert code[m] == (OK if answer is None else answer[0])
            assert close([measured[m], bound[m]], (0.0, 0.0) if answer is None else answer[1:])


def value_at_risk_is_the_formula(machine: Any) -> None:
    """tail sqrt(x'Sx), of positions some of which are zero; a variance below zero by rounding is no risk."""
    chance = np.random.default_rng(4)
    for count in (1, 2, 3, 4, 7):
        x, root = chance.normal(size=count) * (chance.random(count) < 0.7), chance.normal(size=(count, count))
        scratch, covariance = np.full(count, 9.0), root @ root.T
        assert close(machine.value_at_risk(covariance, x, 1.7, scratch), 1.7 * math.sqrt(max(x @ covariance @ x, 0.0)))
        assert close(scratch, covariance @ x)
    assert machine.value_at_risk(np.array([[-1.0]]), np.ones(1), 2.0, np.zeros(1)) == 0.0
    case = plain_case()
    case.covariance = [[-1.0, 0.0], [0.0, 0.0]]
    assert pass_increases(machine, case)[0].tolist() == [1_000, -1_000]


def clusters_beyond_the_count_do_not_bind(machine: Any) -> None:
    """`clusters` says how many rows count: a cap of zero in a row that does not is not looked at."""
    case = plain_case()
    assert pass_increases(machine, case)[0].tolist() == case.asked
    case.members, case.caps = [], []
    assert pass_increases(machine, case)[0].tolist() == case.asked


CHECKS: tuple[Callable[[Any], None], ...] = (
    the_reducing_leg_ends_at_zero,
    reductions_pass,
    value_at_risk_is_the_formula,
    nothing_passes_on_what_is_unknown,
    clusters_beyond_the_count_do_not_bind,
    a_factor_that_is_wrong_is_caught_by_the_second_look,
    risk_at_the_very_limit_is_not_named,
    the_common_factor_is_the_largest,
    a_bound_of_nothing_is_nothing,
    exactly_at_a_limit_is_within,
    what_is_not_held_takes_nothing_from_the_unknown,
    small_orders_are_dropped,
    the_second_look_counts_what_it_costs,
    increases_pass_as_far_as_the_text_says,
    risky_reductions_are_named,
    what_may_not_grow_does_not,
)
