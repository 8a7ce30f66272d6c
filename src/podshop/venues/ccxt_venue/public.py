"""Market data of a venue for whoever decides: candles, funding, mids. No key, so nothing here could trade.

Units are those of the rest of podshop: prices in USD per coin, volumes in coins, also where the venue trades the coin
by the thousand; a funding rate is the fraction of notional that longs pay shorts at one settlement. Of candles only
those are returned that ended by the instant asked for, so whoever asks until now gets none that is still forming.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from podshop.nouns.errors import VenueError
from podshop.nouns.venue import SECOND_NS
from podshop.venues import strict
from podshop.venues.ccxt_venue import parse
from podshop.venues.ccxt_venue.terms import Contract, believed, contract
from podshop.venues.hyperliquid.info import INTERVALS
from podshop.venues.paging import together

PAGES = 100
QUOTES = {"hyperliquid": "USDC"}
MOST = {"hyperliquid": (5000, 500), "binanceusdm": (1000, 1000), "bybit": (1000, 200), "okx": (300, 100)}


class Candle(NamedTuple):
    """One bar. closed_ns: its end, UTC ns."""

    closed_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Settlement(NamedTuple):
    """One settlement of funding: when, and the rate."""

    at_ns: int
    rate: float


class PublicData:
    """`exchange` from `exchange.connect(name)`, without keys."""

    def __init__(self, exchange: Any, markets: Sequence[str]) -> None:
        if exchange.apiKey or exchange.secret or getattr(exchange, "privateKey", None):
            raise VenueError(f"{exchange.id}: public data is asked without a key")
        self._exchange, self.markets = exchange, tuple(markets)
        self._contracts: dict[str, Contract] = {}

    async def time_ns(self) -> int:
        """The venue's clock."""
        return strict.millis(await believed(self._exchange.id, self._exchange.fetch_time()), "time")

    async def candles(self, market: str, interval_ns: int, since_ns: int, until_ns: int) -> tuple[Candle, ...]:
        """Bars that ended in (since, until], oldest first; bars without trading as the venue gives them."""
        c, name = await self._contract(market), INTERVALS.get(interval_ns // SECOND_NS)
        if name not in self._exchange.timeframes or interval_ns % SECOND_NS:
            raise VenueError(f"{self._exchange.id} has no bars of {interval_ns} ns")
        found: dict[int, Candle] = {}
        most, next_ns = MOST[self._exchange.id][0], since_ns // interval_ns * interval_ns
        for _ in range(PAGES):
            call = self._exchange.fetch_ohlcv(c.symbol, name, next_ns // strict.MS_NS, most)
            rows = [
                candle(row, c, interval_ns) for row in strict.rows(await believed(self._exchange.id, call), c.symbol)
            ]
            for bar in rows:
                if since_ns < bar.closed_ns <= until_ns:
                    found[bar.closed_ns] = bar
            last_ns = max((bar.closed_ns for bar in rows), default=0)
            if last_ns <= next_ns or last_ns >= until_ns:
                return tuple(found[at] for at in sorted(found))
            next_ns = last_ns
        raise VenueError(f"{self._exchange.id}: more than {PAGES} pages of bars")

    async def funding(self, market: str, since_ns: int, until_ns: int) -> tuple[Settlement, ...]:
        """Settlements in [since, until], oldest first. Their spacing is what their stamps say, never assumed."""
        c, found, next_ns = await self._contract(market), dict[int, Settlement](), since_ns
        for _ in range(PAGES):
            call = self._exchange.fetch_funding_rate_history(
                c.symbol, next_ns // strict.MS_NS, MOST[self._exchange.id][1], {"until": until_ns // strict.MS_NS}
            )
            rows = [settlement(row, c) for row in strict.rows(await believed(self._exchange.id, call), c.symbol)]
            fresh = [row for row in rows if row.at_ns not in found and since_ns <= row.at_ns <= until_ns]
            if not fresh:
                return tuple(found[at] for at in sorted(found))
            found |= {row.at_ns: row for row in fresh}
            next_ns = max(row.at_ns for row in rows) + strict.MS_NS
        raise VenueError(f"{self._exchange.id}: more than {PAGES} pages of funding")

    async def mids(self) -> Mapping[str, tuple[float, int]]:
        """Middle of the book now, USD per coin, and the venue's stamp, UTC ns."""
        await self._load()

        async def now(c: Contract) -> tuple[float, int]:
            return parse.middle(await believed(self._exchange.id, self._exchange.fetch_order_book(c.symbol, 5)), c)

        contracts = list(self._contracts.values())
        found = await together([now(c) for c in contracts])
        return {c.market: quote for c, quote in zip(contracts, found, strict=True)}

    async def close(self) -> None:
        """Give back connections."""
        await self._exchange.close()

    async def _contract(self, market: str) -> Contract:
        await self._load()
        if market not in self._contracts:
            raise VenueError(f"{self._exchange.id}: {market} is not listed")
        return self._contracts[market]

    async def _load(self) -> None:
        if not self._contracts:
            known = await believed(self._exchange.id, self._exchange.load_markets())
            listed = ((m, contract(m, known, QUOTES.get(self._exchange.id, "USDT"))) for m in self.markets)
            self._contracts = {market: c for market, c in listed if c is not None}


def candle(row: Any, c: Contract, interval_ns: int) -> Candle:
    """A unified candle, per coin. The volume of a unit of a thousand coins is a thousand times as many."""
    opened_ns, prices, volume = parse.bar(row, c.symbol)
    if opened_ns % interval_ns:
        raise VenueError(f"{c.symbol}: a bar begins at {opened_ns}, which is no multiple of its length")
    first, high, low, close = (float(price) / c.coins for price in prices)
    return Candle(opened_ns + interval_ns, first, high, low, close, float(volume) * c.coins)


def settlement(row: Any, c: Contract) -> Settlement:
    """A unified row of funding."""
    what = f"funding {c.symbol}"
    rate = float(strict.decimal(parse.number(strict.field(row, "fundingRate", what)), what))
    if not math.isfinite(rate) or abs(rate) > 0.1:
        raise VenueError(f"{what}: a rate of {rate}")
    return Settlement(strict.millis(strict.field(row, "timestamp", what), what), rate)
