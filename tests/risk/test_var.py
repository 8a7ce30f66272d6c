"""VaR and ES against numbers known by hand or from print, and against what must hold for any portfolio."""

import math
from itertools import pairwise, product
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.risk import var
from podshop.risk.var import Tail, bend, cornish_fisher, historical, in_domain, parametric, shrunk, student_t

LEVELS = (0.95, 0.975, 0.99)
seeds = st.integers(0, 2**32 - 1)


def some(seed: int, days: int = 600, markets: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Weights of both signs and fat-tailed days that move together."""
    rng = np.random.default_rng(seed)
    days_of = 0.02 * rng.standard_t(4, size=(days, markets)) + 0.01 * rng.standard_t(4, size=(days, 1))
    return rng.normal(0, 0.05, markets), days_of


def three(weights: np.ndarray, days: np.ndarray, level: float) -> list[Tail | None]:
    covariance = shrunk(days, np.full(len(days), 1 / len(days))).covariance
    moments = var.shape(days @ weights)
    return [
        parametric(weights, covariance, level),
        historical(weights, np.expm1(days), level),
        cornish_fisher(var.deviation(weights, covariance), *moments, level),
    ]


def test_parametric_by_hand() -> None:
    """3 % and 4 % uncorrelated make 5 %; z and mean beyond z of the normal: 1.6449 and 2.0627, 2.3263 and 2.6652."""
    covariance = np.diag([0.03**2, 0.04**2])
    assert parametric(np.ones(2), covariance, 0.95) == pytest.approx((0.05 * 1.644854, 0.05 * 2.062713), rel=1e-6)
    assert parametric(-np.ones(2), covariance, 0.99) == pytest.approx((0.05 * 2.326348, 0.05 * 2.665214), rel=1e-6)


def test_historical_counts_the_worst_days() -> None:
    """Of 500 days the fifth worst is the VaR at 99 %, as Hull counts, and the mean of the five worst the ES."""
    losses = np.random.default_rng(1).permutation(np.arange(1.0, 501.0)) / 1000
    assert historical(np.array([1.0]), -losses[:, None], 0.99) == pytest.approx((0.496, 0.498))
    assert historical(np.array([-2.0]), losses[:, None], 0.99) == pytest.approx((0.992, 0.996))
    part = historical(np.array([1.0]), -losses[:, None], 0.9975)  # 1.25 days: too few
    assert part is None
    mixed = historical(np.array([1.0]), -losses[:, None], 0.9945)  # 2.75 days: two, and three quarters of the third
    assert mixed == pytest.approx((0.498, (0.500 + 0.499 + 0.75 * 0.498) / 2.75))


def test_too_few_days_have_no_quantile() -> None:
    days = np.random.default_rng(2).normal(size=(250, 1))
    assert historical(np.ones(1), days, 0.99) is not None
    assert historical(np.ones(1), days[1:], 0.99) is None
    assert historical(np.ones(1), days[1:], 0.95) is not None


def test_the_expansion_without_skewness_and_kurtosis_is_the_normal() -> None:
    for level in LEVELS:
        normal = parametric(np.ones(1), np.eye(1), level)
        assert cornish_fisher(1.0, 0.0, 0.0, level) == pytest.approx(normal, rel=1e-9)


@pytest.mark.parametrize(("s", "k"), [(0.3, 1.0), (-0.5, 2.0), (1.0, 4.0), (0.0, 8.0)])
def test_moments_of_the_expansion_are_the_published_polynomials(s: float, k: float) -> None:
    """Maillard (2012): what comes out of parameters s and k is not s and k."""
    second = 1 + k**2 / 96 + 25 * s**4 / 1296 - k * s**2 / 36
    third = s - 76 * s**3 / 216 + 85 * s**5 / 1296 + k * s / 4 - 13 * k * s**3 / 144 + k**2 * s / 32
    found = var._moments(s, k)
    assert found[0] == pytest.approx(second, rel=1e-12)
    assert found[1] == pytest.approx(third / second**1.5, rel=1e-9, abs=1e-12)


def test_the_domain_is_maillards() -> None:
    """Without skewness k is 0 to 8, an excess kurtosis up to 43.2; s goes to 6 (sqrt 2 - 1)."""
    widest = 6 * (math.sqrt(2) - 1)
    inside = [s for s in np.arange(0, 3, 0.005) if any(in_domain(s, k) for k in np.arange(0, 16, 0.02))]
    assert max(inside) == pytest.approx(widest, abs=0.01)
    assert bend(0.0, 43.19) == pytest.approx((0.0, 8.0), abs=0.01)
    assert bend(0.0, 43.3) is None
    assert bend(0.0, -0.1) is None
    assert bend(3.0, 5.0) is None
    assert cornish_fisher(0.01, 3.0, 5.0, 0.99) is None


@pytest.mark.parametrize(("skewness", "kurtosis"), [(-0.5, 2.0), (0.7, 6.0), (-1.0, 12.0), (0.0, 30.0)])
def test_the_bent_normal_has_the_asked_moments_and_tail(skewness: float, kurtosis: float) -> None:
    """A million even steps of the normal, bent: skewness, kurtosis, VaR and ES are those of the formula."""
    found = bend(skewness, kurtosis)
    assert found is not None
    even = np.random.default_rng(0).normal(size=1_000_000)
    s, k = found
    bent = even + s * (even**2 - 1) / 6 + k * (even**3 - 3 * even) / 24 - s**2 * (2 * even**3 - 5 * even) / 36
    assert np.argsort(bent[:1000]).tolist() == np.argsort(even[:1000]).tolist()
    assert (var._moments(s, k)[1:]) == pytest.approx((skewness, kurtosis), abs=1e-9)
    returns = -bent / bent.std()
    for level in LEVELS:
        tail = cornish_fisher(1.0, -skewness, kurtosis, level)
        beyond = np.quantile(-returns, level)
        assert tail == pytest.approx((beyond, -returns[-returns > beyond].mean()), rel=0.02)


@given(seeds, st.floats(0.01, 20))
def test_losses_grow_with_level_and_scale_and_fall_with_neither(seed: int, scale: float) -> None:
    weights, days = some(seed)
    by_level = [three(weights, days, level) for level in LEVELS]
    assert by_level[0][1] is not None
    for method in range(3):
        tails = [tail for found in by_level if (tail := found[method]) is not None]
        assert all(0 < tail.var < tail.es for tail in tails)
        assert all(a.var < b.var and a.es < b.es for a, b in pairwise(tails))
    for tail, larger in zip(by_level[2], three(scale * weights, days, LEVELS[2]), strict=True):
        assert (tail is None) == (larger is None)
        assert tail is None or larger == pytest.approx((scale * tail.var, scale * tail.es), rel=1e-6)


@given(seeds)
def test_components_sum_to_the_var_for_markets_and_for_books(seed: int) -> None:
    rng = np.random.default_rng(seed)
    books, days = rng.normal(0, 0.02, (3, 4)), some(seed)[1]
    covariance = days.T @ days / len(days)
    weights = books.sum(axis=0)
    marginal = var.marginal_var(weights, covariance, NormalDist().inv_cdf(0.99))
    whole = parametric(weights, covariance, 0.99).var
    assert (weights * marginal).sum() == pytest.approx(whole)
    assert (books * marginal).sum() == pytest.approx(whole)
    for m in range(4):  # a marginal is a slope
        moved = weights + 1e-7 * (np.arange(4) == m)
        assert (parametric(moved, covariance, 0.99).var - whole) / 1e-7 == pytest.approx(marginal[m], abs=1e-4)


@pytest.mark.parametrize(
    ("nu", "quantiles"), [(5, (2.015, 3.365)), (6, (1.943, 3.143)), (10, (1.812, 2.764)), (30, (1.697, 2.457))]
)
def test_the_student_t_is_that_of_the_tables(nu: int, quantiles: tuple[float, float]) -> None:
    """Upper 5 % and 1 % points as every table prints them; the mean beyond, summed over a fine grid of the tail."""
    kurtosis = 6 / (nu - 4)
    wide = math.sqrt(nu / (nu - 2))
    for level, quantile in zip((0.95, 0.99), quantiles, strict=True):
        tail = student_t(wide, kurtosis, level)
        assert tail.var == pytest.approx(quantile, abs=6e-4)
        t = np.linspace(tail.var, 500, 2_000_001)[1::2]
        density = (1 + t * t / nu) ** (-(nu + 1) / 2)
        assert tail.es == pytest.approx((t * density).sum() / density.sum(), rel=1e-3)


def test_a_student_t_without_kurtosis_is_the_normal() -> None:
    for level in LEVELS:
        normal = parametric(np.ones(1), np.eye(1), level)
        assert student_t(1.0, 0.0, level) == student_t(1.0, -1.0, level) == pytest.approx(normal)
        assert student_t(1.0, 0.002, level) == pytest.approx(normal, rel=2e-3)
        assert student_t(2.0, 50.0, level).var == pytest.approx(2 * student_t(1.0, 50.0, level).var)
    assert student_t(1.0, 1e9, 0.99).var < 4  # four degrees of freedom at the least


def test_a_hedge_takes_risk_away() -> None:
    marginal = var.marginal_var(np.array([0.1, -0.05]), np.array([[1.0, 0.9], [0.9, 1.0]]), 1.645)
    assert 0.1 * marginal[0] > 0 > -0.05 * marginal[1]
    assert var.marginal_var(np.zeros(2), np.eye(2), 1.645).tolist() == [0.0, 0.0]


def papers_own(x: np.ndarray, target: str) -> tuple[np.ndarray, float]:
    """Ledoit & Wolf's estimators from their formulas, one term at a time."""
    days, markets = x.shape
    s = np.array([[sum(x[t, i] * x[t, j] for t in range(days)) / days for j in range(markets)] for i in range(markets)])
    each = list(product(range(markets), repeat=2))
    if target == "identity":
        mean = sum(s[i, i] for i in range(markets)) / markets
        aim = mean * np.eye(markets)
        d2 = sum((s[i, j] - aim[i, j]) ** 2 for i, j in each)
        b2 = sum((x[t, i] * x[t, j] - s[i, j]) ** 2 for t in range(days) for i, j in each) / days**2
        return aim, min(b2, d2) / d2
    r = [s[i, j] / math.sqrt(s[i, i] * s[j, j]) for i, j in each if i != j]
    mean = sum(r) / len(r)
    aim = np.array([[s[i, i] if i == j else mean * math.sqrt(s[i, i] * s[j, j]) for j in range(markets)]
                    for i in range(markets)])  # fmt: skip

    def theta(k: int, i: int, j: int) -> float:
        terms = ((x[t, k] ** 2 - s[k, k]) * (x[t, i] * x[t, j] - s[i, j]) for t in range(days))
        return sum(terms) / days

    pi = {(i, j): sum((x[t, i] * x[t, j] - s[i, j]) ** 2 for t in range(days)) / days for i, j in each}
    rho = sum(pi[i, i] for i in range(markets)) + sum(
        mean / 2 * (math.sqrt(s[j, j] / s[i, i]) * theta(i, i, j) + math.sqrt(s[i, i] / s[j, j]) * theta(j, i, j))
        for i, j in each
        if i != j
    )
    gamma = sum((aim[i, j] - s[i, j]) ** 2 for i, j in each)
    return aim, max(0.0, min(1.0, (sum(pi.values()) - rho) / gamma / days))


@pytest.mark.parametrize("target", ["constant correlation", "identity"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shrinkage_is_that_of_the_papers(target: var.Target, seed: int) -> None:
    x = some(seed, 30, 4)[1] * [1.0, 2.0, 0.5, 3.0]
    x = x - x.mean(axis=0)
    aim, intensity = papers_own(x, target)
    found = shrunk(x, np.full(30, 1 / 30), target)
    assert 0 < found.intensity == pytest.approx(intensity)
    assert found.covariance == pytest.approx(intensity * aim + (1 - intensity) * x.T @ x / 30)


def test_shrinkage_by_hand() -> None:
    """Days of (+-2, 0) and (0, +-1), four each: S = diag(2, 1/2), d^2 = 9/8, b^2 = 8 x 17/4 / 64: 17/36 to 5/4 I."""
    days = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]] * 2)
    found = shrunk(days, np.full(8, 1 / 8), "identity")
    assert found.intensity == pytest.approx(17 / 36)
    assert found.covariance == pytest.approx(np.diag([2 - 0.75 * 17 / 36, 0.5 + 0.75 * 17 / 36]))


