"""A day of the whole fund: 288 cycles of 5 minutes, fifty agents, thirty markets, and where the time goes.

python -m tests.live.sim.day [faults] [busy] [cycles] [profile]

Seconds of this process alone are counted, so that other programs of the machine do not matter. Reading history and
making the brain are not in them; the exchange, the watchdog and the oracle are. A made-up walk has no trends, so the
shipped fund sends little; `busy` takes from its traders what holds them back (costs, buffers, their own pace).
"""

import cProfile
import pstats
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from podshop.run.config import Fund
from tests.live.brain.speed import BAR_NS, CHUNK_ENDS_NS, WARM_UP_DAYS, fund_of, history
from tests.live.sim.fund import History
from tests.live.sim.plan import Plan, plan_of, quiet
from tests.live.sim.world import MEMORY, SPARE, Sim

AGENTS, MARKETS, DAY_CYCLES = 50, 30, 288
OWNERS = {  # part of a path -> whose it is
    "venues/exchange": "exchange",
    "live/brain": "brain",
    "run/": "brain and compiled cycle",
    "signals/": "agents",
    "risk/": "risk",
    "live/gateway": "gateway",
    "orders/": "orders",
    "journal/": "journal",
    "ledger/": "ledger",
    "live/latch": "latch, watchdog",
    "live/heartbeat": "latch, watchdog",
    "live/watchdog": "latch, watchdog",
    "tests/": "simulation",
    "asyncio": "asyncio",
}


class Took(NamedTuple):
    """Seconds of this process, cycles, orders, and what was wrong."""

    seconds: float
    cycles: int
    sent: int
    wrong: list[str]


class Fifty(History):
    """The history on which the brain's speed is measured; the day ends with a chunk of the agents."""

    def __init__(self, cycles: int) -> None:
        fund = fund_of(AGENTS, MARKETS)
        self.market, self.funding = history(fund, WARM_UP_DAYS, CHUNK_ENDS_NS + SPARE * BAR_NS)
        self.first = len(self.market) - SPARE - cycles - 1
        self.start_ns = int(self.market.time[self.first])


def fifty(busy: bool = False) -> Fund:
    """The shipped fund, over thirty markets and cycles of five minutes."""
    fund = fund_of(AGENTS, MARKETS)
    if not busy:
        return fund
    free = {"cost_factor": 0.0, "cost_budget": 1.0, "buffer": 0.0, "cadence": "5m", "style": "taker"}
    return replace(fund, mandates=tuple(replace(mandate, **free) for mandate in fund.mandates))


def a_day(plan: Plan, past: Fifty | None = None, profile: cProfile.Profile | None = None, busy: bool = False) -> Took:
    """Trade it; a fault or two may be in the plan."""
    past = past or Fifty(plan.cycles)
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        sim = Sim(plan, Path(folder), fund=fifty(busy), history=past, most=1 << 31)
        sim.oracle.rebuild_every = 1 << 60
        started = time.process_time()
        if profile is not None:
            profile.enable()
        sim.run()
        if profile is not None:
            profile.disable()
        return Took(time.process_time() - started, sim.cycles, sim.sent, sim.wrong)


def warm(cycles: int = 4) -> None:
    """Load all machine code."""
    a_day(quiet(plan_of(0, cycles)), Fifty(cycles))


def shares(profile: cProfile.Profile) -> tuple[Counter[str], list[tuple[float, str]]]:
    """Seconds by owner, and the functions that took most by themselves. A profiler doubles them; the order holds."""
    by: Counter[str] = Counter()
    worst = []
    for (path, _, name), (_, _, own, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        whose = next((whose for part, whose in OWNERS.items() if part in path), "python and libraries")
        by[whose] += own
        worst.append((own, f"{name} ({Path(path).name}, {whose})"))
    return by, sorted(worst, reverse=True)[:12]


def main() -> None:
    """Measure and say it."""
    words = sys.argv[1:]
    cycles = next((int(word) for word in words if word.isdigit()), DAY_CYCLES)
    plan = replace(plan_of(1, cycles), travel_ns=50_000_000)
    if "faults" not in words:
        plan = quiet(plan)
    warm()
    profile = cProfile.Profile() if "profile" in words else None
    took = a_day(plan, profile=profile, busy="busy" in words)
    sys.stdout.write(
        f"{AGENTS} agents, {MARKETS} markets, {took.cycles} cycles, {took.sent} orders: {took.seconds:.1f} s; "
        f"{len(took.wrong)} wrong\n"
    )
    if profile is not None:
        by, worst = shares(profile)
        sys.stdout.write("".join(f"  {seconds:6.2f} s  {whose}\n" for whose, seconds in by.most_common()))
        sys.stdout.write("".join(f"  {seconds:6.2f} s  {name}\n" for seconds, name in worst))


if __name__ == "__main__":
    main()
