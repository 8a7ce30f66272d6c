"""Purple Flea: it is only asked to open and to close; everything else is read at Hyperliquid by the wallet's address.

What it lacks, and what follows
- no client order id, no expiry: a lost reply is solved by Hyperliquid's fills, or waits (docs/live.md, section 3)
- a close always closes the whole position of the coin; a part is sold by opening the other side, which nets
- it sizes in USD at its own mid, up to 30 s old, and rounds to the nearest lot: we ask for what makes at most the lots
  asked and one more, if the mid did not fall by more than `drift` meanwhile
- leverage is set for the coin before the order, also for orders that fail
Calls that are known to lie (`dialects.NEVER`) are not made.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence

from podshop.nouns.errors import ConfigError, PodshopError, VenueError
from podshop.nouns.venue import SECOND_NS, Card, Found, Order, Reply
from podshop.venues.hyperliquid.account import Account
from podshop.venues.hyperliquid.info import Asset
from podshop.venues.purpleflea import parse
from podshop.venues.purpleflea.dialects import SERVER, Dialect
from podshop.venues.sending import posted, refused
from podshop.venues.wire import Secret, Wire

HYPERLIQUID = "https://api.hyperliquid.xyz"
A_MINUTE = 25  # of each path; the venue stops at 30, and counts failed calls too
MINIMUM_MICRO = 11_000_000  # the venue's 10 USD and room for its rounding
DRIFT = 0.005  # the collar within which it fills


class PurpleFlea(Account):
    """Keeps the promise of `nouns.venue.Venue`, and moves whole positions or dollars, not lots.

    address   the Hyperliquid wallet that it trades on
    info_url  where Hyperliquid answers; None = the real one, or this machine if the base is this machine
    leverage  asked for each open
    drift     how far its mid may fall before our order is filled larger than asked; None = 0.5 %, in simulation 0
    """

    def __init__(
        self,
        address: str,
        key: Secret,
        markets: Sequence[str],
        now_ns: Callable[[], int] = time.time_ns,
        *,
        dialect: Dialect = SERVER,
        base_url: str | None = None,
        info_url: str | None = None,
        leverage: int = 3,
        drift: float | None = None,
        submit_s: float = 45.0,
        wire: Wire | None = None,
        info_wire: Wire | None = None,
    ) -> None:
        self._wire = wire or Wire(base_url or dialect.base_url, secrets=[key])
        if not dialect.whole and not self._wire.loopback:
            raise ConfigError(
                f"purpleflea: the dialect {dialect.name!r} cannot close or show positions, so it serves only the "
                "simulated exchange on this machine; choose dialect = 'server'"
            )
        here = str(self._wire.base.copy_with(raw_path=b"/")) if self._wire.loopback else HYPERLIQUID
        super().__init__(info_wire or Wire(info_url or here), address, markets, now_ns)
        self._key, self._dialect, self._leverage, self._submit_s = key, dialect, leverage, submit_s
        self._drift = drift if drift is not None else (0.0 if self._wire.loopback else DRIFT)
        if not 0.0 <= self._drift < 0.1 or leverage < 1:
            raise ConfigError(f"purpleflea: drift is {drift}, leverage {leverage}; expected 0 to 0.1, and at least 1")
        self._opens, self._closes = Budget(A_MINUTE), Budget(A_MINUTE)
        self.card = Card(
            venue="purpleflea",
            client_ids=False,
            expiry=False,
            reduce_only=False,  # only a whole close is
            partial_close=False,
            reads=frozenset({"positions", "fills", "funding", "equity", "marks"}),
            rounding_lots=1,
            late_bound_ns=60 * SECOND_NS,
            sends_per_minute=A_MINUTE,
            closes_per_minute=A_MINUTE,
            least_interval_ns=60 * SECOND_NS,
            minimum_micro=MINIMUM_MICRO,
            simulated=self._wire.loopback,
        )

    async def terms(self) -> parse.Terms:
        """What the account may do: a read that costs nothing, for the start and the doctor."""
        if self._dialect.account_path is None:
            raise VenueError(f"purpleflea: the dialect {self._dialect.name!r} shows no account")
        return parse.account(await self._get(self._dialect.account_path))

    async def send(self, order: Order) -> Reply:
        """Open so many dollars, or close the whole position; what is not certain to be what was meant is not sent."""
        try:
            asset = await self.asset(order.market)
            if order.expires_ns <= self._now_ns():
                return refused("EXPIRED", "not sent: its time was over")
            if order.whole or order.reduce_only:
                return await self._close(order, asset)
        except PodshopError as e:
            return refused("NOT_SENT", str(e))
        return await self._open(order, asset)

    async def look(self, order: Order, order_id: str | None) -> Found:
        """By Hyperliquid's order number, which an accepted order has; without one there is nothing to ask by."""
        if order_id is None or not order_id.isdecimal():
            return Found("no_answer")
        return await self.status(order, int(order_id))

    async def cancel(self, order: Order, order_id: str) -> bool:
        """Nothing rests, and nothing could be taken back."""
        return False

    async def close(self) -> None:
        """Give back connections."""
        await self._wire.close()
        await self._info_wire.close()

    async def _open(self, order: Order, asset: Asset) -> Reply:
        body = open_request(order, asset, self._dialect, self._leverage, self._drift)
        if body is None:
            return refused("MINIMUM", f"not sent: {order.lots} lots are less than {MINIMUM_MICRO // 1_000_000} USD")
        if not self._opens.take(self._now_ns()):
            return refused("RATE", f"not sent: {A_MINUTE} orders were opened in the last minute")
        call = self._wire.ask(
            "POST", self._dialect.open_path, json_body=body, headers=self._headers(), read_s=self._submit_s
        )
        return await posted(call, lambda answer: parse.opened(answer, order, asset, self._dialect))

    async def _close(self, order: Order, asset: Asset) -> Reply:
        """Find the id that closes the position, then close it. Raises VenueError before anything was sent."""
        path, listing = self._dialect.close_path, self._dialect.positions_path
        if path is None or listing is None:
            return refused("DIALECT", f"not sent: the dialect {self._dialect.name!r} cannot close")
        if not order.whole:
            return refused("PARTIAL", "not sent: a position is closed whole or not at all")
        rows = [row for row in parse.positions(await self._get(listing)) if row.name == asset.name]
        if not rows or rows[0].side * order.lots >= 0:
            return refused("SIDE", "not sent: there is no position on the other side")
        position_id = rows[0].position_id
        if position_id is None:
            return refused("ORPHAN", "not sent: the position has no id; open the other side to close it")
        if not self._closes.take(self._now_ns()):
            return refused("RATE", f"not sent: {A_MINUTE} positions were closed in the last minute")
        body = {"position_id": position_id}
        call = self._wire.ask("POST", path, json_body=body, headers=self._headers(), read_s=self._submit_s)
        return await posted(call, lambda answer: parse.closed(answer, position_id, self._dialect))

    async def _get(self, path: str) -> object:
        answer = await self._wire.ask("GET", path, headers=self._headers())
        if answer.status != 200:
            raise VenueError(f"purpleflea: HTTP {answer.status} to GET {path}")
        found: object = answer.json(f"purpleflea {path}")
        return found

    def _headers(self) -> dict[str, str]:
        return self._dialect.headers(self._key.reveal())


