"""Binance USD-M, Bybit and OKX perpetuals, one account in one-way mode, settled in USDT.

The client order id is the intent itself: 32 lower-case hex digits fit all three. Orders are limits that take what they
can at once. An order is refused only by those of ccxt's errors that name a reason; its bare ExchangeError is what it
raises for anything it does not know, and OperationFailed is the venue not answering: both leave the order unknown.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from podshop.nouns.errors import VenueError
from podshop.nouns.venue import SECOND_NS, Card, Filled, Found, Listed, Order, Paid, Quote, Reading, Reply
from podshop.venues import strict
from podshop.venues.ccxt_venue import parse
from podshop.venues.ccxt_venue.terms import TERMS, Contract, believed, contract
from podshop.venues.hyperliquid.info import INTERVALS
from podshop.venues.paging import one_each, together, walked
from podshop.venues.sending import refused, unknown
from podshop.venues.wire import NoAnswer

REFUSALS = {  # errors of ccxt that name a reason for which nothing was placed
    "InsufficientFunds": "MARGIN",
    "AuthenticationError": "KEY",
    "PermissionDenied": "KEY",
    "AccountSuspended": "KEY",
    "AccountNotEnabled": "KEY",
    "ArgumentsRequired": "REQUEST",
    "BadRequest": "REQUEST",
    "BadSymbol": "MARKET",
    "OperationRejected": "REJECTED",
    "MarketClosed": "CLOSED",
    "InvalidOrder": "REJECTED",
    "OrderImmediatelyFillable": "POST_ONLY",
    "OrderNotFillable": "NO_MATCH",
    "ContractUnavailable": "MARKET",
    "NotSupported": "REQUEST",
}
DUPLICATES = ("-4116", "110072", "51016")  # Binance's, Bybit's, OKX's code of a client id that was used: it is there
MARK_BARS = 100


class CcxtVenue:
    """Keeps the promise of `nouns.venue.Venue`.

    exchange  from `exchange.connect(name, keys)`
    """

    def __init__(self, exchange: Any, markets: Sequence[str], now_ns: Callable[[], int] = time.time_ns) -> None:
        self._exchange, self.markets, self._now_ns = exchange, tuple(markets), now_ns
        self._terms = TERMS[exchange.id]
        self._by_market: dict[str, Contract] = {}
        self._by_id: dict[str, Contract] = {}
        self.card = Card(
            venue=exchange.id,
            client_ids=True,
            expiry=False,
            reduce_only=True,
            partial_close=True,
            reads=frozenset({"positions", "fills", "funding", "equity", "orders", "marks"}),
            sends_per_minute=300,
            closes_per_minute=100,
            least_interval_ns=60 * SECOND_NS,
            simulated=exchange.simulated,
        )

    async def time_ns(self) -> int:
        """The venue's clock."""
        return strict.millis(await believed(self._exchange.id, self._exchange.fetch_time()), "time")

    async def instruments(self) -> tuple[Listed, ...]:
        """The fund's markets as they are listed now."""
        await self._load(again=bool(self._by_market))
        return tuple(self._by_market[m].listed() for m in self.markets if m in self._by_market)

    async def marks(self, at_ns: int, interval_ns: int) -> Mapping[str, Quote]:
        """Close of the last bar with trading that ended at or before this instant. Unknown markets are missing."""
        interval = INTERVALS.get(interval_ns // SECOND_NS)
        if interval not in self._exchange.timeframes or interval_ns % SECOND_NS:
            raise VenueError(f"{self._exchange.id} has no bars of {interval_ns} ns")
        contracts = await self._contracts()
        since = (at_ns - MARK_BARS * interval_ns) // strict.MS_NS

        async def last(c: Contract) -> Quote | None:
            rows = await believed(
                self._exchange.id, self._exchange.fetch_ohlcv(c.symbol, interval, since, MARK_BARS + 2)
            )
            return parse.last_close(rows, c, interval_ns, at_ns)

        found = await together([last(c) for c in contracts])
        return {c.market: quote for c, quote in zip(contracts, found, strict=True) if quote is not None}

    async def mids(self) -> Mapping[str, Quote]:
        """Middle of the book now."""
        contracts = await self._contracts()

        async def now(c: Contract) -> Quote:
            return parse.mid(await believed(self._exchange.id, self._exchange.fetch_order_book(c.symbol, 5)), c)

        found = await together([now(c) for c in contracts])
        return {c.market: quote for c, quote in zip(contracts, found, strict=True)}

    async def send(self, order: Order) -> Reply:
        """Send it, once."""
        try:
            c = await self._contract(order.market)
            amount, price = amount_text(order, c), price_text(order, c)
        except VenueError as e:
            return refused("NOT_SENT", str(e))
        if order.expires_ns <= self._now_ns():
            return refused("EXPIRED", "not sent: its time was over")
        params: dict[str, Any] = {"timeInForce": "IOC", "clientOrderId": order.intent}
        if order.reduce_only or order.whole:
            params |= {"reduceOnly": True}
        side = "buy" if order.lots > 0 else "sell"
        try:
            answer = await self._exchange.create_order(c.symbol, "limit", side, amount, price, params)
            return parse.placed(answer, order, c)
        except NoAnswer as e:
            return unknown("NO_ANSWER", str(e)) if e.sent else refused("NOT_SENT", str(e))
        except Exception as e:  # noqa: BLE001 -- whatever ccxt raises, the order may be there
            return failed(e)

    async def look(self, order: Order, order_id: str | None) -> Found:
        """Ask after one order by our client id."""
        from ccxt import OrderNotFound

        try:
            c = await self._contract(order.market)
            venue_ns = await self.time_ns()
            try:
                return parse.found(await self._order(order, c), order, c, venue_ns)
            except OrderNotFound:
                return Found("unknown_id", venue_ns=venue_ns)
        except Exception:  # noqa: BLE001 -- no answer is an answer here
            return Found("no_answer")

    async def cancel(self, order: Order, order_id: str) -> bool:
        """Take back what rests of it."""
        try:
            c = await self._contract(order.market)
            answer = await self._exchange.cancel_order(order_id, c.symbol)
            return isinstance(answer, dict) and answer.get("id") == order_id
        except Exception:  # noqa: BLE001 -- not confirmed
            return False

    async def reading(self) -> Reading:
        """Positions and account value. Two questions; no position beside margin in use is a half answer."""
        await self._contracts()
        began_ns = self._now_ns()
        venue_ns = await self.time_ns()
        raw = await believed(self._exchange.id, self._positions())
        value, used = parse.equity(
            self._exchange.id, (await believed(self._exchange.id, self._exchange.fetch_balance()))["info"]
        )
        lots = parse.positions(raw, self._terms, self._by_id)
        if used > 0 and not lots:
            raise VenueError(f"{self._exchange.id}: no position, but {used} USD of margin in use")
        return Reading(began_ns, self._now_ns(), venue_ns, strict.micro(value, "equity"), None, lots)

    async def fills(self, since_ns: int) -> Sequence[Filled]:
        """Fills stamped from then on, oldest first; pages are walked to the end."""
        found: list[Filled] = []
        for c in await self._contracts():
            for kind in self._terms.kinds or [""]:
                extra = {"execType": kind} if kind else {}
                found += await self._walked(self._exchange.fetch_my_trades, c, parse.fill, since_ns, extra)
        return one_each(found, lambda f: f.fill_id, since_ns)

    async def fundings(self, since_ns: int) -> Sequence[Paid]:
        """Funding settled from then on, oldest first."""
        found: list[Paid] = []
        for c in await self._contracts():
            found += await self._walked(self._exchange.fetch_funding_history, c, parse.funding, since_ns, {})
        return one_each(found, lambda p: p.paid_id, since_ns)

    async def close(self) -> None:
        """Give back connections."""
        await self._exchange.close()

    async def _walked(self, call: Any, c: Contract, read: Any, since_ns: int, extra: dict[str, Any]) -> list[Any]:
        terms = self._terms

        async def page(start_ms: int, end_ms: int) -> tuple[int, list[Any]]:
            span: dict[str, Any] = (
                {"begin": str(start_ms), "end": str(end_ms)} if self._exchange.id == "okx" else {"until": end_ms}
            )
            rows = await believed(
                self._exchange.id, call(c.symbol, start_ms, terms.most, {"limit": terms.most} | span | extra)
            )
            return len(rows), [read(strict.field(row, "info", "row"), terms, self._by_id) for row in rows]

        found: list[Any] = await walked(page, since_ns, self._now_ns(), terms.most, terms.widest_ms)
        return found

    async def _order(self, order: Order, c: Contract) -> Any:
        """Unified order by client id. Bybit's unified call cannot ask by it, its raw one can."""
        if self._exchange.id != "bybit":
            return await self._exchange.fetch_order(None, c.symbol, {"clientOrderId": order.intent})
        from ccxt import OrderNotFound

        request = {"category": "linear", "symbol": c.venue_id, "orderLinkId": order.intent}
        answer = await self._exchange.privateGetV5OrderRealtime(request)
        rows = strict.rows(strict.field(strict.field(answer, "result", "order"), "list", "order"), "order")
        if not rows:
            raise OrderNotFound("bybit does not know it")
        return self._exchange.parse_order(rows[0], self._exchange.market(c.symbol))

    async def _positions(self) -> list[Any]:
        """Raw rows of all positions."""
        e = self._exchange
        if e.id == "binanceusdm":
            return list(strict.rows(await e.fapiPrivateV3GetPositionRisk(), "positions"))
        if e.id == "okx":
            answer = await e.privateGetAccountPositions({"instType": "SWAP"})
            return list(strict.rows(strict.field(answer, "data", "positions"), "positions"))
        answer = await e.privateGetV5PositionList({"category": "linear", "settleCoin": "USDT", "limit": 200})
        result = strict.field(answer, "result", "positions")
        if result.get("nextPageCursor") and len(strict.rows(result.get("list"), "positions")) >= 200:
            raise VenueError("bybit: more positions than one answer holds")
        return list(strict.rows(strict.field(result, "list", "positions"), "positions"))

    async def _load(self, *, again: bool = False) -> None:
        known = await believed(self._exchange.id, self._exchange.load_markets(again))
        fresh: dict[str, Contract] = {}
        for market in self.markets:
            found = contract(market, known, "USDT")
            if found is not None:
                fresh[market] = found
        self._by_market = fresh
        self._by_id = {c.venue_id: c for c in fresh.values()}

    async def _contracts(self) -> list[Contract]:
        if not self._by_market:
            await self._load()
        return [self._by_market[m] for m in self.markets if m in self._by_market]

    async def _contract(self, market: str) -> Contract:
        await self._contracts()
        if market not in self._by_market:
            raise VenueError(f"{self._exchange.id}: {market} is not listed")
        return self._by_market[market]


def failed(error: Exception) -> Reply:
    """What an error of ccxt means for an order. Only a kind on the list is a no; a duplicate id means it is there."""
    if any(code in str(error) for code in DUPLICATES):
        return unknown("DUPLICATE", type(error).__name__)
    for kind in type(error).__mro__:
        if kind.__name__ in ("DuplicateOrderId", "OperationFailed", "OrderNotFound"):
            break
        if kind.__name__ in REFUSALS:
            return refused(REFUSALS[kind.__name__], type(error).__name__)
    return unknown("NO_ANSWER", type(error).__name__)


def amount_text(order: Order, c: Contract) -> str:
    """Contracts, exactly."""
    if order.lots == 0 or (not c.active and not order.reduce_only):
        raise VenueError(f"{order.market}: nothing to send, or a market that can only be reduced")
    return format(abs(order.lots) * c.step, "f")


def price_text(order: Order, c: Contract) -> str:
    """The worst price accepted, on the venue's tick, never worse than asked."""
    price = Decimal(order.limit_micro) / strict.MICRO / c.lot
    steps = (price / c.tick).to_integral_value(ROUND_FLOOR if order.lots > 0 else ROUND_CEILING)
    if steps <= 0:
        raise VenueError(f"{order.market}: the limit {order.limit_micro} is below the smallest price")
    return format(steps * c.tick, "f")
