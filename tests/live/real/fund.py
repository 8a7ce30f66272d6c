"""A whole fund of real processes at the loopback exchange over HTTP, to be killed and looked into.

Exchange, supervisor, gateway, brain, its workers and watchdog are processes; the test holds the line between them and
the exchange (`proxy`), kills, and asks the exchange for the truth. The supervisor is started again by the test, as
systemd would.
"""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from podshop.live import config, folder, paper
from podshop.live.gateway.terms import Terms, write_terms
from podshop.live.heartbeat import heard
from podshop.live.latch import HALTED_STATE, Latch
from podshop.live.reach import VENUE_URL
from podshop.live.status import asked
from podshop.run.config import load
from podshop.run.warm import warm
from tests.live.real.proxy import Proxy, port_of

HERE = Path(__file__).parent
STARTED = re.compile(r"^(\w+) started \(process (\d+)\)$", re.MULTILINE)
PROGRAMS = ("gateway", "brain", "watchdog")
KINDS = ("gateway", "brain", "watchdog", "connection", "all")
WEIGHTS = (50, 15, 10, 15, 10)
MILD = {"lost_after": 0.2, "late": 0.05, "fills_late": 0.1, "empty": 0.05}
LATE_NS = (60 * 10**9, 1_200 * 10**9)
RATE = 3_600.0  # an hour is a second
LONGEST_S = 60.0
BUSY = """
name = "busy"
capital_usd = 100_000
operator = "1d"

[market]
venue = "okx_perp"
interval = "1h"
markets = ["BTC", "ETH", "XRP", "LTC", "ADA"]
funding = ["binance_perp"]

[confidence]
open = 0.10
close = 0.05

[signals.stretch]
kind = "reversal"
window_bars = 6

[signals.trend]
kind = "momentum"
window_bars = 12

[execution.back]
horizon = "intraday"
listens = { stretch = 1.0 }
cadence = "1h"
volatility_target = 0.30
buffer = 0.02

[execution.on]
horizon = "intraday"
listens = { trend = 1.0 }
cadence = "1h"
volatility_target = 0.30
buffer = 0.02

[limits]
max_weight = 0.2
max_gross = 1.0
max_var = 0.05
min_order_usd = 50
"""


class Death(NamedTuple):
    """One kill, and how long until the next cycle was opened, and until the brain was followed again.

    amid  an order had left less than a tenth of a second before
    """

    kind: str
    amid: bool
    opened_s: float
    opened_venue_s: float
    followed_s: float


