"""Funding reversal: when funding is far above its own usual, the crowd is all on one side, and crowds leave at once.

Source: Schmeling, Schrimpf & Todorov (2023), "Crypto carry", BIS Working Papers 1087: high carry goes before crashes
and forced liquidations of the crowded side.
"""

from dataclasses import dataclass
from typing import ClassVar

from podshop.maths import confidence, rolling
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingReversal:
    """Lean against funding that is unusual for this market, whatever its level."""

    bar: str = "4h"
    recent_bars: int = 6  # a day: three settlements of 8 hours
    window_bars: int = 180  # a month
    reads: ClassVar[tuple[str, ...]] = ("funding_per_hour",)
    family: ClassVar[str] = "funding"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, recent_bars=1, window_bars=3)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars + self.recent_bars - 1

    def __call__(self, funding_per_hour: Panel) -> Panel:
        return funding_reversal(funding_per_hour, self.recent_bars, self.window_bars)


def funding_reversal(funding_per_hour: Panel, recent_bars: int, window_bars: int) -> Panel:
    """Score each market by how far its recent funding stands below its usual funding.

    funding_per_hour  (T, M) latest settled rate, fraction of notional per hour, longs pay shorts; NaN where unknown
    recent_bars       bars of the recent average, >= 1
    window_bars       such averages that make the usual, >= 3
    ->                (T, M) conviction in [-1, 1]; NaN means no opinion (also where funding never moved)

    BTC on Binance, settlements from 2022-11-08 00:00: shorts crowd in as FTX falls.

    >>> import numpy as np
    >>> settled = np.array([[6.5], [-0.8], [9.4], [-13.9], [7.3], [-33.0], [-119.2], [-112.0]]) * 1e-5
    >>> funding_reversal(settled / 8, recent_bars=1, window_bars=5).round(2).ravel()
    array([  nan,   nan,   nan,  0.89, -0.49,  0.91,  0.94,  0.74])
    """
    return confidence(-rolling.zscore(rolling.mean(funding_per_hour, recent_bars), window_bars))
