"""What the exchange charges and allows, what it keeps of an order, and what it says when it will not have one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Tif = Literal["ioc", "gtc", "alo"]
Status = Literal["open", "filled", "canceled", "rejected"]

REFUSALS = {  # code -> what Hyperliquid says of it, or we where it has no word for it
    "unknown_market": "Unknown asset.",
    "invalid_size": "Order has zero size.",
    "expired": "Order has expired.",
    "duplicate_id": "Duplicate client order id.",
    "delisted": "Trading is halted: only reductions are accepted.",
    "min_notional": "Order must have minimum value of $10.",
    "reduce_only": "Reduce only order would increase position.",
    "no_position": "No open position.",
    "margin": "Insufficient margin to place order.",
    "post_only": "Post only order would have immediately matched, bbo was {bid}@{ask}.",
    "no_match": "Order could not immediately match against any resting orders.",
}
UNRECORDED = frozenset({"unknown_market", "invalid_size", "expired", "duplicate_id"})  # these leave no trace


class Terms(NamedTuple):
    """What the exchange charges and allows.

    fee_e8, maker_fee_e8  in 1e-8 of notional
    min_notional_micro    smallest order by market; one that leaves the position flat may be smaller, and the minimum
                          holds for all orders of one side and cycle together: in a backtest they are one order
    max_leverage          by market; also what an account begins with
    funding_interval_ns   between settlements, as listed
    """

    fee_e8: int = 45_000
    maker_fee_e8: int = 15_000
    half_spread: float = 0.0001
    impact: float = 1.0
    min_notional_micro: Mapping[str, int] = {}
    max_leverage: Mapping[str, int] = {}
    funding_interval_ns: int = 3_600_000_000_000


@dataclass(slots=True)
class Placed:
    """An order that arrived, as the exchange's own books have it.

    number          running number, and the order id
    client_id       what the sender called it, where he did
    tag             whose intent it was: for the oracle of a test, the exchange never looks
    asked, filled   lots, signed;  position before it arrived
    code            why it was rejected or cancelled
    """

    number: int
    market: str
    asked: int
    limit_micro: int
    reduce_only: bool
    tif: Tif
    at_ns: int
    before: int
    client_id: str | None = None
    tag: str = ""
    filled: int = 0
    status: Status = "open"
    code: str = ""
    changed_ns: int = 0

    @property
    def order_id(self) -> str:
        return str(self.number)

    @property
    def left(self) -> int:
        """Lots that are still open, signed."""
        return self.asked - self.filled if self.status == "open" else 0


def clipped(held: int, lots: int, reduce_only: bool) -> int:
    """What an order of `lots` may do to a position: where it is reduce-only, bring it toward flat and no further.

    >>> clipped(5, -8, True), clipped(5, 3, True), clipped(5, -8, False), clipped(0, 3, True)
    (-5, 0, -8, 0)
    """
    if not reduce_only:
        return lots
    return 0 if lots * held >= 0 else max(lots, -held) if lots < 0 else min(lots, -held)


class Ack(NamedTuple):
    """What the exchange answers to an order. `code` is empty where it was taken.

    order        None where it left no trace
    price_micro  what a lot of it costs as things stand: a hint, later orders of the cycle may move it
    """

    code: str
    text: str
    order: Placed | None
    price_micro: int = 0
