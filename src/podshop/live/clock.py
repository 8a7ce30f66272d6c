"""The one clock of a live process: the venue's time, which may run faster than the wall's where history is replayed.

Every duration in the rules of live trading is of this clock, so a test that runs 300 times faster changes no rule.
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What live code may know of time."""

    def now_ns(self) -> int:
        """UTC nanoseconds of the venue."""
        ...

    async def sleep_until(self, at_ns: int) -> None:
        """Wait for an instant of this clock; at once where it has passed."""
        ...


class WallClock:
    """The wall's time, shifted to the venue's and running `rate` times as fast, counted by the monotonic clock.

    at_ns  the venue's time now; None = the wall's
    """

    def __init__(self, at_ns: int | None = None, rate: float = 1.0) -> None:
        self._from_ns = time.time_ns() if at_ns is None else at_ns
        self._began_ns = time.monotonic_ns()
        self.rate = rate

    def now_ns(self) -> int:
        """UTC nanoseconds of the venue."""
        return self._from_ns + int((time.monotonic_ns() - self._began_ns) * self.rate)

    async def sleep_until(self, at_ns: int) -> None:
        """Wait for an instant of this clock."""
        while (left_ns := at_ns - self.now_ns()) > 0:
            await asyncio.sleep(left_ns / self.rate / 1e9)
