"""How a running fund stands, from whatever can be asked: gateway, latch, heartbeats, disk, keys, backups.

Each source is asked on its own: with the gateway dead, the rest is still told, and that it is dead.
"""

import time
from typing import Any

import msgspec

from podshop.live import backup, control, guards
from podshop.live.config import Gateway
from podshop.live.control import Standing
from podshop.live.guards import Notice
from podshop.live.heartbeat import WHO, heard, here
from podshop.live.intents import in_flight
from podshop.live.latch import Latch
from podshop.live.logs import BYTES, FILES
from podshop.live.reach import rate
from podshop.live.watchdog import told
from podshop.nouns import ConfigError, utc_text

WAITS_S = 3.0
TRAVELS_NS = 20_000_000  # of the wall, for an answer on its way: at a simulated venue's rate that is many seconds


def status(gateway: Gateway) -> dict[str, Any]:
    """Everything `podshop status` shows, as plain data."""
    held = Latch(gateway.folder).held()
    standing, silent = asked(gateway)
    now_ns = time.time_ns()
    return {
        "state": held.name,
        "seen": held.seen,
        "by": held.by,
        "reason": held.reason,
        "damaged": list(held.damaged),
        "venue": gateway.venue,
        "real_money": gateway.real_money,
        "folder": str(gateway.folder),
        "processes": _processes(gateway),
        "gateway": msgspec.to_builtins(standing) if standing else None,
        "gateway_error": silent,
        "in_flight": _flight(gateway),
        "flatten": _flatten(gateway),
        "notices": [notice._asdict() for notice in notices(gateway, standing, now_ns)],
        "backup": _backup(gateway, now_ns),
    }


def asked(gateway: Gateway) -> tuple[Standing | None, str]:
    """What the gateway says of itself, or why it says nothing."""
    try:
        token = control.read_token(gateway.operator_token)
        return control.ask(gateway.control_socket, token, control.Status(), WAITS_S).standing, ""
    except (OSError, ConfigError) as e:
        return None, e.strerror or str(e) if isinstance(e, OSError) else str(e)


def notices(gateway: Gateway, standing: Standing | None, now_ns: int) -> list[Notice]:
    """What was looked at of docs/live.md, section 7."""
    journal = gateway.journal.with_name(gateway.journal.name + "-wal")
    found = [
        guards.disk(guards.free_bytes(gateway.folder), gateway.thresholds),
        guards.wal(journal.stat().st_size if journal.exists() else 0, gateway.thresholds),
        guards.key(gateway.keys.expires, now_ns, gateway.thresholds),
    ]
    ballast, logs = gateway.folder / "ballast", gateway.logs
    if not ballast.exists() or not ballast.stat().st_size:
        found.append(Notice("ballast", "warn", "was given back to a full disk; `podshop doctor` makes it again"))
    size_mb = sum(one.stat().st_size for one in logs.iterdir()) / 1e6 if logs.is_dir() else 0.0
    found.append(Notice("logs", "ok", f"{size_mb:.0f} MB, at most {FILES * BYTES / 1e6:.0f} of each process"))
    if standing is not None:
        found += [
            guards.offset(standing.offset_ns, max(gateway.offset_ns, int(rate(gateway) * TRAVELS_NS))),
            guards.quota(standing.requests, standing.allowance),
        ]
        if standing.windows is not None:
            found.append(guards.maintenance(standing.at_ns, standing.windows))
    return found


def _processes(gateway: Gateway) -> list[dict[str, Any]]:
    """Each process and since when it is silent, in seconds of the wall; None = not heard since the machine began."""
    now = here()
    found = []
    for who in WHO:
        beat = heard(gateway.folder, who)
        alive = beat is not None and beat.now.boot == now.boot
        silent_s = (now.monotonic_ns - beat.now.monotonic_ns) / 1e9 if beat is not None and alive else None
        found.append(
            {"name": who, "silent_s": silent_s, "cycle": beat.cycle if beat else -1, "pid": beat.pid if beat else 0}
        )
    return found


def _flight(gateway: Gateway) -> dict[str, Any] | None:
    flight = in_flight(gateway.folder)
    return None if flight is None else {"many": flight.many, "last_send_ns": flight.last_send_ns}


def _flatten(gateway: Gateway) -> dict[str, Any] | None:
    said = told(gateway.folder)
    return None if said is None else said._asdict() | {"lots": dict(said.lots)}


def _backup(gateway: Gateway, now_ns: int) -> dict[str, Any] | None:
    made = backup.backups(gateway)
    if not made:
        return None
    return {
        "at": utc_text(made[-1].at_ns),
        "age_s": (now_ns - made[-1].at_ns) / 1e9,
        "rows": made[-1].seq,
        "kept": len(made),
    }


def lines(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    money = "REAL MONEY" if found["real_money"] else "no real money"
    out = [f"{found['state']:<12} {found['venue']}, {money}; {found['folder']}"]
    if found["by"]:
        out.append(f"{'':<12} by {found['by']}: {found['reason']}")
    if found["damaged"]:
        out.append(f"{'':<12} damaged: {', '.join(found['damaged'])}")
    for one in found["processes"]:
        age = "no sign of life" if one["silent_s"] is None else f"alive {one['silent_s']:.0f} s ago"
        cycle = f", cycle {one['cycle']}" if one["cycle"] >= 0 else ""
        out.append(f"{one['name']:<12} {age}{cycle}")
    desk = found["gateway"]
    if desk is None:
        out.append(f"{'books':<12} the gateway does not answer: {found['gateway_error']}")
    else:
        out += _books(desk)
    flight = found["in_flight"]
    out.append(f"{'in flight':<12} " + ("unreadable" if flight is None else f"{flight['many']} intents"))
    if found["flatten"] is not None:
        said = found["flatten"]
        out.append(f"{'flattener':<12} {utc_text(said['at_ns'])} {said['word']}: {said['text']}")
    out += [f"{notice['what']:<12} {_mark(notice['level'])}{notice['text']}" for notice in found["notices"]]
    last = found["backup"]
    out.append(
        f"{'backup':<12} " + ("none yet" if last is None else f"{last['at']}, {last['rows']} rows; {last['kept']} kept")
    )
    return out


def _books(desk: dict[str, Any]) -> list[str]:
    out = [
        f"{'books':<12} cycle {desk['cycle']} at {utc_text(desk['at_ns'])}; NAV {desk['nav_micro'] / 1e6:,.2f} USD, "
        f"suspense {desk['suspense_micro'] / 1e6:,.2f} USD; {desk['journal_seq']} rows",
        f"{'orders':<12} {desk['in_flight']} without an outcome, {desk['unknown']} unknown, {desk['lapsed']} watched",
    ]
    if desk["state"]:
        out.append(f"{'gateway':<12} {desk['state']}" + (f": {desk['reason']}" if desk["reason"] else ""))
    for coin in desk["coins"]:
        if coin["line"] != "IDLE" or coin["only"] or coin["booked_lots"]:
            venue = "?" if coin["venue_lots"] is None else f"{coin['venue_lots']:+d}"
            only = f"; only reduced: {coin['only']}" if coin["only"] else ""
            out.append(
                f"{coin['market']:<12} {coin['line']}, booked {coin['booked_lots']:+d}, venue {venue} lots{only}"
            )
    out += [f"{'halted':<12} {one}" for one in desk["only"]]
    out += [f"{'alarm':<12} {one}" for one in desk["alarms"][:10]]
    return out


def _mark(level: str) -> str:
    return "" if level == "ok" else f"{level.upper()}: "
