"""Where events become facts: each coin's line is stepped, fills are booked, and all of it is committed at once.

Nothing is acted on before `commit` has returned: what an effect asks for beyond a fact is handed to the caller.
"""

from typing import NamedTuple

from podshop.journal.facts import Fact, read
from podshop.journal.keeper import Keeper
from podshop.ledger.facts import HOUSE, Fill, Intent, Share, Verdict
from podshop.ledger.live import Alarm, Netted, Shared, StateChanged
from podshop.live.gateway import sharing
from podshop.live.gateway.memory import Memory
from podshop.live.gateway.terms import Terms
from podshop.nouns import LedgerError
from podshop.nouns.venue import Card, Filled, Order
from podshop.orders import effects as do
from podshop.orders.bound import Ends, ends, reserved_lots
from podshop.orders.events import Asked, Event, Resolved, Restarted
from podshop.orders.facts import Booked, Committed
from podshop.orders.line import Flight, Line, applied
from podshop.orders.step import step
from podshop.orders.terms import Terms as OrderTerms
from podshop.orders.terms import terms_of

ALARMS_KEPT = 200


class Told(NamedTuple):
    """What came of an event, for the caller to act on once it is committed.

    send      the order to be sent; drop why nothing is
    """

    send: Order | None = None
    drop: str = ""


