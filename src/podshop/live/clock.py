"""The one clock of a live process: the venue's time, which may run faster than the wall's where history is replayed.

Every duration in the rules of live trading is of this clock, so a test that runs 300 times faster changes no rule.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from podshop.nouns import SECOND_NS

OFF_NS = SECOND_NS  # a clock that is off by no more is let be
SLACK_NS = SECOND_NS // 2  # a venue's stamps are of its last block, not of the instant
APART_NS = 2 * SECOND_NS  # two stamps so far apart are no copies of one another
STEADY_NS = 600 * SECOND_NS  # what has been the same for so long is a clock, and no copy
LONGEST_S = 5.0  # of one sleep: the clock may be moved meanwhile


class Clock(Protocol):
    """What live code may know of time."""

    def now_ns(self) -> int:
        """UTC nanoseconds of the venue."""
        ...

    async def sleep_until(self, at_ns: int) -> None:
        """Wait for an instant of this clock; at once where it has passed."""
        ...


@runtime_checkable
class Follows(Protocol):
    """A clock that can be moved to the venue's."""

    def follow(self, venue_ns: int, began_ns: int, ended_ns: int) -> int:
        """Weigh a stamp of the venue; by how much this clock was moved, 0 = not at all."""
        ...


def follow(clock: Clock, venue_ns: int, began_ns: int, ended_ns: int) -> int:
    """Let a clock that can follow weigh a stamp; by how much it was moved.

    venue_ns            what the venue stamped its answer with
    began_ns, ended_ns  this clock before the question and after the answer
    """
    return clock.follow(venue_ns, began_ns, ended_ns) if isinstance(clock, Follows) else 0


class WallClock:
    """The wall's time, shifted to the venue's and running `rate` times as fast, counted by the monotonic clock.

    The monotonic clock stands still while the machine sleeps and knows nothing of a time server that sets the wall
    right, so `follow` moves this clock where the venue's stamps prove that it is off. Replayed history is not followed.

    at_ns         the venue's time now; None = the wall's
    wall, steady  this machine's clocks
    """

    def __init__(
        self,
        at_ns: int | None = None,
        rate: float = 1.0,
        *,
        wall: Callable[[], int] = time.time_ns,
        steady: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._wall, self._steady = wall, steady
        self._from_ns = wall() if at_ns is None else at_ns
        self._began_ns = steady()
        self._stamps = Stamps()
        self.rate = rate

    def now_ns(self) -> int:
        """UTC nanoseconds of the venue."""
        return self._from_ns + int((self._steady() - self._began_ns) * self.rate)

    async def sleep_until(self, at_ns: int) -> None:
        """Wait for an instant of this clock."""
        while (left_ns := at_ns - self.now_ns()) > 0:
            await asyncio.sleep(min(left_ns / self.rate / 1e9, LONGEST_S))

    def follow(self, venue_ns: int, began_ns: int, ended_ns: int) -> int:
        """Move to the venue's time where its stamps prove that we are off (`Stamps`); by how much."""
        if self.rate != 1.0:
            return 0
        moved_ns = self._stamps.off_ns(venue_ns, began_ns, ended_ns, self._wall() - self.now_ns())
        self.move(moved_ns)
        return moved_ns

    def move(self, by_ns: int) -> None:
        """Be so much later from now on."""
        self._from_ns += by_ns


@dataclass(slots=True)
class Stamps:
    """How far a clock is behind the venue's, as far as the venue's stamps prove it.

    A stamp was made between question and answer, or it is of an old copy. So one from our future says that we are
    behind, and one from our past may say nothing. The clock is off
    - at once, where the wall says the same as the stamp: two witnesses that do not know of one another;
    - where two stamps, 2 s apart or more, say that we are behind by the same: one may be a mistake;
    - where stamps have said for ten minutes that we are ahead by the same: the age of a copy does not stand still.
    """

    _least_ns: int = field(default=0, init=False)  # what all stamps of this run agree on: behind by at least
    _most_ns: int = field(default=0, init=False)  # and at most
    _since_ns: int | None = field(default=None, init=False)  # when the run began, by our clock; None = there is none

    def off_ns(self, venue_ns: int, began_ns: int, ended_ns: int, wall_ns: int) -> int:
        """Weigh one more stamp; by how much the clock must be moved, 0 = it stays. wall_ns: the wall less our clock."""
        least_ns, most_ns = venue_ns - ended_ns - SLACK_NS, venue_ns - began_ns + SLACK_NS
        off_ns = (least_ns + most_ns) // 2
        if venue_ns <= 0 or abs(off_ns) <= OFF_NS:
            self._since_ns = None
            return 0
        if self._since_ns is None or least_ns > self._most_ns or most_ns < self._least_ns:
            self._least_ns, self._most_ns, self._since_ns = least_ns, most_ns, ended_ns
        self._least_ns, self._most_ns = max(self._least_ns, least_ns), min(self._most_ns, most_ns)
        lasted_ns = began_ns - self._since_ns
        if abs(off_ns - wall_ns) <= OFF_NS or lasted_ns >= (APART_NS if off_ns > 0 else STEADY_NS):
            self._since_ns = None
            return off_ns
        return 0
