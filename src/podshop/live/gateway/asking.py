"""What the gateway asks the venue, how long it waits, and what it makes of the answers.

A question that fails is asked again at its next turn; it is never taken for "nothing". Times are of the venue's clock.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import copy_context
from typing import Any, TypeVar

from podshop.ledger.facts import Funding
from podshop.ledger.live import Seen
from podshop.live.clock import Clock
from podshop.live.flatten import PREFIX as WATCHDOG
from podshop.live.gateway.desk import Desk
from podshop.live.gateway.terms import HOUR_NS
from podshop.nouns import VenueError
from podshop.nouns.venue import Filled, Order, Paid, Reading, Reply, Venue
from podshop.orders.events import FillSaid, FoundSaid, ReadingSaid, Replied, Tick
from podshop.orders.step import wanted
from podshop.venues.wire import MAY_LEAVE

MOMENT_NS = 1_000  # so that a reading begins after what came before it
UNKNOWN_MARKET = "UNKNOWN_MARKET"
LATE_FUNDING_NS = 4 * HOUR_NS

T = TypeVar("T")


class Asking:
    """The venue, as one gateway speaks with it.

    reading    the last that came whole; reads_failed in a row
    waiting    fills and funding that are known and not yet to be booked: stamped at the cycle's instant or after
    """

    def __init__(self, venue: Venue, desk: Desk, clock: Clock) -> None:
        self.venue, self.desk, self.clock = venue, desk, clock
        self.reading: Reading | None = None
        self.failed: dict[str, int] = {}
        self.changed_history = ""
        self.foreign = ""
        self.prefix = ""
        self.answer_ns = desk.terms.answer_ns
        self.leave_ns = self.answer_ns * 9 // 10  # so late a first byte may leave: before what the flattener is told
        self._told: dict[str, Filled] = {}
        self._paid: dict[str, Paid] = {}
        self._replies: dict[str, asyncio.Task[Reply]] = {}
        self._whole_ns = 0
        self._heard_ns: int | None = None  # of fills, and of funding: the last question that was answered
        self._settled_ns: int | None = None

    # ---------------------------------------------------------------- waiting

    async def within(self, answer: Awaitable[T], ns: int | None = None) -> T:
        """An answer, or VenueError when none came in time."""
        task = asyncio.ensure_future(answer)
        until_ns = self.clock.now_ns() + (self.answer_ns if ns is None else ns)
        timer = asyncio.ensure_future(self.clock.sleep_until(until_ns))
        try:
            await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise VenueError("no answer in time")
            return task.result()
        finally:
            timer.cancel()
            if not task.done():
                task.cancel()

    async def asked(self, what: str, answer: Awaitable[T]) -> T | None:
        """An answer, or None where there is none that can be believed."""
        try:
            found = await self.within(answer)
        except VenueError as e:
            count = self.failed[what] = self.failed.get(what, 0) + 1
            if count in (3, 30, 300):
                self.desk.alarm(self.clock.now_ns(), "VENUE_SILENT", "", what, f"{count} times: {e}")
            return None
        self.failed[what] = 0
        return found

    async def moment(self) -> None:
        """Let the clock move."""
        await self.clock.sleep_until(self.clock.now_ns() + MOMENT_NS)

    # ---------------------------------------------------------------- orders

    async def send(self, intents: Sequence[str], may: Callable[[Order], bool]) -> None:
        """Send approved intents, each once and all at once; what has not answered in time is UNKNOWN.

        may  the last look: asked here, and by the venue's wire when a connection is there to write to
        """
        desk, until_ns = self.desk, self.clock.now_ns() + self.leave_ns
        for intent in intents:
            order = desk.approved(intent)
            leaves = self._last_look(order, until_ns, may)
            if not leaves():
                refused = Reply("refused", code="NOT_SENT", text="expired or halted before it was sent")
                desk.tell(order.market, Replied(self.clock.now_ns(), intent, refused))
                continue
            context = copy_context()
            context.run(MAY_LEAVE.set, leaves)
            self._replies[intent] = asyncio.create_task(self._sent(order), context=context)
        mine = {intent: self._replies[intent] for intent in intents if intent in self._replies}
        if mine:
            timer = asyncio.ensure_future(self.clock.sleep_until(self.clock.now_ns() + self.answer_ns))
            pending: set[asyncio.Future[Any]] = set(mine.values())
            while pending - {timer} and not timer.done():
                _, pending = await asyncio.wait({*pending, timer}, return_when=asyncio.FIRST_COMPLETED)
                pending.discard(timer)
            timer.cancel()
        self.replies()
        for intent in mine:
            if intent in self._replies:
                late = Reply("unknown", code="TIMEOUT", text="no reply in time")
                desk.tell(self._market(intent), Replied(self.clock.now_ns(), intent, late))
        desk.commit()

    async def _sent(self, order: Order) -> Reply:
        return await self.venue.send(order)

    def _last_look(self, order: Order, until_ns: int, may: Callable[[Order], bool]) -> Callable[[], bool]:
        last_ns = min(order.expires_ns, until_ns)
        return lambda: self.clock.now_ns() < last_ns and may(order)

    def replies(self) -> None:
        """Take the replies that have come: a clear answer is as good late as early."""
        for intent, task in list(self._replies.items()):
            if not task.done():
                continue
            del self._replies[intent]
            failed = task.exception() if not task.cancelled() else None
            if failed is not None and not isinstance(failed, Exception):
                raise failed
            lost = Reply("unknown", code="RAISED", text=type(failed).__name__)
            reply = lost if task.cancelled() or failed is not None else task.result()
            self.desk.tell(self._market(intent), Replied(self.clock.now_ns(), intent, reply))

    def stop(self) -> None:
        """Wait for no reply any more."""
        for task in self._replies.values():
            task.cancel()
        self._replies.clear()

    async def look(self, markets: Iterable[str]) -> dict[str, int]:
        """Ask after the orders of these markets; intent -> lots filled, of those the venue says are over."""
        over: dict[str, int] = {}
        for market in markets:
            line = self.desk.memory.line(market)
            for intent in wanted(line, self.desk.order_terms).look:
                flight = line.flight(intent)
                assert flight is not None
                found = await self.asked("look", self.venue.look(flight.order, flight.order_id))
                if found is None:
                    continue
                self.desk.tell(market, FoundSaid(self.clock.now_ns(), intent, found))
                if found.status == "final" and found.filled_lots is not None:
                    over[intent] = found.filled_lots
        return over

    # ---------------------------------------------------------------- history

    async def hear(self, before_ns: int | None = None) -> None:
        """Read the venue's fills and tell each coin its own. before_ns: only those stamped earlier, the rest later."""
        self.replies()
        now_ns = self.clock.now_ns()
        found = await self.asked("fills", self.venue.fills(self._since(now_ns)))
        if found is None:
            return
        self._heard_ns = now_ns
        known = self.desk.keeper.state.known
        for fill in sorted(found, key=lambda each: (each.at_ns, each.fill_id)):
            if before_ns is not None and fill.at_ns >= before_ns:
                continue
            told = self._told.get(fill.fill_id)
            if told is not None and told != fill:
                self.changed_history = f"fill {fill.fill_id} was {told} and is {fill}"
            if told is not None or known.there("fill", fill.fill_id):
                continue
            if fill.market not in self.desk.terms.markets:
                text = f"{fill.lots} lots of {fill.market}, which this fund does not trade"
                self.desk.alarm(now_ns, UNKNOWN_MARKET, fill.market, fill.fill_id, text)
                self._told[fill.fill_id] = fill
                continue
            client = (fill.client_id or "").removeprefix("0x")
            watchdog = client.startswith(WATCHDOG)
            if client and not watchdog and not client.startswith(self.prefix):
                self.foreign = f"fill {fill.fill_id} bears the client id {client}, which no gateway of this fund wrote"
            self.desk.tell(fill.market, FillSaid(self.clock.now_ns(), fill, watchdog))
            self._told[fill.fill_id] = fill  # not before: what could not be stepped is told again
        self.desk.commit()
        self._prune(now_ns)

    def _since(self, now_ns: int) -> int:
        """From when on to read: two cycles, or all that may be late; once an hour a day; and all of a silence."""
        heard_ns = self._since_last("opening") if self._heard_ns is None else self._heard_ns
        if now_ns - self._whole_ns >= HOUR_NS:
            self._whole_ns = now_ns
            return min(heard_ns, now_ns) - 24 * HOUR_NS
        terms = self.desk.order_terms
        flights = [flight.sent_ns for _, flight in self.desk.flights()]
        return min(now_ns - terms.quarantine_ns, *flights, heard_ns, now_ns) - terms.skew_ns

    def _since_last(self, kind: str) -> int:
        """When a process before this one wrote such a row last; else when the journal began."""
        keeper = self.desk.keeper
        return (keeper.last(kind) or keeper.row(1)).at_ns

    def _prune(self, now_ns: int) -> None:
        if len(self._told) > 100_000:
            self._told = {k: fill for k, fill in self._told.items() if fill.at_ns > now_ns - 48 * HOUR_NS}

    async def paid(self, at_ns: int) -> list[Paid]:
        """Funding that is not booked yet, oldest first; of a market that is not the fund's, an alarm.

        Asked for since the last answer, or the last row of a process before this one, less what may come late:
        neither a dead gateway nor a silent venue may lose a settlement.
        """
        since_ns = self._since_last("funding") if self._settled_ns is None else self._settled_ns
        found = await self.asked("funding", self.venue.fundings(min(since_ns, at_ns) - LATE_FUNDING_NS))
        if found is not None:
            self._settled_ns = at_ns
        known = self.desk.keeper.state.known
        new = []
        for paid in sorted(found or (), key=lambda each: (each.at_ns, each.paid_id)):
            if known.there("funding", paid.paid_id):
                continue
            if paid.market not in self.desk.terms.markets:
                if paid.paid_id not in self._paid:
                    self._paid[paid.paid_id] = paid
                    text = f"funding {paid.paid_id} of {paid.market}, which this fund does not trade"
                    self.desk.alarm(self.clock.now_ns(), UNKNOWN_MARKET, paid.market, "", text)
                continue
            new.append(paid)
        return new

    # ---------------------------------------------------------------- readings

    async def read(self, cycle: int) -> Reading | None:
        """Read the account and show it to every coin."""
        await self.moment()
        reading = await self.asked("reading", self.venue.reading())
        now_ns = self.clock.now_ns()
        if reading is None:
            return None
        for market in self.desk.terms.markets:
            self.desk.tell(market, ReadingSaid(now_ns, reading))
        held = sorted((market, lots) for market, lots in reading.lots.items() if lots)
        self.desk.note(
            reading.ended_ns,
            Seen(
                cycle,
                reading.began_ns,
                reading.ended_ns,
                reading.venue_ns,
                reading.equity_micro,
                reading.cash_micro,
                tuple(market for market, _ in held),
                tuple(lots for _, lots in held),
            ),
        )
        strange = [market for market, _ in held if market not in self.desk.terms.markets]
        if strange:
            self.desk.alarm(now_ns, UNKNOWN_MARKET, strange[0], "", f"the account holds {', '.join(strange)}")
        self.reading = reading
        return reading

    def tick(self) -> None:
        """Time has passed."""
        now_ns = self.clock.now_ns()
        for market in self.desk.terms.markets:
            if self.desk.memory.line(market).flights:
                self.desk.tell(market, Tick(now_ns))

    def _market(self, intent: str) -> str:
        for market in self.desk.terms.markets:
            if self.desk.memory.line(market).flight(intent) is not None:
                return market
        return self.desk.terms.markets[0]


def funding_of(paid: Paid) -> Funding:
    """What the venue settled, as a fact."""
    return Funding(paid.paid_id, paid.market, paid.cash_micro)
