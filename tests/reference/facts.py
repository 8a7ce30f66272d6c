"""What the reference fund is given and what it answers: plain numbers in plain lists.

The reference is a second, slow, readable fund written from docs/semantics.md alone (section 9 is the letter, "page"
below), in plain Python: no arrays, no compiler. tests compare it with the compiled loop to the micro-dollar.

Units    time in UTC nanoseconds; lots whole and signed; money in micro-dollars; prices in micro-dollars per lot.
Indices  k = cycle, m = market (both from 0); row K, one past the last cycle, is the last NAV row, at `until`.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

HOUR_NS = 3_600 * 1_000_000_000
DAY_NS = 24 * HOUR_NS

ASSUMED = 0  # source index of a settlement nobody recorded: both sides pay
TAIL = 1.6448536269514722  # 95 % quantile of the normal distribution
HOUSE = "house"
NET = "NET"


class FundingEvent(NamedTuple):
    """One settlement of one market. `rate` is what longs pay shorts, as a fraction of notional."""

    at_ns: int
    market: int
    rate: float
    source: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that the fund may know of the markets. Lists of K rows by M markets; `time` and `mark` have K + 1 rows.

    mark         micro-dollars per lot at the last traded close up to t_k; 0 = never traded
    age          bars since that close
    frozen       bars since the mark last changed
    bar, traded  whether bar k exists; whether it has volume
    quiet_ns     time since the close of the last bar that exists; 0 where bar k does
    reference    open of bar k+1; 0 when that bar did not trade
    sigma_day    daily volatility; NaN = unknown. Unknown sigma means liquidity 0.
    covariance   k -> S, M lists of M: the gate's daily covariance
    history_ns   time since the close of the market's first traded bar; 0 or less = none
    liquidity    most lots one order may fill at t_k
    depth        lots a day, the measure of impact; above 0 where liquidity is
    low, high    micro-dollars per lot of bar k, 0 where it did not trade; K + 1 rows
    queued       lots that bar k+1 fills at most of an order resting through it
    carry        what a long pays an hour by the latest settlement, fraction of notional; NaN = unknown
    sigma_own    mandate -> daily volatility with its own half-life; a mandate that is absent uses sigma_day
    funding      (at_ns, market, rate, source), in the order of (at_ns, market)
    convictions  signal -> (bar_ns, rows of the last completed bar at t_k; NaN = unknown)
    """

    interval_ns: int
    names: Sequence[str]
    time: Sequence[int]
    mark: Sequence[Sequence[int]]
    age: Sequence[Sequence[int]]
    bar: Sequence[Sequence[bool]]
    traded: Sequence[Sequence[bool]]
    quiet_ns: Sequence[Sequence[int]]
    reference: Sequence[Sequence[int]]
    sigma_day: Sequence[Sequence[float]]
    covariance: Callable[[int], Sequence[Sequence[float]]]
    history_ns: Sequence[Sequence[int]]
    liquidity: Sequence[Sequence[int]]
    depth: Sequence[Sequence[float]]
    funding: Sequence[tuple[int, int, float, int]]
    convictions: Mapping[str, tuple[int, Sequence[Sequence[float]]]]
    frozen: Sequence[Sequence[int]] = ()
    low: Sequence[Sequence[int]] = ()
    high: Sequence[Sequence[int]] = ()
    queued: Sequence[Sequence[int]] = ()
    carry: Sequence[Sequence[float]] = ()
    sigma_own: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)

    @property
    def cycles(self) -> int:
        return len(self.time) - 1

    def id(self, k: int) -> int:
        """The cycle's number."""
        return self.time[k] // self.interval_ns

    def fires(self, k: int, cadence_ns: int) -> bool:
        """A cadence fires when floor(time / cadence) changes, never counted from the start of a run."""
        return self.time[k] // cadence_ns != (self.time[k] - self.interval_ns) // cadence_ns

    def sigma(self, mandate: str, k: int, m: int) -> float:
        """Daily volatility as one mandate measures it: what it sizes by, and judges its forecasts by."""
        return self.sigma_own.get(mandate, self.sigma_day)[k][m]

    def midnight(self, k: int) -> bool:
        return self.time[k] % DAY_NS == 0

    def funding_before(self, k: int) -> Sequence[FundingEvent]:
        """Settlements inside (t_{k-1}, t_k): paid at the mark of k-1."""
        return self._funding_in(self.time[k] - self.interval_ns + 1, self.time[k])

    def funding_at(self, k: int) -> Sequence[FundingEvent]:
        """Settlements stamped t_k: paid at the mark of k."""
        return self._funding_in(self.time[k], self.time[k] + 1)

    def _funding_in(self, since_ns: int, until_ns: int) -> Sequence[FundingEvent]:
        first = bisect_left(self.funding, since_ns, key=lambda event: event[0])
        last = bisect_left(self.funding, until_ns, key=lambda event: event[0])
        return [FundingEvent(*event) for event in self.funding[first:last]]

    def dead(self, k: int, m: int) -> bool:
        """No bar of m for a day while another market's bar k traded."""
        return self.quiet_ns[k][m] >= DAY_NS and any(self.traded[k][o] for o in range(len(self.names)) if o != m)


