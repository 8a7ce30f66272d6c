"""Residual reversal: what a coin did beyond the market's move tends to come back; the market's own move does not.

Source: Blitz, Huij, Lansdorp & Verbeek (2013), "Short-term residual reversal", Journal of Financial Markets 16(3),
477-504; Avellaneda & Lee (2010), "Statistical arbitrage in the US equities market", Quantitative Finance 10(7),
761-782.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from podshop import maths
from podshop.maths import confidence, cross, ratio, rolling
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualReversal:
    """Lean against what a market did beyond its usual share of the other markets' move."""

    bar: str = "4h"
    window_bars: int = 180  # a month to learn the share
    recent_bars: int = 18  # three days to come back from
    reads: ClassVar[tuple[str, ...]] = ("close",)
    family: ClassVar[str] = "reversal"
    cross_sectional: ClassVar[bool] = True

    def __post_init__(self) -> None:
        fields.check(self, window_bars=4, recent_bars=1)

    @property
    def lookback_bars(self) -> int:
        return max(self.window_bars, self.recent_bars) + 1

    def __call__(self, close: Panel) -> Panel:
        return residual_reversal(close, self.window_bars, self.recent_bars)


def residual_reversal(close: Panel, window_bars: int, recent_bars: int) -> Panel:
    """Score each market by its recent return less beta times that of the others, over the risk of the difference.

    close        (T, M) price in quote currency, > 0; NaN where not listed
    window_bars  returns from which beta and residual risk are estimated, >= 4
    recent_bars  returns that should reverse, >= 1
    ->           (T, M) conviction in [-1, 1]; NaN means no opinion, also where fewer than three markets are known

    BTC, ETH, SOL, DOGE and LTC on OKX, every 8 hours from 2022-11-08 00:00: SOL fell most, and first.

    >>> import numpy as np
    >>> close = np.array([
    ...     [20516.5, 1561.77, 29.05, 0.11072, 67.70], [19730.4, 1486.15, 28.18, 0.10140, 64.04],
    ...     [20370.7, 1545.88, 29.13, 0.10811, 66.91], [18332.8, 1317.03, 22.83, 0.08651, 57.30],
    ...     [18148.6, 1263.91, 15.84, 0.08617, 56.80], [17086.1, 1174.19, 13.97, 0.08396, 54.04]])
    >>> residual_reversal(close, window_bars=5, recent_bars=2)[-1].round(2)
    array([-0.43, -0.55,  0.98, -0.97, -0.92])
    """
    own = maths.log_return(close)
    others = cross.others(own)
    beta, _, _, risk = rolling.line(own, others, window_bars)
    beyond = rolling.sum(own, recent_bars) - beta * rolling.sum(others, recent_bars)
    return confidence(-ratio(beyond, risk * math.sqrt(recent_bars)))
