"""What a trade, a funding settlement and the end of a market cost. Rounded once, against us where it is a price."""

import math

from tests.reference.facts import ASSUMED, Facts, FundingEvent, Terms


def fill_price(facts: Facts, terms: Terms, k: int, m: int, side: int, lots: int) -> int:
    """Open of bar k+1, half the spread and the square-root impact of `lots` away from us."""
    reference, sigma = facts.reference[k][m], facts.sigma_day[k][m]
    s = terms.half_spread + (terms.impact * sigma) * math.sqrt(lots / facts.depth[k][m])
    if side > 0:
        return math.ceil(reference * (1.0 + s))
    return max(1, math.floor(reference * (1.0 - s)))


def fee(terms: Terms, lots: int, price: int) -> int:
    """ceil(Q x price x fee), in whole numbers."""
    return -(-(lots * price * terms.fee_e8) // 100_000_000)


def maker_fee(terms: Terms, lots: int, price: int) -> int:
    """The same for an order that waited to be taken."""
    return -(-(lots * price * terms.maker_fee_e8) // 100_000_000)


def funding_paid(event: FundingEvent, lots: int, mark: int) -> int:
    """What holding `lots` pays, half-even. Where the rate is assumed, both sides pay."""
    charged = abs(lots) if event.source == ASSUMED else lots
    return round(charged * mark * event.rate)


def settlement_price(lots: int, mark: int) -> int:
    """A dead market is left at its last mark less 5 %, against us; at the mark where the account is even."""
    if lots > 0:
        return math.floor(mark * 0.95)
    return math.ceil(mark * 1.05) if lots < 0 else mark
