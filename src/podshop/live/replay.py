"""One cycle again, from what was kept: the gateway's decision from its journal, the brain's from what it was fed.

The gateway's: the journal is folded up to the instant of the decision, and message, mids, limits and closes are
given to the very code that ran. What it nets, orders and rules must be the journal's rows, byte for byte; only the
instants at which rows were written are taken from the journal. Between the waves the outcome is read from the journal.
With other limits the same is asked as "what if", and the difference is shown.

The brain's: a mind is fed the kept bars from its first decision on and asked what it was asked; every answer must have
the kept hash.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec

from podshop.journal.chain import Head, Row
from podshop.journal.facts import Fact, read, written
from podshop.journal.snapshot import State
from podshop.journal.store import reading, rows
from podshop.ledger.facts import Marks, Verdict
from podshop.ledger.live import Asked, Closes, Mids, Netted, Opening, Ruled, Seen
from podshop.live.config import Gateway as GatewayFile
from podshop.live.gateway.desk import Desk
from podshop.live.gateway.limits import Own
from podshop.live.gateway.memory import Memory
from podshop.live.gateway.terms import Terms
from podshop.live.gateway.trading import Leg, Trading
from podshop.live.gateway.waves import UNPROVEN
from podshop.live.messages import Targets
from podshop.nouns import SECOND_NS, ConfigError, DataError
from podshop.nouns.venue import Card, Reading
from podshop.nouns.verdict import NET
from podshop.orders.events import ReadingSaid
from podshop.orders.facts import Committed

CHANGES = ("max_weight", "max_gross", "max_net", "max_order", "max_var")


class Line(NamedTuple):
    """One thing that a cycle decided: its kind, its market, and the two versions; None where there was none."""

    kind: str
    market: str
    journal: str | None
    again: str | None


class Replayed(NamedTuple):
    """What came of it.

    refused  why the brain's message was not followed, if it was not; then there is nothing to be decided
    rows     how many rows were compared; differs those that are not the same
    """

    cycle: int
    refused: str
    rows: int
    differs: tuple[Line, ...]


def replay(journal: Path, terms: Terms, card: Card, cycle: int, changes: Mapping[str, float] | None = None) -> Replayed:
    """Decide a cycle of the gateway again.

    changes  limit -> another value, as a fraction of NAV: max_weight, max_gross, max_net, max_order, max_var
    Raises DataError where the journal does not hold the cycle.
    """
    past = _Past(journal, cycle)
    message = past.message
    if message is None or message.refused or past.mids is None or past.ruled is None:
        return Replayed(cycle, "it was not asked" if message is None else message.refused or "it did not trade", 0, ())
    targets = msgspec.msgpack.decode(message.body, type=Targets)
    trading = _Again(terms, card, past)
    rules = _changed(past.ruled, changes or {})
    reference = dict(zip(past.mids.markets, past.mids.reference_micro, strict=True))
    nav = past.at_mids.books.nav_micro()
    asyncio.run(trading.trade(cycle, targets, rules, reference, nav))
    made = [fact for fact in trading.made if isinstance(fact, Netted | Committed | Verdict)]
    kept = [fact for _, fact in past.decided()]
    return Replayed(cycle, "", len(kept), tuple(_compared(kept, made)))


class _Past:
    """A journal up to the end of one cycle, and where in it the decision stands."""

    def __init__(self, journal: Path, cycle: int) -> None:
        self.before: list[tuple[Row, Fact]] = []  # rows until the next cycle is opened
        self._cycle = cycle
        opened = -1
        with reading(journal) as db:
            for row in rows(db):
                fact = read(row.kind, row.v, row.body)
                if isinstance(fact, Opening):
                    opened = fact.cycle
                    if opened > cycle:
                        break
                self.before.append((row, fact))
        if not any(isinstance(fact, Opening) and fact.cycle == cycle for _, fact in self.before):
            raise DataError(f"the journal holds no cycle {cycle}, the last before it is {opened}")
        self.message = self._of(Asked)
        self.mids = self._of(Mids)
        self.ruled = next((fact for _, fact in reversed(self.before) if isinstance(fact, Ruled)), None)
        self.mids_seq = self._seq(Mids)
        seconds = (r.seq for r, f in self.before if isinstance(f, Committed) and f.cycle == cycle and f.wave == 2)
        verdicts = (r.seq for r, f in self.before if isinstance(f, Verdict) and f.book == NET and r.seq > self.mids_seq)
        last = self.before[-1][0].seq + 1
        self.verdict_seq = next(verdicts, last)
        self.second_seq = next(seconds, self.verdict_seq)
        self.at_mids = self.state(self.mids_seq)

    def state(self, before_seq: int) -> State:
        """The books as the rows before this one left them."""
        state = State()
        for row, _ in self.before:
            if row.seq >= before_seq:
                break
            state.take(row)
        return state

    def memory(self, before_seq: int) -> Memory:
        """What the gateway remembered then."""
        memory = Memory()
        for row, fact in self.before:
            if row.seq >= before_seq:
                break
            memory.take(row.seq, row.at_ns, fact)
        return memory

    def readings(self, before_seq: int) -> Iterator[tuple[int, Reading]]:
        """Accounts that were shown in this cycle before a row: they say which coin may be sent an order."""
        for row, fact in self.before:
            if isinstance(fact, Seen) and fact.cycle >= self._cycle - 1 and row.seq < before_seq:
                lots = dict(zip(fact.markets, fact.lots, strict=True))
                yield (
                    row.at_ns,
                    Reading(fact.began_ns, fact.ended_ns, fact.venue_ns, fact.equity_micro, fact.cash_micro, lots),
                )

    def decided(self) -> Iterator[tuple[Row, Fact]]:
        """What the cycle netted, committed and ruled."""
        for row, fact in self.before:
            if row.seq < self.mids_seq:
                continue
            ours = isinstance(fact, Netted | Committed) and fact.cycle == self._cycle
            if ours or (isinstance(fact, Verdict) and fact.book == NET and row.seq >= self.verdict_seq):
                yield row, fact

    def unproven(self) -> set[str]:
        """Markets whose second leg was held back since nobody could say what had become of the first."""
        verdicts = (fact for row, fact in self.before if isinstance(fact, Verdict) and row.seq >= self.verdict_seq)
        return {fact.market for fact in verdicts if fact.code == UNPROVEN}

    def now_ns(self, before_seq: int) -> int:
        """When the row before this one was written."""
        return max(row.at_ns for row, _ in self.before if self.mids_seq <= row.seq < max(before_seq, self.mids_seq + 1))

    def marks(self) -> Iterator[tuple[int, Marks]]:
        """Marks of every cycle so far, and of which."""
        cycle = -1
        found: Marks | None = None
        for _, fact in self.before:
            if isinstance(fact, Marks):
                found = fact
            elif isinstance(fact, Opening):
                cycle = fact.cycle
                if found is not None:
                    yield cycle, found

    def closes(self) -> Iterator[Closes]:
        """Midnights of which the gateway knew the marks when it decided."""
        for row, fact in self.before:
            if isinstance(fact, Closes) and row.seq < self.mids_seq:
                yield fact

    def _of(self, kind: type[Any]) -> Any:
        return next((f for _, f in reversed(self.before) if isinstance(f, kind) and f.cycle == self._cycle), None)

    def _seq(self, kind: type[Any]) -> int:
        return next((r.seq for r, f in self.before if isinstance(f, kind) and f.cycle == self._cycle), 1 << 62)


class _Still(Desk):
    """A desk that writes nothing: what would be committed is put aside."""

    def __init__(self, terms: Terms, card: Card, past: _Past) -> None:
        self._past = past
        self.made: list[Fact] = []
        state = past.at_mids
        keeper: Any = SimpleNamespace(books=state.books, head=state.head)
        super().__init__(terms, keeper, card, past.memory(past.mids_seq))
        self._show(past.mids_seq)

    def at(self, seq: int) -> None:
        """Go on from what the journal holds before this row."""
        state = self._past.state(seq)
        self.keeper.books, self.keeper.head = state.books, Head(state.seq, state.hash)  # type: ignore[misc]
        self.memory = self._past.memory(seq)
        self._show(seq)

    def commit(self) -> None:
        """Put aside."""
        self.made += [fact for _, fact in self._facts]
        self._facts = []

    def close(self, at_ns: int, netted: Netted, verdict: Verdict | None) -> None:
        """The verdict alone: shares are the ledger's, and `podshop ledger verify` looks at those."""
        if verdict is not None:
            self.note(at_ns, verdict)

    def _show(self, seq: int) -> None:
        """Show every coin the accounts that were read: what was only observed is in no fact."""
        for at_ns, shown in self._past.readings(seq):
            for market in self.terms.markets:
                self.tell(market, ReadingSaid(at_ns, shown))
        self._facts = []


