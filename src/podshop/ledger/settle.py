"""What a fill does to cash: one integer function in every world."""

from podshop.maths.compiled import lean

FEE_UNIT = 100_000_000  # a fee of 1e-8 of notional is the finest that can be configured


@lean
def fee_of(lots: int, price_micro: int, fee_e8: int) -> int:
    """Fee of one venue fill, rounded up once.

    lots, price_micro  signed lots; micro-dollars per lot
    fee_e8             fee in 1e-8 of notional (4.5 bps = 45_000)
    ->                 micro-dollars >= 0

    >>> int(fee_of(-3, 1_000_001, 45_000))
    1351
    """
    return (abs(lots) * price_micro * fee_e8 + FEE_UNIT - 1) // FEE_UNIT


@lean
def settle(lots: int, price_micro: int, fee_micro: int) -> int:
    """Change of cash of whoever takes `lots` at `price_micro` and bears `fee_micro`; micro-dollars, exact."""
    return -lots * price_micro - fee_micro


@lean
def funding_of(lots: int, mark_micro: int, rate: float, assumed: bool) -> int:
    """Funding received (negative: paid) by a holder of `lots`, half-even to the micro-dollar.

    rate     fraction of notional, longs pay shorts
    assumed  True where nobody recorded a rate: both sides pay

    >>> int(funding_of(10, 1_000_000, 1e-4, False)), int(funding_of(-10, 1_000_000, 1e-4, True))
    (-1000, -1000)
    """
    held = abs(lots) if assumed else lots
    return -round(held * mark_micro * rate)
