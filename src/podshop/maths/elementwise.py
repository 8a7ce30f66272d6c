"""Functions of one cell, or of one cell and an earlier one of the same column."""

import math

import numpy as np

from podshop.maths.compiled import compiled
from podshop.nouns import Panel

STEPS = float(2**20)  # convictions are whole numbers of 2^-20: the last bits of erf differ between processors


def confidence(z: Panel) -> Panel:
    """Map a standardised score to a conviction: sign(z) erf(|z| / sqrt 2), the chance that |N(0, 1)| is below |z|.

    z   (T, M) score, standard normal where there is nothing to know; NaN = unknown
    ->  (T, M) conviction in [-1, 1], rounded to 2^-20; NaN stays NaN

    >>> confidence(np.array([[0.0, 0.93, -1.96, np.inf, np.nan]])).round(3).ravel()
    array([ 0.   ,  0.648, -0.95 ,  1.   ,    nan])
    """
    rows = _fresh(z)
    _erf(rows)
    return rows.T


def conviction(score: Panel) -> Panel:
    """Round a score that already is a conviction to 2^-20 and hold it inside [-1, 1]; NaN stays NaN.

    >>> conviction(np.array([[0.1, -3.0, np.nan]])).round(6).ravel()
    array([ 0.1, -1. ,  nan])
    """
    rounded: Panel = np.rint(np.clip(score, -1.0, 1.0) * STEPS) / STEPS
    return rounded + 0.0  # minus zero is zero


def ratio(above: Panel, below: Panel) -> Panel:
    """Divide; NaN where the denominator is 0 or the answer is not finite.

    >>> ratio(np.array([[1.0, 0.0, 3.0]]), np.array([[2.0, 0.0, 0.0]])).ravel()
    array([0.5, nan, nan])
    """
    with np.errstate(all="ignore"):
        quotient: Panel = np.asarray(above / below)
    return _finite(quotient)


def log(x: Panel) -> Panel:
    """Natural logarithm; NaN where x is not a positive number.

    >>> log(np.array([[1.0, 0.0, -1.0, np.inf]])).ravel()
    array([ 0., nan, nan, nan])
    """
    with np.errstate(all="ignore"):
        logarithm: Panel = np.log(x)
    return _finite(logarithm)


def root(x: Panel) -> Panel:
    """Square root; NaN where x is negative or unknown.

    >>> root(np.array([[4.0, -1.0]])).ravel()
    array([ 2., nan])
    """
    with np.errstate(all="ignore"):
        answer: Panel = np.sqrt(x)
    return _finite(answer)


def clip(x: Panel, low: float, high: float) -> Panel:
    """Hold inside [low, high]; NaN stays NaN."""
    held: Panel = np.clip(x, low, high)
    return held


def lag(x: Panel, rows: int) -> Panel:
    """What stood `rows` rows above; NaN before that.

    >>> lag(np.array([[1.0], [2.0], [3.0]]), 2).ravel()
    array([nan, nan,  1.])
    """
    moved = np.full(x.shape[::-1], np.nan).T
    moved[rows:] = x[: max(len(x) - rows, 0)]
    return moved


def change(x: Panel, rows: int) -> Panel:
    """Difference to what stood `rows` rows above; NaN where either is unknown.

    >>> change(np.array([[1.0], [2.0], [5.0]]), 1).ravel()
    array([nan,  1.,  3.])
    """
    with np.errstate(invalid="ignore"):
        return _finite(x - lag(x, rows))


def log_return(price: Panel, rows: int = 1) -> Panel:
    """Logarithm of price over the price `rows` rows above; NaN where either is not a positive number.

    >>> log_return(np.array([[10.0], [11.0], [0.0], [12.0]])).round(4).ravel()
    array([   nan, 0.0953,    nan,    nan])
    """
    return log(ratio(price, lag(price, rows)))


@compiled
def _erf(x: Panel) -> None:
    for m in range(x.shape[0]):
        for t in range(x.shape[1]):
            x[m, t] = np.rint(math.erf(x[m, t] / math.sqrt(2.0)) * STEPS) / STEPS + 0.0


def _fresh(x: Panel) -> Panel:
    """Copy into (M, T) rows of contiguous time: a compiled function meets one kind of array and may write into it."""
    return np.array(x.T, dtype=np.float64, order="C", copy=True)


def _finite(x: Panel) -> Panel:
    """Turn infinity into NaN in an array that is ours."""
    x[np.isinf(x)] = np.nan
    return x
