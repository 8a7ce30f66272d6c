"""Reversal gated by half-life: trade back to the mean only where the way back is short.

A price that follows dp = k (m - p) dt + s dW halves its distance from m every ln 2 / k. Estimated by least squares of
the change on the level; a random walk looks like a half-life of about an eighth of the window, so ask for much less.

Source: Uhlenbeck & Ornstein (1930), "On the theory of the Brownian motion", Physical Review 36, 823-841; Poterba &
Summers (1988), Journal of Financial Economics 22(1), 27-59; Leung & Li (2015), "Optimal mean reversion trading with
transaction costs and stop-loss exit", International Journal of Theoretical and Applied Finance 18(3).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from podshop import maths
from podshop.maths import confidence, ratio, rolling, root
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfLifeReversal:
    """Lean against the distance from the mean the price is pulled to, if it is pulled fast enough."""

    bar: str = "4h"
    window_bars: int = 180  # a month
    half_life_bars: float = 12.0  # two days: half of what a random walk seems to have
    reads: ClassVar[tuple[str, ...]] = ("close",)
    family: ClassVar[str] = "reversal"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, window_bars=4, half_life_bars=0.1)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars + 1

    def __call__(self, close: Panel) -> Panel:
        return half_life_reversal(close, self.window_bars, self.half_life_bars)


def half_life_reversal(close: Panel, window_bars: int, half_life_bars: float) -> Panel:
    """Score each market by its distance from the fitted mean, in the deviations it keeps around that mean.

    close           (T, M) price in quote currency, > 0; NaN where not listed
    window_bars     changes in the fit, >= 4
    half_life_bars  longest half-life that is traded
    ->              (T, M) conviction in [-1, 1]; 0 where the price is not pulled back that fast; NaN means no opinion

    BTC on Binance, 2022-11-08, hour by hour. (Four changes prove no pull; a month of them can.)

    >>> close = np.array([[20505.4], [20618.3], [20435.4], [20140.6], [19626.0], [19690.9], [19771.9], [19785.6]])
    >>> half_life_reversal(close, window_bars=4, half_life_bars=3.0).round(2).ravel()
    array([  nan,   nan,   nan,   nan,  0.  , -0.81, -0.34, -0.7 ])
    """
    price = maths.log(close)
    before = maths.lag(price, 1)
    slope, change, level, noise = rolling.line(maths.change(price, 1), before, window_bars)
    keeps = 1.0 + slope  # share of a distance that is left after one bar
    mean = level - ratio(change, slope)
    deviation = ratio(noise, root(1.0 - keeps * keeps))
    pulled = (keeps > -1.0) & (keeps <= 0.5 ** (1.0 / half_life_bars))
    score = np.where(pulled, -ratio(price - mean, deviation), 0.0)
    return confidence(np.where(np.isnan(slope), np.nan, score))
