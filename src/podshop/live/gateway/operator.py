"""What a person asks of a running gateway: status, halt, resume, resolve, drain (`live.control` is the wire).

Only here is a state lowered. Raising goes to the latch first, lowering to the journal last, so that a death between
the two leaves the higher one.
"""

import asyncio
from typing import Protocol

from podshop.ledger.facts import HOUSE, Deposit
from podshop.ledger.live import Suspense
from podshop.ledger.postings import VENUE_CASH
from podshop.live.control import Answer, Coin, Drain, Halt, Request, Resolve, Resume, Standing, Status
from podshop.live.gateway.core import Gateway
from podshop.live.latch import STATES, Held
from podshop.nouns import ConfigError
from podshop.nouns.venue import SECOND_NS, Filled
from podshop.nouns.verdict import REDUCE_ONLY_STATE, RUNNING
from podshop.orders.events import FillSaid
from podshop.orders.line import Flight, Line

ALARMS_SHOWN = 20


class LowersToo(Protocol):
    """A latch that can be lowered: `live.latch.Latch`."""

    def held(self) -> Held:
        """What holds."""
        ...

    def raise_to(self, state: int, at_ns: int, reason: str) -> Held:
        """Hold at least this."""
        ...

    def lower_to(self, state: int, at_ns: int, reason: str, seen: str) -> Held:
        """Lower what holds, having seen it."""
        ...


