"""Exchange supply: when the stock of coins on exchanges shrinks, there is less left to sell.

Source: Hoang & Baur (2022), "Loaded for bear: Bitcoin private wallets, exchange reserves and prices", Journal of
Banking & Finance 144; column as Coin Metrics defines it (docs.coinmetrics.io, Network Data, Exchange).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from podshop import maths
from podshop.maths import confidence, rolling
from podshop.nouns import Panel
from podshop.signals import fields

OUTLIER = 5 * 1.4826  # median sizes: 1.4826 of them are a standard deviation of a normal variable


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSupply:
    """Short while the supply on exchanges grows unusually fast, long while it shrinks."""

    bar: str = "1d"
    recent_bars: int = 30
    window_bars: int = 180
    reads: ClassVar[tuple[str, ...]] = ("onchain_SplyExNtv",)
    family: ClassVar[str] = "onchain"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, recent_bars=1, window_bars=self.recent_bars + 1)

    @property
    def lookback_bars(self) -> int:
        return 2 * self.window_bars  # every change is held against the usual size of its own window

    def __call__(self, onchain_SplyExNtv: Panel) -> Panel:
        return exchange_supply(onchain_SplyExNtv, self.recent_bars, self.window_bars)


def exchange_supply(supply: Panel, recent_bars: int, window_bars: int) -> Panel:
    """Score each market by how far the recent growth of its exchange supply stands below its usual growth.

    supply       (T, M) coins on exchanges at the end of the latest day known; NaN where unknown
    recent_bars  bars of the recent average, >= 1
    window_bars  bars of the usual, > recent_bars
    ->           (T, M) conviction in [-1, 1]; NaN means no opinion

    Growth of a day is held within five usual deviations: the provider re-assigns addresses now and then.

    BTC, days from 2022-11-05: the week FTX failed.

    >>> supply = np.array([[2695509.0], [2700848.0], [2715330.0], [2703353.0], [2677962.0], [2643784.0], [2594195.0]])
    >>> exchange_supply(supply, recent_bars=2, window_bars=3).round(2).ravel()
    array([ nan,  nan,  nan,  nan,  nan, 0.89, 0.82])
    """
    growth = maths.log_return(supply)
    usual = OUTLIER * rolling.median(np.abs(growth), window_bars)
    return confidence(-rolling.surprise(np.clip(growth, -usual, usual), recent_bars, window_bars))
