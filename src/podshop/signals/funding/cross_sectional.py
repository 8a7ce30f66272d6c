"""Cross-sectional carry: hold what pays most to be held against what pays least.

Source: Koijen, Moskowitz, Pedersen & Vrugt (2018), "Carry", Journal of Financial Economics 127(2), 197-225: rank
weights within an asset class.
"""

from dataclasses import dataclass
from typing import ClassVar

from podshop.maths import conviction, cross, rolling
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeCarry:
    """Long the markets with the lowest funding, short those with the highest."""

    bar: str = "4h"
    window_bars: int = 18  # three days
    reads: ClassVar[tuple[str, ...]] = ("funding_per_hour",)
    family: ClassVar[str] = "funding"
    cross_sectional: ClassVar[bool] = True

    def __post_init__(self) -> None:
        fields.check(self, window_bars=1)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars

    def __call__(self, funding_per_hour: Panel) -> Panel:
        return relative_carry(funding_per_hour, self.window_bars)


def relative_carry(funding_per_hour: Panel, window_bars: int) -> Panel:
    """Place each market among the others by its average funding, the lowest near 1; equal rates share a place.

    funding_per_hour  (T, M) latest settled rate, fraction of notional per hour, longs pay shorts; NaN where unknown
    window_bars       bars averaged, >= 1
    ->                (T, M) conviction in [-1, 1]; NaN means no opinion, also where fewer than three markets are known

    BTC, ETH, XRP, LTC and ADA on Binance, settled at 2022-11-10 00:00.

    >>> import numpy as np
    >>> settled = np.array([[-119.2, -60.1, -139.4, -30.0, -34.9]]) * 1e-5
    >>> relative_carry(settled / 8, window_bars=1).round(2)
    array([[ 0.4,  0. ,  0.8, -0.8, -0.4]])
    """
    return conviction(-cross.rank(rolling.mean(funding_per_hour, window_bars)))
