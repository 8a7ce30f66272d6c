"""The monitor: three methods on one volatility, the largest of them the tail, and its parts sum to the whole."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.nouns.limits import NORMAL_95
from podshop.nouns.time import DAY_NS, HOUR_NS
from podshop.risk import var
from podshop.risk.covariance import covariances
from podshop.risk.monitor import LEVELS, METHODS, Measured, PortfolioMonitor, bent, largest, standardised
from podshop.risk.office import judge
from tests.risk.views import view

MONITOR = PortfolioMonitor()
WEIGHTS = np.array([0.05, -0.02, 0.03, 0.0])
DAYS = 200


def hours(seed: int, days: int = DAYS, nu: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    """Hours of fat-tailed markets that move together, and the same by day."""
    rng = np.random.default_rng(seed)
    wild = np.sqrt(nu / rng.chisquare(nu, size=(days, 1))).repeat(24, axis=0)  # each day has a temper of its own
    bars = 0.006 * wild * (rng.normal(size=(24 * days, 4)) + rng.normal(size=(24 * days, 1))) / math.sqrt(2)
    return bars, bars.reshape(days, 24, 4).sum(axis=1)


def measured(bars: np.ndarray, daily: np.ndarray, weights: np.ndarray = WEIGHTS) -> Measured:
    gate = covariances(bars, len(bars) - 1, 50 * 24, 0.5 ** (1 / 240), 24.0)[-1]
    return MONITOR.measure(weights, gate, bars, daily, HOUR_NS, 20_000 * DAY_NS)


def test_a_day_is_held_against_the_volatility_expected_of_it() -> None:
    """By plain loops: sum decay^age x^2 / sum decay^age over at most fifty days of hours before it."""
    bars, daily = hours(1, 70)
    found = standardised(WEIGHTS, bars, daily, HOUR_NS, 20_000 * DAY_NS)
    assert len(found) == 60  # ten days are needed to start
    decay = 0.5 ** (1 / 240)
    for day in (10, 11, 40, 69):
        before = (bars[: 24 * day] @ WEIGHTS)[::-1][:1200]
        weight = decay ** np.arange(len(before))
        sigma = math.sqrt(24 * sum(w * x * x for w, x in zip(weight, before, strict=True)) / sum(weight))
        earned = sum(w * (math.exp(r) - 1) for w, r in zip(WEIGHTS, daily[day], strict=True))
        assert found[day - 10] == pytest.approx(earned / sigma)


def test_hours_after_the_last_midnight_belong_to_no_day() -> None:
    bars, daily = hours(1, 70)
    later = np.concatenate([bars, 9.0 * bars[:5]])
    found = standardised(WEIGHTS, later, daily, HOUR_NS, 20_000 * DAY_NS + 5 * HOUR_NS + 7)
    assert found == pytest.approx(standardised(WEIGHTS, bars, daily, HOUR_NS, 20_000 * DAY_NS))


def test_a_day_counts_where_half_of_what_is_held_has_a_price() -> None:
    bars, daily = hours(2, 70)
    missing = bars.copy()
    missing[: 24 * 40, 1] = np.nan  # a fifth of what is held came later
    young = np.where(np.arange(70)[:, None] < 40, daily * [1, np.nan, 1, 1], daily)
    assert len(standardised(WEIGHTS, missing, young, HOUR_NS, 20_000 * DAY_NS)) == 60
    missing[: 24 * 40, 0] = np.nan  # and now seven tenths
    young[:40, 0] = np.nan
    assert len(standardised(WEIGHTS, missing, young, HOUR_NS, 20_000 * DAY_NS)) == 20


def test_the_tail_is_the_largest_of_three_and_never_below_the_normal() -> None:
    seen = set()
    for seed in range(12):
        found = measured(*hours(seed))
        worst = largest(found.tails, 0.95)
        assert worst is not None
        seen.add(worst[0])
        assert worst[1] == max(found.tails[method][0.95].var for method in METHODS)
        assert found.tail == max(worst[1] / found.sigma, NORMAL_95)
    assert len(seen) > 1
    thin = hours(0)[0]
    thin = np.abs(thin) * np.where(np.arange(len(thin)) % 2, 1, -1)[:, None]  # days that sum to nothing
    assert measured(thin, thin.reshape(DAYS, 24, 4).sum(axis=1)).tail >= NORMAL_95


@given(st.integers(0, 2**32 - 1))
def test_what_must_hold_of_any_portfolio(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bars, daily = hours(seed % 7, 120)
    books = rng.normal(0, 0.03, (3, 4))
    found = measured(bars, daily, books.sum(axis=0))
    for method in METHODS:
        assert found.tails[method][0.99] is not None or method != "parametric"
        for level in LEVELS:
            tail = found.tails[method][level]
            assert tail is None or 0 < tail.var < tail.es
    whole = found.tail * found.sigma
    assert (books.sum(axis=0) * found.marginal).sum() == pytest.approx(whole)
    assert sum((book * found.marginal).sum() for book in books) == pytest.approx(whole)
    twice = measured(bars, daily, 2 * books.sum(axis=0))
    assert twice.tail == pytest.approx(found.tail, rel=1e-6)
    assert twice.sigma == pytest.approx(2 * found.sigma)


def test_a_marginal_is_a_slope() -> None:
    """Of tail x sigma with the tail held fixed, as the gate holds it."""
    bars, daily = hours(3)
    found = measured(bars, daily)
    for m in range(4):
        moved = measured(bars, daily, WEIGHTS + 1e-7 * (np.arange(4) == m))
        assert found.tail * (moved.sigma - found.sigma) / 1e-7 == pytest.approx(found.marginal[m], abs=1e-5)


def test_fat_tails_are_seen_by_all_but_the_normal() -> None:
    found = [measured(*hours(seed, 500, nu=3.0)) for seed in range(6)]
    for method in ("historical", "cornish_fisher"):
        tails = [one.tails[method][0.99] for one in found]
        assert np.mean([tail.var / one.sigma for tail, one in zip(tails, found, strict=True) if tail]) > 2.7
    assert found[0].tails["parametric"][0.99].var / found[0].sigma == pytest.approx(2.326, rel=0.02)


def test_where_no_bend_exists_the_student_t_steps_in() -> None:
    scores = np.random.default_rng(0).normal(size=400)
    scores[7] = 25.0  # kurtosis beyond the reach of the expansion
    skewness, kurtosis = var.shape(scores)
    assert var.cornish_fisher(1.0, skewness, kurtosis, 0.99) is None
    assert bent(0.02, scores, 0.99) == var.student_t(0.02 * float(scores.std()), kurtosis, 0.99)
    scores[7] = 3.0
    assert bent(0.02, scores, 0.99) == var.cornish_fisher(0.02 * float(scores.std()), *var.shape(scores), 0.99)


def test_the_agent_answers_soundly_whatever_it_knows() -> None:
    """With history, with a week of it, with none; with positions and without."""
    for days in (120, 7, 0):
        for scale in (1.0, 0.0):
            seen = view(days=days)
            seen = replace(seen, weights=scale * seen.weights)
            ruling = judge({"monitor": MONITOR(seen)}, seen)
            assert ruling.faults == {}
            assert ruling.in_force.tail >= NORMAL_95
            if days < 10:
                assert ruling.in_force.tail == NORMAL_95


def test_a_history_of_heavy_losses_makes_every_order_weigh_more() -> None:
    """The same fund, calm, and with one day in fifteen that loses eight sigmas."""
    calm = view(days=200)
    bars = calm.bars.copy().reshape(200, 24, 4)
    bars[::15, 12] -= 0.12 * np.sign(calm.weights.sum(axis=0))
    rough = replace(calm, bars=bars.reshape(-1, 4), daily=bars.sum(axis=1))
    assert (MONITOR(rough).tail or 0) > 1.1 * (MONITOR(calm).tail or 9)
