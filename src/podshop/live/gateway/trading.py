"""The middle of a cycle: net, reductions, what became of them, increases, and back to the books.

plan      load the books, take the targets, net them
wave 1    what brings a market toward flat; a coin in flight may only send row 15
outcomes  the venue says an order is over and how much it filled, and a reading shows just that
wave 2    increases, under one factor, among everything that may still fill
close     crossing and fills to books, a verdict for every market
"""

import math
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec
import numpy as np

from podshop.ledger.facts import Verdict
from podshop.ledger.live import Netted, Ruled
from podshop.live.clock import Clock
from podshop.live.gateway import limits, reconcile, sharing
from podshop.live.gateway.asking import Asking
from podshop.live.gateway.desk import Desk
from podshop.live.gateway.limits import Own
from podshop.live.gateway.terms import Terms
from podshop.live.gateway.waves import RATE, TURNOVER, Look, Waves, wants_of
from podshop.live.messages import Targets
from podshop.market.prices import NEVER
from podshop.nouns import Whole
from podshop.nouns.venue import Order, Reading
from podshop.nouns.verdict import NET, VENUE_MIN
from podshop.orders.bound import reducible
from podshop.orders.events import Asked, Sending
from podshop.orders.line import Line, Seen
from podshop.orders.reading import admissible

PAUSES_NS = tuple(s * 1_000_000_000 for s in (1, 2, 4, 8, 16, 30))

FIRST_UNTIL, LAST_UNTIL = 0.4, 0.8  # of a cycle: so long outcomes are waited for


class Leg(NamedTuple):
    """An order that was sent in this cycle."""

    market: int
    intent: str
    lots: int


