"""Trading at Hyperliquid with an own key: the recommended way for real money, and the watchdog's way out.

Orders are built, numbered and signed here. Only the signing itself is the official SDK's (`hyperliquid.utils.signing`,
MIT, Hyperliquid Labs); none of its network classes is used, nor ccxt's, which signs actions nobody asked for. The key
should be that of an API wallet: it trades and cannot withdraw. All questions are asked for the main wallet's address.

What proves an order's fate: its client id is 0x and the intent, so the venue can be asked for it; `expiresAfter` is
signed, so what has not arrived by then never will.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from podshop.nouns.errors import ConfigError, PodshopError
from podshop.nouns.venue import SECOND_NS, Card, Found, Order, Reply
from podshop.venues import strict
from podshop.venues.hyperliquid import replies
from podshop.venues.hyperliquid.account import Account
from podshop.venues.hyperliquid.info import Asset
from podshop.venues.hyperliquid.prices import limit_text, size_text
from podshop.venues.sending import posted, refused
from podshop.venues.wire import Answer, NoAnswer, Secret, Wire

MAINNET = "https://api.hyperliquid.xyz"
TESTNET = "https://api.hyperliquid-testnet.xyz"
Action = dict[str, Any]


class Signer:
    """Signs actions of the trading chain. The key is inside and does not come out."""

    __slots__ = ("__sign", "address")

    def __init__(self, key: Secret, *, mainnet: bool) -> None:
        from eth_account import Account as Wallet
        from hyperliquid.utils.signing import sign_l1_action

        wallet = None
        with contextlib.suppress(Exception):  # whatever it says may hold the key
            wallet = Wallet.from_key(key.reveal())
        if wallet is None:
            raise ConfigError("the key of the API wallet is not a private key, expected 0x and 64 hex digits")
        self.address: str = wallet.address

        def sign(action: Action, nonce: int, expires_ms: int | None) -> dict[str, Any]:
            return dict(sign_l1_action(wallet, action, None, nonce, expires_ms, mainnet))

        self.__sign = sign

    def __call__(self, action: Action, nonce: int, expires_ms: int | None) -> dict[str, Any]:
        """Signature {r, s, v} over action, number and expiry."""
        return self.__sign(action, nonce, expires_ms)

    def __repr__(self) -> str:
        return f"<signer {self.address}>"


class Hyperliquid(Account):
    """Keeps the promise of `nouns.venue.Venue`.

    address    the main wallet, whose positions they are
    key        of the API wallet that signs
    submit_s   how long an answer to an order is awaited, seconds of the wall
    """

    def __init__(
        self,
        base_url: str,
        address: str,
        key: Secret,
        markets: Sequence[str],
        now_ns: Callable[[], int] = time.time_ns,
        *,
        submit_s: float = 30.0,
        wire: Wire | None = None,
    ) -> None:
        self._wire = wire or Wire(base_url, secrets=[key])
        super().__init__(self._wire, address, markets, now_ns)
        self._sign = Signer(key, mainnet=self._wire.base.host == "api.hyperliquid.xyz")
        self._submit_s = submit_s
        self._nonce = 0
        self.card = Card(
            venue="hyperliquid",
            client_ids=True,
            expiry=True,
            reduce_only=True,
            partial_close=True,
            reads=frozenset({"positions", "fills", "funding", "equity", "orders", "marks"}),
            sends_per_minute=600,
            closes_per_minute=300,
            least_interval_ns=60 * SECOND_NS,
            simulated=self._wire.loopback,
        )

    async def send(self, order: Order) -> Reply:
        """Send it, once: a limit order that takes what it can at once and cancels the rest."""
        try:
            asset = await self.asset(order.market)
            wired = order_wire(order, asset)
        except PodshopError as e:
            return refused("NOT_SENT", str(e))
        if order.expires_ns <= self._now_ns():
            return refused("EXPIRED", "not sent: its time was over")
        action = {"type": "order", "orders": [wired], "grouping": "na"}
        call = self._act(action, order.expires_ns // strict.MS_NS)
        return await posted(call, lambda answer: replies.placed(answer, order, asset))

    async def look(self, order: Order, order_id: str | None) -> Found:
        """Ask after one order by our client id, or by the venue's number."""
        if order_id is not None and order_id.isdecimal():
            return await self.status(order, int(order_id))
        return await self.status(order, f"0x{order.intent}")

    async def cancel(self, order: Order, order_id: str) -> bool:
        """Take back what rests of it, by our client id."""
        try:
            asset = await self.asset(order.market)
            cancels = [{"asset": asset.number, "cloid": f"0x{order.intent}"}]
            return replies.confirmed(await self._act({"type": "cancelByCloid", "cancels": cancels}), "cancel")
        except PodshopError:
            return False

    async def schedule_cancel(self, at_ns: int | None) -> bool:
        """Dead man's switch: the venue cancels all that rests at an instant (5 s ahead at least); None takes it off."""
        action: Action = {"type": "scheduleCancel"}
        if at_ns is not None:
            action["time"] = at_ns // strict.MS_NS
        try:
            return replies.confirmed(await self._act(action), "scheduleCancel")
        except NoAnswer:
            return False

    async def close(self) -> None:
        """Give back connections."""
        await self._wire.close()

    async def _act(self, action: Action, expires_ms: int | None = None) -> Answer:
        """Number, sign (a millisecond) and post an action. The number is the clock's, and never twice the same."""
        nonce = self._nonce = max(self._nonce + 1, self._now_ns() // strict.MS_NS)
        signature = self._sign(action, nonce, expires_ms)
        body = {"action": action, "nonce": nonce, "signature": signature, "vaultAddress": None}
        if expires_ms is not None:
            body["expiresAfter"] = expires_ms
        return await self._wire.ask("POST", "/exchange", json_body=body, read_s=self._submit_s)


def order_wire(order: Order, asset: Asset) -> Action:
    """An order as it is signed; the order of the fields counts. Raises ConfigError for what cannot be asked."""
    if order.lots == 0 or order.limit_micro <= 0 or not is_intent(order.intent):
        raise ConfigError(
            f"{order.market}: an order of {order.lots} lots to {order.limit_micro}, intent {order.intent!r}"
        )
    buys = order.lots > 0
    price = limit_text(order.limit_micro, asset.decimals, buys=buys)
    if price == "0":
        raise ConfigError(f"{order.market}: the limit {order.limit_micro} is below the smallest price")
    return {
        "a": asset.number,
        "b": buys,
        "p": price,
        "s": size_text(order.lots, asset.decimals),
        "r": order.reduce_only or order.whole,
        "t": {"limit": {"tif": "Ioc"}},
        "c": f"0x{order.intent}",
    }


def is_intent(name: str) -> bool:
    """32 lower-case hex digits."""
    return len(name) == 32 and all(c in "0123456789abcdef" for c in name)
