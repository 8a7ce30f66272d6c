"""The watchdog as a real process against the exchange over HTTP, with everything else of the fund broken.

The exchange runs in a thread of the test, sixty times faster than the wall, so the oracle reads its truth directly.
"""

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from podshop.live import intents, latch
from podshop.live.flatten import PREFIX
from podshop.live.gateway.terms import Terms
from podshop.live.latch import FLATTEN, Latch
from podshop.live.watchdog import told
from podshop.nouns import MINUTE_NS
from podshop.nouns.symbols import instrument
from podshop.venues.exchange.clock import ServedClock
from podshop.venues.exchange.evil import Evil
from podshop.venues.exchange.http import server_of, start
from podshop.venues.exchange.twin import Twin
from tests.live.ops.halts import COINS, NAMES, exchange

RATE = 60.0
LONGEST_S = 120.0
SOURCE = Path(__file__).resolve().parents[3] / "src"
BROKEN = ("main dead", "database locked", "database corrupt", "disk full", "everything")
TROUBLE = {
    "busy": 0.1, "lost_before": 0.05, "lost_after": 0.1, "late": 0.05, "refused_after_fill": 0.05, "unrounded": 0.1,
    "html": 0.05, "garbage": 0.05, "odd_numbers": 0.05, "twice_keys": 0.03, "reset": 0.05, "read_timeout": 0.03,
    "read_busy": 0.05, "read_html": 0.05, "read_garbage": 0.05, "read_odd_numbers": 0.05, "read_reset": 0.05,
    "empty": 0.15, "stale_price": 0.1,
}  # fmt: skip


@dataclass
class Run:
    """One run's end."""

    broken: str
    flat: bool = False
    false_flat: bool = False
    increases: int = 0
    orders: int = 0
    seconds: float = 0.0
    fired: dict[str, int] = field(default_factory=dict)
    log: str = ""


@contextmanager
def served(twin: Twin, at_ns: int):
    """The exchange over HTTP, in a thread; its URL and its loop."""
    loop, ready, found = asyncio.new_event_loop(), threading.Event(), []

    def main() -> None:
        asyncio.set_event_loop(loop)
        server = server_of(twin, ServedClock(at_ns, RATE), hold_s=5.0)
        runner, url = loop.run_until_complete(start(server.application(), "127.0.0.1", 0))
        found.append(url)
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=main, daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)


def make(state: Path, url: str) -> None:
    """The state folder of a fund whose gateway has been running."""
    latch.create(state)
    intents.create(state)
    text = f'fund = "fund.toml"\nvenue = "simulated"\nbase_url = "{url}"\n[heartbeats]\ngateway_flatten = 2\n'
    (state / "gateway.toml").write_text(text)
    lots = tuple(instrument(name).lot_size for name in NAMES)
    terms = Terms(
        fund="x", fund_sha256="", interval_ns=MINUTE_NS, markets=NAMES, lot_sizes=lots,
        min_notional=(10_000_000,) * COINS, books=("one",), capital_micro=10**12, fee_e8=45_000, min_order_micro=0,
    )  # fmt: skip
    (state / "terms.json").write_bytes(msgspec.json.encode(terms))
    for name in ("run", "logs"):
        (state / name).mkdir()
    with closing(sqlite3.connect(state / "journal.db")) as db:
        db.execute("CREATE TABLE journal(seq INTEGER PRIMARY KEY)")
        db.commit()


