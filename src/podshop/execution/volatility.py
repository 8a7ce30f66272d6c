"""A mandate's own volatility: exponentially weighted with its own half-life, over a declared window of five of them.

Source: RiskMetrics Technical Document (1996), section 5.3. A quick agent resizes at once,
a slow one sits a wild hour out.
"""

import math

import numpy as np

from podshop.maths.compiled import compiled
from podshop.nouns import Int, Panel

HALF_LIVES = 5  # in a window: 3 % of the weight lies beyond


@compiled
def volatilities(log_return: Panel, first: Int, window: Int, decay: float, forget: float, per_day: float) -> Panel:
    """Daily volatility at each row from `first` on.

    log_return  (R, M) of consecutive risk bars; NaN = missing, counts as no observation
    first       rows before it only warm up
    window      rows that count; decay per row in (0, 1); forget = decay ** window; per_day risk bars in a day
    ->          (R - first, M); NaN where nothing has moved
    """
    rows, markets = log_return.shape
    squares = np.zeros(markets)
    weight = np.zeros(markets)
    out = np.empty((rows - first, markets))
    for row in range(rows):
        for m in range(markets):
            squares[m] *= decay
            weight[m] *= decay
            r = log_return[row, m]
            if not math.isnan(r):
                squares[m] += r * r
                weight[m] += 1.0
            if row >= window:
                old = log_return[row - window, m]
                if not math.isnan(old):
                    squares[m] -= forget * (old * old)
                    weight[m] -= forget
            if row >= first:
                moved = squares[m] > 0.0 and weight[m] > 1e-12
                out[row - first, m] = math.sqrt(squares[m] / weight[m] * per_day) if moved else math.nan
    return out
