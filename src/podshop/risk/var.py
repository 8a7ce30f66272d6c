"""What a portfolio may lose in a day: value at risk and expected shortfall by three methods, and whose risk it is.

All losses are fractions of NAV, mean returns are taken as zero: over a day they are small beside what is unknown.

Sources: RiskMetrics Technical Document (1996) for the normal; Maillard (2012), "A user's guide to the Cornish Fisher
expansion"; Acerbi & Tasche (2002), "On the coherence of expected shortfall", Journal of Banking & Finance 26(7),
1487-1503; McNeil, Frey & Embrechts (2005), "Quantitative risk management", section 2.2, for the Student t; Ledoit &
Wolf (2004a), "Honey, I shrunk the sample covariance matrix", Journal of Portfolio Management 30(4), 110-119, and
(2004b), "A well-conditioned estimator for large-dimensional covariance matrices", Journal of Multivariate Analysis
88(2), 365-411.
"""

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np

from podshop.maths.compiled import lean
from podshop.nouns import Panel

FEWEST_IN_TAIL = 2.5  # days beyond the VaR that a history must promise: 250 days at 99 %, as Basel counts
STEPS, ROUNDS = 20, 20  # from the normal to the wanted skewness and kurtosis, and Newton's rounds at each step
NEAR = 1e-10

Target = Literal["constant correlation", "identity"]


class Tail(NamedTuple):
    """Loss that a day exceeds with probability 1 - level, and the mean loss of the days that do; fractions of NAV."""

    var: float
    es: float


class Shrunk(NamedTuple):
    """(M, M) covariance, and how much of it is the target: 0 = the sample alone, 1 = the target alone."""

    covariance: Panel
    intensity: float


def parametric(weights: Panel, covariance: Panel, level: float) -> Tail:
    """VaR and ES of normal returns.

    weights     (M,) positions as fractions of NAV, short < 0
    covariance  (M, M) of daily returns
    level       in (0.5, 1)
    """
    sigma = deviation(weights, covariance)
    z = NormalDist().inv_cdf(level)
    return Tail(sigma * z, sigma * NormalDist().pdf(z) / (1 - level))


def historical(weights: Panel, scenarios: Panel, level: float) -> Tail | None:
    """VaR and ES of today's positions over days as they were; None where these are too few for the level.

    scenarios  (S, M) simple daily returns; complete
    With k = S (1 - level), VaR is the ceil(k)-th worst loss, ES the mean of the k worst, the last of them in part.
    """
    worst = np.sort(-(scenarios @ weights))[::-1]
    k = round(len(worst) * (1 - level), 9)
    if k < FEWEST_IN_TAIL:
        return None
    whole = math.floor(k)
    rest = (k - whole) * worst[whole] if k > whole else 0.0
    return Tail(float(worst[math.ceil(k) - 1]), float((worst[:whole].sum() + rest) / k))


def cornish_fisher(sigma: float, skewness: float, kurtosis: float, level: float) -> Tail | None:
    """VaR and ES of a normal bent to a skewness and a kurtosis; None where no such bend keeps the order of losses.

    sigma               of daily returns, fraction of NAV
    skewness, kurtosis  of returns; kurtosis in excess of the normal's 3
    The expansion's two parameters are not the skewness and kurtosis that come out of it: they are solved for
    (Maillard 2012), and must lie where a larger normal gives a larger loss.
    """
    found = bend(-skewness, kurtosis)
    if found is None:
        return None
    a = _polynomial(*found)
    z, tail = NormalDist().inv_cdf(level), 1 - level
    density = NormalDist().pdf(z)
    beyond = (tail, density, tail + z * density, (z * z + 2) * density)  # integrals of z^0 ... z^3 from z on
    unit = sigma / math.sqrt(_moments(*found)[0])
    var = unit * sum(each * z**power for power, each in enumerate(a))
    return Tail(var, unit * sum(each * part for each, part in zip(a, beyond, strict=True)) / tail)


