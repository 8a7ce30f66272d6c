"""A venue that is honest to itself: what really happened, and a way to it that loses, delays and garbles.

`Truth` knows every order that arrived and every fill; `LossyVenue` is a `Venue` in virtual time that draws a fate for
each call from a seed and counts each fault when it fires. It is small on purpose: the exchange under venues/exchange is
the grown-up one. The oracle `Truth.doubled` asks one question of each fill: did it take the position beyond the target
that its order was sent for, and beyond every target that was wished for since?
"""

import random
from bisect import bisect_left
from collections import Counter
from typing import NamedTuple

from podshop.nouns import VenueError
from podshop.nouns.venue import Card, Filled, Found, Order, Reading, Reply

S = 1_000_000_000
PRICE = 1_000_000


class Faults(NamedTuple):
    """Shares of orders, or of reads, that meet each fate; `late_ns` is how late a fill may come after the send."""

    lost_after: float = 0.20
    lost_before: float = 0.03
    refused: float = 0.02
    late: float = 0.5  # of those whose reply is lost
    late_ns: int = 600 * S
    open_late: float = 0.02  # taken, and filled later, though the reply came
    partial: float = 0.10
    none: float = 0.03
    lagging: float = 0.10  # fill records
    lag_ns: int = 20 * S
    empty: float = 0.05
    stale: float = 0.02
    no_answer: float = 0.03
    duplicated: float = 0.05


class Arrived:
    """An order as the venue knows it."""

    def __init__(self, order: Order, order_id: str, sent_ns: int) -> None:
        self.order, self.order_id, self.sent_ns = order, order_id, sent_ns
        self.filled = 0
        self.final = False


