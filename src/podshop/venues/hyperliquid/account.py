"""What Hyperliquid shows of an address to everyone: the reads of a venue, without any key.

The direct adapter and the Purple Flea adapter share it, for Purple Flea trades on a wallet of Hyperliquid. Always ask
with the main wallet's address: that of an API wallet looks empty.
"""

import contextlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from podshop.nouns.errors import ConfigError, VenueError
from podshop.nouns.venue import Filled, Found, Listed, Order, Paid, Quote, Reading
from podshop.venues import strict
from podshop.venues.hyperliquid import info
from podshop.venues.paging import one_each, together, walked
from podshop.venues.wire import Wire

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
PAGE = 500  # rows of an answer that may have been cut: the least that the venue documents for any call
MARK_BARS = 120  # how far back a bar with trading is looked for


class Account:
    """Reads of one address. `now_ns` is the venue's clock as the caller keeps it; it stamps questions, no more."""

    def __init__(
        self, wire: Wire, address: str, markets: Sequence[str], now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        if not ADDRESS.fullmatch(address):
            raise ConfigError(f"{address!r} is not a wallet address, expected 0x and 40 hex digits")
        self._info_wire, self.address, self.markets, self._now_ns = wire, address, tuple(markets), now_ns
        self._universe: info.Universe | None = None
        self._pinned: dict[str, int] = {}  # market -> decimals of a size when it was first listed

    async def time_ns(self) -> int:
        """The venue's clock, as it stamps the account."""
        answer = await self._ask({"type": "clearinghouseState", "user": self.address})
        return strict.millis(strict.field(answer, "time", "clearinghouseState"), "clearinghouseState.time")

    async def instruments(self) -> tuple[Listed, ...]:
        """The fund's markets as they are listed now. Whoever is not there is not in the answer."""
        self._universe = None
        found = await self.universe()
        return tuple(found.by_market[m].listed() for m in self.markets if m in found.by_market)

    async def universe(self) -> info.Universe:
        """`meta`, asked once; `instruments` asks again."""
        if self._universe is None:
            found = info.universe(await self._ask({"type": "meta"}))
            for asset in found.by_name.values():
                self._pinned.setdefault(asset.market, asset.decimals)
            self._universe = found
        return self._universe

    async def asset(self, market: str) -> info.Asset:
        """A market's asset; VenueError where it is not listed or its lot is no longer what it was."""
        found = (await self.universe()).by_market.get(market)
        if found is None or found.decimals != self._pinned[market]:
            raise VenueError(f"hyperliquid: {market} is not listed, or with another lot size than at the start")
        return found

    async def marks(self, at_ns: int, interval_ns: int) -> Mapping[str, Quote]:
        """Close of the last bar with trading that ended at or before this instant. Unknown markets are missing."""
        interval = info.INTERVALS.get(interval_ns // 1_000_000_000)
        if interval is None or interval_ns % 1_000_000_000:
            raise VenueError(f"hyperliquid has no bars of {interval_ns} ns")
        known = await self.universe()
        assets = [known.by_market[m] for m in self.markets if m in known.by_market]
        end_ms = at_ns // strict.MS_NS

        async def last(asset: info.Asset) -> Quote | None:
            span = {"startTime": end_ms - MARK_BARS * (interval_ns // strict.MS_NS), "endTime": end_ms}
            request = {"type": "candleSnapshot", "req": {"coin": asset.name, "interval": interval, **span}}
            return info.last_close(await self._ask(request), asset, interval_ns, at_ns)

        found = await together([last(a) for a in assets])
        return {a.market: quote for a, quote in zip(assets, found, strict=True) if quote is not None}

    async def mids(self) -> Mapping[str, Quote]:
        """Middle of the book now; the answer has no time of its own, so it bears the time of asking.

        Of every coin of the venue: the flattener must have a price for one that the fund does not list any more, or
        that a person bought by hand. A strange coin's impossible price is left out; one of the fund's is an error.
        """
        known = await self.universe()
        began_ns = self._now_ns()
        answer = await self._ask({"type": "allMids"})
        found = info.mids(answer, [known.by_market[m] for m in self.markets if m in known.by_market])
        for strange in known.by_name.values():
            if strange.market not in self.markets:
                with contextlib.suppress(VenueError):
                    found |= info.mids(answer, [strange])
        return {m: Quote(price, began_ns) for m, price in found.items()}

    async def reading(self) -> Reading:
        """Positions and account value in one whole answer."""
        known = await self.universe()
        began_ns = self._now_ns()
        found = info.state(await self._ask({"type": "clearinghouseState", "user": self.address}), known)
        return Reading(began_ns, self._now_ns(), found.at_ns, found.equity_micro, found.cash_micro, found.lots)

    async def status(self, order: Order, key: int | str) -> Found:
        """`orderStatus` by the venue's number or our client id; the answer must be of the order that was asked for."""
        try:
            venue_ns = await self.time_ns()  # before: so what is unknown afterwards was unknown then too
            request = {"type": "orderStatus", "user": self.address, "oid": key}
            told = info.order_status(await self._ask(request), await self.universe())
        except VenueError:
            return Found("no_answer")
        if told.found.status != "unknown_id":
            theirs = told.cloid if isinstance(key, str) else told.found.order_id
            if theirs is None or theirs.lower() != str(key) or told.market != order.market:
                return Found("no_answer")
        return told.found._replace(venue_ns=venue_ns)

    async def fills(self, since_ns: int) -> Sequence[Filled]:
        """Fills stamped from then on, oldest first. The venue keeps the newest 10,000."""
        known = await self.universe()

        async def page(start_ms: int, end_ms: int) -> tuple[int, list[Filled]]:
            span = {"startTime": start_ms, "endTime": end_ms}
            answer = await self._ask({"type": "userFillsByTime", "user": self.address, **span})
            return len(strict.rows(answer, "userFills")), info.fills(answer, known, self.address)

        rows = await walked(page, since_ns, self._now_ns(), PAGE)
        return one_each(rows, lambda f: f.fill_id, since_ns)

    async def fundings(self, since_ns: int) -> Sequence[Paid]:
        """Funding settled from then on, oldest first."""
        known = await self.universe()

        async def page(start_ms: int, end_ms: int) -> tuple[int, list[Paid]]:
            span = {"startTime": start_ms, "endTime": end_ms}
            answer = await self._ask({"type": "userFunding", "user": self.address, **span})
            return len(strict.rows(answer, "userFunding")), info.fundings(answer, known)

        rows = await walked(page, since_ns, self._now_ns(), PAGE)
        return one_each(rows, lambda p: p.paid_id, since_ns)

    async def open_orders(self) -> Sequence[info.Resting]:
        """What stands at the venue, whoever placed it."""
        known = await self.universe()
        return info.open_orders(await self._ask({"type": "openOrders", "user": self.address}), known)

    async def rate_limit(self) -> tuple[int, int]:
        """Requests that the address has made, and may make."""
        return info.rate_limit(await self._ask({"type": "userRateLimit", "user": self.address}))

    async def _ask(self, request: Mapping[str, Any]) -> Any:
        answer = await self._info_wire.ask("POST", "/info", json_body=request)
        what = f"hyperliquid {request['type']}"
        if answer.status != 200:
            raise VenueError(f"{what}: HTTP {answer.status}")
        return answer.json(what)
