"""`podshop doctor`: everything that must be right before money is at stake, and the line to change where it is not.

Local things are looked at without a key; the venue is asked only what changes nothing. A check that raises is a
failure with its error's text: a doctor that stops at the first finding would hide the others.
"""

import asyncio
import pwd
import site
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from podshop.live import guards
from podshop.live.config import GATEWAY_TOML, Gateway
from podshop.live.control import read_token
from podshop.live.guards import Level
from podshop.live.latch import RUNNING, Latch
from podshop.live.reach import Reached, reach
from podshop.live.secrets import read_file
from podshop.nouns import PodshopError, duration_text
from podshop.nouns.venue import Listed, Reading

if TYPE_CHECKING:
    from podshop.run.config.sections import Fund

OWN_PTH = ("distutils-precedence.pth", "podshop", "__editable__", "virtualenv", "_virtualenv", "matplotlib")
ASK_S = 30.0
ATTEMPTS, AGAIN_S = 3, 0.5  # one answer that cannot be believed says little of a venue
TRAVELS_NS = 20_000_000  # of the wall, for an answer on its way


class Check(NamedTuple):
    """One thing looked at. `fix` names the line or command that makes it right; empty where nothing is to be done."""

    what: str
    level: Level
    text: str
    fix: str = ""


def examine(gateway: Gateway, fund: "Fund", *, ask_venue: bool = True) -> list[Check]:
    """All checks, in the order in which one would put things right."""
    found: list[Check] = []
    for look in (_folder, _users, _keys, _limits, _disk, _interpreter, _latch):
        found += _safely(look.__name__[1:], lambda look=look: list(look(gateway, fund)))  # type: ignore[misc]
    if ask_venue:
        found += _safely("venue", lambda: asyncio.run(_venue(gateway, fund)))
    return found


def _safely(what: str, look: Callable[[], list[Check]]) -> list[Check]:
    try:
        return look()
    except (PodshopError, OSError, TimeoutError) as e:
        return [Check(what, "stop", str(e) or type(e).__name__)]


# ---------------------------------------------------------------- this machine


def _folder(gateway: Gateway, fund: "Fund") -> Iterator[Check]:
    file = gateway.folder / GATEWAY_TOML
    for path in (gateway.folder, file, gateway.folder / "latch", gateway.folder / "terms.json"):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o002:
            yield Check("folder", "stop", f"{path}: everybody may write it (mode {mode:04o})", f"chmod o-w {path}")
    read_token(gateway.operator_token)
    if not gateway.fund.is_file():
        yield Check("folder", "stop", f"{gateway.fund}: no such fund file", f"{file}: fund")
    yield Check("folder", "ok", str(gateway.folder))


def _users(gateway: Gateway, fund: "Fund") -> Iterator[Check]:
    users, line = gateway.users, f"{gateway.folder / GATEWAY_TOML}: [users]"
    names = [name for name in (users.brain, users.gateway, users.watchdog) if name]
    for name in names:
        try:
            pwd.getpwnam(name)
        except KeyError:
            yield Check("users", "stop", f"no user {name!r} on this machine", f"{line}, or useradd --system {name}")
    if len(set(names)) == 3:
        yield Check("users", "ok", ", ".join(names))
        return
    text = "brain, gateway and watchdog run as one user: the code of an agent can read whatever the key's owner can"
    if not gateway.real_money:
        yield Check("users", "ok", "one user for all, which paper bears")
    elif users.shared:
        yield Check("users", "warn", f"{text}; users.shared = true bears it", f"{line} (podshop service install)")
    else:
        yield Check("users", "stop", text, f"{line} brain, gateway, watchdog; or shared = true, knowing that")


def _keys(gateway: Gateway, fund: "Fund") -> Iterator[Check]:
    line = f"{gateway.folder / GATEWAY_TOML}: [keys]"
    paths = {"gateway": gateway.keys.gateway, "watchdog": gateway.keys.watchdog}
    secrets = {}
    for who, path in paths.items():
        if not path:
            if gateway.venue != "simulated":
                yield Check("keys", "stop", f"no key for the {who}", f"{line} {who}")
            continue
        try:
            secrets[who] = read_file(Path(path)).reveal()
        except PodshopError as e:
            yield Check("keys", "stop", str(e), f"{line} {who}")
    if len(secrets) == 2 and secrets["gateway"] == secrets["watchdog"]:
        yield Check(
            "keys", "stop", "both files hold one key: two processes would share its numbers", f"{line} watchdog"
        )
    notice = guards.key(gateway.keys.expires, time.time_ns(), gateway.thresholds)
    yield Check("keys", notice.level, notice.text, f"{line} expires" if notice.level != "ok" else "")
    if gateway.venue in ("hyperliquid", "purpleflea") and not gateway.keys.expires and gateway.real_money:
        yield Check("keys", "warn", "Hyperliquid's API wallets expire; nobody is told when these do", f"{line} expires")


