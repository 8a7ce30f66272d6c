"""Valuation: holders with large paper profits sell, holders with losses have sold already.

MVRV is the market value over the value of every coin at the price it last moved at: the average profit of all holders.

Source: Mahmudov & Puell (2018), "Bitcoin market-value-to-realized-value (MVRV) ratio"; Coin Metrics, CapMVRVCur. The
value effect in coins: Liu & Tsyvinski (2021), Review of Financial Studies 34(6), 2689-2727.
"""

from dataclasses import dataclass
from typing import ClassVar

from podshop import maths
from podshop.maths import confidence, rolling
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """Lean against the average profit of holders, as far as it is unusual for the year."""

    bar: str = "1d"
    window_bars: int = 365
    reads: ClassVar[tuple[str, ...]] = ("onchain_CapMVRVCur",)
    family: ClassVar[str] = "onchain"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, window_bars=3)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars

    def __call__(self, onchain_CapMVRVCur: Panel) -> Panel:
        return valuation(onchain_CapMVRVCur, self.window_bars)


def valuation(mvrv: Panel, window_bars: int) -> Panel:
    """Score each market by how far its market value over realised value stands below the usual.

    mvrv         (T, M) market value over realised value, > 0, of the latest day known; NaN where unknown
    window_bars  bars of the usual, the newest included, >= 3
    ->           (T, M) conviction in [-1, 1]; NaN means no opinion

    BTC, days from 2022-06-13: below what its holders paid, and falling.

    >>> import numpy as np
    >>> valuation(np.array([[0.962], [0.959], [0.983], [0.890], [0.900], [0.840]]), window_bars=4).round(2).ravel()
    array([ nan,  nan,  nan, 0.91, 0.6 , 0.79])
    """
    return confidence(-rolling.zscore(maths.log(mvrv), window_bars))
