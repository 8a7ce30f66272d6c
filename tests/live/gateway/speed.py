"""How long the gateway's own part of a cycle takes, on a disk that syncs: `python -m tests.live.gateway.speed`."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from podshop.journal.keeper import Keeper
from podshop.orders.facts import Committed
from tests.live import virtual
from tests.live.gateway.world import World


class Measured(NamedTuple):
    """Milliseconds, p50, p99 and worst: of the wall, and of this process alone (other programs do not count).

    wave  commits that hold a wave's intents; each is one transaction, with fsync
    """

    opening: tuple[float, float, float]
    trading: tuple[float, float, float]
    wave: tuple[float, float, float]
    opening_cpu: tuple[float, float, float]
    trading_cpu: tuple[float, float, float]
    wave_cpu: tuple[float, float, float]
    orders: int
    cycles: int


def measure(folder: Path, cycles: int, markets: int = 30, books: int = 50) -> Measured:
    """Cycles of a large fund whose books all change their minds; the exchange's part is in it, and is small."""
    commits: list[tuple[float, float]] = []

    class Timed(Keeper):
        def append(self, facts: Any) -> int:
            began = _now()
            last = super().append(facts)
            if any(isinstance(fact, Committed) for _, fact in facts):
                commits.append(_since(began))
            return last

    world = World(folder, markets=markets, books=books, bars=cycles + 30, keeper=Timed)
    opening, trading = [], []

    async def main(clock: virtual.VirtualClock) -> None:
        gateway = await world.start(clock)
        for k in range(cycles):
            cycle = world.first + 1 + k
            await clock.sleep_until(cycle * world.terms.interval_ns)
            began = _now()
            opened = await gateway.open_cycle(cycle)
            opening.append(_since(began))
            targets = world.random_targets(opened)
            began = _now()
            world.reports.append(await gateway.trade(targets))
            trading.append(_since(began))
            await gateway.tend((cycle + 1) * world.terms.interval_ns)
        world.check_exact()
        world.die()

    virtual.run(main, at_ns=world.start_ns)
    orders = sum(len(report.intents) for report in world.reports)
    warm = slice(3, None)
    found = opening[warm], trading[warm], commits[6:]
    return Measured(*(_of(each, 0) for each in found), *(_of(each, 1) for each in found), orders, cycles)


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> tuple[float, float]:
    return time.perf_counter() - began[0], time.process_time() - began[1]


def _of(seconds: list[tuple[float, float]], which: int) -> tuple[float, float, float]:
    p50, p99, worst = np.percentile(np.array([each[which] for each in seconds]) * 1e3, [50, 99, 100])
    return float(p50), float(p99), float(worst)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as there:
        print(measure(Path(there), int(sys.argv[1]) if len(sys.argv) > 1 else 100))  # noqa: T201