class Truth:
    """Positions, orders and fills. `visible_ns` of a fill record may be later than the fill."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self.lots: dict[str, int] = {}
        self.orders: dict[str, Arrived] = {}
        self.arrivals: Counter[str] = Counter()
        self.fills: list[tuple[int, Filled, int]] = []  # at_ns, fill, visible_ns
        self.doubled: list[str] = []
        self.wishes: dict[str, list[int]] = {}  # market -> targets, told by the test: the venue never looks
        self.wished: dict[str, int] = {}  # intent -> which of them it was sent for
        self.history: list[tuple[int, str, int]] = []  # at_ns, market, lots before
        self.told = lambda market: None  # what the test wants to know whenever a position moves

    def arrive(self, order: Order, now_ns: int, sent_ns: int) -> Arrived | None:
        """An order reaches the venue; None where it is refused."""
        if self.card.expiry and now_ns >= order.expires_ns:
            return None
        if self.card.client_ids and order.intent in self.orders:
            return None
        self.arrivals[order.intent] += 1
        number = sum(self.arrivals.values())
        arrived = Arrived(order, f"o{number}", sent_ns)
        self.orders[order.intent if self.card.client_ids else f"o{number}"] = arrived
        return arrived

    def wish(self, market: str, target: int) -> None:
        """What the fund wants to hold from now on."""
        self.wishes.setdefault(market, []).append(target)

    def sent_for(self, order: Order) -> None:
        """An order is for the latest wish."""
        self.wished[order.intent] = len(self.wishes[order.market]) - 1

    def fill(self, arrived: Arrived, lots: int, now_ns: int, visible_ns: int) -> None:
        """Fill so many of its lots (signed), as far as reduce-only lets it."""
        order = arrived.order
        here = self.lots.get(order.market, 0)
        if order.reduce_only or order.whole:
            side = 1 if lots > 0 else -1
            lots = side * min(abs(lots), abs(here)) if lots * here < 0 else 0
        if lots:
            after = here + lots
            wishes = self.wishes[order.market][self.wished[order.intent] :]
            if all((after - wish) * lots > 0 for wish in wishes):
                self.doubled.append(order.intent)
            self.lots[order.market] = after
            self.history.append((now_ns, order.market, here))
            arrived.filled += lots
            client_id = order.intent if self.card.client_ids else None
            number = len(self.fills)
            fill = Filled(f"f{number}", arrived.order_id, client_id, order.market, lots, PRICE, abs(lots), now_ns)
            self.fills.append((now_ns, fill, visible_ns))
            self.told(order.market)

    def known(self, order: Order, order_id: str | None) -> Arrived | None:
        """The order by what the venue can be asked by."""
        return self.orders.get(order.intent if self.card.client_ids else str(order_id))


class LossyVenue:
    """The truth as one account sees it. Implements `podshop.nouns.venue.Venue`, as far as orders need it.

    later  called with (instant, what to do then)
    """

    def __init__(self, truth: Truth, clock, later, seed: int, faults: Faults) -> None:
        self.card, self.truth, self.faults = truth.card, truth, faults
        self._clock, self._later = clock, later
        self._random = random.Random(seed)
        self.fired: Counter[str] = Counter()

    async def time_ns(self) -> int:
        return self._clock.now_ns()

    async def send(self, order: Order) -> Reply:
        """Draw the order's fate."""
        draw, faults, truth, clock = self._random, self.faults, self.truth, self._clock
        sent_ns = clock.now_ns()
        fate = draw.random()
        lots = self._lots(order)
        if fate < faults.lost_after:
            self.fired["reply lost after acceptance"] += 1
            late = draw.random() < faults.late
            after_ns = int(draw.uniform(0.05, 4) * S)
            late_ns = int(draw.uniform(after_ns, faults.late_ns)) if late else after_ns
            if late and (not truth.card.client_ids or draw.random() < 0.5):
                after_ns = late_ns  # it hung on the way; else it is there, open, and somebody comes late
            self._later(sent_ns + after_ns, lambda: self._arrive(order, lots, sent_ns, sent_ns + late_ns, late))
            await clock.sleep(5 * S)
            return Reply("unknown", None, "TIME_OUT")
        if fate < faults.lost_after + faults.lost_before:
            self.fired["lost before acceptance"] += 1
            await clock.sleep(5 * S)
            return Reply("unknown", None, "TIME_OUT")
        await clock.sleep(int(draw.uniform(0.05, 0.4) * S))
        if fate < faults.lost_after + faults.lost_before + faults.refused:
            self.fired["refused"] += 1
            return Reply("refused", None, "margin")
        arrived = truth.arrive(order, clock.now_ns(), sent_ns)
        if arrived is None:
            self.fired["expired on arrival"] += 1
            return Reply("refused", None, "expired")
        if draw.random() < faults.open_late:
            self.fired["taken, filled later"] += 1
            at_ns = sent_ns + S + int(draw.uniform(0, faults.late_ns - 2 * S))
            self._later(at_ns, lambda: self._match(arrived, lots))
            return Reply("accepted", arrived.order_id)
        self._match(arrived, lots)
        await clock.sleep(int(draw.uniform(0.05, 0.4) * S))
        return Reply("accepted", arrived.order_id, hinted_lots=arrived.filled)

    async def look(self, order: Order, order_id: str | None) -> Found:
        """What the venue says of one order."""
        await self._clock.sleep(S // 10)
        if self._fires("no_answer", "look without answer"):
            return Found("no_answer")
        arrived = self.truth.known(order, order_id)
        if arrived is None:
            return Found("unknown_id", venue_ns=self._clock.now_ns())
        status = "final" if arrived.final else "open"
        return Found(status, arrived.order_id, arrived.filled, self._clock.now_ns())

    async def reading(self) -> Reading:
        """Positions, or an empty answer, or one of half a minute ago, or none."""
        began_ns = self._clock.now_ns()
        await self._clock.sleep(S // 20)
        at_ns = self._clock.now_ns()
        lots = {market: n for market, n in self.truth.lots.items() if n}
        await self._clock.sleep(S // 20)
        ended_ns = self._clock.now_ns()
        if self._fires("no_answer", "reading timed out"):
            raise VenueError("no answer")
        if self._fires("empty", "empty reading"):
            return Reading(began_ns, ended_ns, 0, 0, None, {})
        if self._fires("stale", "stale reading"):
            at_ns -= 30 * S
            lots = self._lots_at(at_ns)
        return Reading(began_ns, ended_ns, at_ns, 10**12, None, lots)

    async def fills(self, since_ns: int) -> list[Filled]:
        """Fill records as far as they show yet; some pages come twice."""
        await self._clock.sleep(S // 20)
        if self._fires("no_answer", "fills timed out"):
            raise VenueError("no answer")
        first = bisect_left(self.truth.fills, since_ns, key=lambda row: row[0])
        now_ns = self._clock.now_ns()
        rows = [fill for _, fill, visible_ns in self.truth.fills[first:] if visible_ns <= now_ns]
        if rows and self._fires("duplicated", "page twice"):
            rows = [*rows, *rows]
        return rows

    def _arrive(self, order: Order, lots: int, sent_ns: int, match_ns: int, late: bool) -> None:
        arrived = self.truth.arrive(order, self._clock.now_ns(), sent_ns)
        if arrived is None:
            self.fired["expired on arrival"] += 1
            return
        self.fired["late fill"] += late
        self._later(match_ns, lambda: self._match(arrived, lots))

    def _match(self, arrived: Arrived, lots: int) -> None:
        now_ns = self._clock.now_ns()
        lag_ns = 0
        if self._fires("lagging", "fill record late"):
            lag_ns = int(self._random.uniform(0, self.faults.lag_ns))
        pieces = [lots]
        if abs(lots) > 1 and self._random.random() < 0.3:
            pieces = [lots // 2, lots - lots // 2]
        for piece in pieces:
            self.truth.fill(arrived, piece, now_ns, now_ns + lag_ns)
        arrived.final = True

    def _lots(self, order: Order) -> int:
        """How much of an order finds somebody."""
        draw = self._random.random()
        if draw < self.faults.none:
            self.fired["nothing filled"] += 1
            return 0
        if draw < self.faults.none + self.faults.partial and abs(order.lots) > 1:
            self.fired["filled in part"] += 1
            side = 1 if order.lots > 0 else -1
            return side * self._random.randint(1, abs(order.lots) - 1)
        return order.lots

    def _fires(self, fault: str, name: str) -> bool:
        fires = self._random.random() < getattr(self.faults, fault)
        self.fired[name] += fires
        return fires

    def _lots_at(self, at_ns: int) -> dict[str, int]:
        lots = dict(self.truth.lots)
        for when_ns, market, before in reversed(self.truth.history):
            if when_ns <= at_ns:
                break
            lots[market] = before
        return {market: n for market, n in lots.items() if n}
