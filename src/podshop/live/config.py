"""gateway.toml: what the live processes need and the fund file does not say: venue, account, keys, hard limits, users.

It stands in the state folder of a running fund, owned by the gateway's user and not writable by the brain's: the fund
file is the brain's wish, these limits are the gateway's own, and of both the tighter holds. It is read here and nowhere
else, as strictly as a fund file: a mistake is one line that says where, what was found and what was expected.

    STATE/gateway.toml            this file
    STATE/journal.db              the books (with .head, .lock, .snapshot)
    STATE/latch/                  who raised the state, and the intents in flight (live.latch)
    STATE/heartbeat.NAME          signs of life of brain, gateway and watchdog (live.heartbeat)
    STATE/run/targets             the brain's socket; the brain may pass through the folder, and write nothing in it
    STATE/desk/control            the operator's socket; STATE/desk/operator.token, readable by him and the gateway only
    STATE/logs, backups, bars     what their names say
    STATE/ballast                 a megabyte-sized reserve, given back to a full disk (live.disk)
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

from msgspec import Meta

from podshop.nouns import ConfigError, duration_ns
from podshop.run.config.reading import TABLE, Place, one_line, record, value, values

GATEWAY_TOML = "gateway.toml"
LOOPBACK = ("127.0.0.1", "::1", "localhost")

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Share = Annotated[float, Meta(gt=0, le=1)]
Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]
Bps = Annotated[float, Meta(gt=0, lt=10_000)]
VenueName = Literal["simulated", "purpleflea", "hyperliquid", "binanceusdm", "bybit", "okx"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HardLimits:
    """What no brain can loosen: the gateway's own limits. Fractions are of NAV.

    max_weight       largest position in one market
    max_gross        largest sum of absolute positions
    max_net          largest net position of the whole fund
    max_var          largest 1-day 95 % value at risk
    max_order        largest increase in one order
    collar_bps       an order is limited this far from the price it was decided at
    turnover         most that is traded in 24 hours, both sides counted; increases stop there
    daily_loss       NAV this far under the one of 00:00 UTC: HALTED
    variance_floor   least share of a market's own realised 30-day variance that the brain's covariance may claim
    orders_a_minute  most orders of the account in a minute, whatever the venue allows
    """

    max_weight: Share = 0.05
    max_gross: Share = 1.0
    max_net: Share = 1.0
    max_var: Share = 0.02
    max_order: Share = 0.05
    collar_bps: Bps = 100.0
    turnover: Positive = 4.0
    daily_loss: Share = 0.05
    variance_floor: Share = 0.5
    orders_a_minute: Count = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where a difference, a clock or a disk becomes an alarm.

    suspense_usd   books and venue differ by more, unexplained: HALTED
    dust_usd       a difference smaller than this is booked to the house as dust, where the venue rounds
    offset         venue's clock and ours differ by more: no new risk
    disk_warn_gb   free space below: a warning
    disk_stop_gb   free space below: REDUCE_ONLY
    ballast_mb     reserve that is given back to a full disk, so that bookings can be finished
    wal_mb         write-ahead log larger than this: somebody holds a read transaction
    key_days       a key that expires in fewer days: an alarm
    """

    suspense_usd: Positive = 50.0
    dust_usd: Positive = 11.0
    offset: str = "1s"
    disk_warn_gb: Positive = 5.0
    disk_stop_gb: Positive = 1.0
    ballast_mb: Count = 64
    wal_mb: Count = 64
    key_days: Count = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeats:
    """How long silence is borne, in cycles.

    brain_reduce     brain silent: the gateway only reduces
    brain_flatten    brain silent: the gateway latches FLATTEN
    gateway_flatten  gateway silent: the watchdog flattens
    watchdog_reduce  watchdog silent: the gateway only reduces
    """

    brain_reduce: Count = 3
    brain_flatten: Count = 12
    gateway_flatten: Count = 12
    watchdog_reduce: Count = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Where each process finds its own key: a file that only its user can read (0600); empty where no key is needed.

    gateway   file of the gateway's key
    watchdog  file of the watchdog's own, another key of the same account
    expires   last day of the older of both, such as 2027-03-01; empty = the venue's keys do not expire
    """

    gateway: str = ""
    watchdog: str = ""
    expires: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """The operating system's user of each process; empty = whoever starts podshop, and `doctor` says what that costs.

    brain     user of brain and workers, who may read neither key nor operator's token
    gateway   user of the gateway, who owns this folder
    watchdog  user of the watchdog, who may read the latch and write its own
    shared    one user for all three is borne (paper always does)
    """

    brain: str = ""
    gateway: str = ""
    watchdog: str = ""
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """gateway.toml, read and checked.

    fund        the fund file; relative to the folder of gateway.toml
    venue       where it trades
    base_url    the venue's address, where it is not the venue's usual one; a simulated venue without one is started
    dialect     purpleflea: server or article
    account     the wallet or account that is traded, as the venue names it
    state       the fund is at least this from its next start on, whatever else says less
    real_money  must be true for `podshop live`, and false for `podshop paper`
    canary_usd  most notional held and in flight, all markets together, until it is raised here; 0 = no limit
    """

    folder: Path
    fund: Path
    venue: VenueName = "simulated"
    base_url: str = ""
    dialect: Literal["server", "article"] = "server"
    account: Annotated[str, Meta(max_length=80)] = ""
    state: Literal["RUNNING", "REDUCE_ONLY", "HALTED", "FLATTEN"] = "RUNNING"
    real_money: bool = False
    canary_usd: Annotated[float, Meta(ge=0)] = 0.0
    limits: HardLimits = HardLimits()
    thresholds: Thresholds = Thresholds()
    heartbeats: Heartbeats = Heartbeats()
    keys: Keys = Keys()
    users: Users = Users()

    @property
    def offset_ns(self) -> int:
        """Most that our clock may differ from the venue's."""
        return duration_ns(self.thresholds.offset)

    @property
    def journal(self) -> Path:
        """The books."""
        return self.folder / "journal.db"

    @property
    def run(self) -> Path:
        """Where the brain's socket is."""
        return self.folder / "run"

    @property
    def desk(self) -> Path:
        """Where the operator's socket and token are: whoever may write here could put his own in their place."""
        return self.folder / "desk"

    @property
    def targets_socket(self) -> Path:
        """Where the brain speaks."""
        return self.run / "targets"

    @property
    def control_socket(self) -> Path:
        """Where the operator speaks."""
        return self.desk / "control"

    @property
    def operator_token(self) -> Path:
        """What the operator proves himself with: 32 random bytes as hex, which the brain cannot read."""
        return self.desk / "operator.token"

    @property
    def logs(self) -> Path:
        """Rotated, 14 of 64 MB each process."""
        return self.folder / "logs"

    @property
    def backups(self) -> Path:
        """24 hourly, 30 daily."""
        return self.folder / "backups"

    @property
    def bars(self) -> Path:
        """History as it was collected."""
        return self.folder / "bars"


