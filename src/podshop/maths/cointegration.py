"""The spread between a series and another that wanders with it, and whether it comes back.

Source: Engle & Granger (1987), "Co-integration and error correction", Econometrica 55(2), 251-276: least squares of one
level on the other, then Dickey & Fuller's statistic of what is left over.
"""

import math

import numpy as np

from podshop.maths.compiled import compiled
from podshop.maths.windows import EXPLAINED, FLAT
from podshop.nouns import Panel


def spread(level: Panel, step: Panel, window: int) -> tuple[Panel, Panel]:
    """Fit each column on its companion over the last `window` rows, afresh at every row.

    level   (T, M) log price
    step    (T, M) the companion's log returns; its level is their sum inside the window, so it needs no beginning
    window  rows fitted; time is in proportion to rows x window
    ->      (T, M) where the newest row stands in the spread, in its standard deviations;
            (T, M) Dickey-Fuller statistic of the spread: the lower, the surer that it comes back.
            NaN where fewer than four fifths are known, or something stood still, or the fit leaves only rounding.

    >>> companion = np.array([[0.0], [0.1], [-0.2], [0.1], [0.2], [-0.1]])
    >>> own = companion.cumsum(0) + np.array([[0.0], [0.01], [0.0], [0.01], [0.0], [0.02]])
    >>> [float(part[-1, 0].round(2)) for part in spread(own, companion, 6)]
    [1.71, -8.79]
    """
    levels = np.array(level.T, dtype=np.float64, order="C", copy=True)
    steps = np.array(step.T, dtype=np.float64, order="C", copy=True)
    score, statistic = np.full_like(levels, np.nan), np.full_like(levels, np.nan)
    _spreads(levels, steps, score, statistic, window, math.ceil(0.8 * window))
    return score.T, statistic.T


@compiled
def _spreads(level: Panel, step: Panel, score: Panel, statistic: Panel, window: int, needed: int) -> None:
    x, y = np.empty(window), np.empty(window)
    for m in range(level.shape[0]):
        for t in range(needed - 1, level.shape[1]):
            if not (math.isfinite(level[m, t]) and math.isfinite(step[m, t])):
                continue
            n, companion, mean_x, mean_y = 0, 0.0, 0.0, 0.0
            for s in range(max(0, t - window + 1), t + 1):
                if math.isfinite(step[m, s]):
                    companion += step[m, s]
                    if math.isfinite(level[m, s]):
                        x[n], y[n] = companion, level[m, s]
                        mean_x, mean_y = mean_x + x[n], mean_y + y[n]
                        n += 1
            if n < needed:
                continue
            mean_x, mean_y = mean_x / n, mean_y / n
            xx, xy, yy = 0.0, 0.0, 0.0
            for i in range(n):
                x[i], y[i] = x[i] - mean_x, y[i] - mean_y
                xx, xy, yy = xx + x[i] * x[i], xy + x[i] * y[i], yy + y[i] * y[i]
            flat_x, flat_y = n * (FLAT * mean_x) ** 2, n * (FLAT * mean_y) ** 2
            if not (xx > flat_x and yy > flat_y and yy - xy * xy / xx > EXPLAINED * yy):
                continue
            left, moved, reverted = 0.0, 0.0, 0.0  # squares of the spread, of its change, and their product
            before = y[0] - xy / xx * x[0]
            total = before * before
            for i in range(1, n):
                now = y[i] - xy / xx * x[i]
                change = now - before
                left, moved, reverted = left + before * before, moved + change * change, reverted + before * change
                total += now * now
                before = now
            noise = (moved - reverted * reverted / left) / (n - 2)
            score[m, t] = before / math.sqrt(total / n)
            statistic[m, t] = reverted / math.sqrt(noise * left) if noise > EXPLAINED * moved / n else np.nan