class Trading:
    """One fund's cycles, between its targets and its verdicts.

    before_sends  told how many orders are about to leave; may_leave whether one still may
    """

    def __init__(
        self, terms: Terms, desk: Desk, asking: Asking, clock: Clock, own: Own,
        before_sends: Callable[[int], None], may_leave: Callable[[Order], bool],
        sends_left: Callable[[], int] = lambda: 1 << 30,
    ) -> None:  # fmt: skip
        self.terms, self.desk, self.asking, self.clock, self.own = terms, desk, asking, clock, own
        self.waves = Waves(terms)
        self._before_sends, self._may_leave, self._sends_left = before_sends, may_leave, sends_left
        self._interim: dict[int, Line] = {}
        self._dropped: Whole = np.zeros(len(terms.markets), np.int64)
        self._base: Whole = np.zeros(len(terms.markets), np.int64)

    async def trade(
        self, cycle: int, targets: Targets, rules: Ruled, reference: Mapping[str, int], nav: int
    ) -> tuple[tuple[Verdict, ...], tuple[str, ...]]:
        """Trade one cycle; its verdicts and the intents that were sent. nav: at the latest marks, micro-dollars."""
        look = self._plan(cycle, targets, rules, reference, nav)
        waves = self.waves
        first = waves.reduce(look)
        self._interim = {}
        self._dropped[:] = 0
        self._net_facts(cycle, look)
        legs = self._first(cycle, first)
        legs += self._row_15(cycle, look)
        await self._send(legs)
        proven = await self._outcomes(cycle, [leg for leg in legs if not look.busy[leg.market]])
        second = self._second(cycle, rules, look, legs, proven, nav)
        more = self._asked(cycle, 2, second)
        await self._send(more)
        legs += more
        if legs:
            await self._finish(cycle, legs)
        verdicts = self._close(cycle, first)
        return verdicts, tuple(leg.intent for leg in legs)

    # ---------------------------------------------------------------- plan

    def _plan(self, cycle: int, targets: Targets, rules: Ruled, reference: Mapping[str, int], nav: int) -> Look:
        terms, waves, memory = self.terms, self.waves, self.desk.memory
        waves.load(self.desk.keeper.books)
        limits.put(rules, waves.fund.limits)
        self._base = waves.fund.venue_lots.copy()
        look = self._look()
        own = self.own.covariance() if terms.hard.variance_floor > 0 else None
        marks = [int(mark) for mark in waves.mark]
        waves.begin(
            cycle * terms.interval_ns,
            self._unhalted(targets),
            [memory.age.get(market, NEVER) for market in terms.markets],
            self.own.frozen(cycle, marks),
            [reference.get(market, 0) for market in terms.markets],
            own,
            nav - self._cost_of(look),
            rules.state,
        )
        waves.net()
        return look

    def _unhalted(self, targets: Targets) -> Targets:
        """Books that a person has halted wish to be flat."""
        halted = {b for b, book in enumerate(self.terms.books) if f"agent {book}" in self.desk.memory.only}
        if not halted:
            return targets
        raw = tuple(tuple(0 if b in halted else lots for b, lots in enumerate(row)) for row in targets.raw)
        return msgspec.structs.replace(targets, raw=raw)

    def _look(self) -> Look:
        """What is in flight, by coin."""
        desk, markets = self.desk, len(self.terms.markets)
        low, high, reserved = (np.zeros(markets, np.int64) for _ in range(3))
        busy = np.zeros(markets, np.bool_)
        for m, market in enumerate(self.terms.markets):
            line = desk.memory.line(market)
            low[m], high[m] = desk.ends(line)
            reserved[m], busy[m] = desk.reserved(line), line.state != "IDLE"
        return Look(low, high, reserved, busy)

    def _cost_of(self, look: Look) -> int:
        """What all in flight may cost in fees and collar, micro-dollars."""
        return math.ceil(self.terms.reserve * float((look.reserved * self.waves.mark).sum()))

    def _net_facts(self, cycle: int, look: Look) -> None:
        """Write what each market's wishes came to, before anything is sent for it."""
        waves, work, now_ns = self.waves, self.waves.work, self.clock.now_ns()
        for m, market in enumerate(self.terms.markets):
            if look.busy[m] or (work.net[m] == 0 and work.crossed[m] == 0):
                continue
            if waves.reference[m] == 0:
                continue
            wants = wants_of(work.want[m], self.terms.names)
            netted = Netted(cycle, market, int(work.crossed[m]), int(waves.reference[m]), wants)
            self.desk.note(now_ns, netted)

    # ---------------------------------------------------------------- waves

    def _first(self, cycle: int, first: Whole) -> list[Leg]:
        return self._asked(cycle, 1, first)

    def _second(
        self, cycle: int, rules: Ruled, look: Look, legs: Sequence[Leg], proven: Mapping[int, int], nav: int
    ) -> Whole:
        """(M,) increases that may be sent, the outcomes of the first wave known as far as they are."""
        waves, desk, terms, hard = self.waves, self.desk, self.terms, self.terms.hard
        sent = {leg.market for leg in legs if not look.busy[leg.market]}
        now = self._look()
        low, high, reserved = now.low.copy(), now.high.copy(), now.reserved.copy()
        unproven = np.zeros(len(terms.markets), np.bool_)
        busy = now.busy.copy()
        for m in sent:
            if m in proven:
                waves.work.filled[m] = proven[m]
                line = self._interim.get(m, desk.memory.line(terms.markets[m]))
                ends = desk.ends(line)
                low[m], high[m], reserved[m] = ends.low - proven[m], ends.high - proven[m], desk.reserved(line)
                busy[m] = line.state != "IDLE"
            else:
                unproven[m] = True
        for m, market in enumerate(terms.markets):
            if waves.work.second[m] != 0 and (desk.memory.line(market).reduce_only or self._only(market)):
                waves.drop(m, "REDUCE_ONLY")
        after = Look(low, high, reserved, busy)
        waves.fund.nav[0] = nav - self._cost_of(after)
        own_unknown = np.zeros(len(terms.markets), np.bool_)
        if len(waves.covariances) > 1:
            own_unknown = np.isnan(self.own.covariance().diagonal())
        waves.increase(after, unproven, own_unknown)
        traded = sum(micro for _, micro in desk.memory.traded)
        flying = int((after.reserved * waves.mark).sum())
        waves.cut(int(hard.turnover * nav) - traded - flying, TURNOVER)
        self._within_rate()
        return waves.work.second.copy()

    def _within_rate(self) -> None:
        """Leave out the smallest increases beyond the orders that a minute allows."""
        second, left = self.waves.work.second, self._sends_left()
        wanted = np.flatnonzero(second)
        if len(wanted) > left:
            worth = np.abs(second[wanted]) * self.waves.mark[wanted]
            for m in wanted[np.argsort(worth, kind="stable")][: len(wanted) - left]:
                self.waves.drop(int(m), RATE)

    def _only(self, market: str) -> bool:
        """Whether a market is only reduced: halted, or another instrument by now than the books' lots are of."""
        memory = self.desk.memory
        return f"market {market}" in memory.only or reconcile.another(memory.listings.get(market), self.terms)

    def _asked(self, cycle: int, wave: int, lots: Whole) -> list[Leg]:
        """Ask each coin for its order; what it drops has its reason in the verdict."""
        waves, legs = self.waves, []
        for m in np.flatnonzero(lots):
            market, reference = self.terms.markets[m], int(waves.reference[m])
            if reference == 0:
                continue  # nobody trades: nothing is sent, and nothing would fill
            room = max(int(waves.most[m]) - abs(int(waves.work.filled[m])), 0)
            side = 1 if lots[m] > 0 else -1
            size = side * min(abs(int(lots[m])), room)
            if size == 0:
                continue
            reduces = wave == 1 and self.desk.card.reduce_only
            order = self._order(cycle, wave, int(m), size, reference, reduce_only=reduces)
            target = int(self._base[m] + waves.work.net[m])
            wants = self._wants(cycle, int(m), wave, size)
            asked = Asked(self.clock.now_ns(), cycle, wave, target, order, wants, 0)
            leg = self._ask(int(m), market, asked, self._interim.get(int(m)) if wave == 2 else None)
            if leg is not None:
                legs.append(leg)
        return legs

    def _row_15(self, cycle: int, look: Look) -> list[Leg]:
        """A coin in flight may still be asked to reduce, by an order that reduces whatever becomes of the others."""
        legs: list[Leg] = []
        waves, desk = self.waves, self.desk
        for m in np.flatnonzero(look.busy):
            market, reference = self.terms.markets[m], int(waves.reference[m])
            line = desk.memory.line(market)
            target = int(waves.fund.raw[m].sum())
            lots = reducible(line, target, desk.order_terms)
            if lots == 0 or reference == 0:
                continue
            if abs(lots) * waves.mark[m] < self.terms.least[m] and lots != -line.booked:
                waves.work.code[m] = VENUE_MIN
                continue
            order = self._order(cycle, 1, int(m), lots, reference, reduce_only=desk.card.reduce_only)
            want = waves.fund.raw[m] - waves.fund.lots[m]
            toward = wants_of(np.where(want * lots > 0, want, 0), self.terms.names)
            salt = sharing.salt_of(cycle, self.terms, int(m))
            wants = sharing.portion(lots, toward, salt, self.terms)
            leg = self._ask(int(m), market, Asked(self.clock.now_ns(), cycle, 1, target, order, wants, 0), None)
            if leg is not None:
                legs.append(leg)
        return legs

    def _ask(self, m: int, market: str, asked: Asked, interim: Line | None) -> Leg | None:
        told = self.desk.ask(asked, interim)
        if told.drop:
            self.waves.why[m] = told.drop
            self._dropped[m] += asked.order.lots
        if told.send is None:
            return None
        self.desk.tell(market, Sending(asked.at_ns, told.send.intent))
        return Leg(m, told.send.intent, told.send.lots)

    def _order(self, cycle: int, wave: int, m: int, lots: int, reference: int, *, reduce_only: bool) -> Order:
        """An order limited at its collar, good until the end of its cycle."""
        collar = self.terms.hard.collar
        limit = math.ceil(reference * (1.0 + collar)) if lots > 0 else max(1, math.floor(reference * (1.0 - collar)))
        seed = f"{cycle} {wave} {self.terms.markets[m]} {self.desk.keeper.head.seq}".encode()
        body = blake2b(seed, digest_size=14, key=self.desk.keeper.head.hash).hexdigest()
        whole = False
        if not self.desk.card.partial_close and reduce_only:
            whole = lots == -int(self._base[m])
        expires_ns = (cycle + 1) * self.terms.interval_ns
        return Order(
            self.asking.prefix + body, self.terms.markets[m], lots, limit, reference, reduce_only, whole, expires_ns
        )

    def _wants(self, cycle: int, m: int, wave: int, lots: int) -> tuple[tuple[str, int], ...]:
        """Whom an order is for: what each book still wants after crossing, and after the leg before."""
        work, terms = self.waves.work, self.terms
        netted = Netted(cycle, terms.markets[m], int(work.crossed[m]), 1, wants_of(work.want[m], terms.names))
        wants = dict(netted.wants)
        for share in sharing.shares_of(netted, [], terms):
            wants[share.book] -= share.lots
        salt = sharing.salt_of(cycle, terms, m)
        left = [(book, want) for book, want in wants.items() if want * lots > 0]
        if wave == 2 and work.first[m] != 0:
            for book, given in sharing.portion(int(work.first[m]), left, salt, terms):
                wants[book] -= given
            left = [(book, want) for book, want in wants.items() if want * lots > 0]
        return sharing.portion(lots, left, salt, terms)

    # ---------------------------------------------------------------- outcomes

    async def _send(self, legs: Sequence[Leg]) -> None:
        """Commit the wave, tell the flattener, send."""
        self.desk.commit()
        if legs:
            self._before_sends(len(legs))
            await self.asking.send([leg.intent for leg in legs], self._may_leave)

    async def _outcomes(self, cycle: int, legs: Sequence[Leg]) -> dict[int, int]:
        """Market -> lots that its reduction has filled, of those where that is proven before the time is over."""
        if not legs:
            return {}
        terms = self.terms
        until_ns = int((cycle + FIRST_UNTIL) * terms.interval_ns)
        for i in range(1 << 30):
            over = await self._look_at(legs)
            if any(leg.intent not in over and self._open(leg) for leg in legs):
                await self.asking.hear()
            reading = await self.asking.read(cycle)
            self.desk.commit()
            proven = self._proven(legs, over, reading)
            pause_ns = self.clock.now_ns() + PAUSES_NS[min(i, len(PAUSES_NS) - 1)]
            if len(proven) == len({leg.market for leg in legs}) or pause_ns >= until_ns:
                return proven
            await self.clock.sleep_until(pause_ns)
        return {}

    async def _look_at(self, legs: Sequence[Leg]) -> dict[str, int]:
        self.asking.replies()
        return await self.asking.look([self.terms.markets[leg.market] for leg in legs if self._open(leg)])

    def _open(self, leg: Leg) -> bool:
        flight = self.desk.memory.line(self.terms.markets[leg.market]).flight(leg.intent)
        return flight is not None and flight.stage != "ENDED"

    def _proven(self, legs: Sequence[Leg], over: Mapping[str, int], reading: Reading | None) -> dict[int, int]:
        """Over, by the venue's word on the order, and a reading shows the position that makes.

        Where its fills are not told yet, the coin as it must be by then is kept beside (`_interim`): the second leg of
        an order through zero rests on it, and books nothing.
        """
        proven: dict[int, int] = {}
        for leg in legs:
            market = self.terms.markets[leg.market]
            line = self.desk.memory.line(market)
            flight = line.flight(leg.intent)
            if flight is None:
                continue
            if flight.stage == "ENDED":
                proven[leg.market] = flight.filled
                continue
            if leg.intent not in over or reading is None:
                continue
            if not admissible(line, reading, self.clock.now_ns(), self.desk.order_terms):
                continue
            booked = line.booked + over[leg.intent] - flight.filled
            if reading.lots.get(market, 0) != booked or line.held:
                continue
            flights = tuple(
                f._replace(stage="ENDED", filled=over[leg.intent]) if f.intent == leg.intent else f
                for f in line.flights
            )
            agreed = (Seen(reading.began_ns, reading.ended_ns),)
            evidence = line.evidence._replace(agreed=agreed, differed=())
            self._interim[leg.market] = line._replace(booked=booked, flights=flights, evidence=evidence)
            proven[leg.market] = over[leg.intent]
        return proven

    async def _finish(self, cycle: int, legs: Sequence[Leg]) -> None:
        """Look, hear and read until all of the cycle's orders are over, or its time is."""
        until_ns = int((cycle + LAST_UNTIL) * self.terms.interval_ns)
        for i in range(1 << 30):
            if i or any(self._open(leg) for leg in legs):
                await self._look_at(legs)
                await self.asking.hear()
                self.asking.tick()
                self.desk.commit()
            if not any(self._open(leg) for leg in legs):
                return
            await self.asking.read(cycle)
            self.desk.commit()
            pause_ns = self.clock.now_ns() + PAUSES_NS[min(i, len(PAUSES_NS) - 1)]
            if not any(self._open(leg) for leg in legs) or pause_ns >= until_ns:
                return
            await self.clock.sleep_until(pause_ns)

    # ---------------------------------------------------------------- close

    def _close(self, cycle: int, first: Whole) -> tuple[Verdict, ...]:
        """Everybody's share, and a verdict for every market of which something was wanted."""
        waves, work, desk = self.waves, self.waves.work, self.desk
        at_ns, verdicts = self.clock.now_ns(), []
        for m, market in enumerate(self.terms.markets):
            netted = desk.memory.netted.get(market)
            wanted = int(work.wanted[m])
            if not wanted and netted is None:
                continue
            line = desk.memory.line(market)
            filled = sum(f.filled for f in line.flights if f.cycle == cycle)
            busy = netted is None and waves.why[m] != "" and work.net[m] == 0
            allowed = 0 if busy else int(first[m] + work.second[m] - self._dropped[m])
            verdict = Verdict(
                market,
                NET,
                "approve" if allowed == wanted else "veto" if allowed == 0 else "shrink",
                waves.code(m),
                wanted,
                allowed,
                filled,
                0,
                _finite(float(work.measured[m])),
                _finite(float(work.bound[m])),
            )
            if netted is not None:
                desk.close(at_ns, netted, verdict if wanted else None)
            else:
                desk.note(at_ns, verdict)
            if wanted:
                verdicts.append(verdict)
        desk.commit()
        return tuple(verdicts)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
