"""Ten thousand orders at a venue that loses replies and fills late, in virtual time; what the state table makes of it.

    python -m tests.orders.campaign [ORDERS] [SEED] [ids|no-ids] [table|retry|read-once] [late seconds]

A small driver, not the gateway: each cycle every coin gets a new target; what the table asks for is sent, looked up and
read. Now and then the driver dies: its lines are folded from the journal, and the replies that were on their way are
lost. The oracle is the venue's own truth, which the driver never sees.
"""

import asyncio
import random
import sys
from collections import Counter
from typing import NamedTuple

from podshop.nouns import VenueError
from podshop.nouns.venue import Order
from podshop.orders import events
from podshop.orders.bound import ends, reducible
from podshop.orders.effects import Alarm, Drop, Journal, RaiseLateBound, Send
from podshop.orders.facts import Began, Booked, Ended
from podshop.orders.line import Line, applied, fold, pruned
from podshop.orders.step import step, wanted
from podshop.orders.terms import terms_of
from tests.live.virtual import START_NS, run
from tests.orders.given import CYCLE, PRICE, S, card
from tests.orders.truth import Faults, LossyVenue, Truth

COINS = 40
POLL_NS = 7 * S
OVERLAP_NS = 120 * S
MOST_CYCLES = 3  # for each order of a coin


class Outcome(NamedTuple):
    """What a campaign came to. All but the first four must be zero.

    doubled     orders that took a position beyond every target since; quiet: without an alarm
    untracked   coins whose books differ from the venue's truth in the end, fills booked twice or never
    foreign     fills booked as nobody's, though all were ours
    unresolved  intents UNKNOWN for more than a cycle, or to the end, without an alarm
    stuck       intents UNKNOWN at the end
    resent      intents that reached the venue twice
    outside     moments at which the truth was outside what was reserved
    unfolded    restarts that did not rebuild the line that died
    """

    orders: int
    alarms: Counter[str]
    fired: Counter[str]
    ended: Counter[str]
    doubled: int = 0
    quiet: int = 0
    untracked: int = 0
    foreign: int = 0
    unresolved: int = 0
    stuck: int = 0
    resent: int = 0
    outside: int = 0
    unfolded: int = 0


def campaign(orders: int, seed: int, ids: bool, faults: Faults | None = None, restarts: float = 0.1) -> Outcome:
    """Send so many orders through the state table."""

    async def main(clock):
        driver = Driver(clock, seed, ids, faults, restarts)
        return await driver.trade(orders)

    return run(main)