def _limits(gateway: Gateway, fund: "Fund") -> Iterator[Check]:
    line = f"{gateway.folder / GATEWAY_TOML}:"
    if gateway.real_money and not gateway.canary_usd:
        yield Check(
            "canary", "stop", "no canary limit: the first day's mistakes would be of full size", f"{line} canary_usd"
        )
    elif gateway.canary_usd:
        yield Check("canary", "ok", f"at most {gateway.canary_usd:,.0f} USD are held, all markets together")
    for name in ("max_weight", "max_gross", "max_net", "max_var", "max_order"):
        hard, wish = getattr(gateway.limits, name), getattr(fund.limits, name)
        if hard > wish:
            yield Check(
                "limits", "warn", f"{name} {hard:g} is looser than the fund file's {wish:g}", f"{line} [limits] {name}"
            )
    yield Check("limits", "ok", f"gross {gateway.limits.max_gross:g}, VaR {gateway.limits.max_var:g}, daily loss "
                f"{gateway.limits.daily_loss:g}, turnover {gateway.limits.turnover:g} of NAV a day")  # fmt: skip


def _disk(gateway: Gateway, fund: "Fund") -> Iterator[Check]:
    notice = guards.disk(guards.free_bytes(gateway.folder), gateway.thresholds)
    yield Check("disk", notice.level, notice.text, "free some space" if notice.level != "ok" else "")
    guards.fill_ballast(gateway.folder / "ballast", gateway.thresholds.ballast_mb)
    yield Check("ballast", "ok", f"{gateway.thresholds.ballast_mb} MB in reserve")


def _interpreter(gateway: Gateway, fund: "Fund") -> Iterator[Check]:
    """A .pth file is code that runs whenever Python starts: also in the process that holds the key."""
    strange = [
        path
        for folder in site.getsitepackages()
        for path in sorted(Path(folder).glob("*.pth"))
        if not path.name.startswith(OWN_PTH) and b"import" in path.read_bytes()
    ]
    for path in strange:
        level: Level = "stop" if gateway.real_money else "warn"
        yield Check(
            "python", level, f"{path} runs code in every process", "a .venv of podshop's own; remove that package"
        )
    if not strange:
        yield Check("python", "ok", f"{sys.version.split()[0]}, nothing else runs at its start")


def _latch(gateway: Gateway, fund: "Fund") -> Iterator[Check]:
    held = Latch(gateway.folder).held()
    if held.state == RUNNING:
        yield Check("latch", "ok", "RUNNING")
    else:
        yield Check("latch", "warn", f"{held.name} by {held.by}: {held.reason}", "podshop resume --reason ...")


# ---------------------------------------------------------------- the venue


async def _venue(gateway: Gateway, fund: "Fund") -> list[Check]:
    line = f"{gateway.folder / GATEWAY_TOML}:"
    path = gateway.keys.gateway
    reached = await reach(gateway, read_file(Path(path)) if path else None, trades=False)
    found: list[Check] = []
    try:
        for look in (_clock, _account, _listing, _charges, _power):
            for attempt in range(ATTEMPTS):
                try:
                    found += await asyncio.wait_for(look(gateway, fund, reached, line), ASK_S)
                    break
                except (PodshopError, OSError, TimeoutError, KeyError, TypeError, ValueError) as e:
                    if attempt == ATTEMPTS - 1:
                        found.append(
                            Check(look.__name__[1:], "stop", str(e) or "no answer in time", f"{line} base_url")
                        )
                    await asyncio.sleep(AGAIN_S)
    finally:
        await reached.venue.close()
    return found


async def _clock(gateway: Gateway, fund: "Fund", reached: Reached, line: str) -> list[Check]:
    before = reached.clock.now_ns()
    venue_ns = await reached.venue.time_ns()
    middle = (before + reached.clock.now_ns()) // 2
    most_ns = max(gateway.offset_ns, int(reached.rate * TRAVELS_NS))
    notice = guards.offset(venue_ns - middle, most_ns)
    return [
        Check("clock", notice.level, notice.text, "synchronise this machine's clock" if notice.level != "ok" else "")
    ]


async def _account(gateway: Gateway, fund: "Fund", reached: Reached, line: str) -> list[Check]:
    reading: Reading = await reached.venue.reading()
    value = reading.equity_micro / 1e6
    found = [Check("account", "ok", f"{value:,.2f} USD, {sum(map(bool, reading.lots.values()))} positions")]
    foreign = sorted(set(reading.lots) - set(fund.market.markets))
    if foreign:
        found.append(
            Check(
                "account", "stop", f"positions outside the fund: {', '.join(foreign)}", "close them, or an own account"
            )
        )
    if not gateway.real_money:
        return found
    if value <= 0:
        found.append(Check("account", "stop", "nothing in it", f"{line} account"))
    elif abs(value - fund.capital_usd) > 0.1 * fund.capital_usd:
        text = f"the fund file says capital_usd = {fund.capital_usd:,.0f}, the venue {value:,.0f}"
        found.append(Check("account", "warn", text, f"{gateway.fund}: capital_usd"))
    return found


