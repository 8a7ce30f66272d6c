"""How markets move together: an exponentially weighted covariance over a declared window.

Source: RiskMetrics Technical Document (1996), section 5.3; the window, the missing values and the young markets follow
docs/semantics.md, section 9.
"""

import math

import numpy as np

from podshop.maths.compiled import compiled
from podshop.nouns import Int, Panel, Whole

HALF_LIFE_DAYS = 10
WINDOW_DAYS = 50  # five half-lives: 3 % of the weight lies beyond
KNOWN_FROM_DAYS = 10
GROWN_UP_DAYS = 90
PEER_QUANTILE = 0.75


@compiled
def covariances(log_return: Panel, first: Int, window: Int, decay: float, per_day: float) -> Panel:
    """Daily covariance at each row from `first` on.

    log_return  (R, M) of consecutive risk bars; NaN = missing, counts as no observation
    first       rows before it only warm up
    window      rows that count; decay per row in (0, 1); per_day risk bars in a day
    ->          (R - first, M, M), positive semi-definite whatever is missing; 0 where nothing is known
    """
    rows, markets = log_return.shape
    forget = decay**window
    products = np.zeros((markets, markets))
    weight = np.zeros(markets)
    now = np.empty(markets)
    known = np.empty(markets)
    out = np.empty((rows - first, markets, markets))
    for row in range(rows):
        for m in range(markets):
            r = log_return[row, m]
            known[m] = 0.0 if math.isnan(r) else 1.0
            now[m] = 0.0 if math.isnan(r) else r
        for i in range(markets):
            weight[i] = decay * weight[i] + known[i]
            for j in range(i + 1):
                products[i, j] = decay * products[i, j] + now[i] * now[j]
        if row >= window:
            for m in range(markets):
                r = log_return[row - window, m]
                known[m] = 0.0 if math.isnan(r) else 1.0
                now[m] = 0.0 if math.isnan(r) else r
            for i in range(markets):
                weight[i] -= forget * known[i]
                for j in range(i + 1):
                    products[i, j] -= forget * (now[i] * now[j])
        if row < first:
            continue
        for i in range(markets):
            for j in range(i + 1):
                n = weight[i] * weight[j]
                value = products[i, j] / math.sqrt(n) * per_day if n > 1e-12 else 0.0
                out[row - first, i, j] = value
                out[row - first, j, i] = value
    return out


@compiled
def fit_the_young(covariance: Panel, age_days: Panel) -> None:
    """Judge young markets by their elders, in place: too young is unknown, young is at least their upper quartile.

    covariance  (R, M, M) daily
    age_days    (R, M) days since the first trade; NaN or negative = not listed
    """
    rows, markets, _ = covariance.shape
    elders = np.empty(markets)
    scale = np.empty(markets)
    for row in range(rows):
        count = np.int64(0)
        young = False
        for m in range(markets):
            if age_days[row, m] >= GROWN_UP_DAYS:
                elders[count] = covariance[row, m, m]
                count += 1
            else:
                young = True
        if not young:
            continue
        floor = _quantile(elders, count)
        for m in range(markets):
            scale[m] = 1.0
            variance = covariance[row, m, m]
            if not (age_days[row, m] >= KNOWN_FROM_DAYS):
                scale[m] = 0.0
            elif age_days[row, m] < GROWN_UP_DAYS and 0.0 < variance < floor:
                scale[m] = math.sqrt(floor / variance)
        for i in range(markets):
            for j in range(markets):
                covariance[row, i, j] *= scale[i] * scale[j]


@compiled
def _quantile(values: Panel, count: Int) -> float:
    """Upper quartile of the first `count` values, linear between neighbours; 0 when there are none."""
    if count == 0:
        return 0.0
    place = PEER_QUANTILE * (count - 1)
    below = int(place)
    low = _nth(values, count, below)
    return low + (place - below) * (_nth(values, count, min(below + 1, count - 1)) - low)


@compiled
def _nth(values: Panel, count: Int, n: Int) -> float:
    """The n-th smallest of the first `count` values, n from 0: at most n are below it, more than n at most it."""
    for i in range(count):
        below = 0
        within = 0
        for j in range(count):
            below += values[j] < values[i]
            within += values[j] <= values[i]
        if below <= n < within:
            found: float = values[i]
            return found
    return math.nan


def age_days(time: Whole, first_trade_ns: Whole) -> Panel:
    """(R, M) days since each market's first traded bar closed; negative where not listed yet."""
    return (time[:, None] - first_trade_ns[None, :]) / 86_400e9