SECTIONS: Mapping[str, type[Any]] = {
    "limits": HardLimits,
    "thresholds": Thresholds,
    "heartbeats": Heartbeats,
    "keys": Keys,
    "users": Users,
}


def read(folder: Path) -> Gateway:
    """Read and check STATE/gateway.toml. Raises ConfigError, one line, for whatever is wrong with it."""
    path = folder / GATEWAY_TOML
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise ConfigError(f"{path}: cannot be read: {e.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text, expected a TOML file") from None
    except tomllib.TOMLDecodeError as e:
        raise ConfigError(f"{path}: is not TOML: {one_line(e)}") from None
    return gateway_from(document, str(path), folder)


def gateway_from(document: Mapping[str, Any], file: str, folder: Path) -> Gateway:
    """Build what a parsed gateway.toml says."""
    top = Place(file)
    kinds = {f.name: f.type for f in fields(Gateway) if f.name not in (*SECTIONS, "folder", "fund")}
    found = values(top, dict(document), {"fund": str} | kinds | dict.fromkeys(SECTIONS, TABLE), ("fund", "venue"))
    tables: dict[str, Any] = {name: record(top.at(name), found.pop(name, {}), cls) for name, cls in SECTIONS.items()}
    fund = Path(cast(str, found.pop("fund")))
    gateway = Gateway(folder=folder, fund=fund if fund.is_absolute() else folder / fund, **found, **tables)
    _check(top, gateway)
    return gateway


