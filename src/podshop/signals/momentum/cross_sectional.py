"""Cross-sectional momentum: coins that beat the others over some weeks tend to go on beating them.

Source: Liu, Tsyvinski & Wu (2022), "Common risk factors in cryptocurrency", Journal of Finance 77(2), 1133-1177: sorts
on returns of one to four weeks. Jegadeesh & Titman (1993), Journal of Finance 48(1), 65-91, for shares.
"""

from dataclasses import dataclass
from typing import ClassVar

from podshop import maths
from podshop.maths import conviction, cross
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeMomentum:
    """Long what rose most, short what rose least; the market as a whole does not matter."""

    bar: str = "4h"
    window_bars: int = 126  # three weeks
    reads: ClassVar[tuple[str, ...]] = ("close",)
    family: ClassVar[str] = "momentum"
    cross_sectional: ClassVar[bool] = True

    def __post_init__(self) -> None:
        fields.check(self, window_bars=1)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars + 1

    def __call__(self, close: Panel) -> Panel:
        return relative_momentum(close, self.window_bars)


def relative_momentum(close: Panel, window_bars: int) -> Panel:
    """Place each market among the others by its return; places are spread evenly over (-1, 1), as convictions are.

    close        (T, M) price in quote currency, > 0; NaN where not listed
    window_bars  bars of the return, >= 1
    ->           (T, M) conviction in [-1, 1]; NaN means no opinion, also where fewer than three markets are known

    BTC, ETH, SOL, DOGE and LTC on OKX, 2022-11-08 00:00 and two days later: the week FTX fell.

    >>> import numpy as np
    >>> close = np.array([[20516.5, 1561.77, 29.05, 0.11072, 67.70], [18148.6, 1263.91, 15.84, 0.08617, 56.80]])
    >>> relative_momentum(close, window_bars=1)[1].round(2)
    array([ 0.8,  0. , -0.8, -0.4,  0.4])
    """
    return conviction(cross.rank(maths.log_return(close, window_bars)))
