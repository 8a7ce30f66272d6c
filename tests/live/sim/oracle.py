"""What must always hold, held by one who sees both the fund's journal and the exchange's truth."""

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from podshop.journal.facts import read
from podshop.live.flatten import PREFIX
from podshop.live.gateway.memory import remembered
from podshop.live.latch import RUNNING, Latch
from podshop.live.messages import Targets
from podshop.nouns import SECOND_NS, LedgerError, utc_text
from podshop.nouns.venue import Order
from podshop.orders.facts import Began, Booked, Committed, Differs, Ended
from podshop.orders.line import pruned
from podshop.orders.terms import terms_of
from podshop.venues.exchange.twin import Sent

if TYPE_CHECKING:
    from tests.live.sim.world import Sim

NEAR_NS = 8 * SECOND_NS  # a reading takes some seconds, and our clock may be wrong by some more
EXACT, DRIFTED = (1.005, 1.10)  # of a limit, where the order came in its own cycle, and where prices have moved since
ORDER_KINDS = ("began", "booked", "committed", "ended", "differs")
REBUILD_EVERY = 12  # cycles


class Oracle:
    """Sees everything; the fund sees nothing of it.

    wrong    what must never be
    checked  how often each thing was looked at
    rebuild_every  cycles after which the journal is folded anew, to be compared with what the process remembers
    """

    def __init__(self, sim: "Sim") -> None:
        self._sim = sim
        self.wrong: list[str] = []
        self.checked: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._approved: dict[str, Order] = {}
        self._nothing: dict[str, str] = {}  # intent -> how it is said to have ended, with nothing filled
        self._held: dict[str, list[tuple[int, int]]] = {}  # market -> (since, lots) at the exchange
        self._booked: Counter[str] = Counter()
        self.rebuild_every = REBUILD_EVERY
        self._seen = 0
        self._highest = RUNNING

    def blame(self, text: str) -> None:
        """Note what is wrong, and when."""
        self.wrong.append(f"seed {self._sim.plan.seed}, {utc_text(self._sim.clock.now_ns())}: {text}")

    # ---------------------------------------------------------------- orders

    def leaving(self, order: Order) -> None:
        """An order's first byte: once only, and only with its row on the disk; nothing that increases while halted."""
        self.checked["sends"] += 1
        self._sent[order.intent] += 1
        if self._sent[order.intent] > 1:
            self.blame(f"intent {order.intent} was sent {self._sent[order.intent]} times")
        self._read_journal()
        if self._approved.get(order.intent) != order:
            self.blame(f"intent {order.intent} left without a row of the journal")
        gateway = self._sim.gateway
        if gateway is None or order.reduce_only or order.whole:
            return
        only = gateway.memory.line(order.market).reduce_only or f"market {order.market}" in gateway.memory.only
        if gateway.state() == RUNNING and not only:
            return
        held = self._sim.truth.lots[order.market]
        flying = any(sent.wish.market == order.market for sent in self._sim.twin.on_the_way())
        known = held == gateway.memory.line(order.market).booked
        if known and not flying and (order.lots * held >= 0 or abs(order.lots) > abs(held)):
            self.blame(
                f"{order.lots:+d} lots of {order.market} left in state {gateway.state()} ({only}), holding {held}"
            )

    def arrived(self, at_ns: int, sent: Sent, before: dict[str, int]) -> None:
        """An order reached the exchange: an increase leaves every hard limit whole."""
        sim, wish, ack = self._sim, sent.wish, sent.ack
        self.moved(at_ns)
        if ack is None or ack.order is None or not ack.order.filled:
            return
        market, filled = wish.market, ack.order.filled
        held = before[market]
        after = held + filled
        grows = abs(after) > abs(held)
        if wish.tag.startswith(PREFIX):
            self.checked["flattener"] += 1
            if grows or after * held < 0:
                self.blame(f"the flattener made {held} lots of {market} {after}")
            return
        if not grows:
            return
        self.checked["increases"] += 1
        hard, truth = sim.terms.hard, sim.truth
        marks = {name: truth.mark_micro(name) for name in truth.names}
        nav = truth.equity_micro()
        on_time = ack.order.at_ns // self._sim.interval_ns == self._cycle_of(wish.tag)
        slack = EXACT if on_time else DRIFTED
        lots = dict(before) | {market: after}
        gross = sum(abs(n) * marks[name] for name, n in lots.items())
        net = abs(sum(n * marks[name] for name, n in lots.items()))
        for name, value, bound in (
            (f"weight of {market}", abs(after) * marks[market], hard.max_weight),
            ("gross", gross, hard.max_gross),
            ("net", net if net > abs(sum(n * marks[m] for m, n in before.items())) else 0, hard.max_net),
            ("order", abs(filled) * marks[market], hard.max_order),
        ):
            if value > bound * nav * slack:
                self.blame(f"{name} is {value / nav:.4f} of NAV after {filled:+d} {market}, at most {bound}")

    def _cycle_of(self, intent: str) -> int:
        order = self._approved.get(intent)
        return -1 if order is None else order.expires_ns // self._sim.interval_ns - 1

    def _read_journal(self) -> None:
        keeper = self._sim.keeper
        if keeper is None:
            return
        for row in keeper.rows(self._seen):
            self._seen = row.seq
            if row.kind not in ORDER_KINDS:
                continue
            fact = read(row.kind, row.v, row.body)
            if isinstance(fact, Began):
                self._booked[fact.market] = fact.lots
            elif isinstance(fact, Booked):
                self._booked[fact.market] += fact.fill.lots
            elif isinstance(fact, Committed):
                self._approved[fact.order.intent] = fact.order
                if fact.reading_ns and not self._was(fact.market, fact.booked, fact.reading_ns, NEAR_NS):
                    self.blame(f"{fact.order} rests on a reading of {fact.booked} lots, which were never held")
            elif isinstance(fact, Ended) and fact.how in ("refused", "never_arrived"):
                self._nothing[fact.intent] = fact.how
            elif isinstance(fact, Differs) and fact.lots:
                lots = self._booked[fact.market] + fact.lots
                if not self._was(fact.market, lots, fact.at_ns, self._sim.interval_ns):
                    self.blame(f"{lots} lots of {fact.market} are said to be at the venue, and never were")

    def moved(self, at_ns: int) -> None:
        """Positions at the exchange may have changed."""
        for market, lots in self._sim.truth.lots.items():
            past = self._held.setdefault(market, [(0, 0)])
            if past[-1][1] != lots:
                past.append((at_ns, lots))

    def _was(self, market: str, lots: int, at_ns: int, near_ns: int) -> bool:
        """Whether the exchange held so many lots about then."""
        until_ns = 1 << 62
        for since_ns, held in reversed(self._held.get(market, [(0, 0)])):
            if held == lots and since_ns <= at_ns + near_ns and until_ns >= at_ns - near_ns:
                return True
            if since_ns < at_ns - near_ns:
                return False
            until_ns = since_ns
        return False

    # ---------------------------------------------------------------- cycles

    def followed(self, targets: Targets) -> None:
        """A message was taken: it was of this cycle and finite."""
        assert self._sim.gateway is not None
        if targets.cycle != self._sim.gateway.cycle:
            self.blame(f"targets of cycle {targets.cycle} were followed in {self._sim.gateway.cycle}")
        if any(map(math.isnan, targets.covariance)):
            self.blame("targets with NaN were followed")

    def after_cycle(self, cycle: int) -> None:
        """The books balance, and agree with each coin's line; no state was lowered."""
        gateway, keeper = self._sim.gateway, self._sim.keeper
        state = Latch(self._sim.folder).held().state
        self._read_journal()
        for order in self._sim.truth.orders.values():
            if order.filled and order.tag in self._nothing:
                self.blame(
                    f"{order.filled} lots of {order.market} filled for {order.tag}, {self._nothing.pop(order.tag)}"
                )
        if gateway is not None and keeper is not None:
            self.checked["cycles"] += 1
            state = max(state, gateway.state())
            try:
                keeper.books.balance()
            except LedgerError as e:
                self.blame(str(e))
            for name in self._sim.names:
                line = gateway.memory.line(name)
                account = keeper.books.balances.get(f"venue:lots:{name}", 0)
                if account != line.booked:
                    self.blame(f"{name}: the ledger holds {account}, the coin's line {line.booked}")
            if cycle % self.rebuild_every == 0:
                self._same(remembered(keeper), "the running gateway")
        if state < self._highest:
            self.blame(f"the state went from {self._highest} to {state}, and nobody lowered it")
        self._highest = max(self._highest, state)

    def lowered(self) -> None:
        """A person has lowered the state."""
        self._highest = RUNNING

    def restricted(self) -> list[str]:
        """Markets that only reduce until a person has looked."""
        gateway = self._sim.gateway
        return [] if gateway is None else [n for n in self._sim.names if gateway.memory.line(n).reduce_only]

    def undecided(self) -> list[tuple[str, str]]:
        """(market, intent) of what only a person can tell: fills that may be of it, by row 11, and are of another.

        He has heard of each by an alarm; that the intent itself did not fill, he sees at the venue.
        """
        gateway, truth = self._sim.gateway, self._sim.truth
        if gateway is None:
            return []
        filled = {order.tag for order in truth.orders.values() if order.filled}
        alarmed = {(alarm.market, alarm.intent) for _, alarm in gateway.desk.alarms if alarm.code == "CANDIDATES"}
        found = []
        for name in self._sim.names:
            line = gateway.memory.line(name)
            known = any((name, fill.order_id) in alarmed for fill in line.held)
            unknown = [flight for flight in line.flights if flight.stage == "UNKNOWN"]
            if known and unknown and all(flight.intent not in filled for flight in unknown):
                found += [(name, flight.intent) for flight in unknown]
        return found

    def risen(self) -> None:
        """A process began from the journal: the books are balanced."""
        assert self._sim.keeper is not None
        try:
            self._sim.keeper.books.balance()
        except LedgerError as e:
            self.blame(f"after a restart: {e}")

    def _same(self, other: Any, what: str) -> None:
        """What the journal leads to is what the process remembers."""
        sim = self._sim
        assert sim.gateway is not None
        mine, now_ns = sim.gateway.memory, sim.ours.now_ns()
        terms = terms_of(sim.card, sim.interval_ns)  # with W as it was at first: a longer one forgets less
        self.checked["rebuilds"] += 1
        for name in sim.names:
            have = pruned(mine.line(name), now_ns, terms).durable()
            want = pruned(other.line(name), now_ns, terms).durable()
            off = [f for f in have._fields if getattr(have, f) != getattr(want, f)]
            if off:
                said = "; ".join(f"{f} {getattr(have, f)}, the journal {getattr(want, f)}" for f in off)
                self.blame(f"{name}: {what} knows {said}")
        for field in ("state", "netted", "unshared", "opened", "asked", "suspense_micro", "late_bound_ns", "capital"):
            if getattr(mine, field) != getattr(other, field):
                self.blame(f"{field}: {what} {getattr(mine, field)!r}, the journal {getattr(other, field)!r}")

    # ---------------------------------------------------------------- at rest

    def at_rest(self, cycles: int) -> None:
        """All trouble is long over: nothing unknown, nothing in suspense, the books are the exchange's truth."""
        sim = self._sim
        gateway, keeper = sim.gateway, sim.keeper
        if gateway is None or keeper is None:
            self.blame("no gateway is alive in the end")
            return
        books = keeper.books
        for name in sim.names:
            line = gateway.memory.line(name)
            if line.state != "IDLE":
                self.blame(f"{name} is {line.state} after {cycles} quiet cycles: {line.flights}")
            if line.held or line.differs:
                self.blame(f"{name}: {line.held} held, {line.differs} lots differ")
            account = books.balances.get(f"venue:lots:{name}", 0)
            if not account == line.booked == sim.truth.lots[name]:
                self.blame(f"{name}: {account} in the ledger, {line.booked} booked, {sim.truth.lots[name]} in truth")
        cash, truth = books.balances.get("venue:cash", 0), sim.truth.cash_micro()
        if cash != truth:
            self.blame(f"{cash} micro-USD in the books, {truth} in truth")
        if gateway.memory.suspense_micro:
            self.blame(f"{gateway.memory.suspense_micro} micro-USD are in suspense")
        try:
            books.agree()
        except LedgerError as e:
            self.blame(f"in the end: {e}")
        booked, fills = (Counter[str](), {fill.fill_id for fill in sim.truth.account.fills})
        for row in keeper.rows():
            if row.kind == "fill":
                fact: Any = read(row.kind, row.v, row.body)
                booked[fact.venue_id] += 1
        if set(booked) != fills or max(booked.values(), default=0) > 1:
            self.blame(f"{len(fills)} fills in truth, {sum(booked.values())} rows of {len(booked)} in the journal")
        tags = Counter(order.tag for order in sim.truth.orders.values() if order.tag and order.client_id != "")
        for tag, count in tags.items():
            if count > 1 and len(tag) > 16:
                self.blame(f"intent {tag} is {count} orders at the exchange")
