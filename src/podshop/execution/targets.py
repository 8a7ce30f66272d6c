"""From an opinion to the lots a book should hold: sized by volatility, traded only outside a buffer, with a stop.

Sizing: Harvey et al. (2018), "The impact of volatility targeting", Journal of Portfolio Management 45(1), 14-33.
Buffer: Davis & Norman (1990), "Portfolio selection with transaction costs", Mathematics of Operations Research 15(4),
676-713: outside a no-trade band trade to its edge, not to its middle.
"""

import math

import numpy as np

from podshop.maths.compiled import lean
from podshop.nouns import Int

YEAR_ROOT = math.sqrt(365.0)


@lean
def unit_lots(
    volatility_target: float, sigma_day: float, markets: Int, typical: float, capital_micro: Int, mark_micro: Int
) -> float:
    """Lots held at full conviction; NaN where the volatility is unknown.

    volatility_target  annual, of the book's capital
    sigma_day          daily volatility of the market
    markets            how many the mandate trades: each gets an equal share of the risk
    typical            abs opinion that holds this share; full conviction holds 1 / typical of it
    """
    return volatility_target / (sigma_day * YEAR_ROOT * markets * typical) * capital_micro / mark_micro


@lean
def buffered(opinion: float, unit: float, buffer: float, lots: Int) -> np.int64:
    """Target lots: inside the band stay, outside go to its edge, and no opinion means flat.

    opinion  blended conviction in [-1, 1]
    unit     lots at full conviction
    buffer   half-width of the band, as a fraction of `unit`
    lots     held now

    >>> buffered(0.5, 100.0, 0.1, 0), buffered(0.5, 100.0, 0.1, 45), buffered(0.0, 100.0, 0.1, 5)
    (40, 45, 0)
    """
    if opinion == 0.0:
        return np.int64(0)
    ideal = opinion * unit
    band = buffer * unit
    if ideal > lots + band:
        return np.int64(ideal - band)
    if ideal < lots - band:
        return np.int64(ideal + band)
    return np.int64(lots)


@lean
def stop_price(lots: Int, entry_micro: float, stop: float, sigma_entry: float) -> float:
    """Mark at which a position has lost its stop: at or below it for a long, at or above it for a short.

    entry_micro  average price of entry, micro-dollars per lot
    stop         loss that closes it, in daily sigmas
    sigma_entry  daily volatility when the position was opened

    >>> stop_price(5, 1000.0, 4.0, 0.05), stop_price(-5, 1000.0, 4.0, 0.05)
    (800.0, 1200.0)
    """
    return entry_micro * (1.0 - stop * sigma_entry) if lots > 0 else entry_micro * (1.0 + stop * sigma_entry)


@lean
def entry_after(lots: np.int64, traded: np.int64, entry_micro: float, price_micro: Int) -> float:
    """Average price of entry after a trade: averaged when the position grows, as it was when it shrinks.

    lots, traded  held before, and the change (signed)
    """
    new = lots + traded
    if lots == 0 or new * lots <= 0:
        return np.float64(price_micro)
    if abs(new) > abs(lots):
        return (entry_micro * abs(lots) + price_micro * abs(traded)) / abs(new)
    return entry_micro
