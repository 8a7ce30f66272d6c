"""Small symmetric systems: the order of every operation is written down, so the answer is one answer.

For a few dozen books at most. A library's solver is faster on large ones and may answer otherwise on another machine.
"""

import math

import numpy as np

from podshop.maths.compiled import compiled
from podshop.nouns import Panel

SWEEPS = 1000
CLOSE_ENOUGH = 1e-13


@compiled
def solve(matrix: Panel, right: Panel) -> Panel:
    """Solve matrix x = right by Cholesky's decomposition.

    matrix  (N, N) symmetric, positive definite; only its lower half is read

    >>> solve(np.array([[4.0, 2.0], [2.0, 3.0]]), np.array([8.0, 8.0])).round(9)
    array([1., 2.])
    """
    size = len(right)
    lower, x = np.zeros((size, size)), np.zeros(size)
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i, j]
            for k in range(j):
                rest -= lower[i, k] * lower[j, k]
            lower[i, j] = math.sqrt(rest) if i == j else rest / lower[j, j]
    for i in range(size):
        rest = right[i]
        for k in range(i):
            rest -= lower[i, k] * x[k]
        x[i] = rest / lower[i, i]
    for i in range(size - 1, -1, -1):
        rest = x[i]
        for k in range(i + 1, size):
            rest -= lower[k, i] * x[k]
        x[i] = rest / lower[i, i]
    return x


@compiled
def best_holding(matrix: Panel, reward: Panel) -> Panel:
    """The x >= 0 with the largest reward'x - x'matrix x / 2: the best mix of bets of which none may be sold.

    matrix  (N, N) symmetric, positive definite, every diagonal entry > 0

    One bet after another is set to its best while the others stay, until a sweep moves none by more than rounding.

    >>> best_holding(np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([1.0, 0.2]))
    array([1., 0.])
    """
    size = len(reward)
    x = np.zeros(size)
    for _ in range(SWEEPS):
        moved = 0.0
        for i in range(size):
            slope = reward[i]
            for j in range(size):
                slope -= matrix[i, j] * x[j]
            best = max(0.0, x[i] + slope / matrix[i, i])
            moved = max(moved, abs(best - x[i]))
            x[i] = best
        if moved <= CLOSE_ENOUGH:
            break
    return x
