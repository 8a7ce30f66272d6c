"""What befalls a simulated fund beside its venue's faults: at the account, at its processes, on its disk."""

from typing import TYPE_CHECKING, Any

import msgspec

from podshop.live import guards
from podshop.live.config import Thresholds
from podshop.live.guards import Notice
from podshop.live.latch import FLATTEN, HALTED_STATE, Latch
from podshop.live.messages import Opened, Targets
from podshop.nouns import DAY_NS, MINUTE_NS

if TYPE_CHECKING:
    from tests.live.sim.world import Sim

RELISTED = {"listing", "instrument", "delisted"}
SILENT_CYCLES = (1, 2, 4, 14)
WEEK_MINUTES, EPOCH_MINUTES = 7 * 24 * 60, 3 * 24 * 60


class Trouble:
    """A seed's trouble.

    silent_until  cycle before which the brain says nothing; windows of maintenance, as a card announces them
    """

    def __init__(self, sim: "Sim") -> None:
        self._sim = sim
        self.silent_until = self._watchdog_until = -1
        self._disk_until_ns = 0
        self._old: list[Targets] = []
        self._listed = {each.market: each for each in sim.truth.listed()}
        self._maintained: list[tuple[int, int]] = []
        self.windows = self._windows()

    def befall(self, k: int) -> None:
        """What the plan has for this cycle."""
        sim = self._sim
        draw, now_ns, cycle = sim.draw, sim.clock.now_ns(), sim.first + 1 + k
        if self._watchdog_until >= 0 and cycle >= self._watchdog_until:
            sim.alive, self._watchdog_until = True, -1
        hit = {kind for kind, cycles in sim.plan.when.items() if k in cycles}
        if "gateway dies" in hit and sim.gateway is not None:
            sim.fuse.arm(draw.randrange(1, 80), after=draw.random() < 0.5)
        elif not sim.fuse.burnt:
            sim.fuse.arm(None)
        if "brain dies" in hit:
            sim.fired["brain dies"] += 1
            sim.brain.die()
        if "brain silent" in hit:
            sim.fired["brain silent"] += 1
            self.silent_until = max(self.silent_until, cycle + draw.choice(SILENT_CYCLES))
        if "down" in hit:
            since_ns = now_ns + draw.randrange(sim.interval_ns)
            sim.evil.outages.append((since_ns, since_ns + draw.choice([1, 4, 20, 60]) * MINUTE_NS))
        if "down a day" in hit:
            sim.fired["down a day"] += 1
            sim.evil.outages.append((now_ns, now_ns + DAY_NS))
        if "our clock" in hit:
            sim.fired["our clock"] += 1
            sim.ours.skew_ns = draw.choice([0, 300, -400, 900, -900, 3000, -3000]) * 1_000_000
        if "foreign trade" in hit:
            sim.fired["foreign trade"] += 1
            sim.truth.foreign(now_ns, draw.choice(sim.names), draw.choice([-3, -1, 1, 2, 5]))
        if "liquidation" in hit:
            held = [name for name, lots in sim.truth.lots.items() if abs(lots) > 1]
            if held:
                sim.fired["liquidation"] += 1
                name = draw.choice(held)
                kind = draw.choice(["liquidation", "adl"])
                sim.truth.foreign(now_ns, name, -(sim.truth.lots[name] // draw.choice([1, 2])), kind)
        sim.oracle.moved(now_ns)
        if "halt" in hit or "flatten" in hit:
            kind = "flatten" if "flatten" in hit else "halt"
            sim.fired[kind] += 1
            Latch(sim.folder, "operator").raise_to(FLATTEN if kind == "flatten" else HALTED_STATE, now_ns, kind)
        if "watchdog silent" in hit:
            sim.fired["watchdog silent"] += 1
            sim.alive, self._watchdog_until = False, cycle + draw.choice([1, 3, 6])
        for kind in sorted(hit & RELISTED):
            self._relist(draw.choice(sim.names), kind)
        if "disk low" in hit:
            sim.fired["disk low"] += 1
            self._disk_until_ns = now_ns + draw.choice([1, 3]) * sim.interval_ns
        if any(now_ns <= since_ns < now_ns + sim.interval_ns for since_ns, _ in self._maintained):
            sim.fired["maintenance"] += 1

    def _relist(self, name: str, kind: str) -> None:
        """The venue lists a market anew: another leverage, another lot for a while, or none at all."""
        sim = self._sim
        sim.fired[kind] += 1
        listed = self._listed[name]
        changed: dict[str, Any] = {
            "listing": {"max_leverage": sim.draw.choice([3, 5, 10, 25])},
            "instrument": {"lot_size": listed.lot_size * 10},
            "delisted": {"delisted": True},
        }[kind]
        sim.truth.listing[name] = listed._replace(**changed)

    def disk(self) -> Notice:
        """What the watchdog finds of room on the disk."""
        low = self._sim.clock.now_ns() < self._disk_until_ns
        return guards.disk(500_000_000 if low else 50_000_000_000, Thresholds())

    def _windows(self) -> tuple[tuple[int, int], ...]:
        """Maintenance, as the card announces it; the venue is down for just as long."""
        sim = self._sim
        windows, self._maintained = [], []
        for k in sorted(sim.plan.when.get("maintenance", ())):
            since_ns = (sim.history.start_ns // sim.interval_ns + 1 + k) * sim.interval_ns
            self._maintained.append((since_ns, since_ns + 10 * MINUTE_NS))
            windows.append(((since_ns // MINUTE_NS + EPOCH_MINUTES) % WEEK_MINUTES, 10))
            sim.evil.outages.append(self._maintained[-1])
        return tuple(windows)

    def lie(self, opened: Opened, said: Targets) -> Targets:
        """A brain gone mad."""
        draw, markets = self._sim.draw, len(said.raw)
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

    def calm(self) -> None:
        """All trouble is over."""
        sim = self._sim
        sim.evil.switch(dict.fromkeys(sim.evil.faults, 0.0))
        sim.evil.outages.clear()
        sim.ours.skew_ns = 0
        sim.alive, self._watchdog_until, self.silent_until = True, -1, -1
        sim.truth.listing.clear()
        sim.fuse.arm(None)
