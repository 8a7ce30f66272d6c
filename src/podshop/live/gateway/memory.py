"""What the gateway remembers beside the books: a fold of its journal, so a restart knows what the dead process knew.

Now and then all of it is written as one fact (`Standing`); a restart reads the last one and folds what came after.
"""

from typing import Any

import msgspec

from podshop.journal.chain import Row
from podshop.journal.facts import Fact, read
from podshop.journal.keeper import Keeper
from podshop.ledger.facts import Capital, Deposit, Fill, Marks, Nav, Start
from podshop.ledger.live import (
    Asked,
    Closes,
    Listing,
    Netted,
    Opening,
    Ruled,
    Shared,
    Standing,
    StateChanged,
    Suspense,
)
from podshop.live.messages import Targets
from podshop.nouns import DAY_NS
from podshop.nouns.verdict import RUNNING
from podshop.orders.facts import Committed, Late, OrderFact
from podshop.orders.line import Line, applied

DUST = "dust-"  # how the ids begin that no venue gave
CLOSES_KEPT = 31  # a month of daily returns
_ORDER_FACTS = OrderFact.__args__


class Memory(msgspec.Struct, kw_only=True):
    """The gateway's own state. Dictionaries are by market or intent.

    state, by, reason  what the journal holds the fund to
    only        "scope name" -> (state, by, reason) of agents and markets that a person or a rule has halted
    lines       each coin's life
    commits     intent -> number of the row that approves it: what a send reads back
    netted      markets whose cycle has not been closed, with what they were netted to
    unshared    intent -> fills that are in transit
    given       intent -> book -> lots of it that the book has got; wants, of_cycle: of intents not long over
    traded      (at_ns, micro-dollars) of the venue's fills of the last day
    closes      midnight -> marks of the month that the gateway's own variances look back
    asked       cycle of the brain's last message, also of a refused one; spoke of the last that was followed
    dust        day -> micro-dollars of small differences that the house took
    """

    state: int = RUNNING
    by: str = ""
    reason: str = ""
    since_ns: int = 0
    only: dict[str, tuple[int, str, str]] = {}
    lines: dict[str, Line] = {}
    commits: dict[str, int] = {}
    netted: dict[str, Netted] = {}
    unshared: dict[str, list[Fill]] = {}
    given: dict[str, dict[str, int]] = {}
    wants: dict[str, tuple[tuple[str, int], ...]] = {}
    of_cycle: dict[str, int] = {}
    traded: list[tuple[int, int]] = []
    closes: dict[int, Closes] = {}
    dust: dict[int, int] = {}
    listings: dict[str, Listing] = {}
    capital: dict[str, int] = {}
    throttle: tuple[float, ...] = ()
    fund_throttle: float = 1.0
    ruled: Ruled | None = None
    peak_micro: int = 0
    nav_micro: int = 0
    day: int = -1
    day_open_micro: int = 0
    allotted_day: int = -1
    opened: int = -1
    asked: int = -1
    spoke: int = -1
    age: dict[str, int] = {}
    late_bound_ns: int = 0
    suspense_micro: int = 0
    started: bool = False

    def take(self, seq: int, at_ns: int, fact: Fact, *, lines: bool = True) -> None:
        """Fold one fact. lines: also into the coins' lives, which a running gateway has stepped already."""
        if isinstance(fact, _ORDER_FACTS):
            self._order(seq, fact, lines)
            return
        fold = _FOLDS.get(type(fact))
        if fold is not None:
            fold(self, at_ns, fact)

    def line(self, market: str) -> Line:
        """A coin's life."""
        return self.lines.get(market) or Line(market)

    def remaining(self, intent: str) -> list[tuple[str, int]]:
        """What each book still lacks of an intent's wants."""
        given = self.given.get(intent, {})
        lacks = ((book, want - given.get(book, 0)) for book, want in self.wants.get(intent, ()))
        return [(book, lack) for book, lack in lacks if lack]

    def forget(self, now_ns: int) -> None:
        """Leave out intents that no line remembers, and trades of more than a day ago."""
        alive = {flight.intent for line in self.lines.values() for flight in line.flights} | self.unshared.keys()
        for table in (self.commits, self.given, self.wants, self.of_cycle):
            for intent in [each for each in table if each not in alive]:
                del table[intent]
        self.traded = [each for each in self.traded if each[0] > now_ns - DAY_NS]

    def _order(self, seq: int, fact: Any, lines: bool) -> None:
        if lines:
            self.lines[fact.market] = applied(self.line(fact.market), fact)
        if isinstance(fact, Committed):
            intent = fact.order.intent
            self.commits[intent], self.wants[intent], self.of_cycle[intent] = seq, fact.wants, fact.cycle
        elif isinstance(fact, Late):
            self.late_bound_ns = max(self.late_bound_ns, fact.late_ns)


