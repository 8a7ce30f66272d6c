"""Cycles at a venue that lies: nothing doubled, nothing lost, every limit of the books kept, everything alarmed."""

import pytest

from podshop.venues.exchange.memory import WITH_IDS, WITHOUT_IDS
from tests.live import virtual
from tests.live.gateway.world import World

FAULTS = {
    "lost_before": 0.05,
    "lost_after": 0.2,
    "late": 0.05,
    "refused_after_fill": 0.05,
    "html": 0.03,
    "reset": 0.03,
    "busy": 0.03,
    "read_timeout": 0.03,
    "read_garbage": 0.03,
    "empty": 0.05,
    "stale_positions": 0.03,
    "fills_late": 0.1,
    "fills_twice": 0.1,
}


def settled(world: World, cycles: int, quiet: int) -> World:
    """A phase of faults, then one without: at its end nothing is unknown, and all of it is exact."""

    async def main(clock: virtual.VirtualClock) -> None:
        await world.start(clock)
        for k in range(cycles + quiet):
            if k == cycles:
                world.evil.switch(dict.fromkeys(world.evil.faults, 0.0))
            await world.cycle(clock, world.first + 1 + k)
            world.check()
        world.check_exact()
        world.die()

    virtual.run(main, at_ns=world.start_ns)
    return world


@pytest.mark.parametrize("card", [WITH_IDS, WITHOUT_IDS], ids=["ids", "no ids"])
@pytest.mark.parametrize("seed", [1, 2])
def test_what_a_lying_venue_did_is_found_out(tmp_path, card, seed):
    world = World(tmp_path, card=card, faults=FAULTS, seed=seed, travel_ns=20_000_000)
    settled(world, 30, 30)
    fired = {name: count for name, count in world.evil.fired.items() if count}
    assert fired["lost_after"] > 5, fired
    assert fired["fills_late"] > 5, fired