def student_t(sigma: float, kurtosis: float, level: float) -> Tail:
    """VaR and ES of a Student t with this standard deviation and excess kurtosis: 4 + 6 / kurtosis degrees of freedom.

    A kurtosis of 0 or less is the normal. The chance beyond sqrt(nu) tan(a) is an integral of cos^(nu - 1) from a to a
    right angle, smooth enough for Gauss and Legendre; the VaR is found by halving.
    """
    if not kurtosis > 1e-3:
        return parametric(np.array([sigma]), np.eye(1), level)
    nu = 4 + 6 / kurtosis
    unit = math.exp(math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2)) / math.sqrt(math.pi)

    def beyond(angle: float) -> float:
        half = (math.pi / 2 - angle) / 2
        return unit * half * float(_LEGENDRE_WEIGHTS @ np.cos(angle + half * (1 + _LEGENDRE)) ** (nu - 1))

    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle) > 1 - level else (low, middle)
    at = math.sqrt(nu) * math.tan(low)
    density = unit / math.sqrt(nu) * (1 + at * at / nu) ** (-(nu + 1) / 2)
    scale = sigma * math.sqrt((nu - 2) / nu)
    return Tail(scale * at, scale * density * (nu + at * at) / ((nu - 1) * (1 - level)))


def shrunk(returns: Panel, weight: Panel, target: Target = "constant correlation") -> Shrunk:
    """Pull a weighted sample covariance toward a simpler one, as far as the sample's own noise says.

    returns  (T, M) complete; their mean is taken as zero: subtract it first for the papers' own estimator
    weight   (T,) of the rows, sums to 1; equal weights are the papers' case, for others the variance of an entry is
             that of a weighted mean of independent terms, sum weight^2 (x_i x_j - s_ij)^2
    """
    x, w2 = returns, (weight**2)[:, None]
    sample = x.T @ (weight[:, None] * x)
    products = x.T @ (w2 * x)
    noise = (x**2).T @ (w2 * x**2) - 2 * sample * products + sample**2 * w2.sum()  # pi / T of the papers
    if target == "identity":
        aim, shared = np.eye(len(sample)) * np.trace(sample) / len(sample), 0.0
    else:
        aim, shared = _constant_correlation(x, w2, sample, products, noise)
    distance = float(np.square(aim - sample).sum())
    excess = float(noise.sum()) - shared
    # where the sample is the target but for rounding, either will do
    intensity = min(max(excess / distance, 0.0), 1.0) if distance > 1e-24 * float(np.square(sample).sum()) else 0.0
    return Shrunk(intensity * aim + (1 - intensity) * sample, intensity)


def ewma_weights(rows: int, half_life: float) -> Panel:
    """(rows,) weights of rows from the oldest to the newest, sum 1."""
    weight: Panel = 0.5 ** (np.arange(rows)[::-1] / half_life)
    return np.asarray(weight / weight.sum())


def marginal_var(weights: Panel, covariance: Panel, tail: float) -> Panel:
    """(M,) change of tail x sigma for each unit of NAV more in a market; 0 where the portfolio has no risk.

    tail  VaR / sigma

    The VaR is homogeneous: by Euler's theorem weights x marginals sum to it, for each book's own weights too, so that
    what a market or a book contributes is its weights x these.
    """
    sigma = deviation(weights, covariance)
    if sigma == 0:
        return np.zeros(len(weights))
    return np.asarray(tail / sigma * (covariance @ weights))


def deviation(weights: Panel, covariance: Panel) -> float:
    """Standard deviation of the portfolio's day, fraction of NAV."""
    return math.sqrt(max(float(weights @ covariance @ weights), 0.0))


def shape(pnl: Panel) -> tuple[float, float]:
    """Skewness and excess kurtosis of days; (0, 0) where nothing moved."""
    around = pnl - pnl.mean()
    sigma = float(np.sqrt(np.square(around).mean()))
    if not sigma > 0:
        return 0.0, 0.0
    square = around * around
    return float((square * around).mean()) / sigma**3, float((square * square).mean()) / sigma**4 - 3


@lru_cache(maxsize=64)
def bend(skewness: float, kurtosis: float) -> tuple[float, float] | None:
    """Parameters (s, k) of the expansion that give this skewness and excess kurtosis; None where it cannot."""
    found, s, k = _solved(skewness, kurtosis)
    return (s, k) if found else None


