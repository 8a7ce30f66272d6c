"""Fear and greed: buy when the crowd is afraid, sell when it is greedy.

Source: alternative.me, "Crypto fear & greed index": 0 extreme fear, 100 extreme greed, extremes below 25 and above 75;
Baker & Wurgler (2006), "Investor sentiment and the cross-section of stock returns", Journal of Finance 61(4),
1645-1680.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from podshop.maths import conviction
from podshop.nouns import Panel
from podshop.signals import fields

MIDDLE = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FearGreed:
    """Lean against the index. Level and not change: the index says itself where its extremes are."""

    bar: str = "1d"
    scale_points: float = 38.5  # conviction is 0.65, where voices open, at 25 and 75, where extremes begin
    reads: ClassVar[tuple[str, ...]] = ("fear_greed",)
    family: ClassVar[str] = "sentiment"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, scale_points=1.0)

    @property
    def lookback_bars(self) -> int:
        return 1

    def __call__(self, fear_greed: Panel) -> Panel:
        return contrarian(fear_greed, self.scale_points)


def contrarian(fear_greed: Panel, scale_points: float) -> Panel:
    """Score by the distance of the index below its middle.

    fear_greed    (T, M) index from 0 to 100, the same for every market; NaN where unknown or impossible
    scale_points  distance from 50 that is full conviction
    ->            (T, M) conviction in [-1, 1]; NaN means no opinion

    2022-06-18, 2024-03-05 and the edges of the extremes.

    >>> contrarian(np.array([[6.0], [90.0], [25.0], [75.0], [50.0]]), scale_points=38.5).round(2).ravel()
    array([ 1.  , -1.  ,  0.65, -0.65,  0.  ])
    """
    index = np.where((fear_greed >= 0.0) & (fear_greed <= 2 * MIDDLE), fear_greed, np.nan)
    return conviction((MIDDLE - index) / scale_points)