def open_request(
    order: Order, asset: Asset, dialect: Dialect, leverage: int, drift: float = 0.0
) -> dict[str, object] | None:
    """Body of an open, or None if it is too small to ask for.

    The venue fills round(USD / its mid). USD = lots x reference x (1 - drift), down to the micro-dollar, is at most
    the lots asked at any mid from reference x (1 - drift) on, and rounding to the nearest adds less than one.
    """
    notional = abs(order.lots) * order.reference_micro
    asked_micro = notional - -(-notional * round(drift * 1_000_000) // 1_000_000)
    if order.reference_micro <= 0 or asked_micro < MINIMUM_MICRO:
        return None
    return {
        dialect.coin_field: dialect.symbol(asset.name),
        "side": "long" if order.lots > 0 else "short",
        dialect.size_field: asked_micro / 1_000_000,
        "leverage": min(leverage, asset.max_leverage),
    }


class Budget:
    """So many calls in any minute. Calls are counted when they are made, whatever comes of them."""

    def __init__(self, most: int, span_ns: int = 60 * SECOND_NS) -> None:
        self._most, self._span_ns = most, span_ns
        self._made: deque[int] = deque()

    def take(self, now_ns: int) -> bool:
        """Whether one more may be made now; if so it counts."""
        while self._made and self._made[0] <= now_ns - self._span_ns:
            self._made.popleft()
        if len(self._made) >= self._most:
            return False
        self._made.append(now_ns)
        return True
