"""What the shadow books' days prove: how many there are, their Sharpe ratios, and how alike the books are."""

import math
from typing import NamedTuple

import numpy as np

from podshop.maths.compiled import compiled
from podshop.nouns import Panel, Whole

DAYS_A_YEAR = 365
FEWEST_DAYS = 30  # below it there is no evidence, only the prior
UNCORRELATED_DAYS = 90  # correlations are judged as if so many more days had been seen, without any


class Evidence(NamedTuple):
    """One entry for each book.

    days         since the book first earned or lost anything: before that it had nothing to trade
    deviation    of a day's return; 0 where nothing varies
    sharpe       annual, over a rate of 0; 0 where nothing varies
    correlation  (B, B) of all the days given, those before a book's first counting as no deviation
    """

    days: list[int]
    deviation: list[float]
    sharpe: list[float]
    correlation: Panel

    @property
    def enough(self) -> list[bool]:
        """Which books have been seen long enough to be judged."""
        return [days >= FEWEST_DAYS and s > 0.0 for days, s in zip(self.days, self.deviation, strict=True)]


def evidence(daily_return: Panel) -> Evidence:
    """Weigh (D, B) daily returns, oldest first."""
    days, mean, deviation, correlation = add_up(np.ascontiguousarray(daily_return))
    year = math.sqrt(DAYS_A_YEAR)
    of_day = list(zip(mean.tolist(), deviation.tolist(), strict=True))
    return Evidence(
        days=days.tolist(),
        deviation=[s for _, s in of_day],
        sharpe=[m / s * year if s > 0.0 else 0.0 for m, s in of_day],
        correlation=correlation,
    )


@compiled
def add_up(daily_return: Panel) -> tuple[Whole, Panel, Panel, Panel]:
    """Days, mean, deviation and correlation of `Evidence`. Every sum goes from the oldest day to the newest.

    Correlations are sums over common days, whatever is missing counting 0: positive semi-definite. All but the diagonal
    is then drawn toward 0 by UNCORRELATED_DAYS, which makes it positive definite; 0 with a book that does not vary.
    """
    count, books = daily_return.shape
    days, mean, deviation = np.zeros(books, np.int64), np.zeros(books), np.zeros(books)
    total, away, alike = np.zeros(books), np.zeros(books), np.zeros((books, books))
    for d in range(count):
        for b in range(books):
            if days[b] > 0 or daily_return[d, b] != 0.0:
                days[b] += 1
                total[b] += daily_return[d, b]
    for b in range(books):
        mean[b] = total[b] / days[b] if days[b] > 1 else 0.0
    for d in range(count):
        for b in range(books):
            away[b] = daily_return[d, b] - mean[b] if d >= count - days[b] else 0.0
        for a in range(books):
            for b in range(a + 1):
                alike[a, b] += away[a] * away[b]
    size = np.array([math.sqrt(alike[b, b]) for b in range(books)])
    trust = count / (count + UNCORRELATED_DAYS)
    for b in range(books):
        if days[b] > 1:
            deviation[b] = math.sqrt(alike[b, b] / (days[b] - 1))
    for a in range(books):
        for b in range(a):
            both = size[a] * size[b]
            alike[a, b] = alike[b, a] = trust * (alike[a, b] / both) if both > 0.0 else 0.0
        alike[a, a] = 1.0
    return days, mean, deviation, alike


def moments(returns: list[float]) -> tuple[float, float]:
    """Mean and standard deviation (n - 1) of a day, sums rounded once; (0, 0) of fewer than two."""
    n = len(returns)
    if n < 2:
        return 0.0, 0.0
    mean = math.fsum(returns) / n
    return mean, math.sqrt(math.fsum((r - mean) * (r - mean) for r in returns) / (n - 1))
