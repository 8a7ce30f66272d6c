"""The cycle clock: cycle id = floor(time / interval), one at a time, and what could not be met is skipped.

The schedule is absolute: a cycle that took long does not shift the ones after it. Cycles that began while another was
at work are not caught up one after the other, since their prices are gone; the next to begin is the current one.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple

from podshop.live.clock import Clock


class Tick(NamedTuple):
    """A cycle that begins: its id, its instant, and how many were skipped since the one before."""

    cycle: int
    at_ns: int
    skipped: int


async def ticks(clock: Clock, interval_ns: int, late_ns: int = 0) -> AsyncIterator[Tick]:
    """Every cycle from the next one on, each when it begins; whoever is still busy then finds it skipped.

    late_ns  a cycle may be begun so long after its instant; later it is skipped. 0 = until half of it is over
    """
    latest_ns = late_ns or interval_ns // 2
    last = clock.now_ns() // interval_ns
    while True:
        now_ns = clock.now_ns()
        cycle = max(now_ns // interval_ns, last + 1)
        if cycle * interval_ns <= now_ns and now_ns - cycle * interval_ns > latest_ns:
            cycle += 1
        await clock.sleep_until(cycle * interval_ns)
        yield Tick(cycle, cycle * interval_ns, cycle - last - 1)
        last = cycle


def expired(cycle: int, interval_ns: int, now_ns: int) -> bool:
    """Whether targets of a cycle are too old to be sent: they live as long as their cycle."""
    return now_ns >= (cycle + 1) * interval_ns
