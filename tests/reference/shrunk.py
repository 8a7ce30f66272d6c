"""Capital by belief, as section 9 says it: plain lists, Gauss for equations, and every mix tried for the best."""

import math
from collections.abc import Sequence
from itertools import combinations

YEAR = 365
Columns = Sequence[Sequence[float]]


def weights(
    returns: Columns, before: Sequence[float], prior: Sequence[float], *, prior_days: float = 730.0,
    invest_all_from: float = 0.5, back_from: float = 0.1, floor: float = 0.25, cap: float = 2.0, band: float = 0.2,
    turnover: float = 0.05,
) -> list[float]:  # fmt: skip
    """Today's weights.

    returns  of each book the days of the last year, oldest first
    before   the policy's own weights of the day before
    prior    annual Sharpe ratio expected of each book
    """
    books = range(len(before))
    n, std, sharpe, away = zip(*(seen(column) for column in returns), strict=True)
    judged = [b for b in books if n[b] >= 30 and std[b] > 0.0]
    alike = correlation(away)
    theta = list(prior)
    wide = [
        [alike[i][j] * YEAR / math.sqrt(n[i] * n[j]) + (YEAR / prior_days) * (i == j) for j in judged] for i in judged
    ]
    for b, part in zip(judged, solved(wide, [sharpe[b] - prior[b] for b in judged]), strict=True):
        theta[b] += YEAR / prior_days * part
    employed = [b for b in judged if theta[b] >= (back_from if before[b] == 0.0 else 0.0)]
    wanted = [0.0 if b in judged else 1.0 / len(before) for b in books]
    mix = best_mix([[alike[i][j] for j in employed] for i in employed], [theta[b] for b in employed])
    believed = math.sqrt(sum(u * theta[b] for u, b in zip(mix, employed, strict=True)))
    money = [u / std[b] for u, b in zip(mix, employed, strict=True)]
    room = len(judged) / len(before)
    least, most = floor / len(before), min(1.0, cap / len(before))
    for b, part in zip(employed, money, strict=True):
        share = room * min(1.0, believed / invest_all_from) * part / sum(money) if sum(money) > 0.0 else 0.0
        wanted[b] = min(max(share, least), most)
    above = sum(wanted[b] - least for b in employed)
    surplus = sum(wanted[b] for b in employed) - room
    if surplus > 0.0 and above > 0.0:
        for b in employed:
            wanted[b] = least + (wanted[b] - least) * max(0.0, 1.0 - surplus / above)
    return moved(wanted, before, band / len(before), turnover)


def seen(column: Sequence[float]) -> tuple[int, float, float, list[float]]:
    """Days since the first that is not 0, deviation, annual Sharpe ratio, and deviations from the mean, 0 before."""
    first = next((d for d, x in enumerate(column) if x != 0.0), len(column))
    days = column[first:]
    n = len(days)
    if n < 2:
        return n, 0.0, 0.0, [0.0 for _ in column]
    mean = sum(days) / n
    away = [0.0] * first + [x - mean for x in days]
    std = math.sqrt(sum(x * x for x in away) / (n - 1))
    return n, std, mean / std * math.sqrt(YEAR) if std > 0.0 else 0.0, away


def correlation(away: Columns) -> list[list[float]]:
    """Sums over common days, drawn toward 0 as if by 90 days more."""
    days, books = len(away[0]), range(len(away))
    size = [math.sqrt(sum(x * x for x in column)) for column in away]
    trust = days / (days + 90)
    return [
        [
            1.0 if i == j
            else trust * (sum(x * y for x, y in zip(away[i], away[j], strict=True)) / (size[i] * size[j]))
            if size[i] * size[j] > 0.0
            else 0.0
            for j in books
        ]
        for i in books
    ]  # fmt: skip


def best_mix(alike: Sequence[Sequence[float]], theta: Sequence[float]) -> list[float]:
    """u >= 0 with the largest theta'u - u'Cu / 2: of every set's free optimum the best that sells none."""
    best, most = [0.0 for _ in theta], 0.0
    for size in range(1, len(theta) + 1):
        for chosen in combinations(range(len(theta)), size):
            u = solved([[alike[i][j] for j in chosen] for i in chosen], [theta[i] for i in chosen])
            value = sum(x * theta[i] for x, i in zip(u, chosen, strict=True)) / 2.0
            if min(u) >= 0.0 and value > most:
                most, best = value, [dict(zip(chosen, u, strict=True)).get(i, 0.0) for i in range(len(theta))]
    return best


def moved(wanted: Sequence[float], before: Sequence[float], band: float, turnover: float) -> list[float]:
    """Toward what is wanted: not for a trifle, not more than is free, not too much in a day."""
    step = [w - b if abs(w - b) >= band or w == 0.0 else 0.0 for w, b in zip(wanted, before, strict=True)]
    ups, downs = sum(s for s in step if s > 0.0), -sum(s for s in step if s < 0.0)
    free = max(0.0, 1.0 - sum(before) + downs)
    if ups > free:
        step = [s * free / ups if s > 0.0 else s for s in step]
    size = sum(map(abs, step))
    if size > turnover:
        step = [s * (turnover / size) for s in step]
    return [max(0.0, b + s) for b, s in zip(before, step, strict=True)]


def solved(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """x with matrix x = right, by elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for i in range(size):
        top = max(range(i, size), key=lambda r: abs(rows[r][i]))
        rows[i], rows[top] = rows[top], rows[i]
        for r in range(i + 1, size):
            factor = rows[r][i] / rows[i][i]
            rows[r] = [a - factor * b for a, b in zip(rows[r], rows[i], strict=True)]
    x = [0.0 for _ in rows]
    for i in reversed(range(size)):
        x[i] = (rows[i][size] - sum(rows[i][j] * x[j] for j in range(i + 1, size))) / rows[i][i]
    return x
