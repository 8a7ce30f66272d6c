"""The long runs: two hundred days of trouble, ninety days of one fund, a day of the whole fund against the clock."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.live.sim import day, ninety
from tests.live.sim.plan import KINDS, plan_of, quiet
from tests.live.sim.world import simulate

SEEDS, BLOCK, CYCLES = 200, 20, 288
FIRST = 1000
Record = Callable[[str, Any], None]


@pytest.mark.soak
@pytest.mark.parametrize("block", range(SEEDS // BLOCK))
def test_days_of_trouble(block: int, record_property: Record) -> None:
    """A block of seeds of a day each; all of the kinds happen in every block."""
    fired: Counter[str] = Counter()
    checked: Counter[str] = Counter()
    wrong: list[str] = []
    seeds = range(FIRST + block * BLOCK, FIRST + (block + 1) * BLOCK)
    for seed in seeds:
        sim = simulate(plan_of(seed, CYCLES))
        fired += sim.fired
        checked += sim.oracle.checked
        wrong += sim.wrong
    record_property("seeds", f"{seeds.start} to {seeds.stop - 1}")
    record_property("cycles", CYCLES)
    record_property("wrong", len(wrong))
    record_property("fired", dict(sorted(fired.items())))
    record_property("checked", dict(sorted(checked.items())))
    assert not wrong, "\n".join(wrong[:20])
    assert not [kind for kind in KINDS if not fired[kind]]


@pytest.mark.soak
@pytest.mark.parametrize("bar", ["1h", "5m"])
def test_ninety_days_alone(bar: str, record_property: Record) -> None:
    sim = ninety.ninety_days(bar=bar)
    record_property("seed", sim.plan.seed)
    record_property("cycles", sim.cycles)
    record_property("orders", sim.sent)
    record_property("rows", sim.rows)
    record_property("megabytes a day", round(sim.bytes / 1e6 / ninety.DAYS, 2))
    record_property("wrong", len(sim.wrong))
    record_property("fired", dict(sorted(sim.fired.items())))
    assert not sim.wrong, "\n".join(sim.wrong[:20])
    assert not [event for event in ninety.EVENTS if not sim.fired[event]]


@pytest.mark.soak
@pytest.mark.parametrize("faults", [False, True], ids=["quiet", "faults"])
def test_a_day_of_fifty_agents_takes_less_than_20_s(faults: bool, record_property: Record) -> None:
    plan = replace(plan_of(1, day.DAY_CYCLES), travel_ns=50_000_000)
    day.warm()
    took = day.a_day(plan if faults else quiet(plan))
    record_property("seconds of this process", round(took.seconds, 1))
    record_property("cycles", took.cycles)
    record_property("orders", took.sent)
    assert not took.wrong, "\n".join(took.wrong[:20])
    assert took.seconds < 20.0
