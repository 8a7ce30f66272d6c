"""The compiled sums are those of math.fsum, which rounds once, as near as anybody can care; and they are quick."""

import math
from operator import mul
from time import perf_counter

import numpy as np
import pytest

from podshop.treasury.evidence import UNCORRELATED_DAYS, add_up, evidence, moments
from podshop.treasury.shrunk import Rules, shrunk


def daily(books: int, count: int, seed: int) -> np.ndarray:
    """Books of every kind: late ones, still ones, twins."""
    chance = np.random.default_rng(seed)
    made = chance.normal(chance.normal(0.0003, 0.001, books), 0.01, (count, books)) + chance.normal(0, 0.01, (count, 1))
    if books > 3:
        made[: count // 3, 0] = 0.0
        made[:, 1] = made[:, 2] + 1e-5 * made[:, 1]
        made[:, 3] = 0.0
    return made


@pytest.mark.parametrize(("books", "count"), [(1, 365), (2, 31), (4, 1), (5, 2), (20, 365), (4, 0)])
def test_sums_are_those_that_round_once(books: int, count: int) -> None:
    for seed in range(5):
        returns = daily(books, count, seed)
        found = evidence(returns)
        away = []
        for b, n in enumerate(found.days):
            column = returns[count - n :, b].tolist()
            mean, deviation = moments(column)
            assert n == (count - int((returns[:, b] != 0).argmax()) if returns[:, b].any() else 0)
            assert found.deviation[b] == pytest.approx(deviation, rel=1e-12)
            sharpe = mean / deviation * math.sqrt(365) if deviation > 0 else 0.0
            assert found.sharpe[b] == pytest.approx(sharpe, rel=1e-12, abs=1e-12)
            away.append([0.0] * (count - n) + [r - mean for r in column])
        size = [math.sqrt(math.fsum(map(mul, one, one))) for one in away]
        for i in range(books):
            for j in range(books):
                both = size[i] * size[j]
                alike = math.fsum(map(mul, away[i], away[j])) / both if both > 0 else 0.0
                expected = 1.0 if i == j else alike * count / (count + UNCORRELATED_DAYS)
                assert found.correlation[i, j] == pytest.approx(expected, abs=1e-12)


def test_what_is_compiled_is_what_is_written() -> None:
    returns = daily(6, 120, 1)
    for one, other in zip(add_up(returns), add_up.py_func(returns), strict=True):
        assert one.tolist() == other.tolist()


def test_a_day_of_twenty_books_is_decided_in_a_millisecond() -> None:
    """A tenth of it, on a free core; 8.6 of them when every sum was math.fsum's."""
    returns, previous = daily(20, 365, 2), np.full(20, 0.05)
    times = []
    for _ in range(30):
        began = perf_counter()
        shrunk(returns, previous, (0.3,) * 20, Rules())
        times.append(perf_counter() - began)
    assert min(times) < 1e-3
