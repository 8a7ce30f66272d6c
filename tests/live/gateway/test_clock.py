"""A gateway whose clock is wrong: it adds nothing until it is right, is set right by the venue, and still sells."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from podshop.live.clock import Stamps, WallClock
from podshop.live.gateway.process import cycles
from podshop.live.reach import begin_at
from podshop.nouns import HOUR_NS, SECOND_NS, VenueError
from tests.live import virtual
from tests.live.gateway.world import BAR_NS, World


class Ours(virtual.VirtualClock):
    """This machine's clock; `moves`: the venue's stamps may move it."""

    def __init__(self, at_ns, moves):
        super().__init__(at_ns)
        self.stamps = Stamps()
        if moves:
            self.follow = self.moved

    def moved(self, venue_ns, began_ns, ended_ns):
        by_ns = self.stamps.off_ns(venue_ns, began_ns, ended_ns, 0)
        self.skew_ns += by_ns
        return by_ns


class Apart:
    """The exchange by its own clock, which stamps what it says; our clock stamps when we asked."""

    def __init__(self, venue, ours, venues):
        self.venue, self.ours, self.venues = venue, ours, venues

    def __getattr__(self, name):
        return getattr(self.venue, name)

    async def time_ns(self):
        await self.venues.sleep(1_000_000)
        return self.venues.now_ns()

    async def reading(self):
        began_ns = self.ours.now_ns()
        found = await self.venue.reading()
        return found._replace(began_ns=began_ns, ended_ns=self.ours.now_ns(), venue_ns=self.venues.now_ns())


def wished_flat(tmp_path, behind_ns, moves):
    """Lots held after a wish for flat by a clock that is behind by so much since the fifth cycle, and the offsets."""
    world = World(tmp_path)

    async def main(venues):
        ours = Ours(world.start_ns, moves)
        await world.start(ours, Apart(world.venue(venues), ours, venues))
        offsets = []
        for k in range(world.first + 1, world.first + 16):
            if k == world.first + 6:
                ours.skew_ns -= behind_ns
            wish = None if k < world.first + 6 else lambda o: world.targets(o, np.zeros_like(world.target))
            await world.cycle(ours, k, wish)
            offsets.append(world.gateway.offset_ns)
        world.die()
        return offsets

    offsets = virtual.run(main, at_ns=world.start_ns)
    return sum(abs(lots) for lots in world.exchange.lots.values()), offsets


@pytest.mark.parametrize("behind_s", [0, 2, 40])
def test_what_is_wished_flat_is_sold_though_the_clock_was_wrong(behind_s, tmp_path):
    held, offsets = wished_flat(tmp_path, behind_s * SECOND_NS, moves=True)
    assert held == 0
    assert abs(offsets[-1]) < SECOND_NS
    assert max(offsets) >= behind_s * SECOND_NS


def test_a_clock_that_nobody_moves_sells_nothing(tmp_path):
    """The mutant."""
    held, offsets = wished_flat(tmp_path, 2 * SECOND_NS, moves=False)
    assert held > 0
    assert offsets[-1] > SECOND_NS


def test_a_cycle_that_was_opened_by_a_clock_ahead_is_waited_for_and_not_opened_twice():
    opened = []
    stop = asyncio.Event()

    async def open_cycle(cycle):
        opened.append(cycle)
        stop.set()

    async def nothing(*_):
        return None

    async def main(clock):
        now = clock.now_ns() // BAR_NS
        gateway = SimpleNamespace(
            terms=SimpleNamespace(interval_ns=BAR_NS),
            memory=SimpleNamespace(opened=now + 20),
            open_cycle=open_cycle,
            tend=nothing,
        )
        await cycles(gateway, SimpleNamespace(ask=nothing), clock, stop)
        return now

    now = virtual.run(main)
    assert opened == [now + 21]


@pytest.mark.parametrize("off_ns", [HOUR_NS, -HOUR_NS, SECOND_NS // 4])
def test_a_start_takes_the_venues_time_and_a_copy_of_it_changes_nothing(off_ns):
    clock = WallClock(10 * HOUR_NS, wall=lambda: 0, steady=lambda: 0)
    ages = iter([30, 0, 0, 50, 20])

    class Venue:
        async def time_ns(self):
            return 10 * HOUR_NS + off_ns - next(ages) * SECOND_NS

    asyncio.run(begin_at(Venue(), clock))
    assert clock.now_ns() - 10 * HOUR_NS == (off_ns if abs(off_ns) > SECOND_NS else 0)


def test_a_start_waits_for_no_venue():
    clock = WallClock(HOUR_NS, wall=lambda: 0, steady=lambda: 0)

    class Dead:
        async def time_ns(self):
            raise VenueError("down")

    class Deaf:
        async def time_ns(self):
            await asyncio.sleep(100)

    for venue in (Dead(), Deaf()):
        asyncio.run(begin_at(venue, clock, 0.01))
        assert clock.now_ns() == HOUR_NS