@pytest.mark.parametrize("target", ["constant correlation", "identity"])
def test_the_shrunk_is_nearer_the_truth_than_the_sample(target: var.Target) -> None:
    """Thirty markets of correlation 0.4 seen for sixty days, a hundred times; with EWMA weights as well."""
    truth = 0.4 + 0.6 * np.eye(30)
    root, rng = np.linalg.cholesky(truth), np.random.default_rng(6)
    for weight in (np.full(60, 1 / 60), var.ewma_weights(60, 15)):
        samples, pulled = [], []
        for _ in range(100):
            days = rng.normal(size=(60, 30)) @ root.T
            found = shrunk(days, weight, target)
            assert 0 < found.intensity <= 1
            assert np.linalg.eigvalsh(found.covariance).min() > 0
            samples.append(np.square(days.T @ (weight[:, None] * days) - truth).sum())
            pulled.append(np.square(found.covariance - truth).sum())
        assert np.mean(pulled) < (0.96 if target == "identity" else 0.8) * np.mean(samples)


def test_with_enough_days_nothing_is_shrunk() -> None:
    mixed = np.random.default_rng(7).normal(size=(200_000, 3)) @ np.array([[1, 0, 0], [0.9, 1, 0], [0, 0.1, 1]])
    weight = np.full(200_000, 1 / 200_000)
    assert all(shrunk(mixed, weight, target).intensity < 0.001 for target in ("constant correlation", "identity"))
    assert shrunk(mixed[:, :1], weight).intensity == 0.0  # one market is its own target
    still = shrunk(np.array([[0.0, 1.0], [0.0, -1.0]] * 3), np.full(6, 1 / 6))
    assert still.covariance == pytest.approx(np.diag([0.0, 1.0]))


def test_weights_halve_with_age() -> None:
    weight = var.ewma_weights(21, 10)
    assert weight.sum() == pytest.approx(1)
    assert (weight[10] / weight[20], weight[0] / weight[20]) == pytest.approx((0.5, 0.25))


def test_shape_of_a_coin_and_of_nothing() -> None:
    assert var.shape(np.array([1.0, -1.0])) == (0.0, -2.0)
    assert var.shape(np.array([0.0, 0.0, 0.0, 4.0])) == pytest.approx((2 / math.sqrt(3), 7 / 3 - 3))
    assert var.shape(np.zeros(5)) == (0.0, 0.0)