class Desk:
    """The gateway's hand on its journal.

    memory   what the journal leads to beside the books; alarms (at_ns, fact) newest last, those since the start
    writes   how many transactions were made; rows how many facts
    """

    def __init__(self, terms: Terms, keeper: Keeper, card: Card, memory: Memory) -> None:
        self.terms, self.keeper, self.card, self.memory = terms, keeper, card, memory
        self.skew_ns = 0
        self.order_terms: OrderTerms = terms_of(card, terms.interval_ns, memory.late_bound_ns)
        self.alarms: list[tuple[int, Alarm]] = []
        self._facts: list[tuple[int, Fact]] = []
        self._claims: set[str] = set()

    def bear_skew(self, ns: int) -> None:
        """Believe readings whose stamp is so far from our clock: where history runs fast, a millisecond is seconds."""
        self.skew_ns = ns
        self._learn(self.memory.late_bound_ns)

    def _learn(self, late_ns: int) -> None:
        found = terms_of(self.card, self.terms.interval_ns, late_ns)
        self.order_terms = found._replace(skew_ns=max(found.skew_ns, self.skew_ns))

    # ---------------------------------------------------------------- facts

    def note(self, at_ns: int, *facts: Fact) -> None:
        """Facts to be committed with what else there is."""
        self._facts += [(at_ns, fact) for fact in facts]

    def alarm(self, at_ns: int, code: str, market: str, intent: str, text: str) -> None:
        """Something for a person."""
        fact = Alarm(code, market, intent, text)
        self.note(at_ns, fact)
        self.alarms = [*self.alarms[-ALARMS_KEPT:], (at_ns, fact)]

    def hold(self, at_ns: int, state: int, scope: str, name: str, by: str, reason: str) -> None:
        """Write that a state was raised or lowered."""
        self.note(at_ns, StateChanged(state, scope, name, by, reason))

    def commit(self) -> None:
        """Everything noted, in one transaction; it is on the disk when this returns."""
        if not self._facts:
            return
        facts, self._facts = self._facts, []
        last = self.keeper.append(facts)
        for i, (at_ns, fact) in enumerate(facts):
            self.memory.take(last - len(facts) + 1 + i, at_ns, fact, lines=False)
            if isinstance(fact, Committed):
                self._claims.add(fact.order.intent)

    # ---------------------------------------------------------------- coins

    def tell(self, market: str, event: Event) -> Told:
        """Step one coin; its facts are noted."""
        before = self.memory.line(market)
        line, effects = step(before, event, self.order_terms)
        self.memory.lines[market] = line
        return self._take(market, event.at_ns, effects)

    def ask(self, asked: Asked, interim: Line | None = None) -> Told:
        """Ask a coin for an order. interim: the coin as the venue has shown it, where its fills are not told yet."""
        market = asked.order.market
        if interim is None:
            return self.tell(market, asked)
        _, effects = step(interim, asked, self.order_terms)
        line = self.memory.line(market)
        for effect in effects:
            if isinstance(effect, do.Journal):
                line = applied(line, effect.fact)
        self.memory.lines[market] = line
        return self._take(market, asked.at_ns, effects)

    def restarted(self, at_ns: int) -> None:
        """After a restart every intent without an outcome is UNKNOWN."""
        for market in self.terms.markets:
            self.tell(market, Restarted(at_ns))

    def resolve(self, at_ns: int, market: str, intent: str, order_id: str, by: str, reason: str) -> None:
        """A person's word on a coin."""
        self.tell(market, Resolved(at_ns, intent, order_id, by, reason))

    def approved(self, intent: str) -> Order:
        """The order of an intent, from the journal; each can be taken once, by the process that wrote it.

        Raises LedgerError where no row approves it, or its one send is used up.
        """
        seq = self.memory.commits.get(intent)
        if seq is None or intent not in self._claims:
            raise LedgerError(f"intent {intent}: no row of the journal lets it be sent, or it was sent before")
        self._claims.discard(intent)
        row = self.keeper.row(seq)
        fact = read(row.kind, row.v, row.body)
        if not isinstance(fact, Committed) or fact.order.intent != intent:
            raise LedgerError(f"row {seq} does not approve intent {intent}")
        return fact.order

    def flights(self) -> list[tuple[str, Flight]]:
        """Every order whose fate is open, or that lapsed and is watched."""
        return [
            (market, flight)
            for market in self.terms.markets
            for flight in self.memory.line(market).flights
            if flight.stage != "ENDED"
        ]

    def ends(self, line: Line) -> Ends:
        """Where a coin may end."""
        return ends(line, self.order_terms)

    def reserved(self, line: Line) -> int:
        """Lots of it that may still fill."""
        return reserved_lots(line, self.order_terms)

    def _take(self, market: str, at_ns: int, effects: tuple[do.Effect, ...]) -> Told:
        told = Told()
        for effect in effects:
            if isinstance(effect, do.Journal):
                self.note(effect.fact.at_ns, effect.fact)
                if isinstance(effect.fact, Committed):
                    order = effect.fact.order
                    intent = Intent(order.intent, market, order.lots, order.expires_ns, effect.fact.wants)
                    self.note(effect.fact.at_ns, intent)
                elif isinstance(effect.fact, Booked):
                    self._book(effect.fact)
            elif isinstance(effect, do.Alarm):
                self.alarm(at_ns, effect.code, market, effect.intent, effect.text)
            elif isinstance(effect, do.RaiseLateBound):
                self._learn(max(effect.late_ns, self.memory.late_bound_ns))
            elif isinstance(effect, do.Send):
                told = told._replace(send=effect.order)
            elif isinstance(effect, do.Drop):
                told = told._replace(drop=effect.code)
        return told

    # ---------------------------------------------------------------- books

    def _book(self, booked: Booked) -> None:
        """A fill to transit; one that no order of ours explains goes on to who bears it, in the same transaction.

        Were it shared in another one, a death between the two would leave in transit what nobody shares any more.
        """
        filled: Filled = booked.fill
        fill = Fill(filled.fill_id, booked.intent, booked.market, filled.lots, filled.price_micro, filled.fee_micro)
        self.note(filled.at_ns, fill)
        if booked.to == "house":
            self.note(filled.at_ns, *sharing.house_shares(fill, self.terms))
        elif booked.to == "held":
            cycle = filled.at_ns // self.terms.interval_ns
            self.note(filled.at_ns, *sharing.held_shares(fill, self.held(booked.market), cycle, self.terms))

    def held(self, market: str) -> list[tuple[str, int]]:
        """(book, signed lots) of those who hold something, with what is noted and not committed yet."""
        lots = {book: self.keeper.books.lots(book, market) for book in self.terms.names}
        for _, fact in self._facts:
            if isinstance(fact, Share) and fact.market == market:
                lots[fact.book] += fact.lots
        return [each for each in lots.items() if each[1]]

    def share_late(self, at_ns: int) -> None:
        """What came in since its cycle was closed, to the books that still want it."""
        for intent, fills in list(self.memory.unshared.items()):
            if fills[0].market not in self.memory.netted:
                self._share_late(at_ns, intent, fills)
        self.commit()

    def _share_late(self, at_ns: int, intent: str, fills: list[Fill]) -> None:
        market, cycle = fills[0].market, self.memory.of_cycle.get(intent, 0)
        reference = self._reference(market, intent, fills[0].price_micro)
        shares = sharing.late_shares(fills, self.memory.remaining(intent), reference, cycle, self.terms)
        given = _sums(shares)
        self.note(at_ns, *shares, Shared(market, intent, given))

    def close(self, at_ns: int, netted: Netted, verdict: Verdict | None) -> None:
        """End a market's cycle: what crossed changes hands, what has filled goes to books, the verdict is written.

        Where all its orders are over, all is shared as a backtest shares it; else the crossing alone, and what the
        venue has filled or will fill goes to the wants of each order.
        """
        line, memory = self.memory.line(netted.market), self.memory
        mine = [f for f in line.flights if f.intent in memory.of_cycle and f.cycle == netted.cycle]
        fills = [fill for flight in mine for fill in memory.unshared.get(flight.intent, [])]
        if all(flight.stage == "ENDED" for flight in mine):
            self.note(at_ns, *sharing.shares_of(netted, fills, self.terms))
            for flight in mine:
                if flight.filled:
                    self.note(at_ns, Shared(netted.market, flight.intent, self._part_of(flight)))
        else:
            self.note(at_ns, *sharing.shares_of(netted, [], self.terms))
            for flight in mine:
                if flight.intent in memory.unshared:
                    self._share_late(at_ns, flight.intent, memory.unshared[flight.intent])
        self.note(at_ns, Shared(netted.market, "", ()))
        if verdict is not None:
            self.note(at_ns, verdict)

    def _part_of(self, flight: Flight) -> tuple[tuple[str, int], ...]:
        """What the books of one intent got of it, where several intents were shared together."""
        if abs(flight.filled) >= abs(flight.order.lots):
            return flight.wants
        m = self.terms.markets.index(flight.order.market)
        return sharing.portion(flight.filled, flight.wants, sharing.salt_of(flight.cycle, self.terms, m), self.terms)

    def _reference(self, market: str, intent: str, otherwise: int) -> int:
        flight = self.memory.line(market).flight(intent)
        return otherwise if flight is None else flight.order.reference_micro


def _sums(shares: list[Share]) -> tuple[tuple[str, int], ...]:
    given: dict[str, int] = {}
    for share in shares:
        given[share.book] = given.get(share.book, 0) + share.lots
    return tuple((book, lots) for book, lots in given.items() if book != HOUSE)
