"""What the fills of one cycle cost: those of one market and side share one price, with the impact of their sum.

A backtest sends one order per market and cycle. Live sends two, reductions first; were each priced alone, two halves
would move the market less than the whole and parity would be lost. So how much is filled is said at once, and what it
cost is worked out when somebody asks for the fills. What has been published never changes: whatever fills afterwards in
the same cycle pays for the impact of all.
"""

import math
from typing import NamedTuple

from podshop.ledger import settle
from podshop.maths.compiled import original
from podshop.venues.simulated.fills import slipped_price

fee_of, cash_of = original(settle.fee_of), original(settle.settle)  # plain Python: nothing to compile, and exact
_slipped = original(slipped_price)


class Costs(NamedTuple):
    """What taking costs: fee in 1e-8 of notional, half the spread as a fraction, coefficient of the square root."""

    fee_e8: int
    half_spread: float
    impact: float


class Share(NamedTuple):
    """One order's part of a batch: its number, lots (signed), and the worst price it accepts."""

    order: int
    lots: int
    limit_micro: int


class Priced(NamedTuple):
    """A share with its price and fee."""

    order: int
    lots: int
    price_micro: int
    fee_micro: int


class Batch:
    """Fills of one market, one side and one cycle.

    reference_micro  the mid of that cycle;  depth_lots, sigma_day  as `slipped_price` takes them
    """

    def __init__(self, costs: Costs, side: int, reference_micro: int, depth_lots: float, sigma_day: float) -> None:
        self._costs, self.side = costs, side
        self._reference, self._depth, self._sigma = reference_micro, depth_lots, sigma_day
        self._waiting: list[Share] = []
        self._published_lots = 0
        self._published_notional = 0
        self._published_fee = 0

    @property
    def lots(self) -> int:
        """What has filled so far, unsigned."""
        return abs(self._published_lots) + sum(abs(share.lots) for share in self._waiting)

    def price(self, more: int = 0) -> int:
        """What all of it costs now, and would with so many more lots (unsigned), micro-dollars per lot."""
        lots = self._published_lots + sum(share.lots for share in self._waiting) + self.side * more
        if lots == 0:
            return self._reference
        costs = self._costs
        return int(_slipped(self._reference, lots, self._depth, self._sigma, costs.half_spread, costs.impact))

    def fits(self, lots: int, limit_micro: int) -> int:
        """Most of `lots` (unsigned) for which nobody who waits here, nor the newcomer, pays more than his limit."""
        limits = [share.limit_micro for share in self._waiting] + [limit_micro]
        worst = min(limits) if self.side > 0 else max(limits)

        def good(n: int) -> bool:
            return self.price(n) <= worst if self.side > 0 else self.price(n) >= worst

        if lots == 0 or good(lots):
            return lots
        low, high = 0, lots  # good(low) or nothing fits; not good(high)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if good(middle) else (low, middle)
        return low

    def add(self, share: Share) -> None:
        """Fill it; what it costs is not settled yet."""
        self._waiting.append(share)

    def priced(self) -> list[Priced]:
        """What waits, at the price it has as things stand; fees are those of the sum, less what was published."""
        price = self.price()
        notional, fee = self._published_notional, self._published_fee
        found = []
        for share in self._waiting:
            notional += abs(share.lots) * price
            mine = max(int(fee_of(1, notional, self._costs.fee_e8)) - fee, 0)
            fee += mine
            found.append(Priced(share.order, share.lots, price, mine))
        return found

    def publish(self) -> list[Priced]:
        """Settle what waits, for ever."""
        found = self.priced()
        self._published_lots += sum(each.lots for each in found)
        self._published_notional += sum(abs(each.lots) * each.price_micro for each in found)
        self._published_fee += sum(each.fee_micro for each in found)
        self._waiting.clear()
        return found


def dead_price(lots: int, mark_micro: int) -> int:
    """Price for who holds `lots` of a market that trades no more: 5 % worse than the last mark, rounded against him."""
    return math.floor(mark_micro * (1.0 - 0.05)) if lots > 0 else math.ceil(mark_micro * (1.0 + 0.05))
