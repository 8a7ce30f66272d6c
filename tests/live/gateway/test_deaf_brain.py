"""A brain that says Hello and reads nothing: the gateway goes on, and another brain may come."""

import asyncio
import os

import pytest

from podshop.live.clock import WallClock
from podshop.live.frames import framed
from podshop.live.gateway.process import BrainLine
from podshop.live.messages import VERSION, Hello, Opened
from podshop.maths.compiled import package_sha256

MARKETS, BOOKS = 30, 20


def opened(cycle):
    return Opened(
        cycle, cycle * 10**9, tuple((10**6,) * (BOOKS + 1) for _ in range(MARKETS)), (10**12,) * (BOOKS + 1),
        (10**12,) * BOOKS, 10**12, 10**12, (10**8,) * MARKETS, (0,) * MARKETS, (1.0,) * BOOKS, 1.0, 0,
        (True,) * MARKETS,
    )  # fmt: skip


@pytest.mark.parametrize("reads", [True, False])
def test_a_brain_that_does_not_read_is_dropped_and_nobody_waits(tmp_path, reads):
    async def main():
        line, clock = BrainLine("f", os.getuid()), WallClock()
        server = await asyncio.start_unix_server(line.serve, str(tmp_path / "targets"))
        hello = framed(Hello(VERSION, package_sha256(), "f"))
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "targets"))
        if not reads:
            reader._transport.pause_reading()
        writer.write(hello)
        await asyncio.sleep(0.1)
        assert line._writer is not None
        dropped = None
        for cycle in range(300):
            async with asyncio.timeout(3):  # without the drop, this never returns
                await line.ask(opened(cycle), clock, clock.now_ns() + 10**6)
            if reads:
                await reader.read(1 << 20)
            if line._writer is None:
                dropped = cycle
                break
        assert (dropped is None) is reads
        if not reads:
            async with asyncio.timeout(3):
                again, pen = await asyncio.open_unix_connection(str(tmp_path / "targets"))
                pen.write(hello)
                assert await again.readexactly(4), "the next brain is told the cycle that is open"
                pen.close()
        writer.close()
        server.close()

    asyncio.run(main())
