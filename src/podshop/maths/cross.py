"""Statistics over the markets of one row. Sums run from the smallest up, so the order of markets cannot matter."""

import numpy as np

from podshop.maths.compiled import compiled
from podshop.nouns import Panel

FEWEST = 3  # markets that make a cross-section
TIE = 1e-9  # two values this close, relative to their size, are one: the last bits of a sum are no ranking


def others(x: Panel) -> Panel:
    """Average over the other markets of the row that are known, for each market; NaN when fewer than two are.

    >>> others(np.array([[1.0, 2.0, 6.0]])).ravel()
    array([4. , 3.5, 1.5])
    """
    rows = np.array(x.T, dtype=np.float64, order="C", copy=True)
    answer = np.empty_like(rows)
    _others(rows, answer)
    return answer.T


def rank(x: Panel) -> Panel:
    """Place each market among the known ones of its row: (2 place - 1 - n) / n, the best near 1, the worst near -1.

    ->  (T, M) in (-1, 1), ties share their places; NaN where unknown or fewer than three are known.
        If all are alike it is spread evenly over (-1, 1), as a conviction is, and no outlier moves it.

    >>> rank(np.array([[0.1, 0.4, 0.2, 0.2]])).ravel()
    array([-0.75,  0.75,  0.  ,  0.  ])
    """
    rows = np.array(x.T, dtype=np.float64, order="C", copy=True)
    _rank(rows)
    return rows.T


@compiled
def _others(x: Panel, answer: Panel) -> None:
    row, who = np.empty(x.shape[0]), np.empty(x.shape[0], np.int64)
    for t in range(x.shape[1]):
        n = 0
        for m in range(x.shape[0]):  # sort the known ones by insertion: there are few, and often in order already
            if np.isfinite(x[m, t]):
                i = n
                while i > 0 and row[i - 1] > x[m, t]:
                    row[i], who[i] = row[i - 1], who[i - 1]
                    i -= 1
                row[i], who[i] = x[m, t], m
                n += 1
        for m in range(x.shape[0]):
            total, count = 0.0, 0
            for i in range(n):
                if who[i] != m:
                    total += row[i]
                    count += 1
            answer[m, t] = total / count if count >= FEWEST - 1 and np.isfinite(total) else np.nan


@compiled
def _rank(x: Panel) -> None:
    row = np.empty(x.shape[0])
    for t in range(x.shape[1]):
        row[:] = x[:, t]
        known = 0
        for m in range(len(row)):
            known += 1 if np.isfinite(row[m]) else 0
        for m in range(len(row)):
            lower, higher = 0, 0
            for i in range(len(row)):
                apart = TIE * max(abs(row[i]), abs(row[m]))
                lower += 1 if np.isfinite(row[i]) and row[m] - row[i] > apart else 0
                higher += 1 if np.isfinite(row[i]) and row[i] - row[m] > apart else 0
            x[m, t] = (lower - higher) / known if known >= FEWEST and np.isfinite(row[m]) else np.nan
