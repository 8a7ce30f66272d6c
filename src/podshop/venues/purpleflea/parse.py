"""Purple Flea's answers, read strictly. What it says of sizes, fees and profit is at best a hint, and mostly not even
read: truth comes from Hyperliquid by the wallet's address.
"""

from decimal import ROUND_HALF_EVEN
from typing import Any, NamedTuple

from podshop.nouns.errors import VenueError
from podshop.nouns.venue import Order, Reply
from podshop.venues import strict
from podshop.venues.hyperliquid.info import Asset
from podshop.venues.purpleflea.dialects import Dialect
from podshop.venues.purpleflea.refusals import refusal
from podshop.venues.wire import Answer


def opened(answer: Answer, order: Order, asset: Asset, dialect: Dialect) -> Reply:
    """Reply to an open. A yes names our market, our side, Hyperliquid's order and says that it is real."""
    what = "purpleflea open"
    said = answer.json(what)
    if answer.status != 200:
        return refusal(answer.status, said)
    side = "long" if order.lots > 0 else "short"
    named = dialect.coin_field if dialect.coin_field in strict.record(said, what) else "coin"
    _expect(said, what, named, dialect.symbol(asset.name))
    _expect(said, what, "side", side)
    _expect(said, what, "execution", "real")
    _expect(said, what, "status", "open")
    oid = str(strict.whole(strict.field(said, dialect.order_field, what), f"{what}.{dialect.order_field}"))
    return Reply("accepted", oid, hinted_lots=_hint(said, order, asset))


def closed(answer: Answer, position_id: str, dialect: Dialect) -> Reply:
    """Reply to a close. It claims the size of its own row, whatever was filled, so there is no hint."""
    what = "purpleflea close"
    said = answer.json(what)
    if answer.status != 200:
        return refusal(answer.status, said)
    _expect(said, what, "position_id", position_id)
    _expect(said, what, "execution", "real")
    _expect(said, what, "status", "closed")
    return Reply("accepted", str(strict.whole(strict.field(said, dialect.order_field, what), what)))


class Row(NamedTuple):
    """A position as it lists it: the id that closes it, None for an orphan; 1 long, -1 short; lots unsigned."""

    position_id: str | None
    name: str
    side: int
    size: str


def positions(said: Any) -> tuple[Row, ...]:
    """The live positions, to find the id that closes one. Rows from its database are refused: they drift."""
    what = "purpleflea positions"
    _expect(said, what, "source", "hyperliquid")
    found = []
    for row in strict.rows(strict.field(said, "positions", what), what):
        _expect(row, what, "source", "hyperliquid")
        named = strict.field(row, "position_id", what)
        side = strict.field(row, "side", what)
        if side not in ("long", "short"):
            raise VenueError(f"{what}: found side {strict.shown(side)}, expected long or short")
        size = strict.positive(strict.field(row, "size", what), f"{what}.size")
        name = strict.text(strict.field(row, "coin", what), f"{what}.coin")
        position_id = None if named is None else strict.text(named, f"{what}.position_id")
        found.append(Row(position_id, name, 1 if side == "long" else -1, f"{size:f}"))
    if strict.whole(strict.field(said, "count", what), what) != len(found) or len({r.name for r in found}) != len(
        found
    ):
        raise VenueError(f"{what}: {len(found)} rows, a coin twice or not as many as counted")
    return tuple(found)


class Terms(NamedTuple):
    """What the account may do: wallet, largest leverage and order in USD, whether orders are real and signed."""

    wallet: str
    max_leverage: int
    max_position_usd: int
    tradeable: bool
    generated: bool


def account(said: Any) -> Terms:
    """`GET /auth/account`. It knows no balance: that is Hyperliquid's."""
    what = "purpleflea account"
    wallet = strict.field(said, "hl_wallet", what)
    real = strict.field(wallet, "execution", what) == "real"
    approved, signed = (
        strict.truth(strict.field(wallet, name, what), f"{what}.{name}")
        for name in ("builder_fee_approved", "signing_key_stored")
    )
    return Terms(
        wallet=strict.text(strict.field(wallet, "address", what), what),
        max_leverage=strict.whole(strict.field(said, "max_leverage", what), what, 1, 1000),
        max_position_usd=strict.whole(strict.field(said, "max_position_usd", what), what),
        tradeable=real and approved and signed,
        generated=strict.truth(strict.field(wallet, "generated", what), what),
    )


def _hint(said: Any, order: Order, asset: Asset) -> int | None:
    """Lots that the answer seems to claim, from dollars and price; None where it cannot be read."""
    try:
        dollars = strict.positive(strict.field(said, "size_usd", "hint"), "hint")
        price = strict.positive(strict.field(said, "entry_price", "hint"), "hint")
        lots = strict.fit((dollars / price / asset.unit).to_integral_value(ROUND_HALF_EVEN), "hint")
    except VenueError:
        return None
    return lots if order.lots > 0 else -lots


def _expect(said: Any, what: str, name: str, expected: str) -> None:
    found = strict.field(said, name, what)
    if found != expected:
        raise VenueError(f"{what}: {name} is {strict.shown(found)}, expected {expected!r}")