@dataclass(frozen=True, kw_only=True)
class Seat:
    """One execution agent's mandate (the page calls it a book), with its lengths of time in nanoseconds.

    style    taker, maker or twap; `urgency_ns` is what the last two take their time in
    prior    what a unit of its forecasts is held to be worth before any is judged: sum |w| prior_slope / sum |w|
    """

    name: str
    listens: Mapping[str, float]
    markets: tuple[str, ...]
    cadence_ns: int
    volatility_target: float = 0.20
    typical_conviction: float = 1.0
    buffer: float = 0.10
    stop: float = 5.0
    longest_holding_ns: int = 90 * DAY_NS
    style: str = "taker"
    urgency_ns: int = 4 * HOUR_NS
    max_diversification: float = 1.0
    outlook_ns: int = DAY_NS
    cost_factor: float = 0.0
    cost_budget: float = 1e9
    prior: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """Steps of a drawdown, in units of annual volatility; how long who is out stays out; how much moves at one look."""

    halve_from: float = 0.75
    out_from: float = 1.25
    back_below: float = 0.5
    cadence_ns: int = HOUR_NS
    cool_off_days: int = 30
    half_days: int = 30
    fund_volatility: float = 0.10
    halt_from: float = 1.75
    day_loss: float = 0.4
    most_books: int = 3
    most_gross: float = 0.25


@dataclass(frozen=True, kw_only=True)
class Graduation:
    """The gate of capital, on; 0 trials = as many as there are books."""

    signer: str = "rule"
    start: str = "research"
    trials: float = 0.0
    floor_days: int = 90
    review_days: int = 30
    psr: float = 0.95
    seed_dsr: float = 0.5
    full_dsr: float = 0.95
    seed_share: float = 0.25
    out_from: float = 1.25
    cool_off_days: int = 30
    alive: float = 1.0
    alarm: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Agent:
    """A risk agent that is not the ladder: at a time it says something (limits.Said), or raises."""

    name: str
    cadence_ns: int
    says: Callable[[int], Any]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The fund file. `mandates` are Seats or anything with their fields; fractions are fractions, not bps.

    prior_slope  signal -> what its family is held to be worth; a Seat's `prior` is their mean by weight
    family       signal -> its family; a signal that is absent is a family of its own
    agents       risk agents beside the ladder
    operator     'never', or the nanoseconds after which a person lowers the state
    allocator    'equal' or 'article'
    compound     whether gains beyond the high-water mark are risked
    graduation   None = every book may hold capital
    """

    mandates: Sequence[Any]
    min_notional_micro: Sequence[int]
    capital_usd: float = 100_000.0
    confidence_open: float = 0.65
    confidence_close: float = 0.35
    max_weight: float = 0.05
    max_gross: float = 1.0
    max_net: float = 1.0
    max_order: float = 1.0
    max_var: float = 0.02
    min_order_usd: float = 100.0
    book_gross: float = 1.0
    collar: float = 0.01
    half_spread: float = 1e-4
    impact: float = 1.0
    fee_e8: int = 45_000
    maker_fee_e8: int = 15_000
    assumed_funding_bps_8h: float = 1.0
    prior_observations: int = 200
    prior_slope: Mapping[str, float] = field(default_factory=dict)
    family: Mapping[str, str] = field(default_factory=dict)
    ladder: Ladder = field(default_factory=Ladder)
    agents: Sequence[Agent] = ()
    allocator: str = "article"
    window_days: int = 30
    compound: bool = True
    graduation: Graduation | None = None
    operator: str | int = "never"

    @property
    def capital_micro(self) -> int:
        """The first deposit, and R, the capital every shadow book starts with."""
        return round(self.capital_usd * 1e6)


class NavRow(NamedTuple):
    cycle: int
    nav_micro: int
    cash_micro: int
    gross: float
    net: float
    drawdown: float
    var: float


class FillRow(NamedTuple):
    cycle: int
    market: str
    book: str
    lots: int
    price_micro: int
    reference_micro: int
    fee_micro: int
    kind: str  # cross | venue | maker | settlement


class FundingRow(NamedTuple):
    cycle: int
    at_ns: int
    market: str
    book: str
    lots: int
    cash_micro: int


class TransferRow(NamedTuple):
    cycle: int
    book: str
    cash_micro: int


class VerdictRow(NamedTuple):
    cycle: int
    market: str
    book: str  # a book's name, or NET
    verdict: str  # approve | shrink | veto
    code: str
    wanted: int
    allowed: int
    resting: int = 0  # what of `allowed` rests at the venue, signed
    limits: int = 1  # number of the limits it was judged by


class BookRow(NamedTuple):
    cycle: int
    book: str
    capital_micro: int
    equity_micro: int
    throttle: float
    shadow_equity_micro: int


class WishRow(NamedTuple):
    cycle: int
    market: str
    book: str
    lots: int
    mark_micro: int


class CostsRow(NamedTuple):
    """What trading cost one book in one market since the row before: micro-dollars, above 0 where it was paid."""

    cycle: int
    market: str
    book: str
    delay: int
    half_spread: int
    impact: int
    fee: int
    opportunity: int
    funding: int
    saved: int  # by crossing; no cost


@dataclass(kw_only=True)
class Result:
    """The fund's rows in the order they came to be, and what its books hold at the end.

    met  what came of the risk office's looks -> how often, for tests that must see all of it
    """

    nav: list[NavRow] = field(default_factory=list)
    fills: list[FillRow] = field(default_factory=list)
    funding: list[FundingRow] = field(default_factory=list)
    transfers: list[TransferRow] = field(default_factory=list)
    verdicts: list[VerdictRow] = field(default_factory=list)
    books: list[BookRow] = field(default_factory=list)
    wishes: list[WishRow] = field(default_factory=list)
    costs: list[CostsRow] = field(default_factory=list)
    lots: dict[str, list[int]] = field(default_factory=dict)
    cash: dict[str, int] = field(default_factory=dict)
    shadow_targets: dict[str, list[list[int]]] = field(default_factory=dict)
    met: Counter[str] = field(default_factory=Counter)
    ended_at: int | None = None  # cycle at which nothing was left


def sign(x: float) -> int:
    return (x > 0) - (x < 0)
