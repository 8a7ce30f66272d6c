"""The brain as a process: it waits for a cycle to be opened, gathers the bar that has just closed, and answers once.

    python -m podshop.live.brain STATE

STATE/brain.json says which fund and which data; nothing here reads gateway.toml or a key. What it was fed and what it
answered is kept in STATE/bars; its memory is saved there every hour and once more when it ends, so that the daily
restart costs nothing. Where the memory is lost, voices and shadows are made anew from history since the first decision.
"""

import asyncio
import hashlib
import logging
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from podshop.live.brain.clock import expired
from podshop.live.brain.feed import Ccxt, Feed, Hyperliquid, Source, joined
from podshop.live.brain.mind import Mind, of_time
from podshop.live.brain.seats import Asker
from podshop.live.brain.snapshots import Decided, Fed, Snapshots, fed, unfed
from podshop.live.brain.workers import Workers
from podshop.live.clock import Clock, WallClock
from podshop.live.frames import canonical, decoded, read_frame, write_frame
from podshop.live.heartbeat import Heart
from podshop.live.messages import VERSION, Hello, Opened, Targets
from podshop.maths.compiled import package_sha256
from podshop.nouns import HOUR_NS, ConfigError, DataError, Funding, Market, VenueError, duration_ns, utc_text
from podshop.nouns.symbols import BASES
from podshop.run.config import load
from podshop.run.config.sections import Fund as FundFile
from podshop.run.world import read_world, warm_up_from
from podshop.venues.wire import Wire

SIMULATED = "simulated"
PATIENCE = 4  # a bar is waited for during one in so many parts of its cycle, 10 s at most
PATIENCE_NS = 10_000_000_000
AGAIN_S = 0.05
BEAT_S = 0.5
log = logging.getLogger("podshop.brain")
T = TypeVar("T")


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """STATE/brain.json: the fund file, the folder of history (`simulated`, or empty), the venue and where it is."""

    fund: str
    data: str
    venue: str
    base_url: str = ""


class Kept(NamedTuple):
    """STATE/bars/mind: when the fund's first decision was, and the memory after some cycle (empty = none)."""

    began_ns: int
    last_ns: int
    memory: bytes


