"""Virtual time: an asyncio loop that never waits, since its clock jumps to the next timer. One thread, no sockets.

    assert run(main) == run(main)        # main(clock) is a coroutine function; a day takes seconds, and always the same

Where every task waits for something that no timer will bring, a real loop hangs; this one says so. Work given to a
thread runs at once, in the loop's own thread, so that nothing depends on the scheduler.

Source of the idea: FoundationDB's simulator, Zhou et al. (2021), "FoundationDB: A Distributed Unbundled Transactional
Key Value Store", SIGMOD, section 4.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

START_NS = 1_700_000_100_000_000_000  # 2023-11-14T22:15:00Z, a whole number of five minutes
SECOND = 1_000_000_000
MOST_STEPS_IN_AN_INSTANT = 300_000


def run(main: Callable[["VirtualClock"], Coroutine[Any, Any, T]], at_ns: int = START_NS) -> T:
    """Run a coroutine function to its end in virtual time. What it left running is cancelled.

    at_ns  what the clock shows at first
    Raises RuntimeError where everything waits for ever, or where an instant never ends.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_with_clock(main, at_ns))


async def _with_clock(main: Callable[["VirtualClock"], Coroutine[Any, Any, T]], at_ns: int) -> T:
    return await main(VirtualClock(at_ns))


class VirtualClock:
    """The `podshop.live.clock.Clock` of a virtual loop; made inside it. Two of them may show different times.

    at_ns  what it shows now
    skew   nanoseconds by which it is wrong, to be set at any time
    """

    def __init__(self, at_ns: int = START_NS) -> None:
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualLoop):
            raise RuntimeError("a virtual clock needs a virtual loop: tests.live.virtual.run")
        self._loop = loop
        self._zero_ns = at_ns - loop.now_ns
        self.skew_ns = 0

    def now_ns(self) -> int:
        """UTC nanoseconds of the venue."""
        return self._zero_ns + self._loop.now_ns + self.skew_ns

    async def sleep_until(self, at_ns: int) -> None:
        """Wait for an instant of this clock; at once where it has passed."""
        while (left_ns := at_ns - self.now_ns()) > 0:
            await asyncio.sleep(left_ns / SECOND)

    async def sleep(self, ns: int) -> None:
        """Wait for so many nanoseconds."""
        await self.sleep_until(self.now_ns() + ns)


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop without sockets or threads, whose `select` moves the clock. Time is counted in whole nanoseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = 0
        self._steps = 0
        self._clock_resolution = 0.5 / SECOND  # a timer is due at its own nanosecond, not before
        self._selector = self  # what BaseEventLoop asks how long to wait

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self.now_ns / SECOND

    def select(self, timeout: float | None) -> tuple[()]:
        """Jump to the next timer, which is `timeout` away, instead of waiting for it."""
        if timeout is None:
            raise RuntimeError("every task waits and no timer is set: in real time this would hang for ever")
        ahead_ns = round(timeout * SECOND)
        if ahead_ns:
            self.now_ns += ahead_ns
            self._steps = 0
            return ()
        self._steps += 1
        if timeout > 0.0:
            self.now_ns += 1
        elif self._steps > MOST_STEPS_IN_AN_INSTANT:
            self._steps = 0  # so that what is cancelled now can end
            raise RuntimeError(f"{MOST_STEPS_IN_AN_INSTANT} steps in one instant: something waits by spinning")
        return ()

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]
        """Run it now: a thread would make the order of events a matter of luck."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as e:  # noqa: BLE001 - it belongs to whoever awaits the future
            done.set_exception(e)
        return done

    def _process_events(self, event_list: object) -> None:
        """There are no sockets."""

    def _write_to_self(self) -> None:
        """There is no other thread to be woken by."""
