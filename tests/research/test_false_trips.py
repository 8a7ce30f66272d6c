"""How often a ladder trips by chance: against theory, and the page's figures against a smaller run."""

from pathlib import Path

import numpy as np
import pytest

from podshop.research.false_trips import CASES, DAYS, FIXED, UNITS, bad_days, fortunes, trips

YEARS = 2000
PAGE = Path(__file__).parents[2] / "docs" / "risk.md"


def test_fortunes_have_the_moments_asked_for_and_the_drawdown_of_theory() -> None:
    """Without drift a year's worst drawdown is 1.2533 volatilities on average; looking once a day misses a little."""
    growth = fortunes(1.0, 0.1, YEARS, 3)
    daily = np.diff(np.log(growth), axis=0)
    assert daily.mean() * DAYS == pytest.approx(0.1 - 0.005, abs=0.008)
    assert daily.std() * np.sqrt(DAYS) == pytest.approx(0.1, rel=0.03)
    flat = fortunes(0.0, 0.02, YEARS, 4)
    deepest = (1 - flat / np.maximum.accumulate(np.maximum(flat, 1.0), axis=0)).max(axis=0)
    assert 1.15 < deepest.mean() / 0.02 < 1.2533


def test_the_figures_of_the_page_are_those_of_a_smaller_run() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(("| units", "| 5, 7.5"))]
    found = {}
    for row in rows:
        name, volatility, sharpe, *shares = (cell.strip() for cell in row.strip("|").split("|"))
        found[name, int(volatility[:-2]), float(sharpe)] = [float(share[:-2]) / 100 for share in shares]
    assert len(found) == 3 * len(CASES)
    for name, ladder, volatility in CASES:
        for sharpe in (0.0, 2.0):
            again = trips(ladder, sharpe, volatility, YEARS, 7)
            for printed, share in zip(found[name, round(100 * volatility), sharpe], again, strict=True):
                assert share == pytest.approx(printed, abs=0.005 + 4 * np.sqrt(printed * (1 - printed) / YEARS))


def test_plain_percentages_stop_almost_everybody_who_takes_risk() -> None:
    """At 20 % volatility and a true Sharpe ratio of 1, 7.5 % halves nearly everybody, three quarters of a unit half."""
    fixed, units = trips(FIXED, 1.0, 0.2, YEARS, 8), trips(UNITS, 1.0, 0.2, YEARS, 8)
    assert fixed.halved > 0.95
    assert units.halved < 0.55
    assert units.out < 0.12
    assert [trips(UNITS, sharpe, 0.2, YEARS, 8).out for sharpe in (0.0, 1.0, 2.0)] == sorted(
        (trips(UNITS, sharpe, 0.2, YEARS, 8).out for sharpe in (0.0, 1.0, 2.0)), reverse=True
    )


def test_a_unit_means_much_the_same_for_quiet_and_for_wild_agents() -> None:
    """Not quite: a loss of half is more than twice a loss of a quarter, so wild agents get there less often."""
    units = [trips(UNITS, 1.0, volatility, YEARS, 9).out for volatility in (0.05, 0.4)]
    fixed = [trips(FIXED, 1.0, volatility, YEARS, 9).out for volatility in (0.05, 0.4)]
    assert units[0] < 4 * units[1]
    assert fixed[1] > 50 * fixed[0]


def test_a_day_beyond_the_funds_limit_is_rare() -> None:
    assert 0.0 < bad_days(UNITS, 1.0, YEARS, 10) < 0.12
