"""Statistics of the last `window` rows of every column, at every row.

A window is the tail of one block of `window` rows and the head of the next, so each answer adds up two pieces that
hold rows of this window only (van Herk 1992, "A fast algorithm for local minimum and maximum filters", Pattern
Recognition Letters 13, 517-521; means and squares join by Chan, Golub & LeVeque 1983, "Algorithms for computing the
sample variance", American Statistician 37, 242-247, eq. 2.1). Nothing is ever subtracted again, as running sums do: a
price of 1e9 that has left the window has left no trace, and fifty equal numbers deviate by exactly 0. Blocks are
counted from the first row given, so a longer history with the same beginning gives the same bits.

Infinity is unknown. Unless `at_least` says how many rows of the window must be known, four in five must be, the newest
among them: an answer is about now, and one silent hour shall not blank a month.
"""

import math

import numpy as np

from podshop.maths import windows
from podshop.nouns import ConfigError, Panel


def mean(x: Panel, window: int, at_least: int | None = None) -> Panel:
    """Average of the known ones of the last `window` rows.

    >>> mean(np.array([[1.0], [2.0], [4.0]]), 2).ravel()
    array([nan, 1.5, 3. ])
    """
    rows, needed, newest = _prepare(x, window, at_least)
    windows.means(rows, window, needed, newest)
    return rows.T


def sum(x: Panel, window: int, at_least: int | None = None) -> Panel:
    """Total of the known ones of the last `window` rows.

    >>> sum(np.array([[1.0], [np.nan], [4.0]]), 2, at_least=1).ravel()
    array([1., 1., 4.])
    """
    rows, needed, newest = _prepare(x, window, at_least)
    windows.sums(rows, window, needed, newest)
    return rows.T


def std(x: Panel, window: int, at_least: int | None = None) -> Panel:
    """Population standard deviation of the last `window` rows; NaN where it is within 1e-9 of the level: nothing moved.

    >>> std(np.array([[1.0], [3.0], [3.0]]), 2).ravel()
    array([nan,  1., nan])
    """
    return moments(x, window, at_least)[1]


def zscore(x: Panel, window: int, at_least: int | None = None) -> Panel:
    """How many standard deviations the newest row stands above the average of the last `window` rows, itself included.

    >>> zscore(np.array([[1.0], [2.0], [6.0]]), 3).round(3).ravel()
    array([  nan,   nan, 1.389])
    """
    average, deviation = moments(x, window, at_least)
    return (x - average) / deviation  # a deviation is never 0, and NaN where x is infinite


def moments(x: Panel, window: int, at_least: int | None = None) -> tuple[Panel, Panel]:
    """Average and population standard deviation of the last `window` rows, as `mean` and `std` give them."""
    rows, needed, newest = _prepare(x, window, at_least)
    deviation = np.empty_like(rows)
    windows.moments(rows, deviation, window, needed, newest)
    return rows.T, deviation.T


def surprise(x: Panel, recent: int, window: int) -> Panel:
    """How far the average of the last `recent` rows stands from that of the last `window`, in standard errors.

    Standard normal when rows are independent and alike: the recent rows are part of the window, so their averages
    differ by a variance of 1 / recent - 1 / window.

    >>> surprise(np.array([[1.0], [1.0], [2.0], [4.0]]), 1, 4).round(3).ravel()
    array([  nan,   nan,   nan, 1.886])
    """
    if not recent < window:
        raise ConfigError(f"the last {recent} rows against the last {window}, expected fewer against more")
    average, deviation = moments(x, window)
    return (mean(x, recent) - average) / (deviation * math.sqrt(1 / recent - 1 / window))


def median(x: Panel, window: int, at_least: int | None = None) -> Panel:
    """Middle of the known ones of the last `window` rows. Takes time in proportion to the window.

    >>> median(np.array([[1.0], [9.0], [2.0], [4.0]]), 3).ravel()
    array([nan, nan,  2.,  4.])
    """
    rows, needed, newest = _prepare(x, window, at_least)
    windows.medians(rows, window, needed, newest)
    return rows.T


def max(x: Panel, window: int, at_least: int | None = None) -> Panel:
    """Largest known one of the last `window` rows.

    >>> max(np.array([[3.0], [2.0], [1.0], [5.0]]), 2).ravel()
    array([nan,  3.,  2.,  5.])
    """
    rows, needed, newest = _prepare(x, window, at_least)
    windows.largest(rows, window, needed, newest)
    return rows.T


def min(x: Panel, window: int, at_least: int | None = None) -> Panel:
    """Smallest known one of the last `window` rows.

    >>> min(np.array([[3.0], [2.0], [1.0], [5.0]]), 2).ravel()
    array([nan,  2.,  1.,  1.])
    """
    return -max(-x, window, at_least)


def ewm(x: Panel, half_life: float, window: int | None = None, at_least: int | None = None) -> Panel:
    """Average of the last `window` rows (five half-lives unless said) whose weights halve every `half_life` rows.

    >>> ewm(np.array([[0.0], [0.0], [3.0]]), half_life=1, window=2).ravel()
    array([nan,  0.,  2.])
    """
    if not half_life > 0:
        raise ConfigError(f"a half-life is {half_life}, expected a number of rows above 0")
    span = math.ceil(5 * half_life) if window is None else window
    rows, needed, newest = _prepare(x, span, at_least)
    windows.decayed(rows, 0.5 ** (np.arange(span + 1) / half_life), span, needed, newest)
    return rows.T


def line(y: Panel, x: Panel, window: int, at_least: int | None = None) -> tuple[Panel, Panel, Panel, Panel]:
    """Least-squares line y = a + slope x through the last `window` pairs.

    ->  slope, average of y, average of x, standard deviation of what the line leaves over, each (T, M)
        NaN where x stood still, or the line leaves less than a thousandth of y's own deviation (its digits are noise)

    >>> x, y = np.array([[1.0], [2.0], [3.0]]), np.array([[2.0], [5.0], [6.0]])
    >>> [float(part[-1, 0].round(3)) for part in line(y, x, 3)]
    [2.0, 4.333, 2.0, 0.471]
    """
    ys, needed, newest = _prepare(y, window, at_least)
    xs, _, _ = _prepare(x, window, at_least)
    slope, left_over = np.empty_like(ys), np.empty_like(ys)
    windows.lines(ys, xs, slope, left_over, window, needed, newest)
    return slope.T, ys.T, xs.T, left_over.T


def _prepare(x: Panel, window: int, at_least: int | None) -> tuple[Panel, int, bool]:
    """Copy into (M, T) rows that a compiled function may overwrite; how many must be known, and whether the newest."""
    if window < 1 or (at_least is not None and at_least < 1):
        raise ConfigError(f"a window of {window} rows with at least {at_least} known, expected whole numbers above 0")
    rows = np.array(x.T, dtype=np.float64, order="C", copy=True)
    return (rows, math.ceil(0.8 * window), True) if at_least is None else (rows, at_least, False)