class Brain:
    """A mind, what feeds it, and what it keeps."""

    def __init__(self, file: FundFile, mind: Mind, feed: Feed, snapshots: Snapshots, clock: Clock, keep: Path) -> None:
        self.file, self.mind, self.interval_ns = file, mind, mind.interval_ns
        self._feed, self._snapshots, self._clock, self._keep = feed, snapshots, clock, keep
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mind")
        self._saved_ns = 0
        self._last: Targets | None = None
        self.cycle = -1

    async def answer(self, opened: Opened) -> Targets | None:
        """Targets for a cycle; None where its time is over by now, or a later bar has been looked at.

        A gateway that comes back asks for the cycle that it had opened: it is told the same again.
        Raises DataError where the message is of no cycle.
        """
        if opened.at_ns % self.interval_ns or opened.cycle != opened.at_ns // self.interval_ns:
            raise DataError(f"cycle {opened.cycle} is not the one of {utc_text(opened.at_ns)}")
        decided_ns = self.mind.decided_ns or 0
        if opened.at_ns <= decided_ns or opened.at_ns < self.mind.last_ns:
            late = expired(opened.cycle, self.interval_ns, self._clock.now_ns())
            return None if late or opened.cycle != self.cycle else self._last
        if opened.at_ns > self.mind.last_ns:
            await self.catch_up(opened.at_ns)
        targets = await self._in_thread(lambda: self.mind.decide(opened))
        self._snapshots.add(Decided(opened.at_ns, canonical(opened)[0], canonical(targets)[1], self.mind.silent))
        self.cycle, self._last = opened.cycle, targets
        if opened.at_ns - self._saved_ns >= HOUR_NS:
            await self._in_thread(self.save)
        return None if expired(opened.cycle, self.interval_ns, self._clock.now_ns()) else targets

    async def catch_up(self, until_ns: int) -> None:
        """Feed all bars up to one that has closed; what has not come in time is missing."""
        patience_ns = min(self.interval_ns // PATIENCE, PATIENCE_NS)
        while True:
            market, paid, silent = await self._feed.rows(self.mind.last_ns, until_ns)
            last = market.columns["volume"][-1]
            missing = [name for name, volume in zip(market.names, last, strict=True) if volume != volume]
            if not missing or self._clock.now_ns() - until_ns >= patience_ns:
                break
            await asyncio.sleep(AGAIN_S)
        if silent:
            log.warning("no market data of %s", ", ".join(silent))
        await self._in_thread(lambda: self._take(market, paid))

    def save(self) -> None:
        """Keep what the mind remembers, once it has decided something."""
        if self.mind.decided_ns is None:
            return
        self._saved_ns = self.mind.last_ns
        write_kept(self._keep, Kept(self.mind.began_ns, self.mind.last_ns, self.mind.save()))

    def close(self) -> None:
        """Save, and end the thread."""
        self._thread.shutdown(wait=True)
        self.save()
        self._snapshots.close()

    def _take(self, market: Market, paid: Funding) -> None:
        for row in range(len(market)):
            bar = market[row : row + 1]
            mine = of_time(paid, self.mind.last_ns, int(bar.time[0]))
            inputs = self.mind.feed(bar, mine)
            self._snapshots.add(fed(bar, mine, inputs))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Run it beside the loop, so that heartbeats go on; always in the same thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


async def start(
    file: FundFile, told: Told, source: Source, clock: Clock, bars: Path, ask: Asker | None = None
) -> Brain:
    """A brain that knows all up to the last closed bar, and remembers what it remembered."""
    interval_ns = duration_ns(file.market.interval)
    files = Path(told.data) if told.data not in ("", SIMULATED) else None
    feed, snapshots = Feed(file, source, interval_ns, files), Snapshots(bars)
    now_ns = clock.now_ns() // interval_ns * interval_ns
    kept = read_kept(bars / "mind")
    until_ns = now_ns if kept is None or not kept.memory else kept.last_ns
    rows = {row.at_ns: row for row in snapshots.read(warm_up_from(file, until_ns)) if isinstance(row, Fed)}
    market, paid = await history(file, told, feed, rows, until_ns)
    began_ns = None if kept is None or kept.memory else kept.began_ns
    mind = Mind(file, market, paid, since_ns=began_ns, ask=ask)
    if kept is not None and kept.memory:
        mind.restore(kept.memory)
    while (row := rows.get(mind.last_ns + interval_ns)) is not None:
        mind.feed(*unfed([row]))
    return Brain(file, mind, feed, snapshots, clock, bars / "mind")


async def history(
    file: FundFile, told: Told, feed: Feed, rows: dict[int, Fed], until_ns: int
) -> tuple[Market, Funding]:
    """Bars and funding up to a closed bar: from files, then as they were fed, then from the venue."""
    interval_ns = duration_ns(file.market.interval)
    found: tuple[Market, Funding] | None = None
    with suppress(ConfigError):  # where files do not reach so far, or there are none
        if told.data == SIMULATED:
            world = read_world(file, None, None, None)
            found = world.market, world.funding
        elif told.data:
            world = read_world(file, Path(told.data), until_ns - interval_ns, until_ns)
            found = world.market, world.funding
    if found is not None:
        market, paid = found
        found = market[: int((market.time <= until_ns).sum())], of_time(paid, 0, until_ns)
    if found is None:
        market, paid, _ = await feed.rows(warm_up_from(file, until_ns), until_ns)
        return market, paid
    more: list[Fed] = []
    while (
        row := rows.get(int(found[0].time[-1]) + interval_ns * (len(more) + 1))
    ) is not None and row.at_ns <= until_ns:
        more.append(row)
    if more:
        found = joined(found, unfed(more))
    if int(found[0].time[-1]) < until_ns:
        market, paid, _ = await feed.rows(int(found[0].time[-1]), until_ns)
        found = joined(found, (market, paid))
    return found


async def serve(brain: Brain, socket: Path, beat: Callable[[int], None], stop: asyncio.Event) -> None:
    """Speak with the gateway until told to stop; where it is gone, wait for it to come back."""
    beating = asyncio.create_task(_beats(brain, beat))
    try:
        while not stop.is_set():
            try:
                reader, writer = await asyncio.open_unix_connection(str(socket))
            except OSError:
                await _sleep(stop, AGAIN_S * 4)
                continue
            try:
                await write_frame(writer, Hello(VERSION, package_sha256(), brain.file.sha256))
                await _talk(brain, reader, writer, stop)
            except (DataError, ConnectionError) as e:
                log.warning("the gateway's line: %s", e)
                await _sleep(stop, AGAIN_S * 10)
            finally:
                writer.close()
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


async def _talk(brain: Brain, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stop: asyncio.Event) -> None:
    """Answer what is opened, one at a time; of several that have come meanwhile only the last."""
    latest: asyncio.Queue[Opened | None] = asyncio.Queue(1)

    async def listen() -> None:
        while True:
            body = await read_frame(reader)
            opened = None if body is None else decoded(body, Opened)
            while not latest.empty():
                latest.get_nowait()
            latest.put_nowait(opened)
            if opened is None:
                return

    listening, stopping = asyncio.create_task(listen()), asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            coming = asyncio.create_task(latest.get())
            await asyncio.wait({coming, stopping, listening}, return_when=asyncio.FIRST_COMPLETED)
            if listening.done() and listening.exception() is not None:
                coming.cancel()
                await listening
            if not coming.done():
                coming.cancel()
                if listening.done() or stop.is_set():
                    return
                continue
            opened = coming.result()
            if opened is None:
                return
            targets = await brain.answer(opened)
            if targets is not None:
                await write_frame(writer, targets)
    finally:
        for task in (listening, stopping):
            task.cancel()
            with suppress(asyncio.CancelledError, DataError):
                await task


async def _beats(brain: Brain, beat: Callable[[int], None]) -> None:
    while True:
        with suppress(OSError):  # a full disk must not end the brain; silence says enough
            beat(brain.cycle)
        await asyncio.sleep(BEAT_S)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


def write_kept(path: Path, kept: Kept) -> None:
    """Replace the file in one step; its first 32 bytes say whether it is whole."""
    body = msgspec.msgpack.encode(kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(hashlib.sha256(body).digest() + body)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_kept(path: Path) -> Kept | None:
    """What was kept; None where nothing was. Raises DataError where it is not whole."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    if hashlib.sha256(raw[32:]).digest() != raw[:32]:
        raise DataError(f"{path} is not whole; delete it, and voices and shadows are made anew from history")
    return msgspec.msgpack.decode(raw[32:], type=Kept)


async def main(state: Path) -> None:
    """Run until SIGTERM or SIGINT."""
    told = msgspec.json.decode((state / "brain.json").read_bytes(), type=Told)
    file = load(Path(told.fund))
    clock = await _clock(told.base_url) if told.base_url else WallClock()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    workers = Workers(file, Path(told.fund).parent)
    source = source_of(told)
    try:
        heart = Heart(state, "brain")
        brain = await start(file, told, source, clock, state / "bars", workers)
        if not await asyncio.to_thread(workers.ready):
            log.warning("not every worker is ready; agents without one have no vote")
        log.info("knows all up to %s", utc_text(brain.mind.last_ns))
        try:
            await serve(brain, state / "run" / "targets", lambda cycle: heart.beat(clock.now_ns(), cycle), stop)
        finally:
            brain.close()
    finally:
        workers.close()
        await source.close()


def source_of(told: Told) -> Source:
    """Public market data for a venue."""
    if told.venue in (SIMULATED, "purpleflea", "hyperliquid"):
        return Hyperliquid(told.base_url or "https://api.hyperliquid.xyz")
    import ccxt.async_support as ccxt

    swap = {"binanceusdm": "{}/USDT:USDT", "bybit": "{}/USDT:USDT", "okx": "{}/USDT:USDT"}[told.venue]
    exchange = getattr(ccxt, told.venue)({"enableRateLimit": True})
    return Ccxt(told.venue, exchange, {name: swap.format(name) for name in BASES})


async def _clock(base_url: str) -> WallClock:
    """The clock of the loopback exchange, which replays faster than the wall."""
    wire = Wire(base_url)
    try:
        said = (await wire.ask("GET", "/sim/clock")).json("the simulated exchange")
        return WallClock(int(said["at_ns"]), float(said["rate"]))
    except (KeyError, TypeError, ValueError):
        raise VenueError(f"{base_url}: no clock of a simulated exchange") from None
    finally:
        await wire.close()
