"""One coin's life: what is booked, what is in flight, what is held; and how facts make it.

`step` in `step.py` decides; nothing but `applied` changes a line, so a line folded from its journal is the live one.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from podshop.nouns.venue import Filled, Order
from podshop.orders.facts import (
    Acknowledged,
    Began,
    Booked,
    Committed,
    Differs,
    Ended,
    Late,
    Left,
    OrderFact,
    Restricted,
    Unowned,
    Unsure,
)
from podshop.orders.terms import Terms

Stage = Literal["SENT", "ACKED", "UNKNOWN", "LAPSED", "ENDED"]
State = Literal["IDLE", "SENT", "ACKED", "UNKNOWN"]

LIVE = ("SENT", "ACKED", "UNKNOWN")  # its fate is open: the coin is not IDLE
RESERVED = ("SENT", "ACKED", "UNKNOWN", "LAPSED")  # it may still fill: it counts against the limits


class Flight(NamedTuple):
    """An order from its commit until it is forgotten, W later.

    filled   signed lots booked to it
    beside   lots (>= 0) of its side that others had booked since it was sent: s or o of docs/live.md, section 4
    known_ns when its order id became known; hinted: what the reply claims was filled
    """

    order: Order
    cycle: int
    sent_ns: int
    wants: tuple[tuple[str, int], ...]
    stage: Stage = "SENT"
    order_id: str | None = None
    known_ns: int = 0
    hinted: int | None = None
    inferred: bool = False
    filled: int = 0
    beside: int = 0

    @property
    def intent(self) -> str:
        """Its id, which is the venue's client id where it takes one."""
        return self.order.intent

    @property
    def side(self) -> int:
        """1 buys, -1 sells."""
        return 1 if self.order.lots > 0 else -1

    @property
    def reduces(self) -> bool:
        """The venue lets it only bring the position toward flat."""
        return self.order.reduce_only or self.order.whole


class Seen(NamedTuple):
    """A reading that agreed with the books."""

    began_ns: int
    ended_ns: int


class Evidence(NamedTuple):
    """What was observed and is not written down. After a restart it is gathered anew, which is the safe side.

    event_ns   the coin's last event: only a reading that began after it says anything
    agreed     readings since then that show what is booked, without one between them that does not
    differed   (began_ns, venue lots) of those that show something else, all the same
    unknown    (intent, venue's instant) of answers that it knows no such order
    final      (intent, lots filled) of answers that the order is over; lots None = it does not say
    open       intents whose order the venue last called open
    venue_ns   latest instant of the venue's clock that any answer bore
    alarmed    what was alarmed: not again
    """

    event_ns: int = 0
    agreed: tuple[Seen, ...] = ()
    differed: tuple[tuple[int, int], ...] = ()
    unknown: tuple[tuple[str, int], ...] = ()
    final: tuple[tuple[str, int | None], ...] = ()
    open: tuple[str, ...] = ()
    venue_ns: int = 0
    alarmed: tuple[str, ...] = ()


class Line(NamedTuple):
    """One coin.

    booked       lots of all books, the house and transit; the venue's, as far as we know
    flights      oldest first; at most one ordinary order is live, reductions of row 15 beside it
    held         fills that may be ours and are not booked
    fills        (at_ns, fill id) of what was booked in the last W
    asked        (cycle, wave) of the last order; only grows
    reduce_only  until a person resolves it
    differs      venue less booked, unexplained
    """

    market: str
    booked: int = 0
    flights: tuple[Flight, ...] = ()
    held: tuple[Filled, ...] = ()
    fills: tuple[tuple[int, str], ...] = ()
    asked: tuple[int, int] = (-1, 0)
    reduce_only: bool = False
    differs: int = 0
    evidence: Evidence = Evidence()

    @property
    def state(self) -> State:
        """Of the oldest order whose fate is open."""
        for flight in self.flights:
            if flight.stage in LIVE:
                return flight.stage  # type: ignore[return-value]
        return "IDLE"

    def flight(self, intent: str) -> Flight | None:
        """The flight of an intent, while it is remembered."""
        for flight in self.flights:
            if flight.order.intent == intent:
                return flight
        return None

    def durable(self) -> "Line":
        """What the journal alone would make of it."""
        return self._replace(evidence=Evidence())


