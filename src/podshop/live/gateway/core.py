"""The gateway: it opens a cycle, hears the brain, judges, sends, books; between cycles it tends what is in flight.

    opened = await gateway.open_cycle(cycle)     # history, funding, NAV, a reading
    report = await gateway.trade(targets)        # transfers, net, reductions, increases, shares
    await gateway.tend(until_ns)                 # look, read and book until nothing is open

Everything that touches the world is injected: venue, journal (the keeper), clock, latch. The journal's commit is the
one thing it waits for without giving way, some milliseconds.
"""

from collections import deque
from collections.abc import Callable, Mapping
from hashlib import blake2b

from podshop.journal.keeper import Keeper
from podshop.ledger.facts import Signals
from podshop.ledger.live import Asked as AskedFor
from podshop.ledger.live import Closes, Mids, Opening, Suspense
from podshop.live.clock import APART_NS, Clock, Follows
from podshop.live.flatten import PREFIX as WATCHDOG
from podshop.live.frames import canonical
from podshop.live.gateway import dust, limits, reconcile
from podshop.live.gateway.accounts import Accounts
from podshop.live.gateway.asking import Asking
from podshop.live.gateway.desk import Desk
from podshop.live.gateway.memory import Memory, remembered, standing
from podshop.live.gateway.ports import CycleReport, LatchPort, NoLatch
from podshop.live.gateway.terms import HOUR_NS, MINUTE_NS, Terms
from podshop.live.gateway.trading import Trading
from podshop.live.intents import Flight, Flying, flight_of
from podshop.live.messages import Opened, Targets
from podshop.nouns import DAY_NS, SECOND_NS, DataError
from podshop.nouns.venue import Order, Quote, Reading, Venue
from podshop.nouns.verdict import HALTED_STATE, REDUCE_ONLY_STATE, RUNNING, STATES
from podshop.orders.line import Line
from podshop.orders.reading import admissible
from podshop.orders.step import wanted

STANDING_EVERY = 100  # cycles
TEND_NS = tuple(s * 1_000_000_000 for s in (6, 6, 12, 24, 48, 60))
BEFORE_MAINTENANCE_MINUTES = 10
AGAIN_NS = 1_000_000_000  # before the account is asked a second time
WEEK_MINUTES = 7 * 24 * 60
EPOCH_WEEKDAY_MINUTES = 3 * 24 * 60  # 1970-01-01 was a Thursday; weeks begin on Monday


