"""The mark: the last price at which somebody traded, and how old it is."""

import numpy as np
from numpy.typing import NDArray

from podshop.nouns import ConfigError, Market, Whole

SMALLEST_MICRO = 100  # a lot worth less loses more than half a percent to rounding
LARGEST_MICRO = 1 << 50
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
    exact = np.where(last >= 0, price, 0.0) * scale[:, None]
    for m, name in enumerate(market.names):
        seen = exact[m][last[m] >= 0]
        if len(seen) and not (seen.min() >= SMALLEST_MICRO and seen.max() <= LARGEST_MICRO):
            raise ConfigError(
                f"a lot of {name} is worth {seen.min() / 1e6:g} to {seen.max() / 1e6:g} USD, expected from "
                f"{SMALLEST_MICRO / 1e6:g} to {LARGEST_MICRO / 1e6:g}: set another size in [venue.lots]"
            )
    micro = np.rint(exact).astype(np.int64)
    age = np.where(last >= 0, rows - last, NEVER)
    return np.ascontiguousarray(micro.T), np.ascontiguousarray(age.T)
