"""Bring the account to flat, alone: it asks the venue only, sends only what can reduce, and stops when it is sure.

    latch first -> read the account -> one reduce-only order a coin -> read again -> ... -> flat now -> Q later: FLAT

Nothing here believes a reply: an order's outcome is what the next reading shows. A second reduce-only order for the
same position does no harm where the venue knows such orders, so a lost reply costs a reading and no more; where it
does not, the next order waits until the last can no longer fill. An account-wide "close all" is never called: venues
are known to answer it with success and close nothing.

`flat now` is said after two believed readings, 5 s or more apart, that show nothing. FLAT is said after Q in which
every believed reading, several of them, showed nothing, counted from the last moment at which anybody could have sent
an order. What a reading must have to be believed: docs/live.md, section 2, and `believed` below. A reading that shows
a position is acted on whatever its stamp, for a reduce-only order cannot harm; only quiet ones must be of now. The
stamps also set our clock right: a machine that has slept, or that began with a wrong time, must not wait for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Literal, NamedTuple, TypeVar

from podshop.live.clock import Clock, follow
from podshop.live.intents import Flight
from podshop.nouns import VenueError
from podshop.nouns.venue import SECOND_NS, Order, Quote, Reading, Venue

T = TypeVar("T")

PREFIX = "f1a7"  # of the flattener's intents: the gateway books what carries it as flattening
APART_NS = 5 * SECOND_NS
ASK_NS = 15 * SECOND_NS  # the longest that one question is waited for
SEND_NS = 30 * SECOND_NS  # and one order: cutting a send short makes its outcome unknown, which is borne
SKEW_NS = 10 * SECOND_NS  # a reading's stamp may be so far from the time it was asked for
WALL_ASK_NS, WALL_SKEW_NS = SECOND_NS, 50_000_000  # the least of both by the wall, where history is replayed fast
LEAST_READINGS = 6  # of the quiet time before FLAT; a venue that shows an empty account once in ten shows six by chance
COLLARS_BPS = (100, 200, 400, 800)  # of the limit, wider with each try: a close that a fast market refuses is no close
PAUSES_S = (1, 2, 4, 8, 15)  # after the venue said that it is asked too often, or said nothing

Word = Literal["raised", "unread", "reading", "sent", "refused", "flat now", "FLAT", "stuck"]


class Said(NamedTuple):
    """One step, for the log and whoever watches. `lots` is what is still held, as far as was last read."""

    at_ns: int
    word: Word
    text: str
    lots: Mapping[str, int]


def believed(reading: Reading, asked_ns: int, after_ns: int, skew_ns: int = SKEW_NS) -> str:
    """Why a reading proves nothing; empty where it may be believed.

    asked_ns  when the question was put, by the same clock as `reading.began_ns`
    after_ns  the last event it must be later than
    skew_ns   how far its stamp may be from when it was asked
    """
    if reading.began_ns < asked_ns or reading.ended_ns < reading.began_ns:
        return "it was not asked for now"
    if reading.began_ns <= after_ns:
        return "it began before the last event"
    if not reading.venue_ns or not reading.began_ns - skew_ns <= reading.venue_ns <= reading.ended_ns + skew_ns:
        return "its stamp is not of now"
    if reading.equity_micro <= 0:
        return "it has no account value"
    held = any(reading.lots.values())
    if not held and reading.cash_micro is not None and abs(reading.equity_micro - reading.cash_micro) > 1_000_000:
        return "it shows no position, and an account value other than its cash"
    return ""


def shows(reading: Reading, asked_ns: int, since_ns: int) -> bool:
    """Whether a reading that is not of now still counts as one that shows positions.

    since_ns  the venue's stamp of the last believed reading that showed nothing; 0 = none. What is older is over
    """
    asked_now = asked_ns <= reading.began_ns <= reading.ended_ns
    return asked_now and any(reading.lots.values()) and (not since_ns or reading.venue_ns > since_ns)


@dataclass(slots=True)
class Flattener:
    """One account on its way to flat.

    venue, clock  with a key of its own; every duration is of this clock
    cycle_ns      length of a cycle: Q is at least two
    in_flight     what the gateway may have on the way, None = it cannot be read
    say           is told every step
    intent        makes a new intent's id
    rate          how many times faster than the wall the venue's clock runs
    """

    venue: Venue
    clock: Clock
    cycle_ns: int
    in_flight: Callable[[], Flight | None] = lambda: None
    say: Callable[[Said], None] = lambda said: None
    intent: Callable[[], str] = lambda: PREFIX + token_hex(14)
    rate: float = 1.0
    lots: dict[str, int] = field(default_factory=dict, init=False)  # as last believed, without zeros
    _began_ns: int = field(default=0, init=False)
    _sent_ns: int = field(default=0, init=False)  # when our last order was on its way for the last time
    _moved_ns: int = field(default=0, init=False)  # last time a reading showed a position
    _quiet: list[int] = field(default_factory=list, init=False)  # when the readings began that have shown nothing since
    _quiet_venue_ns: int = field(default=0, init=False)  # the venue's stamp of the last of them
    _tries: dict[str, int] = field(default_factory=dict, init=False)
    _waits: dict[str, int] = field(default_factory=dict, init=False)  # market -> before when it is not tried again
    _trouble: int = field(default=0, init=False)

    @property
    def quiet_ns(self) -> int:
        """Q: so long nothing may have changed before FLAT is said."""
        flight = self.in_flight()
        late_ns = max(self.venue.card.late_bound_ns, flight.late_bound_ns if flight else 0)
        return max(2 * self.cycle_ns, late_ns + 30 * SECOND_NS)

    async def run(self) -> None:
        """Until FLAT. Never gives up, and never raises for what a venue does."""
        self._began_ns = self._began_ns or self.clock.now_ns()
        if self.flat():
            return
        told = False
        while not self.flat():
            reading = await self._read()
            if reading is None:
                continue
            if self.lots:
                told = False
                await self._reduce()
                await self._pause(SECOND_NS)
                continue
            if not told and self._quiet[-1] - self._quiet[0] >= APART_NS:
                told = True
                self._tell(
                    "flat now", f"two readings at least 5 s apart show nothing; FLAT in {self._left_s()} s at best"
                )
            await self._pause(APART_NS if not told else max(APART_NS, self.quiet_ns // (2 * LEAST_READINGS)))
        self._tell("FLAT", f"{len(self._quiet)} readings over {self.quiet_ns // SECOND_NS} s show nothing")

    async def look_again(self) -> None:
        """One believed reading, after FLAT: what it shows decides whether `run` has anything to do."""
        while await self._read() is None:
            pass

    def flat(self) -> bool:
        """Whether FLAT may be said: Q, seen from its end, with nothing in it but readings that show nothing."""
        since_ns = max(self._last_send_ns(), self._moved_ns)
        quiet = [began_ns for began_ns in self._quiet if began_ns > since_ns]
        return len(quiet) >= LEAST_READINGS and quiet[-1] - since_ns >= self.quiet_ns

    def _last_send_ns(self) -> int:
        """The last moment at which an order may have left: ours, or the gateway's; unread, when we began."""
        flight = self.in_flight()
        theirs_ns = self._began_ns if flight is None else min(flight.last_send_ns, self._began_ns + self.cycle_ns)
        return max(self._sent_ns, theirs_ns, self._began_ns)

    def _left_s(self) -> int:
        since_ns = max(self._last_send_ns(), self._moved_ns)
        return max(0, self.quiet_ns - (self.clock.now_ns() - since_ns)) // SECOND_NS

    async def _read(self) -> Reading | None:
        """The account, or None where what came cannot be believed; then the venue is given a rest."""
        asked_ns = self.clock.now_ns()
        try:
            reading = await within(self.clock, self._ask_ns, self.venue.reading())
            moved_ns = self._follow(reading)
            asked_ns += moved_ns
            reading = reading._replace(began_ns=reading.began_ns + moved_ns, ended_ns=reading.ended_ns + moved_ns)
            wrong = believed(reading, asked_ns, self._sent_ns, max(SKEW_NS, int(self.rate * WALL_SKEW_NS)))
            if wrong and self._harmless and shows(reading, asked_ns, self._quiet_venue_ns):
                wrong = ""
        except (VenueError, TimeoutError) as e:
            wrong = str(e) or "no answer in time"
        if wrong:
            self._tell("unread", wrong)
            self._trouble += 1
            await self._pause(PAUSES_S[min(self._trouble, len(PAUSES_S)) - 1] * SECOND_NS)
            return None
        self._trouble = 0
        lots = {market: held for market, held in sorted(reading.lots.items()) if held}
        if lots:
            self._moved_ns = reading.ended_ns
            self._quiet.clear()
            self._quiet_venue_ns = 0
        else:
            self._quiet = [*self._quiet[-10 * LEAST_READINGS :], reading.began_ns]
            self._quiet_venue_ns = reading.venue_ns
        if lots != self.lots:
            self.lots = lots
            self._tell("reading", f"{len(lots)} positions" if lots else "no position")
        return reading

    @property
    def _harmless(self) -> bool:
        """Whether nothing that we send can open a position, even where the account is not what we take it to be."""
        return self.venue.card.reduce_only or not self.venue.card.partial_close

    def _follow(self, reading: Reading) -> int:
        """Set our clock right where the venue's stamps prove it wrong, with all that we remember; by how much."""
        moved_ns = follow(self.clock, reading.venue_ns, reading.began_ns, reading.ended_ns)
        if not moved_ns:
            return 0
        self._began_ns += moved_ns
        self._sent_ns += moved_ns if self._sent_ns else 0
        self._moved_ns += moved_ns if self._moved_ns else 0
        self._quiet = [began_ns + moved_ns for began_ns in self._quiet]
        self._waits = {market: until_ns + moved_ns for market, until_ns in self._waits.items()}
        self._tell("reading", f"our clock was off by {moved_ns / SECOND_NS:+.1f} s, and is the venue's now")
        return moved_ns

    async def _reduce(self) -> None:
        """One order for each coin that is held and is not being waited for; the largest first."""
        quotes = await self._quotes()
        for market in sorted(self.lots, key=lambda m: -abs(self.lots[m]) * _price(quotes, m)):
            now_ns = self.clock.now_ns()
            if now_ns < self._waits.get(market, 0):
                continue
            order = self._order(market, quotes, now_ns)
            if order is None:
                self._tell("stuck", f"{market}: no price, and the venue closes nothing without one")
                continue
            self._sent_ns = now_ns
            try:
                reply = await within(self.clock, max(SEND_NS, self._ask_ns), self.venue.send(order))
                outcome, text = reply.outcome, f"{reply.code} {reply.text}".strip()
            except (VenueError, TimeoutError):
                outcome, text = "unknown", "no reply in time"
            self._sent_ns = self.clock.now_ns()
            self._tries[market] = self._tries.get(market, 0) + 1
            self._tell(
                "refused" if outcome == "refused" else "sent", f"{market} {order.lots:+d} lots: {outcome} {text}"
            )
            if not (self.venue.card.reduce_only or order.whole) and outcome != "refused":
                self._waits[market] = (
                    self._sent_ns + self.venue.card.late_bound_ns
                )  # a second one could open a position
            elif outcome != "accepted":
                pause_s = PAUSES_S[min(self._tries[market], len(PAUSES_S)) - 1]
                self._waits[market] = self._sent_ns + pause_s * SECOND_NS
                if "429" in text or "RATE" in text:
                    await self._pause(pause_s * SECOND_NS)

    def _order(self, market: str, quotes: Mapping[str, Quote], now_ns: int) -> Order | None:
        """What closes a position whole: reduce-only, at a limit that grows wider with each try."""
        price = _price(quotes, market)
        card = self.venue.card
        whole = not card.partial_close
        if not price and not whole:
            return None
        lots = -self.lots[market]
        bps = COLLARS_BPS[min(self._tries.get(market, 0), len(COLLARS_BPS) - 1)]
        limit = price + price * bps // 10_000 if lots > 0 else price - price * bps // 10_000
        return Order(self.intent(), market, lots, limit, price, True, whole, now_ns + max(SEND_NS, self._ask_ns))

    async def _quotes(self) -> Mapping[str, Quote]:
        """Middles of the books; where there are none, closes of the last minute."""
        for ask in (self.venue.mids, lambda: self.venue.marks(self.clock.now_ns(), 60 * SECOND_NS)):
            try:
                return await within(self.clock, self._ask_ns, ask())
            except (VenueError, TimeoutError):
                continue
        return {}

    @property
    def _ask_ns(self) -> int:
        return max(ASK_NS, int(self.rate * WALL_ASK_NS))

    async def _pause(self, ns: int) -> None:
        await self.clock.sleep_until(self.clock.now_ns() + ns)

    def _tell(self, word: Word, text: str) -> None:
        self.say(Said(self.clock.now_ns(), word, text, dict(self.lots)))


async def within(clock: Clock, ns: int, asked: Awaitable[T]) -> T:
    """Wait for an answer so long of this clock, and no longer. Raises TimeoutError; what was asked is cancelled."""
    answer: asyncio.Future[T] = asyncio.ensure_future(asked)
    alarm: asyncio.Future[Any] = asyncio.ensure_future(clock.sleep_until(clock.now_ns() + ns))
    try:
        await asyncio.wait((answer, alarm), return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        raise TimeoutError
    finally:
        for task in (answer, alarm):
            task.cancel()
        await asyncio.gather(answer, alarm, return_exceptions=True)


def _price(quotes: Mapping[str, Quote], market: str) -> int:
    quote = quotes.get(market)
    return quote.price_micro if quote is not None and quote.price_micro > 0 else 0
