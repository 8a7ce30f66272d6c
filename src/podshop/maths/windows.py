"""The compiled loops behind `maths.rolling`: a window is the tail of one block and the head of the next.

Rows are (M, T) of contiguous time and are overwritten by the answer, a row being read before it is written.
`tail_*[j]` holds what rows j.. of the block before add up to; rows that are NaN or infinite are unknown.
"""

import math

import numpy as np
from numpy.typing import NDArray

from podshop.maths.compiled import compiled
from podshop.nouns import Panel

FLAT = 1e-9  # a deviation this small beside its level is rounding, not movement
EXPLAINED = 1e-6  # a line that leaves less than this share of the variance leaves rounding


@compiled
def sums(x: Panel, window: int, needed: int, newest: bool) -> None:
    """Replace every row by the total of its window."""
    _add_up(x, window, needed, newest, False)


@compiled
def means(x: Panel, window: int, needed: int, newest: bool) -> None:
    """Replace every row by the average of its window."""
    _add_up(x, window, needed, newest, True)


@compiled
def _add_up(x: Panel, window: int, needed: int, newest: bool, average: bool) -> None:
    size = min(window, x.shape[1])
    tail, tail_n, block = np.zeros(size + 1), np.zeros(size + 1, np.int64), np.empty(size)
    for m in range(x.shape[0]):
        tail[:], tail_n[:] = 0.0, 0
        for start in range(0, x.shape[1], size):
            stop = min(start + size, x.shape[1])
            block[: stop - start] = x[m, start:stop]
            head, head_n = 0.0, 0
            for i in range(stop - start):
                known = math.isfinite(block[i])
                if known:
                    head += block[i]
                    head_n += 1
                n = head_n + tail_n[i + 1]
                total = head + tail[i + 1]
                answer = total / n if average else total
                ok = n >= needed and n > 0 and (known or not newest) and math.isfinite(answer)
                x[m, start + i] = answer if ok else np.nan
            for i in range(stop - start - 1, -1, -1):
                known = math.isfinite(block[i])
                tail[i] = tail[i + 1] + (block[i] if known else 0.0)
                tail_n[i] = tail_n[i + 1] + (1 if known else 0)


@compiled
def moments(x: Panel, deviation: Panel, window: int, needed: int, newest: bool) -> None:
    """Replace every row by the average of its window, and write the population standard deviation beside it."""
    size = min(window, x.shape[1])
    tail_n, tail_mean, tail_m2 = np.zeros(size + 1, np.int64), np.zeros(size + 1), np.zeros(size + 1)
    block = np.empty(size)
    for m in range(x.shape[0]):
        tail_n[:], tail_mean[:], tail_m2[:] = 0, 0.0, 0.0
        for start in range(0, x.shape[1], size):
            stop = min(start + size, x.shape[1])
            block[: stop - start] = x[m, start:stop]
            n, mean, m2 = 0, 0.0, 0.0
            for i in range(stop - start):
                known = math.isfinite(block[i])
                if known:
                    n += 1
                    off = block[i] - mean
                    mean += off / n
                    m2 += off * (block[i] - mean)
                both = n + tail_n[i + 1]
                average, square = mean, m2
                if tail_n[i + 1] > 0:
                    off = tail_mean[i + 1] - mean
                    share = tail_n[i + 1] / both
                    average = mean + off * share
                    square = m2 + tail_m2[i + 1] + off * off * share * n
                spread = math.sqrt(square / both) if both > 0 else np.nan
                ok = both >= needed and (known or not newest) and math.isfinite(average)
                x[m, start + i] = average if ok else np.nan
                moved = ok and spread > FLAT * abs(average) and math.isfinite(spread)
                deviation[m, start + i] = spread if moved else np.nan
            for i in range(stop - start - 1, -1, -1):
                tail_n[i], tail_mean[i], tail_m2[i] = tail_n[i + 1], tail_mean[i + 1], tail_m2[i + 1]
                if math.isfinite(block[i]):
                    tail_n[i] += 1
                    off = block[i] - tail_mean[i]
                    tail_mean[i] += off / tail_n[i]
                    tail_m2[i] += off * (block[i] - tail_mean[i])


@compiled
def largest(x: Panel, window: int, needed: int, newest: bool) -> None:
    """Replace every row by the largest of its window."""
    size = min(window, x.shape[1])
    tail, tail_n, block = np.zeros(size + 1), np.zeros(size + 1, np.int64), np.empty(size)
    for m in range(x.shape[0]):
        tail[:], tail_n[:] = -np.inf, 0
        for start in range(0, x.shape[1], size):
            stop = min(start + size, x.shape[1])
            block[: stop - start] = x[m, start:stop]
            head, head_n = -np.inf, 0
            for i in range(stop - start):
                known = math.isfinite(block[i])
                if known:
                    head = max(head, block[i])
                    head_n += 1
                n = head_n + tail_n[i + 1]
                ok = n >= needed and n > 0 and (known or not newest)
                x[m, start + i] = max(head, tail[i + 1]) if ok else np.nan
            for i in range(stop - start - 1, -1, -1):
                tail[i], tail_n[i] = tail[i + 1], tail_n[i + 1]
                if math.isfinite(block[i]):
                    tail[i] = max(tail[i], block[i])
                    tail_n[i] += 1


