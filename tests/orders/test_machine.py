"""One coin against a plain model of a venue, in any order of events that hypothesis can think of.

The model keeps to what the card promises: an order arrives within Q or never, not after its expiry where there is one;
refused means that it never arrives; what was said to be over fills no more. All else may happen, in any order.
"""

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from podshop.nouns.venue import Filled, Order
from podshop.orders.bound import ends, reducible
from podshop.orders.events import FillSaid
from podshop.orders.facts import Booked, Committed, Ended
from podshop.orders.line import RESERVED
from tests.orders.given import CYCLE, PRICE, Coin, card, terms_of
from tests.orders.truth import Arrived, Truth


@dataclass
class Way:
    """An order on its way: whether it arrived, whether its reply came."""

    order: Order
    sent_ns: int
    arrived: Arrived | None = None
    gone: bool = False
    replied: bool = False


class OneCoin(RuleBasedStateMachine):
    """Rules are what may happen; invariants are what must hold after each."""

    @initialize(ids=st.booleans(), expiry=st.booleans(), reduce_only=st.booleans())
    def begin(self, ids, expiry, reduce_only):
        self.card = card(ids, ids and expiry, reduce_only=reduce_only)
        self.coin = Coin(terms_of(self.card, CYCLE))
        self.truth = Truth(self.card)
        self.truth.lots["BTC"] = 0
        self.ways: list[Way] = []
        self.delivered: set[str] = set()
        self.before = (self.coin.now, 0)

    # ---------------------------------------------------------------- what the fund does

    @rule(lots_wished=st.integers(-6, 6), reduce=st.booleans())
    def wish(self, lots_wished, reduce):
        target = lots_wished
        coin, line = self.coin, self.coin.line
        self.truth.wish("BTC", target)
        lots = target - line.booked
        if line.booked * lots < 0 and abs(lots) > abs(line.booked):
            lots = -line.booked  # the leg of the first wave
        reducing = line.booked * lots < 0
        if line.state != "IDLE":
            lots, reduce = reducible(line, target, coin.terms), True
        if lots:
            before = len(coin.sent)
            coin.ask(lots, target=target, reduce_only=reduce and reducing and self.card.reduce_only)
            for order in coin.sent[before:]:
                self.truth.sent_for(order)
                self.ways.append(Way(order, coin.now))

    @rule(lots_wished=st.integers(-6, 6))
    def read_and_wish(self, lots_wished):
        self.read("true")
        self.wish(lots_wished, True)

    @rule(lots_wished=st.integers(-6, 6), reduce=st.booleans())
    def wish_and_hear_nothing(self, lots_wished, reduce):
        before = len(self.ways)
        self.read("true")
        self.wish(lots_wished, reduce)
        for way in self.ways[before:]:
            way.replied = True
            self.coin.reply("unknown", intent=way.order.intent)

    @rule()
    def nothing_happens_for_q(self):
        self.wait(self.coin.terms.quarantine_ns // 1_000_000_000)
        self.read_twice()

    @rule()
    def restart(self):
        self.coin.restart()
        for way in self.ways:
            way.replied = True  # to a process that is dead

    @rule()
    def tick(self):
        self.coin.tick()

    # ---------------------------------------------------------------- what the world does

    @rule(seconds=st.sampled_from([1, 3, 6, 11, 61, 301, 601, 1300, 3700]))
    def wait(self, seconds):
        self.before = (self.coin.now, self.truth.lots["BTC"])
        self.coin.wait(seconds)

    @rule(pick=st.integers(0, 9), share=st.sampled_from([0, 1, 2, 9]), rests=st.booleans())
    def arrive(self, pick, share, rests):
        """An order reaches the venue, and fills in part or whole, now or later."""
        way = self._pick([w for w in self.ways if w.arrived is None and not w.gone], pick)
        if way is None:
            return
        if self.coin.now - way.sent_ns > self.coin.terms.quarantine_ns:
            way.gone = True
            return
        way.arrived = self.truth.arrive(way.order, self.coin.now, way.sent_ns)
        if way.arrived is None:
            way.gone = True
        elif not rests:
            self._match(way.arrived, share)

    @rule(pick=st.integers(0, 9), share=st.sampled_from([0, 1, 2, 9]))
    def match_later(self, pick, share):
        way = self._pick([w for w in self.ways if w.arrived is not None and not w.arrived.final], pick)
        if way is not None:
            late = self.coin.now - way.sent_ns > self.coin.terms.quarantine_ns
            self._match(way.arrived, 0 if late else share)

    @rule(pick=st.integers(0, 9), kind=st.sampled_from(["clear", "clear", "unknown"]), hints=st.booleans())
    def reply(self, pick, kind, hints):
        way = self._pick([w for w in self.ways if not w.replied], pick)
        if way is None:
            return
        way.replied = True
        if kind == "unknown":
            self.coin.reply("unknown", intent=way.order.intent)
        elif way.arrived is not None:
            hinted = way.arrived.filled if hints and way.arrived.final else None
            self.coin.reply("accepted", way.arrived.order_id, hinted=hinted, intent=way.order.intent)
        else:
            way.gone = True
            self.coin.reply("refused", code="margin", intent=way.order.intent)

    @rule(pick=st.integers(0, 9), again=st.booleans())
    def show_a_fill(self, pick, again):
        since_ns = self.coin.now + 1 - self.coin.terms.watch_ns  # what is older, the journal knows
        old = {f.fill.fill_id for f in self.coin.facts if isinstance(f, Booked) and f.at_ns <= since_ns}
        fills = [f for _, f, _ in self.truth.fills if f.fill_id not in (old if again else self.delivered)]
        fill = self._pick(fills, pick)
        if fill is not None:
            self.delivered.add(fill.fill_id)
            self.coin.now += 1
            self.coin.tell(FillSaid(self.coin.now, fill))

    @rule()
    def show_all_fills(self):
        for _, fill, _ in self.truth.fills:
            if fill.fill_id not in self.delivered:
                self.delivered.add(fill.fill_id)
                self.coin.now += 1
                self.coin.tell(FillSaid(self.coin.now, fill))

    @rule(kind=st.sampled_from(["true", "true", "empty", "stale", "no envelope"]))
    def read(self, kind):
        lots = self.truth.lots["BTC"]
        if kind == "empty":
            self.coin.wait(1).read(lots={}, equity_micro=0, venue_ns=0)
        elif kind == "no envelope":
            self.coin.wait(1).read(lots=0, venue_ns=0)
        elif kind == "stale":
            at_ns, then = self.before
            self.coin.wait(2).read(lots=then, venue_ns=at_ns)
        else:
            self.coin.wait(1).read(lots=lots)

    @rule()
    def read_twice(self):
        self.coin.wait(1).read(lots=self.truth.lots["BTC"])
        self.coin.wait(6).read(lots=self.truth.lots["BTC"])

    @rule(pick=st.integers(0, 9), answers=st.booleans())
    def look(self, pick, answers):
        way = self._pick(self.ways, pick)
        if way is None or not self.card.client_ids:
            return
        if not answers:
            self.coin.look("no_answer", intent=way.order.intent)
        elif way.arrived is None:
            self.coin.look("unknown_id", intent=way.order.intent)
        else:
            status = "final" if way.arrived.final else "open"
            self.coin.look(status, way.arrived.order_id, way.arrived.filled, intent=way.order.intent)

    @precondition(lambda self: not any(f.stage in RESERVED for f in self.coin.line.flights))
    @rule(lots=st.integers(-3, 3))
    def somebody_trades(self, lots):
        if lots and all(fill.fill_id in self.delivered for _, fill, _ in self.truth.fills):
            self.coin.now += 1
            fill = Filled(f"x{len(self.truth.fills)}", f"x{self.coin.now}", None, "BTC", lots, PRICE, 0, self.coin.now)
            self.truth.fills.append((self.coin.now, fill, self.coin.now))
            self.truth.lots["BTC"] += lots
            self.show_all_fills()
            assert self.coin.line.reduce_only
            self.coin.resolve()

    # ---------------------------------------------------------------- what must hold

    @invariant()
    def every_lot_is_accounted_for(self):
        if hasattr(self, "coin"):
            booked = [fact.fill for fact in self.coin.facts if isinstance(fact, Booked)]
            ids = [fill.fill_id for fill in booked]
            assert len(ids) == len(set(ids)), "booked twice"
            assert self.coin.line.booked == sum(fill.lots for fill in booked)
            waiting = sum(fill.lots for _, fill, _ in self.truth.fills if fill.fill_id not in ids)
            assert self.coin.line.booked + waiting == self.truth.lots["BTC"]
            shown = self.delivered - set(ids)
            assert shown <= {fill.fill_id for fill in self.coin.line.held}, "a fill was shown, and lost"

    @invariant()
    def the_truth_lies_in_what_is_reserved(self):
        if hasattr(self, "coin"):
            low, high = ends(self.coin.line, self.coin.terms)
            assert low <= self.truth.lots["BTC"] <= high

    @invariant()
    def nothing_is_sent_twice_and_nothing_goes_beyond_its_target(self):
        if hasattr(self, "coin"):
            intents = [order.intent for order in self.coin.sent]
            assert len(intents) == len(set(intents))
            committed = [fact.order for fact in self.coin.facts if isinstance(fact, Committed)]
            assert committed == self.coin.sent
            assert not self.truth.doubled

    @invariant()
    def no_time_makes_it_rejected(self):
        if hasattr(self, "coin"):
            ways = {way.order.intent: way for way in self.ways}
            for fact in self.coin.facts:
                if isinstance(fact, Ended):
                    way = ways[fact.intent]
                    if fact.how in ("refused", "never_arrived"):
                        assert way.arrived is None
                        assert way.gone or self.coin.now >= way.order.expires_ns
                    elif fact.how in ("final", "clean") and not self.inferred(fact.intent):
                        assert way.arrived is not None
                        assert way.arrived.final
                    elif fact.how == "lapsed":
                        assert fact.at_ns - way.sent_ns >= self.coin.terms.quarantine_ns

    def inferred(self, intent: str) -> bool:
        """Whether it was adopted without proof: then another intent's order may have been meant."""
        return any(getattr(fact, "inferred", False) and fact.intent == intent for fact in self.coin.facts)

    def _match(self, arrived, share):
        lots = arrived.order.lots
        some = max(min(share, abs(lots)), -abs(lots)) * (1 if lots > 0 else -1)
        self.truth.fill(arrived, some, self.coin.now, self.coin.now)
        arrived.final = True

    @staticmethod
    def _pick(of, number):
        return of[number % len(of)] if of else None


class OneCoinTest(OneCoin.TestCase):
    """Run it."""

    settings = settings(deadline=None, stateful_step_count=40)
