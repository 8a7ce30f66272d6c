"""Time-series momentum: what has risen tends to keep rising for a while.

Source: Moskowitz, Ooi & Pedersen (2012), "Time series momentum",
Journal of Financial Economics 104(2), 228-250.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from podshop import maths
from podshop.maths import confidence, ratio, rolling
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Momentum:
    """Lean the way the price has moved, the more so the steadier the move."""

    bar: str = "1h"
    window_bars: int = 720  # a month of hours
    reads: ClassVar[tuple[str, ...]] = ("close",)
    family: ClassVar[str] = "momentum"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, window_bars=2)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars + 1  # n returns need n + 1 prices

    def __call__(self, close: Panel) -> Panel:
        return momentum(close, self.window_bars)


def momentum(close: Panel, window_bars: int) -> Panel:
    """Score each market by its past return over its past risk: the t-statistic of its mean return.

    close        (T, M) price in quote currency, > 0; NaN where not listed
    window_bars  returns per score, >= 2
    ->           (T, M) conviction in [-1, 1]; NaN means no opinion, 0 means flat

    >>> import numpy as np
    >>> momentum(np.array([[10.0], [11.0], [12.0], [10.0]]), window_bars=2).round(2).ravel()
    array([  nan,   nan,  1.  , -0.38])
    """
    drift, deviation = rolling.moments(maths.log_return(close), window_bars)
    return confidence(ratio(drift, deviation / math.sqrt(window_bars)))