class Operator:
    """Answers a person. latch is the gateway's own; fund_sha256 and package_sha256 are told in the status."""

    def __init__(self, gateway: Gateway, latch: LowersToo, package_sha256: str = "") -> None:
        self.gateway, self.latch, self.package_sha256 = gateway, latch, package_sha256

    async def answer(self, request: Request) -> Answer:
        """Do what is asked. An error is the answer, never an exception."""
        try:
            if isinstance(request, Halt):
                self._halt(request)
            elif isinstance(request, Resume):
                self._resume(request)
            elif isinstance(request, Resolve):
                self._resolve(request)
            elif isinstance(request, Drain):
                await self._drain()
            else:
                assert isinstance(request, Status)
        except ConfigError as e:
            return Answer(error=str(e))
        return Answer(standing=self.standing())

    def _halt(self, halt: Halt) -> None:
        gateway, desk = self.gateway, self.gateway.desk
        now_ns = gateway.clock.now_ns()
        if halt.scope == "fund":
            state = STATES.index(halt.state)
            self.latch.raise_to(state, now_ns, f"{halt.by}: {halt.reason}")
            if state >= gateway.memory.state:
                desk.hold(now_ns, state, "fund", "", halt.by, halt.reason)
            else:  # a halt never lowers: what the journal holds stays, with its reason
                desk.alarm(now_ns, "STATE", "", "", f"{halt.by} asked for {halt.state}: more is held already")
        else:
            self._known(halt.scope, halt.name)
            desk.hold(now_ns, REDUCE_ONLY_STATE, halt.scope, halt.name, halt.by, halt.reason)
        desk.commit()

    def _resume(self, resume: Resume) -> None:
        gateway, desk = self.gateway, self.gateway.desk
        now_ns = gateway.clock.now_ns()
        if not resume.reason.strip() or not resume.by.strip():
            raise ConfigError("who lowers a state says who he is, and why")
        if resume.scope == "fund":
            self.latch.lower_to(STATES.index(resume.state), now_ns, f"{resume.by}: {resume.reason}", resume.seen)
            desk.hold(now_ns, STATES.index(resume.state), "fund", "", resume.by, resume.reason)
            gateway.asking.changed_history = gateway.asking.foreign = ""
        else:
            self._known(resume.scope, resume.name)
            desk.hold(now_ns, RUNNING, resume.scope, resume.name, resume.by, resume.reason)
            if resume.scope == "market" and desk.memory.line(resume.name).reduce_only:
                desk.resolve(now_ns, resume.name, "", "", resume.by, resume.reason)
        desk.commit()

    def _resolve(self, said: Resolve) -> None:
        gateway, desk = self.gateway, self.gateway.desk
        now_ns = gateway.clock.now_ns()
        if not said.reason.strip() or not said.by.strip():
            raise ConfigError("who resolves says who he is, and why")
        if said.market == "" and said.outcome == "seen":
            self._cash(now_ns, said)
            return
        self._known("market", said.market)
        line = desk.memory.line(said.market)
        flight = line.flight(said.intent) if said.intent else None
        if said.intent and flight is None:
            raise ConfigError(f"{said.market}: no intent {said.intent} is remembered")
        if said.order_id or (said.outcome == "filled" and line.held):
            self._held(now_ns, line, flight, said)
        elif said.outcome == "filled":
            side = flight.order.lots if flight is not None else line.differs
            if said.lots * side <= 0 or said.price_micro <= 0:
                raise ConfigError(f"{said.market}: a fill needs lots on the side of its intent or difference, a price")
            name = f"resolved-{said.intent or gateway.keeper.head.seq}"
            fill = Filled(
                name, name, said.intent or None, said.market, said.lots, said.price_micro, said.fee_micro, now_ns
            )
            desk.tell(said.market, FillSaid(now_ns, fill))
        else:
            desk.resolve(now_ns, said.market, said.intent, "", said.by, said.reason)
        desk.alarm(now_ns, "RESOLVED", said.market, said.intent, f"{said.outcome}, by {said.by}: {said.reason}")
        desk.commit()

    def _held(self, now_ns: int, line: Line, flight: Flight | None, said: Resolve) -> None:
        """Fills that wait for an owner get the one a person names: a made-up fill beside them would count twice."""
        orders: dict[str, int] = {}
        for fill in line.held:
            orders[fill.order_id] = orders.get(fill.order_id, 0) + fill.lots
        known = ", ".join(f"{order_id} ({lots:+,} lots)" for order_id, lots in orders.items()) or "none"
        if said.outcome != "filled" or said.lots or said.price_micro or said.fee_micro:
            raise ConfigError(f"{said.market}: an order id goes with outcome filled, and its fills say how much")
        if said.order_id not in orders:
            raise ConfigError(f"{said.market}: order {said.order_id!r} is not held, expected one of: {known}")
        if flight is not None and (
            flight.order_id not in (None, said.order_id) or flight.side * orders[said.order_id] <= 0
        ):
            raise ConfigError(
                f"{said.market}: intent {said.intent} is of order {flight.order_id}, or of the other side"
            )
        self.gateway.desk.resolve(now_ns, said.market, said.intent, said.order_id, said.by, said.reason)

    def _cash(self, now_ns: int, said: Resolve) -> None:
        """Cash that nothing explained, and a person does: his deposit or withdrawal, the house's."""
        desk, off = self.gateway.desk, self.gateway.memory.suspense_micro
        if off == 0:
            raise ConfigError("no cash is in suspense")
        desk.note(now_ns, Deposit(f"seen-{self.gateway.keeper.head.seq}", HOUSE, off))
        desk.note(now_ns, Suspense(0, f"{said.by}: {said.reason}"))
        desk.commit()

    async def _drain(self) -> None:
        """Send nothing new; answer when nothing is in flight."""
        gateway = self.gateway
        gateway.draining = True
        while any(flight.stage != "LAPSED" for _, flight in gateway.desk.flights()):
            await gateway.clock.sleep_until(gateway.clock.now_ns() + SECOND_NS)
            await asyncio.sleep(0)

    def _known(self, scope: str, name: str) -> None:
        names = self.gateway.terms.markets if scope == "market" else self.gateway.terms.books
        if name not in names:
            raise ConfigError(f"there is no {scope} {name!r}, expected one of {', '.join(names)}")

    def standing(self) -> Standing:
        """How the fund stands."""
        gateway, memory, books = self.gateway, self.gateway.memory, self.gateway.keeper.books
        held, now_ns, reading = self.latch.held(), gateway.clock.now_ns(), gateway.asking.reading
        flights = gateway.desk.flights()
        by_journal = memory.state > held.state
        coins = []
        for market in gateway.terms.markets:
            line = memory.line(market)
            flight = next((f for f in line.flights if f.stage != "ENDED"), None)
            only = memory.only.get(f"market {market}")
            coins.append(
                Coin(
                    market=market,
                    line=line.state,
                    booked_lots=line.booked,
                    venue_lots=None if reading is None else reading.lots.get(market, 0),
                    intent=flight.intent if flight else "",
                    sent_ns=flight.sent_ns if flight else 0,
                    only=only[2] if only else "unexplained lots" if line.reduce_only else "",
                )
            )
        shown = gateway.desk.alarms[-ALARMS_SHOWN:]
        return Standing(
            state=STATES[max(held.state, memory.state)],
            by=memory.by if by_journal else held.by,
            since_ns=memory.since_ns if by_journal else held.at_ns,
            reason=memory.reason if by_journal else held.reason,
            seen=held.seen,
            package_sha256=self.package_sha256,
            fund_sha256=gateway.terms.fund_sha256,
            cycle=gateway.cycle,
            at_ns=now_ns,
            nav_micro=gateway.nav_micro,
            peak_micro=memory.peak_micro,
            cash_micro=books.balances.get(VENUE_CASH, 0),
            suspense_micro=memory.suspense_micro,
            offset_ns=gateway.offset_ns,
            reading_ns=None if reading is None else now_ns - reading.ended_ns,
            in_flight=len(flights),
            unknown=sum(flight.stage == "UNKNOWN" for _, flight in flights),
            lapsed=sum(flight.stage == "LAPSED" for _, flight in flights),
            requests=gateway.sends_made(),
            allowance=gateway.venue.card.sends_per_minute,
            windows=gateway.venue.card.maintenance,
            journal_seq=gateway.keeper.head.seq,
            coins=tuple(coins),
            only=tuple(f"{name}: {reason} ({by})" for name, (_, by, reason) in memory.only.items()),
            alarms=tuple(f"{alarm.code} {alarm.market}: {alarm.text}" for _, alarm in reversed(shown)),
        )
