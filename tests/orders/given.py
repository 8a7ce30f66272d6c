"""A coin under test: a line, its terms, a clock that only the test moves, and everything that was said about it."""

from podshop.nouns.venue import Card, Filled, Found, Order, Reading, Reply
from podshop.orders import events
from podshop.orders.effects import Alarm, Allot, Drop, External, Journal, RaiseLateBound, Send, Suspense
from podshop.orders.facts import Began
from podshop.orders.line import Line, applied, fold, pruned
from podshop.orders.step import step
from podshop.orders.terms import Terms, terms_of

S = 1_000_000_000
CYCLE = 300 * S
START = 1_700_000_100 * S
PRICE = 1_000_000
BOOKS = ("trend", "carry")


def card(client_ids: bool, expiry: bool | None = None, rounding: int = 0, reduce_only: bool = True) -> Card:
    """A venue's card; Hyperliquid has client ids and expiry, Purple Flea neither."""
    return Card(
        venue="memory",
        client_ids=client_ids,
        expiry=client_ids if expiry is None else expiry,
        reduce_only=reduce_only,
        partial_close=True,
        reads=frozenset({"positions", "fills", "equity"} | ({"orders"} if client_ids else set())),
        rounding_lots=rounding,
        simulated=True,
    )


WITH_IDS = terms_of(card(True), CYCLE)
WITHOUT = terms_of(card(False), CYCLE)


class Coin:
    """A line, told one event after the other. Every step is held to what the journal alone would rebuild."""

    def __init__(self, terms: Terms = WITH_IDS, booked: int = 0, now: int = START) -> None:
        self.terms, self.now = terms, now
        began = Began("BTC", now, booked)
        self.line = applied(Line("BTC"), began)
        self.facts = [began]
        self.said = []
        self.sent = []
        self.cycle = 0

    def tell(self, event):
        """One step; answers its effects."""
        self.line, effects = step(self.line, event, self.terms)
        self.facts += [effect.fact for effect in effects if isinstance(effect, Journal)]
        self.sent += [effect.order for effect in effects if isinstance(effect, Send)]
        self.said += effects
        rebuilt = pruned(fold("BTC", self.facts), event.at_ns, self.terms)
        assert rebuilt == self.line.durable()
        return effects

    def wait(self, seconds: float):
        self.now += int(seconds * S)
        return self

    def order(self, lots, **changes):
        intent = f"{len(self.facts) + 1000 * self.cycle:032x}"
        new = Order(intent, "BTC", lots, PRICE, PRICE, False, False, self.now + CYCLE)
        return new._replace(**changes)

    def ask(self, lots, target=None, wants=None, minimum=1, cycle=None, wave=1, **changes):
        """Ask for an order; answers its effects."""
        self.cycle = self.cycle + 1 if cycle is None else cycle
        target = self.line.booked + lots if target is None else target
        order = self.order(lots, **changes)
        wants = (("trend", lots),) if wants is None else wants
        return self.tell(events.Asked(self.now, self.cycle, wave, target, order, wants, minimum))

    def read(self, lots=None, **changes):
        """A reading of now: the books' own lots if not said otherwise."""
        lots = self.line.booked if lots is None else lots
        held = lots if isinstance(lots, dict) else {"BTC": lots}
        self.now += 3
        reading = Reading(self.now - 2, self.now - 1, self.now - 2, 10**12, None, held)
        return self.tell(events.ReadingSaid(self.now, reading._replace(**changes)))

    def clean(self):
        """Two readings that agree, 5 s apart."""
        self.wait(1).read()
        return self.wait(5).read()

    def reply(self, outcome, order_id=None, code="", hinted=None, intent=None):
        intent = self.sent[-1].intent if intent is None else intent
        self.now += 1
        return self.tell(events.Replied(self.now, intent, Reply(outcome, order_id, code, "", hinted)))

    def look(self, status, order_id=None, filled=None, intent=None, venue_ns=None):
        intent = self.sent[-1].intent if intent is None else intent
        self.now += 1
        found = Found(status, order_id, filled, self.now if venue_ns is None else venue_ns)
        return self.tell(events.FoundSaid(self.now, intent, found))

    def fill(self, lots, order_id="o1", fill_id=None, client_id=None, at=None, kind="trade", fee=7, watchdog=False):
        fill_id = f"f{len(self.facts)}" if fill_id is None else fill_id
        self.now += 1
        at = self.now if at is None else at
        filled = Filled(fill_id, order_id, client_id, "BTC", lots, PRICE, fee, at, kind)
        return self.tell(events.FillSaid(self.now, filled, watchdog))

    def tick(self):
        return self.tell(events.Tick(self.now))

    def restart(self):
        """What a new process knows: the journal."""
        self.now += 1
        self.line = fold("BTC", self.facts)
        return self.tell(events.Restarted(self.now))

    def resolve(self, intent="", order_id=""):
        self.now += 1
        return self.tell(events.Resolved(self.now, intent, order_id, "me", "looked at the venue's page"))

    def sent_order(self, lots=10, **changes):
        """Read, ask, and have sent."""
        self.wait(1).read()
        self.ask(lots, **changes)
        assert self.sent
        assert self.sent[-1].lots == lots
        return self

    def unknown_order(self, lots=10, **changes):
        """An order whose reply was lost."""
        self.sent_order(lots, **changes).reply("unknown", code="TIME_OUT")
        assert self.line.state == "UNKNOWN"
        return self

    def lapsed_order(self, lots=10):
        """An order whose reply was lost, and of which nothing was heard for Q."""
        self.unknown_order(lots).wait(self.terms.quarantine_ns / S).clean()
        assert self.line.flights[-1].stage == "LAPSED"
        return self


def codes(effects):
    """Alarms given."""
    return [effect.code for effect in effects if isinstance(effect, Alarm)]


def dropped(effects):
    """Code of the verdict where nothing was sent."""
    return next((effect.code for effect in effects if isinstance(effect, Drop)), None)


def facts(effects, kind):
    """Facts of this type that were journalled."""
    return [effect.fact for effect in effects if isinstance(effect, Journal) and isinstance(effect.fact, kind)]


def of(effects, kind):
    """Effects of this type."""
    return [effect for effect in effects if isinstance(effect, kind)]


__all__ = [
    "BOOKS", "CYCLE", "PRICE", "START", "WITHOUT", "WITH_IDS", "Alarm", "Allot", "Coin", "Drop", "External", "Journal",
    "RaiseLateBound", "S", "Send", "Suspense", "card", "codes", "dropped", "facts", "of", "terms_of",
]  # fmt: skip
