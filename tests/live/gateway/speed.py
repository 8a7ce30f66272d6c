"""How long the gateway's own part of a cycle takes, on a disk that syncs: `python -m tests.live.gateway.speed`."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from podshop.journal.keeper import Keeper
from tests.live import virtual
from tests.live.gateway.world import World


class Measured(NamedTuple):
    """Milliseconds: p50, p99 and worst of opening, of trading, of one commit; orders and cycles."""

    opening: tuple[float, float, float]
    trading: tuple[float, float, float]
    commit: tuple[float, float, float]
    orders: int
    cycles: int


def measure(folder: Path, cycles: int, markets: int = 30, books: int = 50) -> Measured:
    """Cycles of a large fund whose books all change their minds; the exchange's part is in it, and is small."""
    commits: list[float] = []

    class Timed(Keeper):
        def append(self, facts: Any) -> int:
            began = time.perf_counter()
            last = super().append(facts)
            commits.append(time.perf_counter() - began)
            return last

    world = World(folder, markets=markets, books=books, bars=cycles + 30, keeper=Timed)
    opening, trading = [], []

    async def main(clock: virtual.VirtualClock) -> None:
        gateway = await world.start(clock)
        for k in range(cycles):
            cycle = world.first + 1 + k
            await clock.sleep_until(cycle * world.terms.interval_ns)
            began = time.perf_counter()
            opened = await gateway.open_cycle(cycle)
            opening.append(time.perf_counter() - began)
            targets = world.random_targets(opened)
            began = time.perf_counter()
            world.reports.append(await gateway.trade(targets))
            trading.append(time.perf_counter() - began)
            await gateway.tend((cycle + 1) * world.terms.interval_ns)
        world.check_exact()
        world.die()

    virtual.run(main, at_ns=world.start_ns)
    orders = sum(len(report.intents) for report in world.reports)
    warm = slice(3, None)
    return Measured(_of(opening[warm]), _of(trading[warm]), _of(commits[30:]), orders, cycles)


def _of(seconds: list[float]) -> tuple[float, float, float]:
    p50, p99, worst = np.percentile(np.array(seconds) * 1e3, [50, 99, 100])
    return float(p50), float(p99), float(worst)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as there:
        print(measure(Path(there), int(sys.argv[1]) if len(sys.argv) > 1 else 100))  # noqa: T201
