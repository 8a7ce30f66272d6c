"""A whole fund in virtual time: the real brain, gateway, journal, latch and watchdog, and a venue that lies.

    run = Sim(plan_of(7, cycles=36), folder).run()
    run.wrong      what was seen that must never be; empty is what is wanted
    run.fired      how often each kind of trouble happened
    run.sha256     hash of the last row of the journal, so of every row

First a safety phase, in which anything may happen and nothing may ever be wrong, then a liveness phase: all trouble is
over, and within Q and one clean cycle all must be known and exact. Source: TigerBeetle's VOPR has both phases.
"""

import asyncio
import contextlib
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from podshop.journal.keeper import Keeper
from podshop.live import flatten, intents, latch
from podshop.live.gateway.core import Gateway
from podshop.live.heartbeat import Heart, Now
from podshop.live.intents import FlightFile
from podshop.live.latch import FLATTEN, Latch
from podshop.live.watchdog import Watchdog
from podshop.nouns import SECOND_NS
from podshop.venues.exchange.evil import Evil
from podshop.venues.exchange.placed import Terms as ExchangeTerms
from podshop.venues.exchange.tape import Liquid
from podshop.venues.exchange.truth import Exchange
from tests.live import virtual
from tests.live.gateway.crash import Crash, Fuse, FusedVenue, fused_keeper
from tests.live.sim.fund import Brain, History, history_of, small_fund, terms_of
from tests.live.sim.oracle import Oracle
from tests.live.sim.person import Person
from tests.live.sim.plan import Plan
from tests.live.sim.trouble import Trouble
from tests.live.sim.venue import SimVenue, WatchedTwin, card_of

SPARE = 60  # rows of history beyond the cycles, for the liveness phase
LOOKS = 10  # of the watchdog in a cycle, where the real one looks each second
DOWN_NS = tuple(s * SECOND_NS for s in (3, 20, 90, 400, 1500, 5400))  # for so long a dead gateway stays down
MOST_WRONG = 20  # then a run ends
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


