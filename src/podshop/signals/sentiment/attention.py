"""News attention: a move that comes with news goes on, a move without news does not.

Source: Chan (2003), "Stock price reaction to news and no-news: drift and reversal after headlines", Journal of
Financial Economics 70(2), 223-260; Da, Engelberg & Gao (2011), "In search of attention", Journal of Finance 66(5),
1461-1499.
"""

from dataclasses import dataclass
from typing import ClassVar

from podshop import maths
from podshop.maths import clip, confidence, conviction, rolling
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsAttention:
    """Follow the last day's move as far as it came with an unusual number of headlines; flat when it did not."""

    bar: str = "4h"
    recent_bars: int = 6  # a day, so that the hours of the day cancel
    window_bars: int = 180  # a month
    reads: ClassVar[tuple[str, ...]] = ("close", "news_count")
    family: ClassVar[str] = "sentiment"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, recent_bars=1, window_bars=self.recent_bars + 1)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars + self.recent_bars

    def __call__(self, close: Panel, news_count: Panel) -> Panel:
        return attention(close, news_count, self.recent_bars, self.window_bars)


def attention(close: Panel, news_count: Panel, recent_bars: int, window_bars: int) -> Panel:
    """Score each market by its recent move, times how unusual the number of headlines was.

    close        (T, M) price in quote currency, > 0; NaN where not listed
    news_count   (T, M) headlines published during the bar; 0 where there was none, NaN where nobody was counting
    recent_bars  bars of the move and of its headlines, >= 1
    window_bars  bars of what is usual, > recent_bars
    ->           (T, M) conviction in [-1, 1]: the product of two; 0 when news was usual; NaN means no opinion

    >>> import numpy as np
    >>> close = np.array([[20505.4], [20618.3], [20435.4], [20140.6], [19626.0], [19690.9]])
    >>> count = np.array([[3.0], [2.0], [4.0], [9.0], [22.0], [15.0]])
    >>> attention(close, count, recent_bars=1, window_bars=4).round(2).ravel()
    array([  nan,   nan,   nan,   nan, -0.74,  0.38])
    """
    move = confidence(rolling.surprise(maths.log_return(close), recent_bars, window_bars))
    headlines = maths.log(1.0 + rolling.sum(news_count, recent_bars))
    return conviction(move * clip(confidence(rolling.zscore(headlines, window_bars)), 0.0, 1.0))
