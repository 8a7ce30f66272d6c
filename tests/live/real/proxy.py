"""A way to the exchange that can be cut, and that sees every order leave.

Plain TCP on 127.0.0.1, in a thread of its own. An order is known by its client id as the bytes pass, so it is counted
even where the exchange never answers, refuses it, or has seen the id before: a second send shows here, though the
exchange would turn it away.
"""

import asyncio
import re
import threading
import time
from collections import Counter
from contextlib import suppress

ORDER = re.compile(rb'"c"\s*:\s*"0x([0-9a-f]{32})"')
TAIL = 64  # bytes: an id may be torn between two reads


class Proxy:
    """Between the fund's processes and the exchange.

    orders  client id -> how often it set out;  cuts how often the line was cut
    """

    def __init__(self, upstream: int) -> None:
        self.orders: Counter[str] = Counter()
        self.cuts = 0
        self._upstream = upstream
        self._lines: set[asyncio.StreamWriter] = set()
        self._down_until_s = 0.0
        self._left = threading.Condition()
        self._loop = asyncio.new_event_loop()
        started: threading.Event = threading.Event()
        self.port = 0

        async def begin() -> None:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            started.set()

        def run() -> None:
            self._loop.create_task(begin())
            self._loop.run_forever()

        self._thread = threading.Thread(target=run, name="proxy", daemon=True)
        self._thread.start()
        assert started.wait(10)

    def cut(self, seconds: float) -> None:
        """Tear down every connection, and turn away new ones for so long."""
        self.cuts += 1
        self._down_until_s = time.monotonic() + seconds

        def tear() -> None:
            for line in list(self._lines):
                line.transport.abort()

        self._loop.call_soon_threadsafe(tear)

    def wait_for_order(self, seconds: float) -> bool:
        """Return the moment the next order has left; False where none did in so long."""
        with self._left:
            return self._left.wait(seconds)

    def close(self) -> None:
        """End."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if time.monotonic() < self._down_until_s:
            writer.transport.abort()
            return
        back = None
        self._lines.add(writer)
        try:
            answers, back = await asyncio.open_connection("127.0.0.1", self._upstream)
            self._lines.add(back)
            await asyncio.wait(
                {
                    asyncio.create_task(self._pass(reader, back, counts=True)),
                    asyncio.create_task(self._pass(answers, writer, counts=False)),
                },
                return_when=asyncio.FIRST_COMPLETED,
            )
        except OSError:
            pass
        finally:
            for line in (writer, back):
                if line is not None:
                    self._lines.discard(line)
                    line.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, counts: bool) -> None:
        tail = b""
        with suppress(OSError):
            while data := await source.read(1 << 16):
                to.write(data)
                await to.drain()
                if counts:
                    tail = self._count(tail + data)

    def _count(self, seen: bytes) -> bytes:
        end = 0
        for found in ORDER.finditer(seen):
            self.orders[found[1].decode()] += 1
            end = found.end()
        if end:
            with self._left:
                self._left.notify_all()
        return seen[max(end, len(seen) - TAIL) :]


def port_of(url: str) -> int:
    """The port of http://127.0.0.1:PORT."""
    return int(url.rsplit(":", 1)[1])
