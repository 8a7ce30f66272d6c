"""Compiled functions: each agrees with its plain Python original to the bit, and none runs stale from disk."""

import importlib
import pkgutil
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import podshop
from podshop.execution import costs, netting, pace, targets, volatility
from podshop.ledger import allot, settle
from podshop.maths import compiled, whole
from podshop.risk import bound, covariance, gate
from podshop.venues.simulated import fills

TAIL = 1.6448536269514722


def lots(chance: np.random.Generator, *shape: int) -> Any:
    return chance.integers(-1000, 1000, shape) * chance.integers(0, 2, shape)


def in_force(count: int, chance: np.random.Generator) -> gate.InForce:
    """The whole fund's net cap, and one cluster."""
    members = np.ones((2, count), np.bool_)
    members[1] = chance.random(count) < 0.5
    one = np.ones(1)
    return gate.InForce(
        np.ones(1, np.int64), np.ones(count), one, 0.3 * one, 0.02 * one, TAIL * one, np.full(1, 2), members,
        np.array([0.9, 0.2]),
    )  # fmt: skip


def increases(chance: np.random.Generator) -> tuple[Any, ...]:
    count = 5
    held = lots(chance, count)
    loading = chance.normal(0.0, 0.03, (count, 3))
    scratch = [np.zeros(count) for _ in range(9)]
    resting = -held // 3 * chance.integers(0, 2, count)
    mark = chance.integers(10**5, 10**7, count)
    asked = np.abs(lots(chance, count)) * np.where(held < 0, -1, 1) * (resting == 0)
    risk = loading @ loading.T
    scratch[2][:] = held * mark
    bound.times_matrix(risk, scratch[2], scratch[4])
    return (
        np.minimum(held, held + resting), np.maximum(held, held + resting), asked, mark,
        chance.uniform(0.01, 0.5, count), in_force(count, chance), risk,
        10**10, 0.01045, np.zeros(count, np.int64), *scratch,
    )  # fmt: skip


def sharing(chance: np.random.Generator) -> tuple[Any, ...]:
    want = lots(chance, 1, 9)
    want[0, 0] = 50
    buys, net = int(np.maximum(want, 0).sum()), int(want.sum())
    crossed = min(buys, buys - net)
    keys = chance.integers(0, 2**63, 9).astype(np.uint64)
    side = 1 if net >= 0 else -1
    makers = (want * side > 0) & (chance.random(want.shape) < 0.4)
    waiting = int(abs(want[makers].sum()))
    made = waiting * abs(net) // (abs(net) + crossed)
    venue = (abs(net) - made) // 2
    return (
        want,
        0,
        side,
        crossed,
        side * venue,
        12_345 * (venue > 0),
        waiting,
        made,
        makers,
        np.zeros_like(want),
        np.uint64(7),
        keys,
        *allot.new_parts(9),
    )


def dividing(chance: np.random.Generator) -> tuple[Any, ...]:
    weights = chance.integers(1, 10**6, 20)
    keys = chance.integers(0, 2**63, 20).astype(np.uint64)
    out, scratch = np.zeros(20, np.int64), np.zeros(40, np.int64)
    total = int(chance.integers(0, weights.sum()))
    return total, weights, int(weights.sum()), 20, np.uint64(3), np.arange(20), keys, out, scratch


def reductions(chance: np.random.Generator) -> tuple[Any, ...]:
    zeros = np.zeros(6, np.int64)
    return lots(chance, 6), lots(chance, 6), chance.integers(1, 10**7, 6), np.full(6, 10**8), zeros, zeros.copy()


def risky(chance: np.random.Generator) -> tuple[Any, ...]:
    held = lots(chance, 4)
    loading = chance.normal(0.0, 0.03, (4, 2))
    mark = chance.integers(10**5, 10**7, 4)
    code = np.zeros(4, np.int64)
    return held, -held // 2, mark, loading @ loading.T, 10**9, 0.001, TAIL, code, *(np.zeros(4) for _ in range(4))


def small(chance: np.random.Generator) -> tuple[Any, ...]:
    mark, code = chance.integers(10**4, 10**6, 6), np.zeros(6, np.int64)
    return lots(chance, 6), lots(chance, 6), mark, 10**8, np.full(6, 10**7), code, np.zeros(6), np.zeros(6)


def capped(chance: np.random.Generator) -> tuple[Any, ...]:
    wished, held = lots(chance, 2, 7), lots(chance, 2, 7)
    return wished, held, 1, int(held[1].sum()), int(chance.integers(0, 3000)), np.zeros((2, 7), np.int64)


def rested(chance: np.random.Generator) -> tuple[Any, ...]:
    want = np.abs(lots(chance, 1, 9)) * -1
    want[0, 0] = -50
    filled = int(abs(want.sum()) * chance.random())
    keys, parts = chance.integers(0, 2**63, 9).astype(np.uint64), allot.new_parts(9)
    fee = 12_345 * (filled > 0)
    return want, 0, -1, filled, fee, np.uint64(7), keys, parts.seat, parts.wish, parts.got, parts.fee, parts.scratch


def waiting(chance: np.random.Generator) -> tuple[Any, ...]:
    style, age = chance.integers(0, 3, 9), chance.integers(0, 4, (1, 9))
    marks = np.ones((1, 9), np.bool_)
    return lots(chance, 1, 9), 0, 1, np.flatnonzero(style), style, age, np.full(9, 2), marks


def moved(chance: np.random.Generator) -> tuple[Any, ...]:
    log_return = chance.normal(0.0, 0.01, (40, 3)) * chance.choice([0.0, 1.0, np.nan], (40, 3))
    return log_return, 10, 8, 0.9, 0.9**8, 24.0


