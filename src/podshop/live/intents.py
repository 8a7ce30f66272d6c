"""What may still be in flight, in one small preallocated file beside the latch, for whoever must flatten alone.

The journal knows it too, but the flattener must work with the journal locked, corrupt or gone. So the gateway
overwrites STATE/latch/intents, on the disk before the first byte of a wave leaves: two halves take turns, each with a
number and a seal. The flattener says FLAT only after Q without change since the last possible send; from a file that
it cannot read it learns nothing, and takes the moment it looked for that of the last send.
"""

import json
import os
import struct
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from podshop.live.latch import preallocate

HALF = 128 * 1024  # bytes of one half: some thousand intents
_HEAD = struct.Struct(">16sQI")
_MAGIC = b"podshop flight1\n"


class Flying(NamedTuple):
    """One intent whose outcome is not final, or that lapsed and is still watched; sent_ns is 0 before it is sent."""

    intent: str
    market: str
    lots: int
    sent_ns: int


class Flight(NamedTuple):
    """All that may still fill.

    at_ns         when this was written
    last_send_ns  no send was possible after this, unless a later Flight says so: the wave's sends end before then
    late_bound_ns a fill may appear so long after its send (Q is made of it: docs/live.md, section 3)
    many          how many intents there are; `flying` lists as many of them as fit, newest first
    """

    at_ns: int
    last_send_ns: int
    late_bound_ns: int
    many: int
    flying: tuple[Flying, ...]


def create(state: Path) -> None:
    """Make the file at its full length, for a new fund: nothing in flight."""
    preallocate(state / "latch" / "intents", 2 * HALF)
    FlightFile(state).write(Flight(0, 0, 0, 0, ()))


class FlightFile:
    """The gateway's pen. It needs no space on the disk."""

    def __init__(self, state: Path) -> None:
        self._path = state / "latch" / "intents"
        self._number = max((number for number, _ in _halves(self._path)), default=0)

    def write(self, flight: Flight) -> None:
        """What is in flight from now on; on the disk when this returns."""
        self._number += 1
        body = _body(flight)
        said = _HEAD.pack(_MAGIC, self._number, len(body)) + body
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.pwrite(file, said + sha256(said).digest(), (self._number % 2) * HALF)
            os.fdatasync(file)
        finally:
            os.close(file)


def in_flight(state: Path) -> Flight | None:
    """What the file says last; None where it cannot be believed."""
    halves = _halves(state / "latch" / "intents")
    return max(halves, key=lambda half: half[0])[1] if halves else None


def flight_of(at_ns: int, last_send_ns: int, late_bound_ns: int, flying: Sequence[Flying]) -> Flight:
    """Newest first, so that those which may still fill are listed."""
    ordered = tuple(sorted(flying, key=lambda one: -one.sent_ns))
    return Flight(at_ns, last_send_ns, late_bound_ns, len(ordered), ordered)


def _body(flight: Flight) -> bytes:
    listed = flight.flying
    while True:
        body = json.dumps([*flight[:4], listed], separators=(",", ":")).encode()
        if len(body) + _HEAD.size + 32 <= HALF:
            return body
        listed = listed[: len(listed) // 2]


def _halves(path: Path) -> list[tuple[int, Flight]]:
    """Those halves that their seals vouch for."""
    try:
        raw = path.read_bytes()
    except OSError:
        return []
    found = []
    for start in (0, HALF):
        half = raw[start : start + HALF]
        if not half.startswith(_MAGIC) or len(half) < _HEAD.size:
            continue
        _, number, length = _HEAD.unpack(half[: _HEAD.size])
        end = _HEAD.size + length
        if sha256(half[:end]).digest() == half[end : end + 32]:
            at_ns, last_send_ns, late_bound_ns, many, flying = json.loads(half[_HEAD.size : end])
            flown = tuple(Flying(*one) for one in flying)
            found.append((number, Flight(at_ns, last_send_ns, late_bound_ns, many, flown)))
    return found
