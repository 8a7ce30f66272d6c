"""Hierarchical risk parity against what it must come to where the answer is known."""

import builtins
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podshop.nouns import ConfigError
from podshop.treasury import Allocator
from podshop.treasury.hrp import GRAIN, hrp

pytest.importorskip("skfolio", reason="the extra `portfolio` is not installed")


def returns(deviations: list[float], days: int = 60, seed: int = 3) -> np.ndarray:
    """(days, B) exactly uncorrelated columns with these deviations: orthogonal, mean 0."""
    chance = np.random.default_rng(seed).normal(size=(days, len(deviations) + 1))
    chance[:, 0] = 1.0
    straight = np.linalg.qr(chance)[0][:, 1:]
    return straight * np.sqrt(days - 1) * deviations + 0.001


@pytest.mark.parametrize("deviations", [[0.01, 0.02], [0.01, 0.01], [0.005, 0.03]])
def test_two_books_share_by_inverse_variance(deviations: list[float]) -> None:
    inverse = 1 / np.square(deviations)
    assert hrp(returns(deviations)) == pytest.approx(inverse / inverse.sum(), abs=2 / GRAIN)


def test_uncorrelated_books_share_by_inverse_variance_within_each_half() -> None:
    """Wherever the tree is cut, a half's variance is that of its inverse-variance mix, so the whole is that mix too."""
    deviations = [0.01, 0.02, 0.015, 0.03]
    inverse = 1 / np.square(deviations)
    assert hrp(returns(deviations)) == pytest.approx(inverse / inverse.sum(), abs=4 / GRAIN)


def test_twins_share_what_one_of_them_would_have_had() -> None:
    """Two books that are the same bet, and one that is not: 1/N gives the bet two thirds, the tree about a half."""
    alone = returns([0.01, 0.01], days=120)
    noise = np.random.default_rng(5).normal(0.0, 1e-4, 120)
    weights = hrp(np.column_stack([alone[:, 0], alone[:, 0] + noise, alone[:, 1]]))
    assert 0.45 < weights[2] < 0.55
    assert weights[0] == pytest.approx(weights[1], rel=0.05)


@settings(max_examples=15)
@given(st.integers(1, 8), st.integers(0, 3), st.integers(0, 1000))
def test_weights_sum_to_one_whatever_the_books_did(moving: int, still: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    shared = chance.normal(size=(40, 1)) * chance.uniform(0, 0.02)
    days = np.column_stack([shared + chance.normal(0.0, 0.01, (40, moving)), np.zeros((40, still))])
    weights = hrp(days)
    assert weights.sum() == 1.0
    assert (weights >= 0).all()
    assert weights[moving:] == pytest.approx(1 / (moving + still), abs=2e-6)
    assert weights.tolist() == hrp(days).tolist()


@pytest.mark.parametrize("size", [1e-2, 1e-4, 1e-9, 1e-30])
def test_books_that_hardly_move_stop_nobody(size: float) -> None:
    """The cost gate keeps some books from trading at all: their variance is next to nothing, and no error."""
    weights = hrp(returns([0.01, 0.01 * size, 0.02]))
    assert weights.sum() == 1.0
    if size < 1e-3:
        assert weights == pytest.approx([2 / 3 * 0.8, 1 / 3, 2 / 3 * 0.2], abs=4 / GRAIN)
    assert hrp(returns([0.01, 0.02]) * 1e-9) == pytest.approx([0.8, 0.2], abs=4 / GRAIN)


def test_before_its_window_it_shares_equally() -> None:
    agent = Allocator(kind="hrp", window_days=30)
    assert agent(returns([0.01, 0.02], days=29)).tolist() == [0.5, 0.5]
    assert agent(returns([0.01, 0.02], days=30))[0] > 0.7


def test_without_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name.startswith("skfolio"):
            raise ImportError(name)
        return usual(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ConfigError, match=r"podshop\[portfolio\]"):
        hrp(returns([0.01, 0.02]))
