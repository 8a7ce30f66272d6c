"""The published rates: the simulation keeps the record as the fund does, and says what the page says."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng

from podshop.execution.evidence import new_record, slopes
from podshop.nouns import DAY_NS, DataError, Flags
from podshop.research import cost_gate
from podshop.research.cost_gate import HORIZONS, Horizon, Past, by_year, long_shut, opened, put, simulate, slope_needed

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cost-gate.md"
SCALPING, INTRADAY, SWING = HORIZONS
RUNS = 300


@pytest.fixture(scope="module")
def intraday() -> Past:
    return simulate(INTRADAY, RUNS, default_rng(4))


def rates_of(past: Past, truth: float, *, own: bool = False, observations: float = 200.0) -> Flags:
    needed = slope_needed(INTRADAY, "taker")
    return opened(past, truth * needed, needed, INTRADAY.a_year, 0.0, observations, 90 if own else -1)


@pytest.mark.parametrize("days", [1, 30])
def test_the_simulated_record_is_the_one_a_fund_keeps(days: int) -> None:
    """A gate over the slopes of `podshop.execution.evidence` is open exactly when the simulated one is."""
    samples, markets, sigma = 900, 3, 1e-4  # so little that prices stay whole numbers for long
    rng = default_rng(days)
    f = rng.choice([-0.8, 0.0, 0.5], (samples, markets))
    y = rng.standard_normal((samples, markets))
    past = Past(*(part.sum(axis=1, dtype=np.float64)[None] for part in (f * y, f * f, f != 0)))
    followed = np.vstack([np.ones(markets), 1 + sigma * math.sqrt(days) * y[:-1]])
    price = np.rint(1e15 * np.cumprod(followed, axis=0)).astype(np.int64)
    record = new_record(markets, days * DAY_NS)
    risk = np.full(f.shape, sigma)
    kept = slopes(record, f, np.arange(samples), price, risk, float(days), 0.02, 200.0)
    for bar in (-0.05, 0.0, 0.02, 0.05):
        found = cost_gate._opened(*past, 0.0, bar + 1e-7, bar + 1e-7, len(record.ring), 0.02, 200.0, -1)
        assert np.array_equal(found[0], kept >= bar + 1e-7)
        assert 0 < found.mean() < 1 or bar < 0


def noise_is_held_back(past: Past, **changed: Any) -> bool:
    """Of a year in which little is known, and of the years after."""
    first, *later = by_year(rates_of(past, 0.0, **changed))
    return first < 0.19 and max(later) < 0.15


def edge_is_let_through(past: Past, **changed: Any) -> bool:
    edge = rates_of(past, 4.0, **changed)
    return min(by_year(edge)[1:]) > 0.9 and long_shut(edge, INTRADAY.a_year) < 0.1


def test_noise_seldom_passes_and_a_large_edge_is_seldom_shut_out(intraday: Past) -> None:
    assert noise_is_held_back(intraday)
    assert edge_is_let_through(intraday)


def test_a_record_of_own_trades_shuts_a_true_edge_out(intraday: Past) -> None:
    """The mutant: what was not traded is not learned from."""
    assert not edge_is_let_through(intraday, own=True)
    assert long_shut(rates_of(intraday, 4.0, own=True), INTRADAY.a_year) > 0.15
    assert long_shut(rates_of(intraday, 2.0, own=True), INTRADAY.a_year) > 0.7


def test_without_the_weight_of_the_prior_more_noise_passes(intraday: Past) -> None:
    """The mutant: a prior that weighs nothing."""
    assert not noise_is_held_back(intraday, observations=1e-9)


def test_it_opens_at_twice_the_cost_and_shuts_below_the_cost() -> None:
    """A record of one forecast at a time: worth nothing, over twice the cost, between, below, and between again."""
    worth = np.array([[0.0, 0.05, 0.015, 0.009, 0.015, 0.0, 0.0, 0.0]])
    past = Past(worth, np.ones_like(worth), np.ones_like(worth))
    found = opened(past, 0.0, 0.01, 2, 0.0, 1e-12, -1)
    assert found[0].tolist() == [False, False, False, True, True, False, False, False]


def test_shares_of_time_and_of_runs() -> None:
    """By hand: ten samples a year; the first run is shut for eleven in a row, the second for ten, the third at last."""
    is_open = np.ones((3, 30), np.bool_)
    is_open[0, 5:16] = False
    is_open[1, 5:15] = False
    is_open[2, 19:] = False
    assert long_shut(is_open, 10) == pytest.approx(2 / 3)
    assert by_year(is_open) == pytest.approx((20 / 30, 18 / 30, 20 / 30))


def test_what_is_simulated_is_as_alike_as_it_says() -> None:
    """Noise knows nothing of forecasts, and markets that move together count for less than ten."""
    past = simulate(Horizon("day", 1.0), 200, default_rng(5))
    year = slice(0, 365)
    slope = past.noise[:, year].sum(axis=1) / past.square[:, year].sum(axis=1)
    assert abs(slope.mean()) < 4 * slope.std() / math.sqrt(200)
    alone = 1 / math.sqrt(past.square[:, year].sum(axis=1).mean())
    assert 1.4 < slope.std() / alone < 2.2
    assert past.square.sum() / past.said.sum() == pytest.approx(0.59, abs=0.01)


def test_slope_needed_by_hand() -> None:
    impact = 0.04 * math.sqrt(1e-5)
    assert slope_needed(INTRADAY, "taker") == pytest.approx(2 * (0.00045 + 0.0001 + impact) / (0.8 * 0.04))
    assert slope_needed(SCALPING, "maker") == pytest.approx(2 * 0.00025 / (0.8 * 0.04 * math.sqrt(1 / 6)))


def test_a_table_is_put_in_its_place(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- rates -->\nold\n<!-- end of rates -->\nb\n", encoding="utf-8")
    put(page, "rates", "new\n")
    assert page.read_text(encoding="utf-8") == "a\n<!-- rates -->\nnew\n<!-- end of rates -->\nb\n"
    with pytest.raises(DataError, match="no place for priors"):
        put(page, "priors", "new\n")


def test_the_page_says_what_the_simulation_says_of_swing() -> None:
    assert_published(cost_gate.table(list(cost_gate.rates(horizons=[SWING]))))


@pytest.mark.soak
def test_the_page_says_what_the_simulation_says() -> None:
    assert_published(cost_gate.table(list(cost_gate.rates())))


def assert_published(table: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for line in table.splitlines():
        assert line in page
