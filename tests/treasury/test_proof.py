"""What a record proves: published numbers, scipy's moments, and each allowance with a record that needs it."""

import math

import numpy as np
import pytest

from podshop.treasury.proof import best_of, days_needed, hurdle, proof, score, weigh, weighed


def days(n: int = 400, seed: int = 0, mean: float = 0.05) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=n)
    return 0.01 * (noise + mean)


def test_the_probabilistic_ratio_of_the_published_example() -> None:
    """Bailey & Lopez de Prado (2014), p. 104: 1,250 days at 2.5 a year, 100 trials of variance 1/2 a year, skewness -3,
    kurtosis 10: the best of a hundred is expected at 0.1132 a day, and DSR is 0.9004."""
    ratio, n, variance = 2.5 / math.sqrt(250), 1250, 0.5 / 250
    assert math.sqrt(variance) * best_of(100) == pytest.approx(0.1132, abs=5e-5)
    spread = math.sqrt(1 + 3 * ratio + (10 - 1) / 4 * ratio**2)
    z = score(ratio - math.sqrt(variance) * best_of(100), spread, n)
    assert 0.5 * (1 + math.erf(z / math.sqrt(2))) == pytest.approx(0.9004, abs=5e-5)


def test_the_best_of_many_worthless_ones_is_what_chance_gives() -> None:
    drawn = np.random.default_rng(3).normal(size=(20_000, 20)).max(axis=1)
    assert best_of(20) == pytest.approx(drawn.mean(), abs=0.05)
    assert best_of(1) == 0.0


def test_moments_are_numpys() -> None:
    for seed in range(5):
        daily = np.random.default_rng(seed).standard_t(4, 300) * 0.01 + 0.001
        away = daily - daily.mean()
        sharpe = daily.mean() / daily.std(ddof=1)
        skewness, kurtosis = (away**3).mean() / daily.std() ** 3, (away**4).mean() / daily.std() ** 4
        lags = 6  # 6^3 <= 300 < 7^3
        rho = [(away[k:] * away[:-k]).sum() / (away**2).sum() for k in range(1, lags + 1)]
        clumping = max(1.0, 1 + 2 * sum((1 - k / (lags + 1)) * r for k, r in enumerate(rho, 1)))
        spread = math.sqrt(clumping - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2)
        expected = (sharpe, spread, daily.std(ddof=1) * math.sqrt(clumping))
        assert weigh(daily) == pytest.approx(expected, rel=1e-12)
        assert weigh.py_func(daily) == weigh(daily)


def test_days_that_hang_together_prove_less() -> None:
    """The mean of AR(1) days is as uncertain as theory says; taken as independent, noise passes far too often."""
    chance, count, n, hangs = np.random.default_rng(1), 2000, 365, 0.4
    luck = chance.normal(size=(count, n + 50))
    for day in range(1, n + 50):
        luck[:, day] += hangs * luck[:, day - 1]
    found = [weigh(row[50:]) for row in luck]
    honest = np.mean([score(s, spread, n) > 1.645 for s, spread, _ in found])
    naive = np.mean([s * math.sqrt(n - 1) > 1.645 for s, _, _ in found])
    assert honest < 0.09
    assert naive > 0.12


def test_losing_tails_prove_less() -> None:
    """The same mean and deviation, with rare great losses instead of rare great gains."""
    gains = np.where(np.arange(400) % 40 == 7, 0.10, -0.001)
    losses = gains.mean() - (gains - gains.mean())
    up, down = proof(gains, 1), proof(losses, 1)
    assert up.sharpe == pytest.approx(down.sharpe)
    assert up.z is not None
    assert down.z is not None
    assert up.z > 1.2 * down.z


def test_too_few_days_or_none_that_vary_prove_nothing() -> None:
    assert proof(days(29), 1)[1:] == (None,) * 5
    assert proof(np.full(100, 0.01), 1)[1:] == (None,) * 5
    assert weigh(np.zeros(0)) == weigh(np.zeros(1)) == (0.0, 0.0, 0.0)
    assert proof(days(30), 1).psr is not None


def test_more_trials_take_more_and_the_minimum_record_is_where_it_passes() -> None:
    daily = days(400, mean=0.15)
    alone, many = proof(daily, 1), proof(daily, 100)
    assert alone.psr == many.psr == alone.dsr
    assert many.dsr < 0.9 * alone.dsr
    asked = hurdle(20, 0.95, 0.95)
    record = weighed(daily)
    needed = days_needed(record, asked)
    assert score(record.sharpe, record.spread, needed) >= asked > score(record.sharpe, record.spread, needed - 2)
    assert days_needed(weighed(-daily), asked) is None
