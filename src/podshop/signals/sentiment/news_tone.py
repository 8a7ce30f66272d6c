"""News tone: good words today, higher prices tomorrow, because not everybody reads at once.

Source: Tetlock (2007), "Giving content to investor sentiment: the role of media in the stock market", Journal of
Finance 62(3), 1139-1168; Tetlock, Saar-Tsechansky & Macskassy (2008), "More than words", Journal of Finance 63(3),
1437-1467.
"""

from dataclasses import dataclass
from typing import ClassVar

from podshop.maths import confidence, rolling
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsTone:
    """Lean the way the last day's headlines sound, beside how they usually sound."""

    bar: str = "4h"
    recent_bars: int = 6  # a day of headlines
    window_bars: int = 180  # a month
    reads: ClassVar[tuple[str, ...]] = ("news_tone",)
    family: ClassVar[str] = "sentiment"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, recent_bars=1, window_bars=3)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars + self.recent_bars - 1

    def __call__(self, news_tone: Panel) -> Panel:
        return tone(news_tone, self.recent_bars, self.window_bars)


def tone(news_tone: Panel, recent_bars: int, window_bars: int) -> Panel:
    """Score each market by how far the recent tone of its news stands above the usual tone.

    news_tone    (T, M) average lexicon score, in [-1, 1], of the headlines published during the bar; NaN where none was
    recent_bars  bars of the recent average, of which one with news is enough, >= 1
    window_bars  such averages that make the usual, >= 3
    ->           (T, M) conviction in [-1, 1]; NaN means no opinion: four in five such averages must be known

    >>> import numpy as np
    >>> tone(np.array([[0.2], [np.nan], [0.1], [0.3], [np.nan], [-0.6]]), recent_bars=2, window_bars=4).round(2).ravel()
    array([  nan,   nan,   nan,  0.44,  0.84, -0.91])
    """
    recent = rolling.mean(news_tone, recent_bars, at_least=1)
    return confidence(rolling.zscore(recent, window_bars))
