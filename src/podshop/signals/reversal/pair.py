"""Spread of a cointegrated pair: a coin that wanders with the basket of the others comes back to it.

Source: Engle & Granger (1987), "Co-integration and error correction", Econometrica 55(2), 251-276; Gatev, Goetzmann &
Rouwenhorst (2006), "Pairs trading", Review of Financial Studies 19(3), 797-827. The bound -3.04 is the 10 % critical
value of MacKinnon (2010), "Critical values for cointegration tests", Queen's Economics Department Working Paper 1227.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from podshop import maths
from podshop.maths import confidence, cross
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSpread:
    """Lean against the spread to the basket of the others while the two are cointegrated; flat while they are not."""

    bar: str = "4h"
    window_bars: int = 180  # a month, refitted at every bar
    bound: float = -3.04
    reads: ClassVar[tuple[str, ...]] = ("close",)
    family: ClassVar[str] = "reversal"
    cross_sectional: ClassVar[bool] = True

    def __post_init__(self) -> None:
        fields.check(self, window_bars=5)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars + 1  # the first return needs a price before

    def __call__(self, close: Panel) -> Panel:
        return pair_spread(close, self.window_bars, self.bound)


def pair_spread(close: Panel, window_bars: int, bound: float) -> Panel:
    """Score each market by how far below its usual place beside the others' basket it stands.

    close        (T, M) price in quote currency, > 0; NaN where not listed
    window_bars  bars of the fit, >= 5
    bound        Dickey-Fuller statistic of the spread below which it is believed to come back
    ->           (T, M) conviction in [-1, 1]; 0 where not cointegrated; NaN means no opinion

    BTC, ETH, SOL, DOGE and LTC on OKX, every 8 hours from 2022-11-08 00:00. (Six rows prove no cointegration.)

    >>> close = np.array([
    ...     [20516.5, 1561.77, 29.05, 0.11072, 67.70], [19730.4, 1486.15, 28.18, 0.10140, 64.04],
    ...     [20370.7, 1545.88, 29.13, 0.10811, 66.91], [18332.8, 1317.03, 22.83, 0.08651, 57.30],
    ...     [18148.6, 1263.91, 15.84, 0.08617, 56.80], [17086.1, 1174.19, 13.97, 0.08396, 54.04]])
    >>> pair_spread(close, window_bars=5, bound=-1.0)[-1].round(2)
    array([ 0.54,  0.4 ,  0.44, -0.59, -0.24])
    """
    others = cross.others(maths.log_return(close))
    score, statistic = maths.spread(maths.log(close), others, window_bars)
    return confidence(np.where(statistic > bound, 0.0, -score))  # NaN is not above the bound and stays NaN
