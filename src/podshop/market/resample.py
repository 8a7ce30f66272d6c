"""Coarser bars from finer ones."""

import numpy as np
from numpy.typing import NDArray

from podshop.nouns import BAR_COLUMNS, NEWS_COUNT, NEWS_TONE, ConfigError, Market, Panel, duration_text

Series = NDArray[np.float64]  # (M, T)


def resample(market: Market, bar_ns: int) -> Market:
    """Join bars to longer ones, each complete at its close; a bar that has not closed yet is not there.

    bar_ns  a multiple of the market's interval; long bars begin at multiples of it since 1970
    ->      Market of bar_ns. Open is the first price in the bar, close the last, volume the sum; a bar of which a part
            is missing is made of the rest, one that is missing whole is NaN. Headlines are counted over the whole bar
            and their tone is averaged over all of them. Other columns: as known at the close.
    """
    if bar_ns == market.interval_ns:
        return market
    many, rest = divmod(bar_ns, market.interval_ns)
    if rest or many < 1:
        finer, wanted = duration_text(market.interval_ns), duration_text(bar_ns)
        raise ConfigError(f"bars of {wanted} cannot be made from bars of {finer}, expected a multiple of {finer}")
    start, count = _whole_bars(market, bar_ns, many)
    time = market.time[start : start + count * many].reshape(count, many)[:, -1].copy()
    whole_bars = set(BAR_COLUMNS) <= set(market.columns)
    parts = {
        name: np.ascontiguousarray(panel.T[:, start : start + count * many]).reshape(len(market.names), count, many)
        for name, panel in market.columns.items()
        if (name in BAR_COLUMNS and whole_bars) or name in (NEWS_COUNT, NEWS_TONE)
    }
    joined = (_join(parts, many) if whole_bars else {}) | _join_news(parts, many)
    closes = slice(start + many - 1, start + count * many, many)
    columns: dict[str, Panel] = {
        name: (joined[name] if name in joined else panel.T[:, closes].copy()).T
        for name, panel in market.columns.items()
    }
    return Market(market.names, bar_ns, time, columns)


def _join_news(parts: dict[str, Series], many: int) -> dict[str, Series]:
    """Join what is counted per bar, in the order of time; a bar in which nobody ever counted stays NaN."""
    if NEWS_COUNT not in parts:
        return {}
    count, total = np.zeros(parts[NEWS_COUNT].shape[:2]), np.zeros(parts[NEWS_COUNT].shape[:2])
    tone = parts.get(NEWS_TONE, np.full_like(parts[NEWS_COUNT], np.nan))
    for i in range(many):
        here = np.where(np.isnan(parts[NEWS_COUNT][:, :, i]), 0.0, parts[NEWS_COUNT][:, :, i])
        count += here
        total += np.where(here > 0, here * tone[:, :, i], 0.0)
    counted = ~np.isnan(parts[NEWS_COUNT]).all(axis=2)
    average = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    joined = {NEWS_COUNT: np.where(counted, count, np.nan), NEWS_TONE: average}
    return {name: joined[name] for name in joined if name in parts}


def _whole_bars(market: Market, bar_ns: int, many: int) -> tuple[int, int]:
    """Find the first row that begins a long bar, and how many whole ones follow."""
    if len(market) == 0:
        return 0, 0
    first_open = int(market.time[0]) - market.interval_ns
    start = -first_open % bar_ns // market.interval_ns
    return start, max(0, (len(market) - start) // many)


def _join(parts: dict[str, Series], many: int) -> dict[str, Series]:
    """Join (M, count, many) bars to (M, count), in the order of time: a sum comes out the same in every run."""
    joined = {name: parts[name][:, :, 0].copy() for name in BAR_COLUMNS}
    for i in range(1, many):
        bar = {name: parts[name][:, :, i] for name in BAR_COLUMNS}
        joined["open"] = np.where(np.isnan(joined["open"]), bar["open"], joined["open"])
        joined["high"] = np.fmax(joined["high"], bar["high"])
        joined["low"] = np.fmin(joined["low"], bar["low"])
        joined["close"] = np.where(np.isnan(bar["close"]), joined["close"], bar["close"])
        known = np.where(np.isnan(joined["volume"]), 0.0, joined["volume"]) + bar["volume"]
        joined["volume"] = np.where(np.isnan(bar["volume"]), joined["volume"], known)
    return joined
