"""Who gets how much capital, each day at 00:00 UTC, on what the shadow books earned."""

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
    mean = daily_return.mean(axis=0)
    deviation = daily_return.std(axis=0, ddof=1)
    sharpe = np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > 0)
    lean = np.exp(sharpe - sharpe.max())
    weights: Panel = lean / lean.sum()
    return weights
