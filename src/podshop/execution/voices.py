"""From convictions to what an execution agent hears: voices with hysteresis, blended by its mandate.

Confidence acts on each signal before combination: a voice opens where its conviction is strong and stays until it is
weak, because a filter that drops to flat at one threshold trades three times as much (docs/semantics.md, section 2).


Voices that say different things average to less than any of them, and a book that hears many would hold less for it:
the blend is multiplied by what their own past says of how alike they are. Correlations are kept about zero, not about
the mean (a voice that is always long is not a constant), forget with a half-life of 90 days, and start from a month in
which all said the same: until there is evidence that voices differ, nothing is enlarged.

Source of the multiplier: Carver (2015), "Systematic Trading", chapter 8.
"""

import math
from typing import NamedTuple

import numpy as np

from podshop.maths.compiled import compiled
from podshop.nouns import Panel, Whole

_DECAY = 0.9923279462629435  # 2^(-1/90) a day
_ALIKE_DAYS = 30.0  # the prior: so many days on which all voices said the same


class Mix(NamedTuple):
    """How alike the voices of one mandate were so far, and what follows from it. Changed in place.

    together    (L, L) decayed sum over days of the mean over markets of the product of two voices, each by its
                weight's sign
    days        (1,) decayed count of those days
    last_day    (1,) the latest of them, days since 1970; -1 before the first
    multiplier  (1,) by which the blend is enlarged; starts at 1
    """

    together: Panel
    days: Panel
    last_day: Whole
    multiplier: Panel


def new_mix(listeners: int) -> Mix:
    """Voices that have not been heard yet."""
    return Mix(np.zeros((listeners, listeners)), np.zeros(1), np.full(1, -1, np.int64), np.ones(1))


@compiled
def voices(conviction: Panel, opened: Whole, open_at: float, close_at: float) -> Panel:
    """What each signal says in each market: its conviction while its voice is open, else 0.

    conviction  (R, M) rows of the agent's own bar, in order; NaN leaves the voice as it was
    opened      (M,) -1, 0 or 1: side of the open voice; carried from call to call, changed in place
    open_at     a voice opens at |c| >= this
    close_at    it shuts at |c| < this, or when c changes its sign
    ->          (R, M); NaN = missing
    """
    rows, markets = conviction.shape
    said = np.empty((rows, markets))
    for m in range(markets):
        side = opened[m]
        for row in range(rows):
            c = conviction[row, m]
            if math.isnan(c):
                said[row, m] = c
                continue
            if side != 0 and (abs(c) < close_at or c * side <= 0.0):
                side = 0
            if side == 0 and abs(c) >= open_at:
                side = 1 if c > 0.0 else -1
            said[row, m] = c if side != 0 else 0.0
        opened[m] = side
    return said


@compiled
def blend(voice: Panel, weights: Panel) -> Panel:
    """What a mandate makes of its listeners' voices: a missing voice shrinks, it never re-weights.

    voice    (L, R, M) what each of L listened signals says at each of R cadences; NaN = missing
    weights  (L,) signed
    ->       (R, M); NaN where less than half of the weight is not missing
    """
    listeners, rows, markets = voice.shape
    total = 0.0
    for i in range(listeners):
        total += abs(weights[i])
    out = np.empty((rows, markets))
    for row in range(rows):
        for m in range(markets):
            said = 0.0
            known = 0.0
            for i in range(listeners):
                v = voice[i, row, m]
                if not math.isnan(v):
                    said += weights[i] * v
                    known += abs(weights[i])
            out[row, m] = said / total if known >= 0.5 * total else math.nan
    return out


@compiled
def blended(voice: Panel, weights: Panel, day: Whole, mix: Mix, most: float) -> Panel:
    """`blend`, enlarged by the diversification of the voices' own past and cut at -1 and 1.

    voice    (L, C, m) what each of L listened signals says at each of C cadences, in order; NaN = missing
    weights  (L,) signed
    day      (C,) of each cadence, days since 1970; the first cadence of a day is a sample, taken before it is used
    mix      carried from call to call, changed in place
    most     largest multiplier, >= 1; at 1, or with one voice, the blend is as it was
    ->       (C, m) in [-1, 1]; NaN where less than half of the weight is not missing
    """
    out = blend(voice, weights)
    if len(weights) == 1 or most == 1.0:
        return out
    rows, markets = out.shape
    for row in range(rows):
        if day[row] != mix.last_day[0]:
            _sample(voice, weights, row, mix)
            mix.last_day[0] = day[row]
            mix.multiplier[0] = max(1.0, min(most, 1.0 / math.sqrt(_alike(weights, mix))))
        for m in range(markets):
            if not math.isnan(out[row, m]):
                out[row, m] = min(max(mix.multiplier[0] * out[row, m], -1.0), 1.0)
    return out


@compiled
def _sample(voice: Panel, weights: Panel, row: int, mix: Mix) -> None:
    """Add what two voices said of the same markets, for every two."""
    listeners, _, markets = voice.shape
    for i in range(listeners):
        for j in range(i, listeners):
            s = 0.0
            for m in range(markets):
                a, b = voice[i, row, m], voice[j, row, m]
                if not math.isnan(a) and not math.isnan(b):
                    s += (a if weights[i] > 0.0 else -a) * (b if weights[j] > 0.0 else -b)
            mix.together[i, j] = _DECAY * mix.together[i, j] + s / markets
            mix.together[j, i] = mix.together[i, j]
    mix.days[0] = _DECAY * mix.days[0] + 1.0


@compiled
def _alike(weights: Panel, mix: Mix) -> float:
    """Variance of the blend over that of one voice, from correlations that are shrunk toward 1 and floored at 0."""
    total = 0.0
    for w in weights:
        total += abs(w)
    n = mix.days[0]
    q = 0.0
    for i in range(len(weights)):
        for j in range(len(weights)):
            rho = 1.0
            if i != j:
                scale = math.sqrt(mix.together[i, i] * mix.together[j, j])
                rho = mix.together[i, j] / scale if scale != 0.0 else 1.0
                rho = max((n * rho + _ALIKE_DAYS) / (n + _ALIKE_DAYS), 0.0)
            q += (abs(weights[i]) / total) * (abs(weights[j]) / total) * rho
    return q