def young(chance: np.random.Generator) -> tuple[Any, ...]:
    loading = chance.normal(0.0, 0.03, (3, 5, 5))
    return np.einsum("rik,rjk->rij", loading, loading), chance.uniform(0.0, 200.0, (3, 5))


CASES: list[tuple[Any, Callable[[np.random.Generator], tuple[Any, ...]]]] = [
    (gate.pass_increases, increases),
    (gate.pass_reductions, reductions),
    (gate.mark_risky_reductions, risky),
    (gate.drop_small, small),
    (allot.share_rested, rested),
    (netting.mark_makers, waiting),
    (pace.next_lots, lambda c: (*map(int, lots(c, 2)), int(c.integers(0, 9)), int(c.integers(1, 9)))),
    (pace.touch_price, lambda c: (int(c.integers(1, 10**9)), int(c.choice([-1, 1])), float(c.uniform(0, 0.01)))),
    (pace.trades_beyond, lambda c: (int(c.choice([-1, 1])), *(int(x) for x in c.integers(0, 9, 3)))),
    (costs.one_way, lambda c: (int(c.integers(0, 3)), int(c.integers(1, 10**6)), int(c.integers(1, 9)), 0.04,
                               float(c.uniform(1e3, 1e9)), 1e-4, 4.5e-4, 1.5e-4, 1.0)),
    (costs.round_trip, lambda c: (4e-4, int(c.choice([-1, 1])), float(c.choice([1e-5, np.nan])), 1e-4, 24.0)),
    (costs.expected_edge, lambda c: (0.03, float(c.uniform(-1, 1)), 0.04, float(c.uniform(0.1, 9)))),
    (volatility.volatilities, moved),
    (gate.reducing_leg, lambda c: (int(lots(c, 1)[0]), int(lots(c, 1)[0]))),
    (allot.share_out, sharing),
    (whole.largest_remainder, dividing),
    (netting.wishes_within_cap, capped),
    (netting.cap_bound, lambda c: (*map(int, lots(c, 2)), int(c.integers(0, 1000)))),
    (netting.cap_lots, lambda c: (float(c.random()), int(c.integers(0, 10**12)), int(c.integers(1, 10**9)))),
    (targets.unit_lots, lambda c: (0.2, float(c.uniform(0.001, 0.3)), 5, 0.25, 10**11, int(c.integers(1, 10**9)))),
    (targets.buffered, lambda c: (float(c.uniform(-1, 1)), 5e4, 0.1, int(c.integers(-(10**5), 10**5)))),
    (targets.stop_price, lambda c: (int(c.integers(-9, 9)), float(c.uniform(1, 1e9)), 4.0, float(c.random()))),
    (targets.entry_after, lambda c: (int(c.integers(-9, 9)), int(c.integers(1, 9)), float(c.uniform(1, 1e9)), 12_345)),
    (fills.slipped_price, lambda c: (int(c.integers(1, 10**9)), int(c.integers(1, 10**6)) * int(c.choice([-1, 1])),
                                     float(c.uniform(1e3, 1e9)), float(c.uniform(0.001, 0.3)), 1e-4, 1.0)),
    (settle.fee_of, lambda c: (int(c.integers(-(10**5), 10**5)), int(c.integers(1, 10**9)), 45_000)),
    (settle.funding_of, lambda c: (int(c.integers(-(10**6), 10**6)), 12_345_678, float(c.normal(0, 1e-3)), False)),
    (covariance.fit_the_young, young),
]  # fmt: skip


def copied(given: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(each.copy() if isinstance(each, np.ndarray) else each for each in given)


def told(answer: Any, given: tuple[Any, ...]) -> list[bytes]:
    """What a call answered and what it left in its arrays, to the bit."""
    answers = answer if isinstance(answer, tuple) else (answer,)
    plain = [
        None if a is None else np.asarray(a, np.float64 if np.asarray(a).dtype.kind == "f" else np.int64)
        for a in answers
    ]
    return [b"" if a is None else a.tobytes() for a in plain] + [
        g.tobytes() for g in given if isinstance(g, np.ndarray)
    ]


@pytest.mark.parametrize(("function", "make"), CASES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_compiled_function_is_its_python_original(function: Any, make: Any) -> None:
    chance = np.random.default_rng(11)
    for _ in range(60):
        given = make(chance)
        mine, plain = copied(given), copied(given)
        with np.errstate(over="ignore"):  # a hash wraps
            assert told(function(*mine), mine) == told(function.py_func(*plain), plain)


def modules() -> Iterator[types.ModuleType]:
    for found in pkgutil.walk_packages(podshop.__path__, "podshop."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def test_every_source_with_machine_code_decides_where_it_is_kept() -> None:
    """A callee's edit must not leave its callers' old machine code in use: all of them name the folder."""
    hashed = {name for name, _ in compiled._sources(importlib.resources.files("podshop"), "")}
    holding = {
        "/" + Path(module.__file__ or "").relative_to(Path(podshop.__file__).parent).as_posix()
        for module in modules()
        for value in vars(module).values()
        if hasattr(value, "py_func") and value.py_func.__module__ == module.__name__
    }
    assert len(holding) > 8
    assert holding <= hashed


def test_nothing_is_compiled_with_loose_arithmetic() -> None:
    for module in modules():
        for value in vars(module).values():
            if hasattr(value, "py_func"):
                assert value.targetoptions["fastmath"] is False
                assert not value.targetoptions.get("parallel")
