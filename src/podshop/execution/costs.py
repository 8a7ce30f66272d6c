"""What a trade is expected to cost and to bring, before it is wished for.

Over the mandate's outlook and per dollar traded. The edge is what its forecasts were worth (execution/evidence.py); the
cost is both ways in and out, and the funding in between. Square-root impact: Toth et al. (2011), Physical Review X 1,
021006.
"""

import math

import numpy as np

from podshop.maths.compiled import lean
from podshop.nouns import Int
from podshop.nouns.verdict import MAKER, TWAP


@lean
def one_way(
    style: Int, lots: np.int64, urgency: Int, sigma_day: float, depth_lots: float, half_spread: float,
    taker_fee: float, maker_fee: float, impact: float,
) -> float:  # fmt: skip
    """Cost of trading `lots` >= 0 one way, as a fraction of their price.

    A maker earns the half-spread where it is filled and gives it back in what the price then does: counted as a cost.
    urgency  cycles over which a TWAP is sliced; sigma_day daily volatility; depth_lots lots traded on a median day
    """
    if style == MAKER:
        return half_spread + maker_fee
    piece = (lots + urgency - 1) // urgency if style == TWAP else lots
    cost = half_spread + taker_fee
    if impact > 0.0:
        cost += impact * sigma_day * math.sqrt(piece / depth_lots)
    return cost


@lean
def round_trip(one_way_cost: float, side: Int, carry_hour: float, assumed_8h: float, outlook_hours: float) -> float:
    """In, out, and the funding over the outlook: expected to go on as it last was, or at the assumed rate if unknown.

    >>> round(round_trip(0.0005, 1, 0.00001, 0.0001, 24.0), 6), round(round_trip(0.0005, -1, 0.00001, 0.0001, 24.0), 6)
    (0.00124, 0.00076)
    """
    if math.isnan(carry_hour):
        return 2.0 * one_way_cost + assumed_8h * (outlook_hours / 8.0)
    return 2.0 * one_way_cost + side * carry_hour * outlook_hours


@lean
def expected_edge(slope: float, said: float, sigma_day: float, outlook_days: float) -> float:
    """Return over the outlook that an opinion of this strength is believed to bring, gross, a fraction."""
    return slope * abs(said) * sigma_day * math.sqrt(outlook_days)