class Real:
    """A fund of real processes.

    state   its folder;  proxy the line to the exchange;  deaths what was killed so far;  key_file the gateway's
    """

    def __init__(
        self, path: Path, text: str = BUSY, *, seed: int = 0, rate: float = RATE, data: str = "simulated",
        since: str = "", evil: dict[str, float] | None = None, mutant: str = "",
        terms: Callable[[Any], Terms] | None = None,
    ) -> None:  # fmt: skip
        self.path, self.state, self.rate, self._mutant = path, path / "s", rate, mutant
        self.rng = random.Random(seed)
        self.deaths: list[Death] = []
        path.mkdir(parents=True, exist_ok=True)
        self._log = path / "supervisor.log"
        fund_file = path / "fund.toml"
        fund_file.write_text(text)
        fund = load(fund_file)
        folder.prepare(fund_file, fund, self.state, "simulated")
        toml = self.state / config.GATEWAY_TOML
        self.key_file = path / "gateway.key"
        self.key_file.touch(mode=0o600)
        self.key_file.write_text(f"0x{self.rng.getrandbits(256):064x}\n")
        toml.write_text(patient(toml.read_text()).replace('gateway = ""', f'gateway = "{self.key_file}"', 1))
        self.gateway = folder.prepare(fund_file, fund, self.state, "simulated")
        if terms is not None:
            write_terms(terms(fund), self.state / "terms.json")
        self.fund = fund
        warm(lambda *_: None)
        began = ["--since", since] if since else []
        self.exchange = paper.start_exchange(self.gateway, data, rate, ["--seed", str(seed), *began])
        self.url = (self.gateway.run / VENUE_URL).read_text().split()[0]
        self.proxy = Proxy(port_of(self.url))
        (self.gateway.run / VENUE_URL).write_text(f"http://127.0.0.1:{self.proxy.port} {rate:g}\n", encoding="ascii")
        paper.write_brain(self.gateway, data)
        if evil:
            self.switch({**evil, "late_ns": LATE_NS})
        self.keeper = self._keep()

    def _keep(self) -> "subprocess.Popen[bytes]":
        words = [
            sys.executable,
            "-I",
            str(HERE / "keep.py"),
            str(self.state),
            *([self._mutant] if self._mutant else []),
        ]
        with self._log.open("ab") as log:
            return subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)

    # ---------------------------------------------------------------- looking

    def sim(self, what: str, body: Any = None) -> dict[str, Any]:
        """Ask the exchange itself, past the line that is cut."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/sim/{what}", data, timeout=30) as answer:  # loopback
            return json.load(answer)

    def switch(self, faults: dict[str, Any]) -> None:
        """Switch faults on or off."""
        self.sim("evil", faults)

    def last(self, kind: str, after: int = 0) -> tuple[int, int] | None:
        """(row, time) of the journal's last row of a kind."""
        try:
            with sqlite3.connect(f"file:{self.gateway.journal}?mode=ro", uri=True, timeout=5) as db:
                sql = "SELECT seq, at_ns FROM journal WHERE kind = ? AND seq > ? ORDER BY seq DESC LIMIT 1"
                return db.execute(sql, (kind, after)).fetchone()
        except sqlite3.OperationalError:
            return None

    def head(self) -> int:
        """Number of the journal's last row."""
        with sqlite3.connect(f"file:{self.gateway.journal}?mode=ro", uri=True, timeout=5) as db:
            return db.execute("SELECT max(seq) FROM journal").fetchone()[0] or 0

    def pids(self) -> dict[str, int]:
        """Program -> the process that was started last."""
        return {name: int(pid) for name, pid in STARTED.findall(self._log.read_text())}

    def said(self) -> str:
        """The end of every log."""
        files = [self._log, *sorted(self.gateway.logs.glob("*.log"))]
        return "\n".join(f"--- {file.name}\n{file.read_text()[-2_500:]}" for file in files)

    def until(self, what: Callable[[], Any], seconds: float = LONGEST_S, every_s: float = 0.03) -> Any:
        """What comes at last. Fails with every log where it does not."""
        began = time.monotonic()
        while True:
            if found := what():
                return found
            assert time.monotonic() - began < seconds, f"{seconds:g} s\n{self.said()}"
            assert self.keeper.poll() is None, self.said()
            time.sleep(every_s)

    def trades(self, seconds: float = 90.0) -> None:
        """Wait until the brain is followed and an order has left."""
        self.until(lambda: self.last("asked"), seconds)
        self.until(lambda: self.proxy.orders, seconds)

    # ---------------------------------------------------------------- killing

    def kill(self) -> Death:
        """Kill something at some moment, and wait until the fund is back."""
        rng = self.rng
        kind = rng.choices(KINDS, WEIGHTS)[0]
        amid = rng.random() < 0.6 and self.proxy.wait_for_order(4.0)
        time.sleep(rng.uniform(0.0, 0.1 if amid else 1.2))
        return self.strike(kind, amid=amid)

    def shoot(self, name: str) -> None:
        """SIGKILL to one program, and nothing else."""
        _kill(self.pids()[name])

    def strike(self, kind: str, *, amid: bool = False) -> Death:
        """Kill one thing now."""
        pids = self.pids()
        beat = heard(self.state, "watchdog")
        venue_ns, row, began = self.sim("clock")["at_ns"], self.head(), time.monotonic()
        if kind == "connection":
            self.proxy.cut(self.rng.uniform(0.0, 2.0))
        elif kind == "all":
            for pid in (self.keeper.pid, *pids.values()):
                _kill(pid)
            self.keeper.wait()
            self.keeper = self._keep()
        else:
            _kill(pids[kind])
        if kind != "connection":
            row = self.head()  # what the dead process wrote last does not count
        _, at_ns = self.until(lambda: self.last("opening", row))
        opened_s = time.monotonic() - began
        self.until(lambda: self.last("asked", row))
        followed_s = time.monotonic() - began
        if kind in ("watchdog", "all"):
            self.until(lambda: (now := heard(self.state, "watchdog")) and now != beat)
        death = Death(kind, amid, opened_s, (at_ns - venue_ns) / 1e9, followed_s)
        self.deaths.append(death)
        return death

    # ---------------------------------------------------------------- the end

    def quiet(self, seconds: float = 120.0) -> None:
        """No faults and no new risk any more; wait until nothing is open."""
        self.switch(dict.fromkeys(MILD, 0.0))
        assert Latch(self.state).held().state < HALTED_STATE, self.said()
        Latch(self.state, "operator").raise_to(HALTED_STATE, self.sim("clock")["at_ns"], "the test is over")
        calm = 0

        def still() -> bool:
            nonlocal calm
            standing, _ = asked(self.gateway)
            moves = standing is None or standing.in_flight or standing.unknown
            calm = 0 if moves else calm + 1
            return calm >= 3

        self.until(still, seconds, every_s=0.7)

    def stop(self) -> None:
        """End supervisor, gateway, brain and watchdog in order."""
        if self.keeper.poll() is None:
            self.keeper.send_signal(signal.SIGINT)
            self.keeper.wait(60)

    def end(self) -> None:
        """End everything, whatever happens."""
        try:
            self.stop()
        finally:
            for pid in (self.keeper.pid, *self.pids().values()):
                if _ours(pid, self.path):
                    _kill(pid)
            self.proxy.close()
            self.exchange.kill()
            self.exchange.wait()

    def __enter__(self) -> "Real":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def patient(text: str) -> str:
    """A cycle takes a second, a process still several to start: silence is borne for minutes of the wall."""
    for name, cycles in (("brain_reduce", 60), ("brain_flatten", 240), ("gateway_flatten", 240)):
        text = re.sub(rf"^{name} = \d+", f"{name} = {cycles}", text, flags=re.MULTILINE)
    return text


def counts(deaths: list[Death]) -> dict[str, Any]:
    """What was killed, and how long the fund was away: p50 and longest."""

    def spread(values: list[float]) -> dict[str, float]:
        values = sorted(values)
        return {"p50": round(values[len(values) // 2], 2), "max": round(values[-1], 2)}

    return {
        "kills": len(deaths),
        "kinds": dict(Counter(death.kind for death in deaths)),
        "amid": sum(death.amid for death in deaths),
        "opened_wall_s": spread([death.opened_s for death in deaths]),
        "opened_venue_s": spread([death.opened_venue_s for death in deaths]),
        "followed_wall_s": spread([death.followed_s for death in deaths]),
    }


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _ours(pid: int, path: Path) -> bool:
    try:
        return str(path).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
