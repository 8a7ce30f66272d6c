"""What a venue shows is believed only where it can be; what it does not show is unknown."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import httpx2
import numpy as np
import pytest

from podshop.live.brain.feed import Bar, Ccxt, Feed, Hyperliquid
from podshop.nouns import HOUR_NS, VenueError
from podshop.run.config import starter_fund
from podshop.venues.wire import Wire

T0 = 19_000 * 24 * HOUR_NS


def candle(k: int, **odd: Any) -> dict[str, Any]:
    opened = (T0 + k * HOUR_NS) // 10**6
    row = {
        "t": opened, "T": opened + 3_599_999, "s": "BTC", "i": "1h", "o": "100.0", "h": "102.5", "l": "99.5",
        "c": "101.0", "v": "12.5", "n": 3,
    }  # fmt: skip
    return row | odd


def source(answer: Any) -> Hyperliquid:
    def handle(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, stream=httpx2.ByteStream(json.dumps(answer).encode()))

    return Hyperliquid("http://127.0.0.1:1", Wire("http://127.0.0.1:1", transport=httpx2.MockTransport(handle)))


def bars(answer: Any) -> list[Bar]:
    async def main() -> list[Bar]:
        return list(await source(answer).bars("BTC", HOUR_NS, T0, T0 + 3 * HOUR_NS))

    return asyncio.run(main())


def test_only_bars_that_have_closed() -> None:
    found = bars([candle(k) for k in range(-1, 5)])
    assert [bar.closed_ns for bar in found] == [T0 + k * HOUR_NS for k in (1, 2, 3)]
    assert found[0] == Bar(T0 + HOUR_NS, 100.0, 102.5, 99.5, 101.0, 12.5)


@pytest.mark.parametrize(
    "odd",
    [
        {"h": "99.0"}, {"l": "100.5"}, {"o": "0"}, {"c": "-1"}, {"v": "-1"}, {"c": "NaN"}, {"c": None}, {"c": "1e9999"},
        {"s": "ETH"}, {"i": "5m"}, {"t": "soon"}, {"t": None}, {"h": "Infinity"}, {"o": True},
    ],
    ids=str,
)  # fmt: skip
def test_a_bar_that_cannot_be_is_no_answer(odd: dict[str, Any]) -> None:
    with pytest.raises(VenueError, match="candleSnapshot"):
        bars([candle(0), candle(1, **odd)])


@pytest.mark.parametrize("answer", [None, {}, "busy", [1], [[]], {"error": "x"}], ids=str)
def test_what_is_no_list_of_bars_is_no_answer(answer: Any) -> None:
    with pytest.raises(VenueError, match="candleSnapshot"):
        bars(answer)


def test_prices_of_a_thousand_coins_are_divided_exactly() -> None:
    """0.0000123 a coin is shown as 0.0123 a thousand, and comes back as the very number."""
    for price in (1.23e-5, 7.77e-6, 9.1e-6):
        shown = str(Decimal(repr(price)) * 1000)
        row = candle(0, s="kPEPE", o=shown, h=shown, l=shown, c=shown, v="2")

        async def main(answer: Any) -> list[Bar]:
            return list(await source(answer).bars("PEPE", HOUR_NS, T0, T0 + HOUR_NS))

        (bar,) = asyncio.run(main([row]))
        assert bar.close == price
        assert bar.volume == 2000.0


class Venue:
    """A source of made-up bars; some markets are silent."""

    name = "made_up"

    def __init__(self, silent: set[str]) -> None:
        self.silent = silent

    async def bars(self, market: str, interval_ns: int, since_ns: int, until_ns: int) -> list[Bar]:
        if market in self.silent:
            raise VenueError("busy")
        times = range(since_ns // interval_ns + 1, until_ns // interval_ns + 1)
        return [Bar(k * interval_ns, 10.0, 11.0, 9.0, 10.5, 0.0 if k % 5 == 0 else 3.0) for k in times]

    async def rates(self, market: str, since_ns: int) -> list[tuple[int, float]]:
        return [(at, 1e-4) for at in range(T0 - 5 * 24 * HOUR_NS, T0 + 40 * HOUR_NS, 8 * HOUR_NS) if at >= since_ns]

    async def close(self) -> None:
        """Nothing to close."""


def test_a_silent_market_is_unknown_and_the_others_go_on() -> None:
    fund = starter_fund()
    venue = Venue({"ETH"})

    async def main() -> None:
        feed = Feed(fund, venue, HOUR_NS, None)
        market, paid, silent = await feed.rows(T0, T0 + 7 * HOUR_NS)
        assert silent == ("ETH",)
        eth = fund.market.markets.index("ETH")
        for name in ("open", "high", "low", "close", "volume"):
            assert np.isnan(market.columns[name][:, eth]).all()
        rest = np.delete(market.columns["close"], eth, axis=1)
        volume = np.delete(market.columns["volume"], eth, axis=1)
        np.testing.assert_array_equal(np.isnan(rest), volume == 0)  # nobody traded: no price
        assert (market.time == T0 + np.arange(1, 8) * HOUR_NS).all()
        assert ((paid.at_ns > T0) & (paid.at_ns <= T0 + 7 * HOUR_NS)).all()
        venue.silent = set()
        market, _, silent = await feed.rows(T0 + 7 * HOUR_NS, T0 + 8 * HOUR_NS)
        assert silent == ()
        assert len(market) == 1
        assert np.isfinite(market.columns["close"]).all()

    asyncio.run(main())


def test_bars_of_the_ccxt_library() -> None:
    class Exchange:
        async def fetch_ohlcv(self, symbol: str, interval: str, since: int, limit: int) -> list[list[float]]:
            assert (symbol, interval) == ("BTC/USDT:USDT", "1h")
            first = -(-since * 10**6 // HOUR_NS)
            rows = [[k * HOUR_NS // 10**6, 10.0, 11.0, 9.0, 10.5, 2.0] for k in range(first, first + 3)]
            rows[0][2] = 1.0  # its high is below its low
            return rows

        async def fetch_funding_rate_history(self, symbol: str, since: int, limit: int) -> list[dict[str, float]]:
            raise TimeoutError

        async def close(self) -> None:
            """Nothing to close."""

    async def main() -> None:
        venue = Ccxt("okx_perp", Exchange(), {"BTC": "BTC/USDT:USDT"})
        found = await venue.bars("BTC", HOUR_NS, T0, T0 + 5 * HOUR_NS)
        assert [bar.closed_ns for bar in found] == [T0 + k * HOUR_NS for k in (2, 3, 5)]
        with pytest.raises(VenueError, match="no funding of BTC: TimeoutError"):
            await venue.rates("BTC", T0)
        await venue.close()

    asyncio.run(main())
