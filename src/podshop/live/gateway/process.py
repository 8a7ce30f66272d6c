"""The gateway's process: its cycle clock, the brain's socket, the operator's socket, its heart.

    STATE/run/targets   one brain at a time, of the brain's user; first its Hello, then an Opened and a Targets a cycle
    STATE/desk/control  the operator, with his token: one JSON object a line (`live.control`)

Cycle id = floor(time / interval). A cycle that is late is skipped, never caught up with; targets that come after their
cycle's end are dropped. It ends with its supervisor.
"""

import asyncio
import contextlib
import logging
import os
import pwd
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

from podshop.journal.keeper import Keeper
from podshop.live import config, control, guards
from podshop.live.clock import Clock
from podshop.live.control import Answer
from podshop.live.frames import clear_socket, decoded, framed, peer_of, read_frame, write_frame
from podshop.live.gateway.core import Gateway
from podshop.live.gateway.operator import Operator
from podshop.live.gateway.terms import read_terms, tightened
from podshop.live.gateway.warm import warm
from podshop.live.heartbeat import Ear, Heart
from podshop.live.intents import FlightFile
from podshop.live.latch import HALTED_STATE, STATES, Latch
from podshop.live.messages import VERSION, Hello, Opened, Targets
from podshop.live.reach import reach
from podshop.maths.compiled import package_sha256
from podshop.nouns import ConfigError, DataError, LedgerError, VenueError
from podshop.nouns.venue import SECOND_NS
from podshop.venues.wire import Secret

BEAT_S = 0.5
ANSWERS_UNTIL = 0.9  # of a cycle: so long the brain is waited for
MARGIN = 0.02  # of a cycle: what is tended ends so long before the next
SLACK_NS = 50_000_000  # of the wall: how exactly two processes here know the time of a replay
log = logging.getLogger("podshop.gateway")


