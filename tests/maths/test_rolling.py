"""Every rolling statistic against the same statistic of the window alone, in numpy, on the worst columns we know."""

import math
from collections.abc import Callable

import bottleneck
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from podshop.maths import rolling
from podshop.nouns import ConfigError, Panel

ROWS, WINDOW, HALF_LIFE = 900, 48, 9.5
Statistic = Callable[..., Panel]


def columns(rows: int = ROWS) -> dict[str, np.ndarray]:
    """Plain, and what real history does to running sums."""
    plain = np.random.default_rng(7).normal(size=rows)
    away = plain.copy()
    away[100:103], away[400], away[401] = np.inf, -np.inf, np.nan
    spike = plain.copy()
    spike[150], spike[500] = 1e9, -1e9
    level = np.where(np.arange(rows) < rows // 2, plain, 1e10 * (2 + plain))
    flat = plain.copy()
    flat[200:400], flat[500:700] = 0.1, -0.0
    thin = np.where(np.random.default_rng(8).random(rows) < 0.15, np.nan, plain)
    return {"plain": plain, "away": away, "spike": spike, "level": level, "flat": flat, "thin": thin}


def direct(statistic: Callable[[np.ndarray], float], x: np.ndarray, window: int, at_least: int | None) -> np.ndarray:
    """The statistic of the known ones of each window, one window at a time."""
    answer = np.full(len(x), np.nan)
    for t in range(len(x)):
        part = x[max(0, t - window + 1) : t + 1]
        known = part[np.isfinite(part)]
        enough = len(known) >= (math.ceil(0.8 * window) if at_least is None else at_least)
        if enough and (at_least is not None or np.isfinite(part[-1])):
            answer[t] = statistic(known)
    return answer


def deviation(known: np.ndarray) -> float:
    spread = float(known.std())
    return spread if spread > 1e-9 * abs(known.mean()) and np.ptp(known) > 0 else np.nan


PLAIN: dict[str, tuple[Statistic, Callable[[np.ndarray], float]]] = {
    "mean": (rolling.mean, np.mean),
    "sum": (rolling.sum, np.sum),
    "std": (rolling.std, deviation),
    "zscore": (rolling.zscore, lambda known: (known[-1] - known.mean()) / deviation(known)),
    "median": (rolling.median, np.median),
    "max": (rolling.max, np.max),
    "min": (rolling.min, np.min),
}


# A score of a row that is unknown is unknown: `zscore` has the default rule only.
CASES = [(name, None) for name in PLAIN] + [(name, 30) for name in PLAIN if name != "zscore"]


@pytest.mark.parametrize("column", columns())
@pytest.mark.parametrize(("name", "at_least"), CASES)
def test_a_window_is_what_its_rows_alone_say(name: str, column: str, at_least: int | None) -> None:
    x = columns()[column]
    statistic, expected = PLAIN[name]
    answer = statistic(x[:, None], WINDOW, at_least).ravel()
    np.testing.assert_allclose(answer, direct(expected, x, WINDOW, at_least), rtol=1e-9, atol=1e-9)


def test_running_sums_would_fail_here() -> None:
    """The mutant: bottleneck's running sums, on the very columns above, are wrong where ours are right."""
    spike = columns()["spike"]
    after = slice(150 + 2 * WINDOW, 499)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(
            bottleneck.move_std(spike, WINDOW)[after],
            direct(deviation, spike, WINDOW, None)[after],
            rtol=1e-9,
            atol=1e-9,
        )


def test_what_stood_still_has_no_deviation() -> None:
    flat = columns()["flat"]
    assert np.isnan(rolling.std(flat[:, None], WINDOW)[260:400]).all()


@pytest.mark.parametrize("column", columns())
def test_the_decaying_average_weighs_by_age(column: str) -> None:
    x = columns()[column]
    answer = rolling.ewm(x[:, None], HALF_LIFE, WINDOW).ravel()
    weights = 0.5 ** (np.arange(WINDOW)[::-1] / HALF_LIFE)
    for t in range(WINDOW - 1, len(x)):
        part = x[t - WINDOW + 1 : t + 1]
        known = np.isfinite(part)
        expected = np.average(part[known], weights=weights[known]) if known.mean() >= 0.8 and known[-1] else np.nan
        np.testing.assert_allclose(answer[t], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("column", ["plain", "away", "level", "flat", "thin"])
def test_the_line_is_the_least_squares_line(column: str) -> None:
    x = columns()[column]
    y = 0.5 * x + np.random.default_rng(9).normal(size=ROWS)
    parts = [part.ravel() for part in rolling.line(y[:, None], x[:, None], WINDOW)]
    for t in range(ROWS):
        known = np.isfinite(x[max(0, t - WINDOW + 1) : t + 1])
        xs, ys = x[max(0, t - WINDOW + 1) : t + 1][known], y[max(0, t - WINDOW + 1) : t + 1][known]
        found = [part[t] for part in parts]
        if known.sum() < math.ceil(0.8 * WINDOW) or not known[-1] or np.ptp(xs) == 0:
            assert np.isnan(found).all()
            continue
        slope = ((xs - xs.mean()) * (ys - ys.mean())).sum() / ((xs - xs.mean()) ** 2).sum()
        left = (ys - ys.mean() - slope * (xs - xs.mean())).std()
        if left**2 <= 1e-6 * ys.var():
            assert np.isnan(found).all()
            continue
        np.testing.assert_allclose(found, [slope, ys.mean(), xs.mean(), left], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("column", ["plain", "spike", "level", "flat"])
def test_surprise_is_the_distance_of_two_averages(column: str) -> None:
    x = columns()[column]
    answer = rolling.surprise(x[:, None], 5, WINDOW).ravel()
    for t in range(WINDOW, ROWS):
        part = x[t - WINDOW + 1 : t + 1]
        expected = (part[-5:].mean() - part.mean()) / deviation(part) / math.sqrt(1 / 5 - 1 / WINDOW)
        np.testing.assert_allclose(answer[t], expected, rtol=1e-9, atol=1e-9)


def test_surprise_is_standard_normal_where_nothing_happens() -> None:
    z = rolling.surprise(np.random.default_rng(3).normal(size=(20_000, 8)), 5, 200)[200:]
    assert abs(z.mean()) < 0.02
    assert abs(z.std() - 1) < 0.02


def test_a_line_through_what_lies_on_it_is_no_opinion() -> None:
    x = columns()["plain"][:, None]
    assert np.isnan(rolling.line(3 * x + 1, x, WINDOW)[0]).all()
    assert np.isnan(rolling.line(x, np.full_like(x, 0.1), WINDOW)[0]).all()


ALL = {name: lambda x, f=f: f(x, WINDOW) for name, (f, _) in PLAIN.items()} | {
    "ewm": lambda x: rolling.ewm(x, HALF_LIFE, WINDOW),
    "surprise": lambda x: rolling.surprise(x, 5, WINDOW),
    "line": lambda x: np.hstack(rolling.line(x, np.roll(x, 1, axis=1), WINDOW)),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("cut", [1, 47, 48, 49, 333, 899])
def test_a_longer_history_has_the_same_beginning_to_the_bit(name: str, cut: int) -> None:
    whole = np.stack(list(columns().values())).T
    np.testing.assert_array_equal(ALL[name](whole[:cut]), ALL[name](whole)[:cut])


@pytest.mark.parametrize("name", ALL)
def test_what_is_given_stays_as_it_was(name: str) -> None:
    panel = np.stack(list(columns().values())).T
    panel.setflags(write=False)
    before = panel.copy()
    answer = ALL[name](panel)
    np.testing.assert_array_equal(panel, before)
    assert not np.shares_memory(answer, panel)


@settings(deadline=None, max_examples=60)
@given(
    x=arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6, width=32) | st.sampled_from([np.nan, 0.0])),
    window=st.integers(1, 12),
)
def test_any_window_of_any_column(x: np.ndarray, window: int) -> None:
    for name in ("mean", "max", "sum"):
        statistic, expected = PLAIN[name]
        np.testing.assert_allclose(
            statistic(x[:, None], window, 1).ravel(), direct(expected, x, window, 1), rtol=1e-9, atol=1e-9
        )


def test_no_window_is_refused() -> None:
    with pytest.raises(ConfigError, match="window of 0 rows"):
        rolling.mean(np.zeros((3, 1)), 0)
    with pytest.raises(ConfigError, match="half-life is 0"):
        rolling.ewm(np.zeros((3, 1)), 0)
    with pytest.raises(ConfigError, match="fewer against more"):
        rolling.surprise(np.zeros((3, 1)), 2, 2)
