"""The facts of the market by their definitions: risk and volume at one moment, summed anew each time.

The fund's own reckoning uses recursions over whole arrays; these sums are what those must come to (to 1e-9, since a
sum in another order rounds otherwise; `liquidity` to a lot). Rows are risk bars, max(1 h, interval) long, oldest
first, the last one complete at t_k; NaN = no bar or no trade.
"""

import math
from collections.abc import Sequence

from tests.reference.facts import DAY_NS, HOUR_NS

Rows = Sequence[Sequence[float]]

WINDOW_DAYS, HALF_LIFE_DAYS = 50, 10


def marks(closes: Rows, volumes: Rows, scale: Sequence[float], k: int) -> tuple[list[int], list[int]]:
    """Micro-dollars per lot of the last traded close up to row k (0 = none), and its age in bars."""
    found: list[tuple[int, int]] = []
    for m, micro_scale in enumerate(scale):
        traded = [i for i in range(k + 1) if volumes[i][m] > 0]
        found.append((round(closes[traded[-1]][m] * micro_scale), k - traded[-1]) if traded else (0, k + 1))
    return [mark for mark, _ in found], [age for _, age in found]


def daily_covariance(closes: Rows, risk_bar_ns: int) -> list[list[float]]:
    """EWMA of the window's returns, each pair weighed by what is known: positive semi-definite whatever is missing."""
    window, decay = WINDOW_DAYS * DAY_NS // risk_bar_ns, 0.5 ** (risk_bar_ns / (HALF_LIFE_DAYS * DAY_NS))
    markets = range(len(closes[0]))
    a, n = [[0.0 for _ in markets] for _ in markets], [0.0 for _ in markets]
    last = len(closes) - 1
    for i in range(max(1, last - window + 1), last + 1):
        r = [math.log(closes[i][m] / closes[i - 1][m]) for m in markets]  # NaN where either close is
        weight = decay ** (last - i)
        for m in markets:
            if not math.isnan(r[m]):
                n[m] += weight
                for o in markets:
                    a[m][o] += weight * r[m] * (0.0 if math.isnan(r[o]) else r[o])
    bars_a_day = DAY_NS / risk_bar_ns
    return [[a[m][o] / math.sqrt(n[m] * n[o]) * bars_a_day if n[m] * n[o] else 0.0 for o in markets] for m in markets]


def gate_covariance(s: Rows, history_ns: Sequence[int]) -> tuple[list[list[float]], list[float]]:
    """The gate's S and sigma_day: unknown under ten days; under ninety, no calmer than three quarters of the old."""
    markets = range(len(s))
    known = [history_ns[m] >= 10 * DAY_NS for m in markets]
    old = sorted(s[m][m] for m in markets if history_ns[m] >= 90 * DAY_NS)
    stretch = [1.0 for _ in markets]
    for m in markets:
        young = known[m] and history_ns[m] < 90 * DAY_NS
        if young and old and 0.0 < s[m][m] < percentile_75(old):
            stretch[m] = math.sqrt(percentile_75(old) / s[m][m])
    gated = [[s[m][o] * stretch[m] * stretch[o] if known[m] and known[o] else 0.0 for o in markets] for m in markets]
    return gated, [math.sqrt(gated[m][m]) if gated[m][m] > 0.0 else math.nan for m in markets]


def percentile_75(ordered: Sequence[float]) -> float:
    """Linear between the two nearest of sorted values."""
    at = 0.75 * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def depth(volumes: Sequence[float], risk_bar_ns: int, lot_size: float) -> float:
    """Lots a day: the median of the last seven days of one market's volumes; NaN with less than a day of them."""
    last = sorted(volume for volume in volumes[-(7 * DAY_NS // risk_bar_ns) :] if not math.isnan(volume))
    if len(last) * risk_bar_ns < DAY_NS:
        return math.nan
    middle = len(last) // 2
    median = last[middle] if len(last) % 2 else (last[middle - 1] + last[middle]) / 2.0
    return median * (DAY_NS / risk_bar_ns) / lot_size


def liquidity(
    depth_lots: float, sigma_day: float, interval_ns: int, participation: float, collar: float, half_spread: float,
    impact: float,
) -> int:  # fmt: skip
    """Most lots of one order: its share of a bar's volume, and no further than its collar."""
    if math.isnan(depth_lots) or math.isnan(sigma_day):
        return 0
    share = participation * depth_lots * interval_ns / DAY_NS
    if impact == 0.0:
        return math.floor(share)
    return math.floor(min(share, depth_lots * ((collar - half_spread) / (impact * sigma_day)) ** 2))


def own_sigma(closes: Sequence[float], risk_bar_ns: int, half_life_ns: int) -> float:
    """One market's daily volatility by the half-life of one mandate, over five of them; NaN where nothing moved."""
    window, decay = 5 * half_life_ns // risk_bar_ns, 0.5 ** (risk_bar_ns / half_life_ns)
    a = n = 0.0
    for age in range(min(window, len(closes) - 1)):
        r = math.log(closes[-1 - age] / closes[-2 - age])  # NaN where either close is
        if not math.isnan(r):
            a += decay**age * r * r
            n += decay**age
    return math.sqrt(a / n * (DAY_NS / risk_bar_ns)) if a > 0.0 else math.nan


def bar_range(low: float, high: float, volume: float, micro_scale: float) -> tuple[int, int]:
    """How far a bar went, micro-dollars per lot, rounded inward: what is sure to have traded. 0 where none did."""
    return (math.ceil(low * micro_scale), math.floor(high * micro_scale)) if volume > 0 else (0, 0)


def queued(depth_lots: float, interval_ns: int, participation: float, queue: float) -> int:
    """Lots that one bar fills of an order resting through it: its share of a usual bar less who was there first."""
    return 0 if math.isnan(depth_lots) else math.floor((1 - queue) * participation * depth_lots * interval_ns / DAY_NS)


def carry(recorded: Sequence[tuple[int, float]], at_ns: int) -> float:
    """What a long pays an hour by the latest recorded settlement (time, rate) of a market; NaN where that is old."""
    known = [event for event in recorded if event[0] <= at_ns]
    if not known or at_ns - known[-1][0] > 16 * HOUR_NS:
        return math.nan
    hours = (known[-1][0] - known[-2][0]) / HOUR_NS if len(known) > 1 else 8.0
    return known[-1][1] / min(hours, 8.0)
