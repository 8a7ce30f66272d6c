"""Coarser bars from finer ones."""

import math

import numpy as np
from numpy.typing import NDArray

from podshop.maths.compiled import compiled
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
    joined: dict[str, Series] = {}
    if set(BAR_COLUMNS) <= set(market.columns):
        opens, highs, lows, closes, volumes = (np.ascontiguousarray(market.columns[name].T) for name in BAR_COLUMNS)
        bars = _join_bars(opens, highs, lows, closes, volumes, start, count, many)
        joined |= dict(zip(BAR_COLUMNS, bars, strict=True))
    if NEWS_COUNT in market.columns:
        counts = np.ascontiguousarray(market.columns[NEWS_COUNT].T)
        tones = np.full_like(counts, np.nan)
        if NEWS_TONE in market.columns:
            tones = np.ascontiguousarray(market.columns[NEWS_TONE].T)
        news = dict(zip((NEWS_COUNT, NEWS_TONE), _join_news(counts, tones, start, count, many), strict=True))
        joined |= {name: column for name, column in news.items() if name in market.columns}
    last = slice(start + many - 1, start + count * many, many)
    columns: dict[str, Panel] = {
        name: (joined[name] if name in joined else panel.T[:, last].copy()).T for name, panel in market.columns.items()
    }
    return Market(market.names, bar_ns, time, columns)


def _whole_bars(market: Market, bar_ns: int, many: int) -> tuple[int, int]:
    """Find the first row that begins a long bar, and how many whole ones follow."""
    if len(market) == 0:
        return 0, 0
    first_open = int(market.time[0]) - market.interval_ns
    start = -first_open % bar_ns // market.interval_ns
    return start, max(0, (len(market) - start) // many)


@compiled
def _join_bars(
    opens: Series, highs: Series, lows: Series, closes: Series, volumes: Series, start: int, count: int, many: int
) -> Panel:
    """(5, M, count) open, high, low, close, volume of longer bars, in the order of time: a sum comes out the same."""
    markets = opens.shape[0]
    out = np.full((5, markets, count), np.nan)
    for m in range(markets):
        for bar in range(count):
            first = start + bar * many
            for row in range(first, first + many):
                if math.isnan(out[0, m, bar]):
                    out[0, m, bar] = opens[m, row]
                if highs[m, row] > out[1, m, bar] or math.isnan(out[1, m, bar]):
                    out[1, m, bar] = highs[m, row]
                if lows[m, row] < out[2, m, bar] or math.isnan(out[2, m, bar]):
                    out[2, m, bar] = lows[m, row]
                if not math.isnan(closes[m, row]):
                    out[3, m, bar] = closes[m, row]
                if not math.isnan(volumes[m, row]):
                    known = out[4, m, bar]
                    out[4, m, bar] = (0.0 if math.isnan(known) else known) + volumes[m, row]
    return out


@compiled
def _join_news(counts: Series, tones: Series, start: int, count: int, many: int) -> Panel:
    """(2, M, count) headlines and their mean tone; a bar in which nobody ever counted stays NaN."""
    markets = counts.shape[0]
    out = np.full((2, markets, count), np.nan)
    for m in range(markets):
        for bar in range(count):
            seen = False
            found = 0.0
            total = 0.0
            for row in range(start + bar * many, start + (bar + 1) * many):
                here = counts[m, row]
                if not math.isnan(here):
                    seen = True
                    found += here
                    if here > 0.0:
                        total += here * tones[m, row]
            if seen:
                out[0, m, bar] = found
            if found > 0.0:
                out[1, m, bar] = total / found
    return out
