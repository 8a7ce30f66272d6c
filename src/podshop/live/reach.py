"""From gateway.toml to a venue that can be asked, and to its clock. The only place that chooses an adapter.

simulated     the loopback exchange, spoken to like Hyperliquid where its SDK is installed, else like Purple Flea
purpleflea    the gateway trades through it; the watchdog goes to Hyperliquid itself, with an API wallet of its own
hyperliquid   direct
the others    through ccxt; their key file is apiKey:secret, or apiKey:secret:password
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

from podshop.live.clock import OFF_NS, WallClock
from podshop.live.config import Gateway
from podshop.live.gateway.terms import read_terms
from podshop.nouns import ConfigError, VenueError
from podshop.nouns.venue import Venue
from podshop.venues import strict
from podshop.venues.wire import Secret, Wire

Who = Literal["gateway", "watchdog"]
HYPERLIQUID = "https://api.hyperliquid.xyz"
VENUE_URL = "venue.url"  # in STATE/run: where the loopback exchange of `podshop paper` listens, and its rate
PATIENCE_S = 60.0  # for an exchange that is only just being started
AGAIN_S = 0.25
SAMPLES = 5
START_S = 5.0  # so long a start waits for the venue's time
KEPT_LOCKS = Path("/var/lib/podshop")  # where `podshop service` runs: a unit has a /tmp of its own, so not there
RUN_LOCKS, TMP = Path("/run/lock"), Path("/tmp")  # one for all users: no TMPDIR counts


class Reached(NamedTuple):
    """A venue, its clock, how many times faster than the wall that runs, and the length of a cycle."""

    venue: Venue
    clock: WallClock
    rate: float
    interval_ns: int


async def reach(gateway: Gateway, key: Secret | None, who: Who = "gateway", *, trades: bool = True) -> Reached:
    """Make the adapter that gateway.toml names. Raises ConfigError where key or settings do not fit the venue.

    trades  a gateway that does holds the account's lock for life: of each account there is one writer on a machine
    """
    terms = read_terms(gateway.folder / "terms.json")
    if gateway.venue == "simulated":
        url = base_url(gateway)
        said, clock = await _sim_clock(url)
        venue = await _simulated(gateway, url, str(said["wallet"]), terms.markets, clock.now_ns, who)
        return Reached(venue, clock, clock.rate, terms.interval_ns)
    if key is None:
        raise ConfigError(
            f"{gateway.folder}/gateway.toml: keys.{who} is '', expected the file of a key for {gateway.venue}"
        )
    if who == "gateway" and trades:
        hold(f"{gateway.venue} {gateway.account}")
    clock = WallClock()
    venue = _real(gateway, key, terms.markets, clock.now_ns, who)
    await begin_at(venue, clock)
    return Reached(venue, clock, 1.0, terms.interval_ns)


async def begin_at(venue: Venue, clock: WallClock, wait_s: float = START_S) -> None:
    """Move a clock that begins off the venue's to the venue's, so that no cycle of the future is opened.

    Of several stamps the latest counts, since a copy is older, never newer. A venue that does not answer leaves the
    wall's time: whoever needs better follows the stamps that come.
    """
    behind_ns: list[int] = []
    for _ in range(SAMPLES):
        try:
            venue_ns = await asyncio.wait_for(venue.time_ns(), wait_s)
        except (VenueError, TimeoutError):
            break
        behind_ns.append(venue_ns - clock.now_ns())
    if behind_ns and abs(max(behind_ns)) > OFF_NS:
        clock.move(max(behind_ns))


def locks(kept: Path = KEPT_LOCKS, run: Path = RUN_LOCKS, tmp: Path = TMP) -> tuple[Path, ...]:
    """Where accounts' locks are; /tmp only on a machine that has no other, for there a unit sees one of its own."""
    return tuple(folder for folder in (kept, run) if folder.is_dir()) or (tmp,)


def hold(account: str, folders: Sequence[Path] | None = None) -> None:
    """Take an account's lock for the life of this process. Raises ConfigError where another process has it.

    It is taken wherever it can be: what was started by hand may have had one folder only, and a unit may write another
    only, but it sees both.
    """
    folders = locks() if folders is None else folders
    name = hashlib.sha256(account.lower().encode()).hexdigest()[:16]
    found = [_lock_file(folder / f"podshop-account-{name}.lock") for folder in folders]
    held = [lock for lock in found if lock is not None]
    try:
        for lock in held:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        for lock in held:
            os.close(lock)
        raise ConfigError(f"{account}: another gateway of this machine trades this account") from None
    if not held:
        where = " and ".join(map(str, folders))
        raise ConfigError(f"{account}: no lock can be made in {where}, expected {KEPT_LOCKS} as `service` makes it")


def _lock_file(path: Path) -> int | None:
    """A lock's file, made where it is missing; None where it cannot be. To lock it, reading it is enough."""
    for flags in (os.O_RDONLY, os.O_RDONLY | os.O_CREAT | os.O_EXCL, os.O_RDONLY):
        with contextlib.suppress(OSError):
            lock = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
            if flags & os.O_CREAT:
                os.fchmod(lock, 0o644)  # whatever the umask: a gateway of another user must see it
            return lock
    if os.path.lexists(path):
        raise ConfigError(f"{path}: another user's, and we cannot read it: who trades the account cannot be told")
    return None


