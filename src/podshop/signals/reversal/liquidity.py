"""Liquidity reversal: a move on unusual volume was somebody in a hurry, and part of it comes back.

Source: Campbell, Grossman & Wang (1993), "Trading volume and serial correlation in stock returns", Quarterly Journal of
Economics 108(4), 905-939; Nagel (2012), "Evaporating liquidity", Review of Financial Studies 25(7), 2005-2039.
"""

from dataclasses import dataclass
from typing import ClassVar

from podshop import maths
from podshop.maths import clip, confidence, conviction, rolling
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidityReversal:
    """Lean against the last day's move as far as its volume was unusual; flat when it was not."""

    bar: str = "4h"
    recent_bars: int = 6  # a day, so that the hours of the day cancel
    window_bars: int = 180  # a month of usual volume and risk
    reads: ClassVar[tuple[str, ...]] = ("close", "volume")
    family: ClassVar[str] = "reversal"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, recent_bars=1, window_bars=self.recent_bars + 1)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars + 1

    def __call__(self, close: Panel, volume: Panel) -> Panel:
        return liquidity_reversal(close, volume, self.recent_bars, self.window_bars)


def liquidity_reversal(close: Panel, volume: Panel, recent_bars: int, window_bars: int) -> Panel:
    """Score each market by minus its recent move, times how unusual its recent volume was.

    close, volume  (T, M) price in quote currency, base units traded; NaN or 0 where nothing traded
    recent_bars    bars of the move and of its volume, >= 1
    window_bars    bars of what is usual, > recent_bars
    ->             (T, M) conviction in [-1, 1]: the product of two; 0 when volume was usual; NaN means no opinion

    BTC on Binance, 2022-11-08 from 00:00, hour by hour: the fall at 04:00 came on five times the volume.

    >>> import numpy as np
    >>> close = np.array([[20505.4], [20618.3], [20435.4], [20140.6], [19626.0], [19690.9]])
    >>> volume = np.array([[17786.0], [13955.3], [24971.7], [77530.9], [145076.7], [86819.4]])
    >>> liquidity_reversal(close, volume, recent_bars=1, window_bars=4).round(2).ravel()
    array([  nan,   nan,   nan,   nan,  0.75, -0.27])
    """
    move = confidence(rolling.surprise(maths.log_return(close), recent_bars, window_bars))
    hurry = confidence(rolling.surprise(maths.log(volume), recent_bars, window_bars))
    return conviction(-move * clip(hurry, 0.0, 1.0))
