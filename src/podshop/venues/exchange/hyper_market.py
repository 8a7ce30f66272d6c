"""Hyperliquid's `info` about markets: what there is, prices, bars, books, funding. Read-only functions of the truth."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from podshop.market import resample
from podshop.nouns import ASSUMED, DAY_NS, Instrument, Market, duration_ns
from podshop.venues.exchange.loopback import Loopback
from podshop.venues.exchange.units import Unit, text, unit_of

MS = 1_000_000
MOST_CANDLES = 5000
MOST_ROWS = 500
LEVELS = 20
INTERVALS = {"3d": 3 * DAY_NS, "1w": 7 * DAY_NS} | {
    name: duration_ns(name) for name in ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d")
}


def meta(loopback: Loopback) -> dict[str, Any]:
    """The universe; an asset's id is its place in it."""
    listed = {each.market: each for each in loopback.truth.listed()}
    universe: list[dict[str, Any]] = []
    tables = []
    for number, unit in enumerate(loopback.units.values()):
        most = listed[unit.name].max_leverage
        decimals = unit_of(Instrument(unit.name, listed[unit.name].lot_size, 0.0)).decimals
        row = {"name": unit.venue_name, "szDecimals": decimals, "maxLeverage": most, "marginTableId": number + 1}
        universe.append(row | ({"isDelisted": True} if listed[unit.name].delisted else {}))
        tiers = [{"lowerBound": "0.0", "maxLeverage": most}]
        tables.append([number + 1, {"description": "", "marginTiers": tiers}])
    return {"universe": universe, "marginTables": tables}


def meta_and_contexts(loopback: Loopback, now_ns: int) -> list[Any]:
    """The universe, and beside it each market's prices and current funding."""
    mids = loopback.twin.mids(now_ns)
    contexts = []
    for unit in loopback.units.values():
        mark, mid = loopback.truth.mark_micro(unit.name), mids.get(unit.name)
        rate = _rates(loopback, unit, now_ns - DAY_NS, now_ns)
        mid_text = text(unit.price(mid.price_micro)) if mid else None
        impacts = [mid_text, mid_text] if mid else None
        mark_text = text(unit.price(mark))
        contexts.append(
            {
                "funding": text(Decimal(repr(rate[-1][1]))) if rate else "0.0",
                "openInterest": "0.0",
                "prevDayPx": mark_text,
                "dayNtlVlm": "0.0",
                "premium": "0.0",
                "oraclePx": mark_text,
                "markPx": mark_text,
                "midPx": mid_text,
                "impactPxs": impacts,
                "dayBaseVlm": "0.0",
            }
        )
    return [meta(loopback), contexts]


def mids(loopback: Loopback, now_ns: int) -> dict[str, str]:
    """Middle of every book."""
    found = loopback.twin.mids(now_ns)
    return {
        loopback.units[name].venue_name: text(loopback.units[name].price(q.price_micro)) for name, q in found.items()
    }


