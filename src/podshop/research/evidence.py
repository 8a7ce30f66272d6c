"""How much a forecast is worth and how sure that is: few numbers per instant, resampled by instants.

Markets move together, so sixteen of them at one instant are nearly one observation: everything here is resampled by
whole rows, all markets of an instant at once. Rows are taken a horizon apart, so that no return is counted twice.

Source: Cameron, Gelbach & Miller (2008), "Bootstrap-based improvements for inference with clustered errors", Review of
Economics and Statistics 90(3), 414-427; Kunsch (1989), "The jackknife and the bootstrap for general stationary
observations", Annals of Statistics 17(3), 1217-1241 (blocks).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.random import default_rng

from podshop.nouns import Panel

RESAMPLES = 1000
SEED = 20
LEVEL = 0.90
FEWEST_ROWS = 20  # below it an interval says nothing


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its 90 % interval; NaN where there is too little to say. `rows` are instants, `count` cells."""

    value: float
    low: float
    high: float
    rows: int
    count: int


def correlation(x: Panel, y: Panel) -> Estimate:
    """Pearson correlation over all markets and rows in which both are known: the information coefficient.

    x, y  (R, M) forecast and what followed, rows a horizon apart

    >>> correlation(np.array([[1.0, 2.0], [3.0, np.nan]]), np.array([[1.0, 2.0], [3.0, 4.0]])).value
    1.0
    """
    known = np.isfinite(x) & np.isfinite(y)
    a, b = np.where(known, x, 0.0), np.where(known, y, 0.0)
    parts = [known.astype(np.float64), a, b, a * a, b * b, a * b]
    return estimate(np.stack([part.sum(axis=1) for part in parts], axis=1), _correlation)


def hit_rate(x: Panel, y: Panel) -> Estimate:
    """Share of forecasts that had the right sign, of those that had one; a return of exactly 0 is no hit and no miss.

    >>> hit_rate(np.array([[0.5, -0.2, 0.0]]), np.array([[0.1, 0.1, 0.1]])).value
    0.5
    """
    called = np.isfinite(x) & np.isfinite(y) & (x != 0) & (y != 0)
    right = called & (np.sign(x) == np.sign(y))
    return estimate(np.stack([called.sum(axis=1), right.sum(axis=1)], axis=1).astype(np.float64), _share)


def mean_ratio(above: Panel, below: Panel, block_rows: int = 1) -> Estimate:
    """Sum of one series over the sum of another, resampled in blocks of `block_rows` rows, because days are alike.

    Only blocks in which the lower series is not zero count as rows: one day of trading in a year is one observation.

    >>> mean_ratio(np.array([1.0, 2.0]), np.array([10.0, 20.0])).value
    0.1
    """
    blocks = -(-len(above) // block_rows)
    block = np.arange(len(above)) // block_rows
    sums = [np.bincount(block, part, blocks) for part in (below != 0, above, below)]
    return estimate(np.stack(sums, axis=1), _ratio)


def estimate(parts: Panel, formula: Callable[[Panel], Panel]) -> Estimate:
    """A figure that follows from sums, with the interval from resampling what is summed.

    parts    (R, P) what each row adds; the first column is how many cells
    formula  (..., P) sums -> (...) figures
    """
    rows, count = int(np.count_nonzero(parts[:, 0])), int(parts[:, 0].sum())
    with np.errstate(all="ignore"):
        value = float(formula(parts.sum(axis=0)))
        if rows < FEWEST_ROWS:
            return Estimate(value, np.nan, np.nan, rows, count)
        again = formula(_drawn(len(parts)) @ parts)
    again = again[np.isfinite(again)]
    if len(again) < RESAMPLES / 2:
        return Estimate(value, np.nan, np.nan, rows, count)
    low, high = np.quantile(again, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high), rows, count)


@lru_cache(maxsize=2)
def _drawn(rows: int) -> Panel:
    """(RESAMPLES, rows) how often each row is drawn; an agent's figures all ask for the same."""
    drawn = default_rng(SEED).multinomial(rows, np.full(rows, 1 / rows), size=RESAMPLES)
    return drawn.astype(np.float64)


def difference(first: tuple[Panel, Panel], second: tuple[Panel, Panel]) -> Estimate:
    """Hit rate of the second group of forecasts less that of the first, both of the same rows: (x, y), (x, y)."""
    parts = []
    for x, y in (first, second):
        called = np.isfinite(x) & np.isfinite(y) & (x != 0) & (y != 0)
        parts += [called.sum(axis=1), (called & (np.sign(x) == np.sign(y))).sum(axis=1)]
    a, right_a, b, right_b = parts
    found = estimate(np.stack([a + b, a, right_a, b, right_b], axis=1).astype(np.float64), _difference)
    enough = min(np.count_nonzero(a), np.count_nonzero(b)) >= FEWEST_ROWS
    return found if enough else replace(found, low=np.nan, high=np.nan)


def _correlation(s: Panel) -> Panel:
    n, a, b, aa, bb, ab = np.moveaxis(s, -1, 0)
    together: Panel = (n * ab - a * b) / np.sqrt((n * aa - a * a) * (n * bb - b * b))
    return np.asarray(np.where(np.isfinite(together), np.clip(together, -1.0, 1.0), np.nan))


def _share(s: Panel) -> Panel:
    return np.asarray(s[..., 1] / s[..., 0])


def _ratio(s: Panel) -> Panel:
    return np.asarray(s[..., 1] / s[..., 2])


def _difference(s: Panel) -> Panel:
    return np.asarray(s[..., 4] / s[..., 3] - s[..., 2] / s[..., 1])
