"""Signal agents in processes of their own, under a deadline: a bad one loses its own vote, and nothing else.

Agents that come with the package share a few workers, each agent of one's own has one to itself. An agent that does
not answer in time, kills its worker, eats its memory or answers nonsense counts as without opinion; its worker is
killed, a warm spare takes its place, and the agent is left out for 1, 2, 4 ... 64 of its bars (it may come back).
"""

import os
import selectors
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

import podshop
from podshop.live.brain.seats import Answers, Asked, LiveSeat
from podshop.live.brain.worker import Column, Reply, Request, Warm
from podshop.nouns import Panel
from podshop.run.config.risk import settings
from podshop.run.config.sections import Fund as FundFile

DEADLINE_S = 2.0
AGENT_S = 0.5  # of one agent, where others wait for the same worker
MEMORY_BYTES = 4 << 30
LONGEST_BENCH = 64
LENGTH = struct.Struct(">I")
OVERHEAD = 1024  # bytes of an answer beside its numbers


class Fault(NamedTuple):
    """What an agent did wrong, for the log: its name, and a line."""

    seat: str
    what: str


@dataclass(slots=True)
class Bench:
    """How an agent fares: faults in a row, and how many times it is still left out."""

    faults: int = 0
    left_out: int = 0


class Workers:
    """Asks signal agents in worker processes; an `Asker` of a `Mind`.

    folder     beside which modules of agents of one's own are found
    shared     workers for the agents of the package; spares: warm ones that wait
    deadline_s for all answers of a cycle; agent_s for one agent while others wait behind it
    faults     what went wrong since somebody last emptied it
    """

    def __init__(
        self, file: FundFile, folder: Path, *, shared: int = 2, spares: int = 1, deadline_s: float = DEADLINE_S,
        agent_s: float = AGENT_S, memory_bytes: int = MEMORY_BYTES, now_s: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._folder, self._memory, self._now_s = folder, memory_bytes, now_s
        self.deadline_s, self._agent_s = deadline_s, agent_s
        self._settings = {seat.name: settings(seat.agent) for seat in file.signals}
        own = [seat for seat in file.signals if ":" in seat.kind]
        kinds = {seat.kind: self._settings[seat.name] for seat in file.signals if ":" not in seat.kind}
        self._warm = Warm(tuple(kinds.items()))
        self.bench = {seat.name: Bench() for seat in file.signals}
        self.faults: list[Fault] = []
        count = min(shared, len(file.signals) - len(own)) if len(own) < len(file.signals) else 0
        self._lanes = [_Lane() for _ in range(count + len(own))]
        self._lane_of = {seat.name: self._lanes[count + i] for i, seat in enumerate(own)}
        theirs = [seat for seat in file.signals if ":" not in seat.kind]
        self._lane_of |= {seat.name: self._lanes[i % count] for i, seat in enumerate(theirs)}
        for lane in self._lanes:
            lane.worker = self._start()
        self._wanted_spares = spares
        self._spares = [self._start() for _ in range(spares)]

    def __call__(self, asked: Sequence[Asked]) -> Answers:
        """Ask all that are not benched; who fails or is not asked has no vote."""
        until_s = self._now_s() + self.deadline_s
        answers: dict[str, Panel | None] = {}
        for lane in self._lanes:
            lane.waiting.clear()
        for one in sorted(asked, key=lambda one: self.bench[one.seat.name].faults):
            answers[one.seat.name] = None
            bench = self.bench[one.seat.name]
            if bench.left_out > 0:
                bench.left_out -= 1
            else:
                self._lane_of[one.seat.name].waiting.append(one)
        with selectors.DefaultSelector() as ready:
            for lane in self._lanes:
                self._next(lane, ready)
            while any(lane.asked is not None for lane in self._lanes):
                self._wait(ready, until_s, answers)
        self._replace()
        return answers

    def ready(self, timeout_s: float = 120.0) -> bool:
        """Wait until every worker and spare is warm."""
        until_s = self._now_s() + timeout_s
        everybody = [lane.worker for lane in self._lanes if lane.worker is not None] + self._spares
        return all(worker.wait_ready(max(until_s - self._now_s(), 0.0)) for worker in everybody)

    @property
    def pids(self) -> tuple[int, ...]:
        """Of all workers that live."""
        everybody = [lane.worker for lane in self._lanes if lane.worker is not None] + self._spares
        return tuple(worker.process.pid for worker in everybody if worker.process.poll() is None)

    def close(self) -> None:
        """End every worker."""
        for lane in self._lanes:
            if lane.worker is not None:
                lane.worker.kill()
                lane.worker = None
        for spare in self._spares:
            spare.kill()
        self._spares.clear()

    def _next(self, lane: "_Lane", ready: selectors.BaseSelector) -> None:
        """Send a lane's next question, to a new worker where the old one is gone."""
        lane.asked = None
        while lane.waiting:
            if lane.worker is None or not lane.worker.fit():
                lane.worker = self._instead_of(lane.worker)
            if lane.worker is None:
                lane.waiting.clear()  # not their fault: they are asked again at their next bar
                return
            one = lane.waiting.popleft()
            try:
                lane.worker.ask(self._request(lane.worker, one))
            except OSError as e:
                self._fault(lane, ready, one.seat.name, f"its worker is gone: {e}")
                continue
            lane.asked, lane.began_s = one, self._now_s()
            ready.register(lane.worker.channel, selectors.EVENT_READ, lane)
            return

    def _wait(self, ready: selectors.BaseSelector, until_s: float, answers: dict[str, Panel | None]) -> None:
        """Take what comes until somebody's time is over."""
        busy = [lane for lane in self._lanes if lane.asked is not None]
        soonest = min(self._ends_s(lane, until_s) for lane in busy)
        for key, _ in ready.select(max(soonest - self._now_s(), 0.0)):
            lane: _Lane = key.data
            if lane.asked is None or lane.worker is None:
                continue
            one, rows = lane.asked, lane.asked.last - lane.asked.first
            try:
                reply = lane.worker.take(8 * rows * len(one.seat.markets) + OVERHEAD)
            except (OSError, ValueError, msgspec.MsgspecError) as e:
                self._fault(lane, ready, one.seat.name, f"{type(e).__name__}: {e}" if str(e) else "its worker died")
                self._next(lane, ready)
                continue
            if reply is None:
                continue
            ready.unregister(lane.worker.channel)
            said, wrong = _convictions(reply, rows, len(one.seat.markets))
            answers[one.seat.name] = said
            if wrong:
                self._blame(one.seat.name, wrong)
            else:
                self.bench[one.seat.name] = Bench()
            self._next(lane, ready)
        now = self._now_s()
        for lane in busy:
            if lane.asked is None or now < self._ends_s(lane, until_s):
                continue
            seat, had_s = lane.asked.seat.name, now - lane.began_s
            if now >= until_s:
                lane.waiting.clear()
            if had_s >= min(self._agent_s, self.deadline_s):
                self._blame(seat, f"no answer in {had_s:.2f} s")
            self._drop(lane, ready)  # one that had no time is not to blame, but its worker is busy
            self._next(lane, ready)

    def _ends_s(self, lane: "_Lane", until_s: float) -> float:
        """When a lane's agent has to have answered."""
        return min(until_s, lane.began_s + self._agent_s) if lane.waiting else until_s

    def _drop(self, lane: "_Lane", ready: selectors.BaseSelector) -> None:
        """End a lane's worker."""
        if lane.worker is not None:
            if lane.asked is not None:
                ready.unregister(lane.worker.channel)
            lane.worker.kill()
        lane.worker, lane.asked = None, None

    def _fault(self, lane: "_Lane", ready: selectors.BaseSelector, seat: str, what: str) -> None:
        """An agent took its worker with it."""
        self._drop(lane, ready)
        self._blame(seat, what)

    def _blame(self, seat: str, what: str) -> None:
        bench = self.bench[seat]
        bench.faults += 1
        bench.left_out = min(2 ** (bench.faults - 1), LONGEST_BENCH)
        self.faults.append(Fault(seat, what))

    def _instead_of(self, worker: "_Worker | None") -> "_Worker | None":
        """A spare for a worker that is gone; one that is only not warm yet waits among the spares."""
        spare = self._spare()
        if worker is not None and worker.process.poll() is None:
            self._spares.append(worker)
        elif worker is not None:
            worker.kill()
        return spare

    def _spare(self) -> "_Worker | None":
        """A warm worker, if there is one."""
        for i, spare in enumerate(self._spares):
            if spare.wait_ready(0.0):
                return self._spares.pop(i)
        return None

    def _replace(self) -> None:
        """Have as many spares again as are wanted, and drop those that died."""
        self._spares = [spare for spare in self._spares if spare.process.poll() is None]
        empty = sum(lane.worker is None for lane in self._lanes)
        while len(self._spares) < self._wanted_spares + empty:
            self._spares.append(self._start())

    def _start(self) -> "_Worker":
        return _Worker(self._memory, self._warm)

    def _request(self, worker: "_Worker", one: Asked) -> Request:
        """The question about one seat."""
        seat: LiveSeat = one.seat
        start, end = seat.rows_for(one)
        bars = seat.bars
        grown = {name: bars.columns[name] for name in seat.seat.agent.reads}
        first = next((each.first for each in grown.values()), 0)
        columns = tuple(
            Column(name, each.page.number, *each.page.shape, worker.lacks(seat.bar_ns, name, each.page))
            for name, each in grown.items()
        )
        return Request(
            number=worker.number + 1,
            seat=seat.name,
            kind=seat.seat.kind,
            settings=self._settings[seat.name],
            folder=str(self._folder),
            bar=str(seat.bar_ns),
            columns=columns,
            markets=tuple(bars.names.index(name) for name in seat.markets),
            start=first + start,
            end=first + end,
            skip=one.first - start,
            until=one.last - start,
        )


@dataclass(slots=True)
class _Lane:
    """One worker's queue, and the question that is on its way."""

    worker: "_Worker | None" = None
    waiting: deque[Asked] = field(default_factory=deque)
    asked: Asked | None = None
    began_s: float = 0.0


class _Worker:
    """One process and our end of its channel."""

    def __init__(self, memory_bytes: int, warm: Warm) -> None:
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        source = str(Path(podshop.__file__).resolve().parents[1])
        env = dict(os.environ) | {"PYTHONPATH": source, "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "podshop.live.brain.worker", str(theirs.fileno()), str(memory_bytes)],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env=env, start_new_session=True,
            )  # fmt: skip
        self.channel.settimeout(5.0)
        self.number = 0
        self._ready = False
        self._seen: dict[tuple[int, str], int] = {}
        self._fds: list[int] = []
        self._got = bytearray()
        self._send(("warm", None, warm))

    def fit(self) -> bool:
        """Whether it lives and may be asked."""
        return self.process.poll() is None and self.wait_ready(0.0)

    def wait_ready(self, timeout_s: float) -> bool:
        """Whether it has said, within this time, that it is warm."""
        if self._ready:
            return True
        until_s = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as ready:
            ready.register(self.channel, selectors.EVENT_READ)
            while not self._ready:
                if not ready.select(max(until_s - time.monotonic(), 0.0)):
                    return False
                try:
                    self._ready = self.take(OVERHEAD) is not None
                except (OSError, ValueError, msgspec.MsgspecError):
                    return False
        return True

    def lacks(self, bar_ns: int, name: str, page: Any) -> bool:
        """Whether it has to be handed this page; from then on it has it."""
        if self._seen.get((bar_ns, name)) == page.number:
            return False
        self._seen[bar_ns, name] = page.number
        self._fds.append(page.fd)
        return True

    def ask(self, request: Request) -> None:
        """Send a question, and the pages that it needs."""
        self.number = request.number
        self._send(("ask", request, None))

    def take(self, most: int) -> Reply | None:
        """Read what there is; the answer, once it is whole. Raises ValueError where it is too long or another's."""
        more = self.channel.recv(1 << 16)
        if not more:
            raise ConnectionError("its worker died")
        self._got += more
        if len(self._got) < LENGTH.size:
            return None
        (length,) = LENGTH.unpack(self._got[: LENGTH.size])
        if length > most:
            raise ValueError(f"an answer of {length} bytes, expected at most {most}")
        if len(self._got) < LENGTH.size + length:
            return None
        if len(self._got) > LENGTH.size + length:
            raise ValueError("it said more than it was asked")
        reply = msgspec.msgpack.decode(bytes(self._got[LENGTH.size :]), type=Reply)
        self._got.clear()
        if reply.number != self.number:
            raise ValueError(f"it answered question {reply.number}, expected {self.number}")
        return reply

    def kill(self) -> None:
        """End it at once."""
        self.channel.close()
        self.process.kill()
        self.process.wait()

    def _send(self, message: object) -> None:
        body = msgspec.msgpack.encode(message)
        fds, self._fds = self._fds, []
        if fds:
            socket.send_fds(self.channel, [LENGTH.pack(len(body))], fds)
            self.channel.sendall(body)
        else:
            self.channel.sendall(LENGTH.pack(len(body)) + body)


def _convictions(reply: Reply, rows: int, markets: int) -> tuple[Panel | None, str]:
    """The numbers of an answer, or why they are none."""
    if reply.wrong:
        return None, reply.wrong
    if len(reply.data) != 8 * rows * markets:
        return None, f"{len(reply.data)} bytes of numbers, expected {8 * rows * markets}"
    said = np.frombuffer(reply.data, "<f8").astype(np.float64).reshape(rows, markets)
    largest = np.nanmax(np.abs(said), initial=0.0)
    return (said, "") if largest <= 1.0 else (None, f"answered {largest:g}, expected within -1 and 1")
