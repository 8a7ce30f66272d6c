"""The same small exchange behind every adapter: in process, over Hyperliquid's HTTP, over Purple Flea's HTTP, and as
Binance through ccxt.

The exchange's clock stands still until a case moves it, so every price is known by heart and nothing is slow.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from podshop.nouns import HOUR_NS, SECOND_NS
from podshop.nouns.venue import Order, Reply, Venue
from podshop.venues.ccxt_venue.client import CcxtVenue
from podshop.venues.ccxt_venue.exchange import connect
from podshop.venues.exchange.clock import ServedClock
from podshop.venues.exchange.evil import Evil, When
from podshop.venues.exchange.flea_rows import PAPER_KEY
from podshop.venues.exchange.http import server_of, start
from podshop.venues.exchange.loopback import WALLET
from podshop.venues.exchange.memory import WITH_IDS, WITHOUT_IDS, MemoryVenue
from podshop.venues.exchange.placed import Terms
from podshop.venues.exchange.twin import Twin
from podshop.venues.hyperliquid.client import Hyperliquid
from podshop.venues.purpleflea.client import PurpleFlea
from podshop.venues.wire import Secret
from tests.venues.ccxt.binance import Binance
from tests.venues.exchange import small

BEGIN_NS = small.START_NS + 5 * HOUR_NS + SECOND_NS
CASH_MICRO = 10_000_000_000
MID = {"BTC": 500_500, "ETH": 200_500}  # the open of the bar in which every case begins, micro-dollars per lot
RATES = tuple((small.START_NS + h * HOUR_NS, m, 0.0001, 1) for h in range(6, 40) for m in (0, 1))
WORLDS = ("memory", "memory-bare", "hyperliquid", "purpleflea", "binanceusdm")


@dataclass
class World:
    """An adapter, and what is true behind it.

    terse  its histories tell neither our ids, nor kinds, nor the lots that funding was paid on; its list no leverage
    """

    venue: Venue
    twin: Twin
    clock: ServedClock
    terse: bool = False
    _closing: list[Callable[[], Awaitable[Any]]] = field(default_factory=list)
    _count: int = 0

    def order(self, lots: int, market: str = "BTC", **changes: Any) -> Order:
        """An order within 1 % of the mid, for the next minute."""
        self._count += 1
        mid = self.mid(market)
        limit = mid + mid // 100 if lots > 0 else mid - mid // 100
        expires = self.clock.now_ns() + 60 * SECOND_NS
        order = Order(f"{self._count:032x}", market, lots, limit, mid, False, False, expires)
        return order._replace(**changes)

    async def send(self, lots: int, market: str = "BTC", **changes: Any) -> tuple[Order, Reply]:
        """Send such an order."""
        order = self.order(lots, market, **changes)
        return order, await self.venue.send(order)

    async def closing(self, market: str = "BTC") -> tuple[Order, Reply]:
        """Close the whole position."""
        return await self.send(-self.lots(market), market, whole=True, reduce_only=True)

    def mid(self, market: str) -> int:
        """Middle of the book."""
        return self.twin.truth.mids(self.clock.now_ns())[market].price_micro

    def lots(self, market: str = "BTC") -> int:
        """What is truly held."""
        return self.twin.truth.lots.get(market, 0)

    def evil(self, **faults: When) -> None:
        """Switch faults on or off."""
        self.twin.evil.switch(faults)

    def advance(self, ns: int) -> None:
        """Let time pass."""
        self.clock.advance(self.clock.now_ns() + ns)
        self.twin.advance(self.clock.now_ns())

    async def close(self) -> None:
        """Take it down."""
        await self.venue.close()
        for end in self._closing:
            await end()


async def world(name: str, faults: Mapping[str, When] | None = None, patience_s: float = 0.3) -> World:
    """A world by name."""
    terms = Terms(max_leverage={"BTC": 40, "ETH": 25}, min_notional_micro=dict.fromkeys(("BTC", "ETH"), 10_000_000))
    truth = small.exchange(funding=small.funding(*RATES), terms=terms)
    twin = Twin(truth, Evil(7, faults or {}))
    clock = ServedClock(BEGIN_NS, manual=True)
    twin.advance(BEGIN_NS)
    if name.startswith("memory"):
        card = WITH_IDS if name == "memory" else WITHOUT_IDS
        return World(MemoryVenue(twin, _Moving(clock), card), twin, clock)
    if name == "binanceusdm":
        keys = {"apiKey": Secret("made-up-key"), "secret": Secret("made-up-secret")}
        exchange = connect(name, keys, sandbox=True, transport=httpx2.MockTransport(Binance(twin, clock)))
        exchange.enableRateLimit = False
        return World(CcxtVenue(exchange, ("BTC", "ETH"), clock.now_ns), twin, clock, terse=True)
    runner, url = await start(server_of(twin, clock, hold_s=2 * patience_s).application(), "127.0.0.1", 0)
    markets = ("BTC", "ETH")
    venue: Venue
    if name == "hyperliquid":
        key = Secret("0x" + "4c" * 32)
        venue = Hyperliquid(url, WALLET, key, markets, clock.now_ns, submit_s=patience_s)
    else:
        venue = PurpleFlea(WALLET, Secret(PAPER_KEY), markets, clock.now_ns, base_url=url, submit_s=patience_s)
    return World(venue, twin, clock, _closing=[runner.cleanup])


class _Moving:
    """The served clock for who waits in process: his waiting is what moves it."""

    def __init__(self, clock: ServedClock) -> None:
        self._clock = clock

    def now_ns(self) -> int:
        return self._clock.now_ns()

    async def sleep_until(self, at_ns: int) -> None:
        self._clock.advance(at_ns)
        await asyncio.sleep(0)
