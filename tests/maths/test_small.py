"""Small systems: as numpy solves them, and the best mix is the best."""

import numpy as np
import pytest

from podshop.maths.small import best_holding, solve


def positive(chance: np.random.Generator, size: int) -> np.ndarray:
    """A correlation-like matrix, well away from singular."""
    factor = chance.normal(size=(size, 2 * size))
    made = factor @ factor.T
    scale = 1 / np.sqrt(np.diag(made))
    return 0.8 * made * np.outer(scale, scale) + 0.2 * np.eye(size)


@pytest.mark.parametrize("size", [0, 1, 2, 5, 20])
def test_solves_what_numpy_solves(size: int) -> None:
    chance = np.random.default_rng(size)
    for _ in range(20):
        matrix, right = positive(chance, size), chance.normal(size=size)
        x = solve(matrix, right)
        assert x.tolist() == pytest.approx(np.linalg.solve(matrix, right).tolist())
        assert x.tolist() == solve.py_func(matrix, right).tolist()


@pytest.mark.parametrize("size", [1, 2, 5, 20])
def test_no_mix_is_better(size: int) -> None:
    """Kuhn and Tucker: no bet that is held can be improved, and none that is not would help."""
    chance = np.random.default_rng(size)
    for _ in range(20):
        matrix, reward = positive(chance, size), chance.normal(size=size)
        x = best_holding(matrix, reward)
        assert x.tolist() == best_holding.py_func(matrix, reward).tolist()
        slope = reward - matrix @ x
        assert (x >= 0).all()
        assert np.abs(slope[x > 0]).max(initial=0) < 1e-9
        assert slope[x == 0].max(initial=-1) < 1e-9


def test_nothing_is_held_where_nothing_rewards() -> None:
    assert best_holding(np.array([[1.0, 0.2], [0.2, 1.0]]), np.array([-1.0, 0.0])).tolist() == [0.0, 0.0]
