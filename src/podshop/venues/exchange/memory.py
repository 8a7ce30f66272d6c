"""A venue in this process: the protocol over the exchange's truth and its evil twin, under an injected clock.

Two cards: one like Hyperliquid's, where an order can be found by our own id and expires, and one like Purple Flea's,
which knows neither. The adapters over HTTP meet the same exchange through http.py; this one is for virtual time, where
a day of faults takes a second.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from podshop.nouns import SECOND_NS, VenueError
from podshop.nouns.venue import Card, Filled, Found, Listed, Order, Paid, Quote, Reading, Reply
from podshop.venues.exchange.twin import Sent, Twin, Wish

READS = frozenset({"positions", "equity", "fills", "funding", "orders", "marks"})
WITH_IDS = Card(
    venue="memory", client_ids=True, expiry=True, reduce_only=True, partial_close=True, reads=READS, simulated=True,
)  # fmt: skip
WITHOUT_IDS = Card(
    venue="memory-bare", client_ids=False, expiry=False, reduce_only=False, partial_close=False, reads=READS,
    rounding_lots=1, sends_per_minute=25, closes_per_minute=25, least_interval_ns=60 * SECOND_NS,
    minimum_micro=11_000_000, simulated=True,
)  # fmt: skip

SILENT = frozenset({"lost_before", "lost_after"})
UNREADABLE = frozenset({"refused_after_fill", "html", "garbage", "odd_numbers", "twice_keys", "reset"})


class Clock(Protocol):
    """What the venue needs of `live.clock.Clock`."""

    def now_ns(self) -> int:
        """UTC nanoseconds."""
        ...

    async def sleep_until(self, at_ns: int) -> None:
        """Wait for an instant."""
        ...


class MemoryVenue:
    """`nouns.venue.Venue` over a twin.

    travel_ns    time that a message is on its way, each way; 0 = nothing is awaited, as parity wants it
    patience_ns  how long the caller waits for an answer before he calls the outcome unknown
    """

    def __init__(
        self, twin: Twin, clock: Clock, card: Card = WITH_IDS, *, travel_ns: int = 0, patience_ns: int = 10 * SECOND_NS
    ) -> None:
        self.card, self.twin = card, twin
        self._clock, self._travel_ns, self._patience_ns = clock, travel_ns, patience_ns

    async def time_ns(self) -> int:
        """The venue's clock."""
        await self._ask("time")
        return self.twin.clock_ns(self._clock.now_ns())

    async def instruments(self) -> tuple[Listed, ...]:
        """Every market of the exchange."""
        await self._ask("instruments")
        return self.twin.truth.listed()

    async def marks(self, at_ns: int, interval_ns: int) -> Mapping[str, Quote]:
        """Close of the last bar with trading that ended at or before this instant; bars are the exchange's own."""
        await self._ask("marks")
        return self.twin.truth.marks(at_ns)

    async def mids(self) -> Mapping[str, Quote]:
        """Middle of the book now."""
        await self._ask("mids")
        return self.twin.mids(self._clock.now_ns())

    async def send(self, order: Order) -> Reply:
        """Send it, once. Whoever stops waiting does not stop the order."""
        sent_ns = self._clock.now_ns()
        sent = self.twin.send(sent_ns, self._wish(order), self._travel_ns)
        until_ns = sent_ns + self._patience_ns
        if sent.arrives_ns is not None:
            await self._until(min(sent.arrives_ns, until_ns))
            self.twin.advance(self._clock.now_ns())
        else:
            await self._until(sent_ns + self._travel_ns)
        if sent.fault in SILENT or (sent.arrives_ns is not None and sent.ack is None):
            await self._until(until_ns)
            return Reply("unknown", code="timeout", text="no answer")
        await self._until(self._clock.now_ns() + self._travel_ns)
        return _reply(sent)

    async def look(self, order: Order, order_id: str | None) -> Found:
        """Ask after one order, by the exchange's id, or by ours where the card says so."""
        if order_id is None and not self.card.client_ids:
            return Found("no_answer")
        try:
            await self._ask("look")
        except VenueError:
            return Found("no_answer")
        now_ns = self._clock.now_ns()
        self.twin.advance(now_ns)
        found = self.twin.truth.find(order_id, order.intent)
        if found is None:
            return Found("unknown_id", venue_ns=now_ns)
        return Found("open" if found.status == "open" else "final", found.order_id, found.filled, now_ns)

    async def cancel(self, order: Order, order_id: str) -> bool:
        """Take back what rests of it."""
        try:
            await self._ask("cancel")
        except VenueError:
            return False
        return self.twin.truth.cancel(self._clock.now_ns(), int(order_id))

    async def reading(self) -> Reading:
        """Positions and account value. An empty one comes without its envelope: no value, no stamp of the venue."""
        began_ns = self._clock.now_ns()
        await self._ask("positions")
        if self.twin.evil.fires("database"):
            raise VenueError("positions came from the server's database, not from the venue")
        seen = self.twin.account(self._clock.now_ns())
        if self.twin.evil.fires("empty"):
            return Reading(began_ns, self._clock.now_ns(), 0, 0, None, {})
        return Reading(began_ns, self._clock.now_ns(), seen.venue_ns, seen.equity_micro, seen.cash_micro, seen.lots)

    async def fills(self, since_ns: int) -> Sequence[Filled]:
        """Fills stamped from then on."""
        await self._ask("fills")
        found = self.twin.fills(self._clock.now_ns(), since_ns)
        return found if self.card.client_ids else [each._replace(client_id=None) for each in found]

    async def fundings(self, since_ns: int) -> Sequence[Paid]:
        """Funding settled from then on."""
        await self._ask("funding")
        return self.twin.truth.fundings(self._clock.now_ns(), since_ns)

    async def close(self) -> None:
        """Nothing to give back."""

    def _wish(self, order: Order) -> Wish:
        """The order as this venue can be asked: what the card lacks is not sent."""
        card = self.card
        return Wish(
            order.market,
            order.lots,
            order.limit_micro,
            reduce_only=order.reduce_only and card.reduce_only,
            whole=order.whole,
            client_id=order.intent if card.client_ids else None,
            expires_ns=order.expires_ns if card.expiry else None,
            tag=order.intent,
        )

    async def _ask(self, what: str) -> None:
        """A question goes out and back, or fails on the way."""
        fault = self.twin.evil.read_fault(self._clock.now_ns())
        silent = fault in ("read_timeout", "down")
        await self._until(self._clock.now_ns() + (self._patience_ns if silent else 2 * self._travel_ns))
        if fault:
            raise VenueError(f"{self.card.venue}: {what}: {fault}")
        self.twin.advance(self._clock.now_ns())

    async def _until(self, at_ns: int) -> None:
        if at_ns > self._clock.now_ns():
            await self._clock.sleep_until(at_ns)


def _reply(sent: Sent) -> Reply:
    """What the caller reads. Only what is certain is a refusal."""
    if sent.fault == "busy":
        return Reply("refused", code="rate_limited", text="Too many requests")
    if sent.fault == "unrounded":
        return Reply("refused", code="tick", text="Price must be divisible by tick size.")
    if sent.fault in UNREADABLE or sent.ack is None:
        return Reply("unknown", code=sent.fault, text="the answer says nothing")
    code, text, order, _ = sent.ack
    if code == "duplicate_id":
        return Reply("unknown", code=code, text=text)  # such an order exists: it may well be ours
    if code:
        return Reply("refused", code=code, text=text)
    assert order is not None  # taken orders leave a trace
    hinted = -order.before if sent.wish.whole else sent.wish.lots
    return Reply("accepted", order.order_id, hinted_lots=hinted if sent.fault == "partial_close" else order.filled)