class _Again(Trading):
    """A cycle's trading without a venue: nothing is sent, and what became of it is in the journal."""

    def __init__(self, terms: Terms, card: Card, past: _Past) -> None:
        self._past = past
        self.still = _Still(terms, card, past)
        self._seq = past.mids_seq
        clock: Any = SimpleNamespace(now_ns=lambda: past.now_ns(self._seq))
        prefix = _prefix(past.before[0][0])
        asking: Any = SimpleNamespace(prefix=prefix)
        own = Own(len(terms.markets))
        for cycle, marks in past.marks():
            by_market = dict(zip(marks.markets, marks.mark_micro, strict=True))
            own.frozen(cycle, [by_market.get(market, 0) for market in terms.markets])
        for closes in past.closes():
            own.close(closes.midnight_ns, closes.mark_micro)
        super().__init__(terms, self.still, asking, clock, own, lambda _: None, lambda _: True)

    @property
    def made(self) -> list[Fact]:
        """All that was noted."""
        return self.still.made

    async def _send(self, legs: Sequence[Leg]) -> None:
        self.desk.commit()

    async def _outcomes(self, cycle: int, legs: Sequence[Leg]) -> dict[int, int]:
        """As the journal has it just before the second wave; what only a reading had shown then is taken from that."""
        self._go_on(self._past.second_seq)
        shown = [each for _, each in self._past.readings(self._past.second_seq)]
        unproven, over = self._past.unproven(), {}
        for leg in legs:
            line = self.desk.memory.line(self.terms.markets[leg.market])
            flight = line.flight(leg.intent)
            if flight is not None and shown and line.market not in unproven:
                over[leg.intent] = shown[-1].lots.get(line.market, 0) - line.booked + flight.filled
        return self._proven(legs, over, shown[-1] if shown else None)

    async def _finish(self, cycle: int, legs: Sequence[Leg]) -> None:
        self._go_on(self._past.verdict_seq)

    def _go_on(self, seq: int) -> None:
        self._seq = seq
        self.still.at(seq)

    def _close(self, cycle: int, first: Any) -> tuple[Verdict, ...]:
        netted = {
            fact.market: fact for fact in self.made if isinstance(fact, Netted)
        }  # what was netted now, should limits be others
        self.desk.memory.netted = dict(netted)
        return super()._close(cycle, first)


