"""The venue of the simulation: the evil twin with witnesses, who see what the fund cannot."""

from collections.abc import Callable
from dataclasses import replace

from podshop.live.clock import Clock
from podshop.nouns.venue import Card, Order, Reading, Reply
from podshop.venues.exchange.evil import Evil
from podshop.venues.exchange.memory import MemoryVenue
from podshop.venues.exchange.truth import Exchange
from podshop.venues.exchange.twin import Sent, Twin


class WatchedTwin(Twin):
    """A twin that tells of every order that reaches the exchange.

    arrived  (instant, what was sent, lots of every market before it)
    """

    def __init__(self, truth: Exchange, evil: Evil, arrived: Callable[[int, Sent, dict[str, int]], None]) -> None:
        super().__init__(truth, evil)
        self._arrived = arrived

    def _arrive(self, at_ns: int, sent: Sent) -> None:
        self.truth.advance(at_ns)
        before = dict(self.truth.lots)
        super()._arrive(at_ns, sent)
        self._arrived(at_ns, sent, before)

    def on_the_way(self) -> list[Sent]:
        """What was sent and has not arrived."""
        return [sent for _, _, sent in self._way]


class SimVenue(MemoryVenue):
    """The venue as one process sees it, by its own clock, which may be wrong.

    ours     that process' clock
    leaving  told of each order before its first byte leaves
    """

    def __init__(
        self, twin: Twin, clock: Clock, ours: Clock, card: Card, travel_ns: int, leaving: Callable[[Order], None]
    ) -> None:
        super().__init__(twin, clock, card, travel_ns=travel_ns)
        self._ours, self._leaving = ours, leaving

    async def send(self, order: Order) -> Reply:
        self._leaving(order)
        return await super().send(order)

    async def reading(self) -> Reading:
        began_ns = self._ours.now_ns()
        reading = await super().reading()
        return reading._replace(began_ns=began_ns, ended_ns=self._ours.now_ns())


def card_of(card: Card, maintenance: tuple[tuple[int, int], ...]) -> Card:
    """The card with the windows of this fund's history."""
    return replace(card, maintenance=maintenance)
