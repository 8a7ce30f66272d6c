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

import msgspec
import numpy as np

from podshop.journal.keeper import Keeper
from podshop.live import flatten, guards, intents, latch
from podshop.live.config import Thresholds
from podshop.live.control import Request, Resolve, Resume
from podshop.live.gateway.core import Gateway
from podshop.live.gateway.operator import Operator
from podshop.live.guards import Notice
from podshop.live.heartbeat import Heart, Now
from podshop.live.intents import FlightFile
from podshop.live.latch import FLATTEN, HALTED_STATE, RUNNING, Latch
from podshop.live.messages import Opened, Targets
from podshop.live.watchdog import Watchdog
from podshop.nouns import DAY_NS, MINUTE_NS, SECOND_NS
from podshop.venues.exchange.evil import Evil
from podshop.venues.exchange.placed import Terms as ExchangeTerms
from podshop.venues.exchange.tape import Liquid
from podshop.venues.exchange.truth import Exchange
from tests.live import virtual
from tests.live.gateway.crash import Crash, Fuse, FusedVenue, fused_keeper
from tests.live.sim.fund import Brain, History, history_of, small_fund, terms_of
from tests.live.sim.oracle import Oracle
from tests.live.sim.plan import Plan
from tests.live.sim.venue import SimVenue, WatchedTwin, card_of