def base_url(gateway: Gateway) -> str:
    """Where a simulated venue listens: as configured, or where the one that was started said it does."""
    if gateway.base_url:
        return gateway.base_url
    started = _started(gateway)
    if not started:
        raise ConfigError(
            f"{gateway.run / VENUE_URL}: no simulated exchange was started, and gateway.toml names no base_url"
        )
    return started[0]


def rate(gateway: Gateway) -> float:
    """How many times faster than the wall the venue's clock runs, as far as is known without asking it."""
    started = _started(gateway) if gateway.venue == "simulated" and not gateway.base_url else []
    return float(started[1]) if len(started) > 1 else 1.0


def _started(gateway: Gateway) -> list[str]:
    """Address and rate of the exchange that was started; empty where none was."""
    try:
        return (gateway.run / VENUE_URL).read_text(encoding="ascii").split()
    except OSError:
        return []


def _real(gateway: Gateway, key: Secret, markets: tuple[str, ...], now_ns: Callable[[], int], who: Who) -> Any:
    if gateway.venue == "purpleflea" and who == "gateway":
        from podshop.venues.purpleflea.client import PurpleFlea
        from podshop.venues.purpleflea.dialects import dialect

        return PurpleFlea(
            gateway.account, key, markets, now_ns, dialect=dialect(gateway.dialect), base_url=gateway.base_url or None
        )
    if gateway.venue in ("hyperliquid", "purpleflea"):
        from podshop.venues.hyperliquid.client import Hyperliquid

        direct = gateway.base_url if gateway.venue == "hyperliquid" else ""
        return Hyperliquid(direct or HYPERLIQUID, gateway.account, key, markets, now_ns)
    from podshop.venues.ccxt_venue.client import CcxtVenue
    from podshop.venues.ccxt_venue.exchange import connect

    parts = key.reveal().split(":")
    if not 2 <= len(parts) <= 3:
        raise ConfigError(f"the key of {gateway.venue} is no apiKey:secret, or apiKey:secret:password")
    keys = {name: Secret(part) for name, part in zip(("apiKey", "secret", "password"), parts, strict=False)}
    return CcxtVenue(connect(gateway.venue, keys, base_url=gateway.base_url or None), markets, now_ns)


async def _simulated(
    gateway: Gateway, url: str, wallet: str, markets: tuple[str, ...], now_ns: Callable[[], int], who: Who
) -> Any:
    """The loopback exchange. Keys of nobody's money are made from the folder's name, one for each process."""
    if find_spec("hyperliquid") is None or gateway.dialect == "article":
        from podshop.venues.exchange.flea_rows import PAPER_KEY
        from podshop.venues.purpleflea.client import PurpleFlea
        from podshop.venues.purpleflea.dialects import dialect

        return PurpleFlea(wallet, Secret(PAPER_KEY), markets, now_ns, dialect=dialect(gateway.dialect), base_url=url)
    from podshop.venues.hyperliquid.client import Hyperliquid, Signer

    key = Secret("0x" + hashlib.sha256(f"podshop simulated {who} {gateway.folder.absolute()}".encode()).hexdigest())
    wire = Wire(url)
    try:
        await wire.ask("POST", "/sim/approve", json_body={"signer": Signer(key, mainnet=False).address})
    finally:
        await wire.close()
    return Hyperliquid(url, wallet, key, markets, now_ns)


async def _sim_clock(url: str) -> tuple[dict[str, Any], WallClock]:
    """What the loopback exchange says of itself, and its clock; it may still be starting.

    Its time runs fast, so the time that an answer travels counts: of several answers the quickest is believed, as of
    the middle between question and answer.
    """
    wire = Wire(url)
    best, found, failures = 1 << 62, None, 0
    try:
        for answers in range(SAMPLES):
            while True:
                asked_ns = time.monotonic_ns()
                try:
                    said = strict.loads((await wire.ask("GET", "/sim/clock")).body, "the simulated exchange")
                    break
                except VenueError:
                    failures += 1
                    if answers == 0 and failures > PATIENCE_S / AGAIN_S:
                        raise ConfigError(f"{url}: no simulated exchange answers (podshop venue serve)") from None
                    await asyncio.sleep(AGAIN_S)
            took_ns = time.monotonic_ns() - asked_ns
            if not isinstance(said, dict) or said.get("simulated") is not True:
                raise ConfigError(f"{url}: whoever answers there is no simulated exchange")
            if took_ns < best:
                best, found = took_ns, (said, asked_ns + took_ns // 2)
    finally:
        await wire.close()
    assert found is not None  # a quickest of several
    said, middle_ns = found
    faster = float(said["rate"])
    since_ns = time.monotonic_ns() - middle_ns
    return said, WallClock(int(said["at_ns"]) + int(since_ns * faster), faster)
