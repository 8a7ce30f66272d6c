"""What the gate answers, and why. One row for every order that somebody wanted."""

APPROVE, SHRINK, VETO = 0, 1, 2
VERDICTS = ("approve", "shrink", "veto")

RUNNING, REDUCE_ONLY_STATE, HALTED_STATE = 0, 1, 2
STATES = ("RUNNING", "REDUCE_ONLY", "HALTED")

# code -> what it means, what `measured` and `bound` hold. The order is the number in compiled code and never changes.
CODES = {
    "OK": "allowed as wanted; weight of the market after the trade, its cap",
    "POSITION_CAP": "the net position would pass its cap; weight wanted, cap (fractions of NAV)",
    "CURE": "the market drifted above 1.25 x its cap and is brought back; weight held, cap",
    "GROSS": "increases were cut so that gross stays within its limit whatever fills; gross if all were sent, limit",
    "VAR": "increases were cut so that VaR stays within its limit whatever fills; VaR if all were sent, limit",
    "MIN_ORDER": "the increase was not worth sending; order, smallest order (USD)",
    "VENUE_MIN": "below the smallest order of the venue and not a full close; order, smallest order (USD)",
    "HALTED": "the fund is halted: no increase; state, RUNNING",
    "REDUCE_ONLY": "the fund may only reduce; state, RUNNING",
    "STALE_PRICE": "no trade for too long: no increase; age of the mark, limit (bars)",
    "NO_HISTORY": "too little history to know the risk: no increase; days known, days needed",
    "LIQUIDITY": "the reduction took all that the market offers; nothing is left to open the other side; lots, lots",
    "REDUCES_COIN_RAISES_VAR": "a reduction always passes, though it lifts VaR over its limit; VaR after, limit",
    "BOOK_GROSS": "the book's own gross would pass its limit; gross of the book, limit (fractions of its capital)",
    "RESTING": "a maker order brings the market to flat first; the other side waits for it; lots at rest, 0",
    "COST_GATE": "the book's forecasts are not worth what trading on them costs; edge, needed (bps of the trade)",
    "COST_BUDGET": "the book has spent what its trading may cost by now; spent with this trade, allowed (USD)",
    "ORDER_SIZE": "one order would be too large; order, largest order (fractions of NAV)",
    "NET": "the net position of the whole fund would pass its cap; net with all that was asked, cap (fractions of NAV)",
    "CLUSTER": "markets that move as one would pass their cap; net of the cluster with all asked, cap (of NAV)",
    "FROZEN_PRICE": "the price has not moved for too long: no increase; bars since it did, limit (bars)",
}
CODE_NAMES = tuple(CODES)
(
    OK,
    POSITION_CAP,
    CURE,
    GROSS,
    VAR,
    MIN_ORDER,
    VENUE_MIN,
    HALTED,
    REDUCE_ONLY,
    STALE_PRICE,
    NO_HISTORY,
    LIQUIDITY,
    REDUCES_COIN_RAISES_VAR,
    BOOK_GROSS,
    RESTING,
    COST_GATE,
    COST_BUDGET,
    ORDER_SIZE,
    NET_CAP,
    CLUSTER,
    FROZEN_PRICE,
) = range(len(CODE_NAMES))

VENUE_FILL, CROSS_FILL, SETTLEMENT_FILL, HOUSE_FILL, MAKER_FILL = 0, 1, 2, 3, 4
FILL_KINDS = ("venue", "cross", "settlement", "house", "maker")

TAKER, MAKER, TWAP = 0, 1, 2
STYLES = ("taker", "maker", "twap")

NET = "NET"  # the book column of a verdict on the fund's net order
HOUSE = "house"
