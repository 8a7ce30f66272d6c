"""How a wish is traded: at once, by waiting at the touch, or in slices.

Source: Almgren & Chriss (2001), "Optimal execution of portfolio transactions", Journal of Risk 3(2), 5-40: without
risk aversion the cheapest schedule against impact is the even one.
"""

import math

import numpy as np

from podshop.maths.compiled import lean
from podshop.nouns import Int


@lean
def slice_of(want: np.int64, age: np.int64, urgency: Int) -> np.int64:
    """Lots of a want >= 0 to be taken in this cycle: an even share of what is left of its time, all when that is over.

    >>> slice_of(10, 0, 4), slice_of(7, 1, 4), slice_of(4, 3, 4), slice_of(4, 9, 4)
    (3, 3, 4, 4)
    """
    left: Int = urgency - age if urgency - age > 1 else 1
    return (want + left - 1) // left


@lean
def next_lots(lots: np.int64, wished: np.int64, age: np.int64, urgency: Int) -> np.int64:
    """Lots that a sliced wish leads to in this cycle.

    age, urgency  cycles the want has stood open, and within which it is to be met
    """
    if wished > lots:
        return lots + slice_of(wished - lots, age, urgency)
    return lots - slice_of(lots - wished, age, urgency)


@lean
def touch_price(reference_micro: Int, side: Int, half_spread: float) -> np.int64:
    """Limit of an order that rests at the touch: the mid better by half the spread, rounded against a fill.

    >>> touch_price(1000, 1, 0.001), touch_price(1000, -1, 0.001), touch_price(1, 1, 0.1)
    (999, 1001, 1)
    """
    if side > 0:
        return max(np.int64(1), np.int64(math.floor(reference_micro * (1.0 - half_spread))))
    return np.int64(math.ceil(reference_micro * (1.0 + half_spread)))


@lean
def trades_beyond(side: Int, limit_micro: Int, low_micro: Int, high_micro: Int) -> bool:
    """Whether a bar traded beyond a resting order's limit: a touch is no fill, since others stood before us.

    side                   > 0 for a buy
    low_micro, high_micro  of the bar; 0 where it did not trade
    """
    beyond = 0 < low_micro < limit_micro if side > 0 else high_micro > limit_micro
    return bool(beyond)