@lean
def _solved(skewness: float, kurtosis: float) -> tuple[bool, float, float]:
    """Newton's method along the straight way from the normal, by finite differences; whether it arrived, and where."""
    s = 0.0
    k = 0.0
    for step in range(1, STEPS + 1):
        third_goal, fourth_goal = skewness * step / STEPS, kurtosis * step / STEPS
        arrived = False
        for _ in range(ROUNDS):
            _, third, fourth = _moments(s, k)
            third_off, fourth_off = third - third_goal, fourth - fourth_goal
            if max(abs(third_off), abs(fourth_off)) < NEAR:
                arrived = True
                break
            _, third_s, fourth_s = _moments(s + 1e-7, k)
            _, third_k, fourth_k = _moments(s, k + 1e-7)
            a, b = (third_s - third) / 1e-7, (fourth_s - fourth) / 1e-7
            c, d = (third_k - third) / 1e-7, (fourth_k - fourth) / 1e-7
            determinant = a * d - b * c
            if abs(determinant) < NEAR:
                return False, s, k
            s -= (third_off * d - fourth_off * c) / determinant
            k -= (fourth_off * a - third_off * b) / determinant
        if not arrived or not in_domain(s, k):
            return False, s, k
    return True, s, k


@lean
def in_domain(s: float, k: float) -> bool:
    """Whether the bent normal still rises everywhere: Maillard's condition on the two parameters.

    >>> in_domain(0.0, 8.0), in_domain(0.0, 8.1), in_domain(0.0, -0.1), in_domain(1.0, 1.0), in_domain(1.0, 2.0)
    (True, False, False, False, True)
    """
    curved, level = k / 8 - s**2 / 6, 1 - k / 8 + 5 * s**2 / 36
    return bool(s**2 / 9 <= 4 * curved * level + NEAR and curved >= -NEAR)


def _constant_correlation(x: Panel, w2: Panel, sample: Panel, products: Panel, noise: Panel) -> tuple[Panel, float]:
    """The target whose correlations are all their mean, and what its noise shares with the sample's (rho / T)."""
    markets = len(sample)
    variance = np.diag(sample)
    root = np.sqrt(variance)
    scale = np.outer(root, root)
    correlation = np.divide(sample, scale, out=np.zeros_like(sample), where=scale > 0)
    pairs = markets * (markets - 1)
    mean = (correlation.sum() - np.trace(correlation)) / pairs if pairs else 0.0
    aim = mean * scale
    np.fill_diagonal(aim, variance)
    # theta_ii,ij = sum weight^2 (x_i^2 - s_ii)(x_i x_j - s_ij)
    theta = (x * x * x).T @ (w2 * x) - sample * np.diag(products)[:, None] - variance[:, None] * products
    theta += variance[:, None] * sample * w2.sum()
    ratio = np.divide(root[None, :], root[:, None], out=np.zeros_like(sample), where=root[:, None] > 0)
    np.fill_diagonal(ratio, 0.0)
    return aim, float(np.trace(noise) + mean * (ratio * theta).sum())


@lean
def _polynomial(s: float, k: float) -> tuple[float, float, float, float]:
    """Coefficients of z^0 ... z^3 of the expansion."""
    return -s / 6, 1 - k / 8 + 5 * s**2 / 36, s / 6, k / 24 - s**2 / 18


# Seven points are exact for a polynomial of degree 13; the fourth power of the expansion has 12.
_POINTS, _POINT_WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
_LEGENDRE, _LEGENDRE_WEIGHTS = np.polynomial.legendre.leggauss(64)


@lean
def _moments(s: float, k: float) -> tuple[float, float, float]:
    """Variance, skewness and excess kurtosis of the bent normal, whose mean is 0."""
    a, b, c, d = _polynomial(s, k)
    second = 0.0
    third = 0.0
    fourth = 0.0
    for i in range(_POINTS.shape[0]):
        z = _POINTS[i]
        value = a + z * (b + z * (c + z * d))
        square = value * value * _POINT_WEIGHTS[i] / math.sqrt(2 * math.pi)
        second += square
        third += square * value
        fourth += square * value * value
    return second, third / second**1.5, fourth / second**2 - 3
