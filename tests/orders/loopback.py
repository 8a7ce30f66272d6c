"""The same campaign against the loopback exchange in memory, with its evil twin's own faults.

python -m tests.orders.loopback [ORDERS] [SEED] [ids|no-ids]
"""

import sys
from collections import Counter

import numpy as np

from podshop.nouns import Funding, Instrument, Market
from podshop.venues.exchange.evil import Evil
from podshop.venues.exchange.memory import WITH_IDS, WITHOUT_IDS, MemoryVenue
from podshop.venues.exchange.placed import Terms
from podshop.venues.exchange.truth import Exchange
from podshop.venues.exchange.twin import Twin
from tests.live.virtual import START_NS, run
from tests.orders.campaign import Driver, Outcome, shown
from tests.orders.given import CYCLE, PRICE, S
from tests.orders.truth import Faults

BARS = 4_000
FAULTS = {
    "lost_before": 0.03,
    "lost_after": 0.12,
    "late": 0.05,
    "refused_after_fill": 0.02,
    "html": 0.01,
    "garbage": 0.01,
    "odd_numbers": 0.01,
    "reset": 0.01,
    "busy": 0.02,
    "unrounded": 0.01,
    "partial_close": 0.02,
    "read_timeout": 0.01,
    "read_busy": 0.01,
    "read_html": 0.01,
    "empty": 0.05,
    "database": 0.01,
    "stale_positions": 0.02,
    "fills_late": 0.05,
    "fills_twice": 0.05,
}


def loopback(orders: int, seed: int, ids: bool) -> Outcome:
    """Send so many orders through the state table to the loopback exchange."""

    async def main(clock):
        return await Loopback(clock, seed, ids, None, 0.1).trade(orders)

    return run(main)


class Told:
    """The exchange's own books, as the campaign's oracle asks for them."""

    def __init__(self, exchange: Exchange, clock, rounding: int) -> None:
        self.exchange, self._clock, self._rounding = exchange, clock, rounding
        self.wishes: dict[str, list[tuple[int, int]]] = {}
        self.wished: dict[str, int] = {}

    def wish(self, market: str, target: int) -> None:
        """What the fund wants to hold from now on."""
        self.wishes.setdefault(market, []).append((self._clock.now_ns(), target))

    def sent_for(self, order) -> None:
        """An order is for the latest wish."""
        self.wished[order.intent] = len(self.wishes[order.market]) - 1

    @property
    def lots(self):
        return self.exchange.lots

    @property
    def fills(self):
        return [(fill.at_ns, fill, fill.at_ns) for fill in self.exchange.fills(self._clock.now_ns(), 0)]

    @property
    def arrivals(self) -> Counter[str]:
        return Counter(order.tag for order in self.exchange.orders.values())

    @property
    def doubled(self) -> list[str]:
        """Orders that took a position beyond their target and every one since, by more than the venue rounds."""
        found = []
        for order in self.exchange.orders.values():
            since = self.wishes[order.market][self.wished[order.tag] :]
            after, side = order.before + order.filled, 1 if order.asked > 0 else -1
            beyond = [(after - wish) * side for at_ns, wish in since if at_ns <= order.at_ns]
            if order.filled and min(beyond) > self._rounding:
                found.append(order.tag)
        return found


class Loopback(Driver):
    """The driver, with an exchange instead of the small truth."""

    def card_of(self, ids: bool):
        return WITH_IDS if ids else WITHOUT_IDS

    def open_venue(self, seed: int, faults: Faults | None) -> None:
        names = tuple(self.coins)
        shape = (len(names), BARS)
        columns = {name: np.full(shape, 100.0).T for name in ("open", "high", "low", "close")}
        columns["volume"] = np.full(shape, 1e6).T
        market = Market(names, CYCLE, START_NS + (np.arange(BARS) - 4) * CYCLE, columns)
        none = np.array([], np.int64)
        funding = Funding(none, none, none.astype(np.float64), none, ("ASSUMED",), {})
        listed = tuple(Instrument(name, PRICE / 1e8, 0.0) for name in names)  # a lot is worth PRICE
        exchange = Exchange(
            market, funding, listed, Terms(min_notional_micro=dict.fromkeys(names, 0)), START_NS, 10**13
        )
        evil = dict(FAULTS) if self.card.client_ids else {**FAULTS, "one_lot_more": 0.02}
        late_ns = (5 * S, self.terms.quarantine_ns)
        twin = Twin(exchange, Evil(seed, evil, late_ns=late_ns))
        self.overlap_ns = self.terms.quarantine_ns + CYCLE
        self.truth = Told(exchange, self.clock, self.card.rounding_lots)
        self.venue = MemoryVenue(twin, self.clock, self.card, travel_ns=S // 20)
        self.venue.faults, self.venue.fired = Faults(late_ns=late_ns[1]), Counter()
        self.twin = twin

    def tell(self, coin: str, event) -> tuple:
        effects = super().tell(coin, event)
        self.look_at_the_box(coin)
        return effects

    def outcome(self, stuck: int) -> Outcome:
        self.venue.fired.update({name: n for name, n in self.twin.evil.fired.items() if n})
        return super().outcome(stuck)


if __name__ == "__main__":
    given = sys.argv[1:]
    shown(loopback(int(given[0]), int(given[1]), given[2] == "ids"))
