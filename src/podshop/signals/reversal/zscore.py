"""Mean reversion by z-score: a price far from its recent average tends to come part of the way back.

Source: Jegadeesh (1990), "Evidence of predictable behavior of security returns", Journal of Finance 45(3), 881-898;
Poterba & Summers (1988), "Mean reversion in stock prices", Journal of Financial Economics 22(1), 27-59.
The reversal is small beside a taker's costs on short windows: the default is days, not hours.
"""

from dataclasses import dataclass
from typing import ClassVar

from podshop import maths
from podshop.maths import confidence, rolling
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """Lean against the price's distance from its own average, in its own standard deviations."""

    bar: str = "1h"
    window_bars: int = 72  # three days of hours
    reads: ClassVar[tuple[str, ...]] = ("close",)
    family: ClassVar[str] = "reversal"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, window_bars=3)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars

    def __call__(self, close: Panel) -> Panel:
        return reversal(close, self.window_bars)


def reversal(close: Panel, window_bars: int) -> Panel:
    """Score each market by how far below its average it stands.

    close        (T, M) price in quote currency, > 0; NaN where not listed
    window_bars  prices in the average, the newest included, >= 3
    ->           (T, M) conviction in [-1, 1]; NaN means no opinion (also where the price stood still)

    >>> import numpy as np
    >>> reversal(np.array([[10.0], [10.0], [11.0], [10.0]]), window_bars=3).round(2).ravel()
    array([  nan,   nan, -0.84,  0.52])
    """
    return confidence(-rolling.zscore(maths.log(close), window_bars))
