"""What the compiled cycle works on: the fund's state, its terms, the market's facts, and where rows are written.

Tuples of arrays, so that a fund of any size runs the same machine code. Money is int64 micro-dollars, quantities are
int64 lots. B execution books and the house: B1 = B + 1 columns. Prices are micro-dollars per lot.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from podshop.ledger.allot import Parts, new_parts
from podshop.nouns import Panel, Times, Whole
from podshop.risk.gate import InForce

Keys = NDArray[np.uint64]
Counts = NDArray[np.int32]
Flags = NDArray[np.bool_]


class Resting(NamedTuple):
    """Maker orders that rest through the next bar, one a market; settled or gone when the next cycle opens."""

    lots: Whole  # (M,) signed; 0 = none
    limit: Whole  # (M,)
    most: Whole  # (M,) lots that one bar fills
    reference: Whole  # (M,) mid when it was placed
    want: Whole  # (M, B1) what each book it is for still wanted then, signed


class Fund(NamedTuple):
    """Everything that is carried from cycle to cycle. One-element arrays are numbers that change."""

    lots: Whole  # (M, B1) held by each book
    wished: Whole  # (M, B1) what each book wishes to hold, before the market cap
    raw: Whole  # (M, B1) of it what it wishes to hold after this cycle: a TWAP's next slice
    side: Whole  # (M, B1) of the want that stands open, -1, 0 or 1; of makers and TWAPs
    age: Whole  # (M, B1) cycles for which it has stood open
    decision: Whole  # (M, B1) mark when the wish last changed
    costs: Whole  # (M, B1, 7) since the last row of costs, as COSTS
    cash: Whole  # (B1,)
    capital: Whole  # (B1,) allotted at the last 00:00
    throttle: Panel  # (B1,) of the book's own ladder
    fund_throttle: Panel  # (1,)
    refresh: Flags  # (B1,) a throttle has changed: wish anew at once
    venue_lots: Whole  # (M,) what the venue itself would say we hold
    venue_cash: Whole  # (1,)
    nav: Whole  # (1,) after this cycle's funding
    peak: Whole  # (1,) highest NAV row
    state: Whole  # (1,) RUNNING, REDUCE_ONLY, HALTED
    limits: InForce  # as the risk office last set them
    resting: Resting
    residual: Whole  # (2,) largest difference ever seen between books and venue: lots, micro-dollars
    seq: Whole  # (1,) next row's number


class Terms(NamedTuple):
    """What does not change during a run."""

    reference_micro: int  # capital of every shadow book
    book_gross: float
    collar: float
    half_spread: float
    impact: float
    fee_e8: int
    maker_fee_e8: int
    assumed_funding_8h: float
    style: Whole  # (B1,) TAKER, MAKER, TWAP
    urgency: Whole  # (B1,) cycles within which a wish is to be met
    patient: Whole  # (P,) books that do not trade at once
    min_order_micro: int
    min_notional: Whole  # (M,)
    first_trade: Times  # (M,) close of the first traded bar
    market_key: Keys  # (M,)
    book_key: Keys  # (B1,)
    interval_ns: int


class Facts(NamedTuple):
    """A stretch of K cycles of what only the market decides, with one row more for the next stretch to begin with."""

    time: Times  # (K,) decision times
    mark: Whole  # (K, M) 0 = never traded
    age: Whole  # (K, M) bars since the mark
    frozen: Counts  # (K, M) bars since the mark last changed
    reference: Whole  # (K, M) next bar's open, 0 = it does not trade
    mark_before: Whole  # (M,) of the cycle before the stretch
    reference_before: Whole  # (M,)
    low: Whole  # (K, M) of the bar that closes now, rounded up; 0 = it did not trade
    high: Whole  # (K, M) rounded down
    carry: Panel  # (K, M) latest recorded funding, per hour; NaN = unknown
    dead: Flags  # (K, M) no bar for a day while others trade
    risk_row: Whole  # (K,) last complete risk bar, a row of the following
    covariance: Panel  # (H, M, M) daily
    sigma: Panel  # (H, M) daily; NaN = unknown
    depth: Panel  # (H, M) lots a day; NaN = unknown
    liquidity: Whole  # (H, M) most lots that fill in one bar
    queued: Whole  # (H, M) most lots that one bar fills of an order resting through it
    funding_until: Whole  # (K + 1,) settlements before row funding_until[k + 1] are stamped at or before time[k]
    funding_at: Times  # (N,)
    funding_market: Whole  # (N,)
    funding_rate: Panel  # (N,)
    funding_source: Whole  # (N,) 0 = ASSUMED


class Notes(NamedTuple):
    """What the shadows held back, at reference capital; notes until[k] .. until[k + 1] are of cycle k, by book."""

    until: Whole  # (K + 1,)
    whole: Whole  # (N, 5) book, market, code, lots wished but for the reason, lots wished
    real: Panel  # (N, 2) measured, bound


class Shadows(NamedTuple):
    """What the shadow books decided over the same K cycles."""

    target: Whole  # (B, M, K)
    fires: Flags  # (K, B) the mandate's cadence
    urgent: Flags  # (K, B) a stop or the longest holding, this very cycle
    notes: Notes


class Work(NamedTuple):
    """Scratch of one cycle; nothing in it outlives the cycle."""

    want: Whole  # (M, B1) change each book wishes, after the market cap
    wanted: Whole  # (M,) net change wished before the cap: what the verdict speaks of
    net: Whole  # (M,) net change after cap and crossing
    crossed: Whole  # (M,) lots crossed inside
    side: Whole  # (M,) of the majority: 1 buys, -1 sells
    patient: Whole  # (M,) lots that the majority's makers wish, >= 0
    makers: Flags  # (M, B1) books whose wish is made in this cycle
    made: Whole  # (M,) part of the net change that is made (signed)
    first: Whole  # (M,) reducing leg that is taken (signed)
    second: Whole  # (M,) increasing leg allowed, taken and made (signed)
    rest_first: Whole  # (M,) reducing leg that rests (signed)
    rest_second: Whole  # (M,) of the increasing leg what rests (signed)
    filled: Whole  # (M,) venue fill so far (signed)
    code: Whole  # (M,)
    measured: Panel  # (M,)
    bound: Panel  # (M,)
    weight: Panel  # (M,) cap in force
    low: Whole  # (M,) lots at which a market may end without this cycle's increases: the least and the most
    high: Whole  # (M,)
    held: Panel  # (M,) micro-dollars, for the gate
    step: Panel  # (M,)
    risk_of_held: Panel  # (M,) S x
    risk_of_step: Panel  # (M,)
    risk_of_box: Panel  # (M,)
    box: Panel  # (M,) half of what rests and reduces, micro-dollars
    risk_of_rest: Panel  # (M,)
    fresh: Whole  # (M,) one book's new wishes
    parts: Parts


class Rows(NamedTuple):
    """Where a cycle writes its rows; emptied by the caller when nearly full. `used` says how many are in each."""

    used: Whole  # (5,) nav, fills, funding, verdicts, wishes
    nav: Whole  # (n, 4) cycle, seq, nav, cash
    nav_real: Panel  # (n, 4) gross, net, drawdown, var
    fills: Whole  # (n, 5) place (stretch row, market, book, kind), seq, lots, price, fee
    funding: Whole  # (n, 8) cycle, seq, event, market, book, lots, mark, cash
    verdicts: Whole  # (n, 11) cycle, seq, market, book, verdict, code, wanted, allowed, filled, resting, limits
    verdicts_real: Panel  # (n, 2) measured, bound
    wishes: Whole  # (n, 3) place (stretch row, market, book), seq, lots


CLUSTERS = 64  # most that may be in force at once
NAV, FILLS, FUNDING, VERDICTS, WISHES = range(5)
COSTS = DELAY, HALF_SPREAD, IMPACT, FEE, OPPORTUNITY, PAID, SAVED = range(7)  # micro-dollars, columns of fund.costs


def new_fund(markets: int, books: int) -> Fund:
    """A fund without money, before its deposit."""
    lots = np.zeros((markets, books + 1), np.int64)

    def whole(n: int) -> Whole:
        return np.zeros(n, np.int64)

    return Fund(
        lots=lots,
        wished=lots.copy(),
        raw=lots.copy(),
        side=lots.copy(),
        age=lots.copy(),
        decision=lots.copy(),
        costs=np.zeros((markets, books + 1, len(COSTS)), np.int64),
        cash=whole(books + 1),
        capital=whole(books + 1),
        throttle=np.ones(books + 1),
        fund_throttle=np.ones(1),
        refresh=np.zeros(books + 1, np.bool_),
        venue_lots=whole(markets),
        venue_cash=whole(1),
        nav=whole(1),
        peak=whole(1),
        state=whole(1),
        limits=InForce(
            version=whole(1),
            max_weight=np.zeros(markets),
            max_gross=np.zeros(1),
            max_order=np.zeros(1),
            max_var=np.zeros(1),
            tail=np.zeros(1),
            clusters=whole(1),
            members=np.zeros((CLUSTERS, markets), np.bool_),
            caps=np.zeros(CLUSTERS),
        ),
        resting=Resting(whole(markets), whole(markets), whole(markets), whole(markets), lots.copy()),
        residual=whole(2),
        seq=whole(1),
    )


def new_work(markets: int, books: int) -> Work:
    """Scratch for a fund of this size."""

    def whole() -> Whole:
        return np.zeros(markets, np.int64)

    def real() -> Panel:
        return np.zeros(markets)

    return Work(
        want=np.zeros((markets, books + 1), np.int64),
        wanted=whole(),
        net=whole(),
        crossed=whole(),
        side=whole(),
        patient=whole(),
        makers=np.zeros((markets, books + 1), np.bool_),
        made=whole(),
        first=whole(),
        second=whole(),
        rest_first=whole(),
        rest_second=whole(),
        filled=whole(),
        code=whole(),
        measured=real(),
        bound=real(),
        weight=real(),
        low=whole(),
        high=whole(),
        held=real(),
        step=real(),
        risk_of_held=real(),
        risk_of_step=real(),
        risk_of_box=real(),
        box=real(),
        risk_of_rest=real(),
        fresh=whole(),
        parts=new_parts(books + 1),
    )


def new_rows(markets: int, books: int, cycles: int, least: int = 1 << 15) -> Rows:
    """Room for at least four of the fullest cycles of a fund of this size."""
    fills = max(least, 4 * fills_per_cycle(markets, books))
    verdicts = max(least, 8 * markets * (books + 1))
    funding = max(least // 4, 64 * markets * (books + 1))
    return Rows(
        used=np.zeros(5, np.int64),
        nav=np.zeros((cycles + 1, 4), np.int64),
        nav_real=np.zeros((cycles + 1, 4)),
        fills=np.zeros((fills, 5), np.int64),
        funding=np.zeros((funding, 8), np.int64),
        verdicts=np.zeros((verdicts, 11), np.int64),
        verdicts_real=np.zeros((verdicts, 2)),
        wishes=np.zeros((verdicts, 3), np.int64),
    )


def fills_per_cycle(markets: int, books: int) -> int:
    """Most rows of fills that one cycle can write: rested, settled, crossed and taken, for every book and market."""
    return 4 * markets * (books + 1)
