"""One account's books at the exchange: positions, cash, fills and funding, to the lot and the micro-dollar."""

from podshop.nouns.venue import Filled, Paid
from podshop.venues.exchange.batch import cash_of
from podshop.venues.exchange.placed import Placed

FIRST_FILL = 10**12


class Account:
    """What one account holds.

    lots         market -> signed lots, as soon as they have filled
    cash_micro   after all fills whose price is settled, and all funding
    entry_micro  market -> average price of what built the position: for display, no money hangs on it
    fills, paid  what was booked, in the order in which it was
    """

    def __init__(self, markets: tuple[str, ...], cash_micro: int) -> None:
        self.lots = dict.fromkeys(markets, 0)
        self.entry_micro = dict.fromkeys(markets, 0.0)
        self.cash_micro = cash_micro
        self.fills: list[Filled] = []
        self.paid: list[Paid] = []

    def move(self, market: str, lots: int, price_micro: int) -> None:
        """Change a position."""
        held = self.lots[market]
        after = held + lots
        if held * after <= 0:
            self.entry_micro[market] = float(price_micro) if after else 0.0
        elif abs(after) > abs(held):
            paid = self.entry_micro[market] * abs(held) + price_micro * abs(lots)
            self.entry_micro[market] = paid / abs(after)
        self.lots[market] = after

    def book(self, order: Placed, lots: int, price: int, fee: int, at_ns: int, kind: str = "trade") -> None:
        """Settle the price of a fill for good."""
        self.cash_micro += int(cash_of(lots, price, fee))
        fill_id = str(FIRST_FILL + len(self.fills))
        fill = Filled(fill_id, order.order_id, order.client_id, order.market, lots, price, fee, at_ns, kind)
        self.fills.append(fill)

    def fills_since(self, since_ns: int, cycle_ns: int) -> list[Filled]:
        """Fills stamped from then on, oldest first. Within a cycle they were not booked in that order."""
        found = []
        for fill in reversed(self.fills):
            if fill.at_ns < since_ns - cycle_ns:
                break
            if fill.at_ns >= since_ns:
                found.append(fill)
        return sorted(found, key=lambda fill: (fill.at_ns, fill.fill_id))

    def pay(self, paid: Paid) -> None:
        """Receive or pay funding."""
        self.cash_micro += paid.cash_micro
        self.paid.append(paid)