class SlowWatchdog(Watchdog):
    """A watchdog that looks less often while nothing is to be flattened: a day has 86,400 seconds."""

    async def _pause(self, ns: int) -> None:
        calm = Latch(self.state).held().state < FLATTEN
        await self.clock.sleep_until(self.clock.now_ns() + (max(ns, self.cycle_ns // LOOKS) if calm else ns))


class Sim:
    """One fund, one plan.

    fund, history  None = the small fund on made-up bars
    gateway        another class for a mutant
    """

    def __init__(
        self, plan: Plan, folder: Path, *, fund: Any = None, history: History | None = None,
        gateway: Callable[..., Gateway] = Gateway, keeper: Callable[[Fuse], Any] = fused_keeper,
        venue: Callable[..., Any] = SimVenue, most: int = 100_000,
    ) -> None:  # fmt: skip
        self.plan, self.folder = plan, folder
        self.history = history or history_of(plan.markets, plan.cycles + SPARE)
        self.names = self.history.market.names
        self.fund = fund or small_fund(self.names, self.history.market.interval_ns)
        self.terms = terms_of(self.fund)
        self.interval_ns = self.terms.interval_ns
        self.draw = random.Random(f"life {plan.seed}")
        self.make_gateway, self.make_venue = gateway, venue
        self.fuse = Fuse()
        self.make_keeper = keeper(self.fuse)
        rows, markets = len(self.history.market), len(self.names)
        whole = np.full((1, markets), most, np.int64)
        liquid = Liquid(
            0, np.zeros(rows, np.int64), np.full((1, markets), 1e7), np.full((1, markets), 0.02), whole, whole
        )
        self.truth = Exchange(
            self.history.market, self.history.funding, self.fund.instruments,
            ExchangeTerms(max_leverage=dict.fromkeys(self.names, 50)), self.history.start_ns,
            self.terms.capital_micro, liquid,
        )  # fmt: skip
        self.evil = Evil(plan.seed, {}, late_ns=plan.late_ns)
        self.oracle = Oracle(self)
        self.twin = WatchedTwin(self.truth, self.evil, self.oracle.arrived)
        self.first = self.history.start_ns // self.interval_ns
        self.trouble, self.person = Trouble(self), Person(self)
        self.card = card_of(plan.card, self.trouble.windows)
        self.brain = Brain(self.fund, self.history)
        self.fired: Counter[str] = Counter()
        self.keeper: Keeper | None = None
        self.gateway: Gateway | None = None
        self.alive = True  # of the watchdog
        self.said: list[flatten.Said] = []
        self.sha256, self.rows, self.cycles, self.sent, self.bytes = "", 0, 0, 0, 0
        self._rise_ns = 0

    @property
    def wrong(self) -> list[str]:
        """What must never be, in the order in which it was seen."""
        return self.oracle.wrong

    def run(self) -> "Sim":
        """Both phases."""
        latch.create(self.folder)
        intents.create(self.folder)
        tokens, flatten.token_hex = (flatten.token_hex, lambda n: f"{self.draw.getrandbits(8 * n):0{2 * n}x}")
        try:
            virtual.run(self._main, at_ns=self.history.start_ns)
        finally:
            flatten.token_hex = tokens
            self.die()
        self.bytes = (self.folder / "journal.db").stat().st_size
        for name, count in self.evil.fired.items():
            if count:
                self.fired[name] += count
        return self

    # ---------------------------------------------------------------- phases

    async def _main(self, clock: virtual.VirtualClock) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, about: None)  # tasks of dead processes
        self.clock, self.ours = clock, virtual.VirtualClock(self.history.start_ns)
        self.heart = Heart(self.folder, "gateway", self._now)
        watching = asyncio.create_task(self._watch())
        beating = asyncio.create_task(self._beat())
        try:
            await self._rise()
            for k in range(self.plan.cycles):
                if k == 2:
                    self.evil.switch(self.plan.faults)
                await self._turn(k)
            await self._calm()
            if self.gateway is not None and self.keeper is not None:
                self.sha256, self.rows = (self.keeper.head.hash.hex(), self.keeper.head.seq)
        finally:
            watching.cancel()
            beating.cancel()
            await asyncio.gather(watching, beating, return_exceptions=True)

    async def _turn(self, k: int) -> None:
        """One cycle of the safety phase, with what the plan has for it."""
        cycle = self.first + 1 + k
        if self.clock.now_ns() >= (cycle + 1) * self.interval_ns:
            return  # the one before took so long: cycles are skipped, never bunched
        await self.clock.sleep_until(cycle * self.interval_ns)
        self.trouble.befall(k)
        end_ns = (cycle + 1) * self.interval_ns
        while self.gateway is None and self._rise_ns < end_ns:
            await self.clock.sleep_until(self._rise_ns)
            await self._rise()
        if self.gateway is not None:
            await self._cycle(cycle, silent=cycle < self.trouble.silent_until, k=k)
        self.oracle.after_cycle(cycle)
        with self._mortal():
            await self.person.look(k)

    async def _calm(self) -> None:
        """All trouble is over; after Q and one clean cycle all must be known."""
        self.trouble.calm()
        if self.gateway is None:
            await self.clock.sleep_until(self._rise_ns)
            await self._rise()
        assert self.gateway is not None
        cycle = max(self.clock.now_ns() // self.interval_ns, self.gateway.memory.opened) + 1
        calm_ns, calm_from = self.clock.now_ns(), cycle
        while True:
            await self.person.resume_all()
            await self._cycle(cycle, silent=False, k=None)
            self.oracle.after_cycle(cycle)
            quarantine_ns = self.gateway.desk.order_terms.quarantine_ns
            if cycle * self.interval_ns >= calm_ns + quarantine_ns + self.interval_ns or cycle - calm_from > SPARE - 4:
                break
            cycle += 1
        self.oracle.at_rest(cycle - calm_from)

    # ---------------------------------------------------------------- processes

    async def _rise(self) -> None:
        """A gateway process begins."""
        self.fuse.arm(None)
        path = self.folder / "journal.db"
        venue = self.make_venue(self.twin, self.clock, self.ours, self.card, self.plan.travel_ns, self.oracle.leaving)
        self.keeper = self.make_keeper(path, create=not path.exists())
        self.gateway = self.make_gateway(
            self.terms, FusedVenue(venue, self.fuse), self.keeper, self.ours, Latch(self.folder, "gateway"),
            flight_file=FlightFile(self.folder).write, watchdog_silent=lambda: not self.alive,
        )  # fmt: skip
        self.gateway.latch.repair(self.ours.now_ns())  # type: ignore[attr-defined]
        await self.gateway.begin()
        self.oracle.risen()

    def die(self) -> None:
        """The gateway's process is gone."""
        if self.gateway is not None:
            self.gateway.stop()
        if self.keeper is not None:
            self.keeper._journal.close()
        self.gateway = self.keeper = None

    async def _cycle(self, cycle: int, *, silent: bool, k: int | None) -> None:
        """Open, ask the brain, trade, tend; the process may die in it."""
        assert self.gateway is not None
        with self._mortal():
            await self.ours.sleep_until(cycle * self.interval_ns)
            opened = await self.gateway.open_cycle(cycle)
            if not silent:
                targets = self.brain.decide(opened)
                if k is not None and k in self.plan.when.get("brain lies", ()):
                    self.fired["brain lies"] += 1
                    targets = self.trouble.lie(opened, targets)
                report = await self.gateway.trade(targets)
                self.sent += len(report.intents)
                if not report.refused:
                    self.oracle.followed(targets)
            await self.gateway.tend((cycle + 1) * self.interval_ns - SECOND_NS)
            self.cycles += 1

    @contextlib.contextmanager
    def _mortal(self) -> Iterator[None]:
        """The gateway's process may die here, and only by our hand: what it raises itself is wrong."""
        try:
            yield
        except Crash:
            self.fired["gateway dies"] += 1
            self.die()
            self._rise_ns = self.clock.now_ns() + self.draw.choice(DOWN_NS)
        except Exception as e:
            self.oracle.blame(f"the gateway raised {type(e).__name__}: {e}")
            self.die()
            self._rise_ns = self.clock.now_ns() + 3 * SECOND_NS
            if len(self.wrong) > MOST_WRONG:
                raise

    async def _watch(self) -> None:
        """The watchdog's process: it is stopped and begun anew, and knows no other process."""
        task: asyncio.Task[None] | None = None
        try:
            while True:
                if self.alive and (task is None or task.done()):
                    venue = self.make_venue(
                        self.twin, self.clock, self.clock, self.card, self.plan.travel_ns, lambda order: None
                    )
                    dog = SlowWatchdog(
                        self.folder,
                        venue,
                        self.clock,
                        self.interval_ns,
                        12,
                        1.0,
                        self._now,
                        self.said.append,
                        self.trouble.disk,
                    )
                    task = asyncio.create_task(dog.run())
                elif not self.alive and task is not None:
                    task.cancel()
                    task = None
                await self.clock.sleep(self.interval_ns // 5)
        finally:
            if task is not None:
                task.cancel()

    async def _beat(self) -> None:
        """The gateway's sign of life."""
        while True:
            if self.gateway is not None:
                self.heart.beat(self.clock.now_ns(), self.gateway.cycle)
            await self.clock.sleep(self.interval_ns // LOOKS)

    def _now(self) -> Now:
        return Now(self.clock.now_ns(), self.clock.now_ns(), b"0" * 16)


def simulate(plan: Plan, **changes: Any) -> Sim:
    """One seed, in a folder that lives in memory where there is one: a day syncs ten thousand times."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        return Sim(plan, Path(folder), **changes).run()
