"""Start a fund and keep it: on the simulated exchange (which is started too), at a test venue, or with real money."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from podshop.live import backup
from podshop.live.config import Gateway
from podshop.live.control import Standing
from podshop.live.process import environment
from podshop.live.reach import VENUE_URL, base_url
from podshop.live.status import asked
from podshop.live.supervisor import Supervisor, programs
from podshop.nouns import DAY_NS, SECOND_NS, ConfigError, LedgerError, utc_text
from podshop.risk.gate import HISTORY_DAYS

if TYPE_CHECKING:
    from podshop.run.config.sections import Fund

STARTS_S = 180.0  # for the exchange to read its history
RUN = "import sys; from podshop.cli import main; sys.exit(main(sys.argv[1:]))"
BACKUP_LOOK_S = 60.0
AGAIN_S = 2.0

Show = Callable[[str], None]


def start_exchange(gateway: Gateway, data: str, rate: float, extra: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """The loopback exchange, as a process of its own; where it listens is written to STATE/run. Raises ConfigError."""
    command = [
        sys.executable,
        "-I",
        "-c",
        RUN,
        "venue",
        "serve",
        str(gateway.fund),
        "--data",
        data,
        "--rate",
        f"{rate:g}",
    ]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    child = subprocess.Popen(
        [*command, *extra],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=environment(cache),
        start_new_session=True,
    )
    assert child.stdout is not None  # it was asked for
    ready, _, _ = select.select([child.stdout], [], [], STARTS_S)
    url = child.stdout.readline().decode().strip() if ready else ""
    if not url.startswith("http://127.0.0.1:"):
        child.kill()
        child.wait()
        raise ConfigError("the simulated exchange did not start; see what it said")
    (gateway.run / VENUE_URL).write_text(f"{url} {rate:g}\n", encoding="ascii")
    return child


def tradable_from(fund: "Fund", data: str) -> datetime | None:
    """Where a history is old enough for the gate to let increases pass; None: begin with its first bar.

    data  a folder, or `simulated`, which has a past of its own
    """
    if data == "simulated":
        return None
    from podshop.feeds.parquet.period import period

    first_ns, last_ns = period(Path(data), fund.market)
    at_ns = first_ns + HISTORY_DAYS * DAY_NS
    return datetime.fromtimestamp(at_ns // SECOND_NS, UTC).replace(tzinfo=None) if at_ns < last_ns else None


def write_brain(gateway: Gateway, data: str) -> None:
    """What the brain is told: it reads neither gateway.toml nor a key."""
    url = base_url(gateway) if gateway.venue == "simulated" else ""
    said = {"fund": str(gateway.fund.resolve()), "data": data, "venue": gateway.venue, "base_url": url}
    (gateway.folder / "brain.json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")


def keep(gateway: Gateway, show: Show, cycles: int = 0) -> int:
    """Run the three programs until Ctrl-C, until something is wrong, or for so many cycles; an exit code."""
    supervisor = Supervisor(programs(gateway), say=show)
    progress = Progress(gateway, show, cycles, stop=supervisor.end)
    supervisor.tick = progress.tick
    return supervisor.run()


@dataclass(slots=True)
class Progress:
    """A line a cycle, a backup an hour.

    cycles  after so many the fund is stopped; 0 = never
    stop    ends the fund
    """

    gateway: Gateway
    show: Show
    cycles: int
    stop: Callable[[], None]
    seen: int = field(default=0, init=False)
    _cycle: int = field(default=-1, init=False)
    _looked_s: float = field(default=0.0, init=False)
    _asks_s: float = field(default=0.0, init=False)

    def tick(self) -> None:
        """Look."""
        now_s = time.monotonic()
        standing = None
        if now_s >= self._asks_s:
            standing, _ = asked(self.gateway)
            if standing is None:
                self._asks_s = now_s + AGAIN_S  # it is starting, or busy: not to be asked at every turn
        if standing is not None and standing.cycle > self._cycle:
            self.seen += self._cycle >= 0
            self._cycle = standing.cycle
            self.show(line(standing))
            if self.cycles and self.seen >= self.cycles:
                self.stop()
        if now_s - self._looked_s > BACKUP_LOOK_S:
            self._looked_s = now_s
            self._backup()

    def _backup(self) -> None:
        now_ns = time.time_ns()
        try:
            if self.gateway.journal.exists() and backup.due(self.gateway, now_ns):
                made = backup.backup(self.gateway, now_ns)
                backup.prune(self.gateway, now_ns)
                self.show(f"backup of {made.seq} rows: {made.folder}")
        except (ConfigError, LedgerError, OSError) as e:
            self.show(f"no backup: {e}")


def line(standing: Standing) -> str:
    """A cycle for people.

    >>> line(Standing(state="RUNNING", cycle=7, at_ns=0, nav_micro=100_000_123_456, in_flight=2))
    '1970-01-01T00:00:00Z  cycle 7  NAV 100,000.12  orders 2  RUNNING'
    """
    held = sum(bool(coin.booked_lots) for coin in standing.coins)
    parts = [
        utc_text(standing.at_ns),
        f"cycle {standing.cycle}",
        f"NAV {standing.nav_micro / 1e6:,.2f}",
        f"orders {standing.in_flight}",
        *([f"positions {held}"] if held else []),
        *([f"unknown {standing.unknown}"] if standing.unknown else []),
        *([f"suspense {standing.suspense_micro / 1e6:,.2f}"] if standing.suspense_micro else []),
        standing.state + (f" ({standing.reason})" if standing.reason else ""),
    ]
    return "  ".join(parts)


def aside(state: Path) -> Path | None:
    """Move an earlier simulated run out of the way: its exchange lived in memory, and is gone. -> where to."""
    if not (state / "journal.db").exists() and not (state / "latch").exists():
        return None
    for n in range(1, 10_000):
        to = state.with_name(f"{state.name}.{n}")
        if not to.exists():
            state.rename(to)
            return to
    raise ConfigError(f"{state}: ten thousand earlier runs; remove some")


def warn_real(gateway: Gateway, fund: "Fund", read: Callable[[str], str]) -> None:
    """The typed confirmation. Raises ConfigError where it is not the fund's name."""
    limit = f"at most {gateway.canary_usd:,.0f} USD held" if gateway.canary_usd else "NO canary limit"
    said = read(
        f"{fund.name} will trade REAL MONEY at {gateway.venue}, account {gateway.account}, {limit}.\n"
        f"Type the fund's name to go on: "
    )
    if said.strip() != fund.name:
        raise ConfigError("not confirmed: nothing was started")
