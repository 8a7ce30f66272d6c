"""Small symmetric systems in plain Python: the order of every operation is written down, so the answer is one answer.

For a few dozen books at most. A library's solver is faster and may answer otherwise on another machine.
"""

import math
from operator import mul

SWEEPS = 1000
CLOSE_ENOUGH = 1e-13


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve matrix x = right by Cholesky's decomposition.

    matrix  (N, N) symmetric, positive definite; only its lower half is read

    >>> [round(x, 9) for x in solve([[4.0, 2.0], [2.0, 3.0]], [8.0, 8.0])]
    [1.0, 2.0]
    """
    size = len(right)
    lower: list[list[float]] = []
    for i in range(size):
        row: list[float] = []
        for j in range(i):
            row.append((matrix[i][j] - math.fsum(map(mul, row, lower[j]))) / lower[j][j])
        row.append(math.sqrt(matrix[i][i] - math.fsum(map(mul, row, row))))
        lower.append(row)
    forward: list[float] = []
    for i in range(size):
        forward.append((right[i] - math.fsum(map(mul, lower[i], forward))) / lower[i][i])
    answer = [0.0] * size
    for i in reversed(range(size)):
        rest = math.fsum(lower[j][i] * answer[j] for j in range(i + 1, size))
        answer[i] = (forward[i] - rest) / lower[i][i]
    return answer


def best_holding(matrix: list[list[float]], reward: list[float]) -> list[float]:
    """The x >= 0 with the largest reward'x - x'matrix x / 2: the best mix of bets of which none may be sold.

    matrix  (N, N) symmetric, positive definite, every diagonal entry > 0

    One bet after another is set to its best while the others stay, until a sweep moves none by more than rounding.

    >>> best_holding([[1.0, 0.5], [0.5, 1.0]], [1.0, 0.2])
    [1.0, 0.0]
    """
    size = len(reward)
    x = [0.0] * size
    for _ in range(SWEEPS):
        moved = 0.0
        for i in range(size):
            slope = reward[i] - math.fsum(map(mul, matrix[i], x))
            best = max(0.0, x[i] + slope / matrix[i][i])
            moved = max(moved, abs(best - x[i]))
            x[i] = best
        if moved <= CLOSE_ENOUGH:
            break
    return x
