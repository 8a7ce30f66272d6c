"""Signs of life: one small file each for brain, gateway and watchdog, overwritten in place every second or so.

How long somebody is silent is counted by the machine's monotonic clock, which no operator and no time server can set,
and which all processes of a machine share; it stands still while the machine sleeps. The boot-time clock goes on, so
the difference of both says how long it slept: after that everybody gets one cycle of grace. A beat from before the
last start of the machine counts as none: who never beat is silent since the listener began. Nothing is synced, for a
beat need not outlive a crash.
"""

import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

WHO = ("brain", "gateway", "watchdog")
FOREVER_NS = 1 << 62
STARTS_NS = 120_000_000_000  # of the wall, that a process may take from its first beat to its first cycle: it compiles
JOINED_NS = 30_000_000_000  # of the wall, that one who starts with us may take to his first beat
SLEPT_NS = 1_000_000_000  # clocks that part by more did not drift: the machine slept
_FORM = struct.Struct(">12sQqqqQq16s")
_MAGIC = b"podshop beat"


class Now(NamedTuple):
    """This machine's clocks: monotonic (stands still in sleep), boot time (does not), and which start of it this is."""

    monotonic_ns: int
    boottime_ns: int
    boot: bytes


def here() -> Now:
    """Read the machine's clocks."""
    return Now(time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME), _boot())


class Beat(NamedTuple):
    """One sign of life.

    number  grows with each; at_ns the venue's time; cycle that was last completed, -1 = none yet
    """

    number: int
    at_ns: int
    now: Now
    pid: int
    cycle: int


class Heart:
    """Writes one process' beats."""

    def __init__(self, state: Path, who: str, now: Callable[[], Now] = here) -> None:
        self._path, self._now, self._number = state / f"heartbeat.{who}", now, 0

    def beat(self, at_ns: int, cycle: int = -1) -> None:
        """I am alive. Raises OSError where the file cannot be written, which is silence."""
        self._number += 1
        now = self._now()
        said = _FORM.pack(_MAGIC, self._number, at_ns, now.monotonic_ns, now.boottime_ns, os.getpid(), cycle, now.boot)
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.pwrite(file, said + struct.pack(">I", crc32(said)), 0)
        finally:
            os.close(file)


def heard(state: Path, who: str) -> Beat | None:
    """The last beat; None where there is none that can be read."""
    try:
        raw = (state / f"heartbeat.{who}").read_bytes()
    except OSError:
        return None
    said, seal = raw[: _FORM.size], raw[_FORM.size : _FORM.size + 4]
    if len(seal) != 4 or struct.unpack(">I", seal)[0] != crc32(said) or not said.startswith(_MAGIC):
        return None
    _, number, at_ns, monotonic_ns, boottime_ns, pid, cycle, boot = _FORM.unpack(said)
    return Beat(number, at_ns, Now(monotonic_ns, boottime_ns, boot), pid, cycle)


@dataclass(slots=True)
class Ear:
    """Listens to one process: how long it has been silent, in the venue's nanoseconds.

    who       whose beats
    rate      how many times faster than the wall the venue's clock runs
    grace_ns  of the venue's clock, that everybody is given after the machine has slept: one cycle
    cycles    whether it goes through cycles: then it is silent from when its cycle last grew, however it beats. A loop
              that hangs, or a process that begins again and again, beats too
    listener  who listens, where that has beats of its own: if those are older than the grace, it was away as well, and
              he may be starting with us: the grace is given again. One that restarts alone forgets nothing
    """

    state: Path
    who: str
    grace_ns: int
    rate: float = 1.0
    now: Callable[[], Now] = here
    cycles: bool = False
    listener: str = ""
    _began: Now = field(init=False)
    _cycle: int = field(default=-1, init=False)
    _grew_ns: int = field(init=False)  # when it was first heard of that cycle
    _joins_ns: int = field(default=0, init=False)
    _asleep_ns: int = field(init=False)  # boot time less monotonic, at the last look
    _woke_ns: int = field(default=-FOREVER_NS, init=False)

    def __post_init__(self) -> None:
        self._began = self.now()
        self._asleep_ns = self._began.boottime_ns - self._began.monotonic_ns
        self._grew_ns = self._began.monotonic_ns
        own = heard(self.state, self.listener) if self.listener else None
        away_ns = FOREVER_NS
        if own is not None and own.now.boot == self._began.boot:
            away_ns = self._began.monotonic_ns - own.now.monotonic_ns
        joins_ns = max(int(self.grace_ns / self.rate), JOINED_NS)
        if self.listener and away_ns > joins_ns:
            self._joins_ns = joins_ns

    def silent_ns(self) -> int:
        """Since its last beat, or its last cycle, less the grace. Restarting the listener does not make it forget."""
        now = self.now()
        asleep_ns = now.boottime_ns - now.monotonic_ns
        if asleep_ns - self._asleep_ns > SLEPT_NS:
            self._woke_ns = now.monotonic_ns
        self._asleep_ns = asleep_ns
        beat = heard(self.state, self.who)
        if beat is None or beat.now.boot != now.boot:
            silent_ns = now.monotonic_ns - self._began.monotonic_ns
        else:
            silent_ns = max(0, now.monotonic_ns - beat.now.monotonic_ns)
            if asleep_ns - (beat.now.boottime_ns - beat.now.monotonic_ns) > SLEPT_NS:
                self._woke_ns = max(self._woke_ns, self._began.monotonic_ns)  # it slept before we began to listen
            silent_ns = max(silent_ns, self._stuck_ns(beat, now))
            if now.monotonic_ns - self._began.monotonic_ns < self._joins_ns:
                silent_ns = 0
        venue_ns = int(silent_ns * self.rate)
        return 0 if int((now.monotonic_ns - self._woke_ns) * self.rate) < self.grace_ns else venue_ns

    def _stuck_ns(self, beat: Beat, now: Now) -> int:
        """Since its cycle last grew, of the wall; 0 where it has none."""
        if not self.cycles:
            return 0
        if beat.cycle > self._cycle:
            self._cycle, self._grew_ns = beat.cycle, beat.now.monotonic_ns
        starting_ns = STARTS_NS if beat.cycle < 0 else 0
        return max(0, now.monotonic_ns - self._grew_ns - starting_ns)


def _boot() -> bytes:
    """Which start of the machine this is; the same for every process of it."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except OSError:
        return bytes(16)
    return bytes.fromhex(text.strip().replace("-", ""))
