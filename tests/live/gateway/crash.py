"""A process that dies at the k-th time it touches the world: before that call, or right after it has taken effect."""

import contextlib
import random
from collections.abc import Callable
from typing import Any

from podshop.journal.keeper import Keeper
from tests.live import virtual
from tests.live.gateway.world import BAR_NS, World

MOST_QUIET = 20  # cycles without a new wish, until nothing is open
CALLS = ("time_ns", "instruments", "marks", "mids", "send", "look", "cancel", "reading", "fills", "fundings")


class Crash(BaseException):
    """kill -9, as far as one process can play it."""


class Fuse:
    """Counts the calls that touch the world and burns at one of them.

    at     number of the call (from 0); None = never
    after  it has taken effect already
    """

    def __init__(self) -> None:
        self.at: int | None = None
        self.after = False
        self.count = 0
        self.names: list[str] = []
        self.burnt = ""

    def arm(self, at: int | None, *, after: bool = False) -> None:
        self.at, self.after, self.count, self.names, self.burnt = at, after, 0, [], ""

    def touch(self, name: str) -> bool:
        """Count one call; raises Crash where it burns before it, answers True where it burns after it."""
        if self.burnt:
            raise Crash(self.burnt)  # a dead process touches nothing
        number, self.count = self.count, self.count + 1
        self.names.append(name)
        if number != self.at:
            return False
        self.burnt = f"{'after' if self.after else 'before'} {name}, call {number}"
        if not self.after:
            raise Crash(self.burnt)
        return True


class FusedVenue:
    """A venue whose every call goes over a fuse."""

    def __init__(self, venue: Any, fuse: Fuse) -> None:
        self._venue, self._fuse, self.card = venue, fuse, venue.card

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._venue, name)
        if name not in CALLS:
            return call

        async def fused(*args: Any) -> Any:
            dies = self._fuse.touch(name)
            found = await call(*args)
            if dies:
                raise Crash(self._fuse.burnt)
            return found

        return fused


def fused_keeper(fuse: Fuse) -> Callable[..., Keeper]:
    """A keeper whose writes go over a fuse."""

    class Fused(Keeper):
        def append(self, facts: Any) -> int:
            dies = fuse.touch(f"append {len(facts)}")
            last = super().append(facts)
            if dies:
                raise Crash(fuse.burnt)
            return last

    return Fused


def crash_once(world: World, fuse: Fuse, before: int, at: int | None, after: int, *, late: bool) -> None:
    """Some cycles, one that dies at call `at`, a new process, some more cycles, and all of it must be exact.

    at  None = nobody dies: fuse.count is then how many calls the cycle makes
    """

    async def main(clock: virtual.VirtualClock) -> None:
        async def start() -> None:
            await world.start(clock, FusedVenue(world.venue(clock), fuse))

        fuse.arm(None)
        await start()
        k = world.first + 1
        for _ in range(before):
            await world.cycle(clock, k)
            k += 1
        fuse.arm(at, after=late)
        with contextlib.suppress(Crash):
            await world.cycle(clock, k)
        k += 1
        if fuse.burnt:
            world.die()
            fuse.arm(None)
            await start()
        elif at is None:
            return
        for _ in range(after):
            await world.cycle(clock, k)
            world.check()
            k += 1
        for _ in range(MOST_QUIET):
            assert world.gateway is not None
            if not world.gateway.desk.flights():
                break
            await world.cycle(clock, k, world.still)
            k += 1
        world.check_exact()
        world.die()

    virtual.run(main, at_ns=world.start_ns)


def crash_often(world: World, fuse: Fuse, deaths: int, seed: int) -> int:
    """A venue that lies and a process that dies again and again at any of its calls; then quiet, and all is exact."""
    draw = random.Random(seed)
    died = 0

    async def main(clock: virtual.VirtualClock) -> None:
        nonlocal died
        k, alive = world.first + 1, False
        while died < deaths or not alive:
            last = died >= deaths
            fuse.arm(None if last else draw.randrange(120), after=draw.random() < 0.5)
            try:
                if not alive:
                    await world.start(clock, FusedVenue(world.venue(clock), fuse))
                    alive = True
                for _ in range(3):
                    await world.cycle(clock, k)
                    k += 1
            except Crash:
                pass
            if fuse.burnt:
                died += 1
                world.die()
                alive = False
            k = max(k, clock.now_ns() // BAR_NS + 1)
        world.evil.switch(dict.fromkeys(world.evil.faults, 0.0))
        fuse.arm(None)
        for _ in range(3 * MOST_QUIET):
            await world.cycle(clock, k, world.still)
            k += 1
            assert world.gateway is not None
            if not world.gateway.desk.flights() and not any(x.held for x in world.gateway.memory.lines.values()):
                break
        world.check_exact()
        world.die()

    virtual.run(main, at_ns=world.start_ns)
    return died