@compiled
def medians(x: Panel, window: int, needed: int, newest: bool) -> None:
    """Replace every row by the median of its window, which is kept in order: one leaves, one is let in."""
    size = min(window, x.shape[1])
    order, column = np.empty(size), np.empty(x.shape[1])
    for m in range(x.shape[0]):
        column[:] = x[m]
        n = 0
        for t in range(len(column)):
            if t >= size and math.isfinite(column[t - size]):
                i = np.searchsorted(order[:n], column[t - size])
                order[i : n - 1] = order[i + 1 : n].copy()
                n -= 1
            known = math.isfinite(column[t])
            if known:
                i = np.searchsorted(order[:n], column[t])
                order[i + 1 : n + 1] = order[i:n].copy()
                order[i] = column[t]
                n += 1
            ok = n >= needed and n > 0 and (known or not newest)
            x[m, t] = 0.5 * order[(n - 1) // 2] + 0.5 * order[n // 2] if ok else np.nan


@compiled
def decayed(x: Panel, power: NDArray[np.float64], window: int, needed: int, newest: bool) -> None:
    """Replace every row by the average of its window with weight power[age]."""
    size = min(window, x.shape[1])
    tail, tail_w, tail_n = np.zeros(size + 1), np.zeros(size + 1), np.zeros(size + 1, np.int64)
    block = np.empty(size)
    for m in range(x.shape[0]):
        tail[:], tail_w[:], tail_n[:] = 0.0, 0.0, 0
        for start in range(0, x.shape[1], size):
            stop = min(start + size, x.shape[1])
            block[: stop - start] = x[m, start:stop]
            head, head_w, head_n = 0.0, 0.0, 0
            for i in range(stop - start):
                known = math.isfinite(block[i])
                head, head_w = head * power[1], head_w * power[1]
                if known:
                    head, head_w, head_n = head + block[i], head_w + 1.0, head_n + 1
                n = head_n + tail_n[i + 1]
                answer = (head + power[i + 1] * tail[i + 1]) / (head_w + power[i + 1] * tail_w[i + 1])
                ok = n >= needed and n > 0 and (known or not newest) and math.isfinite(answer)
                x[m, start + i] = answer if ok else np.nan
            for i in range(stop - start - 1, -1, -1):  # age is counted from the block's last row
                tail[i], tail_w[i], tail_n[i] = tail[i + 1], tail_w[i + 1], tail_n[i + 1]
                if math.isfinite(block[i]):
                    weight = power[stop - start - 1 - i]
                    tail[i], tail_w[i], tail_n[i] = tail[i] + weight * block[i], tail_w[i] + weight, tail_n[i] + 1


@compiled
def lines(y: Panel, x: Panel, slope: Panel, left: Panel, window: int, needed: int, newest: bool) -> None:
    """Fit y on x over every window: write slope and the deviation left over; y and x become their averages."""
    size = min(window, x.shape[1])
    tail, head, off = np.zeros((size + 1, 6)), np.zeros(6), np.zeros(2)
    block = np.empty((size, 2))
    for m in range(x.shape[0]):
        tail[:] = 0.0
        for start in range(0, x.shape[1], size):
            stop = min(start + size, x.shape[1])
            block[: stop - start, 0] = x[m, start:stop]
            block[: stop - start, 1] = y[m, start:stop]
            head[:] = 0.0
            for i in range(stop - start):
                known = _take_in(head, block[i, 0], block[i, 1])
                n, n_tail = head[0] + tail[i + 1, 0], tail[i + 1, 0]
                share = n_tail / n if n > 0 else 0.0
                off[0], off[1] = tail[i + 1, 1] - head[1], tail[i + 1, 2] - head[2]
                between = share * head[0]
                xx = head[3] + tail[i + 1, 3] + off[0] * off[0] * between
                xy = head[4] + tail[i + 1, 4] + off[0] * off[1] * between
                yy = head[5] + tail[i + 1, 5] + off[1] * off[1] * between
                mean_x, mean_y = head[1] + off[0] * share, head[2] + off[1] * share
                b = xy / xx
                rest = (yy - b * xy) / n
                ok = n >= needed and (known or not newest) and math.sqrt(xx / n) > FLAT * abs(mean_x)
                ok = ok and rest > EXPLAINED * yy / n and math.sqrt(yy / n) > FLAT * abs(mean_y) and math.isfinite(rest)
                x[m, start + i] = mean_x if ok else np.nan
                y[m, start + i] = mean_y if ok else np.nan
                slope[m, start + i] = b if ok else np.nan
                left[m, start + i] = math.sqrt(rest) if ok else np.nan
            for i in range(stop - start - 1, -1, -1):
                tail[i] = tail[i + 1]
                _take_in(tail[i], block[i, 0], block[i, 1])


@compiled
def _take_in(s: NDArray[np.float64], x: float, y: float) -> bool:
    """Add a pair to (n, mean x, mean y, Sxx, Sxy, Syy)."""
    if not (math.isfinite(x) and math.isfinite(y)):
        return False
    s[0] += 1.0
    dx, dy = x - s[1], y - s[2]
    s[1] += dx / s[0]
    s[2] += dy / s[0]
    s[3] += dx * (x - s[1])
    s[4] += dx * (y - s[2])
    s[5] += dy * (y - s[2])
    return True
