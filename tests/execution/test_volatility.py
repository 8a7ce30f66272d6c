"""A mandate's own volatility: by hand, against adding each window up anew, and where nothing is known."""

import math

import numpy as np
import pytest

from podshop.execution.volatility import HALF_LIVES, volatilities
from podshop.maths.compiled import original

NAN = math.nan


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


def measured(log_return: np.ndarray, first: int = 0, window: int = 10, half_life: float = 2.0, per_day: float = 1.0):
    decay = 0.5 ** (1.0 / half_life)
    return volatilities(log_return, first, window, decay, decay**window, per_day)


def added_up(log_return: np.ndarray, window: int, half_life: float, per_day: float) -> np.ndarray:
    """The same, from the sum over each row's window."""
    out = np.full(log_return.shape, NAN)
    for row, m in np.ndindex(*log_return.shape):
        squares, weights = [], []
        for age in range(min(window, row + 1)):
            r = log_return[row - age, m]
            if not math.isnan(r):
                squares.append(0.5 ** (age / half_life) * r * r)
                weights.append(0.5 ** (age / half_life))
        if math.fsum(squares) > 0.0:
            out[row, m] = math.sqrt(math.fsum(squares) / math.fsum(weights) * per_day)
    return out


def test_by_hand() -> None:
    """Half-life of one bar: 4 % now and 2 % before are sqrt((16 + 4 / 2) / (1 + 1 / 2)) = sqrt(12) per cent."""
    found = measured(column(0.02, 0.04), half_life=1.0)[:, 0]
    assert found == pytest.approx([0.02, math.sqrt(12) / 100])
    assert measured(column(0.02, 0.04), half_life=1.0, per_day=24.0)[1, 0] == pytest.approx(math.sqrt(12 * 24) / 100)


def test_what_is_missing_is_no_observation() -> None:
    """It ages what was there, and weighs nothing: alone, a lone move is as large as it was."""
    assert measured(column(0.02, NAN, NAN))[:, 0] == pytest.approx([0.02, 0.02, 0.02])
    assert measured(column(NAN, 0.03))[1, 0] == pytest.approx(0.03)


def test_a_flat_bar_is_an_observation() -> None:
    assert measured(column(0.02, 0.0), half_life=1.0)[1, 0] == pytest.approx(0.02 / math.sqrt(3))


@pytest.mark.parametrize("values", [(NAN, NAN), (0.0, 0.0), (NAN, 0.0)])
def test_where_nothing_has_moved_it_is_unknown(values: tuple[float, ...]) -> None:
    assert np.isnan(measured(column(*values))).all()


def test_a_bar_is_forgotten_when_it_leaves_the_window() -> None:
    found = measured(column(0.5, *[0.01] * 9), window=4)[:, 0]
    assert found[3] > 0.1
    assert found[4:] == pytest.approx([0.01] * 6)


def test_rows_before_the_first_only_warm_up() -> None:
    log_return = np.random.default_rng(0).normal(0, 0.02, (60, 3))
    assert (measured(log_return, first=25) == measured(log_return)[25:]).all()


@pytest.mark.parametrize("half_life", [1.0, 6.5, 40.0])
def test_it_is_what_adding_up_each_window_gives(half_life: float) -> None:
    rng = np.random.default_rng(1)
    log_return = rng.standard_t(3, (400, 4)) * 0.01
    log_return[rng.random(log_return.shape) < 0.1] = NAN
    log_return[:150, 2] = NAN  # listed later
    window = math.ceil(HALF_LIVES * half_life)
    found = measured(log_return, window=window, half_life=half_life, per_day=24.0)
    assert found == pytest.approx(added_up(log_return, window, half_life, 24.0), rel=1e-9, nan_ok=True)


def test_without_forgetting_it_is_another() -> None:
    """The mutant: what left the window is kept."""
    log_return = np.random.default_rng(2).normal(0, 0.02, (100, 1))
    decay = 0.5**0.5
    kept = volatilities(log_return, 0, 10, decay, 0.0, 1.0)
    assert not np.allclose(kept, added_up(log_return, 10, 2.0, 1.0), rtol=1e-9)


def test_a_row_knows_nothing_of_later_ones() -> None:
    log_return = np.random.default_rng(3).normal(0, 0.02, (80, 2))
    whole = measured(log_return)
    for end in (1, 10, 11, 40):
        assert (measured(log_return[:end]) == whole[:end]).all()


def test_the_plain_original_agrees_to_the_bit() -> None:
    log_return = np.random.default_rng(4).normal(0, 0.02, (120, 2))
    log_return[::7] = NAN
    decay = 0.5**0.25
    given = (log_return, 30, 20, decay, decay**20, 24.0)
    assert np.array_equal(original(volatilities)(*given), volatilities(*given), equal_nan=True)