def _check(top: Place, gateway: Gateway) -> None:
    """What one value cannot see."""
    top.at("thresholds").at("offset").duration(gateway.thresholds.offset)
    url = urlsplit(gateway.base_url)
    if gateway.base_url and (url.scheme not in ("http", "https") or not url.hostname or url.username or url.query):
        raise top.at("base_url").wrong(gateway.base_url, "an address such as https://api.hyperliquid.xyz")
    if gateway.base_url and url.scheme == "http" and url.hostname not in LOOPBACK:
        raise top.at("base_url").wrong(gateway.base_url, "https, or http to this machine")
    if gateway.venue == "simulated":
        if gateway.real_money:
            raise top.at("real_money").wrong(True, "false, since a simulated venue has no money")
        if gateway.base_url and url.hostname not in LOOPBACK:
            raise top.at("base_url").wrong(gateway.base_url, "an address of this machine, since the venue is simulated")
    if gateway.real_money:
        if not gateway.account:
            raise top.at("account").wrong("", "the account that is traded, since real_money = true")
        if not gateway.keys.gateway or not gateway.keys.watchdog:
            raise top.at("keys").wrong(asdict(gateway.keys), "a file for gateway and one for watchdog")
        if Path(gateway.keys.gateway) == Path(gateway.keys.watchdog):
            raise top.at("keys").at("watchdog").wrong(gateway.keys.watchdog, "a key of its own")
        if gateway.dialect != "server":
            raise top.at("dialect").wrong(gateway.dialect, "'server': who speaks 'article' cannot read positions")
    beats = gateway.heartbeats
    if beats.brain_flatten <= beats.brain_reduce:
        raise (
            top.at("heartbeats")
            .at("brain_flatten")
            .wrong(beats.brain_flatten, f"more than brain_reduce, {beats.brain_reduce}")
        )
    if gateway.thresholds.disk_stop_gb >= gateway.thresholds.disk_warn_gb:
        raise (
            top.at("thresholds")
            .at("disk_stop_gb")
            .wrong(gateway.thresholds.disk_stop_gb, f"less than disk_warn_gb, {gateway.thresholds.disk_warn_gb:g}")
        )
    if gateway.keys.expires and not re.fullmatch(r"\d{4}-\d\d-\d\d", gateway.keys.expires):
        raise top.at("keys").at("expires").wrong(gateway.keys.expires, "a day such as 2027-03-01")


def sample(fund: Path, venue: str = "simulated", base_url: str = "", **limits: float) -> str:
    """The text of a gateway.toml with every setting at its default and what it means beside it.

    limits  of [limits], where they are not the defaults: those of the fund file
    """
    value(Place("sample").at("venue"), venue, VenueName)
    lines = [
        "# What this fund's gateway obeys. The brain cannot loosen any of it.",
        "",
        f"fund = {_toml(str(fund))}",
        f"venue = {_toml(venue)}",
        f"base_url = {_toml(base_url)}",
        *(
            f"{name} = {_toml(_default(Gateway, name))}"
            for name in ("dialect", "account", "state", "real_money", "canary_usd")
        ),
    ]
    for name, cls in SECTIONS.items():
        given = limits if name == "limits" else {}
        meaning = _meanings(cls)
        lines += ["", f"[{name}]"]
        lines += [
            f"{f.name} = {_toml(given.get(f.name, _default(cls, f.name)))}  # {meaning[f.name]}" for f in fields(cls)
        ]
    return "\n".join(lines) + "\n"


def _default(cls: type[Any], name: str) -> Any:
    return next(f.default for f in fields(cls) if f.name == name)


def _toml(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)


def _meanings(cls: type[Any]) -> dict[str, str]:
    """Field -> its line of the docstring."""
    rows = (line.strip().split(None, 1) for line in (cls.__doc__ or "").splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 2}