class Gateway:
    """One account's gateway.

    flight_file      told what is in flight before the first byte of a wave leaves; None = nobody watches
    watchdog_silent  whether the watchdog has been silent for too long
    """

    def __init__(
        self,
        terms: Terms,
        venue: Venue,
        keeper: Keeper,
        clock: Clock,
        latch: LatchPort | None = None,
        *,
        flight_file: Callable[[Flight], None] | None = None,
        watchdog_silent: Callable[[], bool] = lambda: False,
    ) -> None:
        self.terms, self.venue, self.keeper, self.clock = terms, venue, keeper, clock
        self.latch: LatchPort = NoLatch() if latch is None else latch
        self.desk = Desk(terms, keeper, venue.card, remembered(keeper))
        self.asking = Asking(venue, self.desk, clock)
        self.own = limits.Own(len(terms.markets))
        self.trading = Trading(
            terms, self.desk, self.asking, clock, self.own, self._before_sends, self._may_leave, self.sends_left
        )
        self.accounts = Accounts(terms, self.desk, self.asking, self.trading.waves)
        self.cycle = -1
        self._first = -1  # that this process opened: while it was away it did not listen
        self.offset_ns = 0
        self.most_offset_ns = terms.offset_ns
        self.draining = False
        self._flight_file, self._watchdog_silent = flight_file, watchdog_silent
        self._quotes: dict[str, Quote] = {}
        self._listed_ns = 0
        self._cash_off: int | None = None
        self._weighed: Reading | None = None
        self._sends: deque[int] = deque()

    @property
    def memory(self) -> Memory:
        """What the journal leads to beside the books."""
        return self.desk.memory

    # ---------------------------------------------------------------- start

    async def begin(self) -> None:
        """Start: a new journal gets the owner's money; an old one is taken up, every open order UNKNOWN."""
        now_ns = self.clock.now_ns()
        if not self.memory.started:
            await self.accounts.found(now_ns)
        else:
            self.desk.restarted(now_ns)
        self.asking.prefix = self.prefix
        await self._instruments(now_ns)
        if self.terms.hard.variance_floor > 0:
            for closes in self.memory.closes.values():
                self.own.close(closes.midnight_ns, closes.mark_micro)
            for day_ns in self.own.missing(now_ns // DAY_NS * DAY_NS):
                found = await self.asking.asked("marks", self.venue.marks(day_ns, self.terms.interval_ns))
                if found:
                    known = {market: quote.price_micro for market, quote in found.items() if quote.at_ns <= day_ns}
                    self._close_day(now_ns, day_ns, known)
        self._fly(now_ns, last_send_ns=now_ns)
        self.desk.commit()

    @property
    def prefix(self) -> str:
        """How every intent of this journal begins: by it another host's orders are told from ours."""
        row = self.keeper.row(1)
        found = blake2b(row.hash, digest_size=2).hexdigest()
        return found if found != WATCHDOG else "0000"

    # ---------------------------------------------------------------- a cycle

    async def open_cycle(self, cycle: int) -> Opened:
        """Book what happened since the last cycle, strike the NAV of t_k, read the account.

        Raises DataError for a cycle that is not later than the last, LedgerError where the books do not balance.
        """
        terms, desk, memory = self.terms, self.desk, self.memory
        if cycle <= memory.opened:
            raise DataError(f"cycle {cycle} cannot be opened after {memory.opened}")
        at_ns = cycle * terms.interval_ns
        self.cycle = cycle
        self._first = cycle if self._first < 0 else self._first
        await self._times()
        marks = await self.asking.asked("marks", self.venue.marks(at_ns, terms.interval_ns))
        self._quotes |= marks or {}
        await self.asking.hear(before_ns=at_ns)
        paid = await self.asking.paid(at_ns)
        for each in paid:
            if each.at_ns < at_ns:
                desk.note(each.at_ns, *self.accounts.funding(each))
                desk.commit()
        self.accounts.close_open(at_ns)
        desk.share_late(at_ns)
        self.accounts.mark(cycle, at_ns, self._quotes)
        self.accounts.strike(cycle, at_ns)
        for each in paid:
            if each.at_ns >= at_ns:
                desk.note(each.at_ns, *self.accounts.funding(each))
                desk.commit()
        await self.asking.hear()
        desk.share_late(at_ns)
        self.asking.tick()
        await self._read_account(cycle)
        desk.commit()
        if self.clock.now_ns() - self._listed_ns >= HOUR_NS:
            await self._instruments(self.clock.now_ns())
        self._reconcile(at_ns)
        if terms.hard.variance_floor > 0 and at_ns % DAY_NS == 0:
            self._close_day(at_ns, at_ns, self.keeper.books.marks)
        memory.forget(self.clock.now_ns())
        desk.note(at_ns, Opening(cycle, self.state(), memory.peak_micro, self.offset_ns))
        if cycle % STANDING_EVERY == 0:
            desk.commit()
            desk.note(at_ns, standing(memory, cycle))
        desk.commit()
        return self.accounts.opened(cycle, at_ns, self.state())

    async def trade(self, targets: Targets) -> CycleReport:
        """Follow the brain's targets as far as the limits allow. One set a cycle; what is wrong is refused whole."""
        terms, desk, memory = self.terms, self.desk, self.memory
        cycle, now_ns = self.cycle, self.clock.now_ns()
        at_ns = cycle * terms.interval_ns
        body, digest = canonical(targets)
        allots = memory.allotted_day < at_ns // DAY_NS
        marks = self.keeper.books.marks
        most = limits.most_wished((marks.get(market, 0) for market in terms.markets), self.nav_micro)
        refused = limits.wrong_with(targets, terms, cycle, allots=allots, most=most)
        if not refused and memory.asked >= cycle:
            refused = "this cycle has had its targets"
        if not refused and now_ns >= at_ns + terms.interval_ns:
            refused = "it came after the end of its cycle"
        if refused:
            desk.alarm(now_ns, "REFUSED", "", "", refused)
            desk.note(now_ns, AskedFor(max(cycle, memory.asked), digest, b"", refused))
            desk.commit()
            return CycleReport(cycle, refused)
        silent = self._brain_silent() if memory.spoke >= 0 else 0  # before its first word there is nothing to guard
        desk.note(now_ns, AskedFor(cycle, digest, body, ""), Signals(cycle, targets.convictions_sha256))
        self.accounts.notes(targets, now_ns)
        if targets.weights:
            self.accounts.transfer(targets, at_ns)
        desk.commit()
        if self.draining:
            return CycleReport(cycle, "draining")
        if self.state() > HALTED_STATE and not self.venue.card.reduce_only:
            return CycleReport(cycle, "FLATTEN: the watchdog alone sends")
        mids = await self.asking.asked("mids", self.venue.mids())
        oldest_ns = self.clock.now_ns() - terms.interval_ns - self.desk.order_terms.skew_ns
        reference = {  # a price of the cycle before is no price to trade at
            market: quote.price_micro
            for market, quote in (mids or {}).items()
            if market in terms.markets and quote.price_micro > 0 and quote.at_ns >= oldest_ns
        }
        desk.note(now_ns, Mids(cycle, tuple(reference), tuple(reference.values())))
        state = max(self.state(), self._passing(), REDUCE_ONLY_STATE if silent > terms.brain_reduce else RUNNING)
        rules = limits.ruled(targets.office, terms.hard, cycle, min(state, HALTED_STATE), self.nav_micro)
        if not limits.same(memory.ruled, rules):
            desk.note(now_ns, rules)
        verdicts, intents = await self.trading.trade(cycle, targets, rules, reference, self.nav_micro)
        self._fly(self.clock.now_ns(), last_send_ns=self.clock.now_ns())
        return CycleReport(cycle, "", verdicts, intents)

    async def tend(self, until_ns: int) -> None:
        """Ask the venue about what is open until nothing is, or until then."""
        for i in range(1 << 30):
            open_markets = [
                market
                for market in self.terms.markets
                if wanted(self.memory.line(market), self.desk.order_terms).reading or self.memory.unshared
            ]
            next_ns = self.clock.now_ns() + TEND_NS[min(i, len(TEND_NS) - 1)]
            if not open_markets or next_ns >= until_ns:
                break
            await self.clock.sleep_until(next_ns)
            await self.asking.look(open_markets)
            await self.asking.hear()
            self.asking.tick()
            await self.asking.read(self.cycle)
            self.desk.commit()
            self._fly(self.clock.now_ns(), last_send_ns=0)

    def stop(self) -> None:
        """Wait for nothing any more."""
        self.asking.stop()

    # ---------------------------------------------------------------- state

    def state(self) -> int:
        """What holds: the highest of journal and latch."""
        return max(int(self.memory.state), self.latch.held().state)

    def raise_state(self, state: int, by: str, reason: str) -> None:
        """Hold at least this state from now on, in the latch first; nothing here lowers it."""
        now_ns = self.clock.now_ns()
        if self.state() < state:
            self.latch.raise_to(state, now_ns, reason)
            self.desk.hold(now_ns, state, "fund", "", by, reason)
            self.desk.alarm(now_ns, "STATE", "", "", f"{STATES[min(state, HALTED_STATE)]}: {reason}")
            self.desk.commit()

    @property
    def nav_micro(self) -> int:
        """What the fund is worth at the latest marks."""
        return self.keeper.books.nav_micro()

    def _passing(self) -> int:
        """REDUCE_ONLY for as long as something lasts that no person has to lift."""
        now_ns = self.clock.now_ns()
        minute = (now_ns // MINUTE_NS + EPOCH_WEEKDAY_MINUTES) % WEEK_MINUTES
        down = any(
            (minute - start + BEFORE_MAINTENANCE_MINUTES) % WEEK_MINUTES < minutes + BEFORE_MAINTENANCE_MINUTES
            for start, minutes in self.venue.card.maintenance
        )
        if down or abs(self.offset_ns) > self.most_offset_ns or self._watchdog_silent():
            return REDUCE_ONLY_STATE
        return RUNNING

    def _may_leave(self, order: Order) -> bool:
        """The last look at the latch before an order's bytes leave: what increases stays here once it was raised.

        In FLATTEN only what the venue itself holds to reducing: an ordinary order would open what the watchdog closed.
        """
        state = self.state()
        if state == RUNNING:
            return True
        if state > HALTED_STATE:
            return order.reduce_only and self.venue.card.reduce_only
        booked = self.memory.line(order.market).booked
        return order.reduce_only or order.whole or (order.lots * booked < 0 and abs(order.lots) <= abs(booked))

    def _reconcile(self, at_ns: int) -> None:
        """Differences to suspense and, past the threshold, a halt; the day's loss; silence of the brain."""
        terms, desk, memory, books = self.terms, self.desk, self.memory, self.keeper.books
        now_ns, reading = self.clock.now_ns(), self.asking.reading
        quiet = not desk.flights() and not memory.unshared and not any(line.held for line in memory.lines.values())
        if reading is not None and quiet and reading is not self._weighed and self._believed(reading, at_ns):
            self._weighed = reading
            off = reconcile.cash_off(books, reading)
            if off is not None and off == self._cash_off and dust.is_dust(desk, off, now_ns):
                dust.take_cash(desk, off, now_ns)
                off = 0
            elif off is not None and off == self._cash_off and off != memory.suspense_micro:
                why = f"the account's cash differs by {off / 1e6:,.6f} USD from the books"
                desk.note(now_ns, Suspense(off, why))
                desk.alarm(now_ns, "CASH", "", "", why)
                desk.commit()
            self._cash_off = off
        dust.take_lots(desk, now_ns)
        unexplained = reconcile.lots_off_micro(memory, books.marks) + abs(memory.suspense_micro)
        if unexplained > terms.suspense_micro:
            self.raise_state(HALTED_STATE, "gateway", f"{unexplained / 1e6:,.2f} USD are not explained")
        loss = 1.0 - self.nav_micro / memory.day_open_micro if memory.day_open_micro > 0 else 1.0
        if loss >= terms.hard.daily_loss:
            self.raise_state(HALTED_STATE, "gateway", f"the fund has lost {loss:.2%} since 00:00 UTC")
        for found in (self.asking.changed_history, self.asking.foreign):
            if found:
                self.raise_state(HALTED_STATE, "gateway", found)
        silent = self._brain_silent()
        if memory.asked >= 0 and silent > terms.brain_flatten:
            self.raise_state(HALTED_STATE + 1, "gateway", f"the brain has been silent for {silent} cycles")

    def _brain_silent(self) -> int:
        """Cycles since the brain last said what could be followed, as far as this process listened; 1 = the last."""
        return self.cycle - max(self.memory.spoke, self._first)

    def _believed(self, reading: Reading, at_ns: int) -> bool:
        """Whether a reading is of this cycle, whole, and of now: a stale one would halt the fund for nothing."""
        skew_ns = self.desk.order_terms.skew_ns
        of_now = reading.began_ns - skew_ns <= reading.venue_ns <= reading.ended_ns + skew_ns
        return reading.began_ns >= at_ns and of_now and reading.equity_micro > 0

    # ---------------------------------------------------------------- parts of a cycle

    async def _read_account(self, cycle: int) -> None:
        """Read the account; ask once more where nothing came that can be believed: else no coin would trade."""
        reading = await self.asking.read(cycle)
        any_coin, now_ns = Line(""), self.clock.now_ns()
        if reading is None or not admissible(any_coin, reading, now_ns, self.desk.order_terms):
            pause_ns = min(AGAIN_NS, self.terms.interval_ns // 100)
            await self.clock.sleep_until(now_ns + pause_ns)
            await self.asking.read(cycle)

    async def _times(self) -> None:
        """How far the venue's clock is from ours. Ours is moved where its stamps prove it wrong; this cycle adds none.

        A second stamp is asked for where one is not enough: an hour's cycle must not pass unable to sell.
        """
        for pause_ns in (0, min(2 * APART_NS, self.terms.interval_ns // 10)):
            await self.clock.sleep_until(self.clock.now_ns() + pause_ns)
            began_ns = self.clock.now_ns()
            venue_ns = await self.asking.asked("time", self.venue.time_ns())
            if venue_ns is None:
                return
            ended_ns = self.clock.now_ns()
            self.offset_ns = venue_ns - (began_ns + ended_ns) // 2
            if abs(self.offset_ns) <= self.most_offset_ns or not isinstance(self.clock, Follows):
                return
            if self.clock.follow(venue_ns, began_ns, ended_ns):
                text = f"our clock was off by {self.offset_ns / SECOND_NS:+.1f} s, and is the venue's now"
                self.desk.alarm(self.clock.now_ns(), "CLOCK", "", "", text)
                return

    async def _instruments(self, now_ns: int) -> None:
        """Compare the venue's listing with the journal's: what changed is only reduced until a person has looked."""
        found = await self.asking.asked("instruments", self.venue.instruments())
        if found is None:
            return
        self._listed_ns = now_ns
        for listing, changed in reconcile.listings(found, self.memory.listings, self.venue.card.venue, self.terms):
            self.desk.note(now_ns, listing)
            if changed:
                self.desk.hold(now_ns, REDUCE_ONLY_STATE, "market", listing.market, "gateway", changed)
                self.desk.alarm(now_ns, "LISTING", listing.market, "", changed)
        self.desk.commit()

    def _close_day(self, now_ns: int, midnight_ns: int, marks: Mapping[str, int]) -> None:
        """Take the marks of a midnight for our own variances, and write them down: a replay needs the very same."""
        closes = Closes(midnight_ns, self.terms.markets, tuple(marks.get(market, 0) for market in self.terms.markets))
        self.desk.note(now_ns, closes)
        self.own.close(midnight_ns, closes.mark_micro)

    def _before_sends(self, intents: int) -> None:
        """Before the first byte of a wave leaves: tell the flattener what is in flight."""
        now_ns = self.clock.now_ns()
        self._sends.extend([now_ns] * intents)
        self._fly(now_ns, last_send_ns=now_ns + self.asking.answer_ns)

    def sends_made(self) -> int:
        """Orders that were sent within this minute."""
        now_ns = self.clock.now_ns()
        while self._sends and self._sends[0] <= now_ns - MINUTE_NS:
            self._sends.popleft()
        return len(self._sends)

    def sends_left(self) -> int:
        """Orders that may still be sent within this minute."""
        allowed = self.terms.hard.orders_a_minute
        if self.venue.card.sends_per_minute:
            allowed = min(allowed, self.venue.card.sends_per_minute)
        return max(allowed - self.sends_made(), 0)

    def _fly(self, now_ns: int, last_send_ns: int) -> None:
        if self._flight_file is None:
            return
        flying = [Flying(f.intent, market, f.order.lots, f.sent_ns) for market, f in self.desk.flights()]
        last = last_send_ns or max((f.sent_ns for f in flying), default=0)
        self._flight_file(flight_of(now_ns, last, self.desk.order_terms.late_bound_ns, flying))
