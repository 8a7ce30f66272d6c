"""From the books' wishes to one net order per market: the market's cap first, then netting.

Opposite interest always crosses, since it leaves the fund unchanged; what remains is the order.
"""

import math

import numpy as np

from podshop.maths.compiled import compiled
from podshop.nouns import Whole

DRIFT = 1.25  # a position above this times its cap is brought back


@compiled
def cap_bound(held: int, target: int, cap: int) -> int:
    """Largest net position that wishes may lead to, in lots >= 0.

    held    net lots now; what is held on the target's side may stay, until it has drifted above 1.25 x the cap
    target  net lots wished
    cap     lots that the position limit allows

    >>> cap_bound(110, 200, 100), cap_bound(130, 200, 100), cap_bound(-110, 200, 100)
    (110, 100, 100)
    """
    same_side = (held > 0 and target > 0) or (held < 0 and target < 0)
    if same_side and cap < abs(held) <= DRIFT * cap:
        return abs(held)
    return cap


@compiled
def wishes_within_cap(wished: Whole, held: Whole, cap: int, want: Whole) -> bool:
    """Change that each book wishes, after the majority's targets were scaled into the cap; says whether they were.

    wished, held  (B1,) lots each book wishes to hold, and holds
    cap           lots, >= 0
    want          (B1,) receives the change

    Newcomers and incumbents share alike: the re-sharing crosses inside at no cost.
    """
    longs = np.int64(0)
    shorts = np.int64(0)
    net = np.int64(0)
    for b in range(wished.shape[0]):
        if wished[b] > 0:
            longs += wished[b]
        else:
            shorts -= wished[b]
        net += held[b]
    target = longs - shorts
    bound = cap_bound(net, target, cap)
    if abs(target) <= bound:
        for b in range(wished.shape[0]):
            want[b] = wished[b] - held[b]
        return False
    majority, minority = (longs, shorts) if target > 0 else (shorts, longs)
    factor = (bound + minority) / majority
    for b in range(wished.shape[0]):
        if (wished[b] > 0) == (target > 0) and wished[b] != 0:
            want[b] = np.int64(wished[b] * factor) - held[b]
        else:
            want[b] = wished[b] - held[b]
    return True


@compiled
def cap_lots(weight: float, nav_micro: int, mark_micro: int) -> int:
    """Most lots that a share of NAV buys at the mark, rounded down."""
    return np.int64(max(math.floor(weight * nav_micro / mark_micro), 0.0))
