"""A backtest, and the same fund through the real brain, the real gateway and the exchange: not one row differs."""

from pathlib import Path

import numpy as np
import pytest

from podshop.live.brain.mind import Mind, of_time
from podshop.live.messages import Opened, Targets
from podshop.run.config import starter_fund
from podshop.run.world import World
from tests.live.brain.backtests import Step
from tests.live.brain.test_mind import upto, world_of
from tests.live.gateway.parity import compare, takers


class Brain:
    """The mind, fed from the world as it is asked."""

    def __init__(self, world: World, mind: Mind) -> None:
        self._world, self._mind = world, mind

    def __call__(self, step: Step, opened: Opened) -> Targets:
        world, mind = self._world, self._mind
        rows = np.flatnonzero((world.market.time > mind.last_ns) & (world.market.time <= opened.at_ns))
        if len(rows):
            mind.feed(world.market[rows[0] : rows[-1] + 1], of_time(world.funding, mind.last_ns, opened.at_ns))
        return mind.decide(opened)


def test_five_days_of_the_starter_fund(shared_data: Path, tmp_path: Path) -> None:
    fund = takers(starter_fund())
    world = world_of(fund, shared_data, "2022-06-10", 5)
    first_ns = int(world.decision_times()[0])
    found = compare(fund, world, tmp_path, mind=lambda: Brain(world, Mind(fund, *upto(world, first_ns))))
    assert found.first == ""
    assert found.off == {}
    assert found.rows["fills"] > 50


@pytest.mark.soak
def test_a_year_of_the_starter_fund(shared_data: Path, tmp_path: Path) -> None:
    fund = takers(starter_fund())
    world = world_of(fund, shared_data, "2022-06-10", 365)
    first_ns = int(world.decision_times()[0])
    found = compare(fund, world, tmp_path, mind=lambda: Brain(world, Mind(fund, *upto(world, first_ns))))
    assert found.first == ""
    assert found.off == {}
    assert found.rows["fills"] > 1000
