"""Orders that rest at the venue through one bar: where they are placed, and what of them fills.

A touch fills nothing: the bar has to trade beyond the limit. So every fill has the price running against it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tests.reference.facts import Facts, Terms


@dataclass(frozen=True, kw_only=True)
class Resting:
    """One order through one bar.

    lots       signed
    most       lots that the bar fills at most
    reference  of the cycle that placed it
    wants      per book, what it would trade by this order: who gets what fills (a shadow book shares with nobody)
    """

    lots: int
    limit: int
    most: int
    reference: int
    wants: Sequence[int] = ()


def place(facts: Facts, terms: Terms, k: int, m: int, lots: int, wants: Sequence[int] = ()) -> Resting:
    """Rest at the touch of open k+1, on our side of the spread."""
    reference = facts.reference[k][m]
    if lots > 0:
        limit = max(1, math.floor(reference * (1.0 - terms.half_spread)))
    else:
        limit = math.ceil(reference * (1.0 + terms.half_spread))
    return Resting(lots=lots, limit=limit, most=facts.queued[k][m], reference=reference, wants=wants)


def filled(facts: Facts, k: int, m: int, order: Resting) -> int:
    """Signed lots that bar k fills of an order that rested through it. A bar that did not trade has low = high = 0."""
    if order.lots > 0:
        beyond = 0 < facts.low[k][m] < order.limit
        return min(order.lots, order.most) if beyond else 0
    beyond = facts.high[k][m] > order.limit
    return -min(-order.lots, order.most) if beyond else 0
