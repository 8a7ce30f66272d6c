"""What an order, its fate and a venue's answers are, in every world, and what a venue must be able to do.

Quantities are whole lots, money whole micro-dollars, prices micro-dollars per lot, instants UTC nanoseconds of the
venue's clock. Markets are named by their base asset, as in the fund file; an adapter knows what its venue calls them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a venue can do, as its adapter claims and the acceptance suite holds it to.

    client_ids         an order can be looked up by the id we gave it
    expiry             the venue refuses an order that arrives after its expiry
    reduce_only        an order can be made unable to open or enlarge a position
    partial_close      a position can be reduced by a part of it; else only closed whole
    reads              of positions, fills, funding, equity, orders, marks: what it can be asked
    rounding_lots      it may fill so many lots more than asked
    late_bound_ns      the longest after an order was sent that its fill may still appear, as far as is known
    sends_per_minute   most orders that are sent; 0 = no such limit; closes_per_minute those kept for reductions
    least_interval_ns  shortest cycle that it bears
    minimum_micro      smallest order, micro-dollars of notional
    maintenance        (minute of the UTC week, minutes) in which it is down
    simulated          no money is at stake
    """

    venue: str
    client_ids: bool
    expiry: bool
    reduce_only: bool
    partial_close: bool
    reads: frozenset[str]
    rounding_lots: int = 0
    late_bound_ns: int = 30 * SECOND_NS
    sends_per_minute: int = 0
    closes_per_minute: int = 0
    least_interval_ns: int = SECOND_NS
    minimum_micro: int = 10_000_000
    maintenance: tuple[tuple[int, int], ...] = ()
    simulated: bool = False


class Listed(NamedTuple):
    """A market as the venue lists it now. Any change of these is a new version of the instrument.

    lot_size     base units per lot; venue_name what the venue calls it
    delisted     it can only be reduced
    """

    market: str
    venue_name: str
    lot_size: float
    funding_interval_ns: int
    max_leverage: int
    delisted: bool


class Order(NamedTuple):
    """One order, as it is in the journal before it is sent. It is sent once.

    intent           32 lower-case hex digits: our id, and the venue's client id where it takes one
    lots             signed: buys > 0
    limit_micro      the worst price accepted; reference_micro the mid it was decided at
    reduce_only      it may only bring the position toward flat
    whole            it closes whatever position there is
    expires_ns       not to be sent, and where the venue knows how not to be taken, from then on
    """

    intent: str
    market: str
    lots: int
    limit_micro: int
    reference_micro: int
    reduce_only: bool
    whole: bool
    expires_ns: int


Outcome = Literal["accepted", "refused", "unknown"]


class Reply(NamedTuple):
    """What came of sending an order. What is neither a clear yes nor on the list of clear refusals is unknown.

    order_id     the venue's own; None where it gave none
    code, text   of a refusal, or of what went wrong; never holds a key
    hinted_lots  what the reply claims was filled: a hint, never booked; None = it says nothing
    """

    outcome: Outcome
    order_id: str | None = None
    code: str = ""
    text: str = ""
    hinted_lots: int | None = None


Status = Literal["open", "final", "unknown_id", "no_answer"]


class Found(NamedTuple):
    """What the venue says of one order. `unknown_id` is said by the venue; `no_answer` is not an answer.

    filled_lots  signed, so far; None where it does not say
    venue_ns     the venue's clock when it answered; None where it does not say
    """

    status: Status
    order_id: str | None = None
    filled_lots: int | None = None
    venue_ns: int | None = None


class Reading(NamedTuple):
    """The account as the venue's independent source shows it, with the whole envelope: lots of every market held.

    began_ns, ended_ns  our clock around the question; venue_ns the venue's own stamp in the answer
    equity_micro        account value; cash_micro what is left of it without the positions' value (None = not said)
    lots                market -> signed lots; a market that is not there is flat
    """

    began_ns: int
    ended_ns: int
    venue_ns: int
    equity_micro: int
    cash_micro: int | None
    lots: Mapping[str, int]


class Filled(NamedTuple):
    """One fill, as the venue's fill history has it.

    fill_id      unique for the account, for ever; order_id the venue's; client_id ours, where the venue keeps it
    fee_micro    all charges of this fill, paid > 0 (negative = rebate)
    kind         trade | liquidation | adl | settlement
    """

    fill_id: str
    order_id: str
    client_id: str | None
    market: str
    lots: int
    price_micro: int
    fee_micro: int
    at_ns: int
    kind: str = "trade"


class Paid(NamedTuple):
    """One funding settlement of the account in one market; received > 0.

    assumed  nobody recorded the rate of this replayed history: whoever holds lots pays, on either side
    """

    paid_id: str
    market: str
    cash_micro: int
    rate: float
    lots: int
    at_ns: int
    assumed: bool = False


class Quote(NamedTuple):
    """What a market is worth: price and when it was traded or quoted, by the venue's clock."""

    price_micro: int
    at_ns: int


class Venue(Protocol):
    """A venue for one account. Reads raise VenueError when there is no answer that can be believed.

    `send` never raises but for cancellation: whatever goes wrong after the first byte is `unknown`. Nothing here
    retries an order. Calls that a venue is known to answer falsely are not made.
    """

    card: Card

    async def time_ns(self) -> int:
        """The venue's clock."""
        ...

    async def instruments(self) -> tuple[Listed, ...]:
        """The fund's markets as they are listed now."""
        ...

    async def marks(self, at_ns: int, interval_ns: int) -> Mapping[str, Quote]:
        """Close of the last bar with trading that ended at or before this instant. Unknown markets are missing."""
        ...

    async def mids(self) -> Mapping[str, Quote]:
        """Middle of the book now."""
        ...

    async def send(self, order: Order) -> Reply:
        """Send it, once."""
        ...

    async def look(self, order: Order, order_id: str | None) -> Found:
        """Ask after one order, by the venue's id or, where the card says so, by ours."""
        ...

    async def cancel(self, order: Order, order_id: str) -> bool:
        """Take back what rests of it; whether the venue confirmed."""
        ...

    async def reading(self) -> Reading:
        """Positions and account value in one whole answer."""
        ...

    async def fills(self, since_ns: int) -> Sequence[Filled]:
        """Fills stamped from then on, oldest first; pages are walked to the end."""
        ...

    async def fundings(self, since_ns: int) -> Sequence[Paid]:
        """Funding settled from then on, oldest first."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
