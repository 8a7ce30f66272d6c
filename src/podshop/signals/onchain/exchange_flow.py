"""Exchange net flow: coins sent to exchanges are there to be sold, coins taken away are there to be kept.

Source: Hoang & Baur (2022), "Loaded for bear: Bitcoin private wallets, exchange reserves and prices", Journal of
Banking & Finance 144; columns as Coin Metrics defines them (docs.coinmetrics.io, Network Data, Exchange).
"""

from dataclasses import dataclass
from typing import ClassVar

from podshop.maths import confidence, ratio, rolling
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeFlow:
    """Short after unusual inflow to exchanges, long after unusual outflow."""

    bar: str = "1d"
    recent_bars: int = 7  # a week, so that weekends cancel
    window_bars: int = 90
    reads: ClassVar[tuple[str, ...]] = ("onchain_FlowInExNtv", "onchain_FlowOutExNtv")
    family: ClassVar[str] = "onchain"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, recent_bars=1, window_bars=self.recent_bars + 1)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars

    def __call__(self, onchain_FlowInExNtv: Panel, onchain_FlowOutExNtv: Panel) -> Panel:
        return exchange_flow(onchain_FlowInExNtv, onchain_FlowOutExNtv, self.recent_bars, self.window_bars)


def exchange_flow(inflow: Panel, outflow: Panel, recent_bars: int, window_bars: int) -> Panel:
    """Score each market by how far the recent share of net inflow stands below its usual.

    inflow, outflow  (T, M) coins sent to and from exchanges in the latest day known; NaN where unknown
    recent_bars      bars of the recent average, >= 1
    window_bars      bars of the usual, > recent_bars
    ->               (T, M) conviction in [-1, 1]; NaN means no opinion

    Net over total flow lies in [-1, 1]: a day on which the provider finds a new address of an exchange (-191,454 BTC
    once) stays one day among many.

    BTC, days from 2022-11-05: FTX fails, and people take their coins home.

    >>> import numpy as np
    >>> inflow = np.array([[14094.4], [20849.1], [40779.5], [70654.0], [85023.6], [58563.9]])
    >>> outflow = np.array([[13009.0], [16025.8], [27487.6], [84760.2], [111395.8], [94385.0]])
    >>> exchange_flow(inflow, outflow, recent_bars=2, window_bars=5).round(2).ravel()
    array([ nan,  nan,  nan, 0.22, 0.96, 0.92])
    """
    share = ratio(inflow - outflow, inflow + outflow)
    return confidence(-rolling.surprise(share, recent_bars, window_bars))
