"""A whole fund in virtual time, ten seeds: nothing is wrong while all goes wrong, and all is known soon after.

The small fund trades here (four agents that act, three that speak, six markets), since the shipped fifty take a minute
for ten seeds on their own; `make soak` runs days of both.
"""

import os
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from podshop.live.gateway import trading
from podshop.orders import step
from tests.live.sim import mutants
from tests.live.sim.plan import KINDS, plan_of
from tests.live.sim.world import simulate

SEEDS, CYCLES = range(10), 36


def test_ten_seeds() -> None:
    fired: Counter[str] = Counter()
    checked: Counter[str] = Counter()
    for seed in SEEDS:
        sim = simulate(plan_of(seed, CYCLES))
        assert not sim.wrong, "\n".join(sim.wrong)
        fired += sim.fired
        checked += sim.oracle.checked
    assert not [kind for kind in KINDS if not fired[kind]], dict(fired)
    assert checked["increases"] > 100
    assert checked["flattener"] > 5
    assert fired["gateway dies"] >= 3


def test_same_seed_same_journal() -> None:
    """Every row: also in another process, with another order of every set; the gateway dies in this one."""
    seed = 7
    sim = simulate(plan_of(seed, CYCLES))
    assert sim.fired["gateway dies"]
    assert simulate(plan_of(seed, CYCLES)).sha256 == sim.sha256
    words = [sys.executable, "-m", "tests.live.sim.one", str(seed), str(CYCLES)]
    environment = os.environ | {"PYTHONHASHSEED": str(1000 + seed)}
    said = subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout
    assert said.split()[0] == sim.sha256


@pytest.mark.parametrize(
    ("changes", "needs"),
    [
        ({"gateway": mutants.WritesAfterSending}, "busy"),
        ({"gateway": mutants.LoosensLimits}, "brain lies"),
        ({"venue": mutants.TimeOutIsRefusal}, "lost_after"),
        ({"venue": mutants.Resends}, "lost_after"),
    ],
    ids=lambda each: next(iter(each.values())).__name__ if isinstance(each, dict) else "",
)
def test_a_gateway_without_this_protection_is_caught(changes: dict[str, Any], needs: str) -> None:
    assert caught(needs, changes)


def test_an_empty_reading_that_is_believed_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (step, trading):
        monkeypatch.setattr(module, "admissible", mutants.believes_anything)
    assert caught("empty", {})


def caught(needs: str, changes: dict[str, Any]) -> list[str]:
    """What the first of the seeds with this trouble in it finds wrong, that finds anything."""
    plans = (plan_of(seed, CYCLES) for seed in SEEDS)
    for plan in plans:
        if needs in plan.kinds and (wrong := simulate(plan, **changes).wrong):
            return wrong
    return []
