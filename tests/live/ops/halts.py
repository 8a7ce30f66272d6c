"""A halt at a random moment, in virtual time: a gateway that trades, a venue that lies, and the watchdog alone.

The oracle knows the exchange's truth: which order arrived when and what it did, and whether the account was flat when
somebody said so.
"""

import asyncio
import contextlib
import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from podshop.live import flatten, intents, latch
from podshop.live.heartbeat import Heart, Now
from podshop.live.intents import FlightFile, Flying, flight_of
from podshop.live.latch import FLATTEN, HALTED_STATE, Latch
from podshop.live.watchdog import Watchdog
from podshop.nouns import Funding, Market
from podshop.nouns.symbols import BASES, instrument
from podshop.nouns.venue import SECOND_NS, Card, Order
from podshop.venues.exchange.evil import Evil
from podshop.venues.exchange.memory import WITH_IDS, WITHOUT_IDS, MemoryVenue
from podshop.venues.exchange.placed import Terms
from podshop.venues.exchange.tape import Liquid
from podshop.venues.exchange.truth import Exchange
from podshop.venues.exchange.twin import Twin
from tests.live import virtual

MINUTE_NS = 60 * SECOND_NS
CYCLE_NS = MINUTE_NS
SILENCE = 4  # cycles for which the gateway may say nothing
CLOSES_NS = 100_000_000  # after the latch is on the disk nothing of the gateway's may set out later than this
NAMES = BASES[:25]
COINS = len(NAMES)
ROWS = 400
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
TROUBLE = {
    "busy": 0.15, "lost_before": 0.1, "lost_after": 0.2, "late": 0.05, "refused_after_fill": 0.03, "unrounded": 0.1,
    "partial_close": 0.1, "html": 0.03, "reset": 0.03, "read_timeout": 0.2, "read_busy": 0.1, "read_garbage": 0.03,
    "empty": 0.15, "database": 0.05, "stale_positions": 0.05, "stale_price": 0.1,
}  # fmt: skip


@dataclass
class Outcome:
    """What one halt came to."""

    seed: int
    held: int = 0  # coins held when it was halted
    flat: bool = False
    false_flat: int = 0
    increases: int = 0  # orders of the gateway after the gate closed, and orders of the flattener that made more of it
    halt_to_flat_ns: int = 0
    halt_to_said_ns: int = 0
    sends: int = 0
    fired: dict[str, int] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


def exchange(rng: random.Random, at_ns: int, most: int | None) -> Exchange:
    """Twenty-five coins on a bumpy road, thin enough that a close may need several bars, in some seeds."""
    steps = np.random.default_rng(rng.randrange(1 << 30)).normal(0, 0.004, (ROWS, COINS))
    coins = tuple(map(instrument, NAMES))
    cents = np.array([0.01 / coin.lot_size for coin in coins])  # a lot is worth a cent
    close = cents * np.exp(np.cumsum(steps, axis=0))
    opened = np.vstack([close[:1], close[:-1]])
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    columns = {"open": opened, "high": high, "low": low, "close": close, "volume": np.full_like(close, 1e6)}
    bar_ns = MINUTE_NS
    start_ns = at_ns - at_ns % bar_ns
    time = start_ns + np.arange(ROWS) * bar_ns
    market = Market(NAMES, bar_ns, time, {name: np.asfortranarray(values) for name, values in columns.items()})
    none = np.zeros(0, np.int64)
    funding = Funding(none, none, np.zeros(0), none, ("ASSUMED",), {})
    most = most or rng.choice([10**9, 10**9, 40_000])
    whole = np.full((1, COINS), most, np.int64)
    liquid = Liquid(0, np.zeros(ROWS, np.int64), np.full((1, COINS), 1e12), np.full((1, COINS), 0.02), whole, whole)
    leverage = dict.fromkeys(NAMES, 40)
    return Exchange(market, funding, coins, Terms(max_leverage=leverage), int(time[0]), 10**12, liquid)


