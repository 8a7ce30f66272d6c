"""A signal agent that is asked bar by bar, on the arrays that a backtest would give it.

Its arrays begin where the calendar's chunk has them begin and end now, so the last row is the row that a backtest
reads. It is asked only when a bar of its own size was completed.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from podshop.live.brain.growing import GrowingMarket
from podshop.nouns import Panel, Whole, duration_ns
from podshop.run.config.sections import Confidence, SignalSeat
from podshop.run.opinions import Seat


class Asked(NamedTuple):
    """Rows [first, last) of a seat's own bars, to be answered."""

    seat: "LiveSeat"
    first: int
    last: int


Answers = Mapping[str, Panel | None]  # by seat: (last - first, m); None = no vote
Asker = Callable[[Sequence[Asked]], Answers]


class LiveSeat(Seat):
    """A seat whose bars grow. Convictions come from whoever asks the agent, and then are given to the voice."""

    def __init__(self, seat: SignalSeat, bars: GrowingMarket, confidence: Confidence) -> None:
        super().__init__(seat, bars.market, confidence)
        self.seat, self.bars = seat, bars
        self._given: tuple[int, Panel] | None = None
        self._rest_ns = -1  # a bar's close until which nothing new can be asked

    @property
    def needs_from_ns(self) -> int:
        """The bar that closed then, and earlier ones, are not needed any more."""
        length = self._chunks.length_ns
        begin = self.bars.last_ns // length * length
        return int(begin - (self._agent.lookback_bars + 2) * self.bar_ns)

    def grow(self) -> None:
        """Look at the bars as they are now."""
        if self.market is not self.bars.market:
            self.market = self.bars.market
            self._chunks.forget()

    def due(self, now_ns: int) -> Asked | None:
        """What is to be asked for a cycle at this time: rows since the last that was heard."""
        if now_ns < self._rest_ns:
            return None
        row = min((now_ns - int(self.market.time[0])) // self.bar_ns, len(self.market) - 1)
        self._rest_ns = (now_ns // self.bar_ns + 1) * self.bar_ns
        first = self._heard + 1 if self._heard >= 0 else max(row, 0)
        return Asked(self, first, row + 1) if first <= row else None

    def rows_for(self, asked: Asked) -> tuple[int, int]:
        """Rows [start, end) of its bars that its arrays hold: from a lookback before the chunk of the first asked."""
        length = self._chunks.length_ns
        begin = int(self.market.time[asked.first]) // length * length
        row = max(-(-(begin - int(self.market.time[0])) // self.bar_ns), 0)
        return max(row - self._agent.lookback_bars, 0), asked.last

    def compute(self, first: int, last: int) -> Panel:
        """Ask the agent here and now."""
        return super().convictions(first, last)

    def give(self, asked: Asked, said: Panel | None) -> None:
        """What was answered; None counts as no opinion, as does what cannot be one."""
        shape = (asked.last - asked.first, len(self.markets))
        sound = said is not None and said.shape == shape and np.nanmax(np.abs(said), initial=0.0) <= 1.0
        self._given = asked.first, said if said is not None and sound else np.full(shape, np.nan)

    def convictions(self, first: int, last: int) -> Panel:
        """What was given for these rows."""
        if first >= last:
            return np.empty((0, len(self.markets)))
        if self._given is None or self._given[0] != first or len(self._given[1]) != last - first:
            return self.compute(first, last)
        return self._given[1]

    @property
    def voiced(self) -> Panel:
        """(1, m) what its voice says now."""
        return self._said

    def dropped(self, rows: int) -> None:
        """So many bars at the beginning are forgotten."""
        self._heard = max(self._heard - rows, 0) if self._heard >= 0 else -1
        self._given = None

    def state(self) -> tuple[Whole, int, Panel]:
        """Side of each voice, close of the bar heard last (-1 = none), and what it said there."""
        heard_ns = int(self.market.time[self._heard]) if self._heard >= 0 else -1
        return self._opened.copy(), heard_ns, self._said.copy()

    def restore(self, state: tuple[Whole, int, Panel]) -> None:
        """As `state` told it."""
        opened, heard_ns, said = state
        self._opened[:] = opened
        self._heard = int(np.searchsorted(self.market.time, heard_ns)) if heard_ns >= 0 else -1
        self._said = said.copy()
        self._rest_ns = -1


class InThreads:
    """Ask agents in this very process, on so many threads: for tests, replay and trusted agents."""

    def __init__(self, threads: int = 2) -> None:
        self._pool = ThreadPoolExecutor(threads)

    def __call__(self, asked: Sequence[Asked]) -> Answers:
        answers = self._pool.map(lambda one: one.seat.compute(one.first, one.last), asked)
        return {one.seat.name: said for one, said in zip(asked, answers, strict=True)}


def lengths_of(seats: Sequence[SignalSeat]) -> set[int]:
    """Every length of bars that somebody reads."""
    return {duration_ns(seat.agent.bar) for seat in seats}
