"""What a fill does to cash: one integer function in every world."""

import numpy as np

from podshop.maths.compiled import lean
from podshop.nouns import Int

FEE_UNIT = 100_000_000  # a fee of 1e-8 of notional is the finest that can be configured


@lean
def fee_of(lots: np.int64, price_micro: Int, fee_e8: Int) -> np.int64:
    """Fee of one venue fill, rounded up once.

    lots, price_micro  signed lots; micro-dollars per lot
    fee_e8             fee in 1e-8 of notional (4.5 bps = 45_000)
    ->                 micro-dollars >= 0

    >>> int(fee_of(-3, 1_000_001, 45_000))
    1351
    """
    notional = abs(lots) * price_micro
    whole = notional // FEE_UNIT
    rest = notional - whole * FEE_UNIT  # apart, so that no product passes 2^63 before notional does
    return whole * fee_e8 + (rest * fee_e8 + FEE_UNIT - 1) // FEE_UNIT


@lean
def settle(lots: np.int64, price_micro: Int, fee_micro: Int) -> np.int64:
    """Change of cash of whoever takes `lots` at `price_micro` and bears `fee_micro`; micro-dollars, exact."""
    return -lots * price_micro - fee_micro


@lean
def funding_of(lots: np.int64, mark_micro: Int, rate: float, assumed: bool) -> int:
    """Funding received (negative: paid) by a holder of `lots`, half-even to the micro-dollar.

    rate     fraction of notional, longs pay shorts
    assumed  True where nobody recorded a rate: both sides pay

    >>> int(funding_of(10, 1_000_000, 1e-4, False)), int(funding_of(-10, 1_000_000, 1e-4, True))
    (-1000, -1000)
    """
    held = abs(lots) if assumed else lots
    return -round(held * mark_micro * rate)
