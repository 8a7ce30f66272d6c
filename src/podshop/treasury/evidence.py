"""What the shadow books' days prove: how many there are, their Sharpe ratios, and how alike the books are."""

import math
from operator import mul
from typing import NamedTuple

from podshop.nouns import Panel

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
    correlation: list[list[float]]

    @property
    def enough(self) -> list[bool]:
        """Which books have been seen long enough to be judged."""
        return [days >= FEWEST_DAYS and s > 0.0 for days, s in zip(self.days, self.deviation, strict=True)]


def evidence(daily_return: Panel) -> Evidence:
    """Weigh (D, B) daily returns, oldest first. Every sum is rounded once, as math.fsum does."""
    columns = daily_return.T.tolist()
    days = [_days(column) for column in columns]
    of_day = [moments(column[len(column) - n :]) for column, n in zip(columns, days, strict=True)]
    away = [
        [0.0] * (len(column) - n) + [r - mean for r in column[len(column) - n :]]
        for column, n, (mean, _) in zip(columns, days, of_day, strict=True)
    ]
    return Evidence(
        days=days,
        deviation=[deviation for _, deviation in of_day],
        sharpe=[mean / s * math.sqrt(DAYS_A_YEAR) if s > 0.0 else 0.0 for mean, s in of_day],
        correlation=correlation(away),
    )


def correlation(away: list[list[float]]) -> list[list[float]]:
    """(B, B) correlation of deviations from the mean; 0 with a book that does not vary, 1 with itself.

    Sums over common days, whatever is missing counting 0: positive semi-definite. All but the diagonal is then drawn
    toward 0 by UNCORRELATED_DAYS, which makes it positive definite.

    >>> [round(c, 3) for c in correlation([[1.0, -1.0] * 45, [1.0, -1.0] * 45])[0]]
    [1.0, 0.5]
    """
    books = len(away)
    seen = len(away[0]) if away else 0
    trust = seen / (seen + UNCORRELATED_DAYS)
    size = [math.sqrt(math.fsum(map(mul, column, column))) for column in away]
    answer = [[1.0] * books for _ in range(books)]
    for i in range(books):
        for j in range(i):
            both = size[i] * size[j]
            alike = math.fsum(map(mul, away[i], away[j])) / both if both > 0.0 else 0.0
            answer[i][j] = answer[j][i] = trust * alike
    return answer


def moments(returns: list[float]) -> tuple[float, float]:
    """Mean and standard deviation (n - 1) of a day; (0, 0) of fewer than two."""
    n = len(returns)
    if n < 2:
        return 0.0, 0.0
    mean = math.fsum(returns) / n
    return mean, math.sqrt(math.fsum((r - mean) * (r - mean) for r in returns) / (n - 1))


def _days(column: list[float]) -> int:
    """How many days there are from the first that is not 0."""
    first = next((i for i, r in enumerate(column) if r != 0.0), len(column))
    return len(column) - first