def book(loopback: Loopback, unit: Unit, now_ns: int) -> dict[str, Any]:
    """Twenty levels a side around the middle, invented: the first is half a spread away."""
    quote = loopback.twin.mids(now_ns).get(unit.name)
    levels: list[list[dict[str, Any]]] = [[], []]
    if quote is not None:
        truth = loopback.truth
        _, _, most, _ = truth.tape.liquidity(truth.row, truth.names.index(unit.name))
        size = max(min(most, 10**12) // LEVELS, 1)
        gap = max(round(quote.price_micro * truth.terms.half_spread), 1)
        for side, sign in enumerate((-1, 1)):
            for step in range(1, LEVELS + 1):
                price = quote.price_micro + sign * step * gap
                if price > 0:
                    levels[side].append({"px": text(unit.price(price)), "sz": text(unit.size(size)), "n": 1})
    return {"coin": unit.venue_name, "time": loopback.stamp_ms(), "levels": levels}


def candles(loopback: Loopback, unit: Unit, request: Mapping[str, Any], now_ns: int) -> list[dict[str, Any]]:
    """Bars whose open lies in [startTime, endTime], of the newest 5000; the last one has only begun.

    What has only begun shows its open alone: history knows how it ends, and must not tell.
    """
    truth, interval_ns = loopback.truth, INTERVALS[request["interval"]]
    tape = truth.tape
    if interval_ns % tape.interval_ns:
        return []
    since_ns = max(int(request["startTime"]) * MS, now_ns // interval_ns * interval_ns - MOST_CANDLES * interval_ns)
    until_ns = int(request.get("endTime") or now_ns // MS) * MS
    first = int(np.searchsorted(tape.time, since_ns // interval_ns * interval_ns, side="right"))
    rows = tape.market[first : truth.row + 1].pick((unit.name,))
    bars = rows if interval_ns == tape.interval_ns else resample(rows, interval_ns)
    found = [row for row in _rows(bars, unit, request["interval"]) if since_ns <= row["t"] * MS <= until_ns]
    opened_ns = now_ns // interval_ns * interval_ns
    begun = truth.mids(now_ns).get(unit.name)
    if begun is not None and interval_ns == tape.interval_ns and since_ns <= opened_ns <= until_ns:
        price = text(unit.price(begun.price_micro))
        found.append(_candle(unit, request["interval"], opened_ns, interval_ns, [price] * 4, "0.0"))
    return found


def funding_history(loopback: Loopback, unit: Unit, request: Mapping[str, Any], now_ns: int) -> list[dict[str, Any]]:
    """Recorded settlements, oldest first, at most 500. What is assumed where none was recorded is not shown."""
    since_ns = int(request["startTime"]) * MS
    until_ns = min(int(request["endTime"]) * MS if request.get("endTime") else now_ns, now_ns)
    found = _rates(loopback, unit, since_ns - 1, until_ns)[:MOST_ROWS]
    rows = ((at_ns, text(Decimal(repr(rate)))) for at_ns, rate in found)
    return [
        {"coin": unit.venue_name, "fundingRate": rate, "premium": rate, "time": at_ns // MS} for at_ns, rate in rows
    ]


def _rates(loopback: Loopback, unit: Unit, after_ns: int, until_ns: int) -> list[tuple[int, float]]:
    """Settlements of a market stamped in (after, until]."""
    funding, m = loopback.truth.tape.funding, loopback.truth.names.index(unit.name)
    low, high = (int(row) for row in np.searchsorted(funding.at_ns, [after_ns, until_ns], side="right"))
    mine = [row for row in range(low, high) if funding.market[row] == m and funding.source[row] != ASSUMED]
    return [(int(funding.at_ns[row]), float(funding.rate[row])) for row in mine]


def _rows(bars: Market, unit: Unit, interval: str) -> Sequence[dict[str, Any]]:
    """Bars of one market as candles. Without trading: flat at the last price; where there was no bar: none."""
    columns = {name: bars.columns[name][:, 0].tolist() for name in ("open", "high", "low", "close", "volume")}
    found, last = [], ""
    for row, closed_ns in enumerate(bars.time.tolist()):
        volume = columns["volume"][row]
        if volume != volume:  # NaN: there was no bar
            continue
        if volume > 0:
            prices = [text(Decimal(repr(columns[name][row])) * unit.coins) for name in ("open", "high", "low", "close")]
            last = prices[3]
        elif not last:
            continue
        else:
            prices = [last] * 4
        size = text(Decimal(repr(volume)) / unit.coins)
        found.append(_candle(unit, interval, closed_ns - bars.interval_ns, bars.interval_ns, prices, size))
    return found


def _candle(
    unit: Unit, interval: str, opened_ns: int, length_ns: int, prices: Sequence[str], volume: str
) -> dict[str, Any]:
    begun = opened_ns // MS
    return {
        "t": begun, "T": begun + length_ns // MS - 1, "s": unit.venue_name, "i": interval,
        "o": prices[0], "h": prices[1], "l": prices[2], "c": prices[3], "v": volume, "n": int(volume != "0.0"),
    }  # fmt: skip
