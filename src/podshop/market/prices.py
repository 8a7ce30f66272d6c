"""Prices in micro-dollars per lot: the mark and its age, the next bar's open, and the range of each bar."""

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


def references(market: Market, scale: NDArray[np.float64]) -> Whole:
    """(T, M) the next bar's open in micro-dollars per lot; 0 where it does not trade, and in the last row."""
    price = market.columns["open"].T
    traded = (market.columns["volume"].T > 0) & (price > 0)
    micro = np.rint(np.where(traded, price, 0.0) * scale[:, None]).astype(np.int64).T
    return np.ascontiguousarray(np.concatenate([micro[1:], np.zeros((1, len(scale)), np.int64)]))


def ranges(market: Market, scale: NDArray[np.float64]) -> tuple[Whole, Whole]:
    """(T, M) low and high of each bar that traded, micro-dollars per lot, rounded inward; 0 where none did."""
    low, high = market.columns["low"].T, market.columns["high"].T
    traded = (market.columns["volume"].T > 0) & (low > 0) & (high > 0)
    low_micro = np.ceil(np.where(traded, low, 0.0) * scale[:, None]).astype(np.int64)
    high_micro = np.floor(np.where(traded, high, 0.0) * scale[:, None]).astype(np.int64)
    return np.ascontiguousarray(low_micro.T), np.ascontiguousarray(high_micro.T)
