"""Cycles at a venue that lies: nothing doubled, nothing lost, every limit of the books kept, everything alarmed."""

import random
from pathlib import Path

import pytest

from podshop.journal.store import reading, rows
from podshop.venues.exchange.evil import ORDER_FAULTS, READ_FAULTS
from podshop.venues.exchange.memory import WITH_IDS, WITHOUT_IDS
from tests.live import virtual
from tests.live.gateway.world import BAR_NS, World

CONTENT = ("empty", "database", "stale_positions", "stale_price", "fills_late", "fills_twice", "skew")
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
    """A phase of faults, then one without: at its end nothing is unknown, and all of it is exact.

    quiet  at least Q and one clean cycle, or W where no proof is possible
    """

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


def chosen(folder: Path, seed: int) -> World:
    """A world with a random part of all faults, at random rates, with or without client ids."""
    draw = random.Random(seed)
    faults = {
        name: draw.choice([0.01, 0.05] if name in READ_FAULTS else [0.02, 0.05, 0.2])
        for name in (*ORDER_FAULTS, *READ_FAULTS, *CONTENT)
        if draw.random() < 0.4
    }
    travel_ns = draw.choice([0, 20_000_000, 300_000_000])
    world = World(
        folder, card=draw.choice([WITH_IDS, WITHOUT_IDS]), faults=faults, seed=seed, travel_ns=travel_ns, bars=400
    )
    if draw.random() < 0.3:
        world.evil.outages.append((world.start_ns + 10 * BAR_NS, world.start_ns + 14 * BAR_NS))
    return world


@pytest.mark.parametrize("seed", range(6))
def test_any_part_of_all_faults(tmp_path, seed):
    settled(chosen(tmp_path, seed), 24, 30)


def test_the_same_seed_is_the_same_journal(tmp_path):
    heads = []
    for name in "ab":
        (tmp_path / name).mkdir()
        world = chosen(tmp_path / name, 8)
        world.run(12)
        with reading(tmp_path / name / "journal.db") as db:
            heads.append([row.hash for row in rows(db)][-1])
    assert heads[0] == heads[1]


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 300))
def test_a_day_with_any_part_of_all_faults(tmp_path, seed):
    settled(chosen(tmp_path, seed), 240, 48)
