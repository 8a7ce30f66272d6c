"""Who gets how much capital, each day at 00:00 UTC, on what the shadow books earned."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from podshop.nouns import Panel
from podshop.treasury.evidence import moments
from podshop.treasury.hrp import hrp
from podshop.treasury.shrunk import Allocation, Rules, shrunk

Kind = Literal["article", "equal", "hrp", "inverse_vol", "shrunk"]
AS_USUAL = Rules()
KINDS: tuple[Kind, ...] = ("equal", "article", "inverse_vol", "hrp", "shrunk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocator:
    """Share capital among the books; before there is enough evidence, equally.

    article      weight grows with the rolling Sharpe ratio of the shadow's daily returns. A 30-day Sharpe ratio has a
                 standard error of 3.5 a year: this rule moves capital on noise, and the run pays for that trading.
                 Standard error: Lo (2002), "The statistics of Sharpe ratios", Financial Analysts Journal 58(4), 36-52.
    equal        1 / B
    inverse_vol  weight falls with the deviation of the shadow's daily returns
    hrp          by groups of books that move alike, in inverse proportion to their variances: see treasury/hrp.py
    shrunk       by a Sharpe ratio shrunk toward `prior`, (B,) annual; may leave cash: see treasury/shrunk.py
    """

    kind: Kind = "shrunk"
    window_days: int = 30
    prior: tuple[float, ...] = ()
    rules: Rules = AS_USUAL

    def __call__(self, daily_return: Panel, previous: Panel | None = None) -> Panel:
        """Weights of the books.

        daily_return  (D, B) of the shadows, fraction of their reference capital, oldest first
        previous      (B,) the weights until now; None = equal
        ->            (B,) fractions of NAV, sum 1; under `shrunk` at most 1, the rest is cash
        """
        days, books = daily_return.shape
        if self.kind == "shrunk":
            return self.explain(daily_return, previous).weights
        if self.kind == "equal" or days < self.window_days:
            return np.full(books, 1.0 / books)
        last = daily_return[-self.window_days :]
        return {"article": article, "hrp": hrp, "inverse_vol": inverse_vol}[self.kind](last)

    def explain(self, daily_return: Panel, previous: Panel | None = None) -> Allocation:
        """What `shrunk` believes of each book and what it makes of that, whatever the kind."""
        books = daily_return.shape[1]
        before = np.full(books, 1.0 / books) if previous is None else previous
        return shrunk(daily_return, before, self.prior or (0.0,) * books, self.rules)


def article(daily_return: Panel) -> Panel:
    """Weights proportional to exp(daily Sharpe ratio); a book without any variation counts as 0.

    >>> article(np.array([[0.01, 0.0], [0.02, 0.0], [0.03, 0.0]])).round(3)
    array([0.881, 0.119])
    """
    sharpe = [_sharpe(returns) for returns in daily_return.T.tolist()]
    lean = [math.exp(one - max(sharpe)) for one in sharpe]
    weights: Panel = np.array(lean) / math.fsum(lean)
    return weights


def inverse_vol(daily_return: Panel) -> Panel:
    """Weights proportional to 1 / deviation, of what the books leave that did not vary: those get an equal share each.

    >>> inverse_vol(np.array([[0.01, 0.0, 0.02], [0.03, 0.0, 0.06]])).round(3)
    array([0.444, 0.333, 0.222])
    """
    deviation = [moments(returns)[1] for returns in daily_return.T.tolist()]
    books = len(deviation)
    steady = [1.0 / s if s > 0.0 else 0.0 for s in deviation]
    room, total = sum(s > 0.0 for s in deviation) / books, math.fsum(steady)
    return np.array([room * one / total if one > 0.0 else 1.0 / books for one in steady])


def _sharpe(returns: list[float]) -> float:
    """Mean over standard deviation (n - 1), sums rounded once; 0 where nothing varies."""
    mean, deviation = moments(returns)
    return mean / deviation if deviation > 0.0 else 0.0
