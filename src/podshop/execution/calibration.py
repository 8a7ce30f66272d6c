"""How often a conviction of this strength was right before: a column beside the conviction, never in its place.

Conviction is a standardised score, not a probability: momentum at 0.65 and more is right less than half of the time and
may still pay. `calibrated = true` asks for the frequency, from the agent's own past alone, at each of its bars, known
then. It is shown; no threshold ever reads it.

Forecasts are taken a horizon apart, at multiples of it since 1970, so that no return counts twice; they are judged when
the horizon is over, and forgotten when the window is. All is whole-number counts, held as state from call to call.

Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference", Journal of the American
Statistical Association 22, 209-212 (the interval).
"""

import math
from typing import NamedTuple

import numpy as np

from podshop.maths.compiled import compiled
from podshop.nouns import Panel, Whole

EDGES = (0.0, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.0)  # of abs conviction; the last includes 1
BINS = len(EDGES) - 1
WINDOW_DAYS = 365
_EDGES = np.array(EDGES[1:-1])
_Z = 1.6448536269514722  # 90 % of a normal lie within +-_Z standard deviations


class Calibration(NamedTuple):
    """What one agent's past has taught so far. Changed in place.

    said, worth        (M,) the forecast that is waiting to be judged, and what a long was worth then; NaN = none
    ring               (S, BINS, 3) of each of the last S horizons: right, judged, and 1 if any was judged
    total              (BINS, 3) their sum
    last               (1,) number of the latest horizon seen, -1 before the first
    """

    said: Panel
    worth: Panel
    ring: Whole
    total: Whole
    last: Whole


def new_calibration(markets: int, horizon_bars: int, window_bars: int) -> Calibration:
    """A past of which nothing is known yet; its window holds at least one horizon."""
    slots = max(window_bars // horizon_bars, 1)
    unknown = np.full(markets, np.nan)
    ring, total = np.zeros((slots, BINS, 3), np.int64), np.zeros((BINS, 3), np.int64)
    return Calibration(unknown, unknown.copy(), ring, total, np.full(1, -1, np.int64))


@compiled
def hit_probability(state: Calibration, conviction: Panel, worth: Panel, bar: Whole, horizon_bars: int) -> Panel:
    """For each opinion, how often opinions as strong as it were right.

    conviction  (R, M) on the agent's own bars, in order
    worth       (R, M) log price less the sum of funding rates paid by a long, at the same closes; NaN = unknown
    bar         (R,) number of each bar since 1970: time // length
    ->          (4, R, M) probability, low and high end of its 90 % interval, count of forecasts behind it; NaN where
                there is no opinion, or none as strong was ever judged. Markets of one instant move together, so the
                interval counts instants, not forecasts.
    """
    rows, markets = conviction.shape
    slots = state.ring.shape[0]
    out = np.full((4, rows, markets), np.nan)
    for row in range(rows):
        period = bar[row] // horizon_bars
        if period != state.last[0]:
            _forget(state, period, slots)
        if bar[row] % horizon_bars == 0:
            _judge(state, worth[row], period % slots)
            for m in range(markets):
                state.said[m], state.worth[m] = conviction[row, m], worth[row, m]
        for m in range(markets):
            c = abs(conviction[row, m])
            if c > 0.0:  # neither NaN nor flat
                k = _bin(c)
                judged, instants = state.total[k, 1], state.total[k, 2]
                if judged > 0:
                    p = state.total[k, 0] / judged
                    low, high = _wilson(p, instants)
                    out[0, row, m], out[1, row, m], out[2, row, m] = p, low, high
                    out[3, row, m] = judged
                else:
                    out[3, row, m] = 0.0
    return out


@compiled
def reliability(state: Calibration) -> Panel:
    """(4, BINS) what `hit_probability` now says of each strength: probability, low, high, count; NaN where none."""
    out = np.full((4, BINS), np.nan)
    for k in range(BINS):
        out[3, k] = state.total[k, 1]
        if state.total[k, 1] > 0:
            p = state.total[k, 0] / state.total[k, 1]
            low, high = _wilson(p, state.total[k, 2])
            out[0, k], out[1, k], out[2, k] = p, low, high
    return out


@compiled
def _wilson(p: float, instants: int) -> tuple[float, float]:
    """90 % interval of a share that was seen at so many instants."""
    middle = (p + _Z * _Z / (2 * instants)) / (1 + _Z * _Z / instants)
    half = _Z / (1 + _Z * _Z / instants)
    half *= math.sqrt(p * (1 - p) / instants + _Z * _Z / (4.0 * instants * instants))
    return middle - half, middle + half


@compiled
def _forget(state: Calibration, period: int, slots: int) -> None:
    """Empty the places of the horizons that have begun since the last one seen."""
    begun = min(period - state.last[0], slots) if state.last[0] >= 0 else slots
    for p in range(period - begun + 1, period + 1):
        for k in range(BINS):
            for i in range(3):
                state.total[k, i] -= state.ring[p % slots, k, i]
                state.ring[p % slots, k, i] = 0
    if state.last[0] >= 0 and period - state.last[0] > 1:
        state.said[:] = np.nan  # the bar on which it would have been judged never came
    state.last[0] = period


@compiled
def _judge(state: Calibration, worth: Panel, slot: int) -> None:
    """Hold the waiting forecasts against what has become of them."""
    for m in range(len(worth)):
        c, moved = state.said[m], worth[m] - state.worth[m]
        if not (abs(c) > 0.0) or math.isnan(moved) or moved == 0.0:
            continue
        k = _bin(abs(c))
        right = 1 if c * moved > 0.0 else 0
        first = 1 if state.ring[slot, k, 2] == 0 else 0
        state.ring[slot, k, 0] += right
        state.ring[slot, k, 1] += 1
        state.ring[slot, k, 2] += first
        state.total[k, 0] += right
        state.total[k, 1] += 1
        state.total[k, 2] += first


@compiled
def _bin(c: float) -> int:
    """Which strength a conviction is of."""
    k = 0
    while k < len(_EDGES) and c >= _EDGES[k]:
        k += 1
    return k
