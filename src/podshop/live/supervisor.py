"""Starts brain, gateway and watchdog, starts again what ends, and does nothing else.

It knows no key, no journal and no venue, so there is little in it that can fail. Brain and gateway hang on its
lifeline: when it dies, they end. The watchdog does not: should everything here be gone, it hears no gateway any more
and flattens. A program that ends is started again after 1, 2, 4 ... 60 seconds; one that stood for ten minutes begins
with 1 again. Exit code 2 of a gateway says that the configuration is wrong. While a person still looks on, at its first
start, all stops. Later there may be positions, and nothing that a gateway or a brain does may end the watchdog: what
cannot be started then is tried again for ever. The brain's code never counts, since nobody trusts it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from podshop.live.config import Gateway
from podshop.live.process import LIFELINE_FD, environment
from podshop.live.secrets import KEY_FD, open_key
from podshop.nouns import ConfigError

WRONG = 2  # exit code of a program that was asked for what cannot be
STOOD_S = 600.0
FIRST_S = 90.0  # a first start that has lasted so long has stood: it read its configuration and reached its venue
LONGEST_S = 60.0
PATIENCE_S = 10.0  # for a program that was asked to end
DAY_S = 86_400.0
TICK_S = 0.3

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program to keep running.

    hangs    it ends with the supervisor
    key      file of the key that it inherits, opened here; empty = none
    daily    it is started afresh each day
    again    exit code 2 is as any other: another one may still hold its lock, or nobody believes what it says
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    hangs: bool = True
    key: str = ""
    daily: bool = False
    again: bool = False


@dataclass(slots=True)
class Kept:
    """A program and how it fares. Times are of the monotonic clock, in seconds."""

    program: Program
    child: subprocess.Popen[bytes] | None = None
    began_s: float = 0.0
    due_s: float = 0.0
    failures: int = 0
    stood: bool = False  # its first start is over, and not by exit code 2


def programs(gateway: Gateway, python: str = sys.executable) -> tuple[Program, ...]:
    """The three programs of a fund. With real money each keeps its machine code to itself; paper shares the user's."""

    def cache(name: str) -> Path:
        shared = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return gateway.folder / "cache" / name if gateway.real_money else shared

    def start(name: str) -> tuple[list[str], dict[str, str]]:
        return [python, "-I", "-m", f"podshop.live.{name}", str(gateway.folder)], environment(cache(name))

    watchdog, watchdog_env = start("watchdog")
    desk, desk_env = start("gateway")
    brain, brain_env = start("brain")
    return (
        Program(
            name="watchdog", command=watchdog, env=watchdog_env, hangs=False, key=gateway.keys.watchdog, again=True
        ),
        Program(name="gateway", command=desk, env=desk_env, key=gateway.keys.gateway),
        Program(name="brain", command=brain, env=brain_env, daily=True, again=True),
    )


@dataclass(slots=True)
class Supervisor:
    """Keeps programs running until it is told to stop.

    say    is told what starts and ends
    tick   called about three times a second: a progress line, a backup
    now_s  the monotonic clock
    """

    programs: Sequence[Program]
    say: Say = print
    tick: Callable[[], None] = lambda: None
    now_s: Callable[[], float] = time.monotonic
    kept: dict[str, Kept] = field(default_factory=dict, init=False)
    _lifeline: tuple[int, int] = field(default=(-1, -1), init=False)
    _stops: bool = field(default=False, init=False)

    def run(self) -> int:
        """Until SIGINT or SIGTERM, or until a first start says that the configuration is wrong; its exit code."""
        self._lifeline = os.pipe()  # neither end is inheritable but by pass_fds
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        self.kept = {program.name: Kept(program) for program in self.programs}
        code = 0
        try:
            while not self._stops and code == 0:
                for one in self.kept.values():
                    code = code or self._look(one)
                self.tick()
                time.sleep(TICK_S)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self.stop()
        return code

    def end(self) -> None:
        """Let `run` come to its end."""
        self._stops = True

    def stop(self) -> None:
        """End the programs, the watchdog last: as long as a gateway might send, somebody watches."""
        for name in reversed(list(self.kept)):
            child = self.kept[name].child
            if child is None or child.poll() is not None:
                continue
            child.terminate()
            try:
                child.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            self.say(f"{name} has ended")
        for end in self._lifeline:
            with contextlib.suppress(OSError):
                os.close(end)

    def _look(self, one: Kept) -> int:
        """Start what is due, notice what has ended; WRONG where nothing would help."""
        now_s = self.now_s()
        program, child = one.program, one.child
        if child is None:
            if one.due_s <= now_s:
                self._try(one, now_s)
            return 0
        code = child.poll()
        if code is None:
            one.stood = one.stood or now_s - one.began_s >= FIRST_S
            if program.daily and now_s - one.began_s >= DAY_S:
                self.say(f"{program.name} is started afresh")
                child.terminate()
                one.began_s = now_s
            return 0
        one.child = None
        if code == WRONG and not program.again and not one.stood:
            self.say(f"{program.name} cannot run; see what it said")
            return WRONG
        one.stood = True
        one.failures = 0 if now_s - one.began_s > STOOD_S else one.failures
        self._later(one, now_s, f"ended ({_ending(code)})")
        return 0

    def _try(self, one: Kept, now_s: float) -> None:
        """Start it; what cannot be started is tried later, but for a first start, which raises ConfigError."""
        try:
            self._start(one, now_s)
        except ConfigError as e:
            if not one.stood:
                raise
            self._later(one, now_s, f"cannot be started: {e}")

    def _later(self, one: Kept, now_s: float, why: str) -> None:
        one.failures += 1
        pause_s = min(2.0 ** min(one.failures - 1, 10), LONGEST_S)
        one.due_s = now_s + pause_s
        self.say(f"{one.program.name} {why}; again in {pause_s:g} s")

    def _start(self, one: Kept, now_s: float) -> None:
        program, env, handed = one.program, dict(one.program.env), []
        if program.hangs:
            env[LIFELINE_FD] = str(self._lifeline[0])
            handed.append(self._lifeline[0])
        key = open_key(Path(program.key)) if program.key else None
        if key is not None:
            env[KEY_FD] = str(key)
            handed.append(key)
        try:
            one.child = subprocess.Popen(
                program.command,
                env=env,
                pass_fds=handed,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in the terminal is for the supervisor, which ends them in order
            )
        except OSError as e:
            raise ConfigError(f"{program.command[0]}: {e.strerror}") from None
        finally:
            if key is not None:
                os.close(key)
        one.began_s = now_s
        self.say(f"{program.name} started (process {one.child.pid})")

    def _stop(self, *_: object) -> None:
        self.end()


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
