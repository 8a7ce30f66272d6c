"""The gateway's sockets: one brain that proves its build, one set of targets a cycle, an operator with his token."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from podshop.live import control
from podshop.live.clock import WallClock
from podshop.live.control import Halt, Resolve, Resume, Status
from podshop.live.frames import decoded, framed, read_frame, write_frame
from podshop.live.gateway.operator import Operator
from podshop.live.gateway.process import BrainLine, cycles, serve_control
from podshop.live.latch import FLATTEN, HALTED_STATE, Latch, create
from podshop.live.messages import VERSION, Hello, Opened
from podshop.maths.compiled import package_sha256
from podshop.nouns import ConfigError, DataError
from tests.live.gateway.world import BAR_NS, World

RATE = 600.0  # a cycle takes half a second


async def hello(path: Path, fund: str = "00", version: int = VERSION) -> tuple:
    reader, writer = await asyncio.open_unix_connection(str(path))
    await write_frame(writer, Hello(version, package_sha256(), fund))
    return reader, writer


async def closed(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(5):
        return await read_frame(reader) is None


class Served:
    """A gateway at the exchange in memory, with real sockets and a clock that runs."""

    def __init__(self, folder: Path, bars: int = 200) -> None:
        self.world, self.folder, self.stop = World(folder, bars=bars), folder, asyncio.Event()

    async def __aenter__(self) -> "Served":
        create(self.folder)
        self.clock = WallClock(self.world.start_ns, RATE)
        self.latch = Latch(self.folder, "gateway")
        make = self.world.make_gateway
        self.world.make_gateway = lambda *args: make(*args, self.latch)
        self.gateway = await self.world.start(self.clock)
        self.gateway.asking.answer_ns = BAR_NS // 4
        self.gateway.desk.bear_skew(BAR_NS)
        self.brain = BrainLine("00", os.getuid())
        self.targets, self.control = self.folder / "targets", self.folder / "control"
        self.server = await asyncio.start_unix_server(self.brain.serve, str(self.targets))
        self.operator = Operator(self.gateway, self.latch)
        self.operators = await serve_control(self.operator, "t" * 64, self.control)
        self.running = asyncio.create_task(cycles(self.gateway, self.brain, self.clock, self.stop))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop.set()
        self.server.close()
        self.operators.close()
        try:
            async with asyncio.timeout(10):
                await self.running
        finally:
            self.world.die()

    async def ask(self, request):
        return await asyncio.to_thread(control.ask, self.control, "t" * 64, request)


async def think(served: Served, count: int, path: Path) -> list[Opened]:
    """A brain that answers so many openings."""
    reader, writer = await hello(path)
    seen = []
    while len(seen) < count:
        async with asyncio.timeout(20):
            body = await read_frame(reader)
        assert body is not None
        seen.append(decoded(body, Opened))
        await write_frame(writer, served.world.random_targets(seen[-1]))
    writer.close()
    return seen


def test_a_brain_is_asked_every_cycle_and_followed(tmp_path):
    async def main() -> None:
        async with Served(tmp_path) as served:
            seen = await think(served, 4, served.targets)
            assert len({opened.cycle for opened in seen}) >= 3
            standing = (await served.ask(Status())).standing
            assert standing is not None
            assert standing.state == "RUNNING"
            assert standing.cycle >= seen[-1].cycle
        assert len(served.world.exchange.orders) > 0

    asyncio.run(main())


def test_who_is_no_brain_of_this_build_and_fund_is_not_heard(tmp_path):
    async def main() -> None:
        async with Served(tmp_path) as served:
            for wrong in ({"fund": "11"}, {"version": 99}):
                reader, _ = await hello(served.targets, **wrong)
                assert await closed(reader)
            first, writer = await hello(served.targets)
            await asyncio.sleep(0.1)
            second, _ = await hello(served.targets)
            assert await closed(second), "one brain at a time"
            writer.write(b"\xff\xff\xff\xff")  # a frame of four gigabytes
            await writer.drain()
            with contextlib.suppress(DataError):
                while await read_frame(first) is not None:
                    pass
            stranger, pen = await asyncio.open_unix_connection(str(served.targets))
            pen.write(framed(["who", "am", "I"]))
            assert await closed(stranger)

    asyncio.run(main())


def test_an_operator_halts_and_resumes(tmp_path):
    async def main() -> None:
        async with Served(tmp_path) as served:
            halted = (await served.ask(Halt(reason="odd prices", by="ann"))).standing
            assert halted.state == "HALTED"
            assert served.latch.held().state == HALTED_STATE
            with pytest.raises(ConfigError, match="look again"):
                await served.ask(Resume(seen="RUNNING nobody 0", reason="seems well", by="ann"))
            with pytest.raises(ConfigError, match="says who he is"):
                await served.ask(Resume(seen=halted.seen, reason="", by="ann"))
            resumed = (await served.ask(Resume(seen=halted.seen, reason="seems well", by="ann"))).standing
            assert resumed.state == "RUNNING"
            only = (await served.ask(Halt(scope="market", name="BTC", reason="thin", by="ann"))).standing.only
            assert only == ("market BTC: thin (ann)",)
            with pytest.raises(ConfigError, match="there is no market 'BTCX'"):
                await served.ask(Halt(scope="market", name="BTCX", reason="thin", by="ann"))
            with pytest.raises(ConfigError, match="no intent"):
                await served.ask(Resolve(market="BTC", intent="ab", outcome="never", reason="seen", by="ann"))
            with pytest.raises(ConfigError, match="token"):
                await asyncio.to_thread(control.ask, served.control, "x" * 64, Status())
            flatten = (await served.ask(Halt(state="FLATTEN", reason="out", by="ann"))).standing
            assert flatten.state == "FLATTEN"
            assert served.latch.held().state == FLATTEN

    asyncio.run(main())


def test_a_halted_fund_sends_nothing_that_increases(tmp_path):
    async def main() -> None:
        async with Served(tmp_path) as served:
            await served.ask(Halt(reason="stop", by="ann"))
            await think(served, 3, served.targets)
        assert len(served.world.exchange.orders) == 0

    asyncio.run(main())