def fold(market: str, facts: Iterable[OrderFact]) -> Line:
    """Rebuild a line from what was journalled about it, in order."""
    line = Line(market)
    for fact in facts:
        if fact.market == market:
            line = applied(line, fact)
    return line


def applied(line: Line, fact: OrderFact) -> Line:
    """The line after a fact. A fact about an intent that is no longer remembered changes only what is booked."""
    return APPLY[type(fact)](line, fact)


def pruned(line: Line, now_ns: int, terms: Terms) -> Line:
    """Forget what was watched for W: reservations of lapsed orders end here."""
    since_ns = now_ns - terms.watch_ns
    old = any(f.sent_ns <= since_ns and f.stage not in LIVE for f in line.flights)
    if not old and not (line.fills and line.fills[0][0] <= since_ns):
        return line
    return line._replace(
        flights=tuple(f for f in line.flights if f.stage in LIVE or f.sent_ns > since_ns),
        fills=tuple(known for known in line.fills if known[0] > since_ns),
    )


def _began(line: Line, fact: Began) -> Line:
    return line._replace(booked=fact.lots)


def _committed(line: Line, fact: Committed) -> Line:
    flight = Flight(fact.order, fact.cycle, fact.at_ns, fact.wants)
    return line._replace(flights=(*line.flights, flight), asked=(fact.cycle, fact.wave))


def _left(line: Line, fact: Left) -> Line:
    flight = line.flight(fact.intent)
    return line if flight is None else _with(line, flight._replace(sent_ns=fact.at_ns))


def _acknowledged(line: Line, fact: Acknowledged) -> Line:
    flight = line.flight(fact.intent)
    if flight is None:
        return line
    stage: Stage = "ACKED" if flight.stage in LIVE else flight.stage
    return _with(
        line,
        flight._replace(
            stage=stage,
            order_id=fact.order_id,
            known_ns=fact.at_ns,
            hinted=fact.hinted_lots,
            inferred=fact.inferred,
        ),
    )


def _unsure(line: Line, fact: Unsure) -> Line:
    flight = line.flight(fact.intent)
    return line if flight is None else _with(line, flight._replace(stage="UNKNOWN"))


def _booked(line: Line, fact: Booked) -> Line:
    fill = fact.fill
    ordinary = True
    flights = []
    for flight in line.flights:
        if flight.order.intent == fact.intent:
            flight = flight._replace(filled=flight.filled + fill.lots)  # noqa: PLW2901
            ordinary = not flight.reduces
        flights.append(flight)
    if ordinary:  # a reduce-only order of that side may have filled before it: docs/live.md, section 4
        flights = [
            f._replace(beside=f.beside + abs(fill.lots))
            if f.reduces and f.stage in RESERVED and f.side * fill.lots > 0
            else f
            for f in flights
        ]
    return line._replace(
        booked=line.booked + fill.lots,
        flights=tuple(flights),
        held=tuple(h for h in line.held if h.fill_id != fill.fill_id),
        fills=(*line.fills, (fact.at_ns, fill.fill_id)),
    )


def _unowned(line: Line, fact: Unowned) -> Line:
    return line._replace(held=(*line.held, fact.fill))


def _ended(line: Line, fact: Ended) -> Line:
    flight = line.flight(fact.intent)
    stage: Stage = "LAPSED" if fact.how in ("lapsed", "resolved") else "ENDED"
    return line if flight is None else _with(line, flight._replace(stage=stage))


def _differs(line: Line, fact: Differs) -> Line:
    return line._replace(differs=fact.lots)


def _restricted(line: Line, fact: Restricted) -> Line:
    return line._replace(reduce_only=fact.on)


def _late(line: Line, fact: Late) -> Line:
    return line  # it changes the terms of the whole venue, not this coin


def _with(line: Line, flight: Flight) -> Line:
    """The line with this flight in the place of the one of its intent."""
    return line._replace(flights=tuple(flight if f.order.intent == flight.order.intent else f for f in line.flights))


APPLY: dict[type, Callable[[Line, Any], Line]] = {
    Began: _began,
    Committed: _committed,
    Left: _left,
    Acknowledged: _acknowledged,
    Unsure: _unsure,
    Booked: _booked,
    Unowned: _unowned,
    Ended: _ended,
    Differs: _differs,
    Restricted: _restricted,
    Late: _late,
}