class Driver:
    """Forty coins, their lines, and a venue."""

    overlap_ns = OVERLAP_NS

    def __init__(self, clock, seed: int, ids: bool, faults: Faults | None, restarts: float) -> None:
        self.clock = clock
        self.card = self.card_of(ids)
        self.terms = terms_of(self.card, CYCLE)
        self.random = random.Random(seed)
        self.restarts = restarts
        self.coins = [f"C{i:02d}" for i in range(COINS)]
        self.open_venue(seed, faults)
        began = {coin: Began(coin, START_NS, 0) for coin in self.coins}
        self.facts = {coin: [began[coin]] for coin in self.coins}
        self.lines = {coin: applied(Line(coin), began[coin]) for coin in self.coins}
        self.alarms: Counter[str] = Counter()
        self.alarmed: set[str] = set()
        self.unresolved: set[str] = set()
        self.sent = self.outside = self.unfolded = self.life = 0
        self.resent: Counter[str] = Counter()
        self.tasks: set[asyncio.Task] = set()

    def card_of(self, ids: bool):
        """What the venue says it can do."""
        return card(ids)

    def open_venue(self, seed: int, faults: Faults | None) -> None:
        """The truth, and the way to it."""
        self.truth = Truth(self.card)
        self.truth.told = self.look_at_the_box
        chosen = Faults(late_ns=self.terms.quarantine_ns) if faults is None else faults
        self.venue = LossyVenue(self.truth, self.clock, self.later, seed + 1, chosen)

    async def trade(self, orders: int) -> Outcome:
        """Cycle after cycle until so many orders were sent; then wait until every late fill has come."""
        cycle = 0
        while self.sent < orders and cycle < MOST_CYCLES * orders // COINS + 10:  # who halts for ever ends, too
            cycle += 1
            await self.clock.sleep_until(START_NS + cycle * CYCLE)
            await self.cycle(cycle)
        stop_ns = self.clock.now_ns() + self.terms.quarantine_ns + 2 * CYCLE
        await self.tend(stop_ns)
        stuck = sum(f.stage == "UNKNOWN" for line in self.lines.values() for f in line.flights)
        await self.tend(max(stop_ns, self.clock.now_ns() + self.venue.faults.late_ns))
        return self.outcome(stuck)

    async def cycle(self, cycle: int) -> None:
        """Read, reduce, read, increase, and tend until the next."""
        if self.random.random() < self.restarts:
            self.later(self.clock.now_ns() + self.random.randint(0, 40 * S), self.restart)
        targets = {coin: self.random.randint(-20, 20) for coin in self.coins if self.random.random() < 0.9}
        for coin, target in targets.items():
            self.truth.wish(coin, target)
        end_ns = START_NS + (cycle + 1) * CYCLE
        for wave in (1, 2):
            await self.observe(self.coins)
            sends = [self.ask(coin, target, cycle, wave, end_ns) for coin, target in targets.items()]
            await asyncio.gather(*sends)
            await self.tend(self.clock.now_ns() + 3 * POLL_NS)
        await self.tend(end_ns - 2 * S)

    async def ask(self, coin: str, target: int, cycle: int, wave: int, end_ns: int) -> None:
        """Ask for the leg of this wave: the first only reduces, the second is the rest."""
        line = self.lines[coin]
        lots = target - line.booked
        reducing = line.booked * lots < 0
        if wave == 1:
            lots = max(-line.booked, lots) if line.booked > 0 else min(-line.booked, lots)
            if not reducing:
                return
        reduce_only = reducing and wave == 1 and self.random.random() < 0.5
        if line.state != "IDLE":
            lots, reduce_only = reducible(line, target, self.terms), True
        if lots == 0:
            return
        now_ns = self.clock.now_ns()
        intent = f"{cycle:08x}{wave:02x}{self.coins.index(coin):06x}{self.random.getrandbits(64):016x}"
        limit = PRICE + PRICE // 100 if lots > 0 else PRICE - PRICE // 100
        order = Order(intent, coin, lots, limit, PRICE, reduce_only and self.card.reduce_only, False, end_ns)
        life = self.life
        asked = events.Asked(now_ns, cycle, wave, target, order, (("trend", lots),), 1)
        for effect in self.tell(coin, asked):
            if isinstance(effect, Send):
                self.sent += 1
                self.truth.sent_for(effect.order)
                reply = await self.venue.send(effect.order)
                if life == self.life:  # else the process that asked is dead
                    self.tell(coin, events.Replied(self.clock.now_ns(), intent, reply))

    async def tend(self, until_ns: int) -> None:
        """Look after what is open, every few seconds."""
        soon_ns = self.clock.now_ns() + 10 * POLL_NS
        while (now_ns := self.clock.now_ns()) < until_ns:
            await self.clock.sleep_until(min(now_ns + (POLL_NS if now_ns < soon_ns else 3 * POLL_NS), until_ns))
            needy = [coin for coin in self.coins if wanted(self.lines[coin], self.terms).reading]
            await self.look_up(needy)
            await self.observe(needy)

    async def look_up(self, coins: list[str]) -> None:
        """Ask after orders, where the venue can be asked."""
        for coin in coins:
            for intent in wanted(self.lines[coin], self.terms).look:
                flight = self.lines[coin].flight(intent)
                if flight is not None:
                    found = await self.venue.look(flight.order, flight.order_id)
                    self.tell(coin, events.FoundSaid(self.clock.now_ns(), intent, found))

    async def observe(self, coins: list[str]) -> None:
        """Fills, then a reading: a reading that is older than a fill says nothing."""
        try:
            for fill in await self.venue.fills(self.clock.now_ns() - self.overlap_ns):
                self.tell(fill.market, events.FillSaid(self.clock.now_ns(), fill))
            reading = await self.venue.reading()
        except VenueError:
            reading = None
        for coin in coins:
            now_ns = self.clock.now_ns()
            self.tell(coin, events.Tick(now_ns) if reading is None else events.ReadingSaid(now_ns, reading))

    def tell(self, coin: str, event) -> tuple:
        """One step, its facts to the journal, its alarms to the bell."""
        self.lines[coin], effects = step(self.lines[coin], event, self.terms)
        for effect in effects:
            if isinstance(effect, Journal):
                self.facts[coin].append(effect.fact)
            elif isinstance(effect, Alarm):
                self.alarms[effect.code] += 1
                self.alarmed.update(effect.intent.split(":"))
            elif isinstance(effect, RaiseLateBound):
                late_ns = max(effect.late_ns, self.terms.late_bound_ns)
                self.terms = terms_of(self.card, CYCLE, late_ns)
            elif isinstance(effect, Drop):
                self.alarms[f"dropped {effect.code}"] += 1
        for flight in self.lines[coin].flights:
            if flight.stage == "UNKNOWN" and event.at_ns - flight.sent_ns > CYCLE and flight.intent not in self.alarmed:
                self.unresolved.add(flight.intent)
        return effects

    def restart(self) -> None:
        """Die, and begin anew from the journal."""
        self.life += 1
        self.venue.fired["restart"] += 1
        now_ns = self.clock.now_ns()
        for coin in self.coins:
            rebuilt = pruned(fold(coin, self.facts[coin]), now_ns, self.terms)
            self.unfolded += rebuilt != pruned(self.lines[coin], now_ns, self.terms).durable()
            self.lines[coin] = rebuilt
            self.tell(coin, events.Restarted(now_ns))

    def later(self, at_ns: int, do) -> None:
        """Have the venue do something by itself."""

        async def wait() -> None:
            await self.clock.sleep_until(at_ns)
            do()

        task = asyncio.get_running_loop().create_task(wait())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def look_at_the_box(self, coin: str) -> None:
        """The truth must lie in what is reserved, at every moment."""
        low, high = ends(self.lines[coin], self.terms)
        self.outside += not low <= self.truth.lots[coin] <= high

    def outcome(self, stuck: int) -> Outcome:
        """Compare what we believe with what happened."""
        booked = Counter(f.fill.fill_id for facts in self.facts.values() for f in facts if isinstance(f, Booked))
        foreign = sum(f.row == 14 for facts in self.facts.values() for f in facts if isinstance(f, Booked))
        truth = Counter(fill.fill_id for _, fill, _ in self.truth.fills)
        wrong = sum(self.lines[coin].booked != self.truth.lots.get(coin, 0) for coin in self.coins)
        ended = Counter(f.how for facts in self.facts.values() for f in facts if isinstance(f, Ended))
        doubled = set(self.truth.doubled)
        late = {f.intent for facts in self.facts.values() for f in facts if isinstance(f, Booked) and f.row in (13, 14)}
        return Outcome(
            orders=self.sent,
            alarms=self.alarms,
            fired=self.venue.fired,
            ended=ended,
            doubled=len(doubled),
            quiet=len(doubled - late - self.alarmed) if doubled else 0,
            untracked=wrong + sum((booked - truth).values()) + sum((truth - booked).values()),
            foreign=foreign,
            unresolved=len(self.unresolved),
            stuck=stuck,
            resent=sum(n > 1 for n in self.truth.arrivals.values()),
            outside=self.outside,
            unfolded=self.unfolded,
        )


