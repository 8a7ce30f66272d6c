"""What a track record proves: is this Sharpe ratio more than luck, and more than the best luck of so many tried?

With s the Sharpe ratio of a day, n the days, g3 and g4 skewness and kurtosis, and v how much longer the mean takes to
settle because days hang together,

    z = s sqrt(n - 1) / c,    c^2 = v - g3 s + (g4 - 1) / 4 s^2

is about normal around its true value. PSR = Phi(z) is the probability that the true ratio is above 0. The best of N
worthless trials is expected at z* = (1 - g) Phi^-1(1 - 1/N) + g Phi^-1(1 - 1/(N e)), g = 0.5772, so DSR = Phi(z - z*).

Sources: Bailey & Lopez de Prado (2012), "The Sharpe ratio efficient frontier", Journal of Risk 15(2), 3-44 (PSR and the
minimum track record); the same (2014), "The deflated Sharpe ratio", Journal of Portfolio Management 40(5), 94-107 (z*,
here in units of the record's own error, which is the spread of trials that are all worthless); Lo (2002), "The
statistics of Sharpe ratios", Financial Analysts Journal 58(4), 36-52 (days that hang together), with the weights of
Newey & West (1987), Econometrica 55(3), 703-708. v is never taken below 1: losing today what was won yesterday may be
an artefact of marks, and would make a record look surer.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

from podshop.maths.compiled import lean
from podshop.nouns import Panel

DAYS_A_YEAR = 365
FEWEST_DAYS = 30  # below it nothing is said
EULER = 0.5772156649015329
_NORMAL = NormalDist()


class Weighed(NamedTuple):
    """Of a record of daily returns; all 0 where nothing varies.

    sharpe  of a day
    spread  c above: what one day says of it is +- so much
    noise   standard deviation of a day, as it counts in a long sum: deviation x sqrt(v)
    """

    sharpe: float
    spread: float
    noise: float


class Proof(NamedTuple):
    """A record beside the trials behind it.

    days        of evidence
    sharpe      annual, net of whatever the returns are net of
    error       standard error of that; tails, skewness and autocorrelation counted
    z           as above; None, as the others, under 30 days or where nothing varies
    psr, dsr    probabilities, 0..1
    """

    days: int
    sharpe: float | None
    error: float | None
    z: float | None
    psr: float | None
    dsr: float | None


def proof(daily_return: Panel, trials: float) -> Proof:
    """Weigh one record, (n,) daily returns, of which `trials` were tried."""
    n = len(daily_return)
    sharpe, spread, _ = weigh(daily_return)
    if n < FEWEST_DAYS or not spread > 0.0:
        return Proof(n, None, None, None, None, None)
    z, year = score(sharpe, spread, n), math.sqrt(DAYS_A_YEAR)
    psr, dsr = _NORMAL.cdf(z), _NORMAL.cdf(z - best_of(trials))
    return Proof(n, sharpe * year, spread / math.sqrt(n - 1) * year, z, psr, dsr)


def best_of(trials: float) -> float:
    """z that the best of so many worthless trials is expected to show; 0 of one.

    >>> round(best_of(1), 2), round(best_of(20), 2), round(best_of(1000), 2)
    (0.0, 1.9, 3.26)
    """
    if trials <= 1.0:
        return 0.0
    ends = _NORMAL.inv_cdf(1.0 - 1.0 / trials), _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return (1.0 - EULER) * ends[0] + EULER * ends[1]


def hurdle(trials: float, psr: float, dsr: float) -> float:
    """z from which a record has at least this PSR and this DSR.

    >>> round(hurdle(1, 0.95, 0.5), 2), round(hurdle(20, 0.95, 0.5), 2), round(hurdle(20, 0.95, 0.95), 2)
    (1.64, 1.9, 3.55)
    """
    return max(_NORMAL.inv_cdf(psr), best_of(trials) + _NORMAL.inv_cdf(dsr))


def days_needed(weighed: Weighed, z: float) -> int | None:
    """Length of the record that would reach z if it went on as it is; None where it never would.

    The minimum track record length, with z in place of Phi^-1(1 - alpha): deflated where z is.

    >>> days_needed(Weighed(0.05, 1.0, 0.01), 1.6448536269514722)
    1084
    """
    if not weighed.sharpe > 0.0 or not weighed.spread > 0.0:
        return None
    return math.ceil(1.0 + (weighed.spread * z / weighed.sharpe) ** 2)


def weighed(daily_return: Panel) -> Weighed:
    """Sharpe ratio of (n,) daily returns, and how much of it is noise."""
    return Weighed(*weigh(daily_return))


@lean
def weigh(daily_return: Panel) -> tuple[float, float, float]:
    """The fields of `Weighed`. Sums go from the oldest day to the newest."""
    n = len(daily_return)
    if n < 2:
        return 0.0, 0.0, 0.0
    total = 0.0
    for i in range(n):
        total += daily_return[i]
    mean = total / n
    two, three, four = 0.0, 0.0, 0.0
    for i in range(n):
        away = daily_return[i] - mean
        square = away * away
        two += square
        three += square * away
        four += square * square
    if not two > 1e-18 * n * mean * mean:  # what is left of equal days is rounding
        return 0.0, 0.0, 0.0
    variance = two / n
    skewness = three / n / (variance * math.sqrt(variance))
    kurtosis = four / n / (variance * variance)
    sharpe = mean / math.sqrt(two / (n - 1))
    clumping = long_run(daily_return, mean, two)
    spread = clumping - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe
    if not spread > 0.0:
        return 0.0, 0.0, 0.0
    return sharpe, math.sqrt(spread), math.sqrt(two / (n - 1) * clumping)


@lean
def long_run(daily_return: Panel, mean: float, two: float) -> float:
    """v above: 1 + twice the autocorrelations of the first n^(1/3) lags, weighed down to 0; at least 1."""
    n = len(daily_return)
    lags = 1
    while (lags + 1) * (lags + 1) * (lags + 1) <= n:
        lags += 1
    answer = 1.0
    for lag in range(1, lags + 1):
        both = 0.0
        for i in range(lag, n):
            both += (daily_return[i] - mean) * (daily_return[i - lag] - mean)
        answer += 2.0 * (1.0 - lag / (lags + 1.0)) * both / two
    return max(answer, 1.0)


@lean
def score(sharpe: float, spread: float, n: int) -> float:
    """z above."""
    return sharpe * math.sqrt(n - 1.0) / spread
