"""What a shadow book carries from stretch to stretch, its mandate in numbers, and what it writes."""

from typing import NamedTuple

import numpy as np

from podshop.nouns import Flags, Panel, Times, Whole


class Shadow(NamedTuple):
    """One shadow book, carried from stretch to stretch. m counts the mandate's own markets."""

    lots: Whole  # (m,)
    target: Whole  # (m,)
    entry: Panel  # (m,) average price, micro-dollars per lot
    sigma_entry: Panel  # (m,) daily, when the position was opened
    since: Times  # (m,) when it was opened
    blocked: Whole  # (m,) side that may not be opened again until the opinion has been 0 or turned
    silent_since: Times  # (m,) first cadence without an opinion, 0 = there is one
    side: Whole  # (m,) of the want that stands open
    age: Whole  # (m,) cycles for which it has stood open
    resting: Whole  # (m, 4) maker order: lots (signed), limit, most lots that fill, mid when it was placed
    spent: Whole  # (m,) fees and slippage so far, micro-dollars
    passed: Flags  # (m,) the cost gate let the last one through that asked
    noted: Whole  # (m,) what was held back at the last cadence: side x code, 0 = nothing
    cash: Whole  # (1,)


class Orders(NamedTuple):
    """A mandate in numbers."""

    markets: Whole  # (m,) indices into the fund's markets
    volatility_target: float
    typical: float
    buffer: float
    stop: float
    longest_ns: int
    patience_ns: int  # how long a position is held without an opinion
    style: int
    urgency: int  # cycles
    outlook_days: float
    cost_factor: float
    budget_micro: float  # that one market's trading may cost a year
    began_ns: int  # first decision of the run


class Notes(NamedTuple):
    """Room for what one book held back in a stretch."""

    used: Whole  # (1,)
    whole: Whole  # (n, 5) cycle of the stretch, market, code, lots held back, lots wished instead
    real: Panel  # (n, 2) measured, bound


def new_shadow(markets: int, reference_micro: int) -> Shadow:
    """A shadow book with its reference capital in cash."""

    def whole(*more: int) -> Whole:
        return np.zeros((markets, *more), np.int64)

    return Shadow(
        lots=whole(),
        target=whole(),
        entry=np.zeros(markets),
        sigma_entry=np.zeros(markets),
        since=whole(),
        blocked=whole(),
        silent_since=whole(),
        side=whole(),
        age=whole(),
        resting=whole(4),
        spent=whole(),
        passed=np.zeros(markets, np.bool_),
        noted=whole(),
        cash=np.array([reference_micro], np.int64),
    )


def new_notes(most: int) -> Notes:
    """Room for so many notes."""
    return Notes(np.zeros(1, np.int64), np.empty((most, 5), np.int64), np.empty((most, 2)))
