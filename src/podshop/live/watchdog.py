"""The watchdog: a program of its own that watches latch and heartbeat, and flattens the account alone.

    python -I -m podshop.live.watchdog STATE

It has its own key and its own way to the venue, reads neither journal nor fund, and outlives everybody: it needs no
supervisor, no database and no space on the disk. It flattens where the latch says FLATTEN, or where the gateway has
been silent for too long; then it raises the latch before it asks the venue anything. After FLAT it goes on watching.
No venue restricts a key to reductions, so this key could open positions too; the code that holds it cannot.
"""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from podshop.live import guards
from podshop.live.clock import Clock
from podshop.live.config import Gateway
from podshop.live.flatten import Flattener, Said
from podshop.live.guards import Notice
from podshop.live.heartbeat import Ear, Heart, Now, here
from podshop.live.intents import in_flight
from podshop.live.latch import FLATTEN, REDUCE_ONLY_STATE, Held, Latch
from podshop.nouns import SECOND_NS, ConfigError
from podshop.nouns.venue import Venue

log = logging.getLogger("podshop.watchdog")
WORDS = 16_384  # bytes of STATE/flat
STEPS = 60


class Step(NamedTuple):
    """One of STATE/flat."""

    number: int
    said: Said


@dataclass(slots=True)
class Watchdog:
    """Watches one fund.

    cycle_ns    length of a cycle
    silence     cycles for which the gateway may be silent
    rate        how many times faster than the wall the venue's clock runs
    now         this machine's clocks
    say         is told every step of a flattening
    disk        room on the disk: below the last threshold the fund only reduces
    """

    state: Path
    venue: Venue
    clock: Clock
    cycle_ns: int
    silence: int
    rate: float = 1.0
    now: Callable[[], Now] = here
    say: Callable[[Said], None] = lambda said: None
    disk: Callable[[], Notice | None] = lambda: None
    writer: str = "watchdog"
    _steps: list[Step] = field(default_factory=list, init=False)
    _wants: Held | None = field(default=None, init=False)  # what must hold, should the latch not take it

    async def run(self) -> None:
        """Until cancelled."""
        latch = Latch(self.state, self.writer)
        with contextlib.suppress(OSError):
            latch.repair(self.clock.now_ns())
        ear = Ear(self.state, "gateway", self.cycle_ns, self.rate, self.now, cycles=True, listener="watchdog")
        self._steps = steps_of(self.state)
        beats = asyncio.create_task(self._beat())
        flattening: asyncio.Task[None] | None = None
        try:
            while True:
                held = self._look(latch, ear)
                if held.state >= FLATTEN and (flattening is None or flattening.done()):
                    flattening = asyncio.create_task(self._flatten())
                elif held.state < FLATTEN and flattening is not None:  # an operator has resumed
                    flattening.cancel()
                    flattening = None
                await self._pause(min(SECOND_NS, self.cycle_ns // 10))
        finally:
            for task in (beats, flattening):
                if task is not None:
                    task.cancel()

    def _look(self, latch: Latch, ear: Ear) -> Held:
        """What holds, after the gateway's silence has been judged."""
        held = latch.held()
        if self.writer in held.damaged:
            with contextlib.suppress(OSError):
                held = latch.repair(self.clock.now_ns())
        notice = self.disk()
        if notice is not None and notice.level == "stop" and held.state < REDUCE_ONLY_STATE:
            with contextlib.suppress(OSError):
                held = latch.raise_to(REDUCE_ONLY_STATE, self.clock.now_ns(), f"disk: {notice.text}")
        silent_ns = ear.silent_ns()
        if held.state < FLATTEN and silent_ns > self.silence * self.cycle_ns:
            reason = f"the gateway is silent for {silent_ns // SECOND_NS} s"
            self._wants = Held(FLATTEN, self.writer, self.clock.now_ns(), reason)
            try:
                held = latch.raise_to(FLATTEN, self.clock.now_ns(), reason)
                self._wants = None
            except OSError as e:
                log.error("the latch cannot be written (%s); flattening all the same", e.strerror)
        return self._wants if self._wants is not None and held.state < FLATTEN else held

    async def _flatten(self) -> None:
        """To FLAT; then one look a cycle, and to FLAT again should anything be held."""
        flattener = self._flattener()
        while True:
            try:
                await flattener.run()
                await self._pause(self.cycle_ns)
                await flattener.look_again()
            except Exception:  # a mistake of ours must not leave a position: begin anew
                log.exception("the flattener failed, and begins anew")
                await self._pause(SECOND_NS)
                flattener = self._flattener()

    def _flattener(self) -> Flattener:
        flight = lambda: in_flight(self.state)  # noqa: E731 - asked again each time
        return Flattener(self.venue, self.clock, self.cycle_ns, flight, self._told, rate=self.rate)

    async def _beat(self) -> None:
        heart = Heart(self.state, "watchdog", self.now)
        while True:
            with contextlib.suppress(OSError):
                heart.beat(self.clock.now_ns())
            await self._pause(max(self.cycle_ns // 10, 1))

    def _told(self, said: Said) -> None:
        log.info("%s: %s", said.word, said.text)
        listed = dict(list(said.lots.items())[:20])
        number = self._steps[-1].number + 1 if self._steps else 1
        self._steps = [*self._steps[-STEPS:], Step(number, said._replace(text=said.text[:200], lots=listed))]
        tell(self.state, self._steps)
        self.say(said)

    async def _pause(self, ns: int) -> None:
        await self.clock.sleep_until(self.clock.now_ns() + ns)


def tell(state: Path, steps: Sequence[Step]) -> None:
    """Show the last steps of a flattening in STATE/flat, for `podshop status` and `flatten`; a full disk is borne."""
    kept = list(steps)
    while len(text := json.dumps(kept).encode()) > WORDS and kept:
        kept = kept[1:]
    with contextlib.suppress(OSError):
        file = os.open(state / "flat", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.pwrite(file, text.ljust(WORDS), 0)
        finally:
            os.close(file)


def steps_of(state: Path) -> list[Step]:
    """The last steps of a flattening, oldest first; none where there was none."""
    try:
        found = json.loads((state / "flat").read_bytes())
        return [Step(number, Said(*said)) for number, said in found]
    except (OSError, ValueError, TypeError):
        return []


def told(state: Path) -> Said | None:
    """The last step of a flattening; None where there was none."""
    steps = steps_of(state)
    return steps[-1].said if steps else None


def room(gateway: Gateway) -> Notice | None:
    """Room on the disk; on the last megabytes the ballast is given back, so that bookings can be finished."""
    try:
        free = guards.free_bytes(gateway.folder)
    except OSError:
        return None
    if free < gateway.thresholds.ballast_mb * 500_000 and guards.release_ballast(gateway.folder / "ballast"):
        log.error("the disk is full; the ballast was given back")
    return guards.disk(free, gateway.thresholds)


def alone(state: Path) -> int | None:
    """The lock of the one watchdog, held for life; None where another has it."""
    lock = os.open(state / "watchdog.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


async def serve(state: Path) -> None:
    """Read gateway.toml, reach the venue, watch."""
    from podshop.live import config, logs
    from podshop.live.reach import reach
    from podshop.live.secrets import read_key

    gateway = config.read(state)
    key = read_key(gateway.keys.watchdog)
    logs.start(gateway.logs, "watchdog", [key] if key else [])
    reached = await reach(gateway, key, "watchdog")
    try:
        await Watchdog(
            state,
            reached.venue,
            reached.clock,
            reached.interval_ns,
            gateway.heartbeats.gateway_flatten,
            reached.rate,
            disk=lambda: room(gateway),
        ).run()
    finally:
        await reached.venue.close()


def main(arguments: list[str]) -> int:
    """One argument: the state folder."""
    from podshop.live.process import harden

    if len(arguments) != 1:
        print("usage: python -I -m podshop.live.watchdog STATE", file=sys.stderr)  # noqa: T201 - a program's usage
        return 2
    harden()
    state = Path(arguments[0])
    lock = alone(state)
    if lock is None:
        print(f"podshop watchdog: {state}: another one watches it", file=sys.stderr)  # noqa: T201
        return 2
    try:
        asyncio.run(serve(state))
    except ConfigError as e:
        print(f"podshop watchdog: {e}", file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
