"""Volatility-managed momentum: follow trends in quiet times, trust them less when risk has risen.

Momentum loses most right after volatility jumps, when a trend breaks and everybody leaves at once.

Source: Barroso & Santa-Clara (2015), "Momentum has its moments", Journal of Financial Economics 116(1), 111-120;
Moreira & Muir (2017), "Volatility-managed portfolios", Journal of Finance 72(4), 1611-1644.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from podshop import maths
from podshop.maths import clip, confidence, ratio, rolling
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedMomentum:
    """Time-series momentum, smaller by as much as the last day was wilder than the month."""

    bar: str = "1h"
    window_bars: int = 336  # two weeks of trend
    recent_bars: int = 24  # a day of risk
    reads: ClassVar[tuple[str, ...]] = ("close",)
    family: ClassVar[str] = "momentum"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, window_bars=2, recent_bars=2)

    @property
    def lookback_bars(self) -> int:
        return max(self.window_bars, self.recent_bars) + 1

    def __call__(self, close: Panel) -> Panel:
        return managed_momentum(close, self.window_bars, self.recent_bars)


def managed_momentum(close: Panel, window_bars: int, recent_bars: int) -> Panel:
    """Score each market by its past return over its past risk, times usual over recent risk where that is below 1.

    close        (T, M) price in quote currency, > 0; NaN where not listed
    window_bars  returns of the trend and of usual risk, >= 2
    recent_bars  returns of recent risk, >= 2
    ->           (T, M) conviction in [-1, 1]; NaN means no opinion

    BTC on Binance, 2022-11-08, hour by hour.

    >>> import numpy as np
    >>> close = np.array([[20505.4], [20618.3], [20435.4], [20140.6], [19626.0], [19690.9], [19771.9]])
    >>> managed_momentum(close, window_bars=5, recent_bars=2).round(2).ravel()
    array([  nan,   nan,   nan,   nan, -0.97, -0.79, -0.9 ])
    """
    log_return = maths.log_return(close)
    drift, usual = rolling.moments(log_return, window_bars)
    calm = clip(ratio(usual, rolling.std(log_return, recent_bars)), 0.0, 1.0)
    return confidence(ratio(drift, usual / math.sqrt(window_bars)) * calm)