def naive(orders: int, seed: int, ids: bool, policy: str) -> Outcome:
    """What most do: the position is what the venue shows; a time-out is sent again, or is read once and sent again."""

    async def main(clock):
        driver = Naive(clock, seed, ids, policy)
        return await driver.trade(orders)

    return run(main)


class Naive(Driver):
    """Mutants of the driver: 'retry' sends up to three times; 'read-once' reads the position once, then sends again."""

    def __init__(self, clock, seed: int, ids: bool, policy: str) -> None:
        super().__init__(clock, seed, ids, None, 0.0)
        self.policy = policy
        self.truth.told = lambda coin: None
        self.shown: dict[str, int] = {}

    async def cycle(self, cycle: int) -> None:
        """Read, send the difference to what the venue shows."""
        try:
            self.shown = dict((await self.venue.reading()).lots)
        except VenueError:
            return
        end_ns = START_NS + (cycle + 1) * CYCLE
        targets = {coin: self.random.randint(-20, 20) for coin in self.coins if self.random.random() < 0.9}
        await asyncio.gather(*(self.send(coin, target, end_ns) for coin, target in targets.items()))

    async def send(self, coin: str, target: int, end_ns: int) -> None:
        """Send, and send again."""
        before = self.shown.get(coin, 0)
        self.truth.wish(coin, target)
        if target == before:
            return
        self.sent += 1
        for attempt in range(4 if self.policy == "retry" else 2):
            if attempt and self.policy == "read-once":
                await self.clock.sleep(5 * S)
                try:
                    if (await self.venue.reading()).lots.get(coin, 0) != before:
                        return
                except VenueError:
                    return
            intent = f"{self.random.getrandbits(128):032x}"
            order = Order(intent, coin, target - before, PRICE, PRICE, False, False, end_ns)
            self.truth.sent_for(order)
            if (await self.venue.send(order)).outcome != "unknown":
                return


def main(orders: int = 10_000, seed: int = 1, ids: str = "no-ids", policy: str = "table", late: int = 0) -> None:
    """Run one campaign and print what it came to."""
    if policy == "table":
        faults = Faults(late_ns=late * S) if late else None
        found = campaign(orders, seed, ids == "ids", faults)
    else:
        found = naive(orders, seed, ids == "ids", policy)
    shown(found)


def shown(found: Outcome) -> None:
    """Print what a campaign came to."""
    for name, value in zip(found._fields, found, strict=True):
        print(f"{name:12} {dict(sorted(value.items())) if isinstance(value, Counter) else value}")  # noqa: T201


if __name__ == "__main__":
    given = sys.argv[1:]
    main(*(int(word) if word.isdigit() else word for word in given))
