"""Funding carry: be on the side that is paid for holding.

The carry of an asset is what it earns if its price does not move; of a perpetual future that is its funding. Longs pay
1 bp per 8 hours when perpetual and spot agree (the interest-rate part of the venues' formula), so only the
excess over that neutral rate tells who is in a hurry.

Source: Koijen, Moskowitz, Pedersen & Vrugt (2018), "Carry", Journal of Financial Economics 127(2), 197-225;
He, Manela, Ross & von Wachter (2022), "Fundamentals of perpetual futures", arXiv:2212.06888;
Schmeling, Schrimpf & Todorov (2023), "Crypto carry", BIS Working Papers 1087.
"""

from dataclasses import dataclass
from typing import ClassVar

from podshop.maths import confidence, rolling
from podshop.nouns import Panel
from podshop.signals import fields

HOURS = 8.0  # venues quote funding per 8 hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Carry:
    """Short what longs pay dearly to hold, long what shorts pay to be short."""

    bar: str = "1h"
    window_bars: int = 24  # a day: three settlements of 8 hours
    neutral_bps_8h: float = 1.0  # funding where perpetual and spot agree
    scale_bps_8h: float = 1.0  # excess worth one standard deviation: 1 bp per 8 h is 11 % a year
    reads: ClassVar[tuple[str, ...]] = ("funding_per_hour",)
    family: ClassVar[str] = "funding"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, window_bars=1, scale_bps_8h=1e-6)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars

    def __call__(self, funding_per_hour: Panel) -> Panel:
        return carry(funding_per_hour, self.window_bars, self.neutral_bps_8h, self.scale_bps_8h)


def carry(funding_per_hour: Panel, window_bars: int, neutral_bps_8h: float, scale_bps_8h: float) -> Panel:
    """Score each market by the funding a holder is paid, beyond the neutral rate.

    funding_per_hour  (T, M) latest settled rate, fraction of notional per hour, longs pay shorts; NaN where unknown
    window_bars       bars averaged, >= 1
    neutral_bps_8h    rate that says nothing, basis points per 8 hours
    scale_bps_8h      excess that counts as one standard deviation, basis points per 8 hours
    ->                (T, M) conviction in [-1, 1]; NaN means no opinion

    >>> import numpy as np
    >>> per_hour = np.array([[1e-4], [3e-4], [-1e-4]]) / 8
    >>> carry(per_hour, window_bars=1, neutral_bps_8h=1.0, scale_bps_8h=1.0).round(2).ravel()
    array([ 0.  , -0.95,  0.95])
    """
    paid_bps_8h = rolling.mean(funding_per_hour, window_bars) * (HOURS * 1e4)
    return confidence((neutral_bps_8h - paid_bps_8h) / scale_bps_8h)
