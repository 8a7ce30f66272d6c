"""The way to the exchange and back, with what may befall on it. Sans-IO: time comes with every call.

An order that was sent is on its way, whoever waits for the answer: a caller who gives up does not stop it. So arrivals
stand in a queue of their own, and whatever call comes next lets the ones that are due arrive first, at their own time.
"""

import heapq
from dataclasses import dataclass, replace
from typing import NamedTuple

from podshop.nouns.venue import Filled, Quote
from podshop.venues.exchange.evil import TAKEN, Evil
from podshop.venues.exchange.placed import Ack, Tif
from podshop.venues.exchange.truth import Exchange

SNAPSHOTS = 16  # readings that a stale one may be taken from
STALE_BARS = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as it travels; fields as `Exchange.submit` takes them."""

    market: str
    lots: int
    limit_micro: int
    reduce_only: bool = False
    whole: bool = False
    tif: Tif = "ioc"
    client_id: str | None = None
    expires_ns: int | None = None
    tag: str = ""


@dataclass(slots=True)
class Sent:
    """An order that has been sent.

    fault       what befalls it; "" = nothing
    arrives_ns  when it reaches the exchange; None = never
    ack         what the exchange said; None = it has not arrived
    """

    wish: Wish
    fault: str
    arrives_ns: int | None
    ack: Ack | None = None


class Snapshot(NamedTuple):
    """The account at one moment of the venue's clock; lots and marks (micro-dollars a lot) of what is held only."""

    venue_ns: int
    equity_micro: int
    cash_micro: int
    lots: dict[str, int]
    marks: dict[str, int]


class Twin:
    """An exchange, seen through its evil twin."""

    def __init__(self, truth: Exchange, evil: Evil | None = None) -> None:
        self.truth = truth
        self.evil = evil or Evil()
        self._way: list[tuple[int, int, Sent]] = []
        self._count = 0
        self._before: list[Snapshot] = []
        self._shown_ns: dict[str, int] = {}  # fill -> when its record appears

    def send(self, now_ns: int, wish: Wish, travel_ns: int = 0) -> Sent:
        """An order sets out; it arrives when `advance` reaches its time."""
        self.advance(now_ns)
        held = self.truth.lots.get(wish.market, 0)
        reduces = wish.whole or wish.lots * held < 0
        fault = "lost_before" if self.evil.is_down(now_ns) else self.evil.order_fault(reduces=reduces)
        sent = Sent(wish, fault, None)
        if fault in TAKEN:
            sent.arrives_ns = now_ns + travel_ns + (self.evil.lateness_ns() if fault == "late" else 0)
            self._count += 1
            heapq.heappush(self._way, (sent.arrives_ns, self._count, sent))
        return sent

    def advance(self, now_ns: int) -> None:
        """Let everything arrive and happen that is due by now."""
        while self._way and self._way[0][0] <= now_ns:
            at_ns, _, sent = heapq.heappop(self._way)
            self._arrive(at_ns, sent)
        self.truth.advance(now_ns)

    def next_ns(self) -> int | None:
        """When the next order arrives; None = none is on its way."""
        return self._way[0][0] if self._way else None

    def _arrive(self, at_ns: int, sent: Sent) -> None:
        self.truth.advance(at_ns)
        self._before = [*self._before[1 - SNAPSHOTS :], self._now()]
        wish = sent.wish
        if sent.fault == "partial_close":
            held = self.truth.lots.get(wish.market, 0)
            lots = -held if wish.whole else wish.lots
            wish = replace(wish, whole=False, lots=lots - lots // 2 if abs(lots) > 1 else lots)
        elif sent.fault == "one_lot_more" and not wish.whole:
            wish = replace(wish, lots=wish.lots + (1 if wish.lots > 0 else -1))
        sent.ack = self.truth.submit(
            at_ns, wish.market, wish.lots, wish.limit_micro, reduce_only=wish.reduce_only, whole=wish.whole,
            tif=wish.tif, client_id=wish.client_id, expires_ns=wish.expires_ns, tag=wish.tag,
        )  # fmt: skip

    # ---------------------------------------------------------------- questions

    def clock_ns(self, now_ns: int) -> int:
        """The venue's clock."""
        self.advance(now_ns)
        return now_ns + (self.evil.skew_ns if self.evil.fires("skew") else 0)

    def account(self, now_ns: int) -> Snapshot:
        """Positions and account value; stale where that fires."""
        self.advance(now_ns)
        if self.evil.fires("stale_positions") and self._before:
            return self._before[0]
        return self._now()

    def mids(self, now_ns: int) -> dict[str, Quote]:
        """The middle of every book; of some bars ago where that fires."""
        self.advance(now_ns)
        if not self.evil.fires("stale_price"):
            return self.truth.mids(now_ns)
        row = max(self.truth.row - STALE_BARS, 0)
        return self.truth.tape.mids(row, int(self.truth.tape.time[row]))

    def fills(self, now_ns: int, since_ns: int = 0) -> list[Filled]:
        """The fill history; some records are missing for a while, some come twice, where that fires."""
        self.advance(now_ns)
        shown = []
        for fill in self.truth.fills(now_ns, since_ns):
            if fill.fill_id not in self._shown_ns:
                late_ns = self.evil.lateness_ns() if self.evil.fires("fills_late") else 0
                self._shown_ns[fill.fill_id] = fill.at_ns + late_ns
            if self._shown_ns[fill.fill_id] <= now_ns:
                shown.append(fill)
        if shown and self.evil.fires("fills_twice"):
            shown = shown[: len(shown) // 2 + 1] + shown[len(shown) // 2 :]
        return shown

    def _now(self) -> Snapshot:
        truth = self.truth
        lots = {name: held for name, held in truth.lots.items() if held}
        marks = {name: truth.mark_micro(name) for name in lots}
        return Snapshot(truth.now_ns, truth.equity_micro(), truth.cash_micro(), lots, marks)