@dataclass
class Gateway:
    """A gateway as far as a halt meets one: it opens positions, and looks at the latch before each order."""

    venue: MemoryVenue
    clock: virtual.VirtualClock
    state: Path
    rng: random.Random
    sent: list[int] = field(default_factory=list)  # when

    async def trade(self) -> None:
        pen, reader = FlightFile(self.state), Latch(self.state)
        while reader.held().state < HALTED_STATE:
            now_ns = self.clock.now_ns()
            market = self.rng.choice(NAMES)
            price = self.venue.twin.truth.mids(now_ns)[market].price_micro
            lots = round(self.rng.uniform(20e6, 900e6) / price) * self.rng.choice([-1, 1])
            late_ns = self.venue.card.late_bound_ns
            pen.write(flight_of(now_ns, now_ns + SECOND_NS, late_ns, [Flying("a" * 32, market, lots, now_ns)]))
            limit = price + price // 100 * (1 if lots > 0 else -1)
            intent = f"{self.rng.getrandbits(120):032x}"
            self.sent.append(now_ns)
            await self.venue.send(Order(intent, market, lots, limit, price, False, False, now_ns + MINUTE_NS))
            await self.clock.sleep(int(self.rng.expovariate(1 / (2 * SECOND_NS))))


def halt(
    seed: int,
    *,
    kind: str | None = None,
    card: Card | None = None,
    faults: dict[str, float] | None = None,
    most: int | None = None,
    longest_ns: int = 5 * 3600 * SECOND_NS,
) -> Outcome:
    """Trade, halt, flatten; what came of it.

    kind  operator: the latch is raised while the gateway trades; silent: the gateway dies and is found to be silent
    most  lots that a bar bears of each coin
    """
    rng = random.Random(seed)
    kind = kind or rng.choice(["operator", "silent"])
    card = card or rng.choice([WITH_IDS, WITHOUT_IDS])
    chosen = TROUBLE if faults is None else faults
    switched = {name: chance for name, chance in chosen.items() if faults is not None or rng.random() < 0.8}
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        state = Path(folder)
        latch.create(state)
        intents.create(state)
        return virtual.run(lambda clock: _halt(clock, state, seed, rng, kind, card, switched, most, longest_ns))


async def _halt(clock, state, seed, rng, kind, card, faults, most, longest_ns) -> Outcome:
    evil = Evil(seed, {})
    twin = Twin(exchange(rng, clock.now_ns(), most), evil)
    travel_ns = 50_000_000
    gateway = Gateway(MemoryVenue(twin, clock, card, travel_ns=travel_ns), clock, state, rng)
    now = lambda: Now(clock.now_ns(), clock.now_ns(), b"0" * 16)  # noqa: E731
    heart = Heart(state, "gateway", now)
    heart.beat(clock.now_ns())
    trading = asyncio.create_task(gateway.trade())
    outcome = Outcome(seed)
    evil.switch(faults)
    done = asyncio.Event()
    at: dict[str, int] = {}

    def heard(said: flatten.Said) -> None:
        outcome.words.append(said.word)
        held = any(twin.truth.lots.values())
        if said.word in ("flat now", "FLAT"):
            outcome.false_flat += held and said.word == "FLAT"
            at.setdefault(said.word, clock.now_ns())
        if said.word == "FLAT":
            done.set()

    venue = MemoryVenue(twin, clock, card, travel_ns=travel_ns)
    watching = asyncio.create_task(Watchdog(state, venue, clock, CYCLE_NS, SILENCE, 1.0, now, heard).run())
    await clock.sleep(rng.randrange(1, 120) * SECOND_NS)
    closes_ns = clock.now_ns()
    if kind == "operator":
        Latch(state, "operator").raise_to(FLATTEN, clock.now_ns(), "now")
    else:
        trading.cancel()  # the gateway dies, whatever it was doing
    outcome.held = sum(map(bool, twin.truth.lots.values()))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(longest_ns / SECOND_NS):
            await done.wait()
        outcome.flat = True
    outcome.halt_to_said_ns = at.get("FLAT", 0) - closes_ns
    await clock.sleep(10 * MINUTE_NS)  # what was on its way has arrived
    twin.advance(clock.now_ns())
    outcome.false_flat += outcome.flat and any(twin.truth.lots.values())
    watching.cancel()
    trading.cancel()
    await asyncio.gather(watching, trading, return_exceptions=True)
    outcome.increases += sum(sent_ns > closes_ns + CLOSES_NS for sent_ns in gateway.sent)
    for order in twin.truth.orders.values():
        after = order.before + order.filled
        if order.tag.startswith(flatten.PREFIX):
            outcome.sends += 1
            outcome.increases += abs(after) > abs(order.before) or after * order.before < 0
    last_ns = max((order.changed_ns for order in twin.truth.orders.values() if order.filled), default=closes_ns)
    outcome.halt_to_flat_ns = last_ns - closes_ns
    outcome.fired = {name: count for name, count in evil.fired.items() if count}
    return outcome
