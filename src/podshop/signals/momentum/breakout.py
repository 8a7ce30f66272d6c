"""Channel breakout: a price beyond everything seen for weeks has found new buyers or sellers.

Source: Brock, Lakonishok & LeBaron (1992), "Simple technical trading rules and the stochastic properties of stock
returns", Journal of Finance 47(5), 1731-1764: the trading-range break, on closing prices. Closes and not highs and
lows, because one wick (LINK at 0.0001 on 2020-03-12) would stretch the channel for weeks.
"""

from dataclasses import dataclass
from typing import ClassVar

from podshop import maths
from podshop.maths import conviction, ratio, rolling
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakout:
    """Long above the channel of past closes, short below it, by its height within."""

    bar: str = "4h"
    window_bars: int = 120  # twenty days
    reads: ClassVar[tuple[str, ...]] = ("close",)
    family: ClassVar[str] = "momentum"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, window_bars=2)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars + 1  # the channel, and the close that leaves it

    def __call__(self, close: Panel) -> Panel:
        return breakout(close, self.window_bars)


def breakout(close: Panel, window_bars: int) -> Panel:
    """Score each market by where its close stands in the channel of closes before it: -1 floor, 1 ceiling.

    close        (T, M) price in quote currency, > 0; NaN where not listed
    window_bars  closes that make the channel, the newest not among them, >= 2
    ->           (T, M) conviction in [-1, 1], 1 in size outside the channel; NaN means no opinion

    BTC on Binance, 2022-11-08, hour by hour: a floor is broken, then half a recovery.

    >>> import numpy as np
    >>> close = np.array([[20505.4], [20618.3], [20435.4], [20140.6], [19626.0], [19690.9], [19771.9]])
    >>> breakout(close, window_bars=3).round(2).ravel()
    array([  nan,   nan,   nan, -1.  , -1.  , -0.84, -0.43])
    """
    price = maths.log(close)
    ceiling = maths.lag(rolling.max(price, window_bars), 1)
    floor = maths.lag(rolling.min(price, window_bars), 1)
    return conviction(ratio(2 * price - ceiling - floor, ceiling - floor))
