"""Capital by evidence: equal before there is any, then by the article's rule, to the last bit."""

import math

import numpy as np
import pytest

from podshop.treasury import Allocator
from podshop.treasury.allocator import article


def test_before_thirty_days_everybody_gets_the_same() -> None:
    returns = np.random.default_rng(0).normal(0.0, 0.01, (29, 4))
    assert Allocator(kind="article")(returns).tolist() == [0.25] * 4
    assert Allocator(kind="equal")(np.concatenate([returns, returns])).tolist() == [0.25] * 4
    assert Allocator(kind="article", window_days=20)(returns).tolist() == article(returns[-20:]).tolist() != [0.25] * 4


def test_by_hand() -> None:
    """Sharpes of sqrt 2 and -sqrt 2 a day share as e^(2 sqrt 2) to 1; a shadow that never moved counts as 0."""
    returns = np.array([[1.0, -1.0, 0.0], [3.0, -3.0, 0.0]]) / 100
    weights = article(returns)
    assert weights[0] / weights[1] == pytest.approx(math.exp(2 * math.sqrt(2)))
    assert weights[2] / weights[1] == pytest.approx(math.exp(math.sqrt(2)))
    assert weights.sum() == pytest.approx(1.0)


def test_steady_winners_and_losers_do_not_overflow() -> None:
    returns = np.array([[0.01, -0.01], [0.01 + 1e-15, -0.01 - 1e-15]] * 15)
    weights = article(returns)
    assert np.isfinite(weights).all()
    assert weights.tolist() == [1.0, 0.0]


def plainly(returns: list[list[float]]) -> list[float]:
    """The rule of docs/semantics.md, section 9, with sums rounded once."""
    sharpes = []
    for column in zip(*returns, strict=True):
        mean = math.fsum(column) / len(column)
        std = math.sqrt(math.fsum((x - mean) * (x - mean) for x in column) / (len(column) - 1))
        sharpes.append(mean / std if std > 0.0 else 0.0)
    scores = [math.exp(sharpe - max(sharpes)) for sharpe in sharpes]
    return [score / math.fsum(scores) for score in scores]


@pytest.mark.parametrize("books", [1, 2, 3, 8, 9, 20])
def test_sums_are_rounded_once_so_that_capital_agrees_to_the_micro_dollar(books: int) -> None:
    """A weight that differs in its last bit moves a micro-dollar of a large fund."""
    chance = np.random.default_rng(books)
    for _ in range(50):
        returns = chance.normal(0.0, 0.01, (30, books))
        assert article(returns).tolist() == plainly(returns.tolist())
