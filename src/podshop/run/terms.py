"""A fund file in numbers, for the compiled loop."""

import numpy as np

from podshop.maths.whole import fnv1a64
from podshop.nouns import DAY_NS, Mandate, Times, duration_ns
from podshop.nouns.verdict import HOUSE, STYLES, TAKER
from podshop.run.config.sections import Fund as FundFile
from podshop.run.shadow_state import Orders
from podshop.run.state import Terms

NORMAL_95 = 1.6448536269514722


def terms_of(file: FundFile, first_trade: Times) -> Terms:
    """A fund file in numbers."""
    limits, venue = file.limits, file.venue
    interval_ns = duration_ns(file.market.interval)
    style = np.array([STYLES.index(m.style) for m in file.mandates] + [TAKER], np.int64)
    urgency = [max(duration_ns(m.urgency) // interval_ns, 1) for m in file.mandates]
    return Terms(
        reference_micro=round(file.capital_usd * 1e6),
        book_gross=float(limits.book_gross),
        collar=limits.collar_bps / 1e4,
        half_spread=venue.half_spread_bps / 1e4,
        impact=float(venue.impact),
        fee_e8=round(venue.taker_fee_bps * 1e4),
        maker_fee_e8=round(venue.maker_fee_bps * 1e4),
        assumed_funding_8h=file.market.assumed_funding_bps_8h / 1e4,
        style=style,
        urgency=np.array([*urgency, 1], np.int64),
        patient=np.flatnonzero(style != TAKER),
        min_order_micro=round(limits.min_order_usd * 1e6),
        min_notional=np.array([round(i.min_notional_usd * 1e6) for i in file.instruments], np.int64),
        first_trade=first_trade,
        market_key=np.array([fnv1a64(name) for name in file.market.markets], np.uint64),
        book_key=np.array([fnv1a64(m.name) for m in file.mandates] + [fnv1a64(HOUSE)], np.uint64),
        interval_ns=interval_ns,
    )


def orders_of(mandate: Mandate, file: FundFile, terms: Terms, b: int, began_ns: int) -> Orders:
    """Mandate b in numbers."""
    longest_ns = duration_ns(mandate.longest_holding)
    markets = file.market.markets
    return Orders(
        markets=np.array([markets.index(name) for name in mandate.markets], np.int64),
        volatility_target=float(mandate.volatility_target),
        typical=float(mandate.typical_conviction),
        buffer=float(mandate.buffer),
        stop=float(mandate.stop),
        longest_ns=longest_ns,
        patience_ns=min(longest_ns, 3 * max(duration_ns(mandate.cadence), terms.interval_ns)),
        style=int(terms.style[b]),
        urgency=int(terms.urgency[b]),
        outlook_days=duration_ns(mandate.outlook) / DAY_NS,
        cost_factor=float(mandate.cost_factor),
        budget_micro=mandate.cost_budget * terms.reference_micro / len(mandate.markets),
        began_ns=began_ns,
    )
