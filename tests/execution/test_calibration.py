"""A frequency from the agent's own past: point in time, forgetting, and the same whatever way it is called."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podshop.execution import calibration
from podshop.execution.calibration import BINS, EDGES, hit_probability, new_calibration

ROWS, MARKETS, HORIZON = 400, 3, 4


def past(seed: int = 0, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    said = rng.uniform(-1, 1, (rows, MARKETS))
    said[rng.random(said.shape) < 0.05] = np.nan
    worth = rng.standard_normal((rows, MARKETS)).cumsum(axis=0)
    return said, worth, 1000 + np.arange(rows)


def ask(said, worth, bar, horizon=HORIZON, window=200):
    return hit_probability(new_calibration(said.shape[1], horizon, window), said, worth, bar, horizon)


def strength(c: float) -> int:
    return min(int(np.searchsorted(EDGES, abs(c), side="right")) - 1, BINS - 1)


def slow(said, worth, bar, horizon, window):
    """The same by looking back from every row, in plain Python: (2, R, M) probability and count."""
    out = np.full((2, *said.shape), np.nan)
    at = {int(b): r for r, b in enumerate(bar)}
    slots = max(window // horizon, 1)
    for row, now in enumerate(bar):
        right, judged = np.zeros(BINS), np.zeros(BINS)
        for period in range(now // horizon - slots + 1, now // horizon + 1):
            made, due = at.get((period - 1) * horizon), at.get(period * horizon)
            if made is None or due is None:
                continue
            for c, moved in zip(said[made], worth[due] - worth[made], strict=True):
                if abs(c) > 0 and abs(moved) > 0:
                    right[strength(c)] += c * moved > 0
                    judged[strength(c)] += 1
        for m in np.flatnonzero(np.abs(said[row]) > 0):
            k = strength(said[row, m])
            out[1, row, m] = judged[k]
            out[0, row, m] = right[k] / judged[k] if judged[k] else np.nan
    return out


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 60))
def test_it_is_what_looking_back_from_every_row_finds(seed, horizon, window):
    said, worth, bar = past(seed, rows=60)
    fast, plain = ask(said, worth, bar, horizon, window), slow(said, worth, bar, horizon, window)
    np.testing.assert_allclose(fast[[0, 3]], plain, rtol=1e-12)


def changes_before(row, seen):
    """Whether any answer up to `row` changes with what comes after it."""
    said, worth, bar = past()
    other = worth.copy()
    other[row + 1 :] = np.random.default_rng(9).standard_normal(other[row + 1 :].shape)
    one, two = (ask(said, seen(w), bar)[:, : row + 1] for w in (worth, other))
    return not np.array_equal(one, two, equal_nan=True)


@pytest.mark.parametrize("row", [11, 100, 203, 398])
def test_no_answer_knows_what_comes(row):
    assert not changes_before(row, lambda worth: worth)
    said, worth, bar = past()
    cut = ask(said[: row + 1], worth[: row + 1], bar[: row + 1])
    np.testing.assert_array_equal(cut, ask(said, worth, bar)[:, : row + 1])


def test_the_test_above_sees_a_forecast_that_is_judged_a_bar_early():
    """The mutant: what a long will be worth one bar later. At these rows a horizon ends."""
    assert any(
        changes_before(row, lambda worth: np.vstack([worth[1:], worth[-1:]])) for row in range(200, 240, HORIZON)
    )


@settings(max_examples=30)
@given(st.sets(st.integers(1, ROWS - 1), max_size=6))
def test_state_carries_over_any_cut(cuts):
    said, worth, bar = past()
    state = new_calibration(MARKETS, HORIZON, 200)
    edges = pairwise([0, *sorted(cuts), ROWS])
    parts = [hit_probability(state, said[a:b], worth[a:b], bar[a:b], HORIZON) for a, b in edges]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), ask(said, worth, bar))


def test_the_plain_python_of_it_agrees_to_the_bit():
    said, worth, bar = past(rows=80)
    state = new_calibration(MARKETS, HORIZON, 200)
    plain = calibration.hit_probability.py_func(state, said, worth, bar, HORIZON)
    np.testing.assert_array_equal(plain, ask(said, worth, bar))


def test_what_is_older_than_the_window_is_forgotten():
    """Right for a while, wrong since: when the window has passed, it is always wrong."""
    rows = 300
    said = np.full((rows, 1), 0.8)
    worth = np.concatenate([np.arange(150.0), 150.0 - np.arange(150.0)])[:, None]
    p = ask(said, worth, np.arange(rows), horizon=1, window=100)[0, :, 0]
    assert p[149] == 1.0
    assert 0.0 < p[200] < 1.0
    assert (p[260:] == 0.0).all()


def test_an_interval_counts_instants_and_holds_the_truth():
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(200):
        worth = np.repeat(rng.choice([-1.0, 1.0], (101, 1)).cumsum(axis=0), 5, axis=1)  # five markets that are one
        answer = ask(np.full((101, 5), 0.9), worth, np.arange(101), horizon=1, window=400)
        inside.append(answer[1, -1, 0] <= 0.5 <= answer[2, -1, 0])
        assert answer[3, -1, 0] == 500
    assert 0.83 <= np.mean(inside) <= 0.97


def test_no_opinion_and_no_past_have_no_probability():
    said, worth, bar = np.array([[0.9, np.nan, 0.0]]), np.ones((1, 3)), np.array([8])
    answer = ask(said, worth, bar)
    assert np.isnan(answer[:3]).all()
    np.testing.assert_array_equal(answer[3, 0], [0.0, np.nan, np.nan])
