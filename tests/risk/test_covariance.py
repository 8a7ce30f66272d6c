"""The covariance against its definition, summed anew for each row."""

import math
from typing import Any

import numpy as np
import pytest

from podshop.maths import log_return
from podshop.risk import covariance as risk
from tests.reference import measure
from tests.reference.facts import DAY_NS, HOUR_NS

WINDOW, DECAY = 50 * 24, 0.5 ** (1 / 240)


def closes(rows: int, missing: float, seed: int, markets: int = 4) -> Any:
    """Correlated prices (rows, markets); a share is missing, alone and in runs."""
    chance = np.random.default_rng(seed)
    common = chance.normal(0.0, 0.01, rows)
    steps = chance.normal(0.0, 0.005, (rows, markets)) + common[:, None] * chance.uniform(-1, 1, markets)
    price = 100.0 * np.exp(np.cumsum(steps, axis=0))
    price[chance.random(price.shape) < missing] = np.nan
    for m in range(markets if missing else 0):
        at = int(chance.integers(0, rows))
        price[at : at + 100, m] = np.nan
    return price


@pytest.mark.parametrize(("missing", "seed"), [(0.0, 1), (0.05, 2), (0.5, 3)])
def test_the_recursion_is_the_windowed_sum(missing: float, seed: int) -> None:
    price = closes(WINDOW + 500, missing, seed)
    found = risk.covariances(log_return(price), WINDOW + 1, WINDOW, DECAY, 24.0)
    for row in (0, 1, 130, len(found) - 1):
        direct = measure.daily_covariance(price[: WINDOW + 2 + row].tolist(), HOUR_NS)
        assert found[row] == pytest.approx(np.array(direct), rel=1e-12, abs=1e-12 * np.abs(direct).max())


def test_it_is_positive_semi_definite_whatever_is_missing() -> None:
    for seed in range(10):
        price = closes(WINDOW + 200, 0.7, seed, markets=8)
        price[: 300 + 20 * seed, seed % 8] = np.nan
        found = risk.covariances(log_return(price), WINDOW, WINDOW, DECAY, 24.0)
        for matrix in found[::40]:
            lowest = np.linalg.eigvalsh(matrix).min()
            assert lowest >= -1e-12 * np.trace(matrix)
            assert (matrix == matrix.T).all()


def test_weights_of_each_pair_by_its_own_count_would_not_be() -> None:
    """The mutant: three markets that are never known together, each pair moving as one or against each other."""
    common = np.array([[1.0, 1.0, np.nan], [np.nan, 1.0, 1.0], [1.0, np.nan, -1.0]] * 40)
    known = ~np.isnan(common)
    filled = np.where(known, common, 0.0)
    by_pair = (filled.T @ filled) / (known.T.astype(float) @ known)
    assert np.linalg.eigvalsh(by_pair).min() < -0.5
    ours = risk.covariances(common, 100, 100, 0.999, 1.0)
    assert np.linalg.eigvalsh(ours[-1]).min() >= -1e-12


def test_a_return_is_forgotten_after_the_window_to_the_bit_of_what_was_added() -> None:
    returns = np.zeros((400, 1))
    returns[50] = 0.5
    found = risk.covariances(returns, 0, 100, 0.99, 1.0)[:, 0, 0]
    assert found[50] > 0 < found[149]
    assert abs(found[150]) < 1e-15 * found[50] * 100


def test_the_young_are_judged_by_their_elders() -> None:
    matrix = np.diag([1.0, 2.0, 3.0, 4.0, 1.0, 9.0, 1.0])
    matrix[0, 4] = matrix[4, 0] = 0.5
    ages = np.array([[90.0, 91.0, 400.0, 90.0, 10.0, 89.0, 9.99]])
    found = matrix[None].copy()
    risk.fit_the_young(found, ages)
    history = [int(age * DAY_NS) for age in ages[0]]
    expected, _ = measure.gate_covariance(matrix.tolist(), history)
    assert found[0] == pytest.approx(np.array(expected), rel=1e-15)
    assert (found[0, 4, 4], found[0, 5, 5], found[0, 6, 6]) == (pytest.approx(3.25), 9.0, 0.0)
    assert found[0, 0, 4] == pytest.approx(0.5 * math.sqrt(3.25))


def test_without_elders_the_young_keep_their_own() -> None:
    found = np.diag([1.0, 2.0])[None].copy()
    risk.fit_the_young(found, np.array([[50.0, np.nan]]))
    assert found[0].tolist() == [[1.0, 0.0], [0.0, 0.0]]
