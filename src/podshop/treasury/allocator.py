"""Who gets how much capital, each day at 00:00 UTC, on what the shadow books earned."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from podshop.nouns import Panel


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocator:
    """Share capital among the books; before there is enough evidence, equally.

    article  weight grows with the rolling Sharpe ratio of the shadow's daily returns. A 30-day Sharpe ratio has a
             standard error of 3.5 a year: this rule moves capital on noise, and the run pays for that trading.
             Standard error: Lo (2002), "The statistics of Sharpe ratios", Financial Analysts Journal 58(4), 36-52.
    equal    1 / B
    """

    kind: Literal["article", "equal"] = "article"
    window_days: int = 30

    def __call__(self, daily_return: Panel) -> Panel:
        """Weights of the books.

        daily_return  (D, B) of the shadows, fraction of their reference capital, oldest first
        ->            (B,) fractions of NAV, sum 1
        """
        days, books = daily_return.shape
        if self.kind == "equal" or days < self.window_days:
            return np.full(books, 1.0 / books)
        return article(daily_return[-self.window_days :])


def article(daily_return: Panel) -> Panel:
    """Weights proportional to exp(daily Sharpe ratio); a book without any variation counts as 0.

    >>> article(np.array([[0.01, 0.0], [0.02, 0.0], [0.03, 0.0]])).round(3)
    array([0.881, 0.119])
    """
    sharpe = [_sharpe(returns) for returns in daily_return.T.tolist()]
    lean = [math.exp(one - max(sharpe)) for one in sharpe]
    weights: Panel = np.array(lean) / math.fsum(lean)
    return weights


def _sharpe(returns: list[float]) -> float:
    """Mean over standard deviation (n - 1), sums rounded once; 0 where nothing varies."""
    mean = math.fsum(returns) / len(returns)
    deviation = math.sqrt(math.fsum((r - mean) * (r - mean) for r in returns) / (len(returns) - 1))
    return mean / deviation if deviation > 0.0 else 0.0
