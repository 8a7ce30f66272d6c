"""What Hyperliquid's answers to signed actions mean. HTTP 200 in both cases: the body says ok or err.

A refusal counts only if its words are on the list here, from the venue's documentation (error responses); an error
nobody has listed leaves the order unknown, and its client id finds out.
"""

from decimal import ROUND_DOWN

from podshop.nouns.errors import VenueError
from podshop.nouns.venue import Order, Reply
from podshop.venues import strict
from podshop.venues.hyperliquid.info import Asset
from podshop.venues.sending import listed, unknown
from podshop.venues.wire import Answer

OF_AN_ORDER = {
    "Price must be divisible by tick size": "TICK",
    "Order must have minimum value of $10": "MINIMUM",
    "Insufficient margin to place order": "MARGIN",
    "Reduce only order would increase position": "REDUCE_ONLY",
    "Post only order would have immediately matched": "POST_ONLY",
    "Order could not immediately match against any resting orders": "NO_MATCH",
    "Invalid TP/SL price": "TRIGGER",
    "Order price too far from oracle": "ORACLE",
}
OF_A_REQUEST = {
    "User or API Wallet": "KEY",
    "Too many cumulative requests sent": "RATE",
}


def placed(answer: Answer, order: Order, asset: Asset) -> Reply:
    """Reply to one order. Raises VenueError where the answer is of no known shape: the caller says unknown."""
    what = "hyperliquid order"
    if answer.status != 200:
        return unknown(f"HTTP_{answer.status}")
    said = answer.json(what)
    status = strict.field(said, "status", what)
    if status == "err":
        return listed(strict.field(said, "response", what), OF_A_REQUEST)
    entry = _only_status(said, "order")
    if isinstance(entry, dict) and set(entry) == {"error"}:
        return listed(entry["error"], OF_AN_ORDER)
    if isinstance(entry, dict) and set(entry) in ({"filled"}, {"resting"}):
        ((kind, told),) = entry.items()
        cloid = strict.record(told, what).get("cloid")
        if cloid is not None and cloid != f"0x{order.intent}":
            raise VenueError(f"{what}: the answer is of another order")
        oid = str(strict.whole(strict.field(told, "oid", what), f"{what}.oid"))
        hint = None
        if kind == "filled":
            size = strict.decimal(strict.field(told, "totalSz", what), f"{what}.totalSz")
            lots = strict.fit((size / asset.unit).to_integral_value(ROUND_DOWN), what)
            hint = lots if order.lots > 0 else -lots
        return Reply("accepted", oid, hinted_lots=hint)
    return unknown("UNLISTED", "an order that waits for another")


def confirmed(answer: Answer, kind: str) -> bool:
    """Whether a cancellation or a scheduled one was confirmed. Whatever is not a clear yes is a no."""
    try:
        if answer.status != 200:
            return False
        said = answer.json(f"hyperliquid {kind}")
        if kind == "scheduleCancel":
            return bool(said == {"status": "ok", "response": {"type": "default"}})
        return bool(_only_status(said, "cancel") == "success")
    except VenueError:
        return False


def _only_status(said: object, kind: str) -> object:
    """The single entry of `statuses`."""
    what = f"hyperliquid {kind}"
    response = strict.field(said, "response", what)
    if strict.field(said, "status", what) != "ok" or strict.field(response, "type", what) != kind:
        raise VenueError(f"{what}: found {strict.shown(said)}, expected ok and {kind}")
    statuses = strict.rows(strict.field(strict.field(response, "data", what), "statuses", what), what)
    if len(statuses) != 1:
        raise VenueError(f"{what}: {len(statuses)} statuses, expected 1")
    return statuses[0]