SPARE = 60  # rows of history beyond the cycles, for the liveness phase
RELISTED = {"listing", "instrument", "delisted"}
LOOKS = 10  # of the watchdog in a cycle, where the real one looks each second
DOWN_NS = tuple(s * SECOND_NS for s in (3, 20, 90, 400, 1500, 5400))  # for so long a dead gateway stays down
MOST_WRONG = 20  # then a run ends
SILENT_CYCLES = (1, 2, 4, 14)
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
WEEK_MINUTES, EPOCH_MINUTES = 7 * 24 * 60, 3 * 24 * 60


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
        self._listed = {each.market: each for each in self.truth.listed()}
        self.evil = Evil(plan.seed, {}, late_ns=plan.late_ns)
        self.oracle = Oracle(self)
        self.twin = WatchedTwin(self.truth, self.evil, self.oracle.arrived)
        self.first = self.history.start_ns // self.interval_ns
        self.card = card_of(plan.card, self._windows())
        self.brain = Brain(self.fund, self.history)
        self.fired: Counter[str] = Counter()
        self.keeper: Keeper | None = None
        self.gateway: Gateway | None = None
        self.alive = True  # of the watchdog
        self.said: list[flatten.Said] = []
        self.sha256, self.rows, self.cycles, self.sent, self.bytes = "", 0, 0, 0, 0
        self._rise_ns = self._disk_until_ns = 0
        self._silent_until = -1
        self._watchdog_until = -1
        self._resume_at: int | None = None
        self._old: list[Targets] = []

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
        self._befall(k)
        end_ns = (cycle + 1) * self.interval_ns
        while self.gateway is None and self._rise_ns < end_ns:
            await self.clock.sleep_until(self._rise_ns)
            await self._rise()
        if self.gateway is not None:
            await self._cycle(cycle, silent=cycle < self._silent_until, k=k)
        self.oracle.after_cycle(cycle)
        with self._mortal():
            await self._operate(k)

    async def _calm(self) -> None:
        """All trouble is over; after Q and one clean cycle all must be known."""
        self.evil.switch(dict.fromkeys(self.evil.faults, 0.0))
        self.evil.outages.clear()
        self.ours.skew_ns = 0
        self.alive, self._watchdog_until, self._silent_until = True, -1, -1
        self.truth.listing.clear()
        self.fuse.arm(None)
        if self.gateway is None:
            await self.clock.sleep_until(self._rise_ns)
            await self._rise()
        assert self.gateway is not None
        cycle = max(self.clock.now_ns() // self.interval_ns, self.gateway.memory.opened) + 1
        calm_ns, calm_from = self.clock.now_ns(), cycle
        while True:
            await self._resume_all()
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
                    targets = self._lie(opened, targets)
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
                        self._disk,
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
                self.heart.beat(self.clock.now_ns())
            await self.clock.sleep(self.interval_ns // LOOKS)

    def _now(self) -> Now:
        return Now(self.clock.now_ns(), self.clock.now_ns(), b"0" * 16)

    # ---------------------------------------------------------------- trouble

    def _befall(self, k: int) -> None:
        """What the plan has for this cycle."""
        draw, now_ns, cycle = self.draw, self.clock.now_ns(), self.first + 1 + k
        if self._watchdog_until >= 0 and cycle >= self._watchdog_until:
            self.alive, self._watchdog_until = True, -1
        hit = {kind for kind, cycles in self.plan.when.items() if k in cycles}
        if "gateway dies" in hit and self.gateway is not None:
            self.fuse.arm(draw.randrange(1, 80), after=draw.random() < 0.5)
        elif not self.fuse.burnt:
            self.fuse.arm(None)
        if "brain dies" in hit:
            self.fired["brain dies"] += 1
            self.brain.die()
        if "brain silent" in hit:
            self.fired["brain silent"] += 1
            self._silent_until = max(self._silent_until, cycle + draw.choice(SILENT_CYCLES))
        if "down" in hit:
            since_ns = now_ns + draw.randrange(self.interval_ns)
            self.evil.outages.append((since_ns, since_ns + draw.choice([1, 4, 20, 60]) * MINUTE_NS))
        if "down a day" in hit:
            self.fired["down a day"] += 1
            self.evil.outages.append((now_ns, now_ns + DAY_NS))
        if "our clock" in hit:
            self.fired["our clock"] += 1
            self.ours.skew_ns = draw.choice([0, 300, -400, 900, -900, 3000, -3000]) * 1_000_000
        if "foreign trade" in hit:
            self.fired["foreign trade"] += 1
            self.truth.foreign(now_ns, draw.choice(self.names), draw.choice([-3, -1, 1, 2, 5]))
        if "liquidation" in hit:
            held = [name for name, lots in self.truth.lots.items() if abs(lots) > 1]
            if held:
                self.fired["liquidation"] += 1
                name = draw.choice(held)
                kind = draw.choice(["liquidation", "adl"])
                self.truth.foreign(now_ns, name, -(self.truth.lots[name] // draw.choice([1, 2])), kind)
        self.oracle.moved(now_ns)
        if "halt" in hit or "flatten" in hit:
            kind = "flatten" if "flatten" in hit else "halt"
            self.fired[kind] += 1
            Latch(self.folder, "operator").raise_to(FLATTEN if kind == "flatten" else HALTED_STATE, now_ns, kind)
        if "watchdog silent" in hit:
            self.fired["watchdog silent"] += 1
            self.alive, self._watchdog_until = False, cycle + draw.choice([1, 3, 6])
        for kind in sorted(hit & RELISTED):
            self._relist(draw.choice(self.names), kind)
        if "disk low" in hit:
            self.fired["disk low"] += 1
            self._disk_until_ns = now_ns + draw.choice([1, 3]) * self.interval_ns
        if any(now_ns <= since_ns < now_ns + self.interval_ns for since_ns, _ in self._maintained):
            self.fired["maintenance"] += 1

    def _relist(self, name: str, kind: str) -> None:
        """The venue lists a market anew: another leverage, another lot for a while, or none at all."""
        self.fired[kind] += 1
        listed = self._listed[name]
        changed: dict[str, Any] = {
            "listing": {"max_leverage": self.draw.choice([3, 5, 10, 25])},
            "instrument": {"lot_size": listed.lot_size * 10},
            "delisted": {"delisted": True},
        }[kind]
        self.truth.listing[name] = listed._replace(**changed)

    def _disk(self) -> Notice:
        """What the watchdog finds of room on the disk."""
        low = self.clock.now_ns() < self._disk_until_ns
        return guards.disk(500_000_000 if low else 50_000_000_000, Thresholds())

    def _windows(self) -> tuple[tuple[int, int], ...]:
        """Maintenance, as the card announces it; the venue is down for just as long."""
        windows, self._maintained = [], []
        for k in sorted(self.plan.when.get("maintenance", ())):
            since_ns = (self.history.start_ns // self.interval_ns + 1 + k) * self.interval_ns
            self._maintained.append((since_ns, since_ns + 10 * MINUTE_NS))
            windows.append(((since_ns // MINUTE_NS + EPOCH_MINUTES) % WEEK_MINUTES, 10))
            self.evil.outages.append(self._maintained[-1])
        return tuple(windows)

    def _lie(self, opened: Opened, said: Targets) -> Targets:
        """A brain gone mad."""
        draw, markets = self.draw, len(said.raw)
        self._old = [*self._old[-5:], said]
        huge = tuple(tuple(draw.choice([-1, 1]) * (1 << draw.randrange(10, 15)) for _ in row) for row in said.raw)
        nan = (float("nan"),) * (markets * markets)
        loose = msgspec.structs.replace(
            said.office, max_weight=(9.0,) * markets, max_gross=99.0, max_order=9.0, max_var=9.0, state=0, tail=0.0
        )
        change = msgspec.structs.replace
        return draw.choice([
            *[change(said, raw=huge, office=loose)] * 4,
            change(said, covariance=nan),
            change(said, covariance=(0.0,) * (markets * markets), office=loose, raw=huge),
            change(said, cycle=said.cycle - draw.randrange(1, 9)),
            change(said, weights=(3.0,) * len(opened.cash_micro)),
            self._old[0],
            change(said, raw=said.raw[:-1]),
        ])  # fmt: skip

    # ---------------------------------------------------------------- the operator

    async def _operate(self, k: int) -> None:
        """Some cycles after something was halted a person looks, and lifts it."""
        if self.gateway is None:
            return
        looks = self.gateway.state() > RUNNING or self.gateway.memory.only or self.oracle.restricted()
        if not (looks or self.oracle.undecided()):
            self._resume_at = None
        elif self._resume_at is None:
            self._resume_at = k + self.draw.choice([2, 4, 9])
        elif k >= self._resume_at:
            self._resume_at = None
            await self._resume_all()

    async def _resume_all(self) -> None:
        """By the operator's own words: what only he can tell, then each market, then the fund."""
        gateway = self.gateway
        assert gateway is not None
        operator = Operator(gateway, Latch(self.folder, "gateway"))
        who: dict[str, str] = {"by": "ann", "reason": "looked at"}
        for market, intent in self.oracle.undecided():
            await self._asks(operator, Resolve(market=market, intent=intent, outcome="never", **who))
            self.fired["resolved by hand"] += 1
        for name in [*gateway.memory.only, *(f"market {name}" for name in self.oracle.restricted())]:
            scope, _, market = name.partition(" ")
            await self._asks(operator, Resume(scope=scope, name=market, **who))  # type: ignore[arg-type]
        held = Latch(self.folder).held()
        if gateway.state() > RUNNING and not (held.state >= FLATTEN and any(self.truth.lots.values())):
            await self._asks(operator, Resume(seen=held.seen, **who))
            self.oracle.lowered()

    async def _asks(self, operator: Operator, request: Request) -> None:
        answer = await operator.answer(request)
        if answer.error:
            self.oracle.blame(f"the operator asked {request}, and was told: {answer.error}")


def simulate(plan: Plan, **changes: Any) -> Sim:
    """One seed, in a folder that lives in memory where there is one: a day syncs ten thousand times."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        return Sim(plan, Path(folder), **changes).run()