async def _listing(gateway: Gateway, fund: "Fund", reached: Reached, line: str) -> list[Check]:
    listed: dict[str, Listed] = {one.market: one for one in await reached.venue.instruments()}
    found, card = [], reached.venue.card
    for instrument in fund.instruments:
        one = listed.get(instrument.name)
        if one is None:
            found.append(
                Check("markets", "stop", f"{instrument.name} is not listed", f"{gateway.fund}: [market] markets")
            )
        elif one.delisted:
            found.append(
                Check("markets", "stop", f"{instrument.name} is delisted", f"{gateway.fund}: [market] markets")
            )
        elif one.lot_size != instrument.lot_size:
            text = f"a lot of {instrument.name} is {one.lot_size:g} there, {instrument.lot_size:g} here"
            found.append(
                Check("markets", "stop", text, f"{gateway.fund}: [venue.lots] {instrument.name} = {one.lot_size:g}")
            )
    largest = gateway.limits.max_order * (gateway.canary_usd or fund.capital_usd)
    if largest < card.minimum_micro / 1e6:
        text = f"the largest order, {largest:.2f} USD, is under the venue's least, {card.minimum_micro / 1e6:.2f}"
        found.append(Check("sizes", "stop", text, f"{line} canary_usd, or [limits] max_order"))
    if reached.interval_ns < card.least_interval_ns:
        text = f"a cycle of {duration_text(reached.interval_ns)} is shorter than this venue bears"
        fix = f"{gateway.fund}: [market] interval, at least {duration_text(card.least_interval_ns)}"
        found.append(Check("cycle", "warn" if card.simulated else "stop", text, fix))
    unread = {"positions", "equity", "fills", "funding"} - card.reads
    if unread and gateway.real_money:
        found.append(
            Check("reads", "stop", f"this way cannot read {', '.join(sorted(unread))}", f"{line} venue, dialect")
        )
    return found or [
        Check("markets", "ok", f"{len(listed)} as the fund file has them; least order {card.minimum_micro / 1e6:g} USD")
    ]


async def _charges(gateway: Gateway, fund: "Fund", reached: Reached, line: str) -> list[Check]:
    """Fee tier and margin mode, where the venue can tell: Hyperliquid, and Purple Flea, which trades there."""
    from podshop.venues.hyperliquid.account import Account

    venue: Any = reached.venue
    if not isinstance(venue, Account):
        return [
            Check("fees", "ok", f"the venue does not tell; the fund file reckons with {fund.venue.taker_fee_bps:g} bps")
        ]
    said = await venue._ask({"type": "userFees", "user": venue.address})
    taker_bps = float(said["userCrossRate"]) * 1e4
    if taker_bps > fund.venue.taker_fee_bps + 1e-9:
        text = f"this account pays {taker_bps:g} bps, the fund file reckons with {fund.venue.taker_fee_bps:g}"
        found = [Check("fees", "warn", text, f"{gateway.fund}: [venue] taker_fee_bps = {taker_bps:g}")]
    else:
        found = [Check("fees", "ok", f"{taker_bps:g} bps for what is taken")]
    state = await venue._ask({"type": "clearinghouseState", "user": venue.address})
    modes = {one["position"]["coin"]: one["position"]["leverage"]["type"] for one in state["assetPositions"]}
    alone = sorted(coin for coin, mode in modes.items() if mode != "cross")
    if alone:
        text = f"{', '.join(alone)} held with isolated margin: liquidated alone, whatever the account is worth"
        return [*found, Check("margin", "warn", text, "the venue's page: set these to cross")]
    return [*found, Check("margin", "ok", "cross" if modes else "nothing is held; the venue begins with cross")]


async def _power(gateway: Gateway, fund: "Fund", reached: Reached, line: str) -> list[Check]:
    """Whether the key can do more than trade."""
    if not gateway.real_money:
        return []
    signer: Any = getattr(getattr(reached.venue, "_sign", None), "address", None)
    if signer is None:
        text = "the venue does not tell what this key may do: make sure that it cannot withdraw"
        return [Check("key", "warn", text, "the venue's own page of keys")]
    if signer.lower() == gateway.account.lower():
        text = "this is the wallet's own key, which can withdraw everything"
        return [Check("key", "stop", text, f"{line} [keys] gateway: make an API wallet, which trades only")]
    return [Check("key", "ok", "an API wallet's: it trades and cannot withdraw")]


def worst(found: list[Check]) -> Level:
    """The worst level found."""
    levels: tuple[Level, ...] = ("stop", "warn", "ok")
    return next((level for level in levels if any(check.level == level for check in found)), "ok")


def lines(found: list[Check]) -> list[str]:
    """For people: what is wrong, and what to change."""
    marks = {"ok": "ok  ", "warn": "WARN", "stop": "FAIL"}
    out = []
    for check in found:
        out.append(f"{marks[check.level]}  {check.what:<10} {check.text}")
        if check.fix and check.level != "ok":
            out.append(f"      {'':<10} -> {check.fix}")
    return out
