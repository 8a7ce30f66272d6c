"""From convictions to what an execution agent hears: voices with hysteresis, blended by its mandate.

Confidence acts on each signal before combination: a voice opens where its conviction is strong and stays until it is
weak, because a filter that drops to flat at one threshold trades three times as much (docs/semantics.md, section 2).
"""

import math

import numpy as np

from podshop.maths.compiled import compiled
from podshop.nouns import Panel, Whole


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
