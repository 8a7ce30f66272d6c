"""The spread of Engle and Granger against numpy's least squares, one window at a time."""

import math

import numpy as np
import pytest

from podshop.maths import spread
from podshop.nouns import Panel

ROWS, WINDOW = 300, 40


def pair(rho: float, seed: int) -> tuple[Panel, Panel]:
    """A companion that wanders, and a column that follows it with a spread that keeps `rho` of itself."""
    rng = np.random.default_rng(seed)
    step = 0.01 * rng.normal(size=ROWS)
    apart = np.zeros(ROWS)
    for t in range(1, ROWS):
        apart[t] = rho * apart[t - 1] + 0.005 * rng.normal()
    return (3.0 + 0.8 * step.cumsum() + apart)[:, None], step[:, None]


def direct(level: np.ndarray, step: np.ndarray) -> tuple[float, float]:
    companion = np.nancumsum(step)
    known = np.isfinite(step) & np.isfinite(level)
    x, y = companion[known], level[known]
    left = y - np.polyval(np.polyfit(x, y, 1), x)
    before, change = left[:-1], np.diff(left)
    pull = (before @ change) / (before @ before)
    noise = ((change - pull * before) ** 2).sum() / (len(x) - 2)
    return left[-1] / left.std(), pull / math.sqrt(noise / (before @ before))


@pytest.mark.parametrize(("rho", "gaps"), [(0.5, False), (1.0, False), (0.5, True)])
def test_every_row_is_the_fit_of_its_own_window(rho: float, gaps: bool) -> None:
    level, step = pair(rho, seed=2)
    if gaps:
        level[100:104], step[150], level[200] = np.nan, np.inf, np.inf
    score, statistic = spread(level, step, WINDOW)
    for t in range(WINDOW, ROWS):
        found = score[t, 0], statistic[t, 0]
        if not (np.isfinite(level[t, 0]) and np.isfinite(step[t, 0])):
            assert np.isnan(found).all()
            continue
        rows = slice(t - WINDOW + 1, t + 1)
        part = np.where(np.isfinite(step[rows, 0]), step[rows, 0], np.nan)
        np.testing.assert_allclose(found, direct(level[rows, 0], part), rtol=1e-8, atol=1e-8)


def test_what_comes_back_is_told_from_what_wanders() -> None:
    """Below -3.04 one walk in ten falls by luck (MacKinnon 2010, two series); a spread with rho 0.5 nearly always."""
    found = [
        np.nanmean([(spread(*pair(rho, seed), 200)[1][200::20] < -3.04).mean() for seed in range(20)])
        for rho in (1.0, 0.5)
    ]
    assert found[0] < 0.2
    assert found[1] > 0.95


def test_nothing_is_said_of_what_stood_still_or_is_the_same() -> None:
    level, step = pair(0.5, seed=4)
    assert np.isnan(spread(np.full_like(level, 3.0), step, WINDOW)[0]).all()
    assert np.isnan(spread(level, np.zeros_like(step), WINDOW)[0]).all()
    assert np.isnan(spread(2.0 * step.cumsum(axis=0), step, WINDOW)[0]).all()
    assert np.isnan(spread(level[: WINDOW // 2], step[: WINDOW // 2], WINDOW)[0]).all()
