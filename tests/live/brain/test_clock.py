"""The cycle clock in virtual time: ids from the epoch, one at a time, skipped and never bunched."""

from collections.abc import Callable
from typing import Any

import pytest

from podshop.live.brain.clock import Tick, expired, ticks
from tests.live.virtual import SECOND, START_NS, VirtualClock, run

INTERVAL_NS = 300 * SECOND


def seen(count: int, work_s: Callable[[int], float], at_ns: int = START_NS, late_ns: int = 0) -> list[tuple[Tick, int]]:
    """Ticks and when they came, where the n-th cycle's work takes so many seconds."""

    async def main(clock: VirtualClock) -> list[tuple[Tick, int]]:
        found: list[tuple[Tick, int]] = []
        async for tick in ticks(clock, INTERVAL_NS, late_ns):
            found.append((tick, clock.now_ns()))
            if len(found) == count:
                return found
            await clock.sleep_until(clock.now_ns() + int(work_s(len(found)) * SECOND))
        raise AssertionError("a clock never ends")

    return run(main, at_ns)


def test_every_cycle_once_at_its_instant_whatever_its_work_takes() -> None:
    found = seen(500, lambda n: (7 * n) % 290)
    first = START_NS // INTERVAL_NS + 1
    assert [tick.cycle for tick, _ in found] == list(range(first, first + 500))
    assert all(now == tick.at_ns == tick.cycle * INTERVAL_NS for tick, now in found)
    assert all(tick.skipped == 0 for tick, _ in found)


def test_a_start_in_the_middle_waits_for_the_next_cycle() -> None:
    (tick, now), *_ = seen(1, lambda _: 0.0, START_NS + 17 * SECOND)
    assert tick.cycle == START_NS // INTERVAL_NS + 1
    assert now == tick.at_ns


@pytest.mark.parametrize(("work_s", "skipped", "late_s"), [(310, 0, 10), (449, 0, 149), (451, 1, 0), (1000, 2, 100)])
def test_what_could_not_be_met_is_skipped(work_s: float, skipped: int, late_s: float) -> None:
    """A little late is begun late; later than half a cycle it is left out, and never are two begun at once."""
    found = seen(4, lambda n: work_s if n == 1 else 1.0)
    (first, _), (second, now), (third, then), _ = found
    assert second.skipped == second.cycle - first.cycle - 1 == skipped
    assert now - second.at_ns == late_s * SECOND
    assert third.cycle == second.cycle + 1
    assert then == third.at_ns


def test_a_clock_that_is_set_back_begins_no_cycle_twice() -> None:
    async def main(clock: VirtualClock) -> list[int]:
        found: list[int] = []
        async for tick in ticks(clock, INTERVAL_NS):
            found.append(tick.cycle)
            if len(found) == 3:
                clock.skew_ns -= 2 * INTERVAL_NS
            if len(found) == 6:
                return found
        raise AssertionError

    found = run(main)
    assert found == list(range(found[0], found[0] + 6))


def test_a_sleeping_machine_skips_what_it_slept_through() -> None:
    async def main(clock: VirtualClock) -> list[Tick]:
        found: list[Tick] = []
        async for tick in ticks(clock, INTERVAL_NS):
            found.append(tick)
            if len(found) == 2:
                clock.skew_ns += 100 * INTERVAL_NS + 200 * SECOND
            if len(found) == 3:
                return found
        raise AssertionError

    *_, last = run(main)
    assert last.skipped == 100


def test_targets_live_as_long_as_their_cycle() -> None:
    end_ns = 8 * INTERVAL_NS
    assert [expired(7, INTERVAL_NS, at) for at in (end_ns - INTERVAL_NS, end_ns - 1, end_ns, end_ns + 1)] == [
        False, False, True, True,
    ]  # fmt: skip


def test_catching_up_would_bunch() -> None:
    """The mutant: a schedule that begins whatever is due at once begins three cycles in one instant."""

    async def bunched(clock: Any) -> list[int]:
        at, cycle = [], clock.now_ns() // INTERVAL_NS
        for n in range(5):
            cycle += 1
            await clock.sleep_until(cycle * INTERVAL_NS)
            at.append(clock.now_ns())
            await clock.sleep_until(clock.now_ns() + (1000 * SECOND if n == 0 else 0))
        return at

    at = run(bunched)
    assert len(set(at[1:4])) == 1
    assert len({now for _, now in seen(5, lambda n: 1000.0 if n == 1 else 0.0)}) == 5
