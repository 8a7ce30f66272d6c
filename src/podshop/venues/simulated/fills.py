"""How the simulated venue fills: at the next bar's open, worse by half the spread and by our own impact.

Square-root impact: Toth et al. (2011), "Anomalous price impact and the critical nature of liquidity in financial
markets", Physical Review X 1, 021006. An order is limited at its collar: what would cost more does not fill.
"""

import math

import numpy as np

from podshop.maths.compiled import lean
from podshop.nouns import DAY_NS, Int, Panel, Whole


@lean
def slipped_price(
    reference_micro: Int, lots: np.int64, depth_lots: float, sigma_day: float, half_spread: float, impact: float
) -> np.int64:
    """Price of a fill of `lots` (signed), rounded against us; micro-dollars per lot.

    reference_micro  the mid at execution, micro-dollars per lot, > 0
    depth_lots       lots traded on a median day, > 0
    sigma_day        daily volatility, fraction
    half_spread      fraction of price
    impact           coefficient of sigma x sqrt(lots / depth)
    """
    cost = half_spread
    if impact > 0.0:
        cost = half_spread + impact * sigma_day * math.sqrt(abs(lots) / depth_lots)
    if lots > 0:
        return np.int64(math.ceil(reference_micro * (1.0 + cost)))
    return max(np.int64(1), np.int64(math.floor(reference_micro * (1.0 - cost))))


def queued(depth_lots: Panel, interval_ns: int, participation: float, queue: float) -> Whole:
    """Most lots that one bar fills of an order resting through it, behind those who stood there before.

    depth_lots  (H, M); NaN = unknown: nothing
    queue       share of what a bar would fill that is theirs
    ->          (H, M) int64
    """
    lots = np.floor((1.0 - queue) * participation * depth_lots * interval_ns / DAY_NS)
    return np.where(np.isfinite(lots), np.minimum(lots, 2.0**31), 0.0).astype(np.int64)


def liquidity(
    depth_lots: Panel,
    sigma_day: Panel,
    interval_ns: int,
    *,
    participation: float,
    collar: float,
    half_spread: float,
    impact: float,
) -> Whole:
    """Most lots that one order can fill in one bar, from what is known at the decision.

    depth_lots, sigma_day  (H, M); NaN = unknown: nothing is tradable
    participation          share of the bar's usual volume that we may take
    collar                 worst price accepted, as a fraction from the reference
    ->                     (H, M) int64
    """
    by_volume = participation * depth_lots * interval_ns / DAY_NS
    with np.errstate(divide="ignore", over="ignore"):
        by_price = depth_lots * ((collar - half_spread) / (impact * sigma_day)) ** 2
    lots = np.floor(np.minimum(by_volume, by_price))
    return np.where(np.isfinite(lots), np.minimum(lots, 2.0**31), 0.0).astype(np.int64)
