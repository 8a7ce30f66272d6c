"""What trading cost each book in each market: Perold's implementation shortfall.

Paper holds every wish at once, at the mark of the moment it was made, free of cost. What the book earned less is
delay + half-spread + impact + fee + opportunity, to the micro-dollar (Perold 1988, "The implementation shortfall",
J. Portfolio Management 14(3)).
"""

import math
from dataclasses import dataclass

from tests.reference.facts import CostsRow, Facts, FillRow, Terms


@dataclass
class Tally:
    """One book in one market: the mark at which its wish was made, and its costs since the last row, micro-dollars."""

    decided: int = 0
    delay: int = 0
    half_spread: int = 0
    impact: int = 0
    fee: int = 0
    opportunity: int = 0
    funding: int = 0
    saved: int = 0

    def replace(self, wish: int, lots: int, mark: int) -> None:
        """The wish ends, with `lots` of it held: the rest has missed what the price did since."""
        self.opportunity += (wish - lots) * (mark - self.decided)
        self.decided = mark

    def fill(self, terms: Terms, fill: FillRow) -> None:
        x, slipped = fill.lots, fill.lots * (fill.price_micro - fill.reference_micro)
        spread = 0
        if fill.kind == "venue":
            spread = math.trunc(abs(x) * fill.reference_micro * terms.half_spread)
        elif fill.kind == "maker":
            spread = slipped  # below 0: the half-spread is earned
        self.delay += x * (fill.reference_micro - self.decided)
        self.half_spread += spread
        self.impact += slipped - spread
        self.fee += fill.fee_micro

    def row(self, cycle: int, market: str, book: str) -> CostsRow | None:
        """What has come together, if anything; and begin anew."""
        numbers = (self.delay, self.half_spread, self.impact, self.fee, self.opportunity, self.funding, self.saved)
        self.delay = self.half_spread = self.impact = self.fee = self.opportunity = self.funding = self.saved = 0
        return CostsRow(cycle, market, book, *numbers) if any(numbers) else None


def saved_by_crossing(facts: Facts, terms: Terms, k: int, m: int, lots: int, crossed: int) -> int:
    """What `lots` of the `crossed` would have paid at the venue: reported, no part of any NAV."""
    sigma, depth = facts.sigma_day[k][m], facts.depth[k][m]
    impact = terms.impact * sigma * math.sqrt(crossed / depth) if depth > 0.0 and sigma > 0.0 else 0.0
    return round(abs(lots) * facts.reference[k][m] * (terms.half_spread + terms.fee_e8 / 1e8 + impact))
