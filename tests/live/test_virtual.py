"""Virtual time: jumps, keeps order, never waits, and says where a real loop would hang."""

import asyncio
import time

import pytest

from tests.live.virtual import SECOND, START_NS, VirtualClock, run

DAY = 86_400 * SECOND


def test_a_day_of_cycles_takes_no_time_and_wakes_to_the_nanosecond():
    async def main(clock):
        late = []
        for cycle in range(288):
            at_ns = START_NS + (cycle + 1) * 300 * SECOND
            await clock.sleep_until(at_ns)
            late.append(clock.now_ns() - at_ns)
        return late

    began = time.perf_counter()
    assert run(main) == [0] * 288
    assert time.perf_counter() - began < 1.0


def test_ninety_days_lose_no_nanosecond():
    async def main(clock):
        for day in range(1, 91):
            await clock.sleep_until(START_NS + day * DAY + 1)
        return clock.now_ns()

    assert run(main) == START_NS + 90 * DAY + 1


def test_the_same_program_has_the_same_history():
    async def main(clock):
        heard = []

        async def speak(name, every_ns):
            for _ in range(200):
                await clock.sleep(every_ns)
                heard.append((clock.now_ns(), name))

        async with asyncio.TaskGroup() as group:
            for i in range(20):
                group.create_task(speak(i, (i % 7 + 1) * 100_000_003))
        return heard

    first = run(main)
    assert len(first) == 4_000
    assert [at for at, _ in first] == sorted(at for at, _ in first)
    assert first == run(main)


def test_a_time_out_passes_in_virtual_time():
    async def main(clock):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.Event().wait()
        return clock.now_ns() - START_NS

    assert run(main) == 3600 * SECOND


def test_waiting_for_what_never_comes_is_said():
    async def main(clock):
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="hang for ever"):
        run(main)


def test_spinning_is_said():
    async def main(clock):
        while True:
            await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="spinning"):
        run(main)


def test_a_thread_is_no_thread():
    async def main(clock):
        import threading

        return await asyncio.to_thread(threading.get_ident) == threading.get_ident()

    assert run(main)


def test_an_error_of_a_thread_reaches_who_awaits():
    async def main(clock):
        await asyncio.to_thread(int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        run(main)


def test_a_skewed_clock_still_wakes_when_it_shows_the_instant():
    async def main(clock):
        other = VirtualClock(START_NS)
        other.skew_ns = 2 * SECOND
        await other.sleep_until(START_NS + 10 * SECOND)
        return clock.now_ns() - START_NS

    assert run(main) == 8 * SECOND


def test_a_virtual_clock_outside_its_loop_is_refused():
    async def main():
        VirtualClock()

    with pytest.raises(RuntimeError, match="virtual loop"):
        asyncio.run(main())


def test_it_is_quick():
    """30,000 sleeps; measured about 100,000 a second, and the test allows for a busy machine."""

    async def main(clock):
        for _ in range(30_000):
            await asyncio.sleep(1.0)

    began = time.process_time()
    run(main)
    assert time.process_time() - began < 2.0