class BrainLine:
    """The one brain, and what it says. Messages of past cycles are dropped on arrival."""

    def __init__(self, fund_sha256: str, uid: int) -> None:
        self._fund_sha256, self._uid = fund_sha256, uid
        self._writer: asyncio.StreamWriter | None = None
        self._said: asyncio.Queue[Targets | None] = asyncio.Queue(4)
        self._opened: Opened | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it closes or says what is no message."""
        try:
            peer = peer_of(writer)
            if peer.uid not in (self._uid, 0):
                raise DataError(f"user {peer.uid} is not the brain's")
            if self._writer is not None:
                raise DataError("a brain is connected already")
            body = await read_frame(reader)
            hello = None if body is None else decoded(body, Hello)
            wanted = Hello(VERSION, package_sha256(), self._fund_sha256)
            if hello != wanted:
                raise DataError(f"the brain is {hello}, expected {wanted}")
            self._writer = writer
            if self._opened is not None:
                await write_frame(writer, self._opened)
            while (body := await read_frame(reader)) is not None:
                await self._take(decoded(body, Targets))
        except (DataError, ConnectionError) as e:
            log.warning("the brain's line: %s", e)
        finally:
            if self._writer is writer:
                self._writer = None
            writer.close()

    async def _take(self, targets: Targets) -> None:
        if self._said.full():
            self._said.get_nowait()
        self._said.put_nowait(targets)

    def _tell(self, opened: Opened) -> None:
        """Say it without waiting: who has not read what came before is dropped, or he would stop every cycle."""
        writer = self._writer
        if writer is None:
            return
        if writer.transport.get_write_buffer_size() > 0:
            log.warning("the brain does not read: its connection is dropped")
            writer.transport.abort()
            self._writer = None
        else:
            writer.write(framed(opened))

    async def ask(self, opened: Opened, clock: Clock, until_ns: int) -> Targets | None:
        """The brain's targets for a cycle, or None where it said nothing in time."""
        self._opened = opened
        while not self._said.empty():
            self._said.get_nowait()
        self._tell(opened)
        timer = asyncio.ensure_future(clock.sleep_until(until_ns))
        try:
            while not timer.done():
                coming = asyncio.ensure_future(self._said.get())
                await asyncio.wait({coming, timer}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    coming.cancel()
                    return None
                targets = coming.result()
                if targets is not None and targets.cycle >= opened.cycle:
                    return targets
                log.warning("targets of a cycle that is over were dropped")
            return None
        finally:
            timer.cancel()


async def serve_control(operator: Operator, token: str, path: Path) -> asyncio.Server:
    """The operator's socket."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readuntil(b"\n")
            try:
                answer = await operator.answer(control.parse(line, token))
            except ConfigError as e:
                answer = Answer(error=str(e))
            writer.write(control.line_of(answer))
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            log.warning("the operator's line: no whole request")
        finally:
            writer.close()

    clear_socket(path)
    server = await asyncio.start_unix_server(serve, str(path), limit=control.MOST_BYTES)
    path.chmod(0o660)
    return server


async def cycles(gateway: Gateway, brain: BrainLine, clock: Clock, stop: asyncio.Event) -> None:
    """One cycle after another, each at its instant, until told to stop."""
    interval_ns = gateway.terms.interval_ns
    while not stop.is_set():
        # a clock that was ahead and has been moved back opens no cycle a second time
        cycle = max(clock.now_ns() // interval_ns, gateway.memory.opened) + 1
        waits = asyncio.ensure_future(clock.sleep_until(cycle * interval_ns))
        stops = asyncio.ensure_future(stop.wait())
        await asyncio.wait({waits, stops}, return_when=asyncio.FIRST_COMPLETED)
        waits.cancel()
        stops.cancel()
        if stop.is_set():
            return
        end_ns = (cycle + 1) * interval_ns
        opened = await gateway.open_cycle(cycle)
        targets = await brain.ask(opened, clock, int((cycle + ANSWERS_UNTIL) * interval_ns))
        if targets is not None:
            report = await gateway.trade(targets)
            if report.refused:
                log.warning("cycle %d: %s", cycle, report.refused)
        await gateway.tend(end_ns - int(MARGIN * interval_ns))


async def run(state: Path, key: Secret | None) -> int:
    """The gateway of a state folder until SIGTERM or SIGINT; an exit code.

    On a full disk it gives the ballast back and ends: what it could not write is not done, and the process after it
    takes up the journal, asks after every order and finishes the bookings.
    """
    try:
        return await _run(state, key)
    except (LedgerError, sqlite3.Error, OSError) as e:
        if not guards.full(e):
            raise
        given = guards.release_ballast(state / "ballast")
        log.error("the disk is full, %s: %s", "the ballast was given back" if given else "and no ballast is left", e)
        return 1


async def _run(state: Path, key: Secret | None) -> int:
    found = config.read(state)
    terms = tightened(read_terms(state / "terms.json"), found)
    latch = Latch(state, "gateway")
    reached = await reach(found, key)
    clock, venue = reached.clock, reached.venue
    latch.repair(clock.now_ns())
    hold_least(latch, found, clock.now_ns())
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    servers: list[asyncio.Server] = []
    ear = Ear(state, "watchdog", terms.interval_ns, reached.rate)
    silence_ns = found.heartbeats.watchdog_reduce * terms.interval_ns
    with Keeper(found.journal, create=not found.journal.exists()) as keeper:
        gateway = Gateway(
            terms, venue, keeper, clock, latch, flight_file=FlightFile(state).write,
            watchdog_silent=lambda: ear.silent_ns() > silence_ns,
        )  # fmt: skip
        if reached.rate > 1.0:  # history runs fast: what the network and this machine take is minutes of it
            gateway.asking.answer_ns = max(terms.answer_ns, min(int(reached.rate * SECOND_NS), terms.interval_ns // 4))
            gateway.asking.leave_ns = terms.interval_ns
            gateway.most_offset_ns = max(terms.offset_ns, int(reached.rate * SLACK_NS))
            gateway.desk.bear_skew(int(reached.rate * SLACK_NS))
        heart = Heart(state, "gateway")
        beating = asyncio.create_task(_beats(lambda: heart.beat(clock.now_ns(), gateway.cycle)))
        try:
            await asyncio.get_running_loop().run_in_executor(None, warm, terms)
            await gateway.begin()
            brain = BrainLine(terms.fund_sha256, _uid(found.users.brain))
            clear_socket(found.targets_socket)
            servers.append(await asyncio.start_unix_server(brain.serve, str(found.targets_socket)))
            found.targets_socket.chmod(0o660)
            operator = Operator(gateway, latch, package_sha256())
            servers.append(
                await serve_control(operator, control.read_token(found.operator_token, own=True), found.control_socket)
            )
            log.info("open at %s, row %d", venue.card.venue, keeper.head.seq)
            await cycles(gateway, brain, clock, stop)
        except LedgerError as e:
            if guards.full(e):
                raise
            log.exception("the books do not balance")
            latch.raise_to(HALTED_STATE, clock.now_ns(), f"the books do not balance: {e}")
            return 1
        finally:
            for server in servers:
                server.close()
            beating.cancel()
            gateway.stop()
            with contextlib.suppress(VenueError):
                await venue.close()
    return 0


def hold_least(latch: Latch, found: config.Gateway, now_ns: int) -> None:
    """At least the state that gateway.toml names, at every start of this process."""
    least = STATES.index(found.state)
    if latch.held().state < least:
        latch.raise_to(least, now_ns, f"{config.GATEWAY_TOML}: state")


async def _beats(beat: Callable[[], None]) -> None:
    while True:
        with contextlib.suppress(OSError):  # a full disk must not end the gateway; silence says enough
            beat()
        await asyncio.sleep(BEAT_S)


def _uid(user: str) -> int:
    """The number of a user; our own where none is named. Raises ConfigError where there is no such user."""
    if not user:
        return os.getuid()
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        raise ConfigError(f"gateway.toml: users.brain is {user!r}, and there is no such user") from None
