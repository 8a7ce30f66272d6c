"""Where each venue keeps what money depends on, in its raw rows; and how a unified market becomes lots.

Own parsers read the raw rows (`info`), not ccxt's unified ones: those fill gaps, and a funding payment of Bybit comes
out of them with the sign of a fee.
"""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from podshop.nouns import HOUR_NS
from podshop.nouns.errors import VenueError
from podshop.nouns.venue import Listed
from podshop.venues import strict

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Names of fields in a venue's raw rows. `fee_sign` 1: what is paid is positive; funding likewise.

    quantity       in contracts, unsigned
    position       (symbol, size, side or None where the size is signed, mode, words of one-way mode)
    most           rows of a page that may have been cut; widest_ms longest span that one question may have
    kinds          word of why a fill happened -> our kind; kind_field None = it does not say
    """

    fill_id: str
    order_id: str
    client_id: str | None
    symbol: str
    side: str
    price: str
    quantity: str
    fee: str
    fee_currency: str
    at: str
    position: tuple[str, str, str | None, str, tuple[str, ...]]
    funding: tuple[str, str, str, str]  # id, symbol, cash, instant
    most: int
    widest_ms: int
    fee_sign: int = 1
    funding_sign: int = 1
    kind_field: str | None = None
    kinds: dict[str, str] = field(default_factory=dict)


TERMS = {
    "binanceusdm": Terms(
        fill_id="id",
        order_id="orderId",
        client_id=None,
        symbol="symbol",
        side="side",
        price="price",
        quantity="qty",
        fee="commission",
        fee_currency="commissionAsset",
        at="time",
        position=("symbol", "positionAmt", None, "positionSide", ("BOTH",)),
        funding=("tranId", "symbol", "income", "time"),
        most=500,
        widest_ms=7 * DAY_MS - 1,
    ),
    "bybit": Terms(
        fill_id="execId",
        order_id="orderId",
        client_id="orderLinkId",
        symbol="symbol",
        side="side",
        price="execPrice",
        quantity="execQty",
        fee="execFee",
        fee_currency="feeCurrency",
        at="execTime",
        position=("symbol", "size", "side", "positionIdx", ("0",)),
        funding=("execId", "symbol", "execFee", "execTime"),
        most=100,
        widest_ms=7 * DAY_MS - 1,
        funding_sign=-1,  # execFee of a funding row is a cost
        kind_field="execType",
        kinds={"Trade": "trade", "BustTrade": "liquidation", "AdlTrade": "adl", "Settle": "settlement"},
    ),
    "okx": Terms(
        fill_id="billId",
        order_id="ordId",
        client_id="clOrdId",
        symbol="instId",
        side="side",
        price="fillPx",
        quantity="fillSz",
        fee="fee",
        fee_currency="feeCcy",
        at="ts",
        position=("instId", "pos", None, "posSide", ("net",)),
        funding=("billId", "instId", "balChg", "ts"),
        most=100,
        widest_ms=0,
        fee_sign=-1,  # what is paid is negative
    ),
}


class Contract(NamedTuple):
    """A perpetual as ccxt lists it, in lots.

    symbol, venue_id  unified and raw name; coins = how many of our coins one of the venue's units is
    contract          base units of a contract; step = smallest amount, contracts; tick of the price
    """

    market: str
    symbol: str
    venue_id: str
    coins: int
    contract: Decimal
    step: Decimal
    tick: Decimal
    max_leverage: int
    funding_ns: int
    active: bool
    settle: str

    @property
    def lot(self) -> Decimal:
        """Venue's base units per lot."""
        return self.contract * self.step

    def lots(self, contracts: Decimal, what: str) -> int:
        """Contracts in lots, exactly."""
        return strict.exact(contracts, self.step, what)

    def price_micro(self, price: Decimal, what: str) -> int:
        """A price of the venue's unit, micro-dollars per lot."""
        return max(1, strict.micro(price * self.lot, what))

    def listed(self) -> Listed:
        """The market in our words."""
        lot_size = float(self.lot * self.coins)
        return Listed(self.market, self.venue_id, lot_size, self.funding_ns, self.max_leverage, not self.active)


def contract(market: str, markets: dict[str, Any], quote: str) -> Contract | None:
    """The linear perpetual of a base asset, also where it is traded by the thousand; None = not listed."""
    for prefix, suffix, coins in _WRITTEN:
        symbol = f"{prefix}{market}{suffix}/{quote}:{quote}"
        found = markets.get(symbol)
        if found is not None and found.get("swap") and found.get("linear"):
            return _contract(market, symbol, found, coins)
    return None


_WRITTEN = (("", "", 1), ("1000", "", 1000), ("", "1000", 1000), ("k", "", 1000), ("10000", "", 10_000))


def _contract(market: str, symbol: str, found: dict[str, Any], coins: int) -> Contract:
    precision, limits = found["precision"], found.get("limits") or {}
    leverage = (limits.get("leverage") or {}).get("max")
    step, tick = strict.positive(_text(precision["amount"]), symbol), strict.positive(_text(precision["price"]), symbol)
    size = strict.positive(_text(found["contractSize"]), symbol)
    hours = found.get("fundingHours", 8)
    settle = strict.text(found["settle"], symbol)
    most = 1 if leverage is None else int(strict.positive(_text(leverage), symbol))
    active = found.get("active") is not False
    venue_id = strict.text(found["id"], symbol)
    return Contract(market, symbol, venue_id, coins, size, step, tick, most, hours * HOUR_NS, active, settle)


def _text(value: Any) -> str:
    """ccxt gives numbers of a market as text, int or float; a float is written the shortest way that means it."""
    if value is None:
        raise VenueError("ccxt: a market without step, tick or contract size")
    return format(Decimal(str(value)), "f")


async def believed(venue: str, call: Awaitable[Any]) -> Any:
    """A read: whatever ccxt raises becomes VenueError, with nothing but its kind in the text."""
    trouble = ""
    try:
        return await call
    except VenueError:
        raise
    except Exception as e:  # noqa: BLE001 -- ccxt's parsers raise KeyError, TypeError ... on strange answers
        trouble = type(e).__name__
    raise VenueError(f"{venue}: no answer that can be believed ({trouble})")
