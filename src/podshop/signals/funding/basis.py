"""Basis: a perpetual far above spot, beyond what is usual, is pulled back; its next funding will pay those who pull.

Venues average the premium of the perpetual over spot into the next settlement, so the premium is the funding to come,
hours before it is settled.

Source: He, Manela, Ross & von Wachter (2022), "Fundamentals of perpetual futures", arXiv:2212.06888: deviations from
the no-arbitrage price and the trade against them.
"""

from dataclasses import dataclass
from typing import ClassVar

from podshop import maths
from podshop.maths import confidence, rolling
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Lean against the premium of perpetual over spot, in its own usual deviations."""

    bar: str = "1h"
    recent_bars: int = 8  # what the next settlement averages
    window_bars: int = 720  # a month
    reads: ClassVar[tuple[str, ...]] = ("close", "spot_close")
    family: ClassVar[str] = "funding"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, recent_bars=1, window_bars=3)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars + self.recent_bars - 1

    def __call__(self, close: Panel, spot_close: Panel) -> Panel:
        return basis(close, spot_close, self.recent_bars, self.window_bars)


def basis(close: Panel, spot_close: Panel, recent_bars: int, window_bars: int) -> Panel:
    """Score each market by how far its recent premium stands below its usual premium.

    close, spot_close  (T, M) price of the perpetual and of the coin itself, in one currency and unit; NaN where unknown
    recent_bars        bars of the recent average, >= 1
    window_bars        such averages that make the usual, >= 3
    ->                 (T, M) conviction in [-1, 1]; NaN means no opinion

    BTC on Binance, 2022-11-08 from 00:00, hour by hour: the perpetual falls first.

    >>> import numpy as np
    >>> close = np.array([[20505.4], [20618.3], [20435.4], [20140.6], [19626.0], [19690.9]])
    >>> spot_close = np.array([[20514.25], [20628.76], [20444.52], [20148.66], [19637.09], [19704.38]])
    >>> basis(close, spot_close, recent_bars=1, window_bars=4).round(2).ravel()
    array([  nan,   nan,   nan, -0.76,  0.83,  0.85])
    """
    premium = maths.log(maths.ratio(close, spot_close))
    return confidence(-rolling.zscore(rolling.mean(premium, recent_bars), window_bars))
