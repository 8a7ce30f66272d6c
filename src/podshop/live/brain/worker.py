"""One worker: a process that asks signal agents and nothing else. It is started by `workers.py` and may die any time.

    python -m podshop.live.brain.worker FD        FD: its end of a pair of sockets

It has no network, little memory and pages that it cannot write; what it answers is checked by who asked.
"""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from podshop.live.brain.pages import mapped
from podshop.nouns import PodshopError

MOST_REQUEST = 1 << 20
MOST_FDS = 64
LENGTH = struct.Struct(">I")
_NEW_USER, _NEW_NET, _PARENT_DIES = 0x1000_0000, 0x4000_0000, 1
NETWORK = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "imaplib.", "poplib.", "telnetlib.", "nntplib.")
PROCESSES = ("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "subprocess.", "os.kill")


class Column(msgspec.Struct, frozen=True, array_like=True):
    """One column: its name and page. `sent`: the page's descriptor comes with this request, in order."""

    name: str
    page: int
    markets: int
    capacity: int
    sent: bool


class Request(msgspec.Struct, frozen=True, array_like=True):
    """Ask a seat about rows [start, end) of its pages, and answer those from `skip` to `until`.

    kind, settings, folder  how the agent is made, the first time
    markets                 rows of the pages that are its markets
    """

    number: int
    seat: str
    kind: str
    settings: dict[str, Any]
    folder: str
    bar: str
    columns: tuple[Column, ...]
    markets: tuple[int, ...]
    start: int
    end: int
    skip: int
    until: int


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """Convictions as little-endian float64, row by row; or what went wrong, in a line."""

    number: int
    data: bytes
    wrong: str = ""


class Warm(msgspec.Struct, frozen=True, array_like=True):
    """Make these built-in agents and ask each about nothing much, so that their machine code is loaded."""

    agents: tuple[tuple[str, dict[str, Any]], ...]


def main() -> None:
    """Answer requests until the other end closes."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    memory = int(sys.argv[2])
    os.set_inheritable(channel.fileno(), False)
    _confine(memory)
    decode = msgspec.msgpack.Decoder(tuple[str, Request | None, Warm | None]).decode
    agents = Agents()
    while (got := _receive(channel)) is not None:
        body, fds = got
        what, request, warm = decode(body)
        if what == "warm" and warm is not None:
            agents.warm(warm)
            _send(channel, Reply(0, b""))
        elif request is not None:
            _send(channel, agents.answer(request, fds))


class Agents:
    """The agents that this worker was asked for so far, and the pages that it has seen."""

    def __init__(self) -> None:
        self._agents: dict[str, Any] = {}
        self._pages: dict[tuple[str, str], tuple[int, Any]] = {}

    def answer(self, request: Request, fds: list[int]) -> Reply:
        """Ask one agent; whatever it raises is a line of text."""
        try:
            columns = self._columns(request, fds)
            agent = self._agents.get(request.seat)
            if agent is None:
                agent = self._agents[request.seat] = made(request.kind, request.settings, request.folder)
            said = np.asarray(agent(**columns))
            shape = (request.end - request.start, len(request.markets))
            if said.dtype != np.float64 or said.shape != shape:
                return Reply(request.number, b"", f"answered {said.dtype} {said.shape}, expected float64 {shape}")
            return Reply(request.number, np.ascontiguousarray(said[request.skip : request.until]).tobytes())
        except BaseException as e:  # noqa: BLE001  it is somebody's code, and this process is only for that
            return Reply(request.number, b"", f"{type(e).__name__}: {e}"[:300])

    def warm(self, warm: Warm) -> None:
        """Make built-in agents and call them once."""
        rng = np.random.default_rng(0)
        for kind, settings in warm.agents:
            with contextlib.suppress(PodshopError, ValueError):
                agent = made(kind, settings, "")
                rows = agent.lookback_bars + 2
                price = 100 * np.exp(0.01 * rng.standard_normal((2, rows)).cumsum(axis=1))
                agent(**dict.fromkeys(agent.reads, price.T))

    def _columns(self, request: Request, fds: list[int]) -> dict[str, Any]:
        fresh = iter(fds)
        found = {}
        whole = tuple(range(request.columns[0].markets)) == request.markets if request.columns else True
        for column in request.columns:
            place = (request.bar, column.name)
            if column.sent:
                fd = next(fresh)
                self._pages[place] = column.page, mapped(fd, column.markets, column.capacity)
                os.close(fd)
            number, page = self._pages[place]
            if number != column.page:
                raise ValueError(f"{column.name} is on page {number}, expected {column.page}")
            part = page[:, request.start : request.end]
            found[column.name] = part.T if whole else part[list(request.markets)].T
        return found


def made(kind: str, settings: dict[str, Any], folder: str) -> Any:
    """An agent from its kind and settings, as a fund file makes it."""
    from podshop.run.config import own
    from podshop.run.config.reading import Place, record

    place = Place("worker")
    with own.importable(Path(folder or ".")):
        return record(place, settings, own.signal_class(place, kind))


def _receive(channel: socket.socket) -> tuple[bytes, list[int]] | None:
    """The next request and its descriptors; None where the other end has closed."""
    head, fds, _, _ = socket.recv_fds(channel, LENGTH.size, MOST_FDS)
    while 0 < len(head) < LENGTH.size:
        more = channel.recv(LENGTH.size - len(head))
        if not more:
            return None
        head += more
    if not head:
        return None
    (length,) = LENGTH.unpack(head)
    body = bytearray()
    while len(body) < min(length, MOST_REQUEST):
        more = channel.recv(length - len(body))
        if not more:
            return None
        body += more
    return bytes(body), fds


def _send(channel: socket.socket, reply: Reply) -> None:
    body = msgspec.msgpack.encode(reply)
    channel.sendall(LENGTH.pack(len(body)) + body)


def _confine(memory_bytes: int) -> None:
    """No network, no new processes, so much memory, and an end together with whoever started this."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PARENT_DIES, signal.SIGKILL, 0, 0, 0)
    libc.unshare(
        _NEW_USER | _NEW_NET
    )  # a network of its own has no way out; where it is refused, the hook below is left
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))
    allowed = ("socket.__new__",)

    def refuse(event: str, args: tuple[Any, ...]) -> None:
        if (event.startswith(NETWORK) and event not in allowed) or event.startswith(PROCESSES):
            raise PermissionError(f"an agent has no {event}")

    sys.addaudithook(refuse)


if __name__ == "__main__":
    main()
