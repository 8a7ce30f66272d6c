"""From the books' wishes to one net order per market: the market's cap first, then netting.

Opposite interest always crosses, since it leaves the fund unchanged; what remains is the order.
"""

import math

import numpy as np

from podshop.maths.compiled import lean
from podshop.nouns import Flags, Int, Whole
from podshop.nouns.verdict import MAKER

DRIFT = 1.25  # a position above this times its cap is brought back


@lean
def cap_bound(held: np.int64, target: np.int64, cap: np.int64) -> np.int64:
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


@lean
def wishes_within_cap(
    wished: Whole, lots: Whole, m: Int, held: np.int64, cap: np.int64, want: Whole
) -> tuple[np.int64, np.int64, np.int64]:
    """Change that each book wishes in market m, after the majority's targets were scaled into the cap.

    wished, lots  (M, B1) lots each book wishes to hold, and holds; held: their net
    cap           lots, >= 0
    want          (M, B1) receives the change
    ->            lots bought, lots sold (>= 0), and the net lots wished before the cap

    Newcomers and incumbents share alike: the re-sharing crosses inside at no cost.
    """
    wish_of, lots_of, want_of = wished[m], lots[m], want[m]
    longs = np.int64(0)
    target = np.int64(0)
    buys = np.int64(0)
    net = np.int64(0)
    for b in range(wish_of.shape[0]):
        wish = wish_of[b]
        change = wish - lots_of[b]
        want_of[b] = change
        target += wish
        longs += max(wish, 0)
        net += change
        buys += max(change, 0)
    bound = cap_bound(held, target, cap)
    if abs(target) <= bound:
        return buys, buys - net, target
    minority = longs - target if target > 0 else longs
    majority = longs if target > 0 else longs - target
    factor = (bound + minority) / majority
    buys = np.int64(0)
    net = np.int64(0)
    for b in range(wish_of.shape[0]):
        wish = wish_of[b]
        if (wish > 0 and target > 0) or (wish < 0 and target < 0):
            wish = np.int64(wish * factor)
        change = wish - lots_of[b]
        want_of[b] = change
        net += change
        buys += max(change, 0)
    return buys, buys - net, target


@lean
def small(lots: Int, mark: Int, min_order_micro: Int, min_notional: Int) -> bool:
    """Whether an order is not worth sending, or the venue would refuse it."""
    worth = lots * mark
    return bool(worth <= min_order_micro or worth < min_notional)


@lean
def mark_makers(
    want: Whole, m: Int, side: Int, patient: Whole, style: Whole, age: Whole, urgency: Whole, makers: Flags
) -> np.int64:
    """Mark the majority's makers that still wait in market m; answers the lots they wish.

    want, age, makers  (M, B1) signed changes wished, cycles they have stood open, and the marks
    patient            (P,) books that are no takers; style, urgency (B1,)
    """
    for b in range(want.shape[1]):
        makers[m, b] = False
    waiting = np.int64(0)
    for i in range(patient.shape[0]):
        b = patient[i]
        wish = want[m, b] * side
        waits = wish > 0 and style[b] == MAKER and age[m, b] < urgency[b]
        makers[m, b] = waits
        waiting += wish if waits else np.int64(0)
    return waiting


@lean
def cap_lots(weight: float, nav_micro: Int, mark_micro: Int) -> np.int64:
    """Most lots that a share of NAV buys at the mark, rounded down."""
    return np.int64(max(math.floor(weight * nav_micro / mark_micro), 0.0))
