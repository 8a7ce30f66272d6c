"""What both dialects of the server share: the twin, the clock, who may ask, and how an answer is spoiled on its way."""

import asyncio
import json
import re
import socket
import struct
from typing import Any

from aiohttp import web

from podshop.nouns import SECOND_NS
from podshop.venues.exchange.clock import ServedClock
from podshop.venues.exchange.twin import Sent, Twin, Wish
from podshop.venues.exchange.units import Unit, unit_of

WALLET = "0x50d5000000000000000000000000000000000001"  # the account's address; nobody has its key
HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
SILENT = frozenset({"lost_before", "lost_after", "read_timeout", "down"})
NUMBER = re.compile(r'(?<=[:\[])\s*("?)-?\d+(?:\.\d+)?\1(?=[,}\]])')
PAIR = re.compile(r'"(\w+)":\s*("[^"]*"|-?[\d.]+|true|false|null)')
MOST_BODY = 1 << 20
HUGE = 11_000_000


class Loopback:
    """One account at the loopback exchange, as both dialects see it.

    hold_s  seconds of the wall for which a connection that is not answered stays open
    """

    def __init__(self, twin: Twin, clock: ServedClock, *, wallet: str = WALLET, hold_s: float = 60.0) -> None:
        self.twin, self.clock, self.wallet, self.hold_s = twin, clock, wallet.lower(), hold_s
        self.truth, self.evil = twin.truth, twin.evil
        self.units: dict[str, Unit] = {each.name: unit_of(each) for each in twin.truth.instruments.values()}
        self.by_venue_name = {unit.venue_name: unit for unit in self.units.values()}
        self.cancel_all_ns: int | None = None  # a dead man's switch, where one was set

    def now_ns(self) -> int:
        """The exchange's time; everything due by then has happened."""
        now_ns = self.clock.now_ns()
        if self.cancel_all_ns is not None and self.cancel_all_ns <= now_ns:
            at_ns, self.cancel_all_ns = self.cancel_all_ns, None
            self.twin.advance(at_ns)
            for order in self.truth.resting():
                self.truth.cancel(at_ns, order.number)
        self.twin.advance(now_ns)
        return now_ns

    def stamp_ms(self) -> int:
        """The clock as the venue shows it, which may be skewed."""
        return self.twin.clock_ns(self.now_ns()) // 1_000_000

    async def deliver(self, wish: Wish) -> Sent:
        """Send an order and wait until it has arrived, if it ever does."""
        sent = self.twin.send(self.now_ns(), wish)
        if sent.arrives_ns is not None:
            await self.clock.sleep_until(sent.arrives_ns)
        self.now_ns()
        return sent

    async def answer(self, request: web.Request, body: Any, status: int = 200, fault: str = "") -> web.StreamResponse:
        """An honest answer, or what a fault makes of it."""
        plain = json.dumps(body)
        name = fault.removeprefix("read_")
        if fault in SILENT:
            await asyncio.sleep(self.hold_s)
            return _abort(request)
        if name == "reset":
            return _abort(request)
        if name == "html":
            return web.Response(text=HTML, content_type="text/html")
        if name == "garbage":
            plain = plain[: max(len(plain) * 2 // 3, 1)]
        elif name == "huge":
            plain += " " * HUGE
        elif name == "odd_numbers":
            plain = _with_odd_numbers(plain)
        elif name == "twice_keys":
            plain = _with_a_key_twice(plain)
        return web.Response(text=plain, status=status, content_type="application/json", charset="utf-8")


def _abort(request: web.Request) -> web.Response:
    """Tear the connection down; the other side sees a reset."""
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


def _with_odd_numbers(plain: str) -> str:
    """Every third number is not one.

    >>> _with_odd_numbers('{"px": "1.5", "sz": 2, "n": [3, 4]}')
    '{"px":NaN, "sz": 2, "n": [3, 4]}'
    """
    count = 0

    def odd(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return found[0] if count % 3 != 1 else "NaN" if count % 2 else "-Infinity"

    spoiled = NUMBER.sub(odd, plain)
    return spoiled if spoiled != plain else '{"value": NaN}'


def _with_a_key_twice(plain: str) -> str:
    """The first plain value comes twice, and is not the same.

    >>> _with_a_key_twice('[{"coin": "BTC", "szi": "1.0"}]')
    '[{"coin": null, "coin": "BTC", "szi": "1.0"}]'
    """
    spoiled = PAIR.sub(lambda found: f'"{found[1]}": null, {found[0]}', plain, count=1)
    return spoiled if spoiled != plain else '{"value": 1, "value": 2}'


async def body_of(request: web.Request) -> Any:
    """The request's JSON; None where it is none, or too long."""
    if (request.content_length or 0) > MOST_BODY:
        return None
    try:
        return json.loads(await request.text())
    except (ValueError, UnicodeDecodeError):
        return None


class Window:
    """How often a caller came in the last so many nanoseconds, counted from his first call, as the servers do."""

    def __init__(self, most: int, length_ns: int = 60 * SECOND_NS) -> None:
        self._most, self._length_ns = most, length_ns
        self._seen: dict[str, tuple[int, int]] = {}

    def full(self, caller: str, now_ns: int, weight: int = 1) -> bool:
        """Count a call; whether it was one too many."""
        since_ns, count = self._seen.get(caller, (now_ns, 0))
        if now_ns - since_ns >= self._length_ns:
            since_ns, count = now_ns, 0
        self._seen[caller] = since_ns, count + weight
        return count + weight > self._most