def _start(memory: Memory, at_ns: int, fact: Start) -> None:
    memory.started = True


def _opening(memory: Memory, at_ns: int, fact: Opening) -> None:
    memory.opened, memory.peak_micro = fact.cycle, max(memory.peak_micro, fact.peak_micro)


def _nav(memory: Memory, at_ns: int, fact: Nav) -> None:
    memory.nav_micro, memory.peak_micro = fact.nav_micro, max(memory.peak_micro, fact.nav_micro)
    day = at_ns // DAY_NS
    if day != memory.day:
        memory.day, memory.day_open_micro = day, fact.nav_micro


def _marks(memory: Memory, at_ns: int, fact: Marks) -> None:
    memory.age = dict(zip(fact.markets, fact.age_bars, strict=True))


def _asked(memory: Memory, at_ns: int, fact: Asked) -> None:
    memory.asked = fact.cycle
    if not fact.refused:
        memory.spoke = fact.cycle
        office = msgspec.msgpack.decode(fact.body, type=Targets).office
        memory.throttle, memory.fund_throttle = office.throttle, office.fund_throttle


def _capital(memory: Memory, at_ns: int, fact: Capital) -> None:
    memory.capital[fact.book] = fact.capital_micro
    memory.allotted_day = at_ns // DAY_NS


def _ruled(memory: Memory, at_ns: int, fact: Ruled) -> None:
    memory.ruled = fact


def _netted(memory: Memory, at_ns: int, fact: Netted) -> None:
    memory.netted[fact.market] = fact


def _fill(memory: Memory, at_ns: int, fact: Fill) -> None:
    if fact.intent:
        memory.unshared.setdefault(fact.intent, []).append(fact)
    if fact.venue_id.startswith(DUST):
        _dusted(memory, at_ns, abs(fact.lots) * fact.price_micro)
    else:
        memory.traded.append((at_ns, abs(fact.lots) * fact.price_micro))


def _deposit(memory: Memory, at_ns: int, fact: Deposit) -> None:
    if fact.venue_id.startswith(DUST):
        _dusted(memory, at_ns, abs(fact.cash_micro))


def _dusted(memory: Memory, at_ns: int, micro: int) -> None:
    day = at_ns // DAY_NS
    memory.dust = {day: memory.dust.get(day, 0) + micro}


def _shared(memory: Memory, at_ns: int, fact: Shared) -> None:
    if not fact.intent:  # the market's cycle is closed
        memory.netted.pop(fact.market, None)
        return
    memory.unshared.pop(fact.intent, None)
    given = memory.given.setdefault(fact.intent, {})
    for book, lots in fact.given:
        given[book] = given.get(book, 0) + lots


def _state(memory: Memory, at_ns: int, fact: StateChanged) -> None:
    if fact.scope == "fund":
        memory.state, memory.by, memory.reason, memory.since_ns = fact.state, fact.by, fact.reason, at_ns
    elif fact.state == RUNNING:
        memory.only.pop(f"{fact.scope} {fact.name}", None)
    else:
        memory.only[f"{fact.scope} {fact.name}"] = fact.state, fact.by, fact.reason


def _listing(memory: Memory, at_ns: int, fact: Listing) -> None:
    memory.listings[fact.market] = fact


def _closes(memory: Memory, at_ns: int, fact: Closes) -> None:
    memory.closes[fact.midnight_ns] = fact
    for old in sorted(memory.closes)[:-CLOSES_KEPT]:
        del memory.closes[old]


def _suspense(memory: Memory, at_ns: int, fact: Suspense) -> None:
    memory.suspense_micro = fact.cash_micro


_FOLDS: dict[type, Any] = {
    Start: _start,
    Opening: _opening,
    Nav: _nav,
    Marks: _marks,
    Asked: _asked,
    Capital: _capital,
    Ruled: _ruled,
    Netted: _netted,
    Fill: _fill,
    Deposit: _deposit,
    Shared: _shared,
    StateChanged: _state,
    Listing: _listing,
    Suspense: _suspense,
    Closes: _closes,
}


def standing(memory: Memory, cycle: int) -> Standing:
    """All of it as one fact. What was only observed of the coins is left out, and is observed anew."""
    kept = msgspec.structs.replace(memory, lines={name: line.durable() for name, line in memory.lines.items()})
    return Standing(cycle, msgspec.msgpack.Encoder(order="deterministic").encode(kept))


def remembered(keeper: Keeper) -> Memory:
    """What a journal leads to."""
    last: Row | None = keeper.last("standing")
    memory, after = Memory(), 0
    if last is not None:
        fact = read(last.kind, last.v, keeper.row(last.seq).body)
        assert isinstance(fact, Standing)
        memory, after = msgspec.msgpack.decode(fact.body, type=Memory), last.seq
    for row in keeper.rows(after):
        memory.take(row.seq, row.at_ns, read(row.kind, row.v, row.body))
    return memory