def run(seed: int, broken: str) -> Run:
    """Hold positions, break the fund, start the watchdog; what came of it."""
    rng = random.Random(seed)
    at_ns = 1_700_000_040_000_000_000
    twin = Twin(exchange(rng, at_ns, 10**9), Evil(seed, {}))
    for _ in range(rng.randrange(3, 12)):
        twin.truth.foreign(at_ns, rng.choice(NAMES), rng.randrange(2_000, 90_000) * rng.choice([-1, 1]))
    before = set(twin.truth.orders)
    twin.evil.switch({name: chance for name, chance in TROUBLE.items() if rng.random() < 0.8})
    found = Run(broken)
    everything = broken == "everything"
    with ExitStack() as stack:
        folder = stack.enter_context(disk(full=everything or broken == "disk full"))
        url = stack.enter_context(served(twin, at_ns))
        make(folder.path, url)
        state = folder.path
        if broken in ("database locked",):
            db = stack.enter_context(closing(sqlite3.connect(state / "journal.db", isolation_level=None)))
            db.execute("BEGIN EXCLUSIVE")
        if everything or broken == "database corrupt":
            (state / "journal.db").write_bytes(rng.randbytes(9_000))
        if everything:
            (state / "terms.json").chmod(0o444)
        if broken not in ("main dead", "everything"):
            Latch(state, "operator").raise_to(FLATTEN, at_ns, "broken")
        folder.fill()
        child = subprocess.Popen(
            [*folder.limited, sys.executable, "-I", "-m", "podshop.live.watchdog", str(state)],
            env={"PATH": os.environ["PATH"], "HOME": str(state)},
            stderr=subprocess.PIPE,
        )
        began = time.monotonic()
        try:
            while time.monotonic() - began < LONGEST_S and child.poll() is None:
                said = told(state)
                if said is not None and said.word == "FLAT":
                    found.flat = True
                    found.false_flat = any(twin.truth.lots.values())
                    break
                if folder.is_full and not any(twin.truth.lots.values()) and b"FLAT" in folder.heard(child):
                    found.flat = True
                    break
                time.sleep(0.05)
            found.seconds = time.monotonic() - began
        finally:
            child.kill()
            found.log = (folder.said + (child.stderr.read() or b"")).decode(errors="replace")
            child.wait()
        found.false_flat = found.false_flat or (found.flat and any(twin.truth.lots.values()))
    for number, order in twin.truth.orders.items():
        if number not in before and order.filled:
            after = order.before + order.filled
            found.orders += 1
            found.increases += (
                abs(after) > abs(order.before) or after * order.before < 0 or not order.tag.startswith(PREFIX)
            )
    found.fired = {name: count for name, count in twin.evil.fired.items() if count}
    return found


@dataclass
class Disk:
    """A folder, on a disk of its own that can be filled to the last byte where this user may mount one."""

    path: Path
    mounted: bool
    is_full: bool
    said: bytes = b""

    def fill(self) -> None:
        if self.is_full and self.mounted:
            (self.path / "flat").write_bytes(b" " * 16_384)
            (self.path / "heartbeat.watchdog").write_bytes(bytes(128))
            (self.path / "watchdog.lock").touch()
            with (self.path / "filler").open("wb", buffering=0) as file:
                try:
                    while True:
                        file.write(bytes(4096))
                except OSError:
                    pass

    @property
    def limited(self) -> list[str]:
        """Where nothing can be mounted: no file of the child may grow beyond 16 KiB (`ulimit` counts 512)."""
        full = self.is_full and not self.mounted
        return ["sh", "-c", 'trap "" XFSZ; ulimit -f 32; exec "$@"', "sh"] if full else []

    def heard(self, child: subprocess.Popen) -> bytes:
        """What it has said so far, which a full disk does not keep."""
        os.set_blocking(child.stderr.fileno(), False)
        self.said += child.stderr.read() or b""
        return self.said


@contextmanager
def disk(*, full: bool):
    """A folder; with a file system of two megabytes of its own, if it is to be full."""
    path = Path(tempfile.mkdtemp())
    mounted = False
    if full and shutil.which("mount") and os.geteuid() == 0:
        mounted = (
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(path)], check=False).returncode == 0
        )
    try:
        yield Disk(path, mounted, full)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(path)], check=False)
        shutil.rmtree(path, ignore_errors=True)