def _prefix(first: Row) -> str:
    """How every intent of a journal begins."""
    return blake2b(first.hash, digest_size=2).hexdigest()


def _changed(ruled: Ruled, changes: Mapping[str, float]) -> Ruled:
    """The limits of the cycle, some of them others."""
    for name, value in changes.items():
        short = name.rpartition(".")[2]
        if short not in CHANGES:
            raise ConfigError(f"{name!r} cannot be changed, expected one of {', '.join(CHANGES)}")
        if not 0.0 <= value <= 1e9:
            raise ConfigError(f"{name} is {value}, expected a fraction of NAV")
        if short == "max_weight":
            ruled = ruled._replace(max_weight=(value,) * len(ruled.max_weight))
        elif short == "max_net":
            ruled = ruled._replace(caps=(value, *ruled.caps[1:]))
        elif short == "max_gross":
            ruled = ruled._replace(max_gross=value)
        elif short == "max_order":
            ruled = ruled._replace(max_order=value)
        else:
            ruled = ruled._replace(max_var=value)
    return ruled


def _compared(kept: Sequence[Fact], made: Sequence[Fact]) -> Iterator[Line]:
    """Rows that are not the same bytes, instants of writing apart."""
    a, b = (_by_place(facts) for facts in (kept, made))
    for place in sorted(a.keys() | b.keys()):
        have, want = b.get(place), a.get(place)
        if have is not None and want is not None and isinstance(want, Committed) and isinstance(have, Committed):
            have = have._replace(at_ns=want.at_ns)
        same = have is not None and want is not None and written(have) == written(want)
        if not same:
            yield Line(place[0], place[1], None if want is None else _told(want), None if have is None else _told(have))


def _by_place(facts: Sequence[Fact]) -> dict[tuple[str, str, int], Fact]:
    return {
        (type(fact).__name__.lower(), fact.market, fact.wave if isinstance(fact, Committed) else 0): fact
        for fact in facts
        if isinstance(fact, Netted | Committed | Verdict)
    }


def _told(fact: Fact) -> str:
    if isinstance(fact, Committed):
        return f"{fact.order.lots:+,} lots, wave {fact.wave}, limit {fact.order.limit_micro / 1e6:g}"
    if isinstance(fact, Verdict):
        bound = "" if fact.bound is None else f", {fact.measured:.6g} against {fact.bound:.6g}"
        return f"{fact.verdict} {fact.code}: wanted {fact.wanted_lots:+,}, allowed {fact.allowed_lots:+,}{bound}"
    if isinstance(fact, Netted):
        return f"crossed {fact.crossed:,}, wants {dict(fact.wants)}"
    return str(fact)


def card_of(gateway: GatewayFile) -> Card:
    """What the venue of a running fund can do, as far as a decision depends on it; nobody is asked."""
    bare = gateway.venue == "purpleflea" or (gateway.venue == "simulated" and gateway.dialect == "article")
    return Card(
        venue=gateway.venue,
        client_ids=not bare,
        expiry=gateway.venue in ("simulated", "hyperliquid") and not bare,
        reduce_only=not bare,
        partial_close=not bare,
        reads=frozenset(),
        rounding_lots=int(bare),
        late_bound_ns=(60 if bare else 30) * SECOND_NS,
        minimum_micro=11_000_000 if bare else 10_000_000,
    )
