"""The mark: the last price at which somebody traded, and how old it is."""

import numpy as np
from numpy.typing import NDArray

from podshop.nouns import Market, Whole

NEVER = 1 << 31  # age in bars of a market that has not traded yet: older than any limit on age


def marks(market: Market, scale: NDArray[np.float64]) -> tuple[Whole, Whole]:
    """Carry each market's last close with volume, in whole micro-dollars per lot, until the next one.

    scale  (M,) micro-dollars per lot for a price of 1: Instrument.lot_micro_scale
    ->     mark_micro (T, M), 0 where it has never traded;
           age_bars (T, M), 0 where it traded in this bar, NEVER where it has never.
           Both are C-ordered: a cycle reads one row.
    """
    close, volume = market.columns["close"].T, market.columns["volume"].T  # (M, T): time is contiguous
    rows = np.arange(len(market))
    traded = (volume > 0) & (close > 0)
    last = np.maximum.accumulate(np.where(traded, rows, -1), axis=1)
    price = np.take_along_axis(close, np.maximum(last, 0), axis=1)
    micro = np.rint(np.where(last >= 0, price, 0.0) * scale[:, None]).astype(np.int64)
    age = np.where(last >= 0, rows - last, NEVER)
    return np.ascontiguousarray(micro.T), np.ascontiguousarray(age.T)
